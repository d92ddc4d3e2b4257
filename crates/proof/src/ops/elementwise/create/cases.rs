//! What is held against the mirror.

use crate::{Bound, Case};
use gpu_core::Tensor;

pub fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = [1, 2, 17, 260]
        .into_iter()
        .map(|n| Case::new("eye", format!("{n} rows"), Bound::Exact, move |device| vec![Tensor::eye(device, n)]))
        .collect();
    // One more than 65,535 workgroups.
    cases.push(Case::new("eye", "4097 rows".to_owned(), Bound::Exact, |device| vec![Tensor::eye(device, 4097)]));
    for (start, end, n) in
        [(0.0, 1.0, 1), (-0.0, 3.0, 2), (0.1, 0.7, 1031), (-1e30, 3.3e7, 4099), (1e-40, 3e-38, 777), (5.0, -5.0, 64)]
    {
        cases.push(Case::new("linspace", format!("{n} from {start} to {end}"), Bound::Exact, move |device| {
            vec![Tensor::linspace(device, start, end, n)]
        }));
    }
    for (start, end, step) in [(0.0, 1.0, 0.1), (10.0, -3.0, -0.003), (0.0, 1_000_003.0, 1.0), (1e8, 1e8 + 4096.0, 0.3)] {
        cases.push(Case::new("arange", format!("from {start} to {end} by {step}"), Bound::Exact, move |device| {
            vec![Tensor::arange(device, start, end, step)]
        }));
    }
    cases
}

//! What is held against the mirror.

use crate::{Bound, Case, tensor};
use gpu_core::ops::{MuonHyper, muon_combine, muon_momentum, muon_normalise, muon_step};
use gpu_core::{Device, Tensor};

pub(super) fn figures(device: &Device, nesterov: bool) -> Tensor {
    let hyper = MuonHyper { lr: 0.1, momentum: 0.9, nesterov, weight_decay: 0.3 };
    Tensor::from_slice(device, [8], &hyper.to_array())
}

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for len in [1usize, 5, 1021, 300_007] {
        for nesterov in [false, true] {
            let what = format!("{len} elements, nesterov {nesterov}");
            cases.push(Case::new("muon_momentum", what, Bound::own(5e-7), move |device| {
                let (g, m) = (tensor(device, [len], 1), tensor(device, [len], 2));
                vec![muon_momentum(&g, &m, &figures(device, nesterov)), m]
            }));
        }
        cases.push(Case::new("muon_combine", format!("{len} elements"), Bound::own(5e-7), move |device| {
            vec![muon_combine(&tensor(device, [len], 1), 3.4445, &tensor(device, [len], 2), -4.775)]
        }));
        cases.push(Case::new("muon_step", format!("{len} elements"), Bound::own(5e-7), move |device| {
            let w = tensor(device, [len], 1);
            muon_step(&w, &tensor(device, [len], 2), 1.7, &figures(device, true));
            vec![w]
        }));
    }
    for dims in [[1usize, 1, 1], [3, 5, 7], [2, 64, 31], [2, 251, 521]] {
        cases.push(Case::new("muon_normalise", format!("{dims:?}"), Bound::own(1e-6), move |device| {
            let squares: Vec<f32> = (0..dims[0]).map(|i| i as f32 * 10.0).collect();
            vec![muon_normalise(&tensor(device, dims, 1), &Tensor::from_slice(device, [dims[0]], &squares), 1e-3)]
        }));
    }
    cases
}

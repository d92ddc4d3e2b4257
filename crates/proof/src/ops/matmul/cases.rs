//! What is held against the mirror.

use crate::{Bound, Case, half_tensor, input_integers, tensor};
use gpu_core::ops::internals::{self, MatmulForm, Transpose};
use gpu_core::ops::matmul;
use gpu_core::{DType, Device, Shape, Tensor};

const FORMS: [MatmulForm; 6] =
    [MatmulForm::Tiled, MatmulForm::Tiled4, MatmulForm::Reg, MatmulForm::Subgroup, MatmulForm::TiledHalf, MatmulForm::Matrix];

/// A factor of the type that the form multiplies.
pub(super) fn factor(device: &Device, form: MatmulForm, shape: impl Into<Shape>, seed: u64) -> Tensor {
    match form.factors() {
        DType::F16 => half_tensor(device, shape, seed),
        _ => tensor(device, shape, seed),
    }
}

pub fn cases() -> Vec<Case> {
    // m, k, n: a single element, primes, more than a tile of 64 and of 128, a long k, one row, one column.
    const EXTENTS: [(usize, usize, usize); 8] =
        [(1, 1, 1), (7, 13, 17), (67, 9, 71), (128, 64, 132), (131, 40, 137), (3, 5003, 5), (1, 31, 200), (200, 31, 1)];
    let mut cases = Vec::new();
    for form in FORMS {
        for transpose in [Transpose::None, Transpose::A, Transpose::B] {
            for (batch, (m, k, n)) in EXTENTS.into_iter().map(|e| (1, e)).chain([(3, (20, 12, 36))]) {
                if form == MatmulForm::Tiled4 && [m, k, n].iter().any(|v| v % 4 != 0) {
                    continue;
                }
                let what = format!("{form:?} transpose {transpose:?} {batch} x {m}x{k}x{n}");
                cases.push(Case::new("matmul", what, Bound::Sum { terms: k }, move |device| {
                    let a = factor(device, form, if transpose == Transpose::A { [batch, k, m] } else { [batch, m, k] }, 1);
                    let b = factor(device, form, if transpose == Transpose::B { [batch, n, k] } else { [batch, k, n] }, 2);
                    vec![internals::matmul(form, &a, &b, transpose)]
                }));
            }
        }
    }
    cases.extend(broadcast_cases());
    // Longer than one invocation may walk.
    cases.push(Case::new("matmul", "2x70001x3, split, small integers".to_owned(), Bound::Exact, |device| {
        let integers =
            |shape: [usize; 2], seed| Tensor::from_slice(device, shape, &input_integers(device, shape[0] * shape[1], seed));
        vec![matmul(&integers([2, 70_001], 1), &integers([70_001, 3], 2))]
    }));
    cases
}

fn broadcast_cases() -> Vec<Case> {
    const SHAPES: [(&[usize], &[usize]); 8] = [
        (&[5], &[5]),
        (&[5], &[5, 3]),
        (&[4, 5], &[5]),
        (&[2, 1, 4, 8], &[3, 8, 12]),
        (&[3, 1, 2, 1, 4, 8], &[2, 1, 3, 8, 4]),
        (&[2, 3, 4, 8], &[8, 12]),
        (&[4, 8], &[2, 3, 8, 12]),
        (&[8], &[2, 3, 8, 12]),
    ];
    let of = |(form, (a, b)): (MatmulForm, (&'static [usize], &'static [usize]))| {
        let (a, b) = (Shape::new(a), Shape::new(b));
        let bound = Bound::Sum { terms: 8 };
        Case::new("matmul", format!("{form:?} {a} with {b}"), bound, move |device| {
            let (a, b) = (factor(device, form, a, 1), factor(device, form, b, 2));
            vec![internals::matmul(form, &a, &b, Transpose::None)]
        })
    };
    let any = FORMS.into_iter().filter(|form| *form != MatmulForm::Tiled4);
    let forms = any.flat_map(|form| SHAPES.map(|shapes| (form, shapes)));
    forms.chain(SHAPES[3..7].iter().map(|&shapes| (MatmulForm::Tiled4, shapes))).map(of).collect()
}

//! What is held against the mirrors, what is timed, and what is refused.

use super::*;
use crate::check::{self, Bench, Bound, Case};

/// The axes before, and those normalised over.
pub(super) const LAYERS: &[(&[usize], &[usize])] = &[
    (&[], &[1]),
    (&[3], &[1]),
    (&[4, 6], &[5]),
    (&[2], &[3, 8, 8]),
    (&[16], &[33]),
    (&[257], &[64]),
    (&[2, 3, 2, 2], &[2, 3]),
    (&[7], &[1024]),
    (&[1031], &[20]),
    (&[3], &[4100]),
    // Rows in parts; more channels than workgroups fit into a row of the grid.
    (&[2], &[65_540]),
    (&[], &[17, 1031]),
    (&[0], &[5]),
    (&[3], &[2, 0]),
];

/// x and the groups of its channels.
pub(super) const GROUPS: &[(&[usize], usize)] = &[
    (&[1, 1, 1, 1], 1),
    (&[5, 4], 2),
    (&[33, 12], 3),
    (&[2, 8, 6, 6], 4),
    (&[3, 6, 5, 7], 1),
    (&[3, 6, 5, 7], 6),
    (&[2, 12, 4, 4], 12),
    (&[2, 4, 7, 7], 1),
    (&[9, 3, 7], 3),
    (&[37, 10, 12, 12], 5),
    (&[1, 4, 64, 70], 2),
    // Rows in parts.
    (&[2, 2, 100, 101], 1),
    (&[1, 3, 91, 93], 1),
    (&[0, 4, 3], 2),
    (&[2, 4, 0, 3], 2),
];

/// Values around `mean` with standard deviation 1.
pub(super) fn around(device: &Device, shape: impl Into<Shape>, mean: f32, seed: u64) -> Tensor {
    let shape = shape.into();
    let values: Vec<f32> = check::input_values(device, shape.len(), seed).iter().map(|v| mean + v * 3f32.sqrt()).collect();
    Tensor::from_slice(device, shape, &values)
}

/// gamma and beta.
pub(super) fn affine_of(device: &Device, shape: impl Into<Shape>) -> [Tensor; 2] {
    let shape = shape.into();
    let gamma: Vec<f32> = check::input_values(device, shape.len(), 11).iter().map(|v| v + 1.5).collect();
    [Tensor::from_slice(device, shape, &gamma), check::tensor(device, shape, 12)]
}

/// Which of gamma and beta there are.
pub(super) const AFFINE: [(&str, bool, bool); 3] =
    [("gamma and beta", true, true), ("gamma", true, false), ("neither", false, false)];

pub(in crate::ops) fn cases() -> Vec<Case> {
    let layers = LAYERS.iter().flat_map(|&(leading, last)| {
        let (shape, last) = (Shape::new(&[leading, last].concat()), Shape::new(last));
        AFFINE
            .into_iter()
            .flat_map(move |affine| [0.5, 1e4].map(|mean| layer_case(shape, last, affine, mean)))
            .chain([rms_case(shape, last)])
    });
    let groups = GROUPS.iter().flat_map(|&(dims, groups)| {
        let shape = Shape::new(dims);
        let running = (groups == shape.c()).then(|| running_case(shape));
        AFFINE.into_iter().flat_map(move |affine| [0.5, 1e4].map(|mean| group_case(shape, groups, affine, mean))).chain(running)
    });
    layers.chain(groups).collect()
}

const BOUND: Bound = Bound::Relative(2e-5);

fn layer_case(shape: Shape, last: Shape, (what, has_gamma, has_beta): (&'static str, bool, bool), mean: f32) -> Case {
    Case::new("layer_norm", format!("{shape} over {last} around {mean}, {what}"), BOUND, move |device| {
        let [gamma, beta] = affine_of(device, last);
        let (gamma, beta) = (has_gamma.then_some(&gamma), has_beta.then_some(&beta));
        let (x, dy) = (around(device, shape, mean, 1), check::tensor(device, shape, 2));
        let RowNorm { y, stats } = layer_norm(&x, last, gamma, beta, 1e-5);
        let dx = layer_norm_bwd_x(&x, &dy, gamma, &stats);
        let (dgamma, dbeta) = layer_norm_bwd_w(&x, &dy, &stats);
        vec![y, stats.offset, stats.rstd, dx, dgamma, dbeta]
    })
}

fn rms_case(shape: Shape, last: Shape) -> Case {
    // With a small eps the gradient of a row of one element would be a difference of two like numbers.
    const EPS: f32 = 0.1;
    Case::new("rms_norm", format!("{shape} over {last}"), BOUND, move |device| {
        let [gamma, _] = affine_of(device, last);
        let (x, dy) = (around(device, shape, 0.5, 1), check::tensor(device, shape, 2));
        let (y, rstd) = rms_norm(&x, last, Some(&gamma), EPS);
        let (plain, _) = rms_norm(&x, last, None, EPS);
        let dx = rms_norm_bwd_x(&x, &dy, Some(&gamma), &rstd);
        let dgamma = rms_norm_bwd_w(&x, &dy, &rstd);
        vec![y, plain, rstd, dx, dgamma]
    })
}

fn group_case(shape: Shape, groups: usize, (what, has_gamma, has_beta): (&'static str, bool, bool), mean: f32) -> Case {
    Case::new("group_norm", format!("{shape} in {groups} groups around {mean}, {what}"), BOUND, move |device| {
        let [gamma, beta] = affine_of(device, [shape.c()]);
        let (gamma, beta) = (has_gamma.then_some(&gamma), has_beta.then_some(&beta));
        let (x, dy) = (around(device, shape, mean, 1), check::tensor(device, shape, 2));
        let RowNorm { y, stats } = group_norm(&x, groups, gamma, beta, 1e-5);
        let dx = group_norm_bwd_x(&x, &dy, gamma, &stats);
        let (dgamma, dbeta) = group_norm_bwd_w(&x, &dy, &stats);
        vec![y, stats.offset, stats.rstd, dx, dgamma, dbeta]
    })
}

fn running_case(shape: Shape) -> Case {
    Case::new("instance_norm_running", shape.to_string(), BOUND, move |device| {
        let x = around(device, shape, 0.5, 1);
        let [mean, var] = affine_of(device, [shape.c()]);
        let normed = group_norm(&x, shape.c(), None, None, 1e-5);
        instance_norm_running(&x, &normed.stats, &mean, &var, 0.1, 1e-5);
        vec![mean, var]
    })
}

pub(in crate::ops) fn benches() -> Vec<Bench> {
    let layer = |device: &Device, shape: [usize; 2]| {
        let [gamma, beta] = affine_of(device, [shape[1]]);
        (check::tensor(device, shape, 1), check::tensor(device, shape, 2), gamma, beta)
    };
    let mut benches = vec![
        Bench::new("layer_norm", "6272x768", 0, move |device| {
            let (x, _, gamma, beta) = layer(device, [6272, 768]);
            move || vec![layer_norm(&x, [768], Some(&gamma), Some(&beta), 1e-5).y]
        }),
        Bench::new("layer_norm_bwd", "6272x768", 0, move |device| {
            let (x, dy, gamma, beta) = layer(device, [6272, 768]);
            let stats = layer_norm(&x, [768], Some(&gamma), Some(&beta), 1e-5).stats;
            move || vec![layer_norm_bwd_x(&x, &dy, Some(&gamma), &stats), layer_norm_bwd_w(&x, &dy, &stats).0]
        }),
        Bench::new("rms_norm", "6272x768", 0, move |device| {
            let (x, _, gamma, _) = layer(device, [6272, 768]);
            move || vec![rms_norm(&x, [768], Some(&gamma), 1e-5).0]
        }),
        Bench::new("instance_norm_running", "32x64x28x28", 0, move |device| {
            let x = check::tensor(device, [32, 64, 28, 28], 1);
            let ([mean, var], normed) = (affine_of(device, [64]), group_norm(&x, 64, None, None, 1e-5));
            move || {
                instance_norm_running(&x, &normed.stats, &mean, &var, 0.1, 1e-5);
                vec![mean.clone()]
            }
        }),
    ];
    // Rows that are read once, odd ones, and long ones in parts.
    for (what, shape, groups) in [
        ("32x64x56x56 in 32 groups", [32, 64, 56, 56], 32),
        ("64x64x7x7 in 64 groups", [64, 64, 7, 7], 64),
        ("2x64x128x128 in 8 groups", [2, 64, 128, 128], 8),
    ] {
        let inputs =
            move |device: &Device| (check::tensor(device, shape, 1), check::tensor(device, shape, 2), affine_of(device, [64]));
        benches.push(Bench::new("group_norm", what, 0, move |device| {
            let (x, _, [gamma, beta]) = inputs(device);
            move || vec![group_norm(&x, groups, Some(&gamma), Some(&beta), 1e-5).y]
        }));
        benches.push(Bench::new("group_norm_bwd", what, 0, move |device| {
            let (x, dy, [gamma, beta]) = inputs(device);
            let stats = group_norm(&x, groups, Some(&gamma), Some(&beta), 1e-5).stats;
            move || vec![group_norm_bwd_x(&x, &dy, Some(&gamma), &stats), group_norm_bwd_w(&x, &dy, &stats).0]
        }));
    }
    benches
}

#[cfg(test)]
pub(in crate::ops) fn misuses() -> Vec<check::Misuse> {
    use check::misuse;
    fn zeros(device: &Device, dims: &[usize]) -> Tensor {
        Tensor::zeros(device, dims)
    }
    fn stats(device: &Device, dims: &[usize]) -> RowStats {
        RowStats { offset: zeros(device, dims), rstd: zeros(device, dims) }
    }
    vec![
        misuse!("layer_norm", ["[3, 4] is to be normalised over", "x [2, 4, 3]"], |device| {
            layer_norm(&zeros(device, &[2, 4, 3]), [3, 4], None, None, 1e-5)
        }),
        misuse!("layer_norm", ["[] is to be normalised over", "x [2]"], |device| {
            layer_norm(&zeros(device, &[2]), Shape::SCALAR, None, None, 1e-5)
        }),
        misuse!("layer_norm", ["beta [3] is not of the shape [4, 3]", "x [2, 4, 3]"], |device| {
            layer_norm(&zeros(device, &[2, 4, 3]), [4, 3], None, Some(&zeros(device, &[3])), 1e-5)
        }),
        misuse!("layer_norm", ["gamma on CPU", "x [2, 3]"], |device| {
            layer_norm(&zeros(device, &[2, 3]), [3], Some(&zeros(&Device::Cpu, &[3])), None, 1e-5)
        }),
        misuse!("layer_norm_bwd_x", ["x [2, 3]", "dy [3, 2]"], |device| {
            layer_norm_bwd_x(&zeros(device, &[2, 3]), &zeros(device, &[3, 2]), None, &stats(device, &[2]))
        }),
        misuse!("layer_norm_bwd_x", ["rstd [3]", "x [2, 3]"], |device| {
            let x = zeros(device, &[2, 3]);
            layer_norm_bwd_x(&x, &x, None, &stats(device, &[3]))
        }),
        misuse!("layer_norm_bwd_w", ["rstd [2, 3]", "x [2, 3]"], |device| {
            let x = zeros(device, &[2, 3]);
            layer_norm_bwd_w(&x, &x, &stats(device, &[2, 3]))
        }),
        misuse!("rms_norm", ["[2] is to be normalised over", "x [2, 4]"], |device| {
            rms_norm(&zeros(device, &[2, 4]), [2], None, 1e-5)
        }),
        misuse!("rms_norm_bwd_x", ["gamma [2] is not of the shape [4]", "x [2, 4]"], |device| {
            let x = zeros(device, &[2, 4]);
            rms_norm_bwd_x(&x, &x, Some(&zeros(device, &[2])), &zeros(device, &[2]))
        }),
        misuse!("rms_norm_bwd_w", ["dy holds u32, not f32", "dy [2]"], |device| {
            let x = zeros(device, &[2]);
            rms_norm_bwd_w(&x, &Tensor::from_slice(device, [2], &[1u32; 2]), &zeros(device, &[]))
        }),
        misuse!("group_norm", ["4 groups do not divide 6 channels", "x [2, 6, 3]"], |device| {
            group_norm(&zeros(device, &[2, 6, 3]), 4, None, None, 1e-5)
        }),
        misuse!("group_norm", ["x needs axes (n, c, ..)", "x [4]"], |device| group_norm(&zeros(device, &[4]), 1, None, None, 1e-5)),
        misuse!("group_norm", ["x has 6 channels, gamma [3]", "x [2, 6, 3]"], |device| {
            group_norm(&zeros(device, &[2, 6, 3]), 3, Some(&zeros(device, &[3])), None, 1e-5)
        }),
        misuse!("group_norm_bwd_x", ["rstd [3, 2]", "x [2, 6]"], |device| {
            let x = zeros(device, &[2, 6]);
            group_norm_bwd_x(&x, &x, None, &stats(device, &[3, 2]))
        }),
        misuse!("group_norm_bwd_w", ["4 groups do not divide 6 channels", "x [2, 6]"], |device| {
            let x = zeros(device, &[2, 6]);
            group_norm_bwd_w(&x, &x, &stats(device, &[2, 4]))
        }),
        misuse!("instance_norm_running", ["offset [2, 3] is not (N, C)", "x [2, 6, 4]"], |device| {
            let six = zeros(device, &[6]);
            instance_norm_running(&zeros(device, &[2, 6, 4]), &stats(device, &[2, 3]), &six, &six, 0.1, 1e-5)
        }),
        misuse!("instance_norm_running", ["x has 6 channels, running_var [3]", "x [2, 6, 4]"], |device| {
            let (x, six) = (zeros(device, &[2, 6, 4]), zeros(device, &[6]));
            instance_norm_running(&x, &stats(device, &[2, 6]), &six, &zeros(device, &[3]), 0.1, 1e-5)
        }),
    ]
}

//! What is held against the mirror.

use crate::{Bound, Case, around, normalised_terms, tensor, tensor_of};
use gpu_core::ops::{
    RowNorm, group_norm, group_norm_bwd_w, group_norm_bwd_x, instance_norm_running, layer_norm, layer_norm_bwd_w, layer_norm_bwd_x,
    mul, rms_norm, rms_norm_bwd_w, rms_norm_bwd_x,
};
use gpu_core::{Device, Shape, Tensor};

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

/// gamma and beta.
pub(super) fn affine_of(device: &Device, shape: impl Into<Shape>) -> [Tensor; 2] {
    let shape = shape.into();
    [tensor_of(device, shape, 11, |v| v + 1.5), tensor(device, shape, 12)]
}

/// Which of gamma and beta there are.
pub(super) const AFFINE: [(&str, bool, bool); 3] =
    [("gamma and beta", true, true), ("gamma", true, false), ("neither", false, false)];

pub fn cases() -> Vec<Case> {
    let layers = LAYERS.iter().flat_map(|&(leading, last)| {
        let (shape, last) = (Shape::new(&[leading, last].concat()), Shape::new(last));
        AFFINE
            .into_iter()
            .flat_map(move |affine| [0.5, 1e4].map(|mean| layer_case(shape, last, affine, mean)))
            .chain([rms_case(shape, last)])
    });
    let groups = GROUPS.iter().flat_map(|&(dims, groups)| {
        let shape = Shape::new(dims);
        // One value has no variance.
        let running = (groups == shape.c() && shape.inner(2) != 1).then(|| running_case(shape));
        AFFINE.into_iter().flat_map(move |affine| [0.5, 1e4].map(|mean| group_case(shape, groups, affine, mean))).chain(running)
    });
    layers.chain(groups).collect()
}

/// Of means over rows and of sums over all of them.
fn bound(shape: Shape, row: usize) -> Bound {
    Bound::Own { fraction: 2e-5, terms: row.max(shape.len() / row.max(1)) }
}

fn layer_case(shape: Shape, last: Shape, (what, has_gamma, has_beta): (&'static str, bool, bool), mean: f32) -> Case {
    let case =
        Case::new("layer_norm", format!("{shape} over {last} around {mean}, {what}"), bound(shape, last.len()), move |device| {
            let [gamma, beta] = affine_of(device, last);
            let (gamma, beta) = (has_gamma.then_some(&gamma), has_beta.then_some(&beta));
            let (x, dy) = (around(device, shape, mean, 1), tensor(device, shape, 2));
            let RowNorm { y, stats } = layer_norm(&x, last, gamma, beta, 1e-5);
            let dx = layer_norm_bwd_x(&x, &dy, gamma, &stats);
            let (dgamma, dbeta) = layer_norm_bwd_w(&x, &dy, &stats);
            vec![dx, y, stats.offset, stats.rstd, dgamma, dbeta]
        });
    case.adding(move |device| {
        let [gamma, _] = affine_of(device, last);
        vec![dx_terms(device, shape, last.len(), mean, has_gamma.then_some(gamma))]
    })
}

/// Of the gradient of x, in rows.
fn dx_terms(device: &Device, shape: Shape, row: usize, mean: f32, gamma: Option<Tensor>) -> Tensor {
    let (x, dy) = (around(device, shape, mean, 1), tensor(device, shape, 2));
    normalised_terms(&x, &gamma.map_or(dy.clone(), |gamma| mul(&dy, &gamma)), row)
}

fn rms_case(shape: Shape, last: Shape) -> Case {
    // With a small eps the gradient of a row of one element would be a difference of two like numbers.
    const EPS: f32 = 0.1;
    Case::new("rms_norm", format!("{shape} over {last}"), bound(shape, last.len()), move |device| {
        let [gamma, _] = affine_of(device, last);
        let (x, dy) = (around(device, shape, 0.5, 1), tensor(device, shape, 2));
        let (y, rstd) = rms_norm(&x, last, Some(&gamma), EPS);
        let (plain, _) = rms_norm(&x, last, None, EPS);
        let dx = rms_norm_bwd_x(&x, &dy, Some(&gamma), &rstd);
        let dgamma = rms_norm_bwd_w(&x, &dy, &rstd);
        vec![y, plain, rstd, dx, dgamma]
    })
}

fn group_case(shape: Shape, groups: usize, (what, has_gamma, has_beta): (&'static str, bool, bool), mean: f32) -> Case {
    let case = Case::new(
        "group_norm",
        format!("{shape} in {groups} groups around {mean}, {what}"),
        bound(shape, shape.inner(2) * shape.c() / groups),
        move |device| {
            let [gamma, beta] = affine_of(device, [shape.c()]);
            let (gamma, beta) = (has_gamma.then_some(&gamma), has_beta.then_some(&beta));
            let (x, dy) = (around(device, shape, mean, 1), tensor(device, shape, 2));
            let RowNorm { y, stats } = group_norm(&x, groups, gamma, beta, 1e-5);
            let dx = group_norm_bwd_x(&x, &dy, gamma, &stats);
            let (dgamma, dbeta) = group_norm_bwd_w(&x, &dy, &stats);
            vec![dx, y, stats.offset, stats.rstd, dgamma, dbeta]
        },
    );
    case.adding(move |device| {
        let [gamma, _] = affine_of(device, [shape.c()]);
        let mut by_channel = vec![1; shape.rank() - 1];
        by_channel[0] = shape.c();
        let gamma = has_gamma.then(|| gamma.reshape(Shape::new(&by_channel)));
        vec![dx_terms(device, shape, shape.inner(2) * shape.c() / groups, mean, gamma)]
    })
}

fn running_case(shape: Shape) -> Case {
    Case::new("instance_norm_running", shape.to_string(), bound(shape, shape.inner(2)), move |device| {
        let x = around(device, shape, 0.5, 1);
        let [mean, var] = affine_of(device, [shape.c()]);
        let normed = group_norm(&x, shape.c(), None, None, 1e-5);
        instance_norm_running(&x, &normed.stats, &mean, &var, 0.1, 1e-5);
        vec![mean, var]
    })
}

//! Layers that move elements, and those that an evaluation does not see.

use crate::onnx::graph::{int, ints, string};
use crate::onnx::leaf::{Leaf, Row, Said};
use nn::Edges;

pub const LAYERS: &[Row] = &[
    ("flatten", |l| Ok(l.of_x("Flatten", vec![int("axis", 1)]))),
    ("zero_pad2d", |l| pad(l, "constant")),
    ("reflection_pad2d", |l| pad(l, "reflect")),
    ("pixel_shuffle", pixel_shuffle),
    ("pixel_unshuffle", pixel_unshuffle),
    ("dropout", |l| Ok(l.x())),
    ("dropout1d", |l| Ok(l.x())),
    ("dropout2d", |l| Ok(l.x())),
    ("alpha_dropout", |l| Ok(l.x())),
    ("feature_alpha_dropout", |l| Ok(l.x())),
    ("bernoulli_keep", |l| Ok(l.x())),
    ("gaussian_noise", gaussian_noise),
];

/// In evaluation all elements are multiplied by the mean of the noise.
fn gaussian_noise(l: &mut Leaf<'_>) -> Said {
    let (x, mean) = (l.x(), l.field("mean"));
    Ok(if mean == 1.0 { x } else { l.scaled(&x, "mean", mean) })
}

fn pad(l: &mut Leaf<'_>, mode: &str) -> Said {
    let Edges::<2>::Of(padding) = l.field("padding") else { unreachable!("planes are padded by numbers") };
    let ends = [padding.before, padding.after].map(|[rows, columns]| [0, 0, rows as i64, columns as i64]);
    let (x, pads) = (l.x(), l.integers("pads", &ends.concat()));
    Ok(l.apply_with("Pad", &[&x, &pads], vec![string("mode", mode)]))
}

/// Channels in PyTorch's order: a channel's own squares side by side, which ONNX calls CRD.
fn pixel_shuffle(l: &mut Leaf<'_>) -> Said {
    Ok(l.of_x("DepthToSpace", vec![int("blocksize", l.field("factor")), string("mode", "CRD")]))
}

/// `SpaceToDepth` has the other order of channels alone.
fn pixel_unshuffle(l: &mut Leaf<'_>) -> Said {
    let (x, r): (_, usize) = (l.x(), l.field("factor"));
    let [c, h, w] = [l.input().c(), l.output().h(), l.output().w()].map(|extent| extent as i64);
    let r = r as i64;
    let squares = l.reshaped(&x, &[0, c, h, r, w, r]);
    let turned = l.apply_with("Transpose", &[&squares], vec![ints("perm", [0, 1, 3, 5, 2, 4])]);
    Ok(l.reshaped(&turned, &[0, c * r * r, h, w]))
}

//! Normalisations, as evaluation has them.

use crate::onnx::graph::{Value, float, int};
use crate::onnx::leaf::{Leaf, Row, Said};

pub const LAYERS: &[Row] = &[
    ("batch_norm", batch_norm),
    ("batch_norm1d", batch_norm),
    ("demean_norm", demean_norm),
    ("group_norm", group_norm),
    ("instance_norm", instance_norm),
    ("instance_norm1d", instance_norm),
    ("instance_norm2d", instance_norm),
    ("layer_norm", layer_norm),
    ("rms_norm", rms_norm),
];

/// A batch norm does not write this down where it is what PyTorch and ONNX have too.
const EPS: f32 = 1e-5;

fn batch_norm(l: &mut Leaf<'_>) -> Said {
    let eps = l.optional("eps").unwrap_or(EPS);
    match l.optional("tracked") {
        Some(false) => by_its_own_batch(l, eps),
        _ => by_running_statistics(l, eps),
    }
}

fn by_running_statistics(l: &mut Leaf<'_>, eps: f32) -> Said {
    let x = l.x();
    let [gamma, beta] = [l.param("weight")?, l.param("bias")?];
    let [mean, var] = [l.param("running_mean")?, l.param("running_var")?];
    Ok(l.apply_with("BatchNormalization", &[&x, &gamma, &beta, &mean, &var], vec![float("epsilon", eps)]))
}

/// Without running statistics an evaluation uses those of its batch.
fn by_its_own_batch(l: &mut Leaf<'_>, eps: f32) -> Said {
    let axes: Vec<i64> = (0..l.input().rank() as i64).filter(|axis| *axis != 1).collect();
    let x = l.x();
    let mean = l.mean(&x, &axes);
    let centred = l.apply("Sub", &[&x, &mean]);
    let y = over_the_root_of_its_mean_square(l, &centred, &axes, eps);
    each_channel(l, y)
}

/// `x / sqrt(mean of x^2 over the axes + eps)`.
fn over_the_root_of_its_mean_square(l: &mut Leaf<'_>, x: &Value, axes: &[i64], eps: f32) -> Value {
    let square = l.apply("Mul", &[x, x]);
    let (mean, eps) = (l.mean(&square, axes), l.scalar("eps", eps));
    let sum = l.apply("Add", &[&mean, &eps]);
    let root = l.apply("Sqrt", &[&sum]);
    l.apply("Div", &[x, &root])
}

/// Extents by which numbers a channel go with all that lies behind them.
fn of_channels(l: &Leaf<'_>) -> Vec<usize> {
    let behind = vec![1; l.input().rank() - 2];
    [vec![l.input().c()], behind].concat()
}

/// Channels scaled and shifted, where the layer does so.
fn each_channel(l: &mut Leaf<'_>, mut y: Value) -> Said {
    let dims = of_channels(l);
    for (name, op) in [("weight", "Mul"), ("bias", "Add")] {
        if l.has(name) {
            let param = l.param_as(name, &dims)?;
            y = l.apply(op, &[&y, &param]);
        }
    }
    Ok(y)
}

fn demean_norm(l: &mut Leaf<'_>) -> Said {
    let dims = of_channels(l);
    let (x, mean) = (l.x(), l.param_as("running_mean", &dims)?);
    let centred = l.apply("Sub", &[&x, &mean]);
    each_channel(l, centred)
}

/// Groups as the channels of an instance normalisation: `GroupNormalization` has a weight a group before opset 21.
fn group_norm(l: &mut Leaf<'_>) -> Said {
    let (x, groups): (Value, usize) = (l.x(), l.field("groups"));
    let dims: Vec<i64> = l.input().dims().iter().map(|&d| d as i64).collect();
    let parts = l.reshaped(&x, &[0, groups as i64, -1]);
    let (ones, zeros) = (l.floats("ones", &[groups], &vec![1.0; groups]), l.floats("zeros", &[groups], &vec![0.0; groups]));
    let eps = l.field("eps");
    let normal = l.apply_with("InstanceNormalization", &[&parts, &ones, &zeros], vec![float("epsilon", eps)]);
    let whole = l.reshaped(&normal, &[&[0], &dims[1..]].concat());
    each_channel(l, whole)
}

fn instance_norm(l: &mut Leaf<'_>) -> Said {
    let eps = l.field("eps");
    if l.field("tracked") {
        return by_running_statistics(l, eps);
    }
    let (x, gamma, beta) = (l.x(), l.param("weight")?, l.param("bias")?);
    Ok(l.apply_with("InstanceNormalization", &[&x, &gamma, &beta], vec![float("epsilon", eps)]))
}

/// The first of the last axes that a norm is over: all but the batch unless told.
fn first_axis(l: &Leaf<'_>) -> usize {
    let rank = l.input().rank();
    rank - l.optional("axes").unwrap_or(rank - 1)
}

fn layer_norm(l: &mut Leaf<'_>) -> Said {
    let (x, gamma) = (l.x(), l.param("weight")?);
    let beta = if l.has("bias") { Some(l.param("bias")?) } else { None };
    let inputs: Vec<&Value> = [&x, &gamma].into_iter().chain(&beta).collect();
    let attributes = vec![int("axis", first_axis(l)), float("epsilon", l.field("eps"))];
    Ok(l.apply_with("LayerNormalization", &inputs, attributes))
}

/// `RMSNormalization` itself is of opset 23.
fn rms_norm(l: &mut Leaf<'_>) -> Said {
    let (x, eps) = (l.x(), l.field("eps"));
    let axes: Vec<i64> = (first_axis(l) as i64..l.input().rank() as i64).collect();
    let y = over_the_root_of_its_mean_square(l, &x, &axes, eps);
    if !l.has("weight") {
        return Ok(y);
    }
    let gamma = l.param("weight")?;
    Ok(l.apply("Mul", &[&y, &gamma]))
}

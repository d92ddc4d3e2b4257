//! Layers that are sums of products.

use crate::onnx::graph::{Value, int, ints};
use crate::onnx::leaf::{Leaf, Row, Said};
use crate::onnx::proto::Attribute;
use gpu_core::ops::Padding;
use nn::{Edges, Extents};

pub const LAYERS: &[Row] = &[
    ("conv1d", conv::<1>),
    ("conv2d", conv::<2>),
    ("conv_transpose1d", conv_transpose::<1>),
    ("conv_transpose2d", conv_transpose::<2>),
    ("whitening_conv2d", |l| with_weights(l, "Conv", vec![])),
    ("linear", |l| with_weights(l, "Gemm", vec![int("transB", 1)])),
];

/// An operator of `x`, the weights and a bias, if there is one: those of ONNX lie as PyTorch's do.
fn with_weights(l: &mut Leaf<'_>, op: &str, attributes: Vec<Attribute>) -> Said {
    let (x, w) = (l.x(), l.param("weight")?);
    let b = if l.has("bias") { Some(l.param("bias")?) } else { None };
    let inputs: Vec<&Value> = [&x, &w].into_iter().chain(&b).collect();
    Ok(l.apply_with(op, &inputs, attributes))
}

/// What both directions have.
fn geometry<const D: usize>(l: &Leaf<'_>) -> Vec<Attribute> {
    let [kernel, stride, dilation] = ["kernel", "stride", "dilation"].map(|name| l.field::<Extents<D>>(name).0);
    let Padding { before, after } = match l.field("padding") {
        Edges::Of(padding) => padding,
        Edges::Same => Padding::same(kernel, dilation),
    };
    vec![
        ints("kernel_shape", kernel),
        ints("strides", stride),
        ints("dilations", dilation),
        ints("pads", before.into_iter().chain(after)),
        int("group", l.field("groups")),
    ]
}

fn conv<const D: usize>(l: &mut Leaf<'_>) -> Said {
    let attributes = geometry::<D>(l);
    with_weights(l, "Conv", attributes)
}

fn conv_transpose<const D: usize>(l: &mut Leaf<'_>) -> Said {
    let [added, stride] = ["output_padding", "stride"].map(|name| l.field::<Extents<D>>(name).0);
    if (0..D).any(|axis| added[axis] >= stride[axis]) {
        return widened::<D>(l, added);
    }
    let mut attributes = geometry::<D>(l);
    attributes.push(ints("output_padding", added));
    with_weights(l, "ConvTranspose", attributes)
}

/// As PyTorch allows where taps lie further apart than windows, and runtimes do not: what is added at the end is cut less there, and
/// what lies beyond every tap is zeros. The bias comes last.
fn widened<const D: usize>(l: &mut Leaf<'_>, added: [usize; D]) -> Said {
    let Edges::<D>::Of(padding) = l.field("padding") else { unreachable!("a transposed convolution is padded by numbers") };
    let Padding { before, after } = padding;
    let mut attributes = geometry::<D>(l);
    let cut = (0..D).map(|axis| after[axis].saturating_sub(added[axis]));
    attributes.retain(|attribute| attribute.name != "pads");
    attributes.push(ints("pads", before.into_iter().chain(cut)));
    let (x, w) = (l.x(), l.param("weight")?);
    let y = l.apply_with("ConvTranspose", &[&x, &w], attributes);
    let beyond = (0..D).map(|axis| added[axis].saturating_sub(after[axis]) as i64);
    let ends: Vec<i64> = std::iter::repeat_n(0, 2 + D + 2).chain(beyond).collect();
    let ends = l.integers("beyond", &ends);
    let y = l.apply("Pad", &[&y, &ends]);
    if !l.has("bias") {
        return Ok(y);
    }
    let channels: Vec<usize> = std::iter::once(l.output().c()).chain([1; D]).collect();
    let b = l.param_as("bias", &channels)?;
    Ok(l.apply("Add", &[&y, &b]))
}

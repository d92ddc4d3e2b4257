//! Poolings, over windows and to a wanted size.
//!
//! How far windows reach past the end in `ceil_mode`, and what such a window divides by, changed with ONNX's versions and differs among
//! runtimes. So it is said by padding behind the end, which all count alike.

use crate::onnx::graph::{Value, int, ints};
use crate::onnx::leaf::{Leaf, Matrix, Row, Said};
use crate::onnx::proto::Attribute;
use nn::{Edges, Extents};
use std::ops::Range;

pub const LAYERS: &[Row] = &[
    ("max_pool1d", max_pool::<1>),
    ("max_pool2d", max_pool::<2>),
    ("avg_pool1d", avg_pool::<1>),
    ("avg_pool2d", avg_pool::<2>),
    ("adaptive_avg_pool2d", adaptive_avg_pool),
    ("adaptive_max_pool2d", adaptive_max_pool),
    ("global_avg_pool", |l| Ok(l.of_x("GlobalAveragePool", vec![]))),
    ("global_max_pool", |l| Ok(l.of_x("GlobalMaxPool", vec![]))),
];

/// The windows of a pooling, an entry an axis.
struct Windows<const D: usize> {
    kernel: [usize; D],
    stride: [usize; D],
    dilation: [usize; D],
    padding: [usize; D],
    /// Behind the end: the padding, or more where the last window needs it.
    after: [usize; D],
}

impl<const D: usize> Windows<D> {
    fn of(l: &Leaf<'_>) -> Self {
        let kernel: Extents<D> = l.field("kernel");
        let stride = l.optional("stride").unwrap_or(kernel).0;
        let dilation = l.optional::<Extents<D>>("dilation").unwrap_or_default().0;
        let Edges::Of(padding) = l.field("padding") else { unreachable!("a pooling pads by numbers") };
        let (padding, kernel) = (padding.before, kernel.0);
        let after = std::array::from_fn(|axis| {
            let end = (l.output().dim(2 + axis) - 1) * stride[axis] + dilation[axis] * (kernel[axis] - 1) + 1;
            padding[axis].max(end.saturating_sub(l.input().dim(2 + axis) + padding[axis]))
        });
        Self { kernel, stride, dilation, padding, after }
    }

    fn attributes(&self, pads: [[usize; D]; 2]) -> Vec<Attribute> {
        let [before, after] = pads;
        let pads = ints("pads", before.into_iter().chain(after));
        vec![ints("kernel_shape", self.kernel), ints("strides", self.stride), pads]
    }

    /// Whether runtimes take the padding: less than the kernel, whatever its dilation.
    fn pads_itself(&self) -> bool {
        (0..D).all(|axis| self.padding[axis].max(self.after[axis]) < self.kernel[axis])
    }
}

fn max_pool<const D: usize>(l: &mut Leaf<'_>) -> Said {
    let windows = Windows::<D>::of(l);
    let mut x = l.x();
    let mut pads = [windows.padding, windows.after];
    if !windows.pads_itself() {
        let all = pads.iter().flat_map(|end| [0, 0].into_iter().chain(end.iter().map(|&amount| amount as i64)));
        let (all, least) = (all.collect::<Vec<_>>(), l.scalar("least", f32::NEG_INFINITY));
        let all = l.integers("pads", &all);
        x = l.apply("Pad", &[&x, &all, &least]);
        pads = [[0; D]; 2];
    }
    let mut attributes = windows.attributes(pads);
    attributes.push(ints("dilations", windows.dilation));
    Ok(l.apply_with("MaxPool", &[&x], attributes))
}

fn avg_pool<const D: usize>(l: &mut Leaf<'_>) -> Said {
    let windows = Windows::<D>::of(l);
    let (divisor, with_padding): (Option<usize>, bool) = (l.optional("divisor"), l.field("count_include_pad"));
    let taps = windows.kernel.iter().product::<usize>() as f32;
    let mut attributes = windows.attributes([windows.padding, windows.after]);
    attributes.push(int("count_include_pad", usize::from(with_padding || divisor.is_some())));
    let y = l.of_x("AveragePool", attributes);
    if let Some(divisor) = divisor {
        return Ok(l.scaled(&y, "divided", taps / divisor as f32));
    }
    if !with_padding || windows.after == windows.padding {
        return Ok(y);
    }
    // What a window has past the padding does not count.
    let counted = |axis: usize| -> Vec<usize> {
        let end = l.input().dim(2 + axis) + 2 * windows.padding[axis];
        let begins = (0..l.output().dim(2 + axis)).map(|window| window * windows.stride[axis]);
        begins.map(|begin| windows.kernel[axis].min(end - begin)).collect()
    };
    let counts = (0..D).map(counted).fold(vec![1], |all, axis| all.iter().flat_map(|a| axis.iter().map(move |b| a * b)).collect());
    let (shares, dims): (Vec<f32>, _) = (counts.iter().map(|&count| taps / count as f32).collect(), l.output());
    let shares = l.floats("divided", &dims.dims()[2..], &shares);
    Ok(l.apply("Mul", &[&y, &shares]))
}

/// The windows of an adaptive pooling along an axis; they may overlap.
fn parts(extent: usize, parts: usize) -> Vec<Range<usize>> {
    (0..parts).map(|i| i * extent / parts..((i + 1) * extent).div_ceil(parts)).collect()
}

/// Rows and columns that come in, and that go out.
fn planes(l: &Leaf<'_>) -> [[usize; 2]; 2] {
    [l.input(), l.output()].map(|shape| [shape.h(), shape.w()])
}

/// The pooling by equal windows side by side, where the extents divide.
fn equal_windows(l: &mut Leaf<'_>, op: &str) -> Option<Value> {
    let [input, output] = planes(l);
    let divides = (0..2).all(|axis| input[axis].is_multiple_of(output[axis]));
    let kernel = [input[0] / output[0], input[1] / output[1]];
    divides.then(|| l.of_x(op, vec![ints("kernel_shape", kernel), ints("strides", kernel)]))
}

fn adaptive_avg_pool(l: &mut Leaf<'_>) -> Said {
    if let Some(y) = equal_windows(l, "AveragePool") {
        return Ok(y);
    }
    let [input, output] = planes(l);
    let [rows, columns] = [0, 1].map(|axis| {
        let share = |part: Range<usize>| part.clone().map(|at| (at, 1.0 / part.len() as f32)).collect();
        Matrix::of(input[axis], parts(input[axis], output[axis]).into_iter().map(share))
    });
    let x = l.x();
    Ok(l.between(&x, &rows, &columns))
}

fn adaptive_max_pool(l: &mut Leaf<'_>) -> Said {
    if let Some(y) = equal_windows(l, "MaxPool") {
        return Ok(y);
    }
    let [input, output] = planes(l);
    let mut y = l.x();
    for axis in 0..2 {
        let (number, mut largest) = (l.integers("axis", &[2 + axis as i64]), Vec::new());
        for part in parts(input[axis], output[axis]) {
            let [begin, end] = [part.start, part.end].map(|at| l.integers("at", &[at as i64]));
            let slice = l.apply("Slice", &[&y, &begin, &end, &number]);
            largest.push(l.apply("ReduceMax", &[&slice, &number]));
        }
        let largest: Vec<&Value> = largest.iter().collect();
        y = l.apply_with("Concat", &largest, vec![int("axis", 2 + axis)]);
    }
    Ok(y)
}

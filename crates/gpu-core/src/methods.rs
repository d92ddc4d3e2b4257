//! Operators as methods of `Tensor`, under the names that variables have in the layer above, and its arithmetic.
//!
//! What is asked for by several tensors alike (`concat`, `where_`), makes its tensor from nothing (`uniform`) or gives more than
//! results (`batch_norm`) is a function in [`ops`](crate::ops) alone.

use crate::base::DType;
use crate::base::Shape;
use crate::ops::{
    self, Conv2dGeometry, ConvTranspose2dGeometry, CrossEntropy, Divisor, PadMode, Pool2dGeometry, Slice, Upsample2dGeometry,
};
use crate::tensor::Tensor;

/// One line a method: the operator of that name, with this tensor in the first place.
macro_rules! methods {
    ($($name:ident($($arg:ident: $of:ty),*) -> $out:ty;)*) => {
        /// Operators as methods: `x.conv2d(&w, None, g).relu()`.
        ///
        /// ```
        /// # use gpu_core::{Device, Tensor};
        /// let x = Tensor::from_slice(&Device::Cpu, [2, 2], &[1.0f32, -2.0, 3.0, -4.0]);
        /// assert_eq!(x.relu().sum_axes(&[0], false).to_vec()?, [4.0, 0.0]);
        /// assert_eq!((1.0 - 2.0 * (&x * &x)).to_vec()?, [-1.0, -7.0, -17.0, -31.0]);
        /// # Ok::<(), gpu_core::Error>(())
        /// ```
        impl Tensor {
            $(
                #[doc = concat!("See [`ops::", stringify!($name), "`].")]
                #[track_caller]
                pub fn $name(&self, $($arg: $of),*) -> $out {
                    ops::$name(self, $($arg),*)
                }
            )*
        }
    };
}

methods! {
    // Element by element.
    abs() -> Self;
    ceil() -> Self;
    clamp(min: f32, max: f32) -> Self;
    cos() -> Self;
    erf() -> Self;
    exp() -> Self;
    expm1() -> Self;
    floor() -> Self;
    isfinite() -> Self;
    isinf() -> Self;
    isnan() -> Self;
    log() -> Self;
    log1p() -> Self;
    logical_not() -> Self;
    neg() -> Self;
    reciprocal() -> Self;
    round() -> Self;
    rsqrt() -> Self;
    sign() -> Self;
    sin() -> Self;
    sqrt() -> Self;
    square() -> Self;
    tan() -> Self;
    add_scalar(number: f32) -> Self;
    pow_scalar(exponent: f32) -> Self;
    scale(factor: f32) -> Self;
    cast(dtype: DType) -> Self;
    // In pairs, broadcasting.
    add(b: &Self) -> Self;
    sub(b: &Self) -> Self;
    mul(b: &Self) -> Self;
    div(b: &Self) -> Self;
    pow(b: &Self) -> Self;
    maximum(b: &Self) -> Self;
    minimum(b: &Self) -> Self;
    eq(b: &Self) -> Self;
    ne(b: &Self) -> Self;
    lt(b: &Self) -> Self;
    le(b: &Self) -> Self;
    gt(b: &Self) -> Self;
    ge(b: &Self) -> Self;
    logical_and(b: &Self) -> Self;
    logical_or(b: &Self) -> Self;
    logical_xor(b: &Self) -> Self;
    // Activations: those of one element are in their table.
    softmax(axis: usize) -> Self;
    log_softmax(axis: usize) -> Self;
    // Products, convolutions, pooling, sizes.
    matmul(b: &Self) -> Self;
    add_bias(b: &Self) -> Self;
    conv2d(w: &Self, b: Option<&Self>, g: Conv2dGeometry) -> Self;
    conv_transpose2d(w: &Self, b: Option<&Self>, g: ConvTranspose2dGeometry) -> Self;
    max_pool2d(g: Pool2dGeometry) -> (Self, Self);
    avg_pool2d(g: Pool2dGeometry, divisor: Divisor) -> Self;
    adaptive_avg_pool2d(output: [usize; 2]) -> Self;
    adaptive_max_pool2d(output: [usize; 2]) -> (Self, Self);
    global_avg_pool() -> Self;
    upsample2d(g: Upsample2dGeometry) -> Self;
    pixel_shuffle(r: usize) -> Self;
    pixel_unshuffle(r: usize) -> Self;
    // Reductions.
    sum() -> Self;
    mean() -> Self;
    all() -> Self;
    any() -> Self;
    sum_axes(axes: &[usize], keepdim: bool) -> Self;
    mean_axes(axes: &[usize], keepdim: bool) -> Self;
    var(axes: &[usize], correction: usize, keepdim: bool) -> Self;
    std(axes: &[usize], correction: usize, keepdim: bool) -> Self;
    amax(axes: &[usize], keepdim: bool) -> Self;
    amin(axes: &[usize], keepdim: bool) -> Self;
    logsumexp(axes: &[usize], keepdim: bool) -> Self;
    cumsum(axis: usize) -> Self;
    argmax() -> Self;
    argmax_axis(axis: usize, keepdim: bool) -> Self;
    argmin_axis(axis: usize, keepdim: bool) -> Self;
    // Shapes.
    permute(axes: &[usize]) -> Self;
    transpose(a: usize, b: usize) -> Self;
    expand(shape: impl Into<Shape>) -> Self;
    repeat(times: &[usize]) -> Self;
    slice(slices: &[Slice]) -> Self;
    narrow(axis: usize, start: usize, len: usize) -> Self;
    select(axis: usize, index: usize) -> Self;
    flip(axes: &[usize]) -> Self;
    roll(shifts: &[isize], axes: &[usize]) -> Self;
    pad(amounts: &[isize], mode: PadMode) -> Self;
    // Indices.
    gather(axis: usize, index: &Self) -> Self;
    index_select(axis: usize, index: &Self) -> Self;
    scatter_add(axis: usize, index: &Self, src: &Self) -> Self;
    index_add(axis: usize, index: &Self, src: &Self) -> Self;
    one_hot(classes: usize) -> Self;
    sort(axis: usize, descending: bool) -> (Self, Self);
    argsort(axis: usize, descending: bool) -> Self;
    topk(k: usize, axis: usize, largest: bool) -> (Self, Self);
    // Losses.
    nll_loss(labels: &Self, options: impl Into<CrossEntropy>) -> Self;
}

crate::arithmetic!(Tensor);

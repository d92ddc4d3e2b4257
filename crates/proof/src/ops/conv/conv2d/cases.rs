//! What is held against the mirror: every form of every kernel over plain, padded, strided, dilated, grouped and degenerate
//! geometries.

use crate::{Bound, Case, half_tensor, tensor};
use gpu_core::ops::internals::{self, Conv2dForm, HalfForm, ProductForm};
use gpu_core::ops::{
    Conv2dGeometry, ConvTranspose2dGeometry, Padding, conv_transpose2d, conv_transpose2d_bwd_w, conv_transpose2d_bwd_x,
};
use gpu_core::{Device, Shape, Tensor};

/// A convolution of the table: x (n, c, h, w), k output channels, taps, and its geometry.
pub(super) type Row = ([usize; 4], usize, [usize; 2], Conv2dGeometry);

const fn geometry(stride: [usize; 2], padding: [usize; 2], dilation: [usize; 2], groups: usize) -> Conv2dGeometry {
    Conv2dGeometry { stride, padding: Padding::both(padding), dilation, groups }
}

/// With `after` at the bottom and the right.
const fn ending(after: [usize; 2], g: Conv2dGeometry) -> Conv2dGeometry {
    let Conv2dGeometry { stride, padding: Padding { before, .. }, dilation, groups } = g;
    Conv2dGeometry { stride, padding: Padding { before, after }, dilation, groups }
}

/// Plain, one pixel, odd, strided, grouped, dilated, narrow, wide, deep; then: padded on some sides only, a kernel larger than the
/// input, a stride that passes over pixels, a kernel as large as the plane, and no images at all; at the end what `Tiled4` fits:
/// rows of three taps, planes cut anew, a column of taps, and a long sum over few pixels; and batches of small planes, which mirrors turn.
pub(super) const ROWS: &[Row] = &[
    ([2, 3, 8, 8], 8, [3, 3], geometry([1; 2], [1; 2], [1; 2], 1)),
    ([1, 1, 1, 1], 1, [1, 1], geometry([1; 2], [0; 2], [1; 2], 1)),
    ([2, 5, 7, 11], 13, [3, 3], geometry([1; 2], [1; 2], [1; 2], 1)),
    ([3, 4, 9, 17], 10, [3, 3], geometry([3, 1], [0, 2], [1; 2], 1)),
    ([2, 6, 13, 11], 9, [3, 3], geometry([3, 2], [1; 2], [1; 2], 3)),
    ([1, 7, 12, 10], 5, [5, 3], geometry([1; 2], [4, 2], [2, 1], 1)),
    ([2, 4, 9, 9], 6, [2, 4], geometry([2, 3], [1, 0], [1, 2], 2)),
    ([2, 17, 6, 5], 70, [1, 1], geometry([2; 2], [0; 2], [1; 2], 1)),
    ([1, 40, 5, 6], 33, [3, 3], geometry([1; 2], [1; 2], [1; 2], 1)),
    ([2, 3, 20, 31], 4, [7, 7], geometry([2; 2], [3; 2], [1; 2], 1)),
    ([2, 3, 6, 7], 5, [3, 3], ending([0, 3], geometry([1; 2], [2, 1], [1; 2], 1))),
    ([2, 4, 5, 8], 6, [2, 3], ending([2, 0], geometry([2, 1], [0, 2], [1, 1], 2))),
    ([2, 3, 2, 2], 4, [5, 3], geometry([1; 2], [2, 1], [1; 2], 1)),
    ([1, 4, 11, 12], 6, [2, 3], geometry([4, 5], [0; 2], [1; 2], 1)),
    ([3, 5, 6, 4], 7, [6, 4], geometry([1; 2], [0; 2], [1; 2], 1)),
    ([0, 3, 6, 6], 4, [3, 3], geometry([1; 2], [1; 2], [1; 2], 1)),
    ([3, 8, 5, 12], 70, [3, 3], geometry([2, 1], [0, 1], [1; 2], 2)),
    ([2, 12, 6, 10], 36, [1, 1], geometry([1; 2], [0; 2], [1; 2], 1)),
    ([2, 8, 9, 4], 12, [3, 1], geometry([1; 2], [2, 0], [2, 1], 2)),
    ([1, 64, 8, 8], 40, [3, 3], geometry([1; 2], [1; 2], [1; 2], 1)),
    ([70, 40, 3, 2], 33, [3, 3], ending([2, 1], geometry([2, 1], [1; 2], [1; 2], 1))),
    ([9, 64, 4, 3], 72, [2, 3], geometry([1; 2], [2, 0], [3, 1], 2)),
    ([9, 96, 2, 2], 100, [1, 1], geometry([1; 2], [0; 2], [1; 2], 1)),
];

/// Depthwise rows, with one and with two outputs a channel; then what goes by fours: rows of three taps, three to one;
/// and batches of small planes, which mirrors turn.
pub(super) const DEPTHWISE_ROWS: &[Row] = &[
    ([2, 5, 9, 10], 5, [3, 3], geometry([1; 2], [1; 2], [1; 2], 5)),
    ([2, 3, 11, 7], 6, [3, 5], geometry([2, 1], [1, 4], [1, 2], 3)),
    ([3, 2, 37, 61], 2, [3, 3], geometry([1; 2], [1; 2], [1; 2], 2)),
    ([2, 4, 6, 5], 4, [4, 2], ending([2, 0], geometry([1, 3], [1, 1], [1; 2], 4))),
    ([3, 2, 7, 12], 4, [3, 3], geometry([1; 2], [1; 2], [1; 2], 2)),
    ([5, 3, 32, 32], 3, [3, 3], geometry([1; 2], [1; 2], [1; 2], 3)),
    ([2, 3, 9, 4], 3, [2, 3], geometry([2, 1], [2, 1], [2, 1], 3)),
    ([3, 4, 1, 20], 8, [1, 3], geometry([1; 2], [0, 1], [1; 2], 4)),
    ([70, 2, 3, 4], 4, [3, 3], geometry([1; 2], [1; 2], [1; 2], 2)),
    ([9, 3, 5, 4], 3, [2, 3], geometry([2, 3], [1; 2], [1; 2], 3)),
    ([0, 2, 5, 5], 2, [3, 3], geometry([1; 2], [1; 2], [1; 2], 2)),
];

/// A transposed convolution of the table: x (n, c, h, w), k output channels, taps, and its geometry.
pub(super) type TransposedRow = ([usize; 4], usize, [usize; 2], ConvTranspose2dGeometry);

const fn transposed(
    stride: [usize; 2],
    padding: Padding<2>,
    output_padding: [usize; 2],
    dilation: [usize; 2],
    groups: usize,
) -> ConvTranspose2dGeometry {
    ConvTranspose2dGeometry { stride, padding, output_padding, dilation, groups }
}

/// Doubling, with groups and rows added at the end, plain, dilated, cut on some sides only, depthwise, and no images at all.
pub(super) const TRANSPOSED_ROWS: &[TransposedRow] = &[
    ([2, 5, 6, 7], 4, [4, 4], transposed([2; 2], Padding::both([1; 2]), [0; 2], [1; 2], 1)),
    ([1, 6, 5, 3], 9, [3, 3], transposed([3, 2], Padding::both([0, 1]), [2, 1], [1; 2], 3)),
    ([2, 3, 4, 5], 8, [3, 3], transposed([1; 2], Padding::both([1; 2]), [0; 2], [1; 2], 1)),
    ([2, 4, 5, 4], 6, [3, 2], transposed([2, 1], Padding::both([2, 1]), [1, 2], [2, 3], 2)),
    ([2, 3, 4, 6], 5, [3, 3], transposed([2, 1], Padding { before: [0, 2], after: [2, 1] }, [0; 2], [1; 2], 1)),
    ([2, 4, 5, 6], 4, [3, 3], transposed([2; 2], Padding::both([1; 2]), [1; 2], [1; 2], 4)),
    ([0, 3, 4, 4], 2, [3, 3], transposed([2; 2], Padding::both([1; 2]), [1; 2], [1; 2], 1)),
];

/// The shapes of a row.
#[derive(Clone, Copy)]
pub(super) struct Shapes {
    pub x: Shape,
    pub w: Shape,
    pub y: Shape,
}

pub(super) fn shapes(&(x, k, [r, s], g): &Row) -> Shapes {
    let (x, w) = (Shape::from(x), Shape::from([k, x[1] / g.groups, r, s]));
    Shapes { x, w, y: g.out_shape(x, w).expect("the table's rows fit") }
}

impl Shapes {
    /// The terms of the sums in an element of y, of dx and of dw.
    fn terms(self, g: Conv2dGeometry) -> [usize; 3] {
        let Self { w, y, .. } = self;
        [w.inner(1), w.dim(0) / g.groups * w.inner(2), y.n() * y.inner(2)]
    }
}

/// The implicit products that can compute a row.
pub(super) fn products(row: &Row) -> impl Iterator<Item = ProductForm> {
    let (Shapes { x, w, .. }, g) = (shapes(row), row.3);
    ProductForm::ALL.into_iter().filter(move |&form| internals::conv2d_fits(Conv2dForm::Product(form), x, w, g))
}

/// One case of the table: an operator of two tensors.
fn case(
    name: &'static str,
    what: String,
    terms: usize,
    [a, b]: [Shape; 2],
    run: impl Fn(&Tensor, &Tensor) -> Tensor + Send + Sync + 'static,
) -> Case {
    // A bias adds one more term.
    Case::new(name, what, Bound::Sum { terms: terms + 1 }, move |device: &Device| {
        vec![run(&tensor(device, a, 1), &tensor(device, b, 2))]
    })
}

fn gather_cases(row: &Row, cases: &mut Vec<Case>) {
    let (s, g) = (shapes(row), row.3);
    let Shapes { x, w, y } = s;
    let [y_terms, x_terms, _] = s.terms(g);
    // A workgroup for each element is for few of them.
    let wide = (x.len().max(y.len()) < 10_000).then_some(Conv2dForm::Wide);
    for form in products(row).map(Conv2dForm::Product).chain(wide) {
        let what = format!("{form:?} {row:?}");
        cases.push(case("conv2d", what.clone(), y_terms, [x, w], move |x, w| {
            let bias = tensor(x.device(), [w.shape().dim(0)], 3);
            internals::conv2d(form, x, w, Some(&bias), g)
        }));
        cases.push(case("conv2d_bwd_x", what, x_terms, [y, w], move |dy, w| internals::conv2d_bwd_x(form, dy, w, None, x, g)));
    }
}

fn half_cases(row: &Row, cases: &mut Vec<Case>) {
    let (s, g) = (shapes(row), row.3);
    let Shapes { x, w, y } = s;
    let [y_terms, x_terms, w_terms] = s.terms(g);
    for form in HalfForm::ALL.map(Conv2dForm::Half) {
        let what = format!("{form:?} {row:?}");
        // A bias adds one more term.
        cases.push(Case::new("conv2d f16", what.clone(), Bound::Sum { terms: y_terms + 1 }, move |device| {
            let bias = tensor(device, [w.dim(0)], 3);
            vec![internals::conv2d(form, &half_tensor(device, x, 1), &half_tensor(device, w, 2), Some(&bias), g)]
        }));
        cases.push(Case::new("conv2d_bwd_x f16", what.clone(), Bound::Sum { terms: x_terms }, move |device| {
            vec![internals::conv2d_bwd_x(form, &half_tensor(device, y, 1), &half_tensor(device, w, 2), None, x, g)]
        }));
        cases.push(Case::new("conv2d_bwd_w f16", what, Bound::Sum { terms: w_terms }, move |device| {
            vec![internals::conv2d_bwd_w(form, &half_tensor(device, x, 1), &half_tensor(device, y, 2), w, g)]
        }));
    }
}

fn weight_cases(row: &Row, cases: &mut Vec<Case>) {
    let (s, g) = (shapes(row), row.3);
    let wide = (s.w.len() < 10_000).then_some(Conv2dForm::Wide);
    for form in products(row).map(Conv2dForm::Product).chain(wide) {
        let what = format!("{form:?} {row:?}");
        cases
            .push(case("conv2d_bwd_w", what, s.terms(g)[2], [s.x, s.y], move |x, dy| internals::conv2d_bwd_w(form, x, dy, s.w, g)));
    }
}

fn im2col_cases(row: &Row, cases: &mut Vec<Case>) {
    let (s, g, form) = (shapes(row), row.3, Conv2dForm::Im2col);
    let Shapes { x, w, y } = s;
    let what = format!("{row:?}");
    cases.push(Case::new("im2col", what.clone(), Bound::Exact, move |device| vec![internals::im2col(&tensor(device, x, 1), w, g)]));
    if internals::conv2d_fits(form, x, w, g) {
        let [y_terms, x_terms, w_terms] = s.terms(g);
        cases.push(case("conv2d im2col", what.clone(), y_terms, [x, w], move |x, w| internals::conv2d(form, x, w, None, g)));
        cases.push(case("conv2d_bwd_x im2col", what.clone(), x_terms, [y, w], move |dy, w| {
            internals::conv2d_bwd_x(form, dy, w, None, x, g)
        }));
        let what_biased = format!("{what}, bias");
        cases.push(case("conv2d_bwd_x im2col", what_biased, x_terms, [y, w], move |dy, w| {
            internals::conv2d_bwd_x(form, dy, w, Some(&tensor(dy.device(), [x.c()], 3)), x, g)
        }));
        cases.push(case("conv2d_bwd_w im2col", what, w_terms, [x, y], move |x, dy| internals::conv2d_bwd_w(form, x, dy, w, g)));
    }
}

fn depthwise_cases(row: &Row, cases: &mut Vec<Case>) {
    let (s, g, form) = (shapes(row), row.3, Conv2dForm::Depthwise);
    let Shapes { x, w, y } = s;
    let [y_terms, x_terms, w_terms] = s.terms(g);
    let what = format!("{row:?}");
    cases.push(case("depthwise", what.clone(), y_terms, [x, w], move |x, w| {
        internals::conv2d(form, x, w, Some(&tensor(x.device(), [w.shape().dim(0)], 3)), g)
    }));
    cases.push(case("depthwise_bwd_x", what.clone(), x_terms, [y, w], move |dy, w| {
        internals::conv2d_bwd_x(form, dy, w, Some(&tensor(w.device(), [x.c()], 3)), x, g)
    }));
    cases.push(case("depthwise_bwd_w", what, w_terms, [x, y], move |x, dy| internals::conv2d_bwd_w(form, x, dy, w, g)));
}

fn transposed_cases(cases: &mut Vec<Case>) {
    for &(x, k, [r, s], g) in TRANSPOSED_ROWS {
        let (x, w) = (Shape::from(x), Shape::from([x[1], k / g.groups, r, s]));
        let y = g.out_shape(x, w).expect("the table's rows fit");
        let (taps, c) = (r * s, x.c() / g.groups);
        let terms = [c * taps + 1, k / g.groups * taps, x.n() * x.inner(2)].into_iter().fold(0, usize::max);
        let bound = Bound::Sum { terms };
        let what = format!("x {x} w {w} {g:?}");
        cases.push(Case::new("conv_transpose2d", what, bound, move |device| {
            let (x, w, dy) = (tensor(device, x, 1), tensor(device, w, 2), tensor(device, y, 3));
            vec![
                conv_transpose2d(&x, &w, Some(&tensor(device, [k], 4)), g),
                conv_transpose2d_bwd_x(&dy, &w, x.shape(), g),
                conv_transpose2d_bwd_w(&x, &dy, w.shape(), g),
            ]
        }));
    }
}

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for row in ROWS {
        gather_cases(row, &mut cases);
        half_cases(row, &mut cases);
        weight_cases(row, &mut cases);
        im2col_cases(row, &mut cases);
    }
    DEPTHWISE_ROWS.iter().for_each(|row| depthwise_cases(row, &mut cases));
    transposed_cases(&mut cases);
    cases
}

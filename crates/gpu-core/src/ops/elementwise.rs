//! Sums, differences, products and quotients of two tensors, with NumPy's broadcasting; scaling and copying.
//!
//! `y[i..] = a[i..] op b[i..]`, where an extent of 1 (or one that is missing in front) repeats.

use crate::check::{self, Bench, Bound, Case};
use crate::kernel::{Args, Grid, Kernel, kernel};
use crate::mirror::{self, Real};
use crate::shape::{MAX_RANK, Shape};
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};

const WGSL: &str = include_str!("../../../../shaders/elementwise.wgsl");
static BINARY: Kernel = kernel!(WGSL, "binary", binary_cpu);
static BINARY_BROADCAST: Kernel = kernel!(WGSL, "binary_broadcast", binary_broadcast_cpu);
static BINARY_BROADCAST4: Kernel = kernel!(WGSL, "binary_broadcast4", binary_broadcast_cpu);
static ADD_SCALED: Kernel = kernel!(WGSL, "add_scaled", add_scaled_cpu);
static SCALE: Kernel = kernel!(WGSL, "scale", scale_cpu);
static COPY: Kernel = kernel!(WGSL, "copy", copy_cpu);
pub(super) const KERNELS: &[&Kernel] = &[&BINARY, &BINARY_BROADCAST, &BINARY_BROADCAST4, &ADD_SCALED, &SCALE, &COPY];

const ADD: u32 = 0;
const SUB: u32 = 1;
const MUL: u32 = 2;
const DIV: u32 = 3;

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    len: u32,
    op: u32,
    scale: f32,
    rank: u32,
    // The last axis first.
    dims: [u32; MAX_RANK],
    a_steps: [u32; MAX_RANK],
    b_steps: [u32; MAX_RANK],
}

impl Params {
    fn flat(len: usize, op: u32, scale: f32) -> Self {
        Self { len: len as u32, op, scale, ..Self::zeroed() }
    }

    /// The walk through two tensors read as one of shape `y`: axes along which both go on evenly are one.
    fn broadcast(op: u32, a: Shape, b: Shape, y: Shape) -> Self {
        let (a_strides, b_strides) = (a.broadcast_strides(y), b.broadcast_strides(y));
        let mut p = Self::flat(y.len(), op, 0.0);
        for axis in (0..y.rank()).rev().filter(|&axis| y.dim(axis) != 1) {
            let (d, a, b) = (y.dim(axis) as u32, a_strides[axis] as u32, b_strides[axis] as u32);
            match (p.rank as usize).checked_sub(1) {
                Some(last) if (a, b) == (p.dims[last] * p.a_steps[last], p.dims[last] * p.b_steps[last]) => p.dims[last] *= d,
                _ => {
                    let at = p.rank as usize;
                    (p.dims[at], p.a_steps[at], p.b_steps[at]) = (d, a, b);
                    p.rank += 1;
                }
            }
        }
        if p.rank == 0 {
            (p.rank, p.dims[0]) = (1, 1);
        }
        p
    }
}

/// Runs `$go` with `$f` bound to the operation, so that each has loops of its own that vectorise.
macro_rules! with_operation {
    ($op:expr, $f:ident => $go:expr) => {
        match $op {
            ADD => {
                let $f = |a: T, b: T| a + b;
                $go
            }
            SUB => {
                let $f = |a: T, b: T| a - b;
                $go
            }
            MUL => {
                let $f = |a: T, b: T| a * b;
                $go
            }
            _ => {
                let $f = |a: T, b: T| a / b;
                $go
            }
        }
    };
}

fn binary_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (a, b, y): (&[T], &[T], &mut [T]) = (args.input(0), args.input(1), args.output(0));
    with_operation!(p.op, f => mirror::zip_map(a, b, y, f));
}

fn binary_broadcast_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (a, b, y): (&[T], &[T], &mut [T]) = (args.input(0), args.input(1), args.output(0));
    with_operation!(p.op, f => broadcast_rows(&p, a, b, y, f));
}

fn broadcast_rows<T: Real>(p: &Params, a: &[T], b: &[T], y: &mut [T], f: impl Fn(T, T) -> T + Sync) {
    let row = p.dims[0] as usize;
    mirror::for_each_plane(y, row, |number, y| {
        let (mut rest, mut from_a, mut from_b) = (number as u32, 0, 0);
        for axis in 1..p.rank as usize {
            let digit = rest % p.dims[axis];
            rest /= p.dims[axis];
            from_a += (digit * p.a_steps[axis]) as usize;
            from_b += (digit * p.b_steps[axis]) as usize;
        }
        match (p.a_steps[0], p.b_steps[0]) {
            (0, 0) => y.fill(f(a[from_a], b[from_b])),
            (0, _) => y.iter_mut().zip(&b[from_b..]).for_each(|(y, &b)| *y = f(a[from_a], b)),
            (_, 0) => y.iter_mut().zip(&a[from_a..]).for_each(|(y, &a)| *y = f(a, b[from_b])),
            _ => y.iter_mut().zip(&a[from_a..]).zip(&b[from_b..]).for_each(|((y, &a), &b)| *y = f(a, b)),
        }
    });
}

fn add_scaled_cpu<T: Real>(args: &mut Args<'_>) {
    let scale = T::of(args.params::<Params>().scale);
    mirror::zip_map(args.input(0), args.input(1), args.output(0), |a: T, b| a + scale * b);
}

fn scale_cpu<T: Real>(args: &mut Args<'_>) {
    let scale = T::of(args.params::<Params>().scale);
    mirror::map(args.input(0), args.output(0), |a: T| scale * a);
}

fn copy_cpu<T: Real>(args: &mut Args<'_>) {
    mirror::map(args.input(0), args.output(0), |a: T| a);
}

fn grid4(len: usize) -> Grid {
    Grid::linear(len.div_ceil(4), 256)
}

#[track_caller]
fn binary(name: &str, op: u32, a: &Tensor, b: &Tensor) -> Tensor {
    a.expect_f32(name);
    b.expect_f32(name);
    let Some(shape) = a.shape().broadcast(b.shape()) else {
        panic!("{name}: shapes {} and {} do not broadcast", a.shape(), b.shape());
    };
    let y = Tensor::empty(a.device(), shape);
    let p = Params::broadcast(op, a.shape(), b.shape(), shape);
    match (p.rank, p.a_steps[0], p.b_steps[0]) {
        (1, 1, 1) => BINARY.launch(p, &[a, b], &[&y], grid4(y.len())),
        _ if p.dims[0].is_multiple_of(4) => BINARY_BROADCAST4.launch(p, &[a, b], &[&y], grid4(y.len())),
        _ => BINARY_BROADCAST.launch(p, &[a, b], &[&y], Grid::linear(y.len(), 256)),
    }
    y
}

/// `a + b` with broadcasting. Equivalent of `torch.add`.
///
/// # Panics
/// If the shapes do not broadcast, or a tensor does not hold f32; likewise for [`sub`], [`mul`] and [`div`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let a = Tensor::from_slice(&Device::Cpu, [2, 2], &[1.0f32, 2.0, 3.0, 4.0]);
/// let b = Tensor::from_slice(&Device::Cpu, [2], &[10.0f32, 20.0]);
/// assert_eq!(ops::add(&a, &b).to_vec()?, [11.0, 22.0, 13.0, 24.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn add(a: &Tensor, b: &Tensor) -> Tensor {
    binary("add", ADD, a, b)
}

/// `a - b` with broadcasting. Equivalent of `torch.sub`.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let a = Tensor::from_slice(&Device::Cpu, [3], &[1.0f32, 2.0, 3.0]);
/// assert_eq!(ops::sub(&a, &Tensor::scalar(&Device::Cpu, 1.0)).to_vec()?, [0.0, 1.0, 2.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn sub(a: &Tensor, b: &Tensor) -> Tensor {
    binary("sub", SUB, a, b)
}

/// `a * b`, element by element, with broadcasting. Equivalent of `torch.mul`.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let a = Tensor::from_slice(&Device::Cpu, [2, 1], &[2.0f32, 3.0]);
/// let b = Tensor::from_slice(&Device::Cpu, [2], &[5.0f32, 7.0]);
/// assert_eq!(ops::mul(&a, &b).to_vec()?, [10.0, 14.0, 15.0, 21.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn mul(a: &Tensor, b: &Tensor) -> Tensor {
    binary("mul", MUL, a, b)
}

/// `a / b`, element by element, with broadcasting. Equivalent of `torch.div`.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let a = Tensor::from_slice(&Device::Cpu, [2], &[2.0f32, 3.0]);
/// assert_eq!(ops::div(&a, &Tensor::scalar(&Device::Cpu, 4.0)).to_vec()?, [0.5, 0.75]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn div(a: &Tensor, b: &Tensor) -> Tensor {
    binary("div", DIV, a, b)
}

/// `factor * x`. Equivalent of `torch.mul(x, factor)`.
///
/// # Panics
/// If `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2], &[2.0f32, 3.0]);
/// assert_eq!(ops::scale(&x, -0.5).to_vec()?, [-1.0, -1.5]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn scale(x: &Tensor, factor: f32) -> Tensor {
    x.expect_f32("scale");
    let y = Tensor::empty(x.device(), x.shape());
    SCALE.launch(Params::flat(x.len(), 0, factor), &[x], &[&y], grid4(x.len()));
    y
}

/// `a + factor * b` for equal shapes. Equivalent of `torch.add(a, b, alpha=factor)`.
///
/// # Panics
/// If the shapes differ, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let a = Tensor::from_slice(&Device::Cpu, [2], &[2.0f32, 3.0]);
/// assert_eq!(ops::add_scaled(&a, &a, 10.0).to_vec()?, [22.0, 33.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn add_scaled(a: &Tensor, b: &Tensor, factor: f32) -> Tensor {
    a.expect_f32("add_scaled");
    b.expect_f32("add_scaled");
    assert!(a.shape() == b.shape(), "add_scaled: shapes {} and {} differ", a.shape(), b.shape());
    let y = Tensor::empty(a.device(), a.shape());
    ADD_SCALED.launch(Params::flat(a.len(), 0, factor), &[a, b], &[&y], grid4(a.len()));
    y
}

/// Overwrites `dst` with the elements of `src`, which may have another shape of the same length. Equivalent of `dst.copy_(src)`;
/// a kernel, so it may stand inside a capture, unlike [`Tensor::write`].
///
/// # Panics
/// If the lengths differ, a tensor does not hold f32, or both lie in one buffer.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let arena = Tensor::zeros(&Device::Cpu, [128]);
/// let src = Tensor::from_slice(&Device::Cpu, [2], &[2.0f32, 3.0]);
/// ops::copy_into(&src, &arena.view(64, [2]));
/// assert_eq!(arena.to_vec()?[63..67], [0.0, 2.0, 3.0, 0.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn copy_into(src: &Tensor, dst: &Tensor) {
    src.expect_f32("copy_into");
    dst.expect_f32("copy_into");
    assert!(src.len() == dst.len(), "copy_into: {} has {} elements, {} has {}", src.shape(), src.len(), dst.shape(), dst.len());
    COPY.launch(Params::flat(src.len(), 0, 0.0), &[src], &[dst], grid4(src.len()));
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let pairs: &[(&[usize], &[usize])] = &[
        (&[], &[]),
        (&[1], &[1]),
        (&[257], &[257]),
        (&[13, 7], &[13, 7]),
        (&[4, 1], &[1, 6]),
        (&[2, 3, 4, 5], &[1, 3, 1, 1]),
        (&[5], &[2, 3, 5]),
        (&[3, 1, 5, 1, 2, 1], &[4, 1, 3, 1, 7]),
        (&[31, 1031], &[]),
        (&[3, 1, 8], &[5, 1]),
        (&[2, 5, 6, 6], &[5, 1, 1]),
    ];
    for &(a, b) in pairs {
        let (a, b) = (Shape::new(a), Shape::new(b));
        for (name, op, bound) in [
            ("add", ADD, Bound::Exact),
            ("sub", SUB, Bound::Exact),
            ("mul", MUL, Bound::Exact),
            ("div", DIV, Bound::Relative(4e-7)),
        ] {
            cases.push(Case::new(name, format!("{a} with {b}"), bound, move |device| {
                vec![binary(name, op, &check::tensor(device, a, 1), &check::tensor(device, b, 2))]
            }));
        }
    }
    for len in [1, 6, 1031] {
        cases.push(Case::new("add_scaled", format!("{len} elements"), Bound::Relative(2e-7), move |device| {
            vec![add_scaled(&check::tensor(device, [len], 1), &check::tensor(device, [len], 2), 0.7)]
        }));
        cases.push(Case::new("scale", format!("{len} elements"), Bound::Exact, move |device| {
            vec![scale(&check::tensor(device, [len], 1), -3.7)]
        }));
        cases.push(Case::new("copy_into", format!("{len} elements"), Bound::Exact, move |device| {
            let dst = Tensor::empty(device, [len]);
            copy_into(&check::tensor(device, [1, len], 1), &dst);
            vec![dst]
        }));
    }
    // One more than 65,535 workgroups: the grid folds.
    cases.push(Case::new("add", "16776961 elements, repeated".to_owned(), Bound::Exact, |device| {
        let (a, b) = (check::tensor(device, [65_536, 1], 1), check::tensor(device, [256], 2));
        vec![add(&a, &b)]
    }));
    cases
}

pub(super) fn benches() -> Vec<Bench> {
    vec![Bench::new("add", "16777216 elements", 1 << 24, |device| {
        let x = check::tensor(device, [1 << 24], 1);
        move || vec![add(&x, &x)]
    })]
}

#[cfg(test)]
pub(super) fn misuses() -> Vec<check::Misuse> {
    use check::misuse;
    vec![misuse!("add", ["[2]", "[3]"], |device| add(&Tensor::zeros(device, [2]), &Tensor::zeros(device, [3])))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Device;

    /// The plainest broadcast: every index is taken apart by all six extents.
    fn naive(a: &Tensor, b: &Tensor, f: impl Fn(f64, f64) -> f64) -> Vec<f32> {
        let y = a.shape().broadcast(b.shape()).unwrap();
        let (a_strides, b_strides, y_strides) = (a.shape().broadcast_strides(y), b.shape().broadcast_strides(y), y.strides());
        let (a, b) = (a.to_vec().unwrap(), b.to_vec().unwrap());
        let at = |i: usize, strides: &[usize]| (0..y.rank()).map(|k| i / y_strides[k] % y.dim(k) * strides[k]).sum::<usize>();
        (0..y.len()).map(|i| f(a[at(i, &a_strides)].into(), b[at(i, &b_strides)].into()) as f32).collect()
    }

    #[test]
    fn the_mirrors_broadcast_like_a_plain_loop() {
        let pairs: &[(&[usize], &[usize])] = &[
            (&[], &[]),
            (&[3, 4], &[3, 4]),
            (&[4, 1], &[1, 6]),
            (&[2, 3, 4, 5], &[3, 1, 1]),
            (&[3, 1, 5, 1, 2, 1], &[4, 1, 3, 1, 7]),
        ];
        for &(a, b) in pairs {
            let (a, b) = (check::tensor(&Device::Cpu, a, 1), check::tensor(&Device::Cpu, b, 2));
            assert_eq!(add(&a, &b).to_vec().unwrap(), naive(&a, &b, |a, b| a + b));
            assert_eq!(sub(&a, &b).to_vec().unwrap(), naive(&a, &b, |a, b| a - b));
            assert_eq!(mul(&b, &a).to_vec().unwrap(), naive(&b, &a, |a, b| a * b));
            assert_eq!(div(&a, &b).to_vec().unwrap(), naive(&a, &b, |a, b| a / b));
        }
    }

    #[test]
    fn kernels_equal_their_mirrors() {
        check::hold(&cases());
    }

    #[test]
    fn copy_into_leaves_the_neighbours_of_a_slot_alone() {
        for device in check::devices() {
            let arena = Tensor::full(&device, [192], 5.0);
            copy_into(&check::tensor(&device, [61], 3), &arena.view(64, [61]));
            let got = arena.to_vec().unwrap();
            assert_eq!(got[64..125], check::values(61, 3));
            assert!(got[..64].iter().chain(&got[128..]).all(|&v| v == 5.0));
        }
    }

    #[test]
    fn empty_tensors_are_left_alone() {
        for device in check::devices() {
            assert!(add(&Tensor::zeros(&device, [0, 3]), &Tensor::zeros(&device, [3])).to_vec().unwrap().is_empty());
        }
    }

    #[test]
    #[should_panic(expected = "add: shapes [2] and [3] do not broadcast")]
    fn add_names_both_shapes() {
        add(&Tensor::zeros(&Device::Cpu, [2]), &Tensor::zeros(&Device::Cpu, [3]));
    }

    #[test]
    #[should_panic(expected = "add_scaled: shapes [2] and [2, 1] differ")]
    fn add_scaled_names_both_shapes() {
        add_scaled(&Tensor::zeros(&Device::Cpu, [2]), &Tensor::zeros(&Device::Cpu, [2, 1]), 1.0);
    }

    #[test]
    #[should_panic(expected = "copy_into: [2] has 2 elements, [3] has 3")]
    fn copy_into_names_both_shapes() {
        copy_into(&Tensor::zeros(&Device::Cpu, [2]), &Tensor::zeros(&Device::Cpu, [3]));
    }

    #[test]
    #[should_panic(expected = "scale: the tensor (shape [2]) holds u32, not f32")]
    fn scale_names_the_type() {
        scale(&Tensor::from_slice(&Device::Cpu, [2], &[1u32, 2]), 1.0);
    }
}

//! A walk through two tensors at once, and the kernel that takes it.

use super::mirrors::{narrow_cpu, words_cpu};
use super::params::{Axis, Params};
use crate::base::{MAX_RANK, Shape};
use crate::kernel::{Grid, Kernel};
use crate::tensor::Tensor;
use bytemuck::Zeroable;

const WGSL: &str = wgsl!("strided.wgsl");
static STRIDED: Kernel = Kernel::new_trusted(WGSL, "strided", words_cpu::<u32>).with_f64(words_cpu::<u64>);
static STRIDED4: Kernel = Kernel::new_trusted(WGSL, "strided4", words_cpu::<u32>).with_f64(words_cpu::<u64>);
static STRIDED_VEC4: Kernel = Kernel::new_trusted(WGSL, "strided_vec4", words_cpu::<[u32; 4]>).with_f64(words_cpu::<[u64; 4]>);
static STRIDED_TILED: Kernel = Kernel::new_trusted(WGSL, "strided_tiled", words_cpu::<u32>).with_f64(words_cpu::<u64>);
static STRIDED_NARROW: Kernel = Kernel::new_trusted(WGSL, "strided_narrow", narrow_cpu);

pub(super) const KERNELS: &[&Kernel] = &[&STRIDED, &STRIDED4, &STRIDED_VEC4, &STRIDED_TILED, &STRIDED_NARROW];

/// Rows and columns of a tile that is turned in workgroup memory.
const TILE: usize = 32;

/// Where to read and where to write; the innermost axis first, so that the steps through y grow.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Walk {
    pub axes: Vec<Axis>,
    pub x_first: usize,
    pub y_first: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Form {
    /// An element an invocation.
    One,
    /// Four neighbours of y an invocation, from wherever they are.
    Four,
    /// Four neighbours of x and of y.
    Vec4,
    /// Tiles that are read along x's rows and written along y's; its second axis is the one along which x is dense.
    Tiled,
    /// Words of y, put together from narrow elements.
    Narrow,
}

impl Walk {
    /// Fills a dense y: axis k of y is a walk through x by `x_steps[k]` from `x_first`.
    pub fn gather(y: Shape, x_first: usize, x_steps: &[isize]) -> Self {
        let strides = y.strides();
        let axes = (0..y.rank()).rev().map(|k| Axis { extent: y.dim(k), x_step: x_steps[k], y_step: strides[k] });
        Self { axes: axes.collect(), x_first, y_first: 0 }.merged()
    }

    /// Spreads a dense x: axis k of x goes to y by `y_steps[k]` from `y_first`.
    pub fn scatter(x: Shape, y_first: usize, y_steps: &[isize]) -> Self {
        let (strides, mut walk) = (x.strides(), Self { axes: Vec::new(), x_first: 0, y_first });
        for k in (0..x.rank()).rev() {
            let (extent, x_step, y_step) = (x.dim(k), strides[k] as isize, y_steps[k]);
            // Where y would be walked backwards, x is walked so instead.
            let back = if y_step < 0 { extent.saturating_sub(1) } else { 0 };
            walk.x_first += back * strides[k];
            walk.y_first -= back * y_step.unsigned_abs();
            let x_step = if y_step < 0 { -x_step } else { x_step };
            walk.axes.push(Axis { extent, x_step, y_step: y_step.unsigned_abs() });
        }
        walk.merged()
    }

    pub fn len(&self) -> usize {
        self.axes.iter().map(|axis| axis.extent).product()
    }

    pub fn merged(mut self) -> Self {
        let mut axes: Vec<Axis> = Vec::with_capacity(self.axes.len().max(1));
        for axis in self.axes.into_iter().filter(|axis| axis.extent != 1) {
            match axes.last_mut() {
                Some(last) if axis.x_step == last.x_step * last.extent as isize && axis.y_step == last.y_step * last.extent => {
                    last.extent *= axis.extent;
                }
                _ => axes.push(axis),
            }
        }
        if axes.is_empty() {
            axes.push(Axis { extent: 1, x_step: 1, y_step: 1 });
        }
        self.axes = axes;
        self
    }

    /// The same walk by groups of `by` neighbours, if they stay together and no group is cut.
    fn grouped(&self, by: usize) -> Option<Self> {
        let (inner, outer) = self.axes.split_first()?;
        let fits = |axis: &Axis| axis.x_step % by as isize == 0 && axis.y_step.is_multiple_of(by);
        let whole = [inner.extent, self.x_first, self.y_first].iter().all(|v| v.is_multiple_of(by));
        if !(whole && inner.x_step == 1 && inner.y_step == 1 && outer.iter().all(fits)) {
            return None;
        }
        let mut axes = vec![Axis { extent: inner.extent / by, ..*inner }];
        axes.extend(outer.iter().map(|a| Axis { x_step: a.x_step / by as isize, y_step: a.y_step / by, ..*a }));
        Some(Self { axes, x_first: self.x_first / by, y_first: self.y_first / by }.merged())
    }

    /// How to move words. A tile pays where it is filled at least by half in both directions.
    fn form(&self, registers: bool) -> Form {
        let inner = self.axes[0];
        let pays = |axis: &Axis| axis.extent >= TILE / 2;
        let fours = self.axes[1..].iter().all(|axis| axis.y_step.is_multiple_of(4)) && self.y_first.is_multiple_of(4);
        if !registers
            && inner.x_step != 1
            && inner.y_step == 1
            && pays(&inner)
            && self.dense_in_x().is_some_and(|k| pays(&self.axes[k]))
        {
            Form::Tiled
        } else if inner.y_step == 1 && inner.extent.is_multiple_of(4) && fours {
            Form::Four
        } else {
            Form::One
        }
    }

    fn dense_in_x(&self) -> Option<usize> {
        self.axes.iter().position(|axis| axis.x_step == 1)
    }

    fn params(&self, len: usize, bytes: usize) -> Params {
        let mut p = Params {
            len: len as u32,
            rank: self.axes.len() as u32,
            bytes: bytes as u32,
            x_first: self.x_first as u32,
            y_first: self.y_first as u32,
            ..Params::zeroed()
        };
        for (k, axis) in self.axes.iter().enumerate() {
            (p.dims[k], p.x_steps[k], p.y_steps[k]) = (axis.extent as u32, axis.x_step as u32, axis.y_step as u32);
        }
        p
    }

    /// Moves; tiles only where the device prefers them.
    #[track_caller]
    pub fn run(self, op: &str, x: &Tensor, y: &Tensor) {
        let registers = x.device().work().is_by_registers();
        self.run_by(op, x, y, registers);
    }

    #[track_caller]
    pub fn run_by(self, op: &str, x: &Tensor, y: &Tensor, registers: bool) {
        // Steps are i32 in the kernels.
        let fits = x.len().max(y.len()) < 1 << 31;
        assert!(fits, "{op}: 2^31 elements or more (x {}, y {})", x.shape(), y.shape());
        if self.len() == 0 {
            return;
        }
        let bytes = x.dtype().bytes();
        let words = if bytes < 4 { self.grouped(4 / bytes) } else { Some(self.clone()) };
        let Some(mut words) = words else { return self.launch(Form::Narrow, bytes, x, y) };
        match words.grouped(4) {
            Some(fours) => fours.launch(Form::Vec4, 4, x, y),
            None => {
                let form = words.form(registers);
                if let (Form::Tiled, Some(k)) = (form, words.dense_in_x()) {
                    words.axes.swap(1, k);
                }
                words.launch(form, 4, x, y);
            }
        }
    }

    #[track_caller]
    fn launch(&self, form: Form, bytes: usize, x: &Tensor, y: &Tensor) {
        let len = self.len();
        let go = |kernel: &'static Kernel, len: usize, grid: Grid| kernel.launch(self.params(len, bytes), &[x], &[y], grid);
        match form {
            Form::One => go(&STRIDED, len, Grid::linear(len, 256)),
            Form::Four => go(&STRIDED4, len, Grid::linear(len / 4, 256)),
            Form::Vec4 => go(&STRIDED_VEC4, len, Grid::linear(len, 256)),
            Form::Tiled => {
                let tiles: usize = self.axes[..2].iter().map(|axis| axis.extent.div_ceil(TILE)).product();
                let groups = tiles * self.axes[2..].iter().map(|axis| axis.extent).product::<usize>();
                go(&STRIDED_TILED, groups, Grid::folded(groups).trips(8));
            }
            Form::Narrow => {
                let each = 4 / bytes;
                let last = self.y_first + self.axes.iter().map(|axis| (axis.extent - 1) * axis.y_step).sum::<usize>();
                let words = last / each - self.y_first / each + 1;
                go(&STRIDED_NARROW, words, Grid::linear(words, 256).trips(each));
            }
        }
    }
}

/// Row-major strides with a sign, for walks.
pub(super) fn strides(shape: Shape) -> [isize; MAX_RANK] {
    shape.strides().map(|stride| stride as isize)
}

/// Panics in the name of `op` unless `x` has `axis`.
#[track_caller]
pub(super) fn expect_axis(op: &str, x: Shape, axis: usize) {
    assert!(axis < x.rank(), "{op}: there is no axis {axis} (x {x})");
}

/// Panics in the name of `op` unless `x` has all the axes, each named once.
#[track_caller]
pub(super) fn expect_axes(op: &str, x: Shape, axes: &[usize]) {
    for (i, &axis) in axes.iter().enumerate() {
        expect_axis(op, x, axis);
        assert!(!axes[..i].contains(&axis), "{op}: axis {axis} is named twice in {axes:?} (x {x})");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_are_chosen_as_they_should_be() {
        let form = |dims: &[usize], axes: &[usize], registers: bool| {
            let shape = Shape::new(dims);
            let y: Vec<usize> = axes.iter().map(|&axis| dims[axis]).collect();
            let steps: Vec<isize> = axes.iter().map(|&axis| strides(shape)[axis]).collect();
            let walk = Walk::gather(Shape::new(&y), 0, &steps);
            (walk.axes.len(), if walk.grouped(4).is_some() { Form::Vec4 } else { walk.form(registers) })
        };
        assert_eq!(form(&[8, 3, 32, 32], &[1, 0, 2, 3], false), (3, Form::Vec4));
        assert_eq!(form(&[8, 64, 32, 32], &[0, 2, 3, 1], false), (3, Form::Tiled));
        assert_eq!(form(&[8, 64, 32, 32], &[0, 2, 3, 1], true), (3, Form::Four));
        assert_eq!(form(&[8, 3, 32, 32], &[0, 2, 3, 1], false), (3, Form::One));
        assert_eq!(form(&[7, 8, 9], &[0, 1, 2], false), (1, Form::Vec4));
    }
}

//! Elements moved: the gradient moves them back, and adds what was copied.

use crate::autograd::var::Var;
use gpu_core::ops::{self, PadMode, Slice};
use gpu_core::{Shape, Tensor};

impl Var {
    /// The axes in another order: axis `k` of the result is axis `axes[k]`. Equivalent of `torch.permute`.
    ///
    /// # Panics
    /// If `axes` does not name each axis once.
    #[track_caller]
    pub fn permute(&self, axes: &[usize]) -> Self {
        let y = ops::permute(self.value(), axes);
        let mut back = vec![0; axes.len()];
        axes.iter().enumerate().for_each(|(to, &axis)| back[axis] = to);
        Self::derived("permute", y, [self], move |dy, _| [Some(ops::permute(dy, &back))])
    }

    /// Two axes exchanged. Equivalent of `torch.transpose`.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn transpose(&self, a: usize, b: usize) -> Self {
        let y = ops::transpose(self.value(), a, b);
        Self::derived("transpose", y, [self], move |dy, _| [Some(ops::transpose(dy, a, b))])
    }

    /// Repeated to `shape` as broadcasting does. Equivalent of PyTorch's `x.expand(shape)`.
    ///
    /// # Panics
    /// If it does not broadcast to `shape`.
    #[track_caller]
    pub fn expand(&self, shape: impl Into<Shape>) -> Self {
        let before = self.shape();
        let y = ops::expand(self.value(), shape);
        Self::derived("expand", y, [self], move |dy, _| [Some(ops::sum_to(dy, before))])
    }

    /// Side by side `times[k]` times along axis k. Equivalent of PyTorch's `x.repeat(times)`.
    ///
    /// # Panics
    /// If there are fewer numbers than axes, or more than six.
    #[track_caller]
    pub fn repeat(&self, times: &[usize]) -> Self {
        let y = ops::repeat(self.value(), times);
        let (before, times) = (self.shape(), times.to_vec());
        Self::derived("repeat", y, [self], move |dy, _| [Some(unrepeat(dy, before, &times))])
    }

    /// A part: one [`Slice`] an axis, beginning with the first. Equivalent of PyTorch's `x[a:b:s, ..]`.
    ///
    /// # Panics
    /// If a range does not lie within its axis.
    ///
    /// ```
    /// use gpu_core::{Device, Tensor};
    /// use nn::Tape;
    /// let x = Tape::new(&Device::Cpu).variable(&Tensor::from_slice(&Device::Cpu, [3], &[1.0f32, 2.0, 3.0]));
    /// let dx = x.slice(&[(1..).into()]).sum().backward();
    /// assert_eq!(dx.of(&x).unwrap().to_vec()?, [0.0, 1.0, 1.0]);
    /// # Ok::<(), gpu_core::Error>(())
    /// ```
    #[track_caller]
    pub fn slice(&self, slices: &[Slice]) -> Self {
        let y = ops::slice(self.value(), slices);
        let (before, slices) = (self.shape(), slices.to_vec());
        Self::derived("slice", y, [self], move |dy, _| [Some(ops::slice_bwd_x(dy, before, &slices))])
    }

    /// Indices `start .. start + len` of one axis. Equivalent of `torch.narrow`.
    ///
    /// # Panics
    /// If there is no such axis, or it is shorter.
    #[track_caller]
    pub fn narrow(&self, axis: usize, start: usize, len: usize) -> Self {
        let y = ops::narrow(self.value(), axis, start, len);
        let before = self.shape();
        Self::derived("narrow", y, [self], move |dy, _| [Some(widen(dy, before, axis, start))])
    }

    /// One index of an axis, which is dropped. Equivalent of `torch.select`.
    ///
    /// # Panics
    /// If there is no such axis or index.
    #[track_caller]
    pub fn select(&self, axis: usize, index: usize) -> Self {
        let y = ops::select(self.value(), axis, index);
        let before = self.shape();
        Self::derived("select", y, [self], move |dy, _| [Some(widen(&dy.unsqueeze(axis), before, axis, index))])
    }

    /// The elements along each of `axes` in the opposite order. Equivalent of `torch.flip`.
    ///
    /// # Panics
    /// If there is no such axis, or one is named twice.
    #[track_caller]
    pub fn flip(&self, axes: &[usize]) -> Self {
        let y = ops::flip(self.value(), axes);
        let axes = axes.to_vec();
        Self::derived("flip", y, [self], move |dy, _| [Some(ops::flip(dy, &axes))])
    }

    /// The elements along `axes[j]` moved on by `shifts[j]`, round and round. Equivalent of `torch.roll`.
    ///
    /// # Panics
    /// If there is no such axis, one is named twice, or there are not as many shifts as axes.
    #[track_caller]
    pub fn roll(&self, shifts: &[isize], axes: &[usize]) -> Self {
        let y = ops::roll(self.value(), shifts, axes);
        let (back, axes) = (shifts.iter().map(|shift| -shift).collect::<Vec<_>>(), axes.to_vec());
        Self::derived("roll", y, [self], move |dy, _| [Some(ops::roll(dy, &back, &axes))])
    }

    /// Edges added: two amounts an axis, the last axis first. Equivalent of `torch.nn.functional.pad`.
    ///
    /// # Panics
    /// If the amounts do not fit the shape and the mode; see [`ops::pad`].
    #[track_caller]
    pub fn pad(&self, amounts: &[isize], mode: PadMode) -> Self {
        let y = ops::pad(self.value(), amounts, mode);
        let (before, amounts) = (self.shape(), amounts.to_vec());
        Self::derived("pad", y, [self], move |dy, _| [Some(ops::pad_bwd_x(dy, before, &amounts, mode))])
    }

    /// One after the other along an axis. Equivalent of `torch.cat`.
    ///
    /// # Panics
    /// If there is nothing to join, or extents other than the axis' differ.
    ///
    /// ```
    /// use gpu_core::{Device, Tensor};
    /// use nn::{Tape, Var};
    /// let x = Tape::new(&Device::Cpu).variable(&Tensor::full(&Device::Cpu, [2], 1.5));
    /// let y = Var::concat(&[x.clone(), x.scale(2.0)], 0);
    /// assert_eq!(y.value().to_vec()?, [1.5, 1.5, 3.0, 3.0]);
    /// assert_eq!(y.sum().backward().of(&x).unwrap().to_vec()?, [3.0, 3.0]);
    /// # Ok::<(), gpu_core::Error>(())
    /// ```
    #[track_caller]
    pub fn concat(xs: &[Self], axis: usize) -> Self {
        let values: Vec<&Tensor> = xs.iter().map(Self::value).collect();
        let y = ops::concat(&values, axis);
        let extents: Vec<usize> = xs.iter().map(|x| x.shape().dim(axis)).collect();
        Self::derived_from("concat", y, xs, move |dy, needs| {
            let ends = extents.iter().scan(0, |end, extent| {
                *end += extent;
                Some(*end)
            });
            let parts = ends.zip(&extents).zip(needs);
            parts.map(|((end, &extent), &need)| need.then(|| ops::narrow(dy, axis, end - extent, extent))).collect()
        })
    }

    /// All of one shape, along a new axis. Equivalent of `torch.stack`.
    ///
    /// # Panics
    /// If there is nothing to stack, the shapes differ, or the rank would be over six.
    #[track_caller]
    pub fn stack(xs: &[Self], axis: usize) -> Self {
        let values: Vec<&Tensor> = xs.iter().map(Self::value).collect();
        let y = ops::stack(&values, axis);
        Self::derived_from("stack", y, xs, move |dy, needs| {
            needs.iter().enumerate().map(|(i, &need)| need.then(|| ops::select(dy, axis, i))).collect()
        })
    }

    /// Without an axis of extent 1. Equivalent of `torch.squeeze`; nothing is moved.
    ///
    /// # Panics
    /// If there is no such axis, or its extent is not 1.
    #[track_caller]
    pub fn squeeze(&self, axis: usize) -> Self {
        self.reshape(self.stored().squeeze(axis).shape())
    }

    /// With a new axis of extent 1. Equivalent of `torch.unsqueeze`; nothing is moved.
    ///
    /// # Panics
    /// If there is no such place, or the rank would be over six.
    #[track_caller]
    pub fn unsqueeze(&self, axis: usize) -> Self {
        self.reshape(self.stored().unsqueeze(axis).shape())
    }
}

/// `dy` in its place along `axis` of a tensor of shape `x`, zero elsewhere.
fn widen(dy: &Tensor, x: Shape, axis: usize, start: usize) -> Tensor {
    let mut slices = vec![Slice::from(..); axis + 1];
    slices[axis] = (start..start + dy.shape().dim(axis)).into();
    ops::slice_bwd_x(dy, x, &slices)
}

/// The sum of the copies that [`ops::repeat`] made, axis by axis.
fn unrepeat(dy: &Tensor, x: Shape, times: &[usize]) -> Tensor {
    let missing = times.len() - x.rank();
    let extent = |k: usize| if k < missing { 1 } else { x.dim(k - missing) };
    let mut dx = dy.clone();
    for (k, &times) in times.iter().enumerate().filter(|(_, times)| **times != 1) {
        let (shape, n) = (dx.shape(), extent(k));
        let outer = shape.outer(k);
        let summed = ops::sum_axes(&dx.reshape([outer, times, n * shape.inner(k + 1)]), &[1], false);
        let mut dims = shape.dims().to_vec();
        dims[k] = n;
        dx = summed.reshape(dims.as_slice());
    }
    dx.reshape(x)
}

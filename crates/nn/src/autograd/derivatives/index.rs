//! Picking by indices, its reverse, order along an axis, and running sums. Indices are tensors of u32: nothing flows to them.

use crate::autograd::var::Var;
use gpu_core::{Tensor, ops};

impl Var {
    /// `y[a,j,b] = x[a,index[a,j,b],b]` along `axis`. Equivalent of `torch.gather`.
    ///
    /// # Panics
    /// If the shapes differ along another axis, or `index` does not hold u32.
    #[track_caller]
    pub fn gather(&self, axis: usize, index: &Tensor) -> Self {
        let (y, x, index) = (ops::gather(self.value(), axis, index), self.shape(), index.clone());
        Self::derived("gather", y, [self], move |dy, _| [Some(ops::gather_bwd_x(dy, axis, &index, x))])
    }

    /// The slices along `axis` that `index` (u32, of any shape) names; its axes take the place of that one. Equivalent of
    /// `torch.index_select`, and along axis 0 of `torch.nn.functional.embedding`.
    ///
    /// # Panics
    /// If there is no such axis, or `index` does not hold u32.
    #[track_caller]
    pub fn index_select(&self, axis: usize, index: &Tensor) -> Self {
        let (y, x, index) = (ops::index_select(self.value(), axis, index), self.shape(), index.clone());
        Self::derived("index_select", y, [self], move |dy, _| [Some(ops::index_select_bwd_x(dy, axis, &index, x))])
    }

    /// `self` with `src[a,j,b]` added at `[a,index[a,j,b],b]` along `axis`. Equivalent of `torch.scatter_add`.
    ///
    /// # Panics
    /// If the shapes differ along another axis, or those of `index` and `src` do.
    #[track_caller]
    pub fn scatter_add(&self, axis: usize, index: &Tensor, src: &Self) -> Self {
        let (y, index) = (ops::scatter_add(self.value(), axis, index, src.value()), index.clone());
        Self::derived("scatter_add", y, [self, src], move |dy, needs| {
            [needs[0].then(|| dy.clone()), needs[1].then(|| ops::gather(dy, axis, &index))]
        })
    }

    /// `self` with the slices of `src` added to those along `axis` that `index` names. Equivalent of `torch.index_add`.
    ///
    /// # Panics
    /// If `src` is not `self` with the axes of `index` in place of `axis`.
    #[track_caller]
    pub fn index_add(&self, axis: usize, index: &Tensor, src: &Self) -> Self {
        let (y, index) = (ops::index_add(self.value(), axis, index, src.value()), index.clone());
        Self::derived("index_add", y, [self, src], move |dy, needs| {
            [needs[0].then(|| dy.clone()), needs[1].then(|| ops::index_select(dy, axis, &index))]
        })
    }

    /// The elements along `axis` in order, and where they were (u32). Equivalent of `torch.sort(stable=True)`; NaN comes last in
    /// either direction.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn sort(&self, axis: usize, descending: bool) -> (Self, Tensor) {
        let (y, index) = ops::sort(self.value(), axis, descending);
        self.picked("sort", y, index, axis)
    }

    /// The `k` largest (or smallest) elements along `axis` in order, and where they were (u32). Equivalent of `torch.topk`; of
    /// equal ones those with lower indices.
    ///
    /// # Panics
    /// If there is no such axis, or it has fewer elements.
    #[track_caller]
    pub fn topk(&self, k: usize, axis: usize, largest: bool) -> (Self, Tensor) {
        let (y, index) = ops::topk(self.value(), k, axis, largest);
        self.picked("topk", y, index, axis)
    }

    /// Elements that are each from a place of their own.
    #[track_caller]
    fn picked(&self, op: &'static str, y: Tensor, index: Tensor, axis: usize) -> (Self, Tensor) {
        let (x, kept) = (self.shape(), index.clone());
        (Self::derived(op, y, [self], move |dy, _| [Some(ops::sort_bwd_x(dy, &kept, axis, x))]), index)
    }

    /// Running sums along `axis`. Equivalent of `torch.cumsum`.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn cumsum(&self, axis: usize) -> Self {
        Self::derived("cumsum", ops::cumsum(self.value(), axis), [self], move |dy, _| [Some(ops::cumsum_bwd_x(dy, axis))])
    }
}

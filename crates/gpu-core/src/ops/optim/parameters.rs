//! What the optimisers' kernels share: flat parameters of one length that change in place, and eight figures in a tensor.

use crate::base::Shape;
use crate::expect;
use crate::kernel::Grid;
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};

/// Elements of a mirror's job.
pub(super) const JOB: usize = 1 << 14;

/// Elements of a lane's step, of a group's step, where a tensor is looked through in parts.
pub(super) const GROUP: usize = 4 * 256;

/// In how many parts: enough to fill a large GPU, few enough that one group adds up what each found.
pub(super) fn parts(len: usize) -> usize {
    len.div_ceil(4 * GROUP).clamp(1, 1024)
}

/// Parameters of a kernel over parameters.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
pub(super) struct Params {
    len: u32,
}

impl Params {
    /// For parameters as long as `params`.
    pub fn of(params: &Tensor) -> Self {
        Self { len: params.len() as u32 }
    }
}

/// One invocation for each four elements.
pub(super) fn grid(params: &Tensor) -> Grid {
    Grid::linear(params.len().div_ceil(4), 256)
}

/// Panics in the name of `op` unless all hold f32, lie on one device, and the `others` are as long as `params`.
#[track_caller]
pub(super) fn expect(op: &str, params: &Tensor, others: &[(&str, &Tensor)]) {
    let all: Vec<(&str, &Tensor)> = [("params", params)].iter().chain(others).copied().collect();
    expect::f32s(op, &all);
    for (name, t) in others {
        let fits = t.len() == params.len();
        assert!(fits, "{op}: {name} differs in length from params (params {}, {name} {})", params.shape(), t.shape());
    }
}

/// Panics in the name of `op` unless `hyper` is eight f32 on the device of `params`.
#[track_caller]
pub(super) fn expect_hyper(op: &str, params: &Tensor, hyper: &Tensor) {
    expect::f32s(op, &[("params", params), ("hyper", hyper)]);
    assert!(hyper.shape() == Shape::from([8]), "{op}: hyper must be [8] (hyper {})", hyper.shape());
}

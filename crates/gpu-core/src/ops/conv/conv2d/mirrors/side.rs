//! One side of a convolution: what its outputs and inputs are, and its weights between them.

/// The channels of a group, and where a weight lies for an output and an input channel.
pub(super) struct Side {
    pub outs: usize,
    pub ins: usize,
    pub w_out: usize,
    pub w_in: usize,
}

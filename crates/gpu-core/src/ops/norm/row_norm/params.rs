//! What a launch of a row normalisation is told.

use bytemuck::{Pod, Zeroable};

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
pub(super) struct Params {
    pub rows: u32,
    pub len: u32,
    pub n: u32,
    pub c: u32,
    pub inner: u32,
    pub groups: u32,
    pub per_group: u32,
    pub splits: u32,
    pub part: u32,
    pub has_gamma: u32,
    pub has_beta: u32,
    pub centered: u32,
    pub eps: f32,
    pub momentum: f32,
    pub inverse_len: f32,
}

impl Params {
    /// `n` samples of `c` channels of `inner` elements, in `groups` rows each.
    pub fn of([n, c, inner]: [usize; 3], groups: usize) -> Self {
        let per_group = c / groups.max(1);
        let len = per_group * inner;
        Self {
            rows: (n * groups) as u32,
            len: len as u32,
            n: n as u32,
            c: c as u32,
            inner: inner as u32,
            groups: groups as u32,
            per_group: per_group as u32,
            splits: 1,
            part: len as u32,
            has_gamma: 0,
            has_beta: 0,
            centered: 1,
            eps: 0.0,
            momentum: 0.0,
            inverse_len: 1.0 / len as f32,
        }
    }

    pub fn elements(&self) -> usize {
        self.rows as usize * self.len as usize
    }

    pub fn split_by(self, splits: usize) -> Self {
        let part = (self.len as usize).div_ceil(splits).next_multiple_of(4);
        Self { splits: splits as u32, part: part as u32, ..self }
    }
}

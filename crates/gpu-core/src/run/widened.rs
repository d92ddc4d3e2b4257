//! Tensors of f16 as mirrors see them, which compute in f32 or f64.

use half::f16;
use half::slice::HalfFloatSliceExt;

/// The elements of a tensor of f16 as wider floats.
pub(super) struct Widened {
    /// In words, so that either type is aligned.
    words: Vec<u64>,
    len: usize,
    in_f64: bool,
}

impl Widened {
    pub fn of(halves: &[u8], in_f64: bool) -> Self {
        let halves: &[f16] = bytemuck::cast_slice(halves);
        let len = halves.len();
        let mut words = vec![0u64; if in_f64 { len } else { len.div_ceil(2) }];
        if in_f64 {
            halves.convert_to_f64_slice(bytemuck::cast_slice_mut(&mut words));
        } else {
            halves.convert_to_f32_slice(&mut bytemuck::cast_slice_mut(&mut words)[..len]);
        }
        Self { words, len, in_f64 }
    }

    fn size(&self) -> usize {
        self.len * if self.in_f64 { 8 } else { 4 }
    }

    pub fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.size()]
    }

    pub fn bytes_mut(&mut self) -> &mut [u8] {
        let size = self.size();
        &mut bytemuck::cast_slice_mut(&mut self.words)[..size]
    }

    /// Rounds them to the nearest f16, the even one of two.
    pub fn round_to(&self, halves: &mut [u8]) {
        let halves: &mut [f16] = bytemuck::cast_slice_mut(halves);
        if self.in_f64 {
            halves.convert_from_f64_slice(bytemuck::cast_slice(&self.words));
        } else {
            halves.convert_from_f32_slice(&bytemuck::cast_slice(&self.words)[..self.len]);
        }
    }
}

//! What is held against the mirror.

use crate::{Bound, Case};
use gpu_core::ops::cast;
use gpu_core::rng::Stream;
use gpu_core::{DType, Device, Tensor, f16};

/// The types that every device has.
const TYPES: [DType; 6] = [DType::F32, DType::F16, DType::I32, DType::U32, DType::U8, DType::Bool];

/// Numbers that have their difficulties: ties, ends of ranges, subnormals, infinities, NaN; then random bits.
pub(super) fn difficult(len: usize) -> Vec<u32> {
    let mut bits: Vec<u32> = Vec::with_capacity(len);
    for v in
        [0.0f32, 0.5, 0.999, 1.0, 1.5, 2.5, 127.5, 255.0, 255.9, 256.0, 2049.0, 2051.0, 65504.0, 65519.9, 65520.0, 16_777_217.0]
    {
        bits.extend([v, -v].map(f32::to_bits));
    }
    for e in [-150, -149, -126, -26, -25, -24, -15, -14, 7, 8, 15, 16, 30, 31, 32, 33, 127] {
        let v = 2f64.powi(e);
        bits.extend([v, 1.25 * v, 1.5 * v, 1.75 * v, 1.999 * v, -v, -1.5 * v].map(|v| (v as f32).to_bits()));
    }
    bits.extend([f32::INFINITY, f32::NEG_INFINITY, f32::NAN].map(f32::to_bits));
    bits.extend([0x7f80_0001, 0xffc1_2345, 0x7fa5_5000, 0x4b80_0001, 0xcf00_0000, 0x4eff_ffff, 0x4f7f_ffff]);
    let stream = Stream::new(9, 0, 0);
    let free = len.saturating_sub(bits.len());
    // Every other one with an exponent near 1, where the types' ranges end.
    bits.extend((0..free).map(|i| match stream.word(i as u64) {
        word if i % 2 == 0 => word,
        word => (word & 0x8fff_ffff) | 0x3000_0000 | ((word >> 3) & 0x1000_0000),
    }));
    bits.truncate(len);
    bits
}

/// `len` such elements of a type.
fn inputs(device: &Device, dtype: DType, len: usize) -> Tensor {
    let bits = difficult(len);
    match dtype {
        DType::F32 => Tensor::from_slice(device, [len], &bits.iter().map(|&b| f32::from_bits(b)).collect::<Vec<_>>()),
        DType::F16 => Tensor::from_slice(device, [len], &(0..len).map(|i| f16::from_bits((i * 7) as u16)).collect::<Vec<_>>()),
        DType::I32 => Tensor::from_slice(device, [len], &bits.iter().map(|&b| b as i32).collect::<Vec<_>>()),
        DType::U32 => Tensor::from_slice(device, [len], &bits),
        DType::U8 => Tensor::from_slice(device, [len], &(0..len).map(|i| (i * 7) as u8).collect::<Vec<_>>()),
        _ => Tensor::from_slice(device, [len], &bits.iter().map(|&b| b % 2 == 1).collect::<Vec<_>>()),
    }
}

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (source, to) in TYPES.iter().flat_map(|&source| TYPES.iter().map(move |&to| (source, to))) {
        if source != to {
            cases.push(Case::new("cast", format!("{source} to {to}"), Bound::Exact, move |device| {
                [1, 7, 1031].map(|len| cast(&inputs(device, source, len), to)).to_vec()
            }));
        }
    }
    cases
}

//! Elements of one type as another.
//!
//! - float to integer: without the fraction; what is out of range becomes the nearest that there is, NaN becomes 0
//! - integer to integer: the low bits, so that -1 as u8 is 255
//! - anything to a float: the nearest, the even one of two; f16 beyond 65504 is infinite from 65520 on
//! - anything to bool: whether it is not zero; NaN is true
//!
//! This is what Rust's `as` does, and PyTorch's `x.to(dtype)`, which leaves floats out of an integer's range undefined. The kernel works on
//! bits with integers alone, since WGSL lets devices round as they like: the result is the same bits everywhere.

use crate::check::{self, Bench, Bound, Case};
use crate::device::Device;
use crate::dtype::DType;
use crate::kernel::{Args, Grid, Kernel};
use crate::mirror;
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};
use half::f16;

const WGSL: &str = wgsl!("cast.wgsl");
static CAST_WORDS: Kernel = Kernel::new_trusted(WGSL, "cast_words", cast_cpu).with_f64(cast_cpu);
static CAST_NARROWING: Kernel = Kernel::new_trusted(WGSL, "cast_narrowing", cast_cpu).with_f64(cast_cpu);
static CAST_WIDENING: Kernel = Kernel::new_trusted(WGSL, "cast_widening", cast_cpu).with_f64(cast_cpu);
static CAST_NARROW: Kernel = Kernel::new_trusted(WGSL, "cast_narrow", cast_cpu).with_f64(cast_cpu);
pub(super) const KERNELS: &[&Kernel] = &[&CAST_WORDS, &CAST_NARROWING, &CAST_WIDENING, &CAST_NARROW];

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    len: u32,
}

/// The types by the kernel's numbers; the last is the CPU device's alone.
const TYPES: [DType; 7] = [DType::F32, DType::F16, DType::I32, DType::U32, DType::U8, DType::Bool, DType::F64];

fn code(dtype: DType) -> u32 {
    TYPES.iter().zip(0..).find(|(t, _)| **t == dtype).map_or(0, |(_, code)| code)
}

fn cast_cpu(args: &mut Args<'_>) {
    let [source, to] = ["FROM", "TO"].map(|name| TYPES[args.constant(name) as usize]);
    // An f64 holds every element of every type.
    match source {
        DType::F32 => cast_to(args, to, |v: f32| f64::from(v), false),
        DType::F64 => cast_to(args, to, |v: f64| v, false),
        DType::F16 => cast_to(args, to, |v: f16| f64::from(v), false),
        DType::I32 => cast_to(args, to, |v: i32| f64::from(v), true),
        DType::U32 => cast_to(args, to, |v: u32| f64::from(v), true),
        DType::U8 => cast_to(args, to, |v: u8| f64::from(v), true),
        DType::Bool => cast_to(args, to, |v: u8| f64::from(u8::from(v != 0)), true),
    }
}

/// `wraps`: integers keep their low bits, floats stop at the ends.
fn cast_to<T: Pod + Send + Sync>(args: &mut Args<'_>, to: DType, value: impl Fn(T) -> f64 + Sync, wraps: bool) {
    let x = args.input(0);
    match (to, wraps) {
        (DType::F32, _) => mirror::map(x, args.output(0), |v| value(v) as f32),
        (DType::F64, _) => mirror::map(x, args.output(0), &value),
        (DType::F16, _) => mirror::map(x, args.output(0), |v| f16::from_f64(value(v))),
        (DType::Bool, _) => mirror::map(x, args.output(0), |v| u8::from(value(v) != 0.0)),
        (DType::I32, false) => mirror::map(x, args.output(0), |v| value(v) as i32),
        (DType::U32, false) => mirror::map(x, args.output(0), |v| value(v) as u32),
        (DType::U8, false) => mirror::map(x, args.output(0), |v| value(v) as u8),
        (DType::I32, true) => mirror::map(x, args.output(0), |v| value(v) as i64 as i32),
        (DType::U32, true) => mirror::map(x, args.output(0), |v| value(v) as i64 as u32),
        (DType::U8, true) => mirror::map(x, args.output(0), |v| value(v) as i64 as u8),
    }
}

/// `x` with elements of another type; the module's page says what becomes of values that do not fit. `x` itself where it has that
/// type. Equivalent of PyTorch's `x.to(dtype)`.
///
/// # Panics
/// If f64 is asked of a GPU.
///
/// ```
/// # use gpu_core::{DType, Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [4], &[-1.5f32, 0.0, 2.9, 300.0]);
/// assert_eq!(ops::cast(&x, DType::I32).read::<i32>()?, [-1, 0, 2, 300]);
/// assert_eq!(ops::cast(&x, DType::U8).read::<u8>()?, [0, 0, 2, 255]);
/// assert_eq!(ops::cast(&x, DType::Bool).read::<bool>()?, [true, false, true, true]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn cast(x: &Tensor, dtype: DType) -> Tensor {
    let dtype = if dtype == DType::F32 { x.device().float_dtype() } else { dtype };
    if x.dtype() == dtype {
        return x.clone();
    }
    let on_gpu = x.device().is_gpu();
    assert!(dtype != DType::F64 || !on_gpu, "cast: f64 is for the CPU device only (x {} on {})", x.shape(), x.device().name());
    let y = Tensor::empty_of(x.device(), x.shape(), dtype);
    let kernel = match (x.dtype().bytes() < 4, dtype.bytes() < 4) {
        (false, false) => &CAST_WORDS,
        (false, true) => &CAST_NARROWING,
        (true, false) => &CAST_WIDENING,
        (true, true) => &CAST_NARROW,
    };
    let constants = [("FROM", code(x.dtype())), ("TO", code(dtype))];
    let grid = Grid::linear(x.len().div_ceil(4), 256);
    kernel.with(&constants).launch(Params { len: x.len() as u32 }, &[x], &[&y], grid);
    y
}

impl Tensor {
    /// The same values in another type: [`cast`].
    ///
    /// # Panics
    /// If f64 is asked of a GPU.
    #[track_caller]
    pub fn cast(&self, dtype: DType) -> Self {
        cast(self, dtype)
    }
}

/// Numbers that have their difficulties: ties, ends of ranges, subnormals, infinities, NaN; then random bits.
fn difficult(len: usize) -> Vec<u32> {
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
    let stream = crate::rng::Stream::new(9, 0, 0);
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

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (source, to) in TYPES[..6].iter().flat_map(|&source| TYPES[..6].iter().map(move |&to| (source, to))) {
        if source != to {
            cases.push(Case::new("cast", format!("{source} to {to}"), Bound::Exact, move |device| {
                [1, 7, 1031].map(|len| cast(&inputs(device, source, len), to)).to_vec()
            }));
        }
    }
    cases
}

pub(super) fn benches() -> Vec<Bench> {
    let of = |(source, to)| {
        Bench::new("cast", format!("16777216 elements, {source} to {to}"), 0, move |device| {
            let x = cast(&check::tensor(device, [1 << 24], 1), source);
            move || vec![cast(&x, to)]
        })
    };
    let pairs = [(DType::F32, DType::F16), (DType::F16, DType::F32), (DType::U8, DType::F32), (DType::I32, DType::F32)];
    pairs.into_iter().chain([(DType::U8, DType::F16)]).map(of).collect()
}

#[cfg(test)]
pub(super) fn misuses() -> Vec<check::Misuse> {
    vec![check::misuse!("cast", ["f64 is for the CPU device only", "x [2]"], |d| cast(&Tensor::zeros(d, [2]), DType::F64))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use check::devices;

    /// What a tensor holds, to the bit.
    fn bits(t: &Tensor) -> Vec<u32> {
        match t.dtype() {
            DType::F32 => t.read::<f32>().unwrap().into_iter().map(f32::to_bits).collect(),
            DType::F16 => t.read::<f16>().unwrap().into_iter().map(|v| v.to_bits().into()).collect(),
            DType::I32 => t.read::<i32>().unwrap().into_iter().map(|v| v as u32).collect(),
            DType::U32 => t.read::<u32>().unwrap(),
            DType::U8 => t.read::<u8>().unwrap().into_iter().map(u32::from).collect(),
            _ => t.read::<bool>().unwrap().into_iter().map(u32::from).collect(),
        }
    }

    #[test]
    fn all_devices_give_the_same_bits_and_those_of_rust() {
        let v: Vec<f32> = difficult(20_011).into_iter().map(f32::from_bits).collect();
        for device in devices() {
            let x = Tensor::from_slice(&device, [v.len()], &v);
            let equal = |to: DType, want: Vec<u32>| assert_eq!(bits(&x.cast(to)), want, "{to} on {}", device.name());
            equal(DType::F16, v.iter().map(|&v| f16::from_f32(v).to_bits().into()).collect());
            equal(DType::I32, v.iter().map(|&v| v as i32 as u32).collect());
            equal(DType::U32, v.iter().map(|&v| v as u32).collect());
            equal(DType::U8, v.iter().map(|&v| u32::from(v as u8)).collect());
            equal(DType::Bool, v.iter().map(|&v| u32::from(v != 0.0)).collect());
        }
    }

    #[test]
    fn integers_are_those_of_rust() {
        let v = difficult(20_011);
        let signed: Vec<i32> = v.iter().map(|&v| v as i32).collect();
        for device in devices() {
            let (u, i) = (Tensor::from_slice(&device, [v.len()], &v), Tensor::from_slice(&device, [v.len()], &signed));
            assert_eq!(bits(&u.cast(DType::F32)), v.iter().map(|&v| (v as f32).to_bits()).collect::<Vec<_>>());
            assert_eq!(bits(&i.cast(DType::F32)), signed.iter().map(|&v| (v as f32).to_bits()).collect::<Vec<_>>());
            let halves = |v: f64| u32::from(f16::from_f64(v).to_bits());
            assert_eq!(bits(&u.cast(DType::F16)), v.iter().map(|&v| halves(v.into())).collect::<Vec<_>>());
            assert_eq!(bits(&i.cast(DType::F16)), signed.iter().map(|&v| halves(v.into())).collect::<Vec<_>>());
            assert_eq!(bits(&i.cast(DType::U8)), signed.iter().map(|&v| u32::from(v as u8)).collect::<Vec<_>>());
            assert_eq!(bits(&u.cast(DType::I32)), v);
        }
    }

    /// All of them: to f32 as the format says, and back to the same bits.
    #[test]
    fn every_half_goes_to_a_float_and_back() {
        let halves: Vec<f16> = (0..=u16::MAX).map(f16::from_bits).collect();
        let value = |h: u32| {
            let (sign, e, m) = (1.0 - 2.0 * f64::from(h >> 15), (h >> 10 & 31) as i32, f64::from(h & 1023));
            match e {
                0 => sign * m * 2f64.powi(-24),
                31 if m == 0.0 => sign * f64::INFINITY,
                31 => f64::NAN,
                _ => sign * (1024.0 + m) * 2f64.powi(e - 25),
            }
        };
        for device in devices() {
            let x = Tensor::from_slice(&device, [1 << 16], &halves);
            let wide = x.cast(DType::F32);
            for (h, got) in wide.to_vec().unwrap().into_iter().enumerate() {
                let want = value(h as u32) as f32;
                assert!(got.to_bits() == want.to_bits() || (got.is_nan() && want.is_nan()), "{h:#x}: {got:e} is not {want:e}");
            }
            // A signalling NaN becomes a quiet one.
            let quiet = |h: u32| if h & 0x7c00 == 0x7c00 && h & 0x3ff != 0 { h | 0x200 } else { h };
            assert_eq!(bits(&wide.cast(DType::F16)), (0..=0xffff).map(quiet).collect::<Vec<_>>());
        }
    }

    /// From `torch.tensor([..]).half()`: ties go to the even one, in the range of subnormals too.
    #[test]
    fn halves_are_rounded_as_in_pytorch() {
        let x = [2049.0f32, 2051.0, 65519.0, 65520.0, 2.980_232_2e-8, 2.980_232_6e-8, 8.940_697e-8, 6.1e-5, 1e-8, -1e-8];
        for device in devices() {
            let y = bits(&Tensor::from_slice(&device, [10], &x).cast(DType::F16));
            assert_eq!(y, [0x6800, 0x6802, 0x7bff, 0x7c00, 0, 1, 2, 0x3ff, 0, 0x8000]);
        }
    }

    #[test]
    fn f32_stands_for_f64_on_the_device_in_f64() {
        let x = Tensor::from_slice(&Device::cpu_f64(), [2], &[3u32, 5]).cast(DType::F32);
        assert_eq!((x.dtype(), x.cast(DType::F32).shares_storage(&x)), (DType::F64, true));
        assert_eq!(x.cast(DType::U8).read::<u8>().unwrap(), [3, 5]);
    }

    #[test]
    fn nothing_is_cast_to_nothing() {
        for device in devices() {
            assert!(Tensor::zeros(&device, [0, 3]).cast(DType::U8).read::<u8>().unwrap().is_empty());
        }
    }
}

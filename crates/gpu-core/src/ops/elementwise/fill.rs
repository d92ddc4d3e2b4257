//! One value everywhere: `y[i] = value`.

use crate::base::{DType, Element, Shape};
use crate::expect;
use crate::kernel::{Args, Grid, Kernel};
use crate::run::Device;
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};

const WGSL: &str = wgsl!("fill.wgsl");
static FILL: Kernel = Kernel::new_trusted(WGSL, "fill", fill_cpu).with_f64(fill_f64_cpu);
static SPOIL: Kernel = Kernel::new_trusted(WGSL, "spoil", spoil_cpu);
pub(in crate::ops) const KERNELS: &[&Kernel] = &[&FILL, &SPOIL];

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    len: u32,
    value: u32,
    high: u32,
}

fn fill_cpu(args: &mut Args<'_>) {
    let p: Params = args.params();
    let word = p.value.to_ne_bytes();
    let (words, rest) = args.output::<u8>(0).as_chunks_mut();
    words.fill(word);
    rest.copy_from_slice(&word[..rest.len()]);
}

fn fill_f64_cpu(args: &mut Args<'_>) {
    let p: Params = args.params();
    args.output(0).fill(u64::from(p.high) << 32 | u64::from(p.value));
}

fn spoil_cpu(args: &mut Args<'_>) {
    let p: Params = args.params();
    let bytes = args.output::<u8>(0);
    let at = 4 * p.len as usize;
    let len = (bytes.len() - at).min(4);
    let mut word = [0; 4];
    word[..len].copy_from_slice(&bytes[at..at + len]);
    let v = f32::from_ne_bytes(word);
    let spoiled = if p.value == 0 { (v + 1.0 + v.abs()).to_bits() } else { u32::from_ne_bytes(word) ^ p.value };
    bytes[at..at + len].copy_from_slice(&spoiled.to_ne_bytes()[..len]);
}

/// Overwrites all bytes with one word, whatever the type of the elements; each f64 with the f32 of these bits.
#[track_caller]
pub fn fill_word(y: &Tensor, value: u32) {
    let bits = match y.dtype() {
        DType::F64 => f64::from(f32::from_bits(value)).to_bits(),
        _ => value.into(),
    };
    fill_bits(y, bits);
}

#[track_caller]
fn fill_bits(y: &Tensor, bits: u64) {
    let words = y.bytes().div_ceil(4);
    let p = Params { len: words as u32, value: bits as u32, high: (bits >> 32) as u32 };
    FILL.launch(p, &[], &[y], Grid::linear(words.div_ceil(4), 256));
}

/// Changes the middle element visibly: the fault that the proof plants.
pub fn spoil(y: &Tensor) {
    // Zero adds to a float; all else flips these bits of a word.
    let value = match y.dtype() {
        DType::F32 => 0,
        DType::F16 => 0x4000,
        _ => 1,
    };
    if !y.is_empty() {
        SPOIL.launch(Params { len: (y.bytes() / 4 / 2) as u32, value, high: 0 }, &[], &[y], Grid::folded(1));
    }
}

impl Tensor {
    /// An f32 tensor with `value` everywhere. Equivalent of `torch.full`.
    ///
    /// ```
    /// # use gpu_core::{Device, Tensor};
    /// assert_eq!(Tensor::full(&Device::Cpu, [2], 1.5).to_vec()?, [1.5, 1.5]);
    /// # Ok::<(), gpu_core::Error>(())
    /// ```
    #[track_caller]
    pub fn full(device: &Device, shape: impl Into<Shape>, value: f32) -> Self {
        let y = Self::empty(device, shape);
        fill_word(&y, value.to_bits());
        y
    }

    /// An f32 tensor of zeros. Equivalent of `torch.zeros`.
    #[track_caller]
    pub fn zeros(device: &Device, shape: impl Into<Shape>) -> Self {
        Self::full(device, shape, 0.0)
    }

    /// A tensor with `value` everywhere, of its type. Equivalent of `torch.full(shape, value, dtype=..)`.
    ///
    /// # Panics
    /// If it is an f64 and the device a GPU.
    ///
    /// ```
    /// # use gpu_core::{Device, Tensor};
    /// assert_eq!(Tensor::full_of(&Device::Cpu, [3], 7u8).read::<u8>()?, [7, 7, 7]);
    /// # Ok::<(), gpu_core::Error>(())
    /// ```
    #[track_caller]
    pub fn full_of<T: Element>(device: &Device, shape: impl Into<Shape>, value: T) -> Self {
        let value = [value];
        let bytes = T::to_bytes(&value);
        let y = match T::DTYPE {
            DType::F32 => Self::empty(device, shape),
            dtype => Self::empty_of(device, shape, dtype),
        };
        // Narrow values repeated fill a word.
        let repeated = u64::from_ne_bytes(std::array::from_fn(|i| bytes[i % bytes.len()]));
        match T::DTYPE {
            DType::F64 => fill_bits(&y, repeated),
            _ => fill_word(&y, repeated as u32),
        }
        y
    }

    /// A tensor of zeros of a type. Equivalent of `torch.zeros(shape, dtype=..)`.
    ///
    /// # Panics
    /// If f64 is asked of a GPU.
    #[track_caller]
    pub fn zeros_of(device: &Device, shape: impl Into<Shape>, dtype: DType) -> Self {
        let y = Self::empty_of(device, shape, dtype);
        fill_bits(&y, 0);
        y
    }

    /// Overwrites all elements with `value`: a kernel, so it may stand inside a capture, unlike [`write`](Self::write).
    ///
    /// # Panics
    /// If the tensor does not hold f32.
    #[track_caller]
    pub fn fill(&self, value: f32) {
        expect::f32s("fill", &[("x", self)]);
        fill_word(self, value.to_bits());
    }
}

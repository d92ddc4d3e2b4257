//! One value everywhere: `y[i] = value`.

use crate::check::{Bound, Case};
use crate::device::Device;
use crate::dtype::DType;
use crate::kernel::{Args, Grid, Kernel};
use crate::shape::Shape;
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};

const WGSL: &str = include_str!("../../../../shaders/fill.wgsl");
static FILL: Kernel = Kernel::new(WGSL, "fill", fill_cpu).with_f64(fill_f64_cpu);
static SPOIL: Kernel = Kernel::new(WGSL, "spoil", spoil_cpu);
pub(super) const KERNELS: &[&Kernel] = &[&FILL, &SPOIL];

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    len: u32,
    value: u32,
}

fn fill_cpu(args: &mut Args<'_>) {
    let p: Params = args.params();
    args.output::<u8>(0).chunks_exact_mut(4).for_each(|word| word.copy_from_slice(&p.value.to_ne_bytes()));
}

fn fill_f64_cpu(args: &mut Args<'_>) {
    let p: Params = args.params();
    args.output::<f64>(0).fill(f32::from_bits(p.value).into());
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

/// Overwrites all elements of an f32 or u32 tensor with one word.
///
/// # Panics
/// If the tensor holds bytes.
#[track_caller]
pub(crate) fn fill_word(y: &Tensor, value: u32) {
    let fits = y.dtype().bytes() == 4 || y.dtype() == DType::F64;
    assert!(fits, "fill: the tensor (shape {}) holds {}", y.shape(), y.dtype());
    FILL.launch(Params { len: y.len() as u32, value }, &[], &[y], Grid::linear(y.len(), 256));
}

/// Changes the middle element visibly: what [`crate::check::with_fault`] plants.
pub(crate) fn spoil(y: &Tensor) {
    // Zero adds to a float; all else flips these bits of a word.
    let value = match y.dtype() {
        DType::F32 => 0,
        DType::F16 => 0x4000,
        _ => 1,
    };
    if !y.is_empty() {
        SPOIL.launch(Params { len: (y.bytes() / 4 / 2) as u32, value }, &[], &[y], Grid::folded(1));
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

    /// Overwrites all elements with `value`: a kernel, so it may stand inside a capture, unlike [`write`](Self::write).
    ///
    /// # Panics
    /// If the tensor does not hold f32.
    #[track_caller]
    pub fn fill(&self, value: f32) {
        self.expect_f32("fill");
        fill_word(self, value.to_bits());
    }
}

pub(super) fn cases() -> Vec<Case> {
    // One more than 65,535 workgroups of 256: the grid folds.
    let mut cases: Vec<Case> = [1, 257, 65_536 * 256 + 1]
        .into_iter()
        .map(|len| Case::new("fill", format!("{len} elements"), Bound::Exact, move |device| vec![Tensor::full(device, [len], 2.5)]))
        .collect();
    cases.push(Case::new("spoil", "middle of 5".to_owned(), Bound::Exact, |device| {
        let y = Tensor::full(device, [5], -3.0);
        spoil(&y);
        vec![y]
    }));
    cases
}

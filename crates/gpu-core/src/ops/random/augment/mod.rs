//! Batches from a data set of bytes that stays on the device: gather, random crop, random flip, normalise, cutout.
//!
//! `x[b, c, p, q] = (images[indices[b], c, p', q'] / 255 - mean[c]) / std[c]`, computed as `byte * scale[c] + bias[c]`.
//!
//! What happens to image `b` of a batch is a pure function of (seed, stream, step, b): the four words of the Philox block with
//! counter `(b, stream, step, 0)` and key `seed` are
//!
//! 0. the flip: mirrored left to right iff the word's highest bit is set;
//! 1. the first row of the crop out of the padded image, `word * (2 * crop_padding + 1) >> 32`;
//! 2. its first column, likewise;
//! 3. the centre of the square cut out: row `(word >> 16) * H >> 16`, column `(word & 0xffff) * W >> 16`.
//!
//! All four are drawn whatever is switched on, so that switching one off leaves the others as they were. The order is torchvision's
//! usual one: pad with black and crop, flip, normalise, then zeros over the square (which are the mean colour).
//!
//! [`augment_masks`] moves the masks of the images by the same numbers: each pixel of a mask goes where that of its image went.

use crate::base::DType;
use crate::base::Shape;
use crate::base::rng::{Key, Stream};
use crate::expect;
use crate::kernel::{Args, Grid, Kernel};
use crate::mirror::threads::{IndexedParallelIterator, Loop, ParallelSliceMut};
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};
use std::ops::Range;

const WGSL: &str = wgsl!("augment.wgsl");
static AUGMENT: Kernel = Kernel::new_trusted(WGSL, "augment", augment_cpu);
static AUGMENT_MASKS: Kernel = Kernel::new_trusted(WGSL, "augment_masks", augment_masks_cpu);
static GATHER_LABELS: Kernel = Kernel::new_trusted(WGSL, "gather_labels", gather_labels_cpu);
pub(in crate::ops) const KERNELS: &[&Kernel] = &[&AUGMENT, &AUGMENT_MASKS, &GATHER_LABELS];

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    images: u32,
    batch: u32,
    c: u32,
    h: u32,
    w: u32,
    stream: u32,
    seed_lo: u32,
    seed_hi: u32,
    flip: u32,
    crop_padding: u32,
    cutout: u32,
    outside: u32,
    scale: [f32; 4],
    bias: [f32; 4],
}

impl Params {
    /// For a batch (B, C, H, W) of that many images or masks; without what is done to colours.
    fn of(images: usize, [batch, c, h, w]: [usize; 4], key: Key, how: &Augment) -> Self {
        Self {
            images: images as u32,
            batch: batch as u32,
            c: c as u32,
            h: h as u32,
            w: w as u32,
            stream: key.stream,
            seed_lo: key.seed as u32,
            seed_hi: (key.seed >> 32) as u32,
            flip: how.flip.into(),
            crop_padding: how.crop_padding,
            cutout: how.cutout,
            ..Self::zeroed()
        }
    }
}

/// What [`augment`] does to images.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Augment {
    /// Mirrors every other image left to right, at random.
    pub flip: bool,
    /// Black pixels added on each side before an image of the old size is cut out at random; 0 leaves it where it is.
    pub crop_padding: u32,
    /// The side of the square set to zero (the mean colour) around a random pixel, cut off at the borders; 0 for none.
    pub cutout: u32,
    /// The mean of each channel, of values in [0, 1].
    pub mean: [f32; 4],
    /// The standard deviation of each channel.
    pub std: [f32; 4],
}

impl Augment {
    /// Nothing random: the same normalisation, for evaluation.
    pub fn evaluation(self) -> Self {
        Self { flip: false, crop_padding: 0, cutout: 0, ..self }
    }
}

/// What is done to one image: the mirror's copy of the kernel's.
struct Decision {
    flip: bool,
    shift: [isize; 2],
    cut: [Range<isize>; 2],
}

impl Decision {
    fn new(p: &Params, step: u32, b: usize) -> Self {
        let words = Stream::new(u64::from(p.seed_hi) << 32 | u64::from(p.seed_lo), p.stream, step).block(b as u32);
        let shift = |word: u32| {
            let first = (u64::from(word) * u64::from(2 * p.crop_padding + 1)) >> 32;
            first as isize - p.crop_padding as isize
        };
        let cut = |half_word: u32, extent: u32| {
            let low = ((half_word * extent) >> 16) as isize - (p.cutout / 2) as isize;
            low..low + p.cutout as isize
        };
        Self {
            flip: p.flip != 0 && words[0] >> 31 == 1,
            shift: [shift(words[1]), shift(words[2])],
            cut: [cut(words[3] >> 16, p.h), cut(words[3] & 0xffff, p.w)],
        }
    }

    /// The row of a plane of `w` columns that row `p` of the result comes from, where there is one.
    fn source<'a>(&self, plane: &'a [u8], p: isize, w: usize) -> Option<&'a [u8]> {
        usize::try_from(p + self.shift[0]).ok().and_then(|row| plane.chunks_exact(w).nth(row))
    }

    /// What column `q` of `w` comes from in such a row, where there is one.
    fn byte(&self, source: Option<&[u8]>, q: isize, w: isize) -> Option<u8> {
        let column = if self.flip { w - 1 - q } else { q } + self.shift[1];
        source?.get(usize::try_from(column).ok()?).copied()
    }

    /// One row of the result from the image's channel.
    fn row(&self, plane: &[u8], p: isize, x: &mut [f32], scale: f32, bias: f32) {
        let (w, source) = (x.len() as isize, self.source(plane, p, x.len()));
        for (q, x) in (0..w).zip(x.iter_mut()) {
            *x = f32::from(self.byte(source, q, w).unwrap_or(0)) * scale + bias;
        }
        if self.cut[0].contains(&p) {
            let [low, high] = [self.cut[1].start, self.cut[1].end].map(|q| q.clamp(0, w) as usize);
            x[low..high].fill(0.0);
        }
    }
}

fn augment_cpu(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (images, indices, step) = (args.input::<u8>(0), args.input::<u32>(1), args.input::<u32>(2)[0]);
    let (w, plane) = (p.w as usize, (p.h * p.w) as usize);
    let image = p.c as usize * plane;
    args.output::<f32>(0).par_chunks_exact_mut(image).zip(indices).enumerate().run(|(b, (x, &index))| {
        let decision = Decision::new(&p, step, b);
        let source = images.chunks_exact(image).nth(index as usize);
        for (c, x) in x.chunks_exact_mut(plane).enumerate() {
            let source = source.map_or(&[][..], |image| &image[c * plane..][..plane]);
            for (row, x) in x.chunks_exact_mut(w).enumerate() {
                decision.row(source, row as isize, x, p.scale[c], p.bias[c]);
            }
        }
    });
}

fn augment_masks_cpu(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (masks, indices, step) = (args.input::<u8>(0), args.input::<u32>(1), args.input::<u32>(2)[0]);
    let (w, plane) = (p.w as usize, (p.h * p.w) as usize);
    args.output::<u32>(0).par_chunks_exact_mut(plane).zip(indices).enumerate().run(|(b, (labels, &index))| {
        let decision = Decision::new(&p, step, b);
        let mask = masks.chunks_exact(plane).nth(index as usize).unwrap_or(&[]);
        for (row, labels) in labels.chunks_exact_mut(w).enumerate() {
            let source = decision.source(mask, row as isize, w);
            for (q, label) in labels.iter_mut().enumerate() {
                *label = decision.byte(source, q as isize, w as isize).map_or(p.outside, u32::from);
            }
        }
    });
}

fn gather_labels_cpu(args: &mut Args<'_>) {
    let (labels, indices) = (args.input::<u32>(0), args.input::<u32>(1));
    let chosen = |&i: &u32| labels.get(i as usize).copied().unwrap_or(0);
    args.output::<u32>(0).iter_mut().zip(indices).for_each(|(y, i)| *y = chosen(i));
}

/// Fills `x` (B, C, H, W) with the images (of `images` u8 (M, C, H, W)) that `indices` (B) names, augmented and normalised. In
/// place. `step` is one u32 on the device; the module's page tells what is drawn. Equivalent of torchvision's
/// `RandomCrop(size, padding)`, `RandomHorizontalFlip()`, `ToTensor()`, `Normalize(mean, std)`, and Cutout.
///
/// An index past the end stands for an image of zeros, as its padding is.
///
/// # Panics
/// If shapes or types do not fit, if there are more than four channels, or a side is over 65,535.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops, ops::Augment, rng::Key};
/// let cpu = Device::Cpu;
/// let images = Tensor::from_slice(&cpu, [2, 1, 1, 2], &[0u8, 51, 102, 255]);
/// let (indices, step) = (Tensor::from_slice(&cpu, [1], &[1u32]), Tensor::from_slice(&cpu, [1], &[0u32]));
/// let x = Tensor::empty(&cpu, [1, 1, 1, 2]);
/// let plain = Augment { flip: false, crop_padding: 0, cutout: 0, mean: [0.5; 4], std: [0.5; 4] };
/// ops::augment(&images, &indices, Key { seed: 0, stream: 0 }, &step, &x, &plain);
/// assert!(x.to_vec()?.iter().zip([-0.2, 1.0]).all(|(x, want)| (x - want).abs() < 1e-6));
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn augment(images: &Tensor, indices: &Tensor, key: Key, step: &Tensor, x: &Tensor, how: &Augment) {
    let (from, to) = (images.shape(), x.shape());
    let fits = from.rank() == 4 && to.rank() == 4 && from.dims()[1..] == to.dims()[1..] && from.n() > 0;
    assert!(fits, "augment: images must be (M, C, H, W) and x (B, C, H, W), M > 0 (images {from}, x {to})");
    assert!(from.c() <= 4, "augment: {} channels are over 4 (images {from}, x {to})", from.c());
    let sides = from.h().max(from.w()).max(how.crop_padding as usize).max(how.cutout as usize);
    assert!(sides <= 65_535, "augment: a side, a padding or a cutout of {sides} is over 65,535 (images {from}, x {to})");
    let one_each = indices.shape() == Shape::from([to.n()]);
    assert!(one_each, "augment: one index for each image of x is needed (indices {}, x {to})", indices.shape());
    let types = [images.dtype(), indices.dtype(), step.dtype(), x.dtype()];
    let wanted = [DType::U8, DType::U32, DType::U32, DType::F32];
    assert!(types == wanted, "augment: images, indices, step, x must hold {wanted:?}, they hold {types:?}");
    expect::one_device("augment", &[("images", images), ("indices", indices), ("step", step), ("x", x)]);
    assert!(step.len() == 1, "augment: step must be one u32 (step {}, x {to})", step.shape());
    let normal = |c: usize| (f64::from(how.mean[c]), f64::from(how.std[c]));
    let params = Params {
        scale: [0, 1, 2, 3].map(|c| (1.0 / (255.0 * normal(c).1)) as f32),
        bias: [0, 1, 2, 3].map(|c| (-normal(c).0 / normal(c).1) as f32),
        ..Params::of(from.n(), [to.n(), to.c(), to.h(), to.w()], key, how)
    };
    AUGMENT.launch(params, &[images, indices, step], &[x], Grid::linear(x.len().div_ceil(4), 256).trips(54));
}

/// Fills `labels` (B, H, W), u32, with the masks (of `masks` u8 (M, H, W)) that `indices` (B) names, moved as [`augment`] moves their
/// images by the same `key`, `step` and `how`: flipped and cropped. In place. Where an image is padding, or there is no such mask, a label is
/// `outside`. What is cut out of an image, and its colours, change no mask. Equivalent of torchvision's `v2.RandomCrop` and
/// `v2.RandomHorizontalFlip` of a `tv_tensors.Mask`.
///
/// # Panics
/// If shapes or types do not fit, or a side is over 65,535.
///
/// ```
/// # use gpu_core::{DType, Device, Tensor, ops, ops::Augment, rng::Key};
/// let cpu = Device::Cpu;
/// let masks = Tensor::from_slice(&cpu, [2, 1, 2], &[0u8, 1, 2, 255]);
/// let (indices, step) = (Tensor::from_slice(&cpu, [1], &[1u32]), Tensor::from_slice(&cpu, [1], &[0u32]));
/// let labels = Tensor::empty_of(&cpu, [1, 1, 2], DType::U32);
/// let plain = Augment { flip: false, crop_padding: 0, cutout: 0, mean: [0.5; 4], std: [0.5; 4] };
/// ops::augment_masks(&masks, &indices, Key { seed: 0, stream: 0 }, &step, &labels, &plain, 255);
/// assert_eq!(labels.read::<u32>()?, [2, 255]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn augment_masks(masks: &Tensor, indices: &Tensor, key: Key, step: &Tensor, labels: &Tensor, how: &Augment, outside: u32) {
    let (from, to) = (masks.shape(), labels.shape());
    let fits = from.rank() == 3 && to.rank() == 3 && from.dims()[1..] == to.dims()[1..] && from.n() > 0;
    assert!(fits, "augment_masks: masks must be (M, H, W) and labels (B, H, W), M > 0 (masks {from}, labels {to})");
    let [batch, h, w] = [0, 1, 2].map(|axis| to.dim(axis));
    let sides = h.max(w).max(how.crop_padding as usize);
    assert!(sides <= 65_535, "augment_masks: a side or a padding of {sides} is over 65,535 (masks {from}, labels {to})");
    let one_each = indices.shape() == Shape::from([batch]);
    assert!(one_each, "augment_masks: one index for each of the labels is needed (indices {}, labels {to})", indices.shape());
    let types = [masks.dtype(), indices.dtype(), step.dtype(), labels.dtype()];
    let wanted = [DType::U8, DType::U32, DType::U32, DType::U32];
    assert!(types == wanted, "augment_masks: masks, indices, step, labels must hold {wanted:?}, they hold {types:?}");
    expect::one_device("augment_masks", &[("masks", masks), ("indices", indices), ("step", step), ("labels", labels)]);
    assert!(step.len() == 1, "augment_masks: step must be one u32 (step {}, labels {to})", step.shape());
    let params = Params { outside, ..Params::of(from.n(), [batch, 1, h, w], key, how) };
    AUGMENT_MASKS.launch(params, &[masks, indices, step], &[labels], Grid::linear(labels.len(), 256).trips(10));
}

/// Fills `out` (B) with `labels[indices]`, all u32. In place. Equivalent of PyTorch's `labels[indices]`.
///
/// An index past the end stands for label 0.
///
/// # Panics
/// If shapes or types do not fit, or if there is no label.
///
/// ```
/// # use gpu_core::{DType, Device, Tensor, ops};
/// let labels = Tensor::from_slice(&Device::Cpu, [3], &[5u32, 6, 7]);
/// let indices = Tensor::from_slice(&Device::Cpu, [2], &[2u32, 0]);
/// let out = Tensor::empty_of(&Device::Cpu, [2], DType::U32);
/// ops::gather_labels(&labels, &indices, &out);
/// assert_eq!(out.read::<u32>()?, [7, 5]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn gather_labels(labels: &Tensor, indices: &Tensor, out: &Tensor) {
    let integers = [labels, indices, out].iter().all(|t| t.dtype() == DType::U32);
    assert!(integers, "gather_labels: labels, indices and out must hold u32 (indices {}, out {})", indices.shape(), out.shape());
    expect::one_device("gather_labels", &[("labels", labels), ("indices", indices), ("out", out)]);
    let fits = indices.shape() == out.shape() && labels.shape().rank() == 1 && !labels.is_empty();
    let shapes = (labels.shape(), indices.shape(), out.shape());
    assert!(fits, "gather_labels: labels must be (M), indices and out (B) (labels, indices, out {shapes:?})");
    let params = Params { images: labels.len() as u32, batch: out.len() as u32, ..Params::zeroed() };
    GATHER_LABELS.launch(params, &[labels, indices], &[out], Grid::linear(out.len(), 256));
}

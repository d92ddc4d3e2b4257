//! Batches from a data set of bytes, each picture moved, resized, turned, recoloured, blanked and mixed with another as the host says.
//!
//! Where [`augment`](super::super::augment) draws on the device what it does, here each picture has [`Warp::WORDS`] words that say it, so
//! that one kernel does whatever a host can think of. Places, colours and mixtures are whole numbers (65536ths of a pixel, 256ths of a
//! byte), and one product of floats remains: every device gives the same bits. [`warp_masks`] moves the masks of the pictures by the same
//! words.

mod words;

pub use words::{Warp, Window};

use crate::base::DType;
use crate::base::Shape;
use crate::expect;
use crate::kernel::{Args, Grid, Kernel};
use crate::mirror::threads::{IndexedParallelIterator, Loop, ParallelSliceMut};
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};
use words::{BLANK, COLOUR, PARTNER, SHARE, WHITE, WINDOW};

const WGSL: &str = wgsl!("warp.wgsl");
static WARP: Kernel = Kernel::new_trusted(WGSL, "warp", warp_cpu);
static WARP_MASKS: Kernel = Kernel::new_trusted(WGSL, "warp_masks", warp_masks_cpu);
pub(in crate::ops) const KERNELS: &[&Kernel] = &[&WARP, &WARP_MASKS];

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    images: u32,
    batch: u32,
    c: u32,
    h: u32,
    w: u32,
    rows: u32,
    columns: u32,
    outside: u32,
    mean: [i32; 4],
    scale: [f32; 4],
}

/// The mirror's view of one picture of a batch.
struct Picture<'a> {
    p: Params,
    words: &'a [i32],
    /// Its channels one after the other; nothing, for an image past the end.
    bytes: &'a [u8],
}

impl Picture<'_> {
    /// The mean of the four pixels around a place in 65536ths, in 256ths of a byte.
    fn sample(&self, plane: &[u8], row: i32, column: i32) -> i32 {
        let (h, w) = (self.p.h as usize, self.p.w as usize);
        let (p, q) = (row >> 16, column >> 16);
        let [down, right] = [row, column].map(|at| (at >> 8) as u32 & 0xff);
        // Below zero is past the end too.
        let byte = |p: i32, q: i32| match (p as u32 as usize, q as u32 as usize) {
            (p, q) if p < h && q < w => u32::from(plane[p * w + q]),
            _ => 0,
        };
        if down == 0 && right == 0 {
            return (byte(p, q) << 8) as i32;
        }
        let across = |p: i32| byte(p, q) * (256 - right) + byte(p, q.wrapping_add(1)) * right;
        ((across(p) * (256 - down) + across(p.wrapping_add(1)) * down + 128) >> 8) as i32
    }

    /// All channels of a pixel before it is mixed.
    fn pixel(&self, p: u32, q: u32) -> [i32; 4] {
        if is_inside(&self.words[BLANK], p, q) {
            return self.p.mean;
        }
        let [row, column] = place(self.words, p, q);
        let mut v = [0; 4];
        for (v, plane) in v.iter_mut().zip(self.bytes.chunks_exact((self.p.h * self.p.w) as usize)) {
            *v = self.sample(plane, row, column);
        }
        self.recoloured(v).map(|v| v.clamp(0, WHITE))
    }

    fn recoloured(&self, v: [i32; 4]) -> [i32; 4] {
        let colour = &self.words[COLOUR];
        let turned = |row: &[i32]| {
            let sum = (0..3).fold(0i32, |sum, i| sum.wrapping_add(row[i].wrapping_mul(v[i])));
            (sum.wrapping_add(512) >> 10).wrapping_add(row[3])
        };
        let alike = |v: i32| (v.wrapping_mul(colour[0]).wrapping_add(512) >> 10).wrapping_add(colour[3]);
        if self.p.c == 3 { [turned(colour), turned(&colour[4..]), turned(&colour[8..]), 0] } else { v.map(alike) }
    }

    /// The same with its partner.
    fn mixed(&self, partner: &Self, p: u32, q: u32) -> [i32; 4] {
        let (own, other) = (self.pixel(p, q), partner.pixel(p, q));
        let share = if is_inside(&self.words[WINDOW], p, q) { 0 } else { self.share() };
        std::array::from_fn(|c| ((own[c] as u32 * share + other[c] as u32 * ((1 << 16) - share) + 32_768) >> 16) as i32)
    }

    fn share(&self) -> u32 {
        (self.words[SHARE] as u32).min(1 << 16)
    }
}

/// Where a pixel comes from by the words of its picture, row and column in 65536ths.
fn place(words: &[i32], p: u32, q: u32) -> [i32; 2] {
    let at = |w: &[i32]| w[0].wrapping_add((p as i32).wrapping_mul(w[1])).wrapping_add((q as i32).wrapping_mul(w[2]));
    [at(&words[..3]), at(&words[3..6])]
}

fn is_inside(window: &[i32], p: u32, q: u32) -> bool {
    let bound = |i: usize| window[i] as u32;
    (bound(0)..bound(1)).contains(&p) && (bound(2)..bound(3)).contains(&q)
}

fn warp_cpu(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (images, indices, words): (&[u8], &[u32], &[i32]) = (args.input(0), args.input(1), args.input(2));
    let (columns, plane, c) = (p.columns as usize, (p.rows * p.columns) as usize, p.c as usize);
    let picture = |b: usize| {
        let bytes = images.chunks_exact((p.c * p.h * p.w) as usize).nth(indices[b] as usize).unwrap_or(&[]);
        Picture { p, words: &words[b * Warp::WORDS..][..Warp::WORDS], bytes }
    };
    args.output::<f32>(0).par_chunks_exact_mut(c * plane).enumerate().run(|(b, x)| {
        let own = picture(b);
        let partner = own.words[PARTNER] as u32;
        let is_mixed = partner < p.batch && (own.share() < 1 << 16 || own.words[WINDOW] != [0; 4]);
        let partner = is_mixed.then(|| picture(partner as usize));
        for i in 0..plane {
            let (row, column) = ((i / columns) as u32, (i % columns) as u32);
            let v = partner.as_ref().map_or_else(|| own.pixel(row, column), |partner| own.mixed(partner, row, column));
            for channel in 0..c {
                x[channel * plane + i] = (v[channel] - p.mean[channel]) as f32 * p.scale[channel];
            }
        }
    });
}

fn warp_masks_cpu(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (masks, indices, words): (&[u8], &[u32], &[i32]) = (args.input(0), args.input(1), args.input(2));
    let (h, w, columns) = (p.h as usize, p.w as usize, p.columns as usize);
    args.output::<u32>(0).par_chunks_exact_mut(p.rows as usize * columns).enumerate().run(|(b, labels)| {
        let mask = masks.chunks_exact(h * w).nth(indices[b] as usize);
        let words = &words[b * Warp::WORDS..][..Warp::WORDS];
        for (i, label) in labels.iter_mut().enumerate() {
            // Below zero is past the end too.
            let nearest =
                place(words, (i / columns) as u32, (i % columns) as u32).map(|at| (at.wrapping_add(1 << 15) >> 16) as u32);
            let [row, column] = nearest.map(|at| at as usize);
            *label = mask.filter(|_| row < h && column < w).map_or(p.outside, |mask| mask[row * w + column].into());
        }
    });
}

/// Fills `x` (B, C, P, Q) with the images (of `images` u8 (M, C, H, W)) that `indices` (B) names, each made as its words in `warps` i32
/// (B, [`Warp::WORDS`]) say, then normalised by `mean` and `std`, of values in [0, 1]. In place. What lies outside a source is black.
/// Places between pixels are bilinear, as in torchvision's `affine(..., interpolation=BILINEAR)`.
///
/// An index past the end stands for a black image, a partner past the end for none.
///
/// # Panics
/// If shapes or types do not fit, if there are more than four channels, or a side is over 16,384.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops, ops::Warp};
/// let cpu = Device::Cpu;
/// let images = Tensor::from_slice(&cpu, [1, 1, 1, 2], &[0u8, 255]);
/// // Twice as wide.
/// let wide = Warp { source: [[0.0, 1.0, 0.0], [-0.25, 0.0, 0.5]], ..Warp::default() };
/// let (indices, warps) = (Tensor::from_slice(&cpu, [1], &[0u32]), Tensor::from_slice(&cpu, [1, Warp::WORDS], &wide.words()));
/// let x = Tensor::empty(&cpu, [1, 1, 1, 4]);
/// ops::warp(&images, &indices, &warps, &x, [0.0; 4], [1.0; 4]);
/// assert!(x.to_vec()?.iter().zip([0.0, 0.25, 0.75, 0.75]).all(|(x, want)| (x - want).abs() < 1e-6));
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn warp(images: &Tensor, indices: &Tensor, warps: &Tensor, x: &Tensor, mean: [f32; 4], std: [f32; 4]) {
    let (from, to) = (images.shape(), x.shape());
    let fits = from.rank() == 4 && to.rank() == 4 && from.c() == to.c() && from.n() > 0;
    assert!(fits, "warp: images must be (M, C, H, W) and x (B, C, P, Q), M > 0 (images {from}, x {to})");
    assert!(from.c() <= 4, "warp: {} channels are over 4 (images {from}, x {to})", from.c());
    let side = [from.h(), from.w(), to.h(), to.w()].into_iter().max().unwrap_or(0);
    assert!(side <= 16_384, "warp: a side of {side} is over 16,384 (images {from}, x {to})");
    let one_each = indices.shape() == Shape::from([to.n()]) && warps.shape() == Shape::from([to.n(), Warp::WORDS]);
    let shapes = format!("indices {}, warps {}, x {to}", indices.shape(), warps.shape());
    assert!(one_each, "warp: one index and {} words for each image of x are needed ({shapes})", Warp::WORDS);
    let types = [images.dtype(), indices.dtype(), warps.dtype(), x.dtype()];
    let wanted = [DType::U8, DType::U32, DType::I32, DType::F32];
    assert!(types == wanted, "warp: images, indices, warps, x must hold {wanted:?}, they hold {types:?}");
    expect::one_device("warp", &[("images", images), ("indices", indices), ("warps", warps), ("x", x)]);
    let white = f64::from(WHITE);
    let params = Params {
        images: from.n() as u32,
        batch: to.n() as u32,
        c: to.c() as u32,
        h: from.h() as u32,
        w: from.w() as u32,
        rows: to.h() as u32,
        columns: to.w() as u32,
        outside: 0,
        mean: mean.map(|v| (f64::from(v) * white).round() as i32),
        scale: std.map(|v| (1.0 / (white * f64::from(v))) as f32),
    };
    WARP.launch(params, &[images, indices, warps], &[x], Grid::linear(to.n() * to.h() * to.w(), 256));
}

/// Fills `labels` (B, P, Q), u32, with the masks (of `masks` u8 (M, H, W)) that `indices` (B) names, moved as [`warp`] moves their pictures by
/// the same `warps` i32 (B, [`Warp::WORDS`]): each pixel is the nearest one of its mask. In place. Outside a mask, or where there is none, a
/// label is `outside`. Colours, what is blanked and what is mixed in change no mask. Equivalent of torchvision's
/// `affine(..., interpolation=NEAREST, fill=outside)`.
///
/// # Panics
/// If shapes or types do not fit, or a side is over 16,384.
///
/// ```
/// # use gpu_core::{DType, Device, Tensor, ops, ops::Warp};
/// let cpu = Device::Cpu;
/// let masks = Tensor::from_slice(&cpu, [1, 1, 2], &[3u8, 7]);
/// // A pixel to the left.
/// let moved = Warp { source: [[0.0, 1.0, 0.0], [1.0, 0.0, 1.0]], ..Warp::default() };
/// let (indices, warps) = (Tensor::from_slice(&cpu, [1], &[0u32]), Tensor::from_slice(&cpu, [1, Warp::WORDS], &moved.words()));
/// let labels = Tensor::empty_of(&cpu, [1, 1, 2], DType::U32);
/// ops::warp_masks(&masks, &indices, &warps, &labels, 255);
/// assert_eq!(labels.read::<u32>()?, [7, 255]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn warp_masks(masks: &Tensor, indices: &Tensor, warps: &Tensor, labels: &Tensor, outside: u32) {
    let (from, to) = (masks.shape(), labels.shape());
    let fits = from.rank() == 3 && to.rank() == 3 && from.n() > 0;
    assert!(fits, "warp_masks: masks must be (M, H, W) and labels (B, P, Q), M > 0 (masks {from}, labels {to})");
    let [[images, h, w], [batch, rows, columns]] = [from, to].map(|shape| [0, 1, 2].map(|axis| shape.dim(axis)));
    let side = [h, w, rows, columns].into_iter().max().unwrap_or(0);
    assert!(side <= 16_384, "warp_masks: a side of {side} is over 16,384 (masks {from}, labels {to})");
    let one_each = indices.shape() == Shape::from([batch]) && warps.shape() == Shape::from([batch, Warp::WORDS]);
    let shapes = format!("indices {}, warps {}, labels {to}", indices.shape(), warps.shape());
    assert!(one_each, "warp_masks: one index and {} words for each of the labels are needed ({shapes})", Warp::WORDS);
    let types = [masks.dtype(), indices.dtype(), warps.dtype(), labels.dtype()];
    let wanted = [DType::U8, DType::U32, DType::I32, DType::U32];
    assert!(types == wanted, "warp_masks: masks, indices, warps, labels must hold {wanted:?}, they hold {types:?}");
    expect::one_device("warp_masks", &[("masks", masks), ("indices", indices), ("warps", warps), ("labels", labels)]);
    let params = Params {
        images: images as u32,
        batch: batch as u32,
        c: 1,
        h: h as u32,
        w: w as u32,
        rows: rows as u32,
        columns: columns as u32,
        outside,
        ..Params::zeroed()
    };
    WARP_MASKS.launch(params, &[masks, indices, warps], &[labels], Grid::linear(labels.len(), 256));
}

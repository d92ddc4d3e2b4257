//! How far what was predicted is what there is, class by class: sums that stay on the device.
//!
//! `iou = both / (predicted + labelled - both)` of a class, from three counts of rows: those of the class that were predicted as such, all
//! that were predicted as such, and all that are of it. They are integers, so that no order and no pause changes them.

use super::argmax::argmax;
use super::options::{expect_classes, expect_labels};
use super::params::Params as Rows;
use crate::base::{DType, Shape};
use crate::expect;
use crate::kernel::{Args, Grid, Kernel};
use crate::run::Device;
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};

pub(super) static ACCUMULATE_OVERLAPS: Kernel =
    Kernel::new_trusted(concat!(wgsl!("counts.wgsl"), wgsl!("overlap_sums.wgsl")), "accumulate_overlaps", accumulate_overlaps_cpu);

/// Rows of one launch: a multiple of what a view may begin at.
const LAUNCH_ROWS: usize = 1 << 23;

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    rows: u32,
    classes: u32,
}

fn accumulate_overlaps_cpu(args: &mut Args<'_>) {
    let Params { rows, classes } = args.params();
    let (predicted, labels): (&[u32], &[u32]) = (args.input(0), args.input(1));
    let mut counts = vec![[0u64; 3]; classes as usize];
    for (&predicted, &label) in predicted.iter().zip(labels).take(rows as usize).filter(|(_, label)| **label < classes) {
        counts[label as usize][2] += 1;
        if let Some([both, named, _]) = counts.get_mut(predicted as usize) {
            (*both, *named) = (*both + u64::from(predicted == label), *named + 1);
        }
    }
    for (sum, count) in args.output::<u32>(0).chunks_exact_mut(2).zip(counts.into_flattened()) {
        let total = (u64::from(sum[1]) << 32 | u64::from(sum[0])).wrapping_add(count);
        (sum[0], sum[1]) = (total as u32, (total >> 32) as u32);
    }
}

/// What [`accumulate_overlaps`] has counted of a class.
///
/// ```
/// # use gpu_core::ops::Overlap;
/// let [sky, sea] = [Overlap { both: 3, predicted: 4, labelled: 5 }, Overlap { both: 1, predicted: 3, labelled: 2 }];
/// assert_eq!((sky.iou(), sea.iou()), (Some(0.5), Some(0.25)));
/// assert_eq!((Overlap::mean_iou(&[sky, sea]), Overlap::accuracy(&[sky, sea])), (0.375, 4.0 / 7.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Overlap {
    /// Rows of the class that were predicted as such.
    pub both: u64,
    /// Rows that were predicted as of the class, among those whose label is one.
    pub predicted: u64,
    /// Rows of the class.
    pub labelled: u64,
}

impl Overlap {
    /// How many words of the tensor a class has.
    pub const WORDS: usize = 6;

    /// A tensor of zeros to add to: u32 (classes, 6).
    #[track_caller]
    pub fn zeros(device: &Device, classes: usize) -> Tensor {
        Tensor::from_slice(device, [classes, Self::WORDS], &vec![0u32; classes * Self::WORDS])
    }

    /// Of each class, from the words of the tensor.
    pub fn of(words: &[u32]) -> Vec<Self> {
        let number = |words: &[u32], i: usize| u64::from(words[2 * i + 1]) << 32 | u64::from(words[2 * i]);
        let class = |words: &[u32]| Self { both: number(words, 0), predicted: number(words, 1), labelled: number(words, 2) };
        words.chunks_exact(Self::WORDS).map(class).collect()
    }

    /// With what was counted elsewhere.
    pub fn plus(self, other: Self) -> Self {
        Self { both: self.both + other.both, predicted: self.predicted + other.predicted, labelled: self.labelled + other.labelled }
    }

    /// Intersection over union, 0 to 1; none where nothing is of the class or was predicted as such.
    pub fn iou(&self) -> Option<f64> {
        let union = self.predicted + self.labelled - self.both;
        (union > 0).then(|| self.both as f64 / union as f64)
    }

    /// The mean of the classes that have one; NaN where none has.
    pub fn mean_iou(classes: &[Self]) -> f64 {
        let all: Vec<f64> = classes.iter().filter_map(Self::iou).collect();
        all.iter().sum::<f64>() / all.len() as f64
    }

    /// The share of the rows with a class that were predicted rightly, 0 to 1; NaN where there is no such row.
    pub fn accuracy(classes: &[Self]) -> f64 {
        let sum = |part: fn(&Self) -> u64| classes.iter().map(part).sum::<u64>() as f64;
        sum(|class| class.both) / sum(|class| class.labelled)
    }
}

/// Adds a batch to the [`Overlap`] of each class, which stay on the device as `sums` u32 (C, 6): the rows of `logits` (N, C, ...) by their
/// [`argmax`] and their `labels` u32 (N, ...). In place. A row whose label is no class (`>= C`) does not count. Equivalent of
/// torchmetrics' `MulticlassJaccardIndex` with `ignore_index`, without waiting for the device.
///
/// # Panics
/// If the shapes or types do not fit.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops, ops::Overlap};
/// let logits = Tensor::from_slice(&Device::Cpu, [3, 2], &[0.0f32, 1.0, 0.0, 1.0, 1.0, 0.0]);
/// let labels = Tensor::from_slice(&Device::Cpu, [3], &[1u32, 0, 255]);
/// let sums = Overlap::zeros(&Device::Cpu, 2);
/// ops::accumulate_overlaps(&logits, &labels, &sums);
/// let [first, second] = Overlap::of(&sums.read()?)[..] else { panic!("two classes") };
/// assert_eq!(first, Overlap { both: 0, predicted: 0, labelled: 1 });
/// assert_eq!(second, Overlap { both: 1, predicted: 2, labelled: 1 });
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn accumulate_overlaps(logits: &Tensor, labels: &Tensor, sums: &Tensor) {
    const OP: &str = "accumulate_overlaps";
    expect::f32s(OP, &[("logits", logits)]);
    expect_classes(OP, ("logits", logits));
    expect_labels(OP, ("logits", logits), labels);
    let named = [("logits", logits), ("sums", sums)];
    expect::dtype(OP, named[1], DType::U32);
    expect::one_device(OP, &named);
    let (rows, classes) = (Rows::along(logits.shape(), 1).n as usize, logits.shape().c());
    let fits = sums.shape() == Shape::from([classes, Overlap::WORDS]);
    assert!(fits, "{OP}: sums must have {} words for each class ({})", Overlap::WORDS, expect::shapes(&named));
    if rows == 0 {
        return;
    }
    let (predicted, labels) = (argmax(logits).reshape([rows]), labels.reshape([rows]));
    for first in (0..rows).step_by(LAUNCH_ROWS) {
        let part = (rows - first).min(LAUNCH_ROWS);
        let lanes = if part <= 16_384 && sums.device().work().is_by_registers() { 1 } else { 256 };
        let params = Params { rows: part as u32, classes: classes as u32 };
        let grid = Grid::folded(classes).trips(part.div_ceil(lanes) + 8);
        let inputs = [&predicted.view(first, Shape::from([part])), &labels.view(first, Shape::from([part]))];
        ACCUMULATE_OVERLAPS.with(&[("LANES", lanes as u32)]).launch(params, &inputs, &[sums], grid);
    }
}

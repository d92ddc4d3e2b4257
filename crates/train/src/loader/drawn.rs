//! Batches whose changes the host draws.

use super::treatment::Treatment;
use crate::augmentation::{Batch, draw, own_share};
use crate::data::ImageSet;
use gpu_core::ops::Warp;
use gpu_core::{DType, Device, Tensor, ops};
use nn::{Loss, Slots};

/// What the host has drawn for a batch, where the device reads it.
#[derive(Debug)]
pub(super) struct Drawn {
    treatment: Treatment,
    sides: [usize; 2],
    channels: usize,
    warps: Tensor,
    /// Of each label, the share of the image itself, (B, 1); and whose label has the rest.
    shares: Tensor,
    partners: Tensor,
}

impl Drawn {
    /// None for what the kernel draws itself.
    pub fn new(device: &Device, set: &ImageSet, batch: usize, treatment: &Treatment) -> Option<Self> {
        let drawn = || Self {
            treatment: *treatment,
            sides: [set.height(), set.width()],
            channels: set.channels(),
            warps: Tensor::zeros_of(device, [batch, Warp::WORDS], DType::I32),
            shares: Tensor::full(device, [batch, 1], 1.0),
            partners: Tensor::from_slice(device, [batch], &vec![0u32; batch]),
        };
        treatment.how.is_drawn_by_the_host().then(drawn)
    }

    pub fn launch_images(&self, images: &Tensor, indices: &Tensor, slots: &Slots) {
        ops::warp(images, indices, &self.warps, &slots.x, self.treatment.mean, self.treatment.std);
    }

    pub fn launch_masks(&self, masks: &Tensor, indices: &Tensor, slots: &Slots) {
        ops::warp_masks(masks, indices, &self.warps, &slots.labels, Loss::IGNORED);
    }

    /// Makes the targets of mixed images, once the slots have their labels.
    ///
    /// # Panics
    /// If labels are mixed and the step takes no targets.
    #[track_caller]
    pub fn launch_targets(&self, slots: &Slots) {
        if !self.treatment.how.mixes() {
            return;
        }
        let targets = slots.targets.as_ref().expect("Feed::launch: mixed labels are targets, which SoftCrossEntropy takes");
        let classes = targets.len() / self.shares.len();
        let others = Tensor::empty_of(slots.labels.device(), slots.labels.shape(), DType::U32);
        ops::gather_labels(&slots.labels, &self.partners, &others);
        let [own, other] = [&slots.labels, &others].map(|labels| ops::one_hot(labels, classes));
        let mixed = &(&own * &self.shares) + &(&other * &(1.0 - &self.shares));
        ops::copy_into(&mixed, targets);
    }

    /// Draws for the step of this number.
    pub fn fill(&self, number: u32, len: usize) {
        let Self { treatment, sides, channels, .. } = self;
        let batch = Batch { seed: treatment.seed, step: number, len, sides: *sides, mean: &treatment.mean[..*channels] };
        let warps = draw(&treatment.how, &batch);
        self.warps.write(&warps.iter().flat_map(Warp::words).collect::<Vec<i32>>());
        if treatment.how.mixes() {
            self.shares.write(&warps.iter().map(|warp| own_share(warp, *sides) as f32).collect::<Vec<f32>>());
            self.partners.write(&warps.iter().map(|warp| warp.partner).collect::<Vec<u32>>());
        }
    }
}

//! Convolutions of common networks, at sizes of pictures and of batches that are drawn by a seed: what nobody has tuned a kernel for.

use super::layers::{Kind, Layer};
use crate::data::random::Stream;
use proof::Bench;

/// Convolutions of each network, the ones that differ, with how many times smaller than the pictures their planes are.
const NETWORKS: &[(&str, &[(usize, Kind)])] = &[
    (
        "resnet18",
        &[
            (1, Kind::conv(3, 64, 7, 2)),
            (4, Kind::conv(64, 64, 3, 1)),
            (4, Kind::conv(64, 128, 3, 2)),
            (4, Kind::conv(64, 128, 1, 2)),
            (8, Kind::conv(128, 128, 3, 1)),
            (8, Kind::conv(128, 256, 3, 2)),
            (8, Kind::conv(128, 256, 1, 2)),
            (16, Kind::conv(256, 256, 3, 1)),
            (16, Kind::conv(256, 512, 3, 2)),
            (16, Kind::conv(256, 512, 1, 2)),
            (32, Kind::conv(512, 512, 3, 1)),
        ],
    ),
    (
        "resnet50",
        &[
            (4, Kind::conv(64, 64, 1, 1)),
            (4, Kind::conv(64, 256, 1, 1)),
            (4, Kind::conv(256, 64, 1, 1)),
            (4, Kind::conv(256, 128, 1, 1)),
            (4, Kind::conv(128, 128, 3, 2)),
            (4, Kind::conv(256, 512, 1, 2)),
            (8, Kind::conv(128, 512, 1, 1)),
            (8, Kind::conv(512, 128, 1, 1)),
            (8, Kind::conv(256, 256, 3, 2)),
            (8, Kind::conv(512, 1024, 1, 2)),
            (16, Kind::conv(256, 1024, 1, 1)),
            (16, Kind::conv(1024, 256, 1, 1)),
            (16, Kind::conv(512, 512, 3, 2)),
            (16, Kind::conv(1024, 2048, 1, 2)),
            (32, Kind::conv(512, 2048, 1, 1)),
            (32, Kind::conv(2048, 512, 1, 1)),
        ],
    ),
    (
        "mobilenet-v2",
        &[
            (1, Kind::conv(3, 32, 3, 2)),
            (2, Kind::depthwise(32, 1)),
            (2, Kind::conv(32, 16, 1, 1)),
            (2, Kind::conv(16, 96, 1, 1)),
            (2, Kind::depthwise(96, 2)),
            (4, Kind::conv(96, 24, 1, 1)),
            (4, Kind::conv(24, 144, 1, 1)),
            (4, Kind::depthwise(144, 1)),
            (4, Kind::depthwise(144, 2)),
            (8, Kind::conv(144, 32, 1, 1)),
            (8, Kind::conv(32, 192, 1, 1)),
            (8, Kind::depthwise(192, 1)),
            (16, Kind::conv(192, 64, 1, 1)),
            (16, Kind::conv(64, 384, 1, 1)),
            (16, Kind::depthwise(384, 1)),
            (16, Kind::conv(576, 96, 1, 1)),
            (16, Kind::depthwise(576, 2)),
            (32, Kind::conv(576, 160, 1, 1)),
            (32, Kind::conv(160, 960, 1, 1)),
            (32, Kind::depthwise(960, 1)),
            (32, Kind::conv(960, 320, 1, 1)),
            (32, Kind::conv(320, 1280, 1, 1)),
        ],
    ),
    (
        "densenet121",
        &[
            (1, Kind::conv(3, 64, 7, 2)),
            (4, Kind::conv(96, 128, 1, 1)),
            (4, Kind::conv(128, 32, 3, 1)),
            (4, Kind::conv(256, 128, 1, 1)),
            (8, Kind::conv(320, 128, 1, 1)),
            (8, Kind::conv(128, 32, 3, 1)),
            (16, Kind::conv(736, 128, 1, 1)),
            (16, Kind::conv(128, 32, 3, 1)),
            (16, Kind::conv(1024, 512, 1, 1)),
            (32, Kind::conv(800, 128, 1, 1)),
            (32, Kind::conv(128, 32, 3, 1)),
        ],
    ),
    (
        "vgg11",
        &[
            (1, Kind::conv(3, 64, 3, 1)),
            (2, Kind::conv(64, 128, 3, 1)),
            (4, Kind::conv(128, 256, 3, 1)),
            (4, Kind::conv(256, 256, 3, 1)),
            (8, Kind::conv(256, 512, 3, 1)),
            (8, Kind::conv(512, 512, 3, 1)),
            (16, Kind::conv(512, 512, 3, 1)),
        ],
    ),
    (
        "unet",
        &[
            (1, Kind::conv(3, 64, 3, 1)),
            (1, Kind::conv(64, 64, 3, 1)),
            (2, Kind::conv(64, 128, 3, 1)),
            (4, Kind::conv(128, 256, 3, 1)),
            (8, Kind::conv(512, 256, 3, 1)),
            (16, Kind::conv(512, 1024, 3, 1)),
            (16, Kind::up(1024, 512, 2)),
            (8, Kind::up(512, 256, 2)),
            (4, Kind::up(256, 128, 2)),
            (2, Kind::up(128, 64, 2)),
            (1, Kind::conv(128, 64, 3, 1)),
            (1, Kind::conv(64, 2, 1, 1)),
        ],
    ),
    (
        "dcgan",
        &[
            (1, Kind::conv(3, 64, 4, 2)),
            (2, Kind::conv(64, 128, 4, 2)),
            (4, Kind::conv(128, 256, 4, 2)),
            (8, Kind::conv(256, 512, 4, 2)),
            (16, Kind::up(512, 256, 4)),
            (8, Kind::up(256, 128, 4)),
            (4, Kind::up(128, 64, 4)),
            (2, Kind::up(64, 3, 4)),
        ],
    ),
];

/// Rows and columns of the pictures.
const SIZES: [usize; 10] = [28, 32, 45, 64, 80, 96, 128, 160, 192, 224];

/// Images of a batch.
const BATCHES: [usize; 8] = [1, 2, 4, 8, 16, 32, 64, 128];

/// Floating-point operations of a row at most: some ten milliseconds of a small processor.
const MOST: usize = 1 << 32;

/// Elements of a tensor at most: 64 MiB.
const LARGEST: usize = 1 << 24;

/// How many layers are drawn.
const LAYERS: usize = 40;

/// The rows of the layers that `seed` draws, no layer twice.
pub(super) fn benches(seed: u64) -> Vec<Bench> {
    drawn(seed).iter().flat_map(Layer::rows).collect()
}

fn drawn(seed: u64) -> Vec<Layer> {
    let all: Vec<_> = NETWORKS.iter().flat_map(|&(name, layers)| layers.iter().map(move |&layer| (name, layer))).collect();
    let mut stream = Stream::new(seed, 0);
    let mut below = |len: usize| stream.below(len as u64) as usize;
    let mut drawn: Vec<Layer> = Vec::new();
    while drawn.len() < LAYERS {
        let (network, (smaller, kind)) = all[below(all.len())];
        let (pictures, batch) = (SIZES[below(SIZES.len())], BATCHES[below(BATCHES.len())]);
        let layer = Layer { network, batch, size: pictures.div_ceil(smaller), kind };
        if is_short(&layer) && !drawn.contains(&layer) {
            drawn.push(layer);
        }
    }
    drawn
}

/// Whether it is short enough for a table of many.
fn is_short(&Layer { batch, size, kind, .. }: &Layer) -> bool {
    let (x, y, of_output) = match kind {
        Kind::Conv { c, k, taps, stride, groups } => (c * size * size, k * size.div_ceil(stride).pow(2), c / groups * taps * taps),
        Kind::Transposed { c, k, taps, stride, .. } => {
            (c * size * size, k * (stride * size).pow(2), c * taps * taps / (stride * stride))
        }
        _ => return false,
    };
    batch * x.max(y) <= LARGEST && batch * y * 2 * of_output <= MOST
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_seed_draws_the_same_layers_and_another_seed_others() {
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
        let names: Vec<String> = benches(1).iter().map(|b| format!("{} {}", b.name, b.what)).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), 3 * LAYERS, "{names:#?}");
    }

    #[test]
    fn all_networks_and_kinds_are_drawn() {
        let layers: Vec<Layer> = (0..8).flat_map(drawn).collect();
        let networks: BTreeSet<&str> = layers.iter().map(|layer| layer.network).collect();
        assert_eq!(networks.len(), NETWORKS.len(), "{networks:?}");
        let has = |wanted: fn(&Kind) -> bool| layers.iter().any(|layer| wanted(&layer.kind));
        assert!(has(|kind| matches!(kind, Kind::Transposed { .. })));
        assert!(has(|kind| matches!(kind, Kind::Conv { groups, .. } if *groups > 1)));
        assert!(layers.iter().any(|layer| layer.size == 1) && layers.iter().any(|layer| layer.size > 64));
    }
}

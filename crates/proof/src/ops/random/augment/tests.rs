use super::cases::{ALL, KEY, NORMAL, pixels};
use crate::devices;
use gpu_core::ops::{Augment, augment, augment_masks};
use gpu_core::rng::Stream;
use gpu_core::{DType, Device, Tensor};

/// The batch of the images 0.. in order.
fn batch(device: &Device, images: &Tensor, step: u32, how: &Augment) -> Vec<f32> {
    let indices: Vec<u32> = (0..images.shape().n() as u32).collect();
    let x = Tensor::empty(device, images.shape());
    let (indices, step) = (Tensor::from_slice(device, [indices.len()], &indices), Tensor::from_slice(device, [1], &[step]));
    augment(images, &indices, KEY, &step, &x, how);
    x.to_vec().unwrap()
}

/// Step by step as the formulas say: pad, crop, flip, normalise, cut.
#[test]
fn the_mirror_equals_a_naive_chain() {
    let shape = [40, 3, 9, 7];
    let (images, [_, c, h, w]) = (pixels(&Device::Cpu, shape), shape);
    let bytes = images.read::<u8>().unwrap();
    let (pad, side) = (4usize, 5i64);
    let got = batch(&Device::Cpu, &images, 8, &ALL);
    for b in 0..shape[0] {
        let words = Stream::new(KEY.seed, KEY.stream, 8).block(b as u32);
        let draw = |word: u32, n: usize| ((u64::from(word) * n as u64) >> 32) as usize;
        let (top, left) = (draw(words[1], 2 * pad + 1), draw(words[2], 2 * pad + 1));
        let centre = [((words[3] >> 16) as usize * h) >> 16, ((words[3] & 0xffff) as usize * w) >> 16];
        for channel in 0..c {
            let mut padded = vec![vec![0u8; w + 2 * pad]; h + 2 * pad];
            for p in 0..h {
                for q in 0..w {
                    padded[p + pad][q + pad] = bytes[((b * c + channel) * h + p) * w + q];
                }
            }
            let mut rows: Vec<Vec<u8>> = padded[top..top + h].iter().map(|row| row[left..left + w].to_vec()).collect();
            if words[0] >= 1 << 31 {
                rows.iter_mut().for_each(|row| row.reverse());
            }
            for p in 0..h {
                for q in 0..w {
                    let cut = [(p, centre[0]), (q, centre[1])]
                        .iter()
                        .all(|&(at, centre)| (0..side).contains(&(at as i64 - (centre as i64 - side / 2))));
                    let (mean, std) = (f64::from(ALL.mean[channel]), f64::from(ALL.std[channel]));
                    let want = if cut { 0.0 } else { (f64::from(rows[p][q]) / 255.0 - mean) / std };
                    let got = f64::from(got[((b * c + channel) * h + p) * w + q]);
                    assert!((got - want).abs() < 1e-6, "image {b}, channel {channel}, ({p}, {q}): {got} is not {want}");
                }
            }
        }
    }
}

#[test]
fn evaluation_is_the_image_normalised() {
    for device in devices() {
        let images = pixels(&device, [3, 3, 5, 7]);
        let got = batch(&device, &images, 0, &ALL.evaluation());
        for (i, (got, byte)) in got.iter().zip(images.read::<u8>().unwrap()).enumerate() {
            let c = i / 35 % 3;
            assert!((got - (f32::from(byte) / 255.0 - NORMAL.mean[c]) / NORMAL.std[c]).abs() < 1e-6);
        }
    }
}

#[test]
fn half_of_the_images_are_flipped_and_every_shift_comes() {
    // A single bright pixel in the middle of a black image tells flip-free shifts; two columns tell flips.
    let n = 4000;
    let plain = Augment { mean: [0.0; 4], std: [1.0; 4], ..NORMAL };
    let two = Tensor::from_slice(&Device::Cpu, [n, 1, 1, 2], &[0u8, 255].repeat(n));
    let flipped = batch(&Device::Cpu, &two, 0, &Augment { flip: true, ..plain });
    let count = flipped.chunks(2).filter(|row| row[0] > 0.5).count() as f64;
    assert!((count - 2000.0).abs() < 5.0 * (n as f64 / 4.0).sqrt(), "{count} of {n} flipped");
    let mut dot = [0u8; 25];
    dot[12] = 255;
    let dots = Tensor::from_slice(&Device::Cpu, [n, 1, 5, 5], &dot.repeat(n));
    let shifted = batch(&Device::Cpu, &dots, 0, &Augment { crop_padding: 2, ..plain });
    let mut seen = [0u32; 25];
    for image in shifted.chunks(25) {
        seen[image.iter().position(|&v| v > 0.5).expect("a shift by 2 keeps the dot")] += 1;
    }
    assert!(seen.iter().all(|&times| (times as f64 - 160.0).abs() < 5.0 * 160f64.sqrt()), "{seen:?}");
}

#[test]
fn what_is_cut_has_the_size_asked_for() {
    let white = Tensor::from_slice(&Device::Cpu, [200, 1, 16, 16], &[255u8; 200 * 256]);
    let how = Augment { cutout: 6, mean: [0.0; 4], std: [1.0; 4], ..NORMAL };
    let x = batch(&Device::Cpu, &white, 0, &how);
    let areas: Vec<usize> = x.chunks(256).map(|image| image.iter().filter(|&&v| v == 0.0).count()).collect();
    assert!(areas.iter().all(|&area| (9..=36).contains(&area)) && areas.contains(&36), "{areas:?}");
}

#[test]
fn a_replayed_capture_decides_with_the_step_of_the_moment() {
    for device in devices() {
        let images = pixels(&device, [9, 3, 8, 8]);
        let indices = Tensor::from_slice(&device, [9], &[0u32, 1, 2, 3, 4, 5, 6, 7, 8]);
        let (step, x) = (Tensor::from_slice(&device, [1], &[0u32]), Tensor::empty(&device, [9, 3, 8, 8]));
        let ((), capture) = device.capture(|| augment(&images, &indices, KEY, &step, &x, &ALL)).unwrap();
        for s in [4u32, 5] {
            step.write(&[s]);
            capture.replay().unwrap();
            assert_eq!(x.to_vec().unwrap(), batch(&device, &images, s, &ALL));
        }
        assert_ne!(batch(&device, &images, 4, &ALL), batch(&device, &images, 5, &ALL));
    }
}

/// An image whose bytes are its mask's: whatever is drawn, both show the same, but for the padding.
#[test]
fn a_mask_goes_where_its_image_goes() {
    for device in devices() {
        let (shape, how) = ([40, 9, 7], Augment { cutout: 0, mean: [0.0; 4], std: [1.0 / 255.0; 4], ..ALL });
        let bytes: Vec<u8> = (0..40 * 63).map(|i| 1 + (i * 31 % 200) as u8).collect();
        let masks = Tensor::from_slice(&device, shape, &bytes);
        let indices: Vec<u32> = (0..40).collect();
        let (indices, step) = (Tensor::from_slice(&device, [40], &indices), Tensor::from_slice(&device, [1], &[8u32]));
        let labels = Tensor::empty_of(&device, shape, DType::U32);
        augment_masks(&masks, &indices, KEY, &step, &labels, &how, 255);
        let seen = batch(&device, &masks.reshape([40, 1, 9, 7]), 8, &how);
        let labels = labels.read::<u32>().unwrap();
        let shown =
            labels.iter().zip(&seen).filter(|(label, x)| if **label == 255 { **x == 0.0 } else { **label == x.round() as u32 });
        assert_eq!(shown.count(), labels.len());
        assert!((500..2000).contains(&labels.iter().filter(|label| **label == 255).count()), "some of it is padding");
        // What the masks were is not what they are: something was drawn.
        assert_ne!(labels, bytes.iter().map(|&byte| byte.into()).collect::<Vec<u32>>());
    }
}

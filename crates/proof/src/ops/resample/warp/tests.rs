use super::cases::{MEAN, STD, all, pixels, turned, warps};
use crate::devices;
use gpu_core::ops::{Augment, Warp, Window, augment, augment_masks, warp, warp_masks};
use gpu_core::rng::Key;
use gpu_core::{DType, Device, Tensor};

/// The batch of the images 0.. in order, each made as `how` says.
fn made(device: &Device, images: &Tensor, how: &[Warp], sides: [usize; 2]) -> Vec<f32> {
    let indices: Vec<u32> = (0..how.len() as u32).collect();
    let x = Tensor::empty(device, [how.len(), images.shape().c(), sides[0], sides[1]]);
    warp(images, &Tensor::from_slice(device, [how.len()], &indices), &warps(device, how), &x, MEAN, STD);
    x.to_vec().unwrap()
}

/// The formulas in floating point: places, means of four, colours, what is blank, the mixture.
fn naive(bytes: &[u8], [c, h, w]: [usize; 3], how: &[Warp], b: usize, p: usize, q: usize) -> [f64; 3] {
    let inside = |window: &Window| {
        (window.rows[0]..window.rows[1]).contains(&(p as u32)) && (window.columns[0]..window.columns[1]).contains(&(q as u32))
    };
    let own = |b: usize| -> [f64; 3] {
        let warp = &how[b];
        if inside(&warp.blank) {
            return [0, 1, 2].map(|i| f64::from(MEAN[i]));
        }
        let [row, column] = warp.source.map(|place| place[0] + p as f64 * place[1] + q as f64 * place[2]);
        let at = |channel: usize, r: f64, s: f64| match (0.0..h as f64).contains(&r) && (0.0..w as f64).contains(&s) {
            true => f64::from(bytes[((b * c + channel) * h + r as usize) * w + s as usize]) / 255.0,
            false => 0.0,
        };
        let (down, right) = (row - row.floor(), column - column.floor());
        let seen = [0, 1, 2].map(|channel| {
            let across = |r: f64| at(channel, r, column.floor()) * (1.0 - right) + at(channel, r, column.floor() + 1.0) * right;
            across(row.floor()) * (1.0 - down) + across(row.floor() + 1.0) * down
        });
        warp.colour.map(|of| ((0..3).map(|i| of[i] * seen[i]).sum::<f64>() + of[3]).clamp(0.0, 1.0))
    };
    let (warp, mine) = (&how[b], own(b));
    let share = if inside(&warp.window) { 0.0 } else { warp.share };
    match warp.partner as usize {
        partner if partner < how.len() => {
            let other = own(partner);
            std::array::from_fn(|i| share * mine[i] + (1.0 - share) * other[i])
        }
        _ => mine,
    }
}

#[test]
fn pictures_are_what_the_formulas_say() {
    let (shape, sides) = ([9, 3, 12, 10], [8, 11]);
    let how: Vec<Warp> = (0..9).map(|b| all(b, 9, [12, 10], sides)).collect();
    for device in devices() {
        let images = pixels(&device, shape);
        let (bytes, got) = (images.read::<u8>().unwrap(), made(&device, &images, &how, sides));
        // A place off by half of 1/256 of a pixel moves between values 1 apart, through colours of factor 2.5; colours are kept in 1024ths.
        let allowed = 2.5 * 2.0 * (0.5 / 256.0) + 3.0 * 0.5 / 1024.0 + 1e-3;
        for (i, value) in got.iter().enumerate() {
            let (q, p, channel, b) = (i % 11, i / 11 % 8, i / 88 % 3, i / 264);
            let want = naive(&bytes, [3, 12, 10], &how, b, p, q)[channel];
            let seen = f64::from(value * STD[channel] + MEAN[channel]);
            assert!((seen - want).abs() <= allowed, "picture {b}, channel {channel}, ({p}, {q}): {seen} is not {want}");
        }
    }
}

/// A whole pixel's way, a mirror and a blank square are what `augment` draws.
#[test]
fn what_augment_does_can_be_said_in_words() {
    for device in devices() {
        let images = pixels(&device, [6, 3, 8, 8]);
        let numbers: Vec<u32> = (0..6).collect();
        let (indices, step) = (Tensor::from_slice(&device, [6], &numbers), Tensor::from_slice(&device, [1], &[0u32]));
        let x = Tensor::empty(&device, [6, 3, 8, 8]);
        let plain = Augment { flip: false, crop_padding: 0, cutout: 0, mean: MEAN, std: STD };
        augment(&images, &indices, Key { seed: 0, stream: 0 }, &step, &x, &plain);
        let (want, got) = (x.to_vec().unwrap(), made(&device, &images, &[Warp::default(); 6], [8, 8]));
        assert!(want.iter().zip(&got).all(|(a, b)| (a - b).abs() < 1e-4), "as they are");
        let shifted = Warp { source: [[2.0, 1.0, 0.0], [7.0, 0.0, -1.0]], ..Warp::default() };
        let got = made(&device, &images, &[shifted; 6], [8, 8]);
        for (i, value) in got.iter().enumerate() {
            let (q, p, plane) = (i % 8, i / 8 % 8, i / 64);
            let black = (0.0 - MEAN[plane % 3]) / STD[plane % 3];
            let want = if p + 2 < 8 { want[plane * 64 + (p + 2) * 8 + 7 - q] } else { black };
            assert!((value - want).abs() < 1e-4, "{i}: {value} is not {want}");
        }
    }
}

#[test]
fn what_is_blank_is_nothing_to_the_bit() {
    let blank = Warp { blank: Window { rows: [1, 3], columns: [0, 4] }, ..Warp::default() };
    for device in devices() {
        let got = made(&device, &pixels(&device, [1, 1, 4, 4]), &[blank], [4, 4]);
        assert!(got[4..12].iter().all(|v| v.to_bits() == 0) && got[..4].iter().all(|v| *v != 0.0), "{got:?}");
    }
}

/// Words from anywhere read nothing outside: places at the ends of what a word holds, a partner and windows past the end.
#[test]
fn wild_words_are_harmless_and_the_same_everywhere() {
    let far = |v: f64| Warp { source: [[v, v, -v], [v, -v, v]], partner: u32::MAX, share: -1.0, ..all(1, 2, [5, 5], [5, 5]) };
    let how = [far(1e30), far(-1e30), far(32_767.9), Warp { colour: [[1e9; 4], [-1e9; 4], [f64::NAN; 4]], ..Warp::default() }];
    let seen: Vec<Vec<f32>> = devices().iter().map(|device| made(device, &pixels(device, [4, 3, 5, 5]), &how, [5, 5])).collect();
    assert!(seen.iter().all(|values| values == &seen[0] && values.iter().all(|v| v.is_finite())));
    assert_eq!(turned(0.0, 1.0, [5, 5], [5, 5]), Warp::default().source);
}

/// The masks 0.. in order, each moved as `how` says; 255 outside.
fn moved(device: &Device, masks: &Tensor, how: &[Warp], sides: [usize; 2]) -> Vec<u32> {
    let indices: Vec<u32> = (0..how.len() as u32).collect();
    let labels = Tensor::empty_of(device, [how.len(), sides[0], sides[1]], DType::U32);
    warp_masks(masks, &Tensor::from_slice(device, [how.len()], &indices), &warps(device, how), &labels, 255);
    labels.read().unwrap()
}

#[test]
fn masks_are_the_nearest_pixel_of_what_the_formulas_say() {
    let (shape, sides) = ([9, 12, 10], [8, 11]);
    let how: Vec<Warp> = (0..9).map(|b| all(b, 9, [12, 10], sides)).collect();
    for device in devices() {
        let masks = pixels(&device, shape);
        let (bytes, got) = (masks.read::<u8>().unwrap(), moved(&device, &masks, &how, sides));
        let (mut outside, mut told) = (0, 0);
        for (i, &label) in got.iter().enumerate() {
            let (q, p, b) = (i % 11, i / 11 % 8, i / 88);
            let [row, column] = how[b].source.map(|place| place[0] + p as f64 * place[1] + q as f64 * place[2]);
            // Where two pixels are as near, a 65536th decides.
            if [row, column].iter().any(|at| ((at + 0.5) - (at + 0.5).round()).abs() < 1e-3) {
                continue;
            }
            let is_there = (-0.5..11.5).contains(&row) && (-0.5..9.5).contains(&column);
            let at = || (b * 12 + row.round() as usize) * 10 + column.round() as usize;
            assert_eq!(label, if is_there { bytes[at()].into() } else { 255 }, "mask {b}, ({p}, {q})");
            (outside, told) = (outside + usize::from(!is_there), told + 1);
        }
        assert!(told > 700 && outside > 20 && outside < told / 2, "{outside} of {told}");
    }
}

/// A whole pixel's way and a mirror are what `augment_masks` draws.
#[test]
fn what_augment_does_to_masks_can_be_said_in_words() {
    for device in devices() {
        let masks = pixels(&device, [6, 8, 8]);
        let (indices, step) = (Tensor::from_slice(&device, [6], &[0u32, 1, 2, 3, 4, 5]), Tensor::from_slice(&device, [1], &[0u32]));
        let labels = Tensor::empty_of(&device, [6, 8, 8], DType::U32);
        let plain = Augment { flip: false, crop_padding: 0, cutout: 0, mean: MEAN, std: STD };
        augment_masks(&masks, &indices, Key { seed: 0, stream: 0 }, &step, &labels, &plain, 255);
        let plain = labels.read::<u32>().unwrap();
        assert_eq!(moved(&device, &masks, &[Warp::default(); 6], [8, 8]), plain);
        let shifted = Warp { source: [[2.0, 1.0, 0.0], [7.0, 0.0, -1.0]], ..Warp::default() };
        let want = (0..6 * 64).map(|i| match (i % 8, i / 8 % 8, i / 64) {
            (q, p, plane) if p + 2 < 8 => plain[plane * 64 + (p + 2) * 8 + 7 - q],
            _ => 255,
        });
        assert_eq!(moved(&device, &masks, &[shifted; 6], [8, 8]), want.collect::<Vec<u32>>());
    }
}

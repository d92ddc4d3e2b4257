use super::colour::Colour;
use super::draw::own_share;
use super::place::Place;
use super::{Augmentation, Batch, draw};
use gpu_core::ops::Warp;

const MEAN: [f32; 3] = [0.5, 0.4, 0.3];

fn parsed(list: &str) -> Augmentation {
    Augmentation::parse(list, true).unwrap_or_else(|e| panic!("{list}: {e}"))
}

fn drawn(list: &str, step: u32, len: usize) -> Vec<Warp> {
    draw(&parsed(list), &Batch { seed: 3, step, len, sides: [32, 24], mean: &MEAN })
}

#[test]
fn a_list_is_read_with_the_numbers_that_are_meant() {
    assert_eq!(parsed("none"), Augmentation::default());
    let how = parsed("flip, resized-crop=0.3,mixup+jitter");
    let want = Augmentation { flip: true, resized_crop: Some(0.3), mixup: Some(0.2), jitter: Some(0.4), ..Default::default() };
    assert_eq!(how, want);
    assert!(how.mixes() && how.is_drawn_by_the_host() && !parsed("flip,crop,cutout").is_drawn_by_the_host());
    for (list, why) in [
        ("twist", "there is no \"twist\""),
        ("flip=2", "flip takes no number"),
        ("rotate=200", "rotate takes a number above 0, at most 180"),
        ("rotate=-5", "rotate takes a number above 0"),
        ("jitter=NaN", "jitter takes a number"),
        ("mixup=", "mixup takes a number"),
        ("crop,resized-crop", "crop and resized-crop"),
        ("cutout,erase", "cutout and erase"),
        ("", "there is no \"\""),
    ] {
        let said = Augmentation::parse(list, true).expect_err(list).to_string();
        assert!(said.contains(why), "{list}: {said}");
    }
}

#[test]
fn chance_is_a_pure_function_and_each_change_has_numbers_of_its_own() {
    let all = "flip,resized-crop,rotate,affine,jitter,erase=1,randaugment,mixup,cutmix";
    assert_eq!(drawn(all, 5, 40), drawn(all, 5, 40));
    assert_ne!(drawn(all, 5, 40), drawn(all, 6, 40));
    // The first images of a larger batch are those of a smaller one, but for the last one's partner.
    assert_eq!(drawn(all, 5, 40)[..19], drawn(all, 5, 20)[..19]);
    let (with, without) = (drawn("jitter,erase=1,rotate", 1, 30), drawn("jitter,erase=1", 1, 30));
    assert!(with.iter().zip(&without).all(|(a, b)| a.colour == b.colour && a.blank == b.blank && a.source != b.source));
}

/// A mean within five standard errors, and both ends reached to a hundredth.
fn assert_uniform(what: &str, values: &[f64], low: f64, high: f64) {
    let (mean, n) = (values.iter().sum::<f64>() / values.len() as f64, values.len() as f64);
    let (width, centre) = (high - low, 0.5 * (low + high));
    assert!((mean - centre).abs() < 5.0 * width / (12.0 * n).sqrt(), "{what}: mean {mean}");
    let [least, most] = [f64::min, f64::max].map(|of| values.iter().copied().reduce(of).unwrap());
    assert!(least >= low - 1e-9 && most <= high + 1e-9, "{what}: {least} to {most}");
    assert!(least < low + 0.01 * width && most > high - 0.01 * width, "{what}: {least} to {most}");
}

#[test]
fn every_change_has_the_extent_that_was_asked_for() {
    let flips = drawn("flip,rotate=1e-9", 0, 4000).iter().filter(|w| w.source[1][2] < 0.0).count() as f64;
    assert!((flips - 2000.0).abs() < 5.0 * 1000f64.sqrt(), "{flips} of 4000");
    let turns: Vec<f64> = drawn("rotate=20", 0, 4000).iter().map(|w| w.source[0][2].atan2(w.source[0][1]).to_degrees()).collect();
    assert_uniform("degrees", &turns, -20.0, 20.0);
    // What lies within: area by the determinant, edges within the picture.
    let crops = drawn("resized-crop=0.25", 0, 4000);
    let area = |w: &Warp| w.source[0][1] * w.source[1][2];
    assert!(crops.iter().map(area).all(|a| (0.2499..=1.0001).contains(&a)));
    for Warp { source: [row, column], .. } in &crops {
        let ends = [(row[0], row[1], 32.0), (column[0], column[2], 24.0)];
        for (first, step, side) in ends {
            let [low, high] = [first - 0.5 * step, first + (side - 0.5) * step];
            assert!(low >= -0.5 - 1e-9 && high <= side - 0.5 + 1e-9, "{low} to {high} of {side}");
        }
    }
    let blanks = drawn("erase=0.5", 0, 4000);
    let sizes: Vec<f64> =
        blanks.iter().map(|w| [w.blank.rows, w.blank.columns].map(|[a, b]| f64::from(b - a)).iter().product()).collect();
    let erased = sizes.iter().filter(|size| **size > 0.0).count() as f64;
    assert!((erased - 2000.0).abs() < 5.0 * 1000f64.sqrt(), "{erased} of 4000");
    assert!(sizes.iter().all(|&size| size == 0.0 || (0.01..0.4).contains(&(size / 768.0))));
    let cut = drawn("cutout,rotate=1", 0, 400);
    assert!(cut.iter().any(|w| w.blank.rows == [8, 24]) && cut.iter().all(|w| w.blank.rows[1] - w.blank.rows[0] <= 16));
}

/// Of Beta(a, a): mean 1/2, variance 1 / (4 (2a + 1)).
#[test]
fn a_mixtures_share_is_drawn_from_beta() {
    for (list, a) in [("mixup=0.2", 0.2), ("mixup=1", 1.0), ("mixup=5", 5.0)] {
        let shares: Vec<f64> = (0..4000).map(|step| drawn(list, step, 2)[1].share).collect();
        let n = shares.len() as f64;
        let mean = shares.iter().sum::<f64>() / n;
        let variance = shares.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / n;
        let want = 1.0 / (4.0 * (2.0 * a + 1.0));
        assert!((mean - 0.5).abs() < 5.0 * (want / n).sqrt(), "{list}: mean {mean}");
        assert!((variance / want - 1.0).abs() < 0.1, "{list}: variance {variance}, {want} is wanted");
    }
}

#[test]
fn a_laid_over_rectangle_takes_its_part_of_the_label() {
    let warps: Vec<Warp> = (0..2000).map(|step| drawn("cutmix", step, 3)[0]).collect();
    for warp in &warps {
        let seen = (0..32 * 24).filter(|i| {
            let inside = |at: u32, [first, end]: [u32; 2]| (first..end).contains(&at);
            inside(i / 24, warp.window.rows) && inside(i % 24, warp.window.columns)
        });
        let share = 1.0 - seen.count() as f64 / 768.0;
        assert!((own_share(warp, [32, 24]) - share).abs() < 1e-9 && warp.share == 1.0);
    }
    assert!(warps.iter().any(|w| own_share(w, [32, 24]) < 0.3) && warps.iter().any(|w| own_share(w, [32, 24]) > 0.95));
    let both: Vec<Warp> = (0..2000).map(|step| drawn("mixup=1,cutmix", step, 3)[0]).collect();
    let mixed = both.iter().filter(|w| w.share < 1.0).count() as f64;
    assert!((mixed - 1000.0).abs() < 5.0 * 500f64.sqrt(), "{mixed} of 2000");
    // The last one's partner is the first.
    let partners: Vec<u32> = drawn("cutmix", 0, 3).iter().map(|warp| warp.partner).collect();
    assert_eq!(partners, [1, 2, 0]);
}

fn seen(colour: Colour, rgb: [f64; 3]) -> [f64; 3] {
    colour.0.map(|row| row[3] + (0..3).map(|i| row[i] * rgb[i]).sum::<f64>())
}

#[track_caller]
fn assert_near(got: [f64; 3], want: [f64; 3]) {
    assert!(got.iter().zip(want).all(|(g, w)| (g - w).abs() < 1e-3), "{got:?} is not {want:?}");
}

#[test]
fn colours_change_as_they_are_named() {
    let rgb = [0.6, 0.3, 0.2];
    let grey = 0.299 * 0.6 + 0.587 * 0.3 + 0.114 * 0.2;
    assert_near(seen(Colour::brightness(0.5), rgb), [0.3, 0.15, 0.1]);
    assert_near(seen(Colour::contrast(2.0, 0.5), rgb), [0.7, 0.1, -0.1]);
    assert_near(seen(Colour::saturation(0.0), rgb), [grey; 3]);
    assert_near(seen(Colour::hue(0.0), rgb), rgb);
    assert_near(seen(Colour::hue(0.5).after(Colour::hue(0.5)), rgb), rgb);
    // A grey has no hue, and no hue is brighter than another.
    assert_near(seen(Colour::hue(0.3), [0.4; 3]), [0.4; 3]);
    let turned = seen(Colour::hue(0.3), rgb);
    assert!((0.299 * turned[0] + 0.587 * turned[1] + 0.114 * turned[2] - grey).abs() < 1e-9 && (turned[0] - 0.6).abs() > 0.05);
    // First half as bright, then twice as far from 0.5: not the other way round.
    let both = Colour::contrast(2.0, 0.5).after(Colour::brightness(0.5));
    assert_near(seen(both, rgb), [0.1, -0.2, -0.3]);
}

#[test]
fn places_follow_one_another_from_the_result_back_to_the_source() {
    let at = |place: Place, p: f64, q: f64| place.0.map(|[first, down, right]| first + down * p + right * q);
    // The source shifted by two columns, then mirrored: the result's first column is the last of the shifted picture.
    let place = Place::shifted([0.0, 2.0]).after(Place::mirrored(10));
    assert_eq!(at(place, 3.0, 0.0), [3.0, 11.0]);
    assert_eq!(at(Place::mirrored(10).after(Place::shifted([0.0, 2.0])), 3.0, 0.0), [3.0, 7.0]);
    // A quarter turn to the left brings what was in the upper right corner to the upper left one.
    let [row, column] = at(Place::turned(90.0, [9, 9]), 0.0, 0.0);
    assert!(row.abs() < 1e-9 && (column - 8.0).abs() < 1e-9, "{row}, {column}");
    // Half of the picture over the whole of the result: edges to edges.
    let window = Place::window([0.0, 5.0], [8.0, 5.0], [8, 10]);
    assert_eq!(at(window, 0.0, -0.5), [0.0, 4.5]);
    assert_eq!(at(window, 0.0, 9.5), [0.0, 9.5]);
}

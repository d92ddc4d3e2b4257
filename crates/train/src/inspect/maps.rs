//! What a network looks at in some test images: Grad-CAM, laid over them.

use super::mistakes::{Row, Shown, by_loss};
use super::png::{encoded, picture};
use crate::data::ImageSet;
use crate::error::Result;
use crate::model::Trained;
use gpu_core::{Device, Tensor};
use image::imageops::{FilterType, resize};
use image::{ImageBuffer, Luma, Rgb, RgbImage};
use nn::Module;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Images that were recognised, and as many that were not.
const EACH: usize = 6;

/// Maps of one layer over some images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Maps {
    /// The layer's path, as in the state dict.
    pub layer: String,
    /// Its kind and options.
    pub kind: String,
    /// Rows and columns of what it gives.
    pub places: [usize; 2],
    /// Images that were recognised: the first one of each of some classes.
    pub right: Vec<Looked>,
    /// The worst mistakes.
    pub wrong: Vec<Looked>,
}

/// An image, and what speaks for a class in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Looked {
    /// The image.
    pub shown: Shown,
    /// What speaks for the class that was said, or of several labels for the likeliest: PNG in base64.
    pub for_said: String,
    /// That label, where there may be several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What speaks for its own class, where that is another.
    pub for_class: Option<String>,
}

/// A class whose map is wanted, and of which image.
type Asked<'a> = (&'a Row, u32);

pub(super) fn of(trained: &Trained, rows: &[Row], set: &ImageSet, device: &Device) -> Result<Option<Maps>> {
    let (net, input) = (&trained.net, trained.net.input());
    let Some(layer) = net.last_spatial().filter(|_| !rows.is_empty()) else { return Ok(None) };
    let (right, wrong) = (recognised(rows), Vec::from_iter(by_loss(rows).into_iter().take(EACH)));
    let classes = |row: &Row| [Some(row.likeliest), row.missed].into_iter().flatten().collect::<Vec<u32>>();
    let asked: Vec<Asked> =
        right.iter().chain(&wrong).flat_map(|row| classes(row).into_iter().map(move |class| (*row, class))).collect();

    let shape = [asked.len(), input.dim(0), input.dim(1), input.dim(2)];
    let images: Vec<u32> = asked.iter().map(|(row, _)| row.image as u32).collect();
    let x = set.normalised(&images, &trained.description.mean, &trained.description.std)?;
    let x = Tensor::from_slice(device, shape, &x);
    let labels: Vec<u32> = asked.iter().map(|(_, class)| *class).collect();
    let maps = net.grad_cam(&layer, &x, &Tensor::from_slice(device, [labels.len()], &labels));
    let places = [maps.shape().h(), maps.shape().w()];
    let values = maps.to_vec()?;
    let overlays = values.chunks(places[0] * places[1]).zip(&asked);
    let overlay = |(map, (row, _)): (&[f32], &Asked)| Result::Ok(encoded(&laid_over(&picture(set, row.image)?, map, places)));
    let mut overlays = overlays.map(overlay);
    let mut next = || overlays.next().expect("there is a map for each that was asked for");

    let mut looked = |row: &&Row| -> Result<Looked> {
        let (shown, for_said) = (Shown::of(row, set)?, next()?);
        let for_class = row.missed.map(|_| next()).transpose()?;
        Ok(Looked { shown, for_said, label: row.name.clone(), for_class })
    };
    let right = right.iter().map(&mut looked).collect::<Result<_>>()?;
    let wrong = wrong.iter().map(&mut looked).collect::<Result<_>>()?;
    let kind = net.at(&layer).describe();
    Ok(Some(Maps { layer, kind, places, right, wrong }))
}

/// The first recognised image of each class or set of labels, of as many as are shown.
fn recognised(rows: &[Row]) -> Vec<&Row> {
    let mut seen = BTreeSet::new();
    let mut first: Vec<&Row> = rows.iter().filter(|row| row.is_right && seen.insert(row.label)).collect();
    first.sort_by_key(|row| row.label);
    first.truncate(EACH);
    first
}

/// A picture in grey, and in colour what a map of `places` has in it; the map's largest value is the brightest.
fn laid_over(picture: &RgbImage, map: &[f32], [rows, columns]: [usize; 2]) -> RgbImage {
    let largest = map.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    // A picture of floats has values from 0 to 1; others are cut off where it changes its size.
    let map = map.iter().map(|value| value / largest).collect();
    let map = ImageBuffer::<Luma<f32>, Vec<f32>>::from_raw(columns as u32, rows as u32, map).expect("a map fills its places");
    let heat = resize(&map, picture.width(), picture.height(), FilterType::Triangle);
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let (pixel, heat) = (picture.get_pixel(x, y).0, heat.get_pixel(x, y).0[0].clamp(0.0, 1.0));
        let grey = 0.299 * f32::from(pixel[0]) + 0.587 * f32::from(pixel[1]) + 0.114 * f32::from(pixel[2]);
        // Half of the picture is seen in the hottest place too.
        let (share, colour) = (0.75 * heat.sqrt(), glow(heat));
        Rgb([0, 1, 2].map(|c| (0.8 * grey * (1.0 - share) + colour[c] * share).round() as u8))
    })
}

/// From violet over red to yellow, as bright as it is hot.
fn glow(heat: f32) -> [f32; 3] {
    const STOPS: [[f32; 3]; 4] = [[40.0, 10.0, 110.0], [190.0, 30.0, 110.0], [250.0, 110.0, 40.0], [255.0, 230.0, 90.0]];
    let at = heat * (STOPS.len() - 1) as f32;
    let (low, part) = ((at as usize).min(STOPS.len() - 2), at - (at as usize).min(STOPS.len() - 2) as f32);
    [0, 1, 2].map(|c| STOPS[low][c] * (1.0 - part) + STOPS[low + 1][c] * part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_glows_where_its_map_is_high_and_is_grey_elsewhere() {
        let picture = RgbImage::from_pixel(8, 4, Rgb([200, 100, 0]));
        let seen = laid_over(&picture, &[0.0, 3.0], [1, 2]);
        let (cold, hot) = (seen.get_pixel(0, 1).0, seen.get_pixel(7, 1).0);
        assert!(cold.iter().all(|&value| value == cold[0]), "{cold:?}");
        assert!(hot[0] > hot[2] + 100 && hot[1] > hot[2] + 60, "{hot:?}");
        // The control: a map of nothing leaves all grey.
        assert!(laid_over(&picture, &[0.0; 2], [1, 2]).pixels().all(|pixel| pixel.0 == cold));
    }

    #[test]
    fn the_glow_goes_through_its_colours_without_a_jump() {
        assert_eq!((glow(0.0), glow(1.0)), ([40.0, 10.0, 110.0], [255.0, 230.0, 90.0]));
        let steps: Vec<[f32; 3]> = (0..=300).map(|i| glow(i as f32 / 300.0)).collect();
        assert!(steps.windows(2).all(|pair| (0..3).all(|c| (pair[0][c] - pair[1][c]).abs() < 3.0)));
    }
}

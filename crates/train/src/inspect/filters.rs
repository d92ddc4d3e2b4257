//! The filters of the first convolution as pictures.

use super::png::encoded;
use crate::error::Result;
use image::{Rgb, RgbImage};
use nn::{Conv2d, Module, Net, WhiteningConv2d, join};
use serde::{Deserialize, Serialize};

/// Tiles that are shown.
const MOST: usize = 64;

/// The filters of a network's first convolution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Filters {
    /// The layer's path, as in the state dict.
    pub layer: String,
    /// Its kind and options.
    pub kind: String,
    /// Whether a tile is a filter, its three channels as colours; else it is one channel of one.
    pub in_colour: bool,
    /// How many tiles there are, shown or not.
    pub count: usize,
    /// The first of them.
    pub tiles: Vec<Filter>,
}

/// A filter, or a channel of one: grey is 0, and its largest weight is full black or white.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Filter {
    /// The size of its largest weight.
    pub largest: f32,
    /// A pixel for each weight: PNG in base64.
    pub png: String,
}

pub(super) fn of(net: &Net) -> Result<Option<Filters>> {
    let Some((layer, conv)) = first(net, "") else { return Ok(None) };
    let weight = conv.param("weight").value();
    let &[k, c, r, s] = weight.shape().dims() else { return Ok(None) };
    let in_colour = c == 3;
    let (channels, count) = if in_colour { (3, k) } else { (1, k * c) };
    let values = weight.to_vec()?;
    let tiles = values.chunks(channels * r * s).take(MOST).map(|weights| tile(weights, channels, [r, s])).collect();
    Ok(Some(Filters { layer, kind: conv.describe(), in_colour, count, tiles }))
}

/// The first convolution over images that an input meets.
fn first<'a>(net: &'a Net, path: &str) -> Option<(String, &'a Net)> {
    if net.is::<Conv2d>() || net.is::<WhiteningConv2d>() {
        return Some((path.to_owned(), net));
    }
    net.named_children().find_map(|(name, child)| first(child, &join(path, name)))
}

fn tile(weights: &[f32], channels: usize, [r, s]: [usize; 2]) -> Filter {
    let largest = weights.iter().fold(0f32, |largest, w| largest.max(w.abs()));
    let byte = |weight: f32| (127.5 + 127.5 * weight / largest.max(f32::MIN_POSITIVE)).round() as u8;
    let picture = RgbImage::from_fn(s as u32, r as u32, |x, y| {
        Rgb([0, 1, 2].map(|c| byte(weights[(c % channels * r + y as usize) * s + x as usize])))
    });
    Filter { largest, png: encoded(&picture) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gpu_core::Device;
    use nn::{Flatten, Init, Layer, Linear, Residual, seq};

    fn built(list: nn::Sequential, channels: usize) -> Filters {
        let net = list.build(&Init::seeded(&Device::Cpu, 0), [channels, 6, 6]).unwrap();
        of(&net).unwrap().unwrap()
    }

    #[test]
    fn filters_of_three_channels_are_in_colour_and_others_by_channel() {
        let colour = built(seq![Residual::new(seq![Conv2d::new(3, 3).padding(1)]), Conv2d::new(70, 3)], 3);
        assert_eq!((&*colour.layer, colour.in_colour, colour.count, colour.tiles.len()), ("0.body.0", true, 3, 3));
        let grey = built(seq![Conv2d::new(70, 3)], 2);
        assert_eq!((grey.in_colour, grey.count, grey.tiles.len()), (false, 140, MOST));
        let none = seq![Flatten, Linear::new(2)].build(&Init::seeded(&Device::Cpu, 0), [3, 4, 4]).unwrap();
        assert_eq!(of(&none).unwrap(), None);
    }

    #[test]
    fn a_weight_of_nothing_is_grey_and_the_largest_is_full() {
        let bytes = |weights: &[f32]| {
            let picture = RgbImage::from_raw(2, 2, vec![0; 12]).unwrap();
            assert_eq!(tile(weights, 1, [2, 2]).png.len() > 40, picture.width() == 2);
            tile(weights, 1, [2, 2]).largest
        };
        assert_eq!(bytes(&[0.0, -0.5, 0.25, 0.5]), 0.5);
        assert_eq!(tile(&[0.0; 4], 1, [2, 2]).largest, 0.0);
    }
}

//! One image: what is in it, drawn at random, and how each pixel is shaded.

use std::array;

use super::super::random::Stream;
use super::figure::{CLASSES, Figure, Point, blob};

/// Height and width of an image, in pixels.
pub const SIDE: usize = 32;

type Rgb = [f32; 3];

// Brightness of paints, darkest and brightest. Figures are always brighter than what lies behind them: with either sign of
// contrast, one epoch over 10,000 images no longer taught a small network.
const DIM: [f32; 2] = [0.1, 0.45];
const HALF_LIT: [f32; 2] = [0.2, 0.8];
const BRIGHT: [f32; 2] = [0.7, 1.0];

/// All that is random in an image, save the noise. Lengths are in pixels, colours from 0 to 1.
pub struct Scene {
    figure: &'static Figure,
    centre: Point,
    /// The figure's own x axis.
    axis: Point,
    /// Pixels for one unit of the figure.
    scale: f32,
    /// The discs of a texture's patch, in units of `patch_radius`.
    patch: [[f32; 3]; 3],
    patch_radius: f32,
    /// Inside the figure.
    ink: Rgb,
    /// Between the lines of a texture.
    paper: Rgb,
    /// Behind all, at the top and at the bottom of the image.
    ground: [Rgb; 2],
    crumbs: Vec<Crumb>,
    /// Relative change of brightness per pixel to the right and downwards.
    light: Point,
    /// How far all fades into the ground, 0 to 1.
    fog: f32,
    /// Standard deviation of the noise.
    noise: f32,
}

/// A small disc that means nothing.
struct Crumb {
    centre: Point,
    radius: f32,
    colour: Rgb,
}

impl Scene {
    /// A scene of `class`, all else from `stream`, whose draws are the same for every class.
    ///
    /// Fields draw in the order they are written in: another order is another data set.
    pub fn draw(class: usize, stream: &mut Stream) -> Self {
        let figure = &CLASSES[class].1;
        let radius = stream.between(9.0, 12.5);
        let period = stream.between(5.0, 7.5);
        let ground = paint(stream, DIM);
        Self {
            figure,
            centre: array::from_fn(|_| stream.between(11.0, 21.0)),
            axis: unit([1.0, stream.between(-0.25, 0.25)]),
            scale: match figure {
                Figure::Shape(_) => radius,
                Figure::Texture(_) => period,
            },
            patch: array::from_fn(|_| [stream.between(-0.4, 0.4), stream.between(-0.4, 0.4), stream.between(0.6, 0.8)]),
            patch_radius: radius,
            ink: paint(stream, BRIGHT),
            paper: paint(stream, DIM),
            ground: [ground, ground.map(|channel| (channel + stream.between(-0.15, 0.15)).clamp(0.0, 1.0))],
            crumbs: (0..2 + stream.below(4)).map(|_| Crumb::draw(stream)).collect(),
            light: array::from_fn(|_| stream.between(-0.015, 0.015)),
            // One image in fifty is next to invisible: room at the top, so that good networks still differ.
            fog: if stream.below(50) == 0 { stream.between(0.8, 1.0) } else { 0.0 },
            noise: stream.between(0.01, 0.03),
        }
    }

    /// Writes the image as `[3, SIDE, SIDE]` bytes, its noise from `stream`.
    pub fn render(&self, stream: &mut Stream, image: &mut [u8]) {
        for pixel in 0..SIDE * SIDE {
            let at = [(pixel % SIDE) as f32 + 0.5, (pixel / SIDE) as f32 + 0.5];
            for (channel, value) in self.colour(at).into_iter().enumerate() {
                let noisy = value + self.noise * bell(stream);
                // The cast saturates: below 0 is 0, above 255 is 255.
                image[channel * SIDE * SIDE + pixel] = (noisy * 255.0 + 0.5) as u8;
            }
        }
    }

    fn colour(&self, at: Point) -> Rgb {
        let [x, y] = [at[0] - SIDE as f32 / 2.0, at[1] - SIDE as f32 / 2.0];
        let light = x * self.light[0] + y * self.light[1];
        let ground = mix(self.ground[0], self.ground[1], at[1] / SIDE as f32);
        let mut colour = ground;
        for crumb in &self.crumbs {
            colour = mix(colour, crumb.colour, crumb.cover(at));
        }
        let [x, y] = [at[0] - self.centre[0], at[1] - self.centre[1]];
        let [cos, sin] = self.axis;
        let own = [(x * cos + y * sin) / self.scale, (y * cos - x * sin) / self.scale];
        let colour = match self.figure {
            Figure::Shape(distance) => mix(colour, self.ink, cover(distance(own) * self.scale, 1.0)),
            Figure::Texture(distance) => {
                let texture = mix(self.paper, self.ink, cover(distance(own) * self.scale, 1.0));
                let patch = blob([x / self.patch_radius, y / self.patch_radius], &self.patch);
                mix(colour, texture, cover(patch * self.patch_radius, 3.0))
            }
        };
        mix(colour, ground, self.fog).map(|channel| channel * (1.0 + light))
    }
}

impl Crumb {
    fn draw(stream: &mut Stream) -> Self {
        Self {
            centre: array::from_fn(|_| stream.between(0.0, SIDE as f32)),
            radius: stream.between(0.7, 2.2),
            colour: paint(stream, HALF_LIT),
        }
    }

    fn cover(&self, at: Point) -> f32 {
        let [x, y] = [at[0] - self.centre[0], at[1] - self.centre[1]];
        cover((x * x + y * y).sqrt() - self.radius, 1.0)
    }
}

/// How much of a pixel lies inside an edge at this distance, the edge being `softness` pixels wide.
fn cover(distance: f32, softness: f32) -> f32 {
    (0.5 - distance / softness).clamp(0.0, 1.0)
}

fn mix(from: Rgb, to: Rgb, share: f32) -> Rgb {
    array::from_fn(|channel| from[channel] + share * (to[channel] - from[channel]))
}

/// The direction of a vector.
fn unit([x, y]: Point) -> Point {
    let length = (x * x + y * y).sqrt();
    [x / length, y / length]
}

/// A colour of any hue, pastel to strong, its largest channel within the given brightness.
fn paint(stream: &mut Stream, [darkest, brightest]: [f32; 2]) -> Rgb {
    let hue = stream.between(0.0, 6.0);
    let saturation = stream.between(0.15, 0.85);
    let value = stream.between(darkest, brightest);
    // Each channel is full for a third of the hue circle, none for a third, and a ramp between.
    [0.0, 2.0, 4.0].map(|peak| {
        let apart = (hue - peak).abs();
        let share = (2.0 - apart.min(6.0 - apart)).clamp(0.0, 1.0);
        value * (1.0 - saturation * (1.0 - share))
    })
}

/// Noise of mean 0 and standard deviation 1: four uniform numbers, summed, are near enough to a normal one.
fn bell(stream: &mut Stream) -> f32 {
    let bits = stream.bits();
    let sum: u64 = (0..4).map(|quarter| (bits >> (16 * quarter)) & 0xffff).sum();
    // Four uniform numbers of 0..65536 have mean 131070 and standard deviation 65536 / sqrt(3).
    (sum as f32 - 131_070.0) / 37_837.2
}

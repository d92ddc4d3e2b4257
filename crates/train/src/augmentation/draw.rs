//! Chance: what is done to each image of a batch, as a pure function of seed, step and place in the batch.

use super::Augmentation;
use super::colour::Colour;
use super::place::Place;
use gpu_core::ops::{Warp, Window};
use gpu_core::rng;

/// The streams of random numbers that are drawn on the host; layers count theirs from 0, and the kernel `augment` has the last.
const IMAGES: u32 = u32::MAX - 1;
const MIXTURES: u32 = u32::MAX - 2;

/// What is drawn for an image; each has numbers of its own, so that leaving one out leaves the others as they were.
#[derive(Clone, Copy)]
enum Drawn {
    Flip,
    Crop,
    Turn,
    Affine,
    Jitter,
    RandAugment,
    Blank,
}

/// Random numbers one after the other.
struct Chance {
    stream: rng::Stream,
    next: u64,
}

impl Chance {
    fn of(batch: &Batch<'_>, b: usize, what: Drawn) -> Self {
        // Erasing tries ten times, with four numbers each.
        Self { stream: rng::Stream::new(batch.seed, IMAGES, batch.step), next: 64 * (8 * b as u64 + what as u64) }
    }

    /// In [0, 1).
    fn unit(&mut self) -> f64 {
        let word = self.stream.word(self.next);
        self.next += 1;
        f64::from(word) / 4_294_967_296.0
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Up to `size` either way.
    fn either_way(&mut self, size: f64) -> f64 {
        self.between(-size, size)
    }

    /// One of `n`.
    fn of_many(&mut self, n: usize) -> usize {
        ((self.unit() * n as f64) as usize).min(n - 1)
    }

    fn normal(&mut self) -> f64 {
        // The radius' argument is in (0, 1].
        let (radius, angle) = (libm::sqrt(-2.0 * libm::log(1.0 - self.unit())), std::f64::consts::TAU * self.unit());
        radius * libm::cos(angle)
    }

    /// Of the gamma distribution of shape `a` (Marsaglia and Tsang 2000), as a logarithm: small shapes give tiny numbers.
    fn log_gamma(&mut self, a: f64) -> f64 {
        if a < 1.0 {
            let larger = self.log_gamma(a + 1.0);
            return larger + libm::log(1.0 - self.unit()) / a;
        }
        let d = a - 1.0 / 3.0;
        loop {
            let x = self.normal();
            let v = 1.0 + x / libm::sqrt(9.0 * d);
            let (cube, u) = (v * v * v, 1.0 - self.unit());
            if v > 0.0 && libm::log(u) < 0.5 * x * x + d - d * cube + d * libm::log(cube) {
                return libm::log(d * cube);
            }
        }
    }

    /// Of Beta(a, a).
    fn beta(&mut self, a: f64) -> f64 {
        let (x, y) = (self.log_gamma(a), self.log_gamma(a));
        1.0 / (1.0 + libm::exp(y - x))
    }
}

/// A batch whose images are made.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// Of the training.
    pub seed: u64,
    /// The number of the step.
    pub step: u32,
    /// How many images.
    pub len: usize,
    /// Rows and columns of an image.
    pub sides: [usize; 2],
    /// The mean of each channel, of values in [0, 1]: what contrast is changed about.
    pub mean: &'a [f32],
}

/// What is done to an image so far.
struct Change {
    place: Place,
    colour: Colour,
}

impl Change {
    fn moved(&mut self, by: Place) {
        self.place = self.place.after(by);
    }

    fn recoloured(&mut self, by: Colour) {
        self.colour = by.after(self.colour);
    }
}

/// What is done to each image of a batch. A partner is the next one of the batch, and the last one's is the first.
pub fn draw(how: &Augmentation, batch: &Batch<'_>) -> Vec<Warp> {
    let mixture = mixture(how, batch);
    let of = |b: usize| {
        let mut change = Change { place: Place::unmoved(), colour: Colour::unchanged() };
        let chance = |what| Chance::of(batch, b, what);
        crop(how, batch.sides, chance(Drawn::Crop), &mut change);
        if how.flip && chance(Drawn::Flip).unit() >= 0.5 {
            change.moved(Place::mirrored(batch.sides[1]));
        }
        if let Some(degrees) = how.rotate {
            change.moved(Place::turned(chance(Drawn::Turn).either_way(degrees), batch.sides));
        }
        if let Some(size) = how.affine {
            change.moved(affine(size, batch.sides, chance(Drawn::Affine)));
        }
        if let Some(size) = how.jitter {
            jitter(size, batch.mean, chance(Drawn::Jitter), &mut change);
        }
        if let Some(magnitude) = how.randaugment {
            let mut chance = chance(Drawn::RandAugment);
            (0..2).for_each(|_| one_of_nine(magnitude / 30.0, batch, &mut chance, &mut change));
        }
        let blank = blank(how, batch.sides, chance(Drawn::Blank));
        let partner = ((b + 1) % batch.len) as u32;
        Warp { source: change.place.0, colour: change.colour.0, blank, partner, ..mixture }
    };
    (0..batch.len).map(of).collect()
}

/// The share that is the image's own, and where its partner lies over it: for the whole batch.
fn mixture(how: &Augmentation, batch: &Batch<'_>) -> Warp {
    let mut chance = Chance { stream: rng::Stream::new(batch.seed, MIXTURES, batch.step), next: 0 };
    let first = chance.unit() < 0.5;
    match (how.mixup, how.cutmix) {
        (None, None) => Warp::default(),
        (Some(a), other) if first || other.is_none() => Warp { share: chance.beta(a), ..Warp::default() },
        (_, other) => {
            let share = chance.beta(other.unwrap_or(1.0));
            let cut = libm::sqrt(1.0 - share);
            let [rows, columns] = batch.sides.map(|side| {
                let (centre, half) = (chance.unit() * side as f64, 0.5 * cut * side as f64);
                [centre - half, centre + half].map(|edge| edge.clamp(0.0, side as f64) as u32)
            });
            Warp { window: Window { rows, columns }, ..Warp::default() }
        }
    }
}

/// Where the window of a mixture is cut off at an edge, more of the image is its own than was drawn.
pub(crate) fn own_share(warp: &Warp, [h, w]: [usize; 2]) -> f64 {
    let length = |[first, end]: [u32; 2]| f64::from(end.saturating_sub(first));
    warp.share * (1.0 - length(warp.window.rows) * length(warp.window.columns) / (h * w) as f64)
}

fn crop(how: &Augmentation, [h, w]: [usize; 2], mut chance: Chance, change: &mut Change) {
    if how.crop {
        let padding = (h / 8) as f64;
        let whole = |v: f64| (v * (2.0 * padding + 1.0)).floor() - padding;
        change.moved(Place::shifted([chance.unit(), chance.unit()].map(whole)));
    }
    let Some(least) = how.resized_crop else { return };
    let (area, [corner_h, corner_w]) = (chance.between(least, 1.0) * (h * w) as f64, [chance.unit(), chance.unit()]);
    // As likely wider as higher by any factor; at most the whole picture.
    let ratio = libm::exp(chance.either_way(libm::log(4.0 / 3.0)));
    let (rows, columns) = (libm::sqrt(area / ratio).min(h as f64), libm::sqrt(area * ratio).min(w as f64));
    let corner = [corner_h * (h as f64 - rows), corner_w * (w as f64 - columns)];
    change.moved(Place::window(corner, [rows, columns], [h, w]));
}

fn affine(size: f64, [h, w]: [usize; 2], mut chance: Chance) -> Place {
    let shift = [h, w].map(|side| chance.either_way(size) * side as f64);
    let (scale, shear) = (1.0 / (1.0 + chance.either_way(size)), [chance.either_way(size), chance.either_way(size)]);
    Place::about_centre([[scale, scale * shear[0]], [scale * shear[1], scale]], [h, w]).after(Place::shifted(shift))
}

fn jitter(size: f64, mean: &[f32], mut chance: Chance, change: &mut Change) {
    change.recoloured(Colour::brightness(1.0 + chance.either_way(size)));
    change.recoloured(Colour::contrast(1.0 + chance.either_way(size), Colour::grey(mean)));
    if mean.len() == 3 {
        change.recoloured(Colour::saturation(1.0 + chance.either_way(size)));
        change.recoloured(Colour::hue(chance.either_way(size / 4.0)));
    }
}

/// A change of RandAugment's list, as far as it is one of places or a linear one of colours. `size` is 0 to 1.
fn one_of_nine(size: f64, batch: &Batch<'_>, chance: &mut Chance, change: &mut Change) {
    let ([h, w], which) = (batch.sides, chance.of_many(9));
    let signed = if chance.unit() < 0.5 { -size } else { size };
    let is_grey = batch.mean.len() != 3;
    match which {
        0 => change.moved(Place::about_centre([[1.0, 0.3 * signed], [0.0, 1.0]], [h, w])),
        1 => change.moved(Place::about_centre([[1.0, 0.0], [0.3 * signed, 1.0]], [h, w])),
        2 => change.moved(Place::shifted([0.45 * signed * h as f64, 0.0])),
        3 => change.moved(Place::shifted([0.0, 0.45 * signed * w as f64])),
        4 => change.moved(Place::turned(30.0 * signed, [h, w])),
        5 => change.recoloured(Colour::brightness(1.0 + 0.9 * signed)),
        6 => change.recoloured(Colour::contrast(1.0 + 0.9 * signed, Colour::grey(batch.mean))),
        7 if !is_grey => change.recoloured(Colour::saturation(1.0 + 0.9 * signed)),
        _ => {}
    }
}

fn blank(how: &Augmentation, [h, w]: [usize; 2], mut chance: Chance) -> Window {
    if how.cutout {
        let side = h / 2;
        let cut = |unit: f64, extent: usize| {
            let low = (unit * extent as f64) as i64 - (side / 2) as i64;
            [low, low + side as i64].map(|edge| edge.clamp(0, extent as i64) as u32)
        };
        return Window { rows: cut(chance.unit(), h), columns: cut(chance.unit(), w) };
    }
    if how.erase.is_none_or(|probability| chance.unit() >= probability) {
        return Window::default();
    }
    // A rectangle that does not fit is drawn again.
    for _ in 0..10 {
        let (area, ratio) = (chance.between(0.02, 0.33) * (h * w) as f64, libm::exp(chance.either_way(libm::log(3.3))));
        let (rows, columns) = (libm::sqrt(area * ratio).round() as usize, libm::sqrt(area / ratio).round() as usize);
        let [top, left] = [chance.unit(), chance.unit()];
        if rows < h && columns < w {
            let from = |unit: f64, extent: usize, length: usize| {
                let first = (unit * (extent - length + 1) as f64) as u32;
                [first, first + length as u32]
            };
            return Window { rows: from(top, h, rows), columns: from(left, w, columns) };
        }
    }
    Window::default()
}

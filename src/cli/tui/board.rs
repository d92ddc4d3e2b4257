//! What a screen shows of a run: all that the run told, as far as it is seen.

use serde_json::{Map, Value};
use train::console::clock_time;
use train::onlooker::{Course, Event, Figures};
use train::run_folder::Record;

/// Points that a curve keeps at least, where it has had so many: more than a terminal has dots.
const MOST: usize = 2000;

/// Lines of words that are kept for the screen's lower end.
const WORDS: usize = 16;

/// Values by step.
#[derive(Debug, Default)]
pub struct Curve(Vec<(f64, f64)>);

impl Curve {
    fn add(&mut self, step: f64, value: Option<f64>) {
        self.0.extend(value.filter(|value| value.is_finite()).map(|value| (step, value)));
        if self.0.len() >= 2 * MOST {
            let pairs = self.0.chunks(2).map(|pair| {
                let count = pair.len() as f64;
                (pair.iter().map(|point| point.0).sum::<f64>() / count, pair.iter().map(|point| point.1).sum::<f64>() / count)
            });
            self.0 = pairs.collect();
        }
    }

    pub fn points(&self) -> &[(f64, f64)] {
        &self.0
    }
}

/// Loss and accuracy over the steps.
#[derive(Debug, Default)]
pub struct Curves {
    pub loss: Curve,
    pub accuracy: Curve,
}

impl Curves {
    fn add(&mut self, step: f64, loss: Option<f64>, accuracy: Option<f64>) {
        self.loss.add(step, loss);
        self.accuracy.add(step, accuracy);
    }
}

/// What is under way.
#[derive(Debug, Default)]
pub struct Task {
    pub title: String,
    pub done: u64,
    pub parts: u64,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Board {
    pub heading: String,
    pub task: Option<Task>,
    pub training: Curves,
    /// Of the images that the best weights are chosen by.
    pub measured: Curves,
    pub figures: Option<Figures>,
    /// The last lines that were said or noted.
    pub words: Vec<String>,
    pub is_held: bool,
    pub is_stopping: bool,
    /// Steps of the whole run.
    steps: u64,
    saved: Option<u64>,
}

impl Board {
    pub fn see(&mut self, event: Event<'_>) {
        match event {
            Event::Said(text) | Event::Noted(text) => self.tell(text),
            Event::Begun { title, done, parts } => self.task = Some(Task { title: title.to_owned(), done, parts }),
            Event::Advanced => self.task.iter_mut().for_each(|task| task.done += 1),
            Event::Ready(course) => self.begin(course),
            Event::Figures(figures) => {
                if figures.is_line {
                    self.training.add(figures.step as f64, Some(figures.loss), figures.accuracy);
                }
                self.figures = Some(figures);
            }
            Event::Epoch(epoch) => self.measured.add(epoch.step as f64, epoch.loss, epoch.accuracy),
            Event::Saved(step) => self.saved = Some(step),
            Event::Held(is_held) => self.is_held = is_held,
            _ => {}
        }
    }

    /// A line of a person's.
    pub fn tell(&mut self, text: &str) {
        self.words.extend(text.lines().map(str::to_owned));
        self.words.drain(..self.words.len().saturating_sub(WORDS));
    }

    fn begin(&mut self, course: Course<'_>) {
        self.heading = format!("{} on {} ({})", course.model, course.data, course.device);
        self.steps = course.steps;
        // A run that goes on has a past. One whose log cannot be read has none, and goes on as well.
        if let Ok(record) = Record::read(course.folder) {
            self.recall(&record.log);
        }
    }

    fn recall(&mut self, log: &[Map<String, Value>]) {
        for line in log {
            let number = |key: &str| line.get(key).and_then(Value::as_f64);
            let Some(step) = number("step") else { continue };
            self.training.add(step, number("loss"), number("accuracy"));
            let measured = |what: &str| number(&format!("val_{what}")).or_else(|| number(&format!("test_{what}")));
            self.measured.add(step, measured("loss"), measured("accuracy"));
        }
    }

    /// The figures, each with its unit.
    pub fn facts(&self) -> Vec<String> {
        let Some(figures) = &self.figures else { return vec!["before the first step".to_owned()] };
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        let last = |curve: &Curve| curve.points().last().map(|point| point.1);
        let measured = last(&self.measured.loss).map(|loss| {
            let accuracy = last(&self.measured.accuracy).map_or_else(String::new, |share| format!(", {}", percent(share)));
            format!("validation {loss:.3}{accuracy}")
        });
        let facts = [
            Some(format!("step {} of {}", figures.step, self.steps)),
            Some(format!("loss {:.3}", figures.loss)),
            figures.accuracy.map(percent),
            measured,
            Some(format!("rate {}", rate(figures.lr))),
            figures.images_per_s.map(|rate| format!("{rate:.0} images/s")),
            figures.left.map(|left| format!("{} left", clock_time(left))),
            Some(format!("{} MiB", figures.peak_bytes >> 20)),
            self.saved.map(|step| format!("saved at {step}")),
        ];
        facts.into_iter().flatten().collect()
    }
}

/// With as many digits as it has, up to the sixth behind the point; smaller ones by their power of ten.
fn rate(rate: f64) -> String {
    if rate < 1e-4 {
        return format!("{rate:.2e}");
    }
    format!("{rate:.6}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_curve_is_thinned_and_keeps_its_mean() {
        let mut curve = Curve::default();
        (0..50_001).for_each(|step| curve.add(f64::from(step), Some(f64::from(step % 2))));
        assert!((MOST..2 * MOST).contains(&curve.0.len()), "{}", curve.0.len());
        assert!(curve.0.windows(2).all(|pair| pair[0].0 < pair[1].0) && curve.0[0].1 == 0.5);
        curve.add(50_001.0, Some(f64::NAN));
        curve.add(50_002.0, None);
        assert!(curve.0.last().unwrap().0 <= 50_000.0);
    }

    #[test]
    fn a_rate_has_the_digits_that_it_needs() {
        assert_eq!([0.05, 1.0, 0.000_123_4, 1.5e-5, 0.055_000_001].map(rate), ["0.05", "1", "0.000123", "1.50e-5", "0.055"]);
    }

    #[test]
    fn a_run_that_goes_on_has_its_past() {
        let mut board = Board::default();
        let line = |text: &str| serde_json::from_str(text).unwrap();
        board.recall(&[
            line(r#"{"step": 10, "loss": 2.0, "accuracy": 0.25, "lr": 0.1}"#),
            line(r#"{"step": 12, "lr_by_hand": 1.1}"#),
            line(r#"{"step": 25, "train_loss": 1.9, "val_loss": 1.5, "val_accuracy": 0.5}"#),
            line(r#"{"step": 50, "train_loss": 1.9, "test_loss": 1.0, "test_accuracy": null}"#),
        ]);
        assert_eq!((board.training.loss.points(), board.training.accuracy.points()), (&[(10.0, 2.0)][..], &[(10.0, 0.25)][..]));
        assert_eq!(board.measured.loss.points(), [(25.0, 1.5), (50.0, 1.0)]);
        assert_eq!(board.measured.accuracy.points(), [(25.0, 0.5)]);
    }
}

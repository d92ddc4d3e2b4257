//! Who looks on at a run in the place of lines and a bar, and may have a hand in it.
//!
//! A run tells its onlooker what happens ([`Event`]), and asks it after each step what it wishes ([`Wish`]). What shows it, on a screen or
//! elsewhere, is the onlooker's own matter: [`Console::watched`](crate::console::Console::watched).

use std::fmt::Debug;
use std::path::Path;
use std::time::Duration;

/// What a run is, before its next step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Course<'a> {
    /// The model's name.
    pub model: &'a str,
    /// The data set.
    pub data: &'a str,
    /// The device's name.
    pub device: &'a str,
    /// The folder of the run.
    pub folder: &'a Path,
    /// Epochs of the whole run.
    pub epochs: u64,
    /// Steps at the end of the whole run.
    pub steps: u64,
}

/// What the steps since the last line of the log came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// Steps done.
    pub step: u64,
    /// Mean loss.
    pub loss: f64,
    /// Share of the images that was recognised; none where that is not told.
    pub accuracy: Option<f64>,
    /// Learning rate of the last step.
    pub lr: f64,
    /// Images a second, of training alone; none before the second step.
    pub images_per_s: Option<f64>,
    /// What the steps that are left will take.
    pub left: Option<Duration>,
    /// The most bytes that the device held at a time.
    pub peak_bytes: u64,
    /// Whether this is a line of the log; else it is a look in between, and the next one begins where this one began.
    pub is_line: bool,
}

/// What an epoch came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Epoch {
    /// Steps done.
    pub step: u64,
    /// Mean loss over the images that the best weights are chosen by; none where nothing is measured.
    pub loss: Option<f64>,
    /// Share of them that was recognised; none where that is not told.
    pub accuracy: Option<f64>,
}

/// What happens in a run.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A result in words.
    Said(&'a str),
    /// A remark.
    Noted(&'a str),
    /// Something begins that has so many parts, of which some are done.
    Begun {
        /// What it is.
        title: &'a str,
        /// Parts that are done.
        done: u64,
        /// All parts.
        parts: u64,
    },
    /// One more part of it is done.
    Advanced,
    /// A run is ready for its next step.
    Ready(Course<'a>),
    /// How its steps go.
    Figures(Figures),
    /// An epoch is over.
    Epoch(Epoch),
    /// The run was saved after so many steps.
    Saved(u64),
    /// The run stands still as long as its onlooker wishes it, or goes on.
    Held(bool),
}

/// What an onlooker has a run do between two steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Wish {
    /// Save now, as every so many steps.
    Save,
    /// Stand still until the onlooker wishes that it go on.
    Hold,
    /// Go on.
    GoOn,
    /// Multiply the rate of all later steps by this.
    Rate(f32),
}

/// Sees a run, and is asked for its wishes.
///
/// What is wished changes nothing about a run being the same to the bit, however often it is stopped and continued: a changed rate is part
/// of its checkpoints.
pub trait Onlooker: Debug + Send + Sync {
    /// Something happened.
    fn see(&self, event: Event<'_>);

    /// The next wish after `step` steps, until there is none.
    fn wish(&self, step: u64) -> Option<Wish>;
}

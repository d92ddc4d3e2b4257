//! The bar of an epoch, on stderr.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, IsTerminal};

#[derive(Debug)]
pub struct Bar(ProgressBar);

impl Bar {
    pub fn hidden() -> Self {
        Self(ProgressBar::hidden())
    }

    /// Hidden where stderr is no terminal.
    pub fn new(title: String, done: u64, steps: u64) -> Self {
        if !io::stderr().is_terminal() {
            return Self::hidden();
        }
        let style = ProgressStyle::with_template("{prefix} {bar:10} {pos}/{len} {wide_msg}").expect("a valid template");
        let bar = ProgressBar::with_draw_target(Some(steps), ProgressDrawTarget::stderr()).with_style(style);
        bar.set_prefix(title);
        bar.set_position(done);
        Self(bar)
    }

    pub fn is_live(&self) -> bool {
        !self.0.is_hidden()
    }

    pub fn advance(&self) {
        self.0.inc(1);
    }

    pub fn status(&self, text: String) {
        self.0.set_message(text);
    }

    /// Runs `f`, which prints, with the bar out of the way.
    pub fn suspend(&self, f: impl FnOnce()) {
        self.0.suspend(f);
    }

    pub fn clear(self) {
        self.0.finish_and_clear();
    }
}

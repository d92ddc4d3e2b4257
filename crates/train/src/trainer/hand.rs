//! What an onlooker wishes between two steps.
//!
//! A rate that a hand changes holds from the next step on. It belongs to the run's [`Progress`](super::progress::Progress), so a run that
//! is continued goes on with it; what the log says of hands, and the checkpoint that it is continued from does not, is struck out then.

use super::report::Report;
use super::run::Run;
use super::saving::save_between;
use crate::error::Result;
use crate::onlooker::{Event, Wish};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::sleep;
use std::time::Duration;

/// How often a run that stands still asks whether it should go on.
const PATIENCE: Duration = Duration::from_millis(20);

/// What is wished at a time.
struct Wished {
    factor: f32,
    save: bool,
    hold: bool,
}

/// Does what is wished after the step that was just done, and stands still as long as that is wished.
pub(super) fn attend(run: &mut Run, report: &mut Report<'_>, stop: &AtomicBool) -> Result<()> {
    let mut held = false;
    loop {
        let Wished { factor, save, hold } = wished(run.progress.step, held, report);
        if factor != 1.0 {
            change_rate(run, report, factor)?;
        }
        // The end of an epoch saves after its evaluation.
        if save && !run.progress.at_epoch_end() {
            save_between(run, report)?;
        }
        if hold != held {
            report.tell(Event::Held(hold));
        }
        if !hold || stop.load(Relaxed) {
            if held {
                report.clock.go_on();
            }
            return Ok(());
        }
        if !held || save {
            run.learner.synchronize()?;
            report.clock.pause();
        }
        held = true;
        sleep(PATIENCE);
    }
}

/// All wishes that there are.
fn wished(step: u64, held: bool, report: &Report<'_>) -> Wished {
    let mut wished = Wished { factor: 1.0, save: false, hold: held };
    while let Some(wish) = report.wish(step) {
        match wish {
            Wish::Save => wished.save = true,
            Wish::Hold => wished.hold = true,
            Wish::GoOn => wished.hold = false,
            Wish::Rate(factor) => wished.factor *= factor,
        }
    }
    wished
}

fn change_rate(run: &mut Run, report: &mut Report<'_>, factor: f32) -> Result<()> {
    match run.progress.change_rate(factor) {
        Some(in_all) => report.rate_changed(run, in_all),
        None => {
            report.note("The rate stays: a hand takes it to a thousandth and to a thousand times the schedule's, not further.");
            Ok(())
        }
    }
}

//! A training run from its first step to its last, or on from where it stopped.

mod clock;
mod diagnosis;
mod epochs;
mod fine_tuning;
mod hand;
mod learner;
mod optimizer;
mod outcome;
mod progress;
mod range_test;
mod report;
mod run;
mod saving;
mod setup;
mod sharing;
mod trace;

pub use optimizer::LossScale;
pub use outcome::Outcome;
pub use progress::Tally;
pub use range_test::Subject;
pub(crate) use range_test::range_test;
pub use run::{Measured, Tested};
pub use setup::{Order, Standing, open_device, resolved, standing};

use crate::console::Console;
use crate::error::Result;
use crate::place::expect_place;
use report::Report;

/// Trains, and leaves a run's folder behind.
///
/// # Errors
/// Bad settings, data, checkpoints or devices, before anything is written; a loss that is not finite; a checkpoint that cannot be
/// written.
pub fn train(order: Order<'_>, console: &mut Console) -> Result<Outcome> {
    let Order { settings, resume, data, device, peers, stop, began } = order;
    if let Some(path) = settings.trace.as_ref().filter(|_| peers.is_first()) {
        expect_place("--trace", path)?;
    }
    let (mut run, log) = match resume {
        None => setup::begin(settings, data, device, &peers, console)?,
        Some(folder) => setup::resume(&folder, settings, data, device, &peers, console)?,
    };
    let trace = run.config.trace.clone().filter(|_| peers.is_first());
    let mut report = Report::new(console, log, began, trace.is_some());
    report.announce(&run);
    let ending = epochs::finish(&mut run, &mut report, stop).map_err(|error| {
        trace.iter().for_each(|path| report.write_trace(path));
        diagnosis::explained(error, &mut run, &report, stop)
    })?;
    let done = run.done();
    if !ending.interrupted && done.config.plain_report != Some(true) {
        report.inspect(&done);
        report.page(&done.folder);
    }
    trace.iter().for_each(|path| report.write_trace(path));
    Ok(report.conclude(&done, ending))
}

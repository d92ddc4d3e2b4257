//! A run's checkpoint to continue from, while it goes on.

use super::report::Report;
use super::run::Run;
use crate::error::Result;
use crate::onlooker::Event;
use std::time::Instant;

pub(super) fn save(run: &Run, report: &mut Report<'_>) -> Result<()> {
    let since = Instant::now();
    run.save()?;
    report.span("checkpoint", run.progress.step, since);
    report.tell(Event::Saved(run.progress.step));
    Ok(())
}

/// In the middle of an epoch; the end of one saves after its evaluation.
pub(super) fn save_between(run: &mut Run, report: &mut Report<'_>) -> Result<()> {
    run.observe()?;
    report.clock.pause();
    save(run, report)?;
    report.clock.go_on();
    Ok(())
}

//! The loop: from a batch to the saved file.

use super::hand::attend;
use super::report::Report;
use super::run::{Ending, Run};
use super::saving::{save, save_between};
use crate::error::Result;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

/// Every step that is left, and at the end of each epoch an evaluation, a checkpoint and a new page; at the end of all, the test.
pub(super) fn finish(run: &mut Run, report: &mut Report<'_>, stop: &AtomicBool) -> Result<Ending> {
    let mut ending = Ending::default();
    while !run.progress.is_over(&run.config) && !ending.interrupted {
        ending.interrupted = steps(run, report, stop)?;
        let (step, since) = (run.progress.step, Instant::now());
        // In the middle of an epoch the device goes on counting, as if the run did.
        if run.progress.at_epoch_end() {
            run.count()?
        } else {
            run.observe()?
        }
        report.pause();
        report.span("losses", step, since);
        if !ending.interrupted {
            let since = Instant::now();
            ending.score = run.score()?;
            report.span("validation", step, since);
            report.epoch(run, ending.score)?;
        }
        ending.tally = run.progress.epoch_so_far();
        if run.progress.at_epoch_end() {
            run.end_epoch(ending.score)?;
        }
        // Before the last save, so that a run that is killed in between measures again. A fault of it costs no epoch.
        let is_over = run.progress.is_over(&run.config) && !ending.interrupted;
        let since = Instant::now();
        let tested = if is_over { run.test(ending.score).and_then(|tested| report.tested(run, tested)) } else { Ok(None) };
        report.span("test", step, since);
        save(run, report)?;
        ending.loss_scale = run.learner.loss_scale()?;
        ending.peak_bytes = run.learner.optimizer.device().memory().peak;
        let since = Instant::now();
        report.page(&run.folder);
        report.span("page", step, since);
        ending.tested = tested?;
        ending.interrupted |= run.peers.any(stop.load(Relaxed))? && !is_over;
        report.clock.go_on();
    }
    Ok(ending)
}

/// The steps of an epoch that are left; true if they were cut short from outside.
fn steps(run: &mut Run, report: &mut Report<'_>, stop: &AtomicBool) -> Result<bool> {
    let (epoch, per_epoch) = (run.progress.step / run.progress.steps_per_epoch, run.progress.steps_per_epoch);
    let (first, last) = (run.progress.step % per_epoch, per_epoch.min(run.progress.until(&run.config) - epoch * per_epoch));
    report.begin_epoch(run, first);
    let batch = run.config.batch_size;
    let order = run.order(epoch);
    // A rest that does not fill a batch is left out; another order next time leaves out others.
    let images = &order[first as usize * batch..last as usize * batch];
    let (part, of) = (batch / run.config.accumulate as usize, run.config.accumulate);
    // Of each batch the parts that are this process's.
    let share = run.peers.share(of)?;
    let mine = images.chunks_exact(part).zip((0..of).cycle()).filter(|(_, part)| share.contains(part));
    let mut parts = mine.map(|(images, _)| images).peekable();
    for _ in first..last {
        let (learner, step) = (&mut run.learner, run.progress.step);
        learner.set_lr(run.progress.base_lr(&run.config), step);
        let done = share.clone().try_for_each(|_| {
            let since = Instant::now();
            learner.fill(&run.config, step, parts.next().expect("a batch has as many parts"))?;
            report.clock.fed(learner.feed.waited());
            parts.peek().into_iter().for_each(|next| learner.feed.prepare(next));
            report.span("images", step, since);
            let since = Instant::now();
            learner.step.run()?;
            report.span("step", step, since);
            Ok(())
        });
        let since = Instant::now();
        let told_to_stop = run.peers.finish(&learner.step, done, stop.load(Relaxed))?;
        if !run.peers.is_alone() {
            report.span("exchange", step, since);
        }
        run.progress.step += 1;
        if report.clock.stepped(batch as u64) {
            let since = Instant::now();
            learner.synchronize()?;
            report.span("device", step, since);
            report.waited(run)?;
        }
        report.advance();
        if run.progress.step.is_multiple_of(run.config.log_every) {
            let since = Instant::now();
            run.count()?;
            report.step(run)?;
            report.span("losses", step, since);
            run.progress.window = Default::default();
        }
        attend(run, report, stop)?;
        // The end of an epoch saves after its evaluation.
        if run.progress.step.is_multiple_of(run.config.save_every) && !run.progress.at_epoch_end() {
            save_between(run, report)?;
        }
        // At the end of an epoch there is nothing to cut short: what comes next decides over the best weights and the rate.
        let is_asked = if run.peers.is_alone() { stop.load(Relaxed) } else { told_to_stop };
        if is_asked && !run.progress.at_epoch_end() {
            return Ok(true);
        }
    }
    if !run.progress.is_over(&run.config) {
        let next = run.order(epoch + 1);
        run.learner.feed.prepare(&next[share.start as usize * part..][..part]);
    }
    Ok(false)
}

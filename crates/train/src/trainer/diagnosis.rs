//! What ended a run. Where it diverged, its steps from the last checkpoint are done again, with a look at everything that each of them
//! leaves.

use super::progress::Progress;
use super::report::Report;
use super::run::Run;
use crate::error::{Error, Result};
use crate::finite::{first_not_finite, layer_of};
use crate::model;
use nn::Tape;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// The same error; of a run that diverged it says where that began, and where the last checkpoint from before lies; of one whose GPU is
/// gone, from where it goes on.
pub(super) fn explained(error: Error, run: &mut Run, report: &Report<'_>, stop: &AtomicBool) -> Error {
    let (what, step) = match error {
        Error::Diverged { what, step, .. } => (what, step),
        Error::Device(gpu_core::Error::DeviceLost(detail)) => return lost(detail, run),
        other => return other,
    };
    let last = run.folder.last();
    if !run.peers.is_alone() {
        // All of them see it: what they count is the same. One process alone can do the steps again.
        let place =
            format!(" (the last checkpoint from before is {}: continued by one process, it says where it began)", last.display());
        return run.peers.agree::<()>(Err(Error::Diverged { what, step, place })).expect_err("it was one");
    }
    report.note("Training diverged: the steps since the last checkpoint are done again, to see where.");
    // What goes wrong in here (the memory for a second look, say) is not the error to be told.
    let begun = gpu_core::within_memory(|| replayed(run, step, stop)).ok().and_then(Result::ok).flatten();
    let begun = begun.map_or_else(String::new, |begun| format!("first {begun}; "));
    Error::Diverged { what, step, place: format!(" ({begun}the last checkpoint from before is {})", last.display()) }
}

/// The weights went with the device: what was saved is what there is.
fn lost(detail: String, run: &Run) -> Error {
    let last = run.folder.last();
    let saved = model::read_checkpoint(&last).and_then(|checkpoint| Progress::of(&checkpoint, &last));
    match saved {
        Ok(saved) => Error::Lost { detail, step: run.progress.step, saved: saved.step, folder: run.folder.path().into() },
        Err(error) => error,
    }
}

/// What was not finite first, and at which step.
fn replayed(run: &mut Run, until: u64, stop: &AtomicBool) -> Result<Option<String>> {
    let last = run.folder.last();
    let about = |e| model::about(&last, e);
    let mut before = model::read_checkpoint(&last)?;
    run.progress = Progress::of(&before, &last)?.with_hands_of(run.progress.clone());
    before.load_net(&run.learner.net).map_err(about)?;
    before.load_optimizer(&*run.learner.optimizer).map_err(about)?;
    let (batch, per_epoch) = (run.config.batch_size, run.progress.steps_per_epoch);
    while run.progress.step < until && !stop.load(Relaxed) {
        let step = run.progress.step;
        let order = run.order(step / per_epoch);
        let images = &order[(step % per_epoch) as usize * batch..][..batch];
        if let Some(loss) = bad_loss(run, images)? {
            before.load_net(&run.learner.net).map_err(about)?;
            let began = first_layer(run)?.unwrap_or_else(|| format!("the loss was {loss}"));
            return Ok(Some(format!("at step {}: {began}", step + 1)));
        }
        let after = run.learner.state()?;
        if let Some((key, value)) = after.not_finite() {
            let layer = layer_of(&run.learner.net, key).map_or_else(String::new, |layer| format!(" of layer {layer}"));
            before.load_net(&run.learner.net).map_err(about)?;
            let began = first_layer(run)?.unwrap_or_else(|| format!("{key}{layer} became {value}"));
            return Ok(Some(format!("at step {}: {began}", step + 1)));
        }
        before = after;
        run.progress.step += 1;
    }
    Ok(run.learner.look_at_score()?.map(|layer| format!("over the images that were measured on: {layer}")))
}

/// Does a step; a loss that is not finite ends it.
fn bad_loss(run: &mut Run, images: &[u32]) -> Result<Option<f32>> {
    let learner = &mut run.learner;
    learner.set_lr(run.progress.base_lr(&run.config), run.progress.step);
    for part in images.chunks_exact(run.config.batch_size / run.config.accumulate as usize) {
        learner.fill(&run.config, run.progress.step, part)?;
        learner.step.run()?;
        let loss = learner.step.loss()?;
        if !loss.is_finite() {
            return Ok(Some(loss));
        }
    }
    Ok(None)
}

/// The layer that gives what is not finite for the batch of the last step, by the weights that there are.
fn first_layer(run: &Run) -> Result<Option<String>> {
    let learner = &run.learner;
    let number = learner.step.slots().step.read::<u32>()?[0];
    let pass = Tape::pass(learner.optimizer.device()).precision(run.config.precision());
    let tape = pass.seed(run.config.seed).step(number).no_gradients().tape();
    first_not_finite(&learner.net, "", &tape.input(learner.step.x()))
}

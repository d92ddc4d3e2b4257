//! A run that several processes compute: what they must have in common before its first step, and what the first of them has for all.

use super::progress::Progress;
use crate::error::{Error, Result};
use crate::model;
use crate::peers::{Peers, place_of};
use crate::run_folder::{MetricsLog, RunFolder};
use crate::settings::{Config, Settings};
use gpu_core::Device;
use nn::checkpoint::Checkpoint;
use std::path::{Path, PathBuf};

/// As many parts of a batch as there are processes, unless the settings say how many.
///
/// # Errors
/// If the batch cannot be shared out so.
pub(super) fn shared_out(mut config: Config, given: &Settings, peers: &Peers) -> Result<Config> {
    if given.accumulate.is_none() && !peers.is_alone() {
        let (size, batch) = (peers.size(), config.batch_size);
        if !batch.is_multiple_of(size) {
            let near = batch.next_multiple_of(size);
            return Error::setting(format!(
                "--batch-size {batch} cannot be shared by {size} processes; {near} can, of which each has {}",
                near / size
            ));
        }
        config.accumulate = size as u32;
    }
    peers.share(config.accumulate)?;
    Ok(config)
}

/// Refuses settings and data that are not those of the first process.
///
/// # Errors
/// If they are not, for all.
pub(super) fn expect_one_config(config: &Config, peers: &Peers) -> Result<()> {
    // What no config.toml holds, and all must know alike.
    let of_command = format!("max-steps = {}\n", config.max_steps.map_or_else(|| "none".to_owned(), |steps| steps.to_string()));
    peers.expect_same(&(config.anchored().to_toml() + &of_command), |rank, theirs, first| {
        let line = theirs.lines().zip(first.lines()).find(|(theirs, first)| theirs != first);
        let (theirs, first) = line.unwrap_or(("fewer settings", "more"));
        Error::Setting(format!("process {rank} has other settings or other data than process 0: {theirs}, not {first}"))
    })
}

/// Refuses a device that need not have the bits of the first process's, or is that of another.
///
/// # Errors
/// If there is one, for all.
pub(super) fn expect_one_place(device: &Device, peers: &Peers) -> Result<()> {
    peers.expect_same(&place_of(device), |rank, theirs, first| {
        Error::Setting(format!(
            "process {rank} runs on {theirs}, process 0 on {first}: the same bits need the same adapter and driver, or the same kind of processor"
        ))
    })?;
    peers.expect_own_gpu(device)
}

/// The folder and the log that the first process has `made`; for the others, that they are another's.
///
/// # Errors
/// That of the first, for all.
pub(super) fn of_the_first(made: Option<Result<(RunFolder, MetricsLog)>>, peers: &Peers) -> Result<(RunFolder, MetricsLog)> {
    let made = peers.agree(made.transpose())?;
    let path = made.as_ref().map_or_else(Vec::new, |(folder, _)| folder.path().to_string_lossy().into_owned().into_bytes());
    let path = peers.broadcast(path)?;
    Ok(made.unwrap_or_else(|| {
        let path = PathBuf::from(String::from_utf8_lossy(&path).into_owned());
        (RunFolder::of_another(path), MetricsLog::of_another())
    }))
}

/// What a run that stopped has left behind.
pub(super) struct Left {
    /// For the first process alone.
    pub folder: Option<RunFolder>,
    pub settings: Settings,
    pub checkpoint: Checkpoint,
}

/// What the run in the folder `path` has left, which only the first process can look at.
///
/// # Errors
/// If it is not one, or cannot be read: for all.
pub(super) fn left(path: &Path, peers: &Peers) -> Result<Left> {
    let read = || {
        let folder = RunFolder::open(path)?;
        let settings = folder.read_settings()?;
        let (last, best) = (folder.last(), folder.best());
        let mut checkpoint = model::read_checkpoint(&last)?;
        let mut progress = Progress::of(&checkpoint, &last)?;
        if progress.best.is_some() && progress.best_epoch.is_none() && best.is_file() {
            // A run from before this was noted.
            progress.best_epoch = Some(Progress::of(&model::read_checkpoint(&best)?, &best)?.epoch);
            checkpoint = progress.noted(checkpoint);
        }
        Ok(Left { folder: Some(folder), settings, checkpoint })
    };
    let left = peers.agree(peers.is_first().then(read).transpose())?;
    if peers.is_alone() {
        return Ok(left.expect("one process is the first"));
    }
    let (folder, text, checkpoint) = match left {
        Some(Left { folder, settings, checkpoint }) => (folder, settings.to_toml(), Some(checkpoint)),
        None => (None, String::new(), None),
    };
    let text = peers.broadcast(text.into_bytes())?;
    let settings = Settings::of_text(path, &String::from_utf8_lossy(&text))?;
    let checkpoint = peers.checkpoint(checkpoint)?.expect("the first process has read it");
    Ok(Left { folder, settings, checkpoint })
}

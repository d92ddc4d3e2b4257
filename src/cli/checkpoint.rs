//! The checkpoint that a command uses.

use clap::Args;
use std::path::{Path, PathBuf};
use train::Result;
use train::run_folder::{checkpoint_of, newest_run};

/// Which checkpoint a command uses.
#[derive(Args)]
pub struct Which {
    /// A checkpoint, or the folder of a run, whose best one is taken [default: the newest run in runs/]
    #[arg(long, value_name = "FILE|DIR")]
    checkpoint: Option<PathBuf>,
}

impl Which {
    pub fn file(&self) -> Result<PathBuf> {
        match &self.checkpoint {
            Some(path) => checkpoint_of(path),
            None => checkpoint_of(&newest_run(Path::new("runs"))?),
        }
    }
}

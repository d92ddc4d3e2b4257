//! `wgrad train --tui` where the feature `tui` is off.

use std::sync::atomic::AtomicBool;
use train::console::Console;
use train::{Error, Result};

/// # Errors
/// Always.
pub fn on_screen<R>(_work: impl FnOnce(&AtomicBool, &mut Console) -> Result<R>) -> Result<R> {
    Err(Error::Setting(
        "--tui is not in this build of the command; `cargo install wgrad --features tui` makes one that has it".into(),
    ))
}

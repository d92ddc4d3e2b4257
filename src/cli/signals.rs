//! An orderly end by Ctrl-C, SIGTERM and SIGHUP.

#[cfg(unix)]
use signal_hook::consts::SIGHUP;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use train::{Error, Result};

/// The exit code of what a signal ended.
pub const ENDED: i32 = 130;

/// The first Ctrl-C, SIGTERM or SIGHUP ends the run after its step, the second one at once.
pub fn stop_on_signals() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    // The order counts: the first signal finds the flag not set.
    caught(|signal| flag::register_conditional_shutdown(signal, ENDED, stop.clone()).map(drop))?;
    set_on_signals(&stop)?;
    Ok(stop)
}

/// Each of them sets this, and does nothing else.
pub fn set_on_signals(told: &Arc<AtomicBool>) -> Result<()> {
    caught(|signal| flag::register(signal, told.clone()).map(drop))
}

fn caught(register: impl Fn(i32) -> io::Result<()>) -> Result<()> {
    signals()
        .into_iter()
        .try_for_each(|signal| register(signal).map_err(|e| Error::Setting(format!("signal {signal} cannot be caught: {e}"))))
}

#[cfg(unix)]
fn signals() -> Vec<i32> {
    // `nohup wgrad` asks that a hangup be ignored, and is not to be overruled.
    if ignores_hangup() { vec![SIGINT, SIGTERM] } else { vec![SIGINT, SIGTERM, SIGHUP] }
}

#[cfg(not(unix))]
fn signals() -> Vec<i32> {
    vec![SIGINT, SIGTERM]
}

/// Where the system tells, which is Linux.
#[cfg(unix)]
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (SIGHUP - 1) & 1 == 1)
}

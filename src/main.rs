//! The command `wgrad`. Exit codes: 0 done, 1 ran and found something wrong, 2 bad input or environment, 3 the output could
//! not be written, 130 ended by Ctrl-C, SIGTERM or SIGHUP.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    quiet_vulkan();
    cli::main()
}

/// Without a desktop session, a layer that Mesa puts into every Vulkan program prints an error that means nothing here. It has a
/// switch, which must be set before the process starts: so it is started again with it.
#[cfg(target_os = "linux")]
fn quiet_vulkan() {
    use std::os::unix::process::CommandExt;
    const SWITCH: &str = "NODEVICE_SELECT";
    let has = |name: &str| std::env::var_os(name).is_some();
    if let (false, false, Ok(program)) = (has("XDG_RUNTIME_DIR"), has(SWITCH), std::env::current_exe()) {
        // Returns only where it fails, and then the program goes on with the noise.
        let _ = std::process::Command::new(program).args(std::env::args_os().skip(1)).env(SWITCH, "1").exec();
    }
}

#[cfg(not(target_os = "linux"))]
fn quiet_vulkan() {}

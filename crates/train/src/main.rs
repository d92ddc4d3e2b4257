//! The command `wgrad`. Exit codes: 0 done, 1 ran and found something wrong, 2 bad input or environment, 130 ended by Ctrl-C.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}

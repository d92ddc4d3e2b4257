//! `wgrad completions` and `wgrad man`: what a shell and a manual know of the command.

use super::answer::{Ending, say};
use clap::{Args, Command};
use clap_complete::Shell;
use std::path::PathBuf;
use train::{Error, Result};

#[derive(Args)]
pub struct Completions {
    /// The shell that is to complete
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints a script that has the shell complete commands and flags.
pub fn completions(flags: &Completions, mut command: Command) -> Result<Ending> {
    let mut script = Vec::new();
    clap_complete::generate(flags.shell, &mut command, "wgrad", &mut script);
    say(String::from_utf8_lossy(&script).trim_end()).map(|()| Ending::Done)
}

#[derive(Args)]
pub struct Man {
    /// Folder to write to, such as ~/.local/share/man/man1; it is made if it is not there
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Writes a page for the command and one for each of its commands.
pub fn man(flags: &Man, command: Command) -> Result<Ending> {
    let failed = |source| Error::File { doing: "writing manual pages to", path: flags.folder.clone(), source };
    std::fs::create_dir_all(&flags.folder).map_err(failed)?;
    clap_mangen::generate_to(command, &flags.folder).map_err(failed)?;
    say(&format!("manual pages: {}", flags.folder.display())).map(|()| Ending::Done)
}

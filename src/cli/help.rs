//! What `wgrad -h` prints: all commands and some examples on one screen. `--help` has a line for each command.

use clap::Command;

/// Commands that belong together, and what they are for.
const GROUPS: [(&[&str], &str); 6] = [
    (&["train", "config", "lr-find", "sweep"], "train one, or many; its settings, its rate"),
    (&["eval", "predict", "export"], "measure, use and pass on what was trained"),
    (&["runs", "report"], "list what was trained, and see its curves"),
    (&["data", "models", "layers", "summary"], "what there is to learn from, and to train"),
    (&["devices", "bench", "verify"], "the GPUs here, their speed and their results"),
    (&["completions", "man", "help"], "for the shell, for man, and for one command"),
];

/// The text, of the whole command.
pub fn short(mut command: Command) -> String {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let usage = command.render_usage();
    let groups: String = GROUPS.iter().map(|(names, what)| format!("  {:<30} {what}\n", names.join(", "))).collect();
    format!("{}\n\n{usage}\n\nCommands:\n{groups}\n{examples}\n", about.replace(". ", ".\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_command_stands_in_one_group() {
        let mut command = crate::cli::command();
        command.build();
        let names: BTreeSet<&str> = command.get_subcommands().map(Command::get_name).collect();
        let grouped: Vec<&str> = GROUPS.iter().flat_map(|(names, _)| names.iter().copied()).collect();
        assert_eq!((grouped.len(), grouped.into_iter().collect::<BTreeSet<_>>()), (names.len(), names));
    }
}

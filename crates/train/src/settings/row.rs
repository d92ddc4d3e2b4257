//! What is known of a setting beside its type, and what a run that is continued does with it.

use std::collections::BTreeMap;

/// What `--resume` does with a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resume {
    /// Takes it from the run's `config.toml`, and refuses another value.
    Fixed,
    /// Takes it from the run's `config.toml` unless another value is given.
    MayChange,
    /// Takes it if it is given: it is of one command, and no `config.toml` holds it.
    PerCommand,
    /// Refuses it: no `config.toml` holds it, because a second run could not use it.
    Once,
}

/// A setting's name and its rule.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// The name of the field.
    pub name: &'static str,
    pub resume: Resume,
}

impl Row {
    /// The key in a TOML file.
    pub fn key(&self) -> String {
        self.name.replace('_', "-")
    }

    pub fn flag(&self) -> String {
        format!("--{}", self.key())
    }

    /// Whether it may be given where a run is continued.
    pub fn may_be_given_again(&self) -> bool {
        matches!(self.resume, Resume::MayChange | Resume::PerCommand)
    }

    /// Its line of `config.toml`; nothing if the file does not hold it, or it has no value.
    pub fn line(&self, value: &impl serde::Serialize) -> String {
        match self.resume {
            Resume::Fixed | Resume::MayChange => {
                toml::to_string(&BTreeMap::from([(self.key(), value)])).expect("a key and its value")
            }
            Resume::PerCommand | Resume::Once => String::new(),
        }
    }
}

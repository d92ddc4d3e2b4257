//! What a setting is where it is not given.

use super::kinds::OptimizerKind;
use std::fmt::Display;

/// The settings that the defaults of others depend on.
pub(super) struct Basis {
    /// Whether the data set is the one that is made by code.
    pub builtin: bool,
    pub optimizer: OptimizerKind,
}

/// A default, and the words for it in `--help`.
pub(super) struct Fallback<T> {
    #[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "only --help shows them"))]
    words: String,
    value: Box<dyn Fn(&Basis) -> T>,
}

impl<T> Fallback<T> {
    pub fn value(&self, basis: &Basis) -> T {
        (self.value)(basis)
    }

    /// The text of a flag in `--help`, the default at its end.
    #[cfg(feature = "cli")]
    pub fn help(&self, about: &str) -> String {
        with_words(about, &self.words)
    }
}

#[cfg(feature = "cli")]
pub(super) fn with_words(about: &str, default: &str) -> String {
    format!("{} [default: {default}]", about.trim())
}

/// One value for all runs.
pub(super) fn always<T: Display + Clone + 'static>(value: T) -> Fallback<T> {
    Fallback { words: value.to_string(), value: Box::new(move |_| value.clone()) }
}

/// One text for all runs.
pub(super) fn named<T: From<&'static str>>(text: &'static str) -> Fallback<T> {
    Fallback { words: text.to_owned(), value: Box::new(move |_| text.into()) }
}

/// One value for the built-in data set, another one for those on disk.
pub(super) fn by_data<T: Display + Copy + 'static>(builtin: T, on_disk: T) -> Fallback<T> {
    let value = move |basis: &Basis| if basis.builtin { builtin } else { on_disk };
    Fallback { words: format!("{builtin} for builtin, else {on_disk}"), value: Box::new(value) }
}

/// The value for some update rules each, and for the others `otherwise`, with the words for it.
///
/// # Panics
/// Where it is used, if there is none for the update rule.
pub(super) fn by_optimizer(
    listed: &'static [(f64, &'static [OptimizerKind])],
    otherwise: Option<(f64, &'static str)>,
) -> Fallback<f64> {
    let value = move |basis: &Basis| {
        let found = listed.iter().find(|(_, kinds)| kinds.contains(&basis.optimizer)).map(|(value, _)| *value);
        found.or(otherwise.map(|(value, _)| value)).unwrap_or_else(|| panic!("no default for {}", basis.optimizer))
    };
    let row = |(value, kinds): &(f64, &[OptimizerKind])| {
        let names: Vec<String> = kinds.iter().map(OptimizerKind::to_string).collect();
        format!("{value} for {}", names.join(" and "))
    };
    let rows: Vec<String> = listed.iter().map(row).collect();
    let words = rows.join(", ") + otherwise.map_or("", |(_, words)| words);
    Fallback { words, value: Box::new(value) }
}

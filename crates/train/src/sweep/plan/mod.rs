//! What a sweep tries: the file, and the settings of each of its runs.

use super::values::Values;
use crate::error::{Error, Result};
use crate::settings::{Settings, table_of};
use gpu_core::rng::Stream;
use std::path::Path;
use toml::{Table, Value};

/// The most configurations of a sweep.
const MOST: u64 = 9_999;

/// How configurations are chosen, and how long each is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// Every combination of the lists.
    Grid,
    /// As many as were asked for, drawn at random.
    Random,
    /// The same, of which the best go on (Jamieson and Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter
    /// Optimization", 2016): one in `eta`, with `eta` times the epochs, until one is left.
    Halving { eta: u64, min_epochs: u64 },
}

/// A sweep's file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    pub method: Method,
    /// How many configurations there are.
    pub configurations: u64,
    seed: u64,
    base: Table,
    pub search: Vec<(String, Values)>,
}

/// Configurations that are trained alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rung {
    pub configurations: u64,
    /// None where the settings say how many.
    pub epochs: Option<u64>,
}

impl Plan {
    /// # Errors
    /// If the file cannot be read, a key or a value is none that it may have, or a configuration is no run's.
    pub fn read(path: &Path) -> Result<Self> {
        Self::of_table(path, table_of(path)?)
    }

    fn of_table(path: &Path, table: Table) -> Result<Self> {
        let wrong = |key: &str, what: &str| Error::content(path, format!("`{key}`: {what}"));
        let table = dashed(path, table)?;
        const KEYS: [&str; 7] = ["method", "runs", "seed", "eta", "min-epochs", "base", "search"];
        if let Some(key) = table.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(Error::content(path, format!("a sweep has no `{key}`; it has {}", KEYS.join(", "))));
        }
        let part = |key: &str| match table.get(key) {
            None => Ok(Table::new()),
            Some(Value::Table(part)) => dashed(path, part.clone()),
            Some(_) => Err(wrong(key, &format!("settings below a line [{key}] are wanted"))),
        };
        let (base, search) = (part("base")?, part("search")?);
        let read = |(key, value): (String, Value)| match Values::read(&value) {
            Ok(values) => Ok((key, values)),
            Err(what) => Err(wrong(&key, &what)),
        };
        let search = search.into_iter().map(read).collect::<Result<Vec<_>>>()?;
        if search.is_empty() {
            return Err(wrong("search", "there is nothing to try; give settings with lists of values or ranges"));
        }
        let whole = |key: &str, least: u64, most: u64| match table.get(key) {
            None => Ok(None),
            Some(Value::Integer(number)) if (least..=most).contains(&u64::try_from(*number).unwrap_or(u64::MAX)) => {
                Ok(Some(*number as u64))
            }
            Some(other) => Err(wrong(key, &format!("{other} is out of range; {least} to {most} is wanted"))),
        };
        let (runs, seed) = (whole("runs", 1, MOST)?, whole("seed", 0, i64::MAX as u64)?.unwrap_or(0));
        let (eta, min_epochs) = (whole("eta", 2, 1_000)?, whole("min-epochs", 1, 1_000_000)?);
        let method = match table.get("method").map(|value| value.as_str().unwrap_or("")) {
            Some("grid") => Method::Grid,
            Some("random") => Method::Random,
            Some("halving") => Method::Halving { eta: eta.unwrap_or(3), min_epochs: min_epochs.unwrap_or(1) },
            _ => return Err(wrong("method", "one of \"grid\", \"random\" and \"halving\" is wanted")),
        };
        if !matches!(method, Method::Halving { .. })
            && let Some(key) = ["eta", "min-epochs"].into_iter().find(|key| table.contains_key(*key))
        {
            return Err(wrong(key, "only method = \"halving\" has it"));
        }
        let configurations = match (method, runs) {
            (Method::Grid, Some(_)) => return Err(wrong("runs", "a grid has as many as there are combinations; leave it out")),
            (Method::Grid, None) => combinations(path, &search)?,
            (_, None) => return Err(wrong("runs", "the number of configurations to draw is wanted")),
            (_, Some(runs)) => runs,
        };
        let plan = Self { method, configurations, seed, base, search };
        plan.check(path)?;
        Ok(plan)
    }

    /// Refuses settings that no run of it can have, before the first one.
    fn check(&self, path: &Path) -> Result<()> {
        let wrong = |key: &str, what: &str| Err(Error::content(path, format!("`{key}`: {what}")));
        let searched = |key: &str| self.search.iter().any(|(name, _)| name == key);
        for key in ["name", "out"] {
            if self.base.contains_key(key) || searched(key) {
                return wrong(key, "a sweep names the folders of its runs itself; `wgrad sweep` has --name and --out");
            }
        }
        for key in ["device", "max-steps", "trace"] {
            if searched(key) {
                return wrong(key, "it is the same for all runs; it belongs below [base]");
            }
        }
        if let Some((key, _)) = self.search.iter().find(|(key, _)| self.base.contains_key(key)) {
            return wrong(key, "it stands below [base] and below [search]; leave one out");
        }
        if matches!(self.method, Method::Halving { .. }) {
            for key in ["epochs", "max-steps"] {
                if self.base.contains_key(key) || searched(key) {
                    return wrong(key, "halving decides how long a run is; min-epochs is where it begins");
                }
            }
        }
        let named = |error: Error, what: &str| match error {
            // Others name the file themselves.
            Error::Setting(e) => Error::content(path, format!("{what}{e}")),
            e => e,
        };
        // The ends of a range too, which may never be drawn.
        for (key, values) in &self.search {
            for value in values.given() {
                let one: Table = [(key.clone(), value)].into_iter().collect();
                Settings::of_table(path, one)?.check_ranges().map_err(|e| named(e, ""))?;
            }
        }
        for number in 1..=self.configurations {
            let resolved = self.settings(path, number, None)?.resolve();
            resolved.map_err(|e| named(e, &format!("configuration {number} ({}): ", told(&self.values(number)))))?;
        }
        self.rungs().iter().try_for_each(|rung| match rung.epochs {
            Some(epochs) if i64::try_from(epochs).is_err() => {
                wrong("min-epochs", "the last run would have more epochs than can be counted")
            }
            _ => Ok(()),
        })
    }

    /// The values of the settings that are searched, of a configuration that is counted from 1: those of a grid in their order, the last
    /// setting fastest; others drawn by the seed, the number and the setting's name alone, so that a larger sweep has the same ones first.
    pub fn values(&self, number: u64) -> Vec<(String, Value)> {
        let mut rest = number - 1;
        let mut values: Vec<(String, Value)> = self
            .search
            .iter()
            .rev()
            .map(|(key, values)| {
                let value = match (self.method, values.list()) {
                    (Method::Grid, Some(list)) => {
                        let value = list[(rest % list.len() as u64) as usize].clone();
                        rest /= list.len() as u64;
                        value
                    }
                    _ => values.at(share(self.seed, number, key)),
                };
                (key.clone(), value)
            })
            .collect();
        values.reverse();
        values
    }

    fn table(&self, number: u64) -> Table {
        let mut table = self.base.clone();
        table.extend(self.values(number));
        table
    }

    /// The settings of a configuration, which a rung may give a number of epochs.
    pub fn settings(&self, path: &Path, number: u64, epochs: Option<u64>) -> Result<Settings> {
        let settings = Settings::of_table(path, self.table(number))?;
        Ok(Settings { epochs: epochs.or(settings.epochs), ..settings })
    }

    /// How many configurations are trained, and how long: one row, or with halving several.
    pub fn rungs(&self) -> Vec<Rung> {
        let mut configurations = self.configurations;
        let Method::Halving { eta, min_epochs } = self.method else { return vec![Rung { configurations, epochs: None }] };
        let mut epochs = min_epochs;
        let mut rungs = vec![Rung { configurations, epochs: Some(epochs) }];
        while configurations > 1 {
            (configurations, epochs) = ((configurations / eta).max(1), epochs.saturating_mul(eta));
            rungs.push(Rung { configurations, epochs: Some(epochs) });
        }
        rungs
    }

    /// How many runs there are when all are done.
    pub fn runs(&self) -> u64 {
        self.rungs().iter().map(|rung| rung.configurations).sum()
    }

    /// Whether what the runs of another plan are is what they are here too: it may have more or fewer of them.
    pub fn goes_on(&self, other: &Self) -> bool {
        let alike = Self { configurations: self.configurations, ..other.clone() };
        *self == alike && (self.method != Method::Grid || self.configurations == other.configurations)
    }
}

/// `lr = 0.01, optimizer = "adam"`.
fn told(values: &[(String, Value)]) -> String {
    values.iter().map(|(key, value)| format!("{key} = {value}")).collect::<Vec<_>>().join(", ")
}

/// Keys may be written with underscores.
fn dashed(path: &Path, table: Table) -> Result<Table> {
    let mut found = Table::new();
    for (key, value) in table {
        let key = key.replace('_', "-");
        if found.insert(key.clone(), value).is_some() {
            return Err(Error::content(path, format!("`{key}` is given twice, once with an underscore; leave one out")));
        }
    }
    Ok(found)
}

fn combinations(path: &Path, search: &[(String, Values)]) -> Result<u64> {
    let mut count = 1u64;
    for (key, values) in search {
        let Some(list) = values.list() else {
            return Err(Error::content(path, format!("`{key}`: a grid takes lists; ranges are for \"random\" and \"halving\"")));
        };
        count = count.saturating_mul(list.len() as u64);
        if count > MOST {
            return Err(Error::content(path, format!("`{key}`: with it the grid has more than {MOST} combinations")));
        }
    }
    Ok(count)
}

/// A number from 0 to below 1.
fn share(seed: u64, number: u64, key: &str) -> f64 {
    let words = Stream::new(seed, crc32fast::hash(key.as_bytes()), number as u32).block(0);
    ((u64::from(words[0]) << 21) | u64::from(words[1] >> 11)) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests;

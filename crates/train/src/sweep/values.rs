//! The values that a sweep tries for one setting: a list, or a range.

use toml::{Table, Value};

/// The values of a setting.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Values {
    List(Vec<Value>),
    /// All whole numbers from the first to the second, by their logarithms or as they are.
    Whole {
        min: i64,
        max: i64,
        log: bool,
    },
    Real {
        min: f64,
        max: f64,
        log: bool,
    },
}

impl Values {
    /// What stands in a file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Array(list) if list.is_empty() => Err("an empty list tries nothing; give it values".to_owned()),
            Value::Array(list) => match (1..list.len()).find(|&i| list[..i].contains(&list[i])) {
                Some(i) => Err(format!("{} stands in the list twice", list[i])),
                None => Ok(Self::List(list.clone())),
            },
            Value::Table(range) => Self::range(range),
            _ => Err("a list of values is wanted, or a range such as { min = 0.001, max = 0.1, log = true }".to_owned()),
        }
    }

    fn range(range: &Table) -> Result<Self, String> {
        if let Some(other) = range.keys().find(|key| !["min", "max", "log"].contains(&key.as_str())) {
            return Err(format!("a range has min, max and log, and no {other}"));
        }
        let log = match range.get("log") {
            None => false,
            Some(Value::Boolean(log)) => *log,
            Some(other) => return Err(format!("log is true or false, and not {other}")),
        };
        let end = |name: &str| range.get(name).ok_or_else(|| format!("the range has no {name}"));
        let (min, max) = (end("min")?, end("max")?);
        let number = |value: &Value| match value {
            Value::Integer(number) => Ok(*number as f64),
            Value::Float(number) if number.is_finite() => Ok(*number),
            other => Err(format!("a range goes from a number to a number, and {other} is none")),
        };
        let (low, high) = (number(min)?, number(max)?);
        if low >= high {
            return Err(format!("min {min} is not below max {max}"));
        }
        if log && low <= 0.0 {
            return Err(format!("a logarithmic range begins above 0, and min is {min}"));
        }
        Ok(match (min, max) {
            (Value::Integer(min), Value::Integer(max)) => Self::Whole { min: *min, max: *max, log },
            _ => Self::Real { min: low, max: high, log },
        })
    }

    /// The values of a list; none of a range.
    pub fn list(&self) -> Option<&[Value]> {
        match self {
            Self::List(list) => Some(list),
            _ => None,
        }
    }

    /// The values that stand in the file: a list, or both ends.
    pub fn given(&self) -> Vec<Value> {
        match self {
            Self::List(list) => list.clone(),
            Self::Whole { min, max, .. } => vec![Value::Integer(*min), Value::Integer(*max)],
            Self::Real { min, max, .. } => vec![Value::Float(*min), Value::Float(*max)],
        }
    }

    /// Whether it is by the logarithm that the values lie evenly.
    pub fn is_log(&self) -> bool {
        matches!(self, Self::Whole { log: true, .. } | Self::Real { log: true, .. })
    }

    /// The value at a share of the way, from 0 to below 1; numbers of a real range have four digits.
    pub fn at(&self, share: f64) -> Value {
        let between = |low: f64, high: f64, log: bool| match log {
            true => libm::exp(libm::log(low) + (libm::log(high) - libm::log(low)) * share),
            false => low + (high - low) * share,
        };
        match self {
            Self::List(list) => list[((share * list.len() as f64) as usize).min(list.len() - 1)].clone(),
            // Each whole number has a stretch of its own: that of the last one ends above it.
            &Self::Whole { min, max, log } => {
                Value::Integer((between(min as f64, max as f64 + 1.0, log).floor() as i64).clamp(min, max))
            }
            &Self::Real { min, max, log } => {
                let rounded: f64 = format!("{:.3e}", between(min, max, log)).parse().expect("it was a number");
                Value::Float(rounded.clamp(min, max))
            }
        }
    }
}

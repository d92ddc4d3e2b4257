//! How a picture of whatever size becomes an image of one size.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;

/// How a picture fits a size of another shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum Fit {
    /// All of it, stretched.
    #[default]
    Stretch,
    /// The largest part of that shape, from its middle.
    Crop,
}

impl fmt::Display for Fit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// The colour that lies under what is transparent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Background(pub [u8; 3]);

/// Colours with names.
const NAMES: [(&str, [u8; 3]); 3] = [("white", [255; 3]), ("black", [0; 3]), ("grey", [128; 3])];

impl Default for Background {
    /// White, as of a page.
    fn default() -> Self {
        Self([255; 3])
    }
}

impl fmt::Display for Background {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (NAMES.iter().find(|(_, colour)| *colour == self.0), self.0) {
            (Some((name, _)), _) => f.write_str(name),
            (None, [r, g, b]) => write!(f, "#{r:02x}{g:02x}{b:02x}"),
        }
    }
}

impl FromStr for Background {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((_, colour)) = NAMES.iter().find(|(name, _)| *name == text) {
            return Ok(Self(*colour));
        }
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let wanted = || format!("{text:?} is no colour: white, black, grey or six digits as in #ff8000 are wanted");
        number.map(|n| Self([(n >> 16) as u8, (n >> 8) as u8, n as u8])).ok_or_else(wanted)
    }
}

impl Serialize for Background {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Background {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// What is done to a picture beside changing its size: the same for those that a network learns from and those that it is shown later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Reading {
    /// How it fits.
    pub fit: Fit,
    /// What lies under it.
    pub background: Background,
}

impl Reading {
    /// Whether it is that of a network that nobody asked another one for.
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_has_a_name_or_six_digits() {
        for (text, colour) in [("white", [255; 3]), ("black", [0; 3]), ("#ff8000", [255, 128, 0]), ("#FFFFFF", [255; 3])] {
            let parsed: Background = text.parse().unwrap();
            assert_eq!(parsed.0, colour);
            assert_eq!(parsed.to_string().parse(), Ok(parsed));
        }
        for text in ["", "#", "ff8000", "#ff800", "#ff80000", "#gg0000", "#+12345", "White", "#é0000"] {
            assert!(text.parse::<Background>().is_err(), "{text}");
        }
    }
}

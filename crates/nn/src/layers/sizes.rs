//! Numbers for each axis, as PyTorch takes them: one for all, or one an axis.

use super::check::{self, Checked};
use crate::module::ShapeError;
use gpu_core::ops::Padding;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

/// A kernel size, stride or dilation: one number for all axes, or one an axis, as `torch.nn` takes them. In a layer list it is a number or
/// `[rows, columns]`.
///
/// ```
/// use nn::Extents;
/// assert_eq!(Extents::<2>::from(3), Extents::from((3, 3)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extents<const D: usize>(pub [usize; D]);

impl<const D: usize> Extents<D> {
    /// Each at least 1, as the field `name`.
    pub(super) fn check_sizes(self, name: &str) -> Checked {
        check::within(name, &self.0, 1)
    }

    /// Each at least 0, as the field `name`.
    pub(super) fn check_counts(self, name: &str) -> Checked {
        check::within(name, &self.0, 0)
    }
}

/// One for each axis: no stride, no dilation.
impl<const D: usize> Default for Extents<D> {
    fn default() -> Self {
        Self([1; D])
    }
}

impl<const D: usize> From<usize> for Extents<D> {
    fn from(all: usize) -> Self {
        Self([all; D])
    }
}

impl<const D: usize> From<[usize; D]> for Extents<D> {
    fn from(each: [usize; D]) -> Self {
        Self(each)
    }
}

impl From<(usize, usize)> for Extents<2> {
    fn from((rows, columns): (usize, usize)) -> Self {
        Self([rows, columns])
    }
}

/// What surrounds an input: zeros for a convolution, nothing that counts for a pooling. One number, one an axis, one a side, or
/// [`Same`](Self::Same). In a layer list it is a number, `[rows, columns]`, `[top, bottom, left, right]` or `"same"`; along one axis a
/// number or `[before, after]`.
///
/// ```
/// use nn::Edges;
/// assert_eq!(Edges::<2>::from(1), Edges::from((1, 1)));
/// assert_eq!(Edges::<2>::from([1, 0]), Edges::from([1, 1, 0, 0]));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edges<const D: usize> {
    /// This many elements.
    Of(Padding<D>),
    /// What keeps a convolution's extents, whose strides are 1: `dilation * (kernel - 1)` zeros, an odd one at the end. PyTorch's
    /// `padding="same"`.
    Same,
}

impl<const D: usize> Edges<D> {
    /// Around an input of a convolution.
    pub(super) fn around(self, kernel: Extents<D>, dilation: Extents<D>) -> Padding<D> {
        match self {
            Self::Of(padding) => padding,
            Self::Same => Padding::same(kernel.0, dilation.0),
        }
    }

    /// That the numbers of the field `name` are not too large.
    pub(super) fn check(self, name: &str) -> Checked {
        match self {
            Self::Of(padding) => check::within(name, &[padding.before, padding.after].concat(), 0),
            Self::Same => Ok(()),
        }
    }

    /// The field `name` of a layer that pads both ends of an axis alike.
    pub(super) fn alike(self, name: &str) -> Result<[usize; D], ShapeError> {
        self.check(name)?;
        match self {
            Self::Of(Padding { before, after }) if before == after => Ok(before),
            _ => Err(ShapeError::new(format!("`{name}` must be the same on opposite sides here: a number or [rows, columns]"))),
        }
    }
}

impl<const D: usize> Default for Edges<D> {
    fn default() -> Self {
        Self::Of(Padding::default())
    }
}

/// What [`Padding`] comes from.
macro_rules! edges_from {
    ($([$($generic:tt)*] $d:tt $numbers:ty),* $(,)?) => {$(
        impl<$($generic)*> From<$numbers> for Edges<$d> {
            fn from(numbers: $numbers) -> Self {
                Self::Of(numbers.into())
            }
        }
    )*};
}
edges_from!([const D: usize] D Padding<D>, [const D: usize] D usize, [const D: usize] D [usize; D]);
edges_from!([] 2 (usize, usize), [] 2 [usize; 4], [] 1 [usize; 2]);

/// What a layer list has in the place of numbers for each axis.
enum Written {
    All(usize),
    Several(Vec<usize>),
    Word(String),
}

impl Written {
    /// What comes of it by `read`, or a sentence that says what is `expected`.
    fn read<'de, D, T>(deserializer: D, expected: &str, read: impl FnOnce(Self) -> Option<T>) -> Result<T, D::Error>
    where
        D: Deserializer<'de>,
    {
        let whole = |value: &Value| value.as_u64().and_then(|number| usize::try_from(number).ok());
        let written = match Value::deserialize(deserializer)? {
            Value::Array(values) => values.iter().map(whole).collect::<Option<_>>().map(Self::Several),
            Value::String(word) => Some(Self::Word(word)),
            value => whole(&value).map(Self::All),
        };
        written.and_then(read).ok_or_else(|| de::Error::custom(format!("{expected} is expected")))
    }
}

impl<'de, const D: usize> Deserialize<'de> for Extents<D> {
    fn deserialize<R: Deserializer<'de>>(deserializer: R) -> Result<Self, R::Error> {
        let expected = if D == 1 { "a whole number" } else { "a whole number or [rows, columns]" };
        Written::read(deserializer, expected, |written| match written {
            Written::All(all) => Some(Self::from(all)),
            Written::Several(each) if D > 1 => Some(Self(each.try_into().ok()?)),
            _ => None,
        })
    }
}

impl<'de, const D: usize> Deserialize<'de> for Edges<D> {
    fn deserialize<R: Deserializer<'de>>(deserializer: R) -> Result<Self, R::Error> {
        let expected = match D {
            1 => "a whole number, [before, after] or \"same\"",
            _ => "a whole number, [rows, columns], [top, bottom, left, right] or \"same\"",
        };
        Written::read(deserializer, expected, |written| match written {
            Written::All(all) => Some(Self::from(all)),
            Written::Several(each) if D > 1 && each.len() == D => Some(Self::Of(Padding::both(each.try_into().ok()?))),
            Written::Several(sides) if sides.len() == 2 * D => {
                let end = |after: usize| std::array::from_fn(|axis| sides[2 * axis + after]);
                Some(Self::Of(Padding { before: end(0), after: end(1) }))
            }
            Written::Word(word) if word == "same" => Some(Self::Same),
            _ => None,
        })
    }
}

/// A number where all are one.
fn write<S: Serializer>(each: &[usize], serializer: S) -> Result<S::Ok, S::Error> {
    match each.iter().all(|v| *v == each[0]) {
        true => each[0].serialize(serializer),
        false => each.serialize(serializer),
    }
}

impl<const D: usize> Serialize for Extents<D> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write(&self.0, serializer)
    }
}

impl<const D: usize> Serialize for Edges<D> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Same => "same".serialize(serializer),
            Self::Of(Padding { before, after }) if before == after => write(before, serializer),
            Self::Of(Padding { before, after }) => {
                let sides: Vec<usize> = before.iter().zip(after).flat_map(|(&a, &b)| [a, b]).collect();
                sides.serialize(serializer)
            }
        }
    }
}

/// `3x3`.
pub(super) fn extents<const D: usize>(each: [usize; D]) -> String {
    each.map(|v| v.to_string()).join("x")
}

/// The options that differ from a layer's defaults, as `, stride 2`.
pub(super) fn option<const D: usize>(name: &str, value: [usize; D], default: usize) -> String {
    match value {
        value if value == [default; D] => String::new(),
        value if value == [value[0]; D] => format!(", {name} {}", value[0]),
        value => format!(", {name} {}", extents(value)),
    }
}

/// A padding that is there, as `, pad 1`.
pub(super) fn padded<const D: usize>(padding: Padding<D>) -> String {
    if padding.is_zero() { String::new() } else { format!(", pad {padding}") }
}

//! What lies in a tensor's memory.

use half::f16;
use std::borrow::Cow;
use std::fmt;

/// The type of a tensor's elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DType {
    /// 32-bit float: what is computed with.
    F32,
    /// 16-bit float ([`crate::f16`]), two to a word on the GPU: to store, to transfer, and as both factors of a
    /// [`matmul`](crate::ops::matmul) or a [`conv2d`](crate::ops::conv2d). Cast it to compute otherwise.
    F16,
    /// 64-bit float, on the CPU only: [`Device::cpu_f64`](crate::Device::cpu_f64) runs the mirrors in it.
    F64,
    /// 32-bit signed integer.
    I32,
    /// 32-bit unsigned integer: labels, indices, counters, packed bits.
    U32,
    /// 8-bit unsigned integer, four to a word on the GPU: images.
    U8,
    /// Truth, a byte each (0 or 1), four to a word on the GPU: results of comparisons.
    Bool,
}

impl DType {
    /// Bytes of one element.
    pub const fn bytes(self) -> usize {
        match self {
            Self::F64 => 8,
            Self::F32 | Self::I32 | Self::U32 => 4,
            Self::F16 => 2,
            Self::U8 | Self::Bool => 1,
        }
    }

    /// Whether it is a floating-point type.
    pub const fn is_float(self) -> bool {
        matches!(self, Self::F16 | Self::F32 | Self::F64)
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::F64 => "f64",
            Self::I32 => "i32",
            Self::U32 => "u32",
            Self::U8 => "u8",
            Self::Bool => "bool",
        })
    }
}

/// A Rust type that a tensor can hold.
pub trait Element: Copy + Send + Sync + fmt::Debug + PartialEq + 'static {
    /// Its [`DType`].
    const DTYPE: DType;

    /// The bytes of `values` as a tensor holds them.
    fn to_bytes(values: &[Self]) -> Cow<'_, [u8]>;

    /// The values that such bytes stand for.
    fn from_bytes(bytes: &[u8]) -> Vec<Self>;

    /// The same into a slice.
    ///
    /// # Panics
    /// If there are more or fewer.
    fn copy_bytes(bytes: &[u8], values: &mut [Self]);
}

macro_rules! plain_element {
    ($($rust:ty => $dtype:ident),*) => {$(
        impl Element for $rust {
            const DTYPE: DType = DType::$dtype;
            fn to_bytes(values: &[Self]) -> Cow<'_, [u8]> {
                Cow::Borrowed(bytemuck::cast_slice(values))
            }
            fn from_bytes(bytes: &[u8]) -> Vec<Self> {
                bytemuck::pod_collect_to_vec(bytes)
            }
            fn copy_bytes(bytes: &[u8], values: &mut [Self]) {
                bytemuck::cast_slice_mut(values).copy_from_slice(bytes);
            }
        }
    )*};
}
plain_element!(f32 => F32, f16 => F16, f64 => F64, i32 => I32, u32 => U32, u8 => U8);

impl Element for bool {
    const DTYPE: DType = DType::Bool;
    fn to_bytes(values: &[Self]) -> Cow<'_, [u8]> {
        Cow::Owned(values.iter().map(|&v| u8::from(v)).collect())
    }
    fn from_bytes(bytes: &[u8]) -> Vec<Self> {
        bytes.iter().map(|&b| b != 0).collect()
    }
    fn copy_bytes(bytes: &[u8], values: &mut [Self]) {
        values.copy_from_slice(&Self::from_bytes(bytes));
    }
}

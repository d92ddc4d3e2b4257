//! `+ - * /` and unary `-` for tensors and numbers: `&a + &b`, `&x * 2.0`, `-&x`.

use super::{add, div, mul, scale, sub};
use crate::tensor::Tensor;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// `impl Add for &Tensor`, calling a function of this folder.
macro_rules! operators {
    ($($trait:ident $method:ident: $function:ident;)*) => {$(
        #[doc = concat!("Broadcasts; see [`ops::", stringify!($function), "`](crate::ops::", stringify!($function), ").")]
        impl $trait for &Tensor {
            type Output = Tensor;
            #[track_caller]
            fn $method(self, b: Self) -> Tensor {
                $function(self, b)
            }
        }
    )*};
}
operators! {
    Add add: add;
    Sub sub: sub;
    Mul mul: mul;
    Div div: div;
}

/// See [`ops::scale`](crate::ops::scale).
///
/// ```
/// # use gpu_core::{Device, Tensor};
/// let x = Tensor::from_slice(&Device::Cpu, [2], &[2.0f32, 3.0]);
/// assert_eq!((&(&x * 2.0) + &x).to_vec()?, [6.0, 9.0]);
/// assert_eq!((-&x).to_vec()?, [-2.0, -3.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
impl Mul<f32> for &Tensor {
    type Output = Tensor;
    #[track_caller]
    fn mul(self, factor: f32) -> Tensor {
        scale(self, factor)
    }
}

/// `scale(x, -1)`.
impl Neg for &Tensor {
    type Output = Tensor;
    #[track_caller]
    fn neg(self) -> Tensor {
        scale(self, -1.0)
    }
}

//! `+ - * /` and unary `-` for variables and numbers: `&a + &b`, `&x * 2.0`, `-&x`.

use crate::var::Var;
use std::ops::{Add, Div, Mul, Neg, Sub};

macro_rules! operators {
    ($($trait:ident $method:ident;)*) => {$(
        #[doc = concat!("Broadcasts; see [`Var::", stringify!($method), "`].")]
        impl $trait for &Var {
            type Output = Var;
            #[track_caller]
            fn $method(self, b: Self) -> Var {
                Var::$method(self, b)
            }
        }
    )*};
}
operators! {
    Add add;
    Sub sub;
    Mul mul;
    Div div;
}

/// See [`Var::scale`].
///
/// ```
/// # use gpu_core::{Device, Tensor};
/// # use nn::Tape;
/// let x = Tape::new(&Device::Cpu).variable(&Tensor::full(&Device::Cpu, [1], 3.0));
/// let y = &(&x * &x) - &(&x * 2.0);
/// assert_eq!(y.item()?, 3.0);
/// assert_eq!(y.backward().of(&x).unwrap().to_vec()?, [4.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
impl Mul<f32> for &Var {
    type Output = Var;
    #[track_caller]
    fn mul(self, factor: f32) -> Var {
        self.scale(factor)
    }
}

/// See [`Var::neg`].
impl Neg for &Var {
    type Output = Var;
    #[track_caller]
    fn neg(self) -> Var {
        Var::neg(self)
    }
}

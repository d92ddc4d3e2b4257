//! `+ - * /` and unary `-` for variables and numbers, by reference or by value: `1.0 - 2.0 * (&x * &x).sum()`.
//!
//! A number becomes a parameter of its kernel: no tensor is made for it, so that it may stand in a captured step.

use crate::autograd::var::Var;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// An operator of two variables, for each way of handing them over.
macro_rules! pairs {
    ($($trait:ident $method:ident;)*) => {$(
        pairs!($trait $method: &Var, &Var);
        pairs!($trait $method: &Var, Var);
        pairs!($trait $method: Var, &Var);
        pairs!($trait $method: Var, Var);
    )*};
    ($trait:ident $method:ident: $a:ty, $b:ty) => {
        #[doc = concat!("Broadcasts; see [`Var::", stringify!($method), "`].")]
        impl $trait<$b> for $a {
            type Output = Var;
            #[track_caller]
            fn $method(self, b: $b) -> Var {
                #[allow(clippy::needless_borrow)]
                Var::$method(&self, &b)
            }
        }
    };
}
pairs! {
    Add add;
    Sub sub;
    Mul mul;
    Div div;
}

/// Operators of a variable and a number.
macro_rules! numbers {
    ($($var:ty),*) => {$(
        /// See [`Var::add_scalar`].
        impl Add<f32> for $var {
            type Output = Var;
            #[track_caller]
            fn add(self, number: f32) -> Var {
                self.add_scalar(number)
            }
        }

        /// See [`Var::add_scalar`].
        impl Add<$var> for f32 {
            type Output = Var;
            #[track_caller]
            fn add(self, x: $var) -> Var {
                x.add_scalar(self)
            }
        }

        /// See [`Var::add_scalar`].
        impl Sub<f32> for $var {
            type Output = Var;
            #[track_caller]
            fn sub(self, number: f32) -> Var {
                self.add_scalar(-number)
            }
        }

        /// See [`Var::neg`] and [`Var::add_scalar`].
        impl Sub<$var> for f32 {
            type Output = Var;
            #[track_caller]
            fn sub(self, x: $var) -> Var {
                Var::neg(&x).add_scalar(self)
            }
        }

        /// See [`Var::scale`].
        impl Mul<f32> for $var {
            type Output = Var;
            #[track_caller]
            fn mul(self, factor: f32) -> Var {
                self.scale(factor)
            }
        }

        /// See [`Var::scale`].
        impl Mul<$var> for f32 {
            type Output = Var;
            #[track_caller]
            fn mul(self, x: $var) -> Var {
                x.scale(self)
            }
        }

        /// By the reciprocal of the number: see [`Var::scale`].
        impl Div<f32> for $var {
            type Output = Var;
            #[track_caller]
            fn div(self, divisor: f32) -> Var {
                self.scale(1.0 / divisor)
            }
        }

        /// See [`Var::reciprocal`] and [`Var::scale`].
        impl Div<$var> for f32 {
            type Output = Var;
            #[track_caller]
            fn div(self, x: $var) -> Var {
                x.reciprocal().scale(self)
            }
        }

        /// See [`Var::neg`].
        ///
        /// ```
        /// # use gpu_core::{Device, Tensor};
        /// # use nn::Tape;
        /// let x = Tape::new(&Device::Cpu).variable(&Tensor::full(&Device::Cpu, [1], 3.0));
        /// let y = 1.0 - 2.0 * (&x * &x) + -&x / 2.0;
        /// assert_eq!(y.item()?, -18.5);
        /// assert_eq!(y.backward().of(&x).unwrap().to_vec()?, [-12.5]);
        /// # Ok::<(), gpu_core::Error>(())
        /// ```
        impl Neg for $var {
            type Output = Var;
            #[track_caller]
            fn neg(self) -> Var {
                Var::neg(&self)
            }
        }
    )*};
}
numbers!(Var, &Var);

//! Functions of one element, and softmax: what is kept is the output where the derivative can be had from it.

use crate::autograd::var::Var;
use gpu_core::{Tensor, ops};

/// `y`, whose derivative is `bwd(y, dy)`: the input may be freed.
#[track_caller]
fn from_output(op: &'static str, x: &Var, y: Tensor, bwd: impl FnOnce(&Tensor, &Tensor) -> Tensor + Send + 'static) -> Var {
    let kept = y.clone();
    Var::derived(op, y, [x], move |dy, _| [Some(bwd(&kept, dy))])
}

/// `y`, whose derivative is `bwd(x, dy)`.
#[track_caller]
fn from_input(op: &'static str, x: &Var, y: Tensor, bwd: impl FnOnce(&Tensor, &Tensor) -> Tensor + Send + 'static) -> Var {
    let kept = x.stored().clone();
    Var::derived(op, y, [x], move |dy, _| [Some(bwd(&kept, dy))])
}

macro_rules! methods {
    ($(
        $(#[$doc:meta])*
        $name:ident($($arg:ident = $usual:literal),*), $bwd:ident(from $kept:ident $(if $when:expr)?) $rest:tt
    )*) => {
        /// Activation functions.
        impl Var {
            $(
                $(#[$doc])*
                ///
                /// # Panics
                #[doc = concat!("As [`ops::", stringify!($name), "`](gpu_core::ops::", stringify!($name), ").")]
                #[track_caller]
                pub fn $name(&self $(, $arg: f32)*) -> Self {
                    let y = ops::$name(self.stored() $(, $arg)*);
                    let bwd = move |kept: &Tensor, dy: &Tensor| ops::$bwd(kept, dy $(, $arg)*);
                    match stringify!($kept) == "y" $(&& $when)? {
                        true => from_output(stringify!($name), self, y, bwd),
                        false => from_input(stringify!($name), self, y, bwd),
                    }
                }
            )*
        }

        /// Each with its usual numbers.
        #[cfg(test)]
        pub(super) const EACH: &[(&str, fn(&Var) -> Var)] = &[$((stringify!($name), |x| x.$name($($usual),*))),*];
    };
}
gpu_core::activation_table!(methods);

impl Var {
    /// `exp(x) / sum exp(x)` along `axis`. Equivalent of `torch.softmax`.
    ///
    /// # Panics
    /// If there is no such axis, or it does not hold f32.
    #[track_caller]
    pub fn softmax(&self, axis: usize) -> Self {
        from_output("softmax", self, ops::softmax(self.value(), axis), move |y, dy| ops::softmax_bwd_x(y, dy, axis))
    }

    /// The logarithm of [`softmax`](Self::softmax). Equivalent of `torch.log_softmax`.
    ///
    /// # Panics
    /// If there is no such axis, or it does not hold f32.
    #[track_caller]
    pub fn log_softmax(&self, axis: usize) -> Self {
        from_output("log_softmax", self, ops::log_softmax(self.value(), axis), move |y, dy| ops::log_softmax_bwd_x(y, dy, axis))
    }
}

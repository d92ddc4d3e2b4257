//! The operators of the table, their mirrors, and the kernels that serve them all.

use super::formulas::{gelu_inner, gelu_slope, limit, mish_factor, normal_cdf, normal_pdf};
use crate::expect;
use crate::kernel::{Args, Grid, Kernel, kernel};
use crate::mirror::{Real, map, zip_map};
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};

pub(super) const WGSL: &str = concat!(wgsl!("halves.wgsl"), wgsl!("activation.wgsl"));
static ACTIVATION: Kernel = kernel!(WGSL, "activation", activation_cpu).with_halves(&["X_HALF", "Y_HALF"]);
static ACTIVATION_BWD_X: Kernel =
    kernel!(WGSL, "activation_bwd_x", activation_bwd_x_cpu).with_halves(&["X_HALF", "DY_HALF", "Y_HALF"]);
pub(in crate::ops) const KERNELS: &[&Kernel] = &[&ACTIVATION, &ACTIVATION_BWD_X];

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
pub(super) struct Params {
    pub len: u32,
    pub a: f32,
    pub b: f32,
}

pub(super) fn grid(len: usize) -> Grid {
    Grid::linear(len.div_ceil(4), 256)
}

/// Function `kind` of `x`, with its two numbers; of f16 it is computed in f32 and rounded.
#[track_caller]
fn forward(op: &str, kind: u32, [a, b]: [f32; 2], x: &Tensor) -> Tensor {
    expect::floats(op, &[("x", x)]);
    let y = Tensor::empty_of(x.device(), x.shape(), x.dtype());
    ACTIVATION.with(&[("KIND", kind)]).launch(Params { len: x.len() as u32, a, b }, &[x], &[&y], grid(x.len()));
    y
}

/// `dy` times the derivative of function `kind`, from what was kept (`kept.0` is its name).
#[track_caller]
fn backward(op: &str, kind: u32, [a, b]: [f32; 2], kept: (&str, &Tensor), dy: &Tensor) -> Tensor {
    expect::floats(op, &[kept, ("dy", dy)]);
    expect::one_shape(op, &[kept, ("dy", dy)]);
    let dx = Tensor::empty_of(dy.device(), dy.shape(), dy.dtype());
    let p = Params { len: dy.len() as u32, a, b };
    ACTIVATION_BWD_X.with(&[("KIND", kind)]).launch(p, &[kept.1, dy], &[&dx], grid(dy.len()));
    dx
}

/// How an example calls a gradient: `kept` is the output, or the input.
macro_rules! kept {
    (y, $name:ident($($usual:literal),*)) => {
        concat!("ops::", stringify!($name), "(&x", $(", ", stringify!($usual),)* ")")
    };
    (@ y) => {
        "output"
    };
    (@ x) => {
        "input"
    };
    (x, $name:ident($($usual:literal),*)) => {
        "x"
    };
}

macro_rules! functions {
    ($(
        $(#[$doc:meta])*
        $name:ident($($arg:ident = $usual:literal),*), $bwd:ident(from $kept:ident $(if $when:expr)?) {
            kind $kind:literal, $numbers:expr $(, $wanted:expr, $wrong:literal)?;
            $xs:expr => $ys:expr, $dxs:expr;
            $(
                |$x:ident $(, $a:ident $(, $b:ident)?)?| $f:expr;
                |$v:ident, $dy:ident $(, $c:ident $(, $d:ident)?)?| $df:expr
            )?
        }
    )*) => {
        pub mod operators {
            //! One function and one gradient a row.

            use super::{Tensor, backward, forward};
            $(
                $(#[$doc])*
                ///
                /// # Panics
                #[doc = concat!("If ", $($wrong, ", or ",)? "`x` holds neither f32 nor f16.")]
                ///
                /// ```
                /// # use gpu_core::{Device, Tensor, ops};
                #[doc = concat!("let x: [f32; _] = ", stringify!($xs), ";")]
                #[doc = concat!("let y = ops::", stringify!($name), "(&Tensor::from_slice(&Device::Cpu, [x.len()], &x)", $(", ", stringify!($usual),)* ").to_vec()?;")]
                #[doc = concat!("assert!(y.iter().zip(", stringify!($ys), ").all(|(y, want)| (y - want).abs() < 1e-6));")]
                /// # Ok::<(), gpu_core::Error>(())
                /// ```
                #[track_caller]
                pub fn $name(x: &Tensor $(, $arg: f32)*) -> Tensor {
                    $(assert!($wanted, concat!(stringify!($name), ": ", $wrong, " ({:?}, x {})"), $numbers, x.shape());)?
                    forward(stringify!($name), $kind, $numbers, x)
                }

                #[doc = concat!("The gradient of [`", stringify!($name), "`] to its input, from its ", kept!(@ $kept), ". What PyTorch's autograd computes.")]
                ///
                /// # Panics
                #[doc = concat!("If ", $($wrong, ", ",)? "the shapes differ, or a tensor holds neither f32 nor f16.")]
                ///
                /// ```
                /// # use gpu_core::{Device, Tensor, ops};
                #[doc = concat!("let x: [f32; _] = ", stringify!($xs), ";")]
                /// let x = Tensor::from_slice(&Device::Cpu, [x.len()], &x);
                /// let dy = Tensor::full(&Device::Cpu, x.shape(), 1.0);
                #[doc = concat!("let dx = ops::", stringify!($bwd), "(&", kept!($kept, $name($($usual),*)), ", &dy", $(", ", stringify!($usual),)* ").to_vec()?;")]
                #[doc = concat!("assert!(dx.iter().zip(", stringify!($dxs), ").all(|(dx, want)| (dx - want).abs() < 1e-6));")]
                /// # Ok::<(), gpu_core::Error>(())
                /// ```
                #[track_caller]
                pub fn $bwd($kept: &Tensor, dy: &Tensor $(, $arg: f32)*) -> Tensor {
                    $(assert!($wanted, concat!(stringify!($bwd), ": ", $wrong, " ({:?}, {} {})"), $numbers, stringify!($kept), $kept.shape());)?
                    backward(stringify!($bwd), $kind, $numbers, (stringify!($kept), $kept), dy)
                }
            )*
        }

        /// Activation functions.
        impl Tensor {
            $(
                #[doc = concat!("See [`ops::", stringify!($name), "`](crate::ops::", stringify!($name), ").")]
                #[track_caller]
                pub fn $name(&self $(, $arg: f32)*) -> Self {
                    operators::$name(self $(, $arg)*)
                }
            )*
        }

        fn activation_cpu<T: Real>(args: &mut Args<'_>) {
            let p: Params = args.params();
            let (_a, _b) = (T::of(p.a), T::of(p.b));
            let (x, y): (&[T], &mut [T]) = (args.input(0), args.output(0));
            match args.constant("KIND") {
                $($(
                    $kind => {
                        $(let $a = _a; $(let $b = _b;)?)?
                        map(x, y, #[inline(always)] move |$x: T| $f)
                    }
                )?)*
                kind => unreachable!("the table has no function {kind}"),
            }
        }

        fn activation_bwd_x_cpu<T: Real>(args: &mut Args<'_>) {
            let p: Params = args.params();
            let (_a, _b) = (T::of(p.a), T::of(p.b));
            let (v, dy, dx): (&[T], &[T], &mut [T]) = (args.input(0), args.input(1), args.output(0));
            match args.constant("KIND") {
                $($(
                    $kind => {
                        $(let $c = _a; $(let $d = _b;)?)?
                        zip_map(v, dy, dx, #[inline(always)] move |$v: T, $dy: T| $df)
                    }
                )?)*
                kind => unreachable!("the table has no function {kind}"),
            }
        }
    };
}
crate::activation_table!(functions);

//! Layers without parameters that work on each element, and those that change no extent but the rank.

use super::check::{self, Checked, wrong};
use super::fieldless::fieldless;
use crate::autograd::Var;
use crate::module::ShapeError;
use crate::net::{Layer, Params, Plan};
use gpu_core::Shape;
use serde::{Deserialize, Serialize};

/// Layers that have no fields and give the shape that comes in, each by a method of [`Var`].
macro_rules! elementwise {
    ($($(#[$doc:meta])* $layer:ident => $method:ident),* $(,)?) => {$(
        fieldless! { $(#[$doc])* $layer }

        impl Layer for $layer {
            fn plan(&self, input: Shape) -> Result<Plan, ShapeError> {
                Ok(Plan::new(stringify!($layer), input))
            }
            #[track_caller]
            fn forward(&self, x: &Var, _: &Params<'_>) -> Var {
                x.$method()
            }
        }
    )*};
}

elementwise! {
    /// `max(x, 0)`. Equivalent of `torch.nn.ReLU`.
    Relu => relu,
    /// `min(max(x, 0), 6)`. Equivalent of `torch.nn.ReLU6`.
    Relu6 => relu6,
    /// [`Elu`] with the numbers that keep mean 0 and variance 1. Equivalent of `torch.nn.SELU`.
    Selu => selu,
    /// `1 / (1 + exp(-x))`. Equivalent of `torch.nn.Sigmoid`.
    Sigmoid => sigmoid,
    /// [`Sigmoid`] made of straight pieces. Equivalent of `torch.nn.Hardsigmoid`.
    Hardsigmoid => hardsigmoid,
    /// `x * hardsigmoid(x)`. Equivalent of `torch.nn.Hardswish`.
    Hardswish => hardswish,
    /// The hyperbolic tangent. Equivalent of `torch.nn.Tanh`.
    Tanh => tanh,
    /// `x * sigmoid(x)`. Equivalent of `torch.nn.SiLU`.
    Silu => silu,
    /// `x` times the part of a normal distribution below it. Equivalent of `torch.nn.GELU`.
    Gelu => gelu,
    /// [`Gelu`] approximated by a tangent. Equivalent of `torch.nn.GELU(approximate="tanh")`.
    GeluTanh => gelu_tanh,
    /// `x * tanh(softplus(x))`. Equivalent of `torch.nn.Mish`.
    Mish => mish,
    /// `x / (1 + |x|)`. Equivalent of `torch.nn.Softsign`.
    Softsign => softsign,
}

/// Layers of numbers that have defaults, and give the shape that comes in: what is said of them, and what they do.
macro_rules! of_numbers {
    ($(
        $(#[$doc:meta])*
        $layer:ident { $($field:ident: $type:ty = $default:expr),* }
        checked by $check:expr; described by $describe:expr; $method:ident
    )*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $layer {
            $($field: $type),*
        }

        impl $layer {
            #[doc = concat!("With `", stringify!($($field),*), "` as given.")]
            pub fn new($($field: $type),*) -> Self {
                Self { $($field),* }
            }
        }

        impl Default for $layer {
            fn default() -> Self {
                Self { $($field: $default),* }
            }
        }

        impl Layer for $layer {
            fn plan(&self, input: Shape) -> Result<Plan, ShapeError> {
                let (check, describe): (fn(&Self, Shape) -> Checked, fn(&Self) -> String) = ($check, $describe);
                check(self, input)?;
                Ok(Plan::new(describe(self), input))
            }
            #[track_caller]
            fn forward(&self, x: &Var, _: &Params<'_>) -> Var {
                x.$method($(self.$field),*)
            }
        }
    )*};
}

of_numbers! {
    /// `x` where it is positive, else `slope * x`; the slope is 0.01 by default. Equivalent of `torch.nn.LeakyReLU`.
    LeakyRelu { slope: f32 = 0.01 }
        checked by |layer, _| check::finite("slope", layer.slope);
        described by |layer| format!("LeakyRelu {}", layer.slope);
        leaky_relu

    /// `x` where it is positive, else `alpha * (exp(x) - 1)`; alpha is 1 by default. Equivalent of `torch.nn.ELU`.
    Elu { alpha: f32 = 1.0 }
        checked by |layer, _| check::not_negative("alpha", layer.alpha);
        described by |layer| format!("Elu {}", layer.alpha);
        elu

    /// `ln(1 + exp(beta * x)) / beta`, and `x` where `beta * x` is over the threshold; 1 and 20 by default. Equivalent of
    /// `torch.nn.Softplus`.
    Softplus { beta: f32 = 1.0, threshold: f32 = 20.0 }
        checked by |layer, _| check::positive("beta", layer.beta).and(check::finite("threshold", layer.threshold));
        described by |layer| format!("Softplus {}, threshold {}", layer.beta, layer.threshold);
        softplus

    /// Probabilities along an axis: 1 by default, for logits (N, C) and maps of classes (N, C, H, W). Equivalent of
    /// `torch.nn.Softmax`.
    Softmax { axis: usize = 1 }
        checked by |layer, input| has_axis(input, layer.axis);
        described by |layer| format!("Softmax axis {}", layer.axis);
        softmax

    /// The logarithms of [`Softmax`]. Equivalent of `torch.nn.LogSoftmax`.
    LogSoftmax { axis: usize = 1 }
        checked by |layer, input| has_axis(input, layer.axis);
        described by |layer| format!("LogSoftmax axis {}", layer.axis);
        log_softmax
}

fn has_axis(input: Shape, axis: usize) -> Checked {
    check::expect(axis < input.rank(), || format!("{input} has no axis {axis}"))
}

/// `x * factor`: logits that begin small, for one. Equivalent of `torch.mul(x, factor)`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    factor: f32,
}

impl Scale {
    /// By `factor`.
    pub fn new(factor: f32) -> Self {
        Self { factor }
    }
}

impl Layer for Scale {
    fn plan(&self, input: Shape) -> Result<Plan, ShapeError> {
        check::finite("factor", self.factor)?;
        Ok(Plan::new(format!("Scale {}", self.factor), input))
    }
    #[track_caller]
    fn forward(&self, x: &Var, _: &Params<'_>) -> Var {
        x.scale(self.factor)
    }
}

fieldless! {
    /// (N, ...) as (N, all the rest). Equivalent of `torch.nn.Flatten`.
    Flatten
}

impl Layer for Flatten {
    fn plan(&self, input: Shape) -> Result<Plan, ShapeError> {
        if input.rank() == 0 {
            return wrong("a scalar has no batch axis");
        }
        Ok(Plan::new("Flatten", [input.n(), input.inner(1)]))
    }
    #[track_caller]
    fn forward(&self, x: &Var, _: &Params<'_>) -> Var {
        x.flatten()
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::init::Init;
    use crate::module::Module;
    use crate::net::AnyLayer;
    use gpu_core::Device;

    #[test]
    fn a_layer_is_its_function_with_pytorchs_defaults() {
        let (cx, x) = (Init::seeded(&Device::Cpu, 0), Var::constant(&proof::tensor(&Device::Cpu, [2, 3, 5], 1)));
        let rows: Vec<(AnyLayer, Var, &str)> = vec![
            (AnyLayer::new(Relu), x.relu(), "Relu"),
            (AnyLayer::new(Relu6), x.relu6(), "Relu6"),
            (AnyLayer::new(LeakyRelu::default()), x.leaky_relu(0.01), "LeakyRelu 0.01"),
            (AnyLayer::new(Elu::default()), x.elu(1.0), "Elu 1"),
            (AnyLayer::new(Elu::new(0.5)), x.elu(0.5), "Elu 0.5"),
            (AnyLayer::new(Selu), x.selu(), "Selu"),
            (AnyLayer::new(Sigmoid), x.sigmoid(), "Sigmoid"),
            (AnyLayer::new(Hardsigmoid), x.hardsigmoid(), "Hardsigmoid"),
            (AnyLayer::new(Hardswish), x.hardswish(), "Hardswish"),
            (AnyLayer::new(Tanh), x.tanh(), "Tanh"),
            (AnyLayer::new(Softplus::default()), x.softplus(1.0, 20.0), "Softplus 1, threshold 20"),
            (AnyLayer::new(Silu), x.silu(), "Silu"),
            (AnyLayer::new(Gelu), x.gelu(), "Gelu"),
            (AnyLayer::new(GeluTanh), x.gelu_tanh(), "GeluTanh"),
            (AnyLayer::new(Mish), x.mish(), "Mish"),
            (AnyLayer::new(Softsign), x.softsign(), "Softsign"),
            (AnyLayer::new(Softmax::new(1)), x.softmax(1), "Softmax axis 1"),
            (AnyLayer::new(LogSoftmax::new(2)), x.log_softmax(2), "LogSoftmax axis 2"),
            (AnyLayer::new(Scale::new(0.5)), x.scale(0.5), "Scale 0.5"),
        ];
        for (layer, want, name) in rows {
            let net = layer.build(&cx, [3, 5]).unwrap();
            let y = net.forward(&x);
            assert_eq!((net.describe().as_str(), net.out_shape(x.shape()).unwrap()), (name, y.shape()));
            assert_eq!(y.value().to_vec().unwrap(), want.value().to_vec().unwrap(), "{name}");
        }
        assert_eq!(Softmax::new(3).plan(x.shape()).unwrap_err().message, "[2, 3, 5] has no axis 3");
    }
}

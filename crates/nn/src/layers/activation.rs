//! Layers without parameters that change no extent but the rank.

use crate::module::{Module, Parameters, ShapeError};
use crate::var::Var;
use gpu_core::Shape;

/// `max(x, 0)`. Equivalent of `torch.nn.ReLU`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Relu;

/// `min(max(x, 0), 6)`. Equivalent of `torch.nn.ReLU6`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Relu6;

/// `x` where it is positive, else `slope * x`; the slope is 0.01 by default. Equivalent of `torch.nn.LeakyReLU`.
#[derive(Debug, Clone, Copy)]
pub struct LeakyRelu {
    slope: f32,
}

/// `x` where it is positive, else `alpha * (exp(x) - 1)`; alpha is 1 by default. Equivalent of `torch.nn.ELU`.
#[derive(Debug, Clone, Copy)]
pub struct Elu {
    alpha: f32,
}

/// [`Elu`] with the numbers that keep mean 0 and variance 1. Equivalent of `torch.nn.SELU`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Selu;

/// `1 / (1 + exp(-x))`. Equivalent of `torch.nn.Sigmoid`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sigmoid;

/// [`Sigmoid`] made of straight pieces. Equivalent of `torch.nn.Hardsigmoid`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hardsigmoid;

/// `x * hardsigmoid(x)`. Equivalent of `torch.nn.Hardswish`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hardswish;

/// The hyperbolic tangent. Equivalent of `torch.nn.Tanh`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tanh;

/// `ln(1 + exp(beta * x)) / beta`, and `x` where `beta * x` is over the threshold; 1 and 20 by default. Equivalent of
/// `torch.nn.Softplus`.
#[derive(Debug, Clone, Copy)]
pub struct Softplus {
    beta: f32,
    threshold: f32,
}

/// `x * sigmoid(x)`. Equivalent of `torch.nn.SiLU`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silu;

/// `x` times the part of a normal distribution below it. Equivalent of `torch.nn.GELU`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Gelu;

/// [`Gelu`] approximated by a tangent. Equivalent of `torch.nn.GELU(approximate="tanh")`.
#[derive(Debug, Clone, Copy, Default)]
pub struct GeluTanh;

/// `x * tanh(softplus(x))`. Equivalent of `torch.nn.Mish`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Mish;

/// Probabilities along an axis. Equivalent of `torch.nn.Softmax`.
#[derive(Debug, Clone, Copy)]
pub struct Softmax {
    axis: usize,
}

/// Their logarithms. Equivalent of `torch.nn.LogSoftmax`.
#[derive(Debug, Clone, Copy)]
pub struct LogSoftmax {
    axis: usize,
}

/// (N, ...) as (N, all the rest). Equivalent of `torch.nn.Flatten`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Flatten;

impl LeakyRelu {
    /// With this slope for negative values.
    pub fn new(slope: f32) -> Self {
        Self { slope }
    }
}

impl Default for LeakyRelu {
    fn default() -> Self {
        Self::new(0.01)
    }
}

impl Elu {
    /// With this limit at minus infinity, but for the sign.
    ///
    /// # Panics
    /// If `alpha` is negative.
    #[track_caller]
    pub fn new(alpha: f32) -> Self {
        assert!(alpha >= 0.0, "elu: alpha {alpha} is negative");
        Self { alpha }
    }
}

impl Default for Elu {
    fn default() -> Self {
        Self::new(1.0)
    }
}

impl Softplus {
    /// With this steepness, and this `beta * x` from which on it is `x`.
    ///
    /// # Panics
    /// If `beta` is not positive.
    #[track_caller]
    pub fn new(beta: f32, threshold: f32) -> Self {
        assert!(beta > 0.0, "softplus: beta {beta} is not positive");
        Self { beta, threshold }
    }
}

impl Default for Softplus {
    fn default() -> Self {
        Self::new(1.0, 20.0)
    }
}

impl Softmax {
    /// Along `axis`: 1 for logits (N, C) and maps of classes (N, C, H, W).
    pub fn new(axis: usize) -> Self {
        Self { axis }
    }
}

impl LogSoftmax {
    /// Along `axis`: 1 for logits (N, C) and maps of classes (N, C, H, W).
    pub fn new(axis: usize) -> Self {
        Self { axis }
    }
}

/// A layer that gives the shape that comes in: what it does to a variable, and what it says of itself.
macro_rules! keeps_shape {
    ($layer:ident, |$self:pat_param, $x:ident| $forward:expr, $describe:expr) => {
        impl Parameters for $layer {}

        impl Module for $layer {
            #[track_caller]
            fn forward(&self, $x: &Var) -> Var {
                let $self = self;
                $forward
            }
            fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
                Ok(input)
            }
            fn describe(&self) -> String {
                let describe: fn(&Self) -> String = $describe;
                describe(self)
            }
        }
    };
    ($layer:ident, $method:ident) => {
        keeps_shape!($layer, |_, x| x.$method(), |_| stringify!($layer).to_owned());
    };
}

impl Parameters for Relu {}

impl Module for Relu {
    #[track_caller]
    fn forward(&self, x: &Var) -> Var {
        x.relu()
    }
    fn is_relu(&self) -> bool {
        true
    }
    fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        Ok(input)
    }
    fn describe(&self) -> String {
        "Relu".to_owned()
    }
}

keeps_shape!(Relu6, relu6);
keeps_shape!(LeakyRelu, |layer, x| x.leaky_relu(layer.slope), |layer| format!("LeakyRelu {}", layer.slope));
keeps_shape!(Elu, |layer, x| x.elu(layer.alpha), |layer| format!("Elu {}", layer.alpha));
keeps_shape!(Selu, selu);
keeps_shape!(Sigmoid, sigmoid);
keeps_shape!(Hardsigmoid, hardsigmoid);
keeps_shape!(Hardswish, hardswish);
keeps_shape!(Tanh, tanh);
keeps_shape!(Softplus, |layer, x| x.softplus(layer.beta, layer.threshold), |layer| {
    format!("Softplus {}, threshold {}", layer.beta, layer.threshold)
});
keeps_shape!(Silu, silu);
keeps_shape!(Gelu, gelu);
keeps_shape!(GeluTanh, gelu_tanh);
keeps_shape!(Mish, mish);

fn with_axis(layer: &str, axis: usize, input: Shape) -> Result<Shape, ShapeError> {
    match axis < input.rank() {
        true => Ok(input),
        false => Err(ShapeError::new(format!("{layer}: {input} has no axis {axis}"))),
    }
}

impl Parameters for Softmax {}

impl Module for Softmax {
    #[track_caller]
    fn forward(&self, x: &Var) -> Var {
        x.softmax(self.axis)
    }
    fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        with_axis("softmax", self.axis, input)
    }
    fn describe(&self) -> String {
        format!("Softmax axis {}", self.axis)
    }
}

impl Parameters for LogSoftmax {}

impl Module for LogSoftmax {
    #[track_caller]
    fn forward(&self, x: &Var) -> Var {
        x.log_softmax(self.axis)
    }
    fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        with_axis("log_softmax", self.axis, input)
    }
    fn describe(&self) -> String {
        format!("LogSoftmax axis {}", self.axis)
    }
}

impl Parameters for Flatten {}

impl Module for Flatten {
    #[track_caller]
    fn forward(&self, x: &Var) -> Var {
        x.flatten()
    }
    fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        if input.rank() == 0 {
            return Err(ShapeError::new("flatten: a scalar has no batch axis"));
        }
        Ok([input.n(), input.inner(1)].into())
    }
    fn describe(&self) -> String {
        "Flatten".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gpu_core::{Device, check};

    #[test]
    fn a_layer_is_its_function_with_pytorchs_defaults() {
        let x = Var::constant(&check::tensor(&Device::Cpu, [2, 3, 5], 1));
        let rows: Vec<(Box<dyn Module>, Var, &str)> = vec![
            (Box::new(Relu), x.relu(), "Relu"),
            (Box::new(Relu6), x.relu6(), "Relu6"),
            (Box::new(LeakyRelu::default()), x.leaky_relu(0.01), "LeakyRelu 0.01"),
            (Box::new(Elu::default()), x.elu(1.0), "Elu 1"),
            (Box::new(Elu::new(0.5)), x.elu(0.5), "Elu 0.5"),
            (Box::new(Selu), x.selu(), "Selu"),
            (Box::new(Sigmoid), x.sigmoid(), "Sigmoid"),
            (Box::new(Hardsigmoid), x.hardsigmoid(), "Hardsigmoid"),
            (Box::new(Hardswish), x.hardswish(), "Hardswish"),
            (Box::new(Tanh), x.tanh(), "Tanh"),
            (Box::new(Softplus::default()), x.softplus(1.0, 20.0), "Softplus 1, threshold 20"),
            (Box::new(Silu), x.silu(), "Silu"),
            (Box::new(Gelu), x.gelu(), "Gelu"),
            (Box::new(GeluTanh), x.gelu_tanh(), "GeluTanh"),
            (Box::new(Mish), x.mish(), "Mish"),
            (Box::new(Softmax::new(1)), x.softmax(1), "Softmax axis 1"),
            (Box::new(LogSoftmax::new(2)), x.log_softmax(2), "LogSoftmax axis 2"),
        ];
        for (layer, want, name) in rows {
            let y = layer.forward(&x);
            assert_eq!((layer.describe().as_str(), layer.out_shape(x.shape()).unwrap()), (name, y.shape()));
            assert_eq!(y.value().to_vec().unwrap(), want.value().to_vec().unwrap(), "{name}");
        }
        assert_eq!(Softmax::new(3).out_shape(x.shape()).unwrap_err().message, "softmax: [2, 3, 5] has no axis 3");
    }
}

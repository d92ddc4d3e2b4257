//! The fully connected layer, and what comes before it.

use super::check::{expect, size, wrong};
use super::default;
use crate::autograd::Var;
use crate::module::ShapeError;
use crate::net::{Layer, Params, Plan};
use gpu_core::Shape;
use serde::{Deserialize, Serialize};

/// `x w^T + b` with weights (out, in). Equivalent of `torch.nn.Linear`.
///
/// ```
/// use gpu_core::Device;
/// use nn::{Init, Layer, Linear, Module};
/// let linear = Linear::new(10).build(&Init::seeded(&Device::Cpu, 0), [64])?;
/// assert_eq!(linear.out_shape([8, 64].into())?, [8, 10].into());
/// # Ok::<(), nn::BuildError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linear {
    #[serde(rename = "in", default, skip_serializing_if = "Option::is_none")]
    input: Option<usize>,
    out: usize,
    #[serde(default = "default::yes")]
    bias: bool,
}

impl Linear {
    /// To `out` features, with a bias.
    pub fn new(out: usize) -> Self {
        Self { input: None, out, bias: default::yes() }
    }

    /// For `input` features alone: other inputs are refused.
    pub fn input(self, input: usize) -> Self {
        Self { input: Some(input), ..self }
    }

    /// Without a bias.
    pub fn no_bias(self) -> Self {
        Self { bias: false, ..self }
    }
}

impl Layer for Linear {
    fn plan(&self, input: Shape) -> Result<Plan, ShapeError> {
        let &[n, features] = input.dims() else {
            return wrong(format!("(N, features) is expected, {input} comes in; is a flatten missing?"));
        };
        size("out", self.out)?;
        let wanted = self.input.unwrap_or(features);
        expect(wanted == features, || format!("`in` is {wanted}, but {features} features come in"))?;
        let plan = Plan::new(format!("Linear {features}>{}", self.out), [n, self.out]);
        let plan = plan.weight([self.out, features]).bias(self.bias, self.out, features);
        Ok(plan.multiply_adds((n * features * self.out) as u64))
    }

    #[track_caller]
    fn forward(&self, x: &Var, p: &Params<'_>) -> Var {
        x.linear(&p.var("weight"), p.optional("bias").as_ref())
    }
}

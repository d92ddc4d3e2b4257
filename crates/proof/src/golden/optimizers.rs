//! Optimisers and clipping in golden files.
//!
//! Attributes are PyTorch's, and so are their defaults. One that is not known here makes its case unknown.

use super::attributes::attributes;
use super::call::Call;
use super::schedules;
use super::tolerance::Computed;
use crate::error::Result;
use gpu_core::{Shape, Tensor, ops};
use nn::optim::{AdamRule, MuonRate, RuleOptimizer};
use nn::{Adadelta, Adagrad, Adam, AdamW, Lion, Module, Muon, Optimizer, Param, Parameters, RmsProp, Sgd, ShapeError, Tape, Var};
use serde::Deserialize;
use serde_json::{Map, Value};

/// A module that is one parameter: `y = sum(parameter * x)`, whose gradient is `x`.
struct One(Param);

impl Parameters for One {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param)) {
        f(&format!("{path}param"), &self.0);
    }
}

impl Module for One {
    fn forward(&self, x: &Var) -> Var {
        self.0.var(x).mul(x).sum()
    }
    fn out_shape(&self, _: Shape) -> std::result::Result<Shape, ShapeError> {
        Ok(Shape::SCALAR)
    }
    fn describe(&self) -> String {
        "one parameter".to_owned()
    }
}

/// Runs a case; none if it is not known.
pub(super) fn run(call: &Call<'_>) -> Result<Option<Vec<Computed>>> {
    let computed = match call.case.op.split_once('/') {
        Some(("optimizer", kind)) => optimizer(call, kind)?,
        Some(("schedule", kind)) => schedules::run(call, kind)?,
        _ if call.case.op == "clip_grad_norm" => clip_grad_norm(call)?,
        _ if call.case.op == "clip_grad_value" => clip_grad_value(call)?,
        _ => None,
    };
    let Some(mut computed) = computed else { return Ok(None) };
    // One that the case asks for in vain fails it.
    for name in &call.case.outputs {
        if !computed.iter().any(|c| c.name == *name) {
            computed.push(Computed { name: name.clone(), values: Vec::new() });
        }
    }
    Ok(Some(computed))
}

fn optimizer(call: &Call<'_>, kind: &str) -> Result<Option<Vec<Computed>>> {
    let (shape, values) = call.file.array(&call.key("param"))?;
    let shape = Shape::new(shape);
    let one = One(Param::trainable(Tensor::from_slice(call.device, shape, values)));
    let Some(optimizer) = build(kind, &call.case.attrs, &one) else { return Ok(None) };
    let (_, grads) = call.file.array(&call.key("grads"))?;
    let mut after = Vec::new();
    for gradient in grads.chunks_exact(shape.len()) {
        let x = Tape::new(call.device).input(&Tensor::from_slice(call.device, shape, gradient));
        optimizer.step(&one.forward(&x).backward());
        after.extend(one.0.value().to_vec()?);
    }
    Ok(Some(vec![Computed { name: "params_after".to_owned(), values: after }]))
}

/// The optimiser of a name and its attributes; none if it, or one of them, is not known.
pub(super) fn build(kind: &str, attrs: &Value, net: &dyn Parameters) -> Option<Box<dyn Optimizer>> {
    match kind {
        "sgd" => Some(sgd(attributes(attrs)?, net)),
        "adam" => Some(adam(attributes(attrs)?, false, net)),
        "adamw" => Some(adam(attributes(attrs)?, true, net)),
        "rmsprop" => Some(rmsprop(attributes(attrs)?, net)),
        "adagrad" => Some(adagrad(attributes(attrs)?, net)),
        "adadelta" => Some(adadelta(attributes(attrs)?, net)),
        "lion" => Some(lion(attributes(attrs)?, net)),
        "muon" => muon(attributes(attrs)?, net),
        _ => None,
    }
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SgdAttrs {
    lr: f32,
    momentum: f32,
    dampening: f32,
    weight_decay: f32,
    nesterov: bool,
    maximize: bool,
}

impl Default for SgdAttrs {
    fn default() -> Self {
        Self { lr: 1e-3, momentum: 0.0, dampening: 0.0, weight_decay: 0.0, nesterov: false, maximize: false }
    }
}

fn sgd(a: SgdAttrs, net: &dyn Parameters) -> Box<dyn Optimizer> {
    let sgd = Sgd::new(net, a.lr).momentum(a.momentum).dampening(a.dampening).nesterov(a.nesterov);
    Box::new(sgd.weight_decay(a.weight_decay).maximize(a.maximize))
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct AdamAttrs {
    lr: f32,
    betas: [f32; 2],
    eps: f32,
    weight_decay: Option<f32>,
    amsgrad: bool,
    maximize: bool,
    decoupled_weight_decay: Option<bool>,
}

impl Default for AdamAttrs {
    fn default() -> Self {
        let (weight_decay, decoupled_weight_decay) = Default::default();
        Self { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weight_decay, amsgrad: false, maximize: false, decoupled_weight_decay }
    }
}

fn adam(a: AdamAttrs, is_adamw: bool, net: &dyn Parameters) -> Box<dyn Optimizer> {
    fn with<const DECOUPLED: bool>(of: RuleOptimizer<AdamRule<DECOUPLED>>, a: &AdamAttrs, decay: f32) -> Box<dyn Optimizer> {
        let adam = of.betas(a.betas[0], a.betas[1]).eps(a.eps).weight_decay(decay);
        Box::new(adam.amsgrad(a.amsgrad).maximize(a.maximize))
    }
    let decay = a.weight_decay.unwrap_or(if is_adamw { 0.01 } else { 0.0 });
    match a.decoupled_weight_decay.unwrap_or(is_adamw) {
        true => with(AdamW::new(net, a.lr), &a, decay),
        false => with(Adam::new(net, a.lr), &a, decay),
    }
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RmsPropAttrs {
    lr: f32,
    alpha: f32,
    eps: f32,
    weight_decay: f32,
    momentum: f32,
    centered: bool,
    maximize: bool,
}

impl Default for RmsPropAttrs {
    fn default() -> Self {
        Self { lr: 0.01, alpha: 0.99, eps: 1e-8, weight_decay: 0.0, momentum: 0.0, centered: false, maximize: false }
    }
}

fn rmsprop(a: RmsPropAttrs, net: &dyn Parameters) -> Box<dyn Optimizer> {
    let rmsprop = RmsProp::new(net, a.lr).alpha(a.alpha).eps(a.eps).momentum(a.momentum).centered(a.centered);
    Box::new(rmsprop.weight_decay(a.weight_decay).maximize(a.maximize))
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct AdagradAttrs {
    lr: f32,
    lr_decay: f32,
    weight_decay: f32,
    initial_accumulator_value: f32,
    eps: f32,
    maximize: bool,
}

impl Default for AdagradAttrs {
    fn default() -> Self {
        Self { lr: 0.01, lr_decay: 0.0, weight_decay: 0.0, initial_accumulator_value: 0.0, eps: 1e-10, maximize: false }
    }
}

fn adagrad(a: AdagradAttrs, net: &dyn Parameters) -> Box<dyn Optimizer> {
    let adagrad = Adagrad::new(net, a.lr).lr_decay(a.lr_decay).eps(a.eps).initial_accumulator(a.initial_accumulator_value);
    Box::new(adagrad.weight_decay(a.weight_decay).maximize(a.maximize))
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct AdadeltaAttrs {
    lr: f32,
    rho: f32,
    eps: f32,
    weight_decay: f32,
    maximize: bool,
}

impl Default for AdadeltaAttrs {
    fn default() -> Self {
        Self { lr: 1.0, rho: 0.9, eps: 1e-6, weight_decay: 0.0, maximize: false }
    }
}

fn adadelta(a: AdadeltaAttrs, net: &dyn Parameters) -> Box<dyn Optimizer> {
    Box::new(Adadelta::new(net, a.lr).rho(a.rho).eps(a.eps).weight_decay(a.weight_decay).maximize(a.maximize))
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct LionAttrs {
    lr: f32,
    betas: [f32; 2],
    weight_decay: f32,
    maximize: bool,
}

impl Default for LionAttrs {
    fn default() -> Self {
        Self { lr: 1e-4, betas: [0.9, 0.99], weight_decay: 0.0, maximize: false }
    }
}

fn lion(a: LionAttrs, net: &dyn Parameters) -> Box<dyn Optimizer> {
    Box::new(Lion::new(net, a.lr).betas(a.betas[0], a.betas[1]).weight_decay(a.weight_decay).maximize(a.maximize))
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct MuonAttrs {
    lr: f32,
    weight_decay: f32,
    momentum: f32,
    nesterov: bool,
    ns_coefficients: [f32; 3],
    eps: f32,
    ns_steps: usize,
    adjust_lr_fn: Option<String>,
}

impl Default for MuonAttrs {
    fn default() -> Self {
        Self {
            lr: 1e-3,
            weight_decay: 0.1,
            momentum: 0.95,
            nesterov: true,
            ns_coefficients: [3.4445, -4.775, 2.0315],
            eps: 1e-7,
            ns_steps: 5,
            adjust_lr_fn: None,
        }
    }
}

/// PyTorch iterates in bfloat16, so only a wide tolerance can hold here.
fn muon(a: MuonAttrs, net: &dyn Parameters) -> Option<Box<dyn Optimizer>> {
    let rate = match a.adjust_lr_fn.as_deref() {
        None | Some("original") => MuonRate::Original,
        Some("match_rms_adamw") => MuonRate::MatchRmsAdamw,
        Some(_) => return None,
    };
    let muon = Muon::new(net, a.lr).momentum(a.momentum).nesterov(a.nesterov).newton_schulz(a.ns_coefficients, a.ns_steps);
    Some(Box::new(muon.eps(a.eps).rate(rate).weight_decay(a.weight_decay)))
}

/// The gradients `g0`, `g1`, ... of a case.
fn gradients(call: &Call<'_>) -> Result<Vec<Tensor>> {
    let names = (0..).map(|i| format!("g{i}")).take_while(|name| call.file.has(&call.key(name)));
    names.map(|name| call.tensor(&name)).collect()
}

/// What became of them: `c0`, `c1`, ...
fn clipped(gradients: &[Tensor]) -> Result<Vec<Computed>> {
    let named = gradients.iter().enumerate();
    named.map(|(i, g)| Ok(Computed { name: format!("c{i}"), values: g.to_vec()? })).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClipNormAttrs {
    max_norm: f32,
    #[serde(default = "two")]
    norm_type: f32,
    #[serde(default)]
    error_if_nonfinite: bool,
}

fn two() -> f32 {
    2.0
}

fn clip_grad_norm(call: &Call<'_>) -> Result<Option<Vec<Computed>>> {
    let Some(attrs) = attributes::<ClipNormAttrs>(&call.case.attrs) else { return Ok(None) };
    if attrs.norm_type != 2.0 || attrs.error_if_nonfinite {
        return Ok(None);
    }
    let gradients = gradients(call)?;
    let norm = ops::clip_grad_norm(&gradients.iter().collect::<Vec<_>>(), attrs.max_norm);
    let mut computed = clipped(&gradients)?;
    computed.push(Computed { name: "norm".to_owned(), values: norm.to_vec()? });
    Ok(Some(computed))
}

fn clip_grad_value(call: &Call<'_>) -> Result<Option<Vec<Computed>>> {
    let mut attrs: Map<String, Value> = attributes(&call.case.attrs).unwrap_or_default();
    let limit = attrs.remove("clip_value").and_then(|v| v.as_f64());
    let Some(limit) = limit.filter(|_| attrs.is_empty()) else { return Ok(None) };
    let gradients = gradients(call)?;
    ops::clip_grad_value(&gradients.iter().collect::<Vec<_>>(), limit as f32);
    clipped(&gradients).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use gpu_core::Device;
    use serde_json::json;

    #[test]
    fn an_attribute_that_is_not_known_is_not_passed_over() {
        let one = One(Param::trainable(Tensor::zeros(&Device::Cpu, [2, 2])));
        let known = [
            ("sgd", json!({"lr": 0.1, "foreach": true})),
            ("adam", json!({"lr": 0.1, "amsgrad": true, "fused": null})),
            ("adamw", Value::Null),
            ("adadelta", json!({"rho": 0.95, "foreach": false})),
            ("muon", json!({"adjust_lr_fn": "match_rms_adamw"})),
        ];
        let unknown = [
            ("sgd", json!({"lr": 0.1, "friction": 1.0})),
            ("sgd", json!({"nesterov": 1.5})),
            ("adam", json!({"betas": [0.9]})),
            ("rmsprop", json!({"centred": true})),
            ("adadelta", json!({"alpha": 0.9})),
            ("muon", json!({"adjust_lr_fn": "half"})),
            ("nadam", json!({"lr": 0.1})),
        ];
        known.iter().for_each(|(kind, attrs)| assert!(build(kind, attrs, &one).is_some(), "{kind} {attrs}"));
        unknown.iter().for_each(|(kind, attrs)| assert!(build(kind, attrs, &one).is_none(), "{kind} {attrs}"));
    }
}

//! Optimisers and schedules of golden files.

use super::Computed;
use super::operators::Call;
use crate::error::Result;
use gpu_core::{Shape, Tensor};
use nn::schedule::{OneCycle, cosine_to, exponential, multi_step, step};
use nn::{AdamW, Module, Optimizer, Param, Sgd, ShapeError, Tape, Var};

/// A module that is one parameter: `y = sum(parameter * x)`, whose gradient is `x`.
struct One(Param);

impl Module for One {
    fn forward(&self, x: &Var) -> Var {
        self.0.var(x).mul(x).sum()
    }
    fn out_shape(&self, _: Shape) -> std::result::Result<Shape, ShapeError> {
        Ok(Shape::SCALAR)
    }
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param)) {
        f(&format!("{path}param"), &self.0);
    }
    fn describe(&self) -> String {
        "one parameter".to_owned()
    }
}

/// Runs a case; none if it is not known.
pub(super) fn run(call: &Call<'_>) -> Result<Option<Vec<Computed>>> {
    match call.case.op.split_once('/') {
        Some(("optimizer", kind)) => optimizer(call, kind),
        Some(("schedule", kind)) => Ok(schedule(call, kind)),
        _ => Ok(None),
    }
}

fn optimizer(call: &Call<'_>, kind: &str) -> Result<Option<Vec<Computed>>> {
    let case = call.case;
    let (shape, values) = call.file.array(&call.key("param"))?;
    let shape = Shape::new(shape);
    let one = One(Param::trainable(Tensor::from_slice(call.device, shape, values)));
    let lr: f32 = case.attr("lr", 0.0);
    let decay: f32 = case.attr("weight_decay", 0.0);
    let optimizer: Box<dyn Optimizer> = match kind {
        "sgd" => Box::new(
            Sgd::new(&one, lr)
                .momentum(case.attr("momentum", 0.0))
                .dampening(case.attr("dampening", 0.0))
                .nesterov(case.attr("nesterov", false))
                .weight_decay(decay),
        ),
        "adam" | "adamw" => {
            let betas: [f32; 2] = case.attr("betas", [0.9, 0.999]);
            let adamw = AdamW::new(&one, lr).betas(betas[0], betas[1]).eps(case.attr("eps", 1e-8)).weight_decay(decay);
            Box::new(if kind == "adam" { adamw.coupled() } else { adamw })
        }
        _ => return Ok(None),
    };
    let (_, grads) = call.file.array(&call.key("grads"))?;
    let mut after = Vec::new();
    for gradient in grads.chunks_exact(shape.len()) {
        let x = Tape::new(call.device).input(&Tensor::from_slice(call.device, shape, gradient));
        optimizer.step(&one.forward(&x).backward());
        after.extend(one.0.value().to_vec()?);
    }
    Ok(Some(vec![Computed { name: "params_after".to_owned(), values: after }]))
}

fn schedule(call: &Call<'_>, kind: &str) -> Option<Vec<Computed>> {
    let case = call.case;
    let number = |key: &str| case.attr::<f32>(key, 0.0);
    let base = number("base_lr");
    let rate: Box<dyn Fn(usize) -> f32> = match kind {
        "step" => Box::new(|t| step(base, t, case.attr("step_size", 1), number("gamma"))),
        "multi_step" => {
            let milestones: Vec<usize> = case.attr("milestones", Vec::new());
            Box::new(move |t| multi_step(base, t, &milestones, number("gamma")))
        }
        "exponential" => Box::new(|t| exponential(base, t, number("gamma"))),
        "cosine" => Box::new(|t| cosine_to(base, t, case.attr("t_max", 1), number("eta_min"))),
        "one_cycle" if case.attr("anneal", "cos".to_owned()) == "cos" => {
            let cycle = OneCycle {
                max_lr: number("max_lr"),
                total: case.attr("total_steps", 1),
                pct_start: number("pct_start"),
                div_factor: number("div_factor"),
                final_div_factor: number("final_div_factor"),
            };
            Box::new(move |t| cycle.lr(t))
        }
        _ => return None,
    };
    Some(vec![Computed { name: "lr".to_owned(), values: (0..30).map(rate).collect() }])
}

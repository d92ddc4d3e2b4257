//! Schedules in golden files: `lr`, the rate of each step, and for the one that looks at a metric, `metrics`.

use super::attributes::attributes;
use super::call::Call;
use super::tolerance::Computed;
use crate::error::Result;
use nn::schedule::{
    Anneal, Mode, OneCycle, Plateau, Threshold, cosine_annealing, cosine_restarts, exponential, linear, multi_step, polynomial,
    step,
};
use serde::Deserialize;
use serde_json::{Value, json};

/// The attributes of every kind but the plateau, tagged by the kind's name.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum Pure {
    Constant {
        base_lr: f32,
        #[serde(default = "unit")]
        factor: f32,
        #[serde(default = "five")]
        total_iters: usize,
    },
    Step {
        base_lr: f32,
        step_size: usize,
        #[serde(default = "tenth")]
        gamma: f32,
    },
    MultiStep {
        base_lr: f32,
        milestones: Vec<usize>,
        #[serde(default = "tenth")]
        gamma: f32,
    },
    Exponential {
        base_lr: f32,
        gamma: f32,
    },
    #[serde(alias = "cosine_annealing")]
    Cosine {
        base_lr: f32,
        #[serde(alias = "T_max")]
        t_max: usize,
        #[serde(default)]
        eta_min: f32,
    },
    #[serde(alias = "cosine_warm_restarts", alias = "cosine_annealing_warm_restarts")]
    CosineRestarts {
        base_lr: f32,
        #[serde(alias = "T_0")]
        t_0: usize,
        #[serde(default = "one", alias = "T_mult")]
        t_mult: usize,
        #[serde(default)]
        eta_min: f32,
    },
    Polynomial {
        base_lr: f32,
        #[serde(default = "five")]
        total_iters: usize,
        #[serde(default = "unit")]
        power: f32,
    },
    #[serde(alias = "warmup")]
    Linear {
        base_lr: f32,
        #[serde(default = "five")]
        total_iters: usize,
        #[serde(default = "third")]
        start_factor: f32,
        #[serde(default = "unit")]
        end_factor: f32,
    },
    OneCycle {
        #[serde(default, rename = "base_lr")]
        _base_lr: f32,
        max_lr: f32,
        total_steps: usize,
        #[serde(default = "pct_start")]
        pct_start: f32,
        #[serde(default = "div_factor")]
        div_factor: f32,
        #[serde(default = "final_div_factor")]
        final_div_factor: f32,
        #[serde(default, alias = "anneal_strategy")]
        anneal: Anneal,
        #[serde(default)]
        three_phase: bool,
    },
}

fn tenth() -> f32 {
    0.1
}
fn one() -> usize {
    1
}
fn five() -> usize {
    5
}
fn third() -> f32 {
    1.0 / 3.0
}
fn unit() -> f32 {
    1.0
}
fn pct_start() -> f32 {
    0.3
}
fn div_factor() -> f32 {
    25.0
}
fn final_div_factor() -> f32 {
    1e4
}

impl Pure {
    fn rate(&self, t: usize) -> f32 {
        match *self {
            Self::Constant { base_lr, factor, total_iters } => {
                linear(base_lr, 0, 1, if t < total_iters { factor } else { 1.0 }, 1.0)
            }
            Self::Step { base_lr, step_size, gamma } => step(base_lr, t, step_size, gamma),
            Self::MultiStep { base_lr, ref milestones, gamma } => multi_step(base_lr, t, milestones, gamma),
            Self::Exponential { base_lr, gamma } => exponential(base_lr, t, gamma),
            Self::Cosine { base_lr, t_max, eta_min } => cosine_annealing(base_lr, t, t_max, eta_min),
            Self::CosineRestarts { base_lr, t_0, t_mult, eta_min } => cosine_restarts(base_lr, t, t_0, t_mult, eta_min),
            Self::Polynomial { base_lr, total_iters, power } => polynomial(base_lr, t, total_iters, power),
            Self::Linear { base_lr, total_iters, start_factor, end_factor } => {
                linear(base_lr, t, total_iters, start_factor, end_factor)
            }
            Self::OneCycle { max_lr, total_steps, pct_start, div_factor, final_div_factor, anneal, three_phase, .. } => {
                OneCycle { max_lr, total: total_steps, pct_start, div_factor, final_div_factor, anneal, three_phase }.lr(t)
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlateauAttrs {
    base_lr: f32,
    #[serde(default)]
    mode: Mode,
    #[serde(default = "tenth")]
    factor: f32,
    #[serde(default = "patience")]
    patience: u64,
    #[serde(default = "threshold")]
    threshold: f64,
    #[serde(default = "rel")]
    threshold_mode: String,
    #[serde(default)]
    cooldown: u64,
    #[serde(default)]
    min_lr: f32,
}

fn patience() -> u64 {
    10
}
fn threshold() -> f64 {
    1e-4
}
fn rel() -> String {
    "rel".to_owned()
}

fn plateau(attrs: &Value) -> Option<Plateau> {
    let a: PlateauAttrs = attributes(attrs)?;
    let threshold = match a.threshold_mode.as_str() {
        "rel" => Threshold::Rel(a.threshold),
        "abs" => Threshold::Abs(a.threshold),
        _ => return None,
    };
    let plateau = Plateau::new(a.base_lr).mode(a.mode).factor(a.factor).patience(a.patience).threshold(threshold);
    Some(plateau.cooldown(a.cooldown).min_lr(a.min_lr))
}

fn pure(kind: &str, attrs: &Value) -> Option<Pure> {
    let mut attrs = attrs.clone();
    attrs.as_object_mut()?.insert("kind".to_owned(), json!(kind));
    attributes(&attrs)
}

/// Runs a case; none if it is not known.
pub(super) fn run(call: &Call<'_>, kind: &str) -> Result<Option<Vec<Computed>>> {
    let steps = call.want("lr")?.len();
    let rates: Option<Vec<f32>> = match kind {
        "plateau" | "reduce_on_plateau" => match plateau(&call.case.attrs) {
            None => None,
            Some(mut plateau) => {
                let (_, metrics) = call.file.array(&call.key("metrics"))?;
                // The rate of a step is used before its metric is seen.
                let first = plateau.lr();
                let later = metrics.iter().map(|&m| plateau.observe(m.into()));
                Some(std::iter::once(first).chain(later).take(steps).collect())
            }
        },
        kind => pure(kind, &call.case.attrs).map(|pure| (0..steps).map(|t| pure.rate(t)).collect()),
    };
    Ok(rates.map(|values| vec![Computed { name: "lr".to_owned(), values }]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_that_is_not_known_is_not_passed_over() {
        let known = [
            ("step", json!({"base_lr": 0.1, "step_size": 7})),
            ("cosine", json!({"base_lr": 0.1, "T_max": 7})),
            ("cosine_warm_restarts", json!({"base_lr": 0.1, "T_0": 7, "t_mult": 2})),
            ("one_cycle", json!({"base_lr": 0.1, "max_lr": 0.4, "total_steps": 31, "anneal": "linear"})),
            ("one_cycle", json!({"max_lr": 0.4, "total_steps": 31, "anneal_strategy": "cos"})),
        ];
        let unknown = [
            ("step", json!({"base_lr": 0.1, "step_size": 7, "offset": 1})),
            ("step", json!({"step_size": 7})),
            ("one_cycle", json!({"max_lr": 0.4, "total_steps": 31, "anneal": "square"})),
            ("triangle", json!({"base_lr": 0.1})),
        ];
        known.iter().for_each(|(kind, attrs)| assert!(pure(kind, attrs).is_some(), "{kind} {attrs}"));
        unknown.iter().for_each(|(kind, attrs)| assert!(pure(kind, attrs).is_none(), "{kind} {attrs}"));
        let constant = pure("constant", &json!({"base_lr": 0.1, "factor": 0.5, "total_iters": 2})).unwrap();
        assert_eq!([0, 1, 2, 3].map(|t| constant.rate(t)), [0.05, 0.05, 0.1, 0.1]);
        assert!(plateau(&json!({"base_lr": 0.1, "mode": "max", "threshold_mode": "abs"})).is_some());
        assert!(plateau(&json!({"base_lr": 0.1, "threshold_mode": "both"})).is_none());
    }
}

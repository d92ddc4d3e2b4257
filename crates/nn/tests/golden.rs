//! Against PyTorch: optimisers, schedules, and ten training steps of whole networks from given weights.
//!
//! The numbers are PyTorch's in f64. Where the files are not there, the tests say so and pass.

use gpu_core::{Device, Tensor};
use nn::optim::{AdamRule, RuleOptimizer};
use nn::{
    Adagrad, Adam, AdamW, Checkpoint, Init, Module, Optimizer, Param, Parameters, RmsProp, Schedule, Sgd, ShapeError, Spec, Tape,
    Var, parameters,
};
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;
use std::collections::HashMap;

struct Golden {
    bytes: Vec<u8>,
    notes: HashMap<String, String>,
}

impl Golden {
    fn open(name: &str) -> Option<Self> {
        let path = format!("{}/../../../shared/golden/{name}.safetensors", env!("CARGO_MANIFEST_DIR"));
        let Ok(bytes) = std::fs::read(&path).or_else(|_| std::fs::read(fallback(name))) else {
            eprintln!("skipped: {name}.safetensors is not there");
            return None;
        };
        let notes = SafeTensors::read_metadata(&bytes).unwrap().1.metadata().clone().unwrap();
        Some(Self { bytes, notes })
    }

    fn json(&self, note: &str) -> Value {
        serde_json::from_str(&self.notes[note]).unwrap()
    }

    /// A tensor of floats, or of integers as floats.
    fn get(&self, key: &str) -> (Vec<usize>, Vec<f32>) {
        let file = SafeTensors::deserialize(&self.bytes).unwrap();
        let view = file.tensor(key).unwrap_or_else(|_| panic!("{key} is not in the file"));
        let words = view.data().chunks_exact(4).map(|c| <[u8; 4]>::try_from(c).unwrap());
        let values = match view.dtype() {
            Dtype::I32 => words.map(|w| i32::from_le_bytes(w) as f32).collect(),
            _ => words.map(f32::from_le_bytes).collect(),
        };
        (view.shape().to_vec(), values)
    }

    /// Keys under `prefix`, without it.
    fn keys(&self, prefix: &str) -> Vec<String> {
        let file = SafeTensors::deserialize(&self.bytes).unwrap();
        file.names().iter().filter_map(|n| n.strip_prefix(prefix)).map(str::to_owned).collect()
    }
}

/// The directory that `WGRAD_GOLDEN` names.
fn fallback(name: &str) -> String {
    format!("{}/{name}.safetensors", std::env::var("WGRAD_GOLDEN").unwrap_or_default())
}

#[track_caller]
fn close(what: &str, got: &[f32], want: &[f32], rtol: f32, atol: f32) {
    assert_eq!(got.len(), want.len(), "{what}");
    let largest = want.iter().fold(0f32, |m, v| m.max(v.abs()));
    let error = got.iter().zip(want).fold(0f32, |m, (g, w)| if (g - w).is_nan() { f32::INFINITY } else { m.max((g - w).abs()) });
    assert!(error <= atol + rtol * largest, "{what}: {error:e} off, {:e} is allowed", atol + rtol * largest);
}

fn number(value: &Value, name: &str, default: f64) -> f32 {
    value.get(name).map_or(default, |v| v.as_f64().unwrap()) as f32
}

fn adam<const DECOUPLED: bool>(of: RuleOptimizer<AdamRule<DECOUPLED>>, attrs: &Value) -> Box<dyn Optimizer> {
    let [beta1, beta2] = [0, 1].map(|i| attrs["betas"][i].as_f64().unwrap() as f32);
    Box::new(of.betas(beta1, beta2).eps(number(attrs, "eps", 1e-8)).weight_decay(number(attrs, "weight_decay", 0.0)))
}

fn optimizer(kind: &str, net: &dyn Parameters, attrs: &Value) -> Option<Box<dyn Optimizer>> {
    let lr = number(attrs, "lr", 0.0);
    Some(match kind {
        "sgd" => Box::new(
            Sgd::new(net, lr)
                .momentum(number(attrs, "momentum", 0.0))
                .dampening(number(attrs, "dampening", 0.0))
                .weight_decay(number(attrs, "weight_decay", 0.0))
                .nesterov(attrs.get("nesterov") == Some(&Value::Bool(true))),
        ),
        "adamw" => adam(AdamW::new(net, lr), attrs),
        "adam" => adam(Adam::new(net, lr), attrs),
        "rmsprop" => {
            let rmsprop = RmsProp::new(net, lr).alpha(number(attrs, "alpha", 0.99)).eps(number(attrs, "eps", 1e-8));
            Box::new(rmsprop.momentum(number(attrs, "momentum", 0.0)))
        }
        "adagrad" => Box::new(Adagrad::new(net, lr).eps(number(attrs, "eps", 1e-10))),
        _ => return None,
    })
}

/// A network that is one parameter; its output's gradient is the parameter's.
struct One(Param);

impl Parameters for One {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param)) {
        f(&nn::join(path, "weight"), &self.0);
    }
}

impl Module for One {
    fn forward(&self, x: &Var) -> Var {
        self.0.var(x).mul(x)
    }
    fn out_shape(&self, input: gpu_core::Shape) -> Result<gpu_core::Shape, ShapeError> {
        Ok(input)
    }
    fn describe(&self) -> String {
        "One".to_owned()
    }
}

#[test]
fn optimizers_step_as_pytorch_does() {
    let Some(golden) = Golden::open("optim") else { return };
    let mut held = 0;
    for (case, device) in
        golden.json("cases").as_array().unwrap().iter().flat_map(|c| proof::devices().into_iter().map(move |d| (c, d)))
    {
        let (name, op) = (case["name"].as_str().unwrap(), case["op"].as_str().unwrap());
        let Some(kind) = op.strip_prefix("optimizer/") else { continue };
        let (shape, start) = golden.get(&format!("{name}/param"));
        let net = One(Param::trainable(Tensor::from_slice(&device, shape.as_slice(), &start)));
        let Some(optimizer) = optimizer(kind, &net, &case["attrs"]) else { continue };
        let ((_, grads), (_, after)) = (golden.get(&format!("{name}/grads")), golden.get(&format!("{name}/params_after")));
        for (step, (grad, want)) in grads.chunks(start.len()).zip(after.chunks(start.len())).enumerate() {
            let grad = Tensor::from_slice(&device, shape.as_slice(), grad);
            optimizer.step(&net.forward(&Tape::new(&device).input(&grad)).sum().backward());
            let tolerance = |t: &str| case[t].as_f64().unwrap() as f32;
            close(&format!("{name} step {step}"), &net.0.value().to_vec().unwrap(), want, tolerance("rtol"), tolerance("atol"));
        }
        held += 1;
    }
    assert!(held >= 10 * proof::devices().len(), "{held} cases");
}

#[test]
fn schedules_follow_pytorch() {
    let Some(golden) = Golden::open("optim") else { return };
    let mut held = 0;
    for case in golden.json("cases").as_array().unwrap() {
        let (name, op, attrs) = (case["name"].as_str().unwrap(), case["op"].as_str().unwrap(), &case["attrs"]);
        let Some(kind) = op.strip_prefix("schedule/") else { continue };
        let count = |name: &str| attrs[name].as_u64().unwrap() as usize;
        let gamma = number(attrs, "gamma", 0.0);
        let schedule = match kind {
            "step" => Schedule::Step { size: count("step_size"), gamma },
            "multi_step" => {
                let milestones = attrs["milestones"].as_array().unwrap().iter().map(|m| m.as_u64().unwrap() as usize).collect();
                Schedule::MultiStep { milestones, gamma }
            }
            "exponential" => Schedule::Exponential { gamma },
            "cosine" => Schedule::Cosine { total: count("t_max"), min: number(attrs, "eta_min", 0.0) },
            "one_cycle" => Schedule::OneCycle {
                total: count("total_steps"),
                pct_start: number(attrs, "pct_start", 0.3),
                div_factor: number(attrs, "div_factor", 25.0),
                final_div_factor: number(attrs, "final_div_factor", 1e4),
                anneal: Default::default(),
                three_phase: false,
            },
            other => panic!("{name}: no schedule {other}"),
        };
        let base = number(attrs, "max_lr", f64::from(number(attrs, "base_lr", 0.0)));
        let (_, want) = golden.get(&format!("{name}/lr"));
        for (t, want) in want.iter().enumerate() {
            // Each rate on its own: the smallest of them matter as much.
            close(&format!("{name} step {t}"), &[schedule.lr(base, t)], &[*want], 1e-5, 1e-9);
        }
        held += 1;
    }
    assert_eq!(held, 5);
}

/// Ten steps on `device`.
fn train(golden: &Golden, name: &str, device: &Device) {
    let tolerance = |t: &str| golden.notes[t].parse::<f32>().unwrap();
    let (rtol, atol) = (tolerance("rtol"), tolerance("atol"));
    let net = Spec::from_json(&golden.notes["model"]).unwrap().build(&Init::seeded(device, 0)).unwrap();
    let keys: Vec<String> = parameters(&net).into_iter().map(|(key, _)| key).collect();
    let mut theirs = golden.keys("init/");
    theirs.sort();
    assert_eq!(
        {
            let mut k = keys.clone();
            k.sort();
            k
        },
        theirs,
        "{name}: keys"
    );
    for (key, param) in parameters(&net) {
        let (shape, values) = golden.get(&format!("init/{key}"));
        assert_eq!(param.shape().dims(), shape, "{name} {key}");
        param.set(&values);
    }
    let attrs = golden.json("optimizer");
    let optimizer = optimizer(attrs["type"].as_str().unwrap(), &net, &attrs).unwrap();
    let ((x_shape, x), (_, labels), (_, losses)) = (golden.get("x"), golden.get("target"), golden.get("losses"));
    let (image, batch) = (x_shape[1..].iter().product::<usize>(), x_shape[1]);
    let step = nn::TrainStep::captured(&net, &*optimizer, &nn::StepOptions::new(batch, &x_shape[2..])).unwrap();
    let got = losses.iter().enumerate().map(|(s, _)| {
        let labels: Vec<u32> = labels[s * batch..][..batch].iter().map(|&l| l as u32).collect();
        step.run_on(&x[s * image..][..image], &labels).unwrap();
        step.loss().unwrap()
    });
    close(&format!("{name} losses on {}", device.name()), &got.collect::<Vec<_>>(), &losses, rtol, atol);
    for (key, array) in Checkpoint::new().net(&net).unwrap().arrays() {
        close(&format!("{name} {key} on {}", device.name()), &array.values, &golden.get(&format!("final/{key}")).1, rtol, atol);
    }
    let x = Tensor::from_slice(device, &x_shape[1..], &x[..image]);
    let logits = net.forward(&Var::constant(&x)).value().to_vec().unwrap();
    close(&format!("{name} logits on {}", device.name()), &logits, &golden.get("eval_logits").1, rtol, atol);
}

#[test]
fn networks_train_as_in_pytorch() {
    for name in ["train_small_cnn", "train_residual", "train_separable"] {
        let Some(golden) = Golden::open(name) else { return };
        for device in proof::devices() {
            train(&golden, name, &device);
        }
    }
}

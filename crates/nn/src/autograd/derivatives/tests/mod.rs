//! Every method of `Var` against difference quotients, in double precision: a row a method and option, and a law that none is
//! missing.

mod activation;
mod checkpoint_activations;
mod conv;
mod dense;
mod elementwise;
mod index;
mod loss;
mod norm;
mod pool;
mod random;
mod reduce;
mod resample;
mod shape;
mod unary;

use crate::autograd::graph::Graph;
use crate::autograd::tape::Tape;
use crate::autograd::var::Var;
use gpu_core::{Device, Shape, Tensor};
use std::collections::BTreeSet;

/// One method of [`Var`] with certain inputs and options.
pub(super) struct Row {
    method: &'static str,
    inputs: Vec<Tensor>,
    f: Box<dyn Fn(&[Var]) -> Var>,
}

/// A row; `f` gets a variable for each input. What else it needs lies on the same device, in f64.
pub(super) fn row(method: &'static str, inputs: &[Tensor], f: impl Fn(&[Var]) -> Var + 'static) -> Row {
    Row { method, inputs: inputs.to_vec(), f: Box::new(f) }
}

/// Values in [-1, 1).
pub(super) fn tensor(shape: impl Into<Shape>, seed: u64) -> Tensor {
    proof::tensor(&Device::cpu_f64(), shape, seed)
}

/// Distinct values, at least 0.05 from each other and from zero, so that no difference quotient crosses a kink.
pub(super) fn separate(shape: impl Into<Shape>) -> Tensor {
    let shape = shape.into();
    let n = shape.len();
    // 7 shares no factor with the lengths used.
    let values: Vec<f32> = (0..n).map(|i| ((i * 7 + 3) % n) as f32 * 0.1 - 0.05 * n as f32 + 0.05).collect();
    Tensor::from_slice(&Device::cpu_f64(), shape, &values)
}

fn rows() -> Vec<Row> {
    let files = [
        activation::rows(),
        checkpoint_activations::rows(),
        conv::rows(),
        dense::rows(),
        elementwise::rows(),
        index::rows(),
        loss::rows(),
        norm::rows(),
        pool::rows(),
        random::rows(),
        resample::rows(),
        shape::rows(),
        reduce::rows(),
        unary::rows(),
    ];
    files.into_iter().flatten().collect()
}

/// A tape whose random layers draw the same numbers as those of any other such tape.
fn drawing_the_same() -> Tape {
    Tape::pass(&Device::cpu_f64()).step(0).tape()
}

/// The gradients of a row, `factor` times what they are.
fn hold(row: &Row, factor: f32) {
    let f = &row.f;
    proof::gradients(
        &row.inputs,
        |inputs| {
            let tape = drawing_the_same();
            f(&inputs.iter().map(|t| tape.input(t)).collect::<Vec<_>>()).value().clone()
        },
        |inputs, dy| {
            let tape = drawing_the_same();
            let vars: Vec<Var> = inputs.iter().map(|t| tape.variable(t)).collect();
            let gradients = f(&vars).mul(&Var::constant(dy)).sum().backward();
            let of = |v: &Var| gpu_core::ops::scale(gradients.of(v).expect("the output depends on it"), factor);
            vars.iter().map(of).collect()
        },
    );
}

#[test]
fn every_derivative_is_the_difference_quotient() {
    for row in rows() {
        let shapes: Vec<Shape> = row.inputs.iter().map(Tensor::shape).collect();
        let held = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| hold(&row, 1.0)));
        assert!(held.is_ok(), "the derivative of {} with inputs {shapes:?}", row.method);
    }
}

#[test]
fn a_derivative_that_is_off_by_half_a_percent_is_noticed() {
    for method in ["conv2d", "batch_norm", "cross_entropy"] {
        let row = rows().into_iter().find(|row| row.method == method).unwrap();
        let held = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| hold(&row, 1.005)));
        assert!(held.is_err(), "{method}");
    }
}

/// The methods that the files of this folder give `Var`.
fn methods() -> BTreeSet<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/autograd/derivatives");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let names = |text: String| -> Vec<String> {
        text.split("\n    pub fn ").skip(1).map(|rest| rest.split(['(', '<']).next().unwrap().to_owned()).collect()
    };
    files.flat_map(|path| names(std::fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn every_method_has_a_row() {
    let held: BTreeSet<String> = rows().iter().map(|row| row.method.to_owned()).collect();
    let missing: Vec<String> = methods().difference(&held).cloned().collect();
    assert!(missing.is_empty(), "no row holds the gradient of {missing:?}");
    assert!(methods().len() > 20, "the list of methods has shrunk to {}", methods().len());
}

/// Methods that are another in other words.
const ALIASES: &[(&str, &str)] = &[
    ("flatten", "reshape"),
    ("squeeze", "reshape"),
    ("unsqueeze", "reshape"),
    ("instance_norm", "group_norm"),
    ("global_max_pool", "adaptive_max_pool2d"),
];

#[test]
fn every_operator_is_recorded_under_the_name_of_its_method() {
    let mut wrong = Vec::new();
    for row in rows() {
        let tape = Tape::new(&Device::cpu_f64());
        let vars: Vec<Var> = row.inputs.iter().map(|t| tape.variable(t)).collect();
        let graph = Graph::of(&(row.f)(&vars));
        let ops: Vec<&str> = graph.nodes().iter().map(|node| node.op).collect();
        let name = ALIASES.iter().find(|(method, _)| *method == row.method).map_or(row.method, |(_, op)| op);
        if !ops.contains(&name) {
            wrong.push((row.method, ops));
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

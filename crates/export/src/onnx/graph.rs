//! A graph while it is put together: nodes in the order in which they run, and the tensors that they take.

use super::proto::{self, Attribute, Dimension, Node, Tensor, TensorShape, TensorType, Type, ValueInfo};
use gpu_core::Shape;
use std::collections::{BTreeMap, BTreeSet};

/// A tensor of the graph, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value(String);

impl Value {
    /// In the place of an input that a node is not given.
    pub fn none() -> Self {
        Self(String::new())
    }
}

/// What a batch's extent is called.
const BATCH: &str = "batch";

#[derive(Default)]
pub struct Graph {
    nodes: Vec<Node>,
    tensors: Vec<Tensor>,
    shapes: Vec<ValueInfo>,
    inputs: Vec<ValueInfo>,
    /// How often a name was asked for.
    asked: BTreeMap<String, usize>,
    /// The keys of a state dict that are there.
    keys: BTreeSet<String>,
}

impl Graph {
    /// The graph's own input, a batch of the shape `shape`.
    pub fn input(&mut self, name: &str, shape: Shape) -> Value {
        self.inputs.push(info(name, shape));
        Value(name.to_owned())
    }

    /// What a node gives; `scope` is the layer that it belongs to.
    pub fn node(&mut self, scope: &str, op: &str, inputs: &[&Value], attribute: Vec<Attribute>) -> Value {
        let name = self.name(scope, op);
        let input = inputs.iter().map(|value| value.0.clone()).collect();
        let output = vec![name.clone()];
        self.nodes.push(Node { input, output, name: name.clone(), op_type: op.to_owned(), attribute });
        Value(name)
    }

    /// A constant of a layer.
    pub fn floats(&mut self, scope: &str, what: &str, dims: &[usize], values: &[f32]) -> Value {
        let name = self.name(scope, what);
        self.tensor(name, dims, proto::FLOAT, values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    /// A list of whole numbers that a node takes as an input.
    pub fn integers(&mut self, scope: &str, what: &str, values: &[i64]) -> Value {
        let name = self.name(scope, what);
        self.tensor(name, &[values.len()], proto::INT64, values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    /// A tensor of the state dict, under its key there.
    pub fn parameter(&mut self, key: String, dims: &[usize], values: &[f32]) -> Value {
        if !self.keys.insert(key.clone()) {
            return Value(key);
        }
        self.tensor(key, dims, proto::FLOAT, values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    fn tensor(&mut self, name: String, dims: &[usize], data_type: i32, bytes: Vec<u8>) -> Value {
        let dims = dims.iter().map(|&d| d as i64).collect();
        self.tensors.push(Tensor { dims, data_type, name: name.clone(), raw_data: Some(bytes) });
        Value(name)
    }

    /// Says the shape of a layer's output, batch included.
    pub fn shape(&mut self, of: &Value, shape: Shape) {
        if !self.shapes.iter().any(|there| there.name == of.0) && !self.inputs.iter().any(|input| input.name == of.0) {
            self.shapes.push(info(&of.0, shape));
        }
    }

    /// A name that nothing else has: `3.body.0/Conv`.
    fn name(&mut self, scope: &str, what: &str) -> String {
        let name = if scope.is_empty() { what.to_owned() } else { format!("{scope}/{what}") };
        let asked = self.asked.entry(name.clone()).or_default();
        *asked += 1;
        if *asked == 1 { name } else { format!("{name}_{}", *asked - 1) }
    }

    /// The whole, which gives `y` under the name `output`.
    pub fn finish(mut self, name: String, y: Value, output: &str, shape: Shape) -> proto::Graph {
        let is_last = self.nodes.last().is_some_and(|node| node.output[0] == y.0);
        // Nothing can have read what the last node gives. A network of the identity has no node at all.
        let y = if is_last { y } else { self.node("", "Identity", &[&y], Vec::new()) };
        self.shapes.retain(|there| there.name != y.0);
        self.nodes.last_mut().expect("there is one").output = vec![output.to_owned()];
        proto::Graph {
            node: self.nodes,
            name,
            initializer: self.tensors,
            input: self.inputs,
            output: vec![info(output, shape)],
            value_info: self.shapes,
        }
    }
}

/// A batch of floats; its first extent is known when the model runs.
fn info(name: &str, shape: Shape) -> ValueInfo {
    let batch = Dimension { value: None, param: Some(BATCH.to_owned()) };
    let others = shape.dims()[1..].iter().map(|&d| Dimension { value: Some(d as i64), param: None });
    let shape = TensorShape { dim: std::iter::once(batch).chain(others).collect() };
    let tensor = TensorType { elem_type: proto::FLOAT, shape: Some(shape) };
    ValueInfo { name: name.to_owned(), of: Some(Type { tensor: Some(tensor) }) }
}

/// Attributes of a node.
fn attribute(name: &str, kind: i32) -> Attribute {
    Attribute { name: name.to_owned(), kind, ..Attribute::default() }
}

pub fn float(name: &str, value: f32) -> Attribute {
    Attribute { f: Some(value), ..attribute(name, proto::FLOAT_ATTRIBUTE) }
}

pub fn int(name: &str, value: usize) -> Attribute {
    Attribute { i: Some(value as i64), ..attribute(name, proto::INT_ATTRIBUTE) }
}

pub fn string(name: &str, value: &str) -> Attribute {
    Attribute { s: Some(value.as_bytes().to_vec()), ..attribute(name, proto::STRING_ATTRIBUTE) }
}

pub fn ints(name: &str, values: impl IntoIterator<Item = usize>) -> Attribute {
    Attribute { ints: values.into_iter().map(|v| v as i64).collect(), ..attribute(name, proto::INTS_ATTRIBUTE) }
}

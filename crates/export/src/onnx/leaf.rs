//! A layer without layers inside it, on its way into a graph.

use super::graph::{Graph, Value};
use super::proto::Attribute;
use crate::error::ExportError;
use gpu_core::Shape;
use nn::{Layer, Net, join, parameters};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

/// How a kind of layer is said: its name in layer lists, and what adds it to a graph.
pub type Row = (&'static str, fn(&mut Leaf<'_>) -> Said);

/// What comes out of a layer.
pub type Said = Result<Value, ExportError>;

/// A layer, what comes in, and the graph that it is added to. Its options are read from its text, which is what layer lists have.
pub struct Leaf<'a> {
    graph: &'a mut Graph,
    net: &'a Net,
    path: &'a str,
    text: Json,
    x: Value,
    input: Shape,
    output: Shape,
}

impl<'a> Leaf<'a> {
    pub fn new(graph: &'a mut Graph, net: &'a Net, path: &'a str, x: Value, input: Shape) -> Result<Self, ExportError> {
        let output = net.layer().plan(input).map_err(|e| e.at(path))?.output();
        let text = serde_json::to_value(net.layer()).map_err(|e| ExportError::Layer {
            path: path.to_owned(),
            kind: net.layer().kind().to_owned(),
            why: e.to_string(),
        })?;
        Ok(Self { graph, net, path, text, x, input, output })
    }

    pub fn x(&self) -> Value {
        self.x.clone()
    }

    /// The shape that comes in; its batch is one.
    pub fn input(&self) -> Shape {
        self.input
    }

    /// The shape that goes out.
    pub fn output(&self) -> Shape {
        self.output
    }

    /// An option that every such layer writes down.
    pub fn field<T: DeserializeOwned>(&self, name: &str) -> T {
        self.optional(name).unwrap_or_else(|| panic!("a {} has no `{name}`: {}", self.net.layer().kind(), self.text))
    }

    /// An option that is written down where it differs from what it is by default.
    pub fn optional<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let value = self.text.get(name)?.clone();
        Some(serde_json::from_value(value).expect("what a layer wrote can be read"))
    }

    /// A parameter or buffer, or the constant in its place.
    pub fn param(&mut self, name: &str) -> Said {
        let dims = self.net.param(name).shape();
        self.param_as(name, dims.dims())
    }

    /// The same with other extents.
    pub fn param_as(&mut self, name: &str, dims: &[usize]) -> Said {
        let values = self.net.param(name).value().to_vec()?;
        Ok(self.graph.parameter(join(self.path, name), dims, &values))
    }

    /// Whether the layer has such a parameter, and no constant in its place.
    pub fn has(&self, name: &str) -> bool {
        parameters(self.net).iter().any(|(key, _)| key == name)
    }

    pub fn scalar(&mut self, what: &str, value: f32) -> Value {
        self.graph.floats(self.path, what, &[], &[value])
    }

    pub fn floats(&mut self, what: &str, dims: &[usize], values: &[f32]) -> Value {
        self.graph.floats(self.path, what, dims, values)
    }

    pub fn integers(&mut self, what: &str, values: &[i64]) -> Value {
        self.graph.integers(self.path, what, values)
    }

    pub fn apply(&mut self, op: &str, inputs: &[&Value]) -> Value {
        self.apply_with(op, inputs, Vec::new())
    }

    pub fn apply_with(&mut self, op: &str, inputs: &[&Value], attributes: Vec<Attribute>) -> Value {
        self.graph.node(self.path, op, inputs, attributes)
    }

    /// An operator of the layer's input alone.
    pub fn of_x(&mut self, op: &str, attributes: Vec<Attribute>) -> Value {
        let x = self.x();
        self.apply_with(op, &[&x], attributes)
    }

    /// `x` times a number.
    pub fn scaled(&mut self, x: &Value, what: &str, by: f32) -> Value {
        let by = self.scalar(what, by);
        self.apply("Mul", &[x, &by])
    }

    /// The mean over some axes, which stay as one.
    pub fn mean(&mut self, x: &Value, axes: &[i64]) -> Value {
        let axes = self.integers("axes", axes);
        self.apply("ReduceMean", &[x, &axes])
    }

    /// With the extents `dims`, of which 0 is what comes in and -1 all the rest.
    pub fn reshaped(&mut self, x: &Value, dims: &[i64]) -> Value {
        let dims = self.integers("shape", dims);
        self.apply("Reshape", &[x, &dims])
    }

    /// Each plane of `x` (N, C, H, W) between two matrices: `rows x columns^T`, for means of rows and columns.
    pub fn between(&mut self, x: &Value, rows: &Matrix, columns: &Matrix) -> Value {
        let turned: Vec<f32> = (0..columns.width).flat_map(|i| columns.column(i)).collect();
        let turned = self.floats("columns", &[columns.width, columns.height()], &turned);
        let rows = self.floats("rows", &[rows.height(), rows.width], &rows.values);
        let y = self.apply("MatMul", &[x, &turned]);
        self.apply("MatMul", &[&rows, &y])
    }
}

/// What each place along an axis takes of the elements there.
pub struct Matrix {
    width: usize,
    values: Vec<f32>,
}

impl Matrix {
    /// Of rows, each as pairs of an element of `width` and its share.
    pub fn of(width: usize, rows: impl Iterator<Item = Vec<(usize, f32)>>) -> Self {
        let row = |shares: Vec<(usize, f32)>| {
            let mut row = vec![0.0; width];
            shares.into_iter().for_each(|(at, share)| row[at] += share);
            row
        };
        Self { width, values: rows.flat_map(row).collect() }
    }

    fn height(&self) -> usize {
        self.values.len() / self.width
    }

    fn column(&self, at: usize) -> impl Iterator<Item = f32> {
        self.values.iter().skip(at).step_by(self.width).copied()
    }
}

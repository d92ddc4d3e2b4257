//! What each kind of layer is in the words of ONNX.

mod activation;
mod dense;
mod norm;
mod pool;
mod resample;
mod shape;

use super::graph::{Graph, Value, int};
use super::leaf::{Leaf, Row};
use crate::error::ExportError;
use gpu_core::Shape;
use nn::{Net, join};

/// The rooms of the table.
pub const ROOMS: &[&[Row]] = &[activation::LAYERS, dense::LAYERS, norm::LAYERS, pool::LAYERS, resample::LAYERS, shape::LAYERS];

/// Adds `net` to the graph, for what comes in: what comes out, and its shape.
pub fn add(graph: &mut Graph, net: &Net, path: &str, x: Value, input: Shape) -> Result<(Value, Shape), ExportError> {
    let mut children = net.named_children().map(|(name, child)| (join(path, name), child));
    match net.layer().kind() {
        "sequential" => children.try_fold((x, input), |(x, input), (path, child)| add(graph, child, &path, x, input)),
        "residual" => {
            let sides = children.map(|(path, child)| add(graph, child, &path, x.clone(), input));
            let sides = sides.collect::<Result<Vec<_>, _>>()?;
            let values: Vec<&Value> = sides.iter().map(|(value, _)| value).collect();
            let y = graph.node(path, "Add", &values, Vec::new());
            Ok(said(graph, y, sides[0].1))
        }
        "concat" => {
            let branches = children.map(|(path, child)| add(graph, child, &path, x.clone(), input));
            let branches = branches.collect::<Result<Vec<_>, _>>()?;
            let values: Vec<&Value> = branches.iter().map(|(value, _)| value).collect();
            let y = graph.node(path, "Concat", &values, vec![int("axis", 1)]);
            let mut dims = branches[0].1.dims().to_vec();
            dims[1] = branches.iter().map(|(_, shape)| shape.c()).sum();
            Ok(said(graph, y, Shape::new(&dims)))
        }
        kind => {
            let rows = ROOMS.iter().copied().flatten();
            let Some((_, translate)) = rows.clone().find(|(name, _)| *name == kind) else {
                let why = "it is a layer of your own; build it of layers that layer lists have".to_owned();
                return Err(ExportError::Layer { path: path.to_owned(), kind: kind.to_owned(), why });
            };
            let mut leaf = Leaf::new(graph, net, path, x, input)?;
            let output = leaf.output();
            let y = translate(&mut leaf)?;
            Ok(said(graph, y, output))
        }
    }
}

/// Puts down the shape of what a layer gives.
fn said(graph: &mut Graph, y: Value, shape: Shape) -> (Value, Shape) {
    graph.shape(&y, shape);
    (y, shape)
}

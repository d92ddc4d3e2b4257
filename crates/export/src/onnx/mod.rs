//! ONNX: a network in evaluation mode as a graph of standard operators.
//!
//! Dropout is left out, batch norms use their running statistics, and each stands in the graph as it stands in the network: nothing is
//! folded, so that a weight in the file is a weight of the checkpoint, under its key. The batch is free, all other extents are fixed.

mod graph;
mod layers;
mod leaf;
mod proto;
#[cfg(test)]
mod tests;

use crate::error::ExportError;
use gpu_core::Shape;
use graph::Graph;
use nn::checkpoint::write_atomically;
use nn::{Net, parameters};
use prost::Message;
use proto::{Entry, Model, OperatorSet};
use std::io::Write;
use std::path::Path;

/// The version of the operators: the one that PyTorch's exporter writes by default, and the oldest whose `Resize` leaves the batch free.
pub const OPSET: i64 = 18;

/// The version of the file's format that came with [`OPSET`].
const IR_VERSION: i64 = 8;

/// What a file may have: readers of protocol buffers take no more.
const MOST_BYTES: u64 = (1 << 31) - 1;

/// Of names and the graph itself, with room to spare.
const GRAPH_BYTES: u64 = 1 << 24;

/// What comes in and what goes out.
const INPUT: &str = "image";
const OUTPUT: &str = "logits";

/// A network as an ONNX model: input `image` (batch, C, H, W), output `logits`.
///
/// ```
/// use export::Onnx;
/// use gpu_core::Device;
/// use nn::{Conv2d, Flatten, Init, Layer, Linear, Relu, seq};
/// let net = seq![Conv2d::new(8, 3), Relu, Flatten, Linear::new(2)].build(&Init::seeded(&Device::Cpu, 0), [1, 8, 8])?;
/// let folder = tempfile::tempdir()?;
/// Onnx::new(&net).name("two classes").write(folder.path().join("net.onnx"))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Onnx<'a> {
    net: &'a Net,
    name: String,
    normalisation: Option<[Vec<f32>; 2]>,
    notes: Vec<(String, String)>,
}

impl<'a> Onnx<'a> {
    /// For inputs as `net` takes them, of the extents that it was built for.
    pub fn new(net: &'a Net) -> Self {
        Self { net, name: "wgrad".to_owned(), normalisation: None, notes: Vec::new() }
    }

    /// What the graph is called.
    pub fn name(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// Puts `(image - mean) / std` in front, a number each for every channel: the model takes pixels from 0 to 1 then.
    ///
    /// # Panics
    /// If there are not as many means and deviations as channels.
    #[track_caller]
    pub fn normalise(self, mean: &[f32], std: &[f32]) -> Self {
        let input = self.net.input();
        assert!(
            mean.len() == input.dim(0) && std.len() == input.dim(0),
            "normalise: {} means and {} deviations are given for inputs of {input}",
            mean.len(),
            std.len()
        );
        Self { normalisation: Some([mean.to_vec(), std.to_vec()]), ..self }
    }

    /// With a line of metadata: names of classes, where it comes from, whatever is text.
    pub fn note(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.notes.push((key.into(), value.into()));
        self
    }

    /// The file's bytes: a function of the network and the notes alone.
    ///
    /// # Errors
    /// If a layer is of a type of your own, the weights are more than a file can hold, or a fault of the device.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ExportError> {
        Ok(self.model()?.encode_to_vec())
    }

    /// Writes the file, or leaves the old one as it is.
    ///
    /// # Errors
    /// As [`to_bytes`](Self::to_bytes), and whatever the file system says.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), ExportError> {
        let (path, bytes) = (path.as_ref(), self.to_bytes()?);
        let written = write_atomically(path, |file| file.write_all(&bytes));
        written.map_err(|source| ExportError::Write { path: path.to_owned(), source })
    }

    fn model(&self) -> Result<Model, ExportError> {
        expect_fits(parameters(self.net).iter().map(|(_, param)| 4 * param.shape().len() as u64).sum())?;
        let input = Shape::new(&[&[1], self.net.input().dims()].concat());
        let mut graph = Graph::default();
        let mut x = graph.input(INPUT, input);
        if let Some([mean, std]) = &self.normalisation {
            let dims: Vec<usize> = (1..input.rank()).map(|axis| if axis == 1 { input.c() } else { 1 }).collect();
            for (op, what, values) in [("Sub", "mean", mean), ("Div", "std", std)] {
                let values = graph.floats(INPUT, what, &dims, values);
                x = graph.node(INPUT, op, &[&x, &values], Vec::new());
            }
        }
        let (y, shape) = layers::add(&mut graph, self.net, "", x, input)?;
        let notes = self.notes.iter().map(|(key, value)| Entry { key: key.clone(), value: value.clone() });
        Ok(Model {
            ir_version: IR_VERSION,
            producer_name: "wgrad".to_owned(),
            producer_version: env!("CARGO_PKG_VERSION").to_owned(),
            doc_string: String::new(),
            graph: Some(graph.finish(self.name.clone(), y, OUTPUT, shape)),
            opset_import: vec![OperatorSet { domain: Some(String::new()), version: OPSET }],
            metadata_props: notes.collect(),
        })
    }
}

/// Refuses weights of so many bytes that no file could hold them.
fn expect_fits(bytes: u64) -> Result<(), ExportError> {
    match bytes > MOST_BYTES - GRAPH_BYTES {
        true => Err(ExportError::TooLarge { bytes, limit: MOST_BYTES }),
        false => Ok(()),
    }
}

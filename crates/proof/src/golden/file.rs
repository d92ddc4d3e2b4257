//! A golden file, read.

use crate::error::{Error, Result};
use gpu_core::{Device, Tensor};
use nn::checkpoint::read_plain;
use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// One operator on certain inputs.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Case {
    pub name: String,
    pub op: String,
    #[serde(default)]
    pub attrs: Value,
    pub outputs: Vec<String>,
    #[serde(default)]
    pub grads: Vec<String>,
    pub rtol: f64,
    pub atol: f64,
}

impl Case {
    /// An attribute, or `default` where it is not given.
    pub fn attr<T: DeserializeOwned>(&self, key: &str, default: T) -> T {
        self.attrs.get(key).and_then(|v| serde_json::from_value(v.clone()).ok()).unwrap_or(default)
    }
}

/// Above it, f32 has no odd numbers.
const LARGEST_LABEL: f32 = 16_777_216.0;

/// A golden file in memory.
#[derive(Debug)]
pub(super) struct GoldenFile {
    path: PathBuf,
    notes: HashMap<String, String>,
    arrays: HashMap<String, (Vec<usize>, Vec<f32>)>,
}

impl GoldenFile {
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = read_plain(path, u64::MAX).map_err(Error::reading(path))?;
        let broken = |e: safetensors::SafeTensorError| Error::content(path, format!("this is not a whole safetensors file: {e}"));
        let tensors = SafeTensors::deserialize(&bytes).map_err(broken)?;
        let (_, header) = SafeTensors::read_metadata(&bytes).map_err(broken)?;
        let mut arrays = HashMap::new();
        for (name, view) in tensors.tensors() {
            let words = view.data().chunks_exact(4).map(|b| [b[0], b[1], b[2], b[3]]);
            let values = match view.dtype() {
                Dtype::F32 => words.map(f32::from_le_bytes).collect(),
                // Class indices: exact in f32.
                Dtype::I32 => words.map(|b| i32::from_le_bytes(b) as f32).collect(),
                other => return Err(Error::content(path, format!("{name} holds {other:?}; F32 or I32 is wanted"))),
            };
            arrays.insert(name, (view.shape().to_vec(), values));
        }
        Ok(Self { path: path.into(), notes: header.metadata().clone().unwrap_or_default(), arrays })
    }

    /// The list of an operator file, each as a [`Case`] is read from; none if it is a training file.
    pub fn cases(&self) -> Result<Option<Vec<Value>>> {
        match self.notes.get("cases") {
            Some(text) => self.json("cases", text).map(Some),
            None if self.notes.contains_key("model") => Ok(None),
            None => Err(Error::content(&self.path, "this is not a golden file: it lists no cases and no model")),
        }
    }

    pub fn note(&self, key: &str) -> Result<&str> {
        let note = self.notes.get(key).map(String::as_str);
        note.ok_or_else(|| Error::content(&self.path, format!("the note `{key}` is missing")))
    }

    pub fn parsed<T: DeserializeOwned>(&self, key: &str) -> Result<T> {
        self.json(key, self.note(key)?)
    }

    fn json<T: DeserializeOwned>(&self, key: &str, text: &str) -> Result<T> {
        serde_json::from_str(text).map_err(|e| Error::content(&self.path, format!("the note `{key}`: {e}")))
    }

    pub fn has(&self, name: &str) -> bool {
        self.arrays.contains_key(name)
    }

    pub fn array(&self, name: &str) -> Result<(&[usize], &[f32])> {
        let array = self.arrays.get(name).map(|(shape, values)| (&shape[..], &values[..]));
        array.ok_or_else(|| Error::content(&self.path, format!("the tensor `{name}` is missing")))
    }

    pub fn tensor(&self, name: &str, device: &Device) -> Result<Tensor> {
        let (shape, values) = self.array(name)?;
        Ok(Tensor::from_slice(device, gpu_core::Shape::new(shape), values))
    }

    /// Class indices.
    pub fn labels(&self, name: &str) -> Result<Vec<u32>> {
        let (_, values) = self.array(name)?;
        let label = |value: &f32| match value.fract() == 0.0 && (0.0..=LARGEST_LABEL).contains(value) {
            true => Ok(*value as u32),
            false => Err(Error::content(&self.path, format!("`{name}` holds {value}, which is no class index"))),
        };
        values.iter().map(label).collect()
    }
}

//! State dicts as `torch.save` writes them. Nothing in them is run: what a pickle calls is known by name, or refused.

use super::contents::Checkpoint;
use super::error::CheckpointError;
use super::format::{each, expect_plain, floats};
use crate::state_dict::{Array, COUNT};
use pytorch_reader::{DType, PytorchReader};
use safetensors::Dtype;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Where training programs put the weights that they save beside other things.
const NESTED: [&str; 4] = ["state_dict", "model_state_dict", "model", "net"];

impl Checkpoint {
    /// Reads a state dict, or a module, that `torch.save` wrote (`.pth`, `.pt`): all tensors under their keys, as f32, and no notes. Where
    /// the file is a dictionary that holds one under `state_dict`, `model_state_dict`, `model` or `net`, it is that one. With the feature
    /// `pth`.
    ///
    /// ```no_run
    /// use gpu_core::Device;
    /// use nn::{Checkpoint, Init, zoo};
    /// let net = zoo::build("resnet18", &Init::seeded(&Device::Cpu, 0), [3, 224, 224].into(), 1000)?;
    /// let names = zoo::torchvision("resnet18", &net).expect("torchvision has a ResNet-18");
    /// Checkpoint::read_torch("resnet18-f37072fd.pth")?.load_net_as(&net, &names)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If it cannot be read, is no such file, holds tensors of complex or quantised numbers, or more than fits into memory.
    pub fn read_torch(path: impl AsRef<Path>) -> Result<Self, CheckpointError> {
        let path = path.as_ref();
        read(path).map_err(|e| e.in_file(path))
    }

    /// Whether a file begins as those of `torch.save` do, which have a zip archive or a pickle, and not as a safetensors file.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn is_torch(path: impl AsRef<Path>) -> io::Result<bool> {
        if !std::fs::metadata(&path)?.is_file() {
            return Ok(false);
        }
        let mut head = Vec::new();
        File::open(path)?.take(9).read_to_end(&mut head)?;
        // A safetensors file has the length of its header there, which may be any number, and then the header.
        let is_safetensors = head.get(8) == Some(&b'{');
        Ok(!is_safetensors && (head.starts_with(b"PK\x03\x04") || matches!(head[..], [0x80, 2..=5, ..])))
    }
}

fn read(path: &Path) -> Result<Checkpoint, CheckpointError> {
    expect_plain(path)?;
    let broken = |e: &dyn std::fmt::Display| CheckpointError::Torch(e.to_string());
    let whole = PytorchReader::new(path).map_err(|e| broken(&e))?;
    let holds = |name: &&str| whole.keys().iter().any(|key| key.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')));
    // A key may begin so in a state dict that is not nested: then there is nothing under the name.
    let nested = NESTED.iter().filter(|name| holds(name)).find_map(|name| PytorchReader::with_top_level_key(path, name).ok());
    let tensors = nested.filter(|nested| !nested.is_empty()).unwrap_or(whole).into_tensors();

    // Its bytes are held beside the numbers that they become, one tensor at a time.
    let wanted = tensors.values().fold(0u64, |sum, tensor| sum.saturating_add(8 * tensor.num_elements() as u64));
    let free = gpu_core::free_bytes();
    if wanted > free {
        return Err(CheckpointError::TooLarge { bytes: wanted, free });
    }
    let mut checkpoint = Checkpoint::new();
    for (key, tensor) in tensors {
        if key.rsplit('.').next() == Some(COUNT) {
            continue;
        }
        let values = numbers(tensor.dtype(), &tensor.read().map_err(|e| broken(&e))?);
        checkpoint.arrays.insert(key, Array { shape: tensor.shape().to_vec(), values });
    }
    Ok(checkpoint)
}

/// Any number as f32.
fn numbers(dtype: DType, bytes: &[u8]) -> Vec<f32> {
    let of = |dtype| floats(dtype, bytes).expect("it is a float");
    match dtype {
        DType::F64 => of(Dtype::F64),
        DType::F32 => of(Dtype::F32),
        DType::F16 => of(Dtype::F16),
        DType::BF16 => of(Dtype::BF16),
        DType::I64 => each(bytes, |b| i64::from_le_bytes(b) as f32),
        DType::I32 => each(bytes, |b| i32::from_le_bytes(b) as f32),
        DType::I16 => each(bytes, |b| f32::from(i16::from_le_bytes(b))),
        DType::I8 => each(bytes, |b| f32::from(i8::from_le_bytes(b))),
        DType::U64 => each(bytes, |b| u64::from_le_bytes(b) as f32),
        DType::U32 => each(bytes, |b| u32::from_le_bytes(b) as f32),
        DType::U16 => each(bytes, |b| f32::from(u16::from_le_bytes(b))),
        DType::U8 | DType::Bool => bytes.iter().map(|&b| f32::from(b)).collect(),
    }
}

//! `wgrad export`.

use super::answer::{Ending, Json, bytes_of, say, say_json};
use clap::{ArgGroup, Args};
use export::{ExportError, OPSET, Onnx, StateDict};
use gpu_core::Device;
use nn::checkpoint::{Names, expect_writable, save_state_dict};
use nn::zoo;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use train::error::one_line;
use train::model::{Description, Trained};
use train::run_folder::checkpoint_of;
use train::{Error, Result};

#[derive(Args)]
#[command(group = ArgGroup::new("format").required(true).multiple(true))]
pub struct Flags {
    /// The folder of a run, whose best checkpoint is taken, or a checkpoint
    #[arg(value_name = "RUN|FILE")]
    run: PathBuf,
    /// Write an ONNX model, which takes pixels from 0 to 1 [default: beside the checkpoint]
    #[arg(long, value_name = "FILE", num_args = 0..=1, group = "format")]
    onnx: Option<Option<PathBuf>>,
    /// Write a state dict for torch.load, with torchvision's names where it has the model [default: beside the checkpoint]
    #[arg(long, value_name = "FILE", num_args = 0..=1, group = "format")]
    torch: Option<Option<PathBuf>>,
    /// Write the same as safetensors: the weights alone [default: beside the checkpoint]
    #[arg(long, value_name = "FILE", num_args = 0..=1, group = "format")]
    safetensors: Option<Option<PathBuf>>,
    /// Leave the normalisation out of the ONNX model: it takes (pixel - mean) / std
    #[arg(long, requires = "onnx")]
    normalised: bool,
    /// Replace files that are there
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    json: Json,
}

/// What a network can be written as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Onnx,
    Torch,
    Safetensors,
}

impl Format {
    /// Of its flag, and of its part of the answer.
    fn name(self) -> &'static str {
        match self {
            Self::Onnx => "onnx",
            Self::Torch => "torch",
            Self::Safetensors => "safetensors",
        }
    }

    /// The file beside a checkpoint.
    fn beside(self, checkpoint: &Path) -> PathBuf {
        checkpoint.with_extension(match self {
            Self::Onnx => "onnx",
            Self::Torch => "pth",
            Self::Safetensors => "weights.safetensors",
        })
    }
}

pub fn run(flags: &Flags) -> Result<Ending> {
    let checkpoint = checkpoint_of(&flags.run)?;
    let asked = [(Format::Onnx, &flags.onnx), (Format::Torch, &flags.torch), (Format::Safetensors, &flags.safetensors)];
    let asked = asked.into_iter().filter_map(|(format, file)| Some((format, file.as_ref()?)));
    let files: Vec<(Format, PathBuf)> =
        asked.map(|(format, file)| (format, file.clone().unwrap_or_else(|| format.beside(&checkpoint)))).collect();
    // Before the checkpoint is read, and before the first of them is written.
    for (number, (format, file)) in files.iter().enumerate() {
        let is_taken = files[..number].iter().any(|(_, other)| other == file);
        expect_free(file, is_taken, &checkpoint, flags.force)
            .map_err(|why| Error::Setting(format!("--{} {}: {why}", format.name(), file.display())))?;
    }
    // Only the weights are wanted: no GPU would do more with them.
    let trained = Trained::read(&checkpoint, &Device::Cpu)?;
    let mut answer = json!({ "checkpoint": checkpoint.display().to_string(), "model": trained.description.model });
    for (format, file) in &files {
        let (words, mut more) = write(*format, &trained, file, flags.normalised)?;
        let bytes = bytes_of(file)?;
        if !flags.json.json {
            say(&format!("{} ({words}, {:.1} MB)", file.display(), bytes as f64 / 1e6))?;
        }
        more["file"] = Value::from(file.display().to_string());
        more["bytes"] = Value::from(bytes);
        answer[format.name()] = more;
    }
    if flags.json.json {
        say_json(&answer)?;
    }
    Ok(Ending::Done)
}

/// Writes one file, and says what it is: to a person, and to a program.
fn write(format: Format, Trained { description, net }: &Trained, file: &Path, normalised: bool) -> Result<(String, Value)> {
    if format == Format::Onnx {
        let model = Onnx::new(net).name(&description.model);
        let model = if normalised { model } else { model.normalise(&description.mean, &description.std) };
        let notes = notes(description, normalised);
        notes.into_iter().fold(model, |model, (key, value)| model.note(key, value)).write(file).map_err(told)?;
        return Ok((format!("ONNX, opset {OPSET}"), json!({ "opset": OPSET })));
    }
    let (names, keys) = match zoo::torchvision(&description.model, net) {
        Some(names) => (names, "torchvision"),
        None => (Names::default(), "wgrad"),
    };
    let what = match format {
        Format::Torch => {
            StateDict::new(net).names(names).write(file).map_err(told)?;
            "PyTorch state dict"
        }
        _ => {
            save_state_dict(net, file, &names).map_err(|e| Error::Setting(one_line(&e)))?;
            "weights"
        }
    };
    Ok((format!("{what}, the keys of {keys}"), json!({ "keys": keys })))
}

/// What a user of the model must know, and finds in it.
fn notes(description: &Description, normalised: bool) -> Vec<(&'static str, String)> {
    let input = if normalised { "(pixel - mean) / std, pixels from 0 to 1" } else { "pixels from 0 to 1" };
    let labels = if description.tells_labels() { "several" } else { "one" };
    vec![
        ("model", description.model.clone()),
        ("trained_on", description.trained_on.clone()),
        ("input", input.to_owned()),
        ("classes", json!(description.classes).to_string()),
        ("labels", labels.to_owned()),
        ("mean", json!(description.mean).to_string()),
        ("std", json!(description.std).to_string()),
    ]
}

/// Refuses a file that cannot be written, or is there and not to be replaced.
fn expect_free(file: &Path, is_taken: bool, checkpoint: &Path, force: bool) -> std::result::Result<(), String> {
    let is_same = |a: &Path, b: &Path| matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b);
    if is_taken {
        return Err("two files of one name are asked for; name another".to_owned());
    }
    if is_same(file, checkpoint) {
        return Err("this is the checkpoint itself; name another file".to_owned());
    }
    if file.is_file() && !force {
        return Err("there is such a file already; name another, or give --force to replace it".to_owned());
    }
    expect_writable(file).map_err(|e| e.to_string())
}

fn told(error: ExportError) -> Error {
    match error {
        ExportError::Write { path, source } => Error::File { doing: "writing", path, source },
        ExportError::Device(e) => Error::Device(e),
        other => Error::Setting(other.to_string()),
    }
}

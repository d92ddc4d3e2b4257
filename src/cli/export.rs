//! `wgrad export`.

use super::answer::{Ending, Json, say, say_json};
use super::checkpoint::checkpoint_of;
use clap::Args;
use export::{ExportError, OPSET, Onnx};
use gpu_core::Device;
use nn::checkpoint::expect_writable;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use train::model::{Description, Trained};
use train::{Error, Result};

#[derive(Args)]
pub struct Flags {
    /// The folder of a run, whose best checkpoint is taken, or a checkpoint
    #[arg(value_name = "RUN|FILE")]
    run: PathBuf,
    /// Write an ONNX model, which takes pixels from 0 to 1 [default: beside the checkpoint]
    #[arg(long, value_name = "FILE", num_args = 0..=1, required = true)]
    onnx: Option<Option<PathBuf>>,
    /// Leave the normalisation out of the ONNX model: it takes (pixel - mean) / std
    #[arg(long, requires = "onnx")]
    normalised: bool,
    /// Replace files that are there
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    json: Json,
}

pub fn run(flags: &Flags) -> Result<Ending> {
    let checkpoint = checkpoint_of(flags.run.clone())?;
    let onnx = flags.onnx.as_ref().map(|file| file.clone().unwrap_or_else(|| checkpoint.with_extension("onnx")));
    if let Some(file) = &onnx {
        expect_free(file, &checkpoint, flags.force).map_err(|why| Error::Setting(format!("--onnx {}: {why}", file.display())))?;
    }
    // Only the weights are wanted: no GPU would do more with them.
    let Trained { description, net } = Trained::read(&checkpoint, &Device::Cpu)?;
    let mut written = Vec::new();
    if let Some(file) = &onnx {
        let model = Onnx::new(&net).name(&description.model);
        let model = if flags.normalised { model } else { model.normalise(&description.mean, &description.std) };
        let notes = notes(&description, flags.normalised);
        let model = notes.into_iter().fold(model, |model, (key, value)| model.note(key, value));
        model.write(file).map_err(told)?;
        written.push(("onnx", file, json!({ "opset": OPSET }), format!("ONNX, opset {OPSET}")));
    }
    let mut answer = json!({ "checkpoint": checkpoint.display().to_string(), "model": description.model });
    for (format, file, more, words) in written {
        let bytes = std::fs::metadata(file).map_err(|source| Error::File { doing: "reading", path: file.clone(), source })?.len();
        answer[format] = more;
        answer[format]["file"] = Value::from(file.display().to_string());
        answer[format]["bytes"] = Value::from(bytes);
        if !flags.json.json {
            say(&format!("{} ({words}, {:.1} MB)", file.display(), bytes as f64 / 1e6))?;
        }
    }
    if flags.json.json {
        say_json(&answer)?;
    }
    Ok(Ending::Done)
}

/// What a user of the model must know, and finds in it.
fn notes(description: &Description, normalised: bool) -> Vec<(&'static str, String)> {
    let input = if normalised { "(pixel - mean) / std, pixels from 0 to 1" } else { "pixels from 0 to 1" };
    vec![
        ("model", description.model.clone()),
        ("trained_on", description.trained_on.clone()),
        ("input", input.to_owned()),
        ("classes", json!(description.classes).to_string()),
        ("mean", json!(description.mean).to_string()),
        ("std", json!(description.std).to_string()),
    ]
}

/// Refuses a file that cannot be written, or is there and not to be replaced.
fn expect_free(file: &Path, checkpoint: &Path, force: bool) -> std::result::Result<(), String> {
    let is_same = |a: &Path, b: &Path| matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b);
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

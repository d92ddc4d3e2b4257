//! `wgrad summary`.

use super::answer::{Ending, Json, say, say_json};
use clap::Args;
use gpu_core::Shape;
use serde_json::json;
use train::{Error, Result, model};

#[derive(Args)]
pub struct Flags {
    /// Network, or a layer list (a .json or .toml file)
    #[arg(long, value_name = "NAME|FILE", default_value = "small-cnn")]
    model: String,
    /// Channels, rows and columns of an image
    #[arg(long, value_name = "CxHxW", default_value = "3x32x32", value_parser = image)]
    input: Shape,
    /// Classes to tell apart
    #[arg(long, value_name = "N", default_value_t = 10)]
    classes: usize,
    #[command(flatten)]
    json: Json,
}

fn image(text: &str) -> std::result::Result<Shape, String> {
    let dims: std::result::Result<Vec<usize>, _> = text.split(['x', ',']).map(str::parse).collect();
    match dims {
        Ok(dims) if dims.len() == 3 && dims.iter().all(|d| (1..=65_536).contains(d)) => Ok(Shape::new(&dims)),
        _ => Err("three numbers are wanted, such as 3x32x32".to_owned()),
    }
}

pub fn run(flags: &Flags) -> Result<Ending> {
    if flags.classes == 0 {
        return Err(Error::Setting("--classes 0 is out of range; 1 or more is wanted".into()));
    }
    let spec = model::spec(&flags.model, flags.input, flags.classes)?;
    let wrong = |e: &dyn std::error::Error| Error::Setting(format!("the model \"{}\": {e}", flags.model));
    let (input, summary) = (spec.input(), spec.summary().map_err(|e| wrong(&e))?);
    if !flags.json.json {
        say(&format!("{} for {input}", flags.model))?;
        say(summary.to_string().trim_end())?;
        return Ok(Ending::Done);
    }
    let rows: Vec<_> = summary
        .rows
        .iter()
        .map(|row| {
            json!({
                "path": row.path,
                "layer": row.layer,
                "output": row.output.dims(),
                "parameters": row.parameters,
                "multiply_adds": row.multiply_adds,
            })
        })
        .collect();
    say_json(&json!({
        "model": flags.model,
        "input": input.dims(),
        "output": summary.output.dims(),
        "parameters": summary.parameters,
        "multiply_adds": summary.multiply_adds,
        "activation_bytes": summary.activation_bytes,
        "layers": rows,
    }))?;
    Ok(Ending::Done)
}

//! `wgrad summary`.

use super::answer::{Ending, Json, say, say_json};
use super::task::Task;
use clap::Args;
use serde_json::json;
use train::{Error, Result, model};

#[derive(Args)]
pub struct Flags {
    /// Network, or a layer list (a .json or .toml file)
    #[arg(long, value_name = "NAME|FILE", default_value = "small-cnn")]
    model: String,
    #[command(flatten)]
    task: Task,
    #[command(flatten)]
    json: Json,
}

pub fn run(flags: &Flags) -> Result<Ending> {
    flags.task.check()?;
    let spec = model::spec(&flags.model, flags.task.input, flags.task.classes)?;
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

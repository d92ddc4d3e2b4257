//! `wgrad models`.

use super::answer::{Ending, Json, say, say_json};
use super::task::Task;
use clap::Args;
use nn::zoo;
use serde_json::{Value, json};
use train::Result;

#[derive(Args)]
pub struct Flags {
    #[command(flatten)]
    task: Task,
    #[command(flatten)]
    json: Json,
}

pub fn run(flags: &Flags) -> Result<Ending> {
    flags.task.check()?;
    let Task { input, classes } = flags.task;
    let found = zoo::NAMES.iter().map(|&name| (name, zoo::spec(name, input, classes).and_then(|spec| spec.summary())));
    if flags.json.json {
        let model = |(name, summary): (&str, std::result::Result<nn::Summary, nn::SpecError>)| match summary {
            Ok(s) => json!({
                "name": name,
                "parameters": s.parameters,
                "multiply_adds": s.multiply_adds,
                "activation_bytes": s.activation_bytes,
            }),
            Err(e) => json!({ "name": name, "error": e.to_string() }),
        };
        say_json(&json!({ "input": input.dims(), "classes": classes, "models": found.map(model).collect::<Vec<Value>>() }))?;
        return Ok(Ending::Done);
    }
    say(&format!("for {input} and {classes} classes (--input, --classes):"))?;
    say(&format!("{:<20} {:>12} {:>8} {:>12}", "model", "parameters", "mul-add", "activations"))?;
    for (name, summary) in found {
        match summary {
            Ok(summary) => {
                let [parameters, work, bytes] = summary.figures();
                say(&format!("{name:<20} {parameters:>12} {work:>8} {:>12}", format!("{bytes}B")))?;
            }
            Err(e) => say(&format!("{name:<20} {e}"))?,
        }
    }
    say("wgrad summary --model NAME shows the layers of one.")?;
    Ok(Ending::Done)
}

//! `wgrad layers`.

use super::answer::{Ending, Json, say, say_json};
use clap::Args;
use gpu_core::Shape;
use nn::spec::{Field, Kind, kinds};
use nn::{AnyLayer, Layer};
use serde_json::{Value, json};
use train::{Error, Result};

#[derive(Args)]
pub struct Flags {
    /// Show an example of this one [default: all, with their fields]
    #[arg(value_name = "TYPE")]
    kind: Option<String>,
    #[command(flatten)]
    json: Json,
}

pub fn run(flags: &Flags) -> Result<Ending> {
    let mut kinds = kinds();
    if let Some(name) = &flags.kind {
        kinds.retain(|kind| kind.name == *name);
        if kinds.is_empty() {
            return Err(Error::Setting(format!("there is no layer \"{name}\"; wgrad layers lists them")));
        }
    }
    if flags.json.json {
        say_json(&Value::Array(kinds.iter().map(as_json).collect()))?;
    } else if flags.kind.is_some() {
        example(&kinds[0])?;
    } else {
        say("types and fields; what stands in [] or has a value here may be left out:")?;
        kinds.iter().try_for_each(|kind| row(kind).iter().try_for_each(|line| say(line)))?;
        say("wgrad layers TYPE shows an example.")?;
    }
    Ok(Ending::Done)
}

fn as_json(kind: &Kind) -> Value {
    let field = |f: &Field| json!({ "name": f.name, "required": f.is_required, "default": f.default });
    let fields: Vec<Value> = kind.fields.iter().map(field).collect();
    json!({ "type": kind.name, "fields": fields, "example": parsed(kind), "input": kind.input.dims() })
}

fn told(field: &Field) -> String {
    match (field.is_required, &field.default) {
        (true, _) => field.name.clone(),
        (false, Value::Null) => format!("[{}]", field.name),
        (false, default) => format!("{}={default}", field.name),
    }
}

/// Columns of the names, and of the whole.
const NAME: usize = 22;
const WIDTH: usize = 80;

/// The name and the fields, in as many lines as they take.
fn row(kind: &Kind) -> Vec<String> {
    let mut lines = vec![format!("{:<NAME$}", kind.name)];
    for (at, field) in kind.fields.iter().enumerate() {
        let text = told(field) + if at + 1 < kind.fields.len() { ", " } else { "" };
        if lines[lines.len() - 1].len() + text.trim_end().len() > WIDTH {
            lines.push(" ".repeat(NAME));
        }
        let last = lines.len() - 1;
        lines[last] += &text;
    }
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

fn parsed(kind: &Kind) -> Value {
    serde_json::from_str(kind.example).expect("an example is JSON")
}

/// A layer list of this layer alone.
fn example(kind: &Kind) -> Result<()> {
    row(kind).iter().try_for_each(|line| say(line))?;
    let layer: AnyLayer = serde_json::from_value(parsed(kind)).expect("an example is a layer");
    let input = kind.input.dims();
    let plan = layer.plan(Shape::new(&[&[1], input].concat())).expect("an example takes its input");
    say(&format!("\nA layer list of it, which makes {:?} of {input:?}:\n", &plan.output().dims()[1..]))?;
    say(&format!("{{\"input\": {input:?}, \"layers\": [\n    {}\n]}}", kind.example))
}

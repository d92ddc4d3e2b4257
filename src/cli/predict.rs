//! `wgrad predict`.

use super::answer::{Ending, Json, say, say_json};
use super::checkpoint::Which;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;
use train::console::Console;
use train::error::printable_name;
use train::model::Trained;
use train::settings::DeviceKind;
use train::{Result, predict, trainer};

#[derive(Args)]
pub struct Flags {
    /// Files of pictures: PNG, JPEG, WebP, BMP or GIF
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<PathBuf>,
    #[command(flatten)]
    which: Which,
    /// How many classes to name
    #[arg(long, value_name = "N", default_value_t = 5)]
    top: usize,
    /// Where to run
    #[arg(long, value_enum, default_value = "auto")]
    device: DeviceKind,
    #[command(flatten)]
    json: Json,
}

pub fn run(flags: &Flags) -> Result<Ending> {
    let console = Console::new(flags.json.json);
    let path = flags.which.file()?;
    let device = trainer::open_device(flags.device, &console)?;
    let trained = Trained::read(&path, &device)?;
    // All files are read before the first answer: a wrong one leaves no half of a list.
    let pictures = flags.images.iter().map(|file| predict::read_image(file, &trained.description)).collect::<Result<Vec<_>>>()?;
    let mut predictions = Vec::new();
    for (file, picture) in flags.images.iter().zip(&pictures) {
        let guesses = predict::guesses(&trained, picture, &device, flags.top)?;
        if flags.json.json {
            predictions.push(json!({ "image": file.display().to_string(), "classes": guesses }));
            continue;
        }
        say(&format!("{}", file.display()))?;
        for guess in guesses {
            say(&format!("  {:>6.2} %  {}", 100.0 * guess.probability, printable_name(&guess.class)))?;
        }
    }
    if flags.json.json {
        say_json(&json!({ "predictions": predictions, "checkpoint": path.display().to_string(), "device": device.name() }))?;
    }
    Ok(Ending::Done)
}

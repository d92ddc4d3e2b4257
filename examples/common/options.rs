//! The command line of the short examples.

use clap::Parser;
use std::path::PathBuf;
use wgrad::prelude::*;

#[derive(Parser)]
pub struct Options {
    /// Where to compute: a hardware GPU if there is one (auto), the CPU, or any GPU adapter
    #[arg(long, default_value = "auto", value_parser = ["auto", "cpu", "gpu"])]
    device: String,
    /// Steps of training, instead of the example's own number
    #[arg(long)]
    steps: Option<usize>,
    /// The folder to write pictures into
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
}

/// The device that the command line names, how many steps to train, and where pictures go.
pub fn read(steps: usize) -> anyhow::Result<(Device, usize, PathBuf)> {
    let options = Options::parse();
    let device = Device::named(&options.device)?;
    std::fs::create_dir_all(&options.out)?;
    println!("on {}", device.name());
    Ok((device, options.steps.unwrap_or(steps), options.out))
}

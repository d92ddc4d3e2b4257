//! What a network is made for, as flags.

use clap::Args;
use gpu_core::Shape;
use train::{Error, Result};

#[derive(Args)]
pub struct Task {
    /// Channels, rows and columns of an image
    #[arg(long, value_name = "CxHxW", default_value = "3x32x32", value_parser = image)]
    pub input: Shape,
    /// Classes to tell apart
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub classes: usize,
}

impl Task {
    /// Refuses what is no task.
    pub fn check(&self) -> Result<()> {
        match self.classes {
            0 => Err(Error::Setting("--classes 0 is out of range; 1 or more is wanted".into())),
            _ => Ok(()),
        }
    }
}

fn image(text: &str) -> std::result::Result<Shape, String> {
    let dims: std::result::Result<Vec<usize>, _> = text.split(['x', ',']).map(str::parse).collect();
    match dims {
        Ok(dims) if dims.len() == 3 && dims.iter().all(|d| (1..=65_536).contains(d)) => Ok(Shape::new(&dims)),
        _ => Err("three numbers are wanted, such as 3x32x32".to_owned()),
    }
}

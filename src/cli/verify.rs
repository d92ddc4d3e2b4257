//! `wgrad verify`.

use super::answer::{Ending, Json, say, say_json};
use super::outcome::Outcome;
use clap::Args;
use gpu_core::{Device, adapters, chosen_adapter};
use indicatif::{ProgressBar, ProgressDrawTarget};
use proof::{Row, golden, verify};
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use train::console::Console;
use train::settings::DeviceKind;
use train::{Error, Result, expect_place};

#[derive(Args)]
pub struct Flags {
    /// Device to verify [default: gpu, a software driver too]
    #[arg(long, value_enum)]
    device: Option<DeviceKind>,
    /// Network whose training steps are compared
    #[arg(long, value_name = "NAME|FILE", default_value = "small-cnn")]
    model: String,
    /// How many training steps are compared, 0 for none
    #[arg(long, value_name = "N", default_value_t = 10)]
    steps: usize,
    /// Seed of those steps
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Plant a fault in each kernel's output, and see that each is noticed
    #[arg(long, conflicts_with = "golden")]
    self_test: bool,
    /// Run golden files instead: results from outside this project
    #[arg(long, value_name = "FILE|DIR")]
    golden: Option<PathBuf>,
    /// Only kernels, operators and cases with this in their name; no training steps
    #[arg(long, value_name = "TEXT", default_value = "")]
    filter: String,
    /// Compare the network of a checkpoint layer by layer, and name the first that differs
    #[arg(long, value_name = "FILE", conflicts_with_all = ["golden", "self_test", "filter", "model", "steps"])]
    bisect: Option<PathBuf>,
    /// Write adapter, driver, versions and every row to this file: what a report of a fault needs
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Show every row, and not only those that failed
    #[arg(short, long)]
    verbose: bool,
    #[command(flatten)]
    json: Json,
}

pub fn run(flags: &Flags) -> Result<Ending> {
    if flags.steps > MOST_STEPS {
        return Err(Error::Setting(format!("--steps {} is out of range; 0 to {MOST_STEPS} is wanted", flags.steps)));
    }
    if let Some(path) = &flags.report {
        expect_place("--report", path)?;
    }
    let console = Console::new(flags.json.json);
    let device = open(flags, &console)?;
    if !flags.json.json {
        say(&format!("device: {}", device.name()))?;
    }
    let (rows, unknown) = match &flags.golden {
        Some(path) => {
            let outcome = golden::run(path, &device, &flags.filter)?;
            (outcome.rows, outcome.unknown)
        }
        None => (compare(flags, &device)?, Vec::new()),
    };
    if rows.is_empty() && unknown.is_empty() {
        return Err(Error::Setting(format!("nothing has \"{}\" in its name", flags.filter)));
    }
    let outcome = Outcome { device: &device, rows: &rows, unknown: &unknown };
    if let Some(path) = &flags.report {
        outcome.write(path)?;
    }
    match flags.json.json {
        true => say_json(&outcome.summary())?,
        false => outcome.show(flags.verbose || flags.bisect.is_some(), flags.bisect.is_some())?,
    }
    Ok(if outcome.failed() == 0 { Ending::Done } else { Ending::FoundWrong })
}

const MOST_STEPS: usize = 10_000;

/// The mirrors are what kernels are held against: the CPU device has nothing else, and only golden files and planted faults say
/// something about it.
fn open(flags: &Flags, console: &Console) -> Result<Device> {
    let proves_mirrors = flags.golden.is_some() || flags.self_test;
    let kind = match flags.device {
        Some(kind) => kind,
        None if chosen_adapter().is_some() || !adapters().is_empty() => DeviceKind::Gpu,
        None if proves_mirrors => {
            console.note("No GPU adapter was found: this is the CPU device.");
            DeviceKind::Cpu
        }
        None => {
            let hint = "install its Vulkan driver, or Mesa's software driver (on Debian: mesa-vulkan-drivers)";
            return Err(Error::Setting(format!("no GPU adapter was found, so there is no kernel to verify; {hint}")));
        }
    };
    let device = Device::named(&kind.to_string())?;
    if !device.is_gpu() && !proves_mirrors {
        let hint = "a GPU's kernels are compared with them; --golden and --self-test hold the mirrors themselves";
        return Err(Error::Setting(format!("the CPU device has no kernels but the mirrors: {hint}")));
    }
    Ok(device)
}

fn compare(flags: &Flags, device: &Device) -> Result<Vec<Row>> {
    let spinner = match io::stderr().is_terminal() {
        true => ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()),
        false => ProgressBar::hidden(),
    };
    let mut progress = |name: &str| {
        spinner.set_message(name.to_owned());
        spinner.inc(1);
    };
    let rows = if let Some(checkpoint) = &flags.bisect {
        train::verify::bisect(checkpoint, device, flags.seed)?
    } else if flags.self_test {
        verify::self_test(device, &flags.filter, &mut progress)?
    } else {
        let mut rows = verify::kernels(device, &flags.filter, &mut progress)?;
        if flags.steps > 0 && flags.filter.is_empty() {
            rows.extend(train::verify::network(&flags.model, device, flags.steps, flags.seed)?);
        }
        rows
    };
    spinner.finish_and_clear();
    Ok(rows)
}

//! `wgrad verify`.

use super::answer::{Ending, Json, say, say_json};
use clap::Args;
use gpu_core::{Device, adapters};
use indicatif::{ProgressBar, ProgressDrawTarget};
use proof::{Row, golden, verify};
use serde_json::json;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use train::Result;
use train::console::Console;
use train::settings::DeviceKind;

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
    #[command(flatten)]
    json: Json,
}

pub fn run(flags: &Flags) -> Result<Ending> {
    if flags.steps > MOST_STEPS {
        return Err(train::Error::Setting(format!("--steps {} is out of range; 0 to {MOST_STEPS} is wanted", flags.steps)));
    }
    if let Some(path) = &flags.golden {
        expect_readable(path)?;
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
        return Err(train::Error::Setting(format!("nothing has \"{}\" in its name", flags.filter)));
    }
    let failed = rows.iter().filter(|row| !row.ok).count();
    let passed = rows.len() - failed;
    if flags.json.json {
        say_json(&json!({
            "passed": passed,
            "failed": failed,
            "unknown": unknown.len(),
            "rows": rows,
            "unknown_cases": unknown,
            "device": device.name(),
        }))?;
    } else {
        rows.iter().try_for_each(show)?;
        unknown.iter().try_for_each(|case| say(&format!("unknown  {case}")))?;
        say(&format!("{passed} passed, {failed} failed, {} unknown on {}", unknown.len(), device.name()))?;
    }
    Ok(if failed == 0 { Ending::Done } else { Ending::FoundWrong })
}

const MOST_STEPS: usize = 10_000;

/// Golden files are read as a whole, and held twice: what the machine has no memory for is refused, and what has no end.
fn expect_readable(path: &Path) -> Result<()> {
    let free = gpu_core::free_bytes() / 2;
    let refused = |file: &Path, what: String| Err(train::Error::Content { path: file.into(), message: what });
    let listed = std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    for file in listed.chain([path.to_owned()]) {
        // What is not there at all is told by who reads it.
        match std::fs::metadata(&file) {
            Ok(there) if there.len() > free => {
                return refused(&file, format!("it has {} bytes, of which {free} could be read", there.len()));
            }
            Ok(there) if !there.is_file() && !there.is_dir() => return refused(&file, "it is no plain file".to_owned()),
            _ => {}
        }
    }
    Ok(())
}

/// The mirrors are what kernels are held against: the CPU device has nothing else, and only golden files and planted faults say
/// something about it.
fn open(flags: &Flags, console: &Console) -> Result<Device> {
    let proves_mirrors = flags.golden.is_some() || flags.self_test;
    let named = std::env::var_os("WGRAD_ADAPTER").is_some_and(|v| !v.is_empty());
    let kind = match flags.device {
        Some(kind) => kind,
        None if named || !adapters().is_empty() => DeviceKind::Gpu,
        None if proves_mirrors => {
            console.note("No GPU adapter was found: this is the CPU device.");
            DeviceKind::Cpu
        }
        None => {
            let hint = "install its Vulkan driver, or Mesa's software driver (on Debian: mesa-vulkan-drivers)";
            return Err(train::Error::Setting(format!("no GPU adapter was found, so there is no kernel to verify; {hint}")));
        }
    };
    let device = Device::named(&kind.to_string())?;
    if !device.is_gpu() && !proves_mirrors {
        let hint = "a GPU's kernels are compared with them; --golden and --self-test hold the mirrors themselves";
        return Err(train::Error::Setting(format!("the CPU device has no kernels but the mirrors: {hint}")));
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
    let rows = if flags.self_test {
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

/// One line of at most 80 columns.
fn show(row: &Row) -> Result<()> {
    let mark = if row.ok { "ok    " } else { "FAILED" };
    let room = 80 - 7 - 1 - 24 - 2 - 19;
    let cut = |text: &str, width: usize| match text.chars().count() > width {
        true => text.chars().take(width - 1).chain(['…']).collect::<String>(),
        false => text.to_owned(),
    };
    say(&format!("{mark} {:<24} {:<room$} {:>9.2e} {:>9.2e}", cut(&row.name, 24), cut(&row.what, room), row.error, row.bound))
}

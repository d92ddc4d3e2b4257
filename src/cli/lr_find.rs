//! `wgrad lr-find`.

use super::answer::{Ending, Json, say, say_json};
use super::signals::stop_on_signals;
use super::train::{DataSet, Given};
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Instant;
use train::console::{Console, counted};
use train::lr_find::{self, Found, Point, Range};
use train::page::expect_replaceable;
use train::peers::{Peers, expect_one_process};
use train::trainer::Order;
use train::{Error, Result, expect_place};

#[derive(Args)]
pub struct Flags {
    #[command(flatten)]
    data_set: DataSet,
    #[command(flatten)]
    given: Given,
    /// The first rate
    #[arg(long, value_name = "RATE", default_value = "1e-7", help_heading = "Range test")]
    from: f64,
    /// The last rate
    #[arg(long, value_name = "RATE", default_value = "10", help_heading = "Range test")]
    to: f64,
    /// Steps, each at the next rate
    #[arg(long, value_name = "N", default_value_t = 100, help_heading = "Range test")]
    steps: u64,
    /// Where to write the picture, a page for a browser [default: a name of its own in the folder of the runs]
    #[arg(long, value_name = "FILE", help_heading = "Range test")]
    page: Option<PathBuf>,
    #[command(flatten)]
    json: Json,
}

/// The JSON object.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    found: &'a Found,
    images_per_s: Option<f64>,
    page: Option<String>,
}

pub fn run(flags: Flags, began: Instant) -> Result<Ending> {
    let Flags { data_set, given, from, to, steps, page, json } = flags;
    expect_one_process("wgrad lr-find")?;
    if let Some(page) = &page {
        expect_replaceable(page)?;
        expect_place("--page", page)?;
    }
    let settings = given.on(data_set).settings()?;
    let (name, stop) = (settings.name.clone(), stop_on_signals()?);
    let mut console = Console::new(json.json);
    let order = Order { settings, resume: None, data: None, device: None, peers: Peers::alone(), stop: &stop, began };
    let found = lr_find::find(order, &Range { from, to, steps }, &mut console)?;
    console.finish()?;
    let page = if found.subject.interrupted { None } else { Some(written(&found, page, name.as_deref())?) };
    if json.json {
        say_json(&Told {
            found: &found,
            images_per_s: found.subject.images_per_s,
            page: page.map(|page| page.display().to_string()),
        })?;
    } else {
        show(&found, page.as_deref())?;
    }
    Ok(if found.subject.interrupted { Ending::Interrupted } else { Ending::Done })
}

/// Writes the page where it was asked for, or where it belongs.
fn written(found: &Found, page: Option<PathBuf>, name: Option<&str>) -> Result<PathBuf> {
    let path = page.unwrap_or_else(|| found.place(name));
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|source| Error::File { doing: "making", path: folder.into(), source })?;
    }
    lr_find::write(found, &path)?;
    Ok(path)
}

/// Lines of the sketch, and its columns.
const LINES: usize = 20;
const COLUMNS: usize = 50;

fn show(found: &Found, page: Option<&Path>) -> Result<()> {
    sketch(&found.points)?;
    say(&format!("{}: {}", counted(found.points.len() as u64, "step"), found.end))?;
    match found.suggestion {
        _ if found.subject.interrupted => {}
        Some(rates) => {
            say(&format!("the loss falls most steeply at {:e}", rates.steepest))?;
            say(&format!("a tenth of the rate of the lowest loss is {:e}", rates.tenth_of_lowest))?;
            say(&format!("take the larger one: --lr {}", rates.lr))?;
        }
        None => say("no rate of this range lowers the loss: give another --from and --to")?,
    }
    if found.suggestion.is_some() && !found.diverged && !found.subject.interrupted {
        say("higher rates may be as good: a larger --to would tell")?;
    }
    page.map_or(Ok(()), |page| say(&format!("picture: {}", page.display())))
}

/// The smoothed loss as a point a line, the lower the further left; what is more than all before the lowest ends at the right.
fn sketch(points: &[Point]) -> Result<()> {
    let Some(lowest) = (0..points.len()).min_by(|&a, &b| points[a].smoothed.total_cmp(&points[b].smoothed)) else {
        return Ok(());
    };
    let before = if lowest > 0 { &points[..=lowest] } else { points };
    let high = before.iter().fold(f64::MIN, |high, point| high.max(point.smoothed));
    let low = points[lowest].smoothed;
    say(&format!("{:>8} {:>9}", "rate", "smoothed"))?;
    let every = points.len().div_ceil(LINES);
    // The last one is always among them.
    for point in points.iter().rev().step_by(every).collect::<Vec<_>>().into_iter().rev() {
        let share = (point.smoothed - low) / (high - low).max(f64::MIN_POSITIVE);
        let column = (share * (COLUMNS - 1) as f64) as usize;
        let mark = if column < COLUMNS { format!("{}*", " ".repeat(column)) } else { format!("{}>", " ".repeat(COLUMNS)) };
        say(&format!("{:>8} {:>9.4} |{mark}", format!("{:.1e}", point.rate), point.smoothed))?;
    }
    Ok(())
}

//! What the studies share: the command line, checks, tables, pictures, and the page that is made of them.
//!
//! ```text
//! let mut study = Study::begin("convolutions", "Which filter turns [1, 4, 0, -2, 3] into [-2, 2, 11]?")?;
//! study.check("the filter", got, want, 1e-3);
//! study.table("Parameters", &["layer", "parameters"], vec![row!["convolution", 108], row!["separable", 39]]);
//! study.plot(Axes::new("Loss", "iteration", "squared error").log_y(), &[Series::line("SGD", losses)]);
//! study.finish()
//! ```

// Each study uses a part of this.
#![allow(dead_code, unused_imports, unused_macros)]

mod axes;
mod bars;
pub mod gradient;
mod graph;
mod grid;
pub mod list;
pub mod numpy;
pub mod page;
mod series;
pub mod table;
mod tiles;

pub use axes::Axes;
pub use grid::Grid;
pub use series::{Series, ellipse};
pub use table::Cell;
pub(crate) use table::row;
pub use tiles::Tile;

use clap::{CommandFactory, FromArgMatches, Parser};
use page::{Check, Item, Record};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;
use wgrad::nn::Graph;
use wgrad::prelude::*;

/// What every study takes on its command line.
#[derive(Parser)]
struct Options {
    /// The long form, with the settings of the recorded runs
    #[arg(long)]
    full: bool,
    /// The shortest form, which the tests run: what is exact, and the rest in small
    #[arg(long, hide = true, conflicts_with = "full")]
    quick: bool,
    /// Where to compute: a hardware GPU if there is one (auto), the CPU, or any GPU adapter
    #[arg(long, default_value = "auto", value_parser = ["auto", "cpu", "gpu"])]
    device: String,
    /// The folder to write into; the study makes one of its own in it
    #[arg(long, value_name = "DIR", default_value = "studies")]
    out: PathBuf,
    /// The folder of CIFAR-10 or CIFAR-100 (binary version), or the built-in set of images
    #[arg(long, value_name = "DIR|builtin", default_value = "builtin")]
    data: String,
}

/// How much a run of a study does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Quick,
    Fast,
    Full,
}

/// A study as it runs: where it computes, and what it has found so far.
pub struct Study {
    /// Where to compute.
    pub device: Device,
    form: Form,
    data: String,
    folder: PathBuf,
    begun: Instant,
    record: Record,
    items: Vec<Item>,
}

impl Study {
    /// Reads the command line and opens the device. `name` is the example's, `question` what the study answers.
    pub fn begin(name: &'static str, question: &str) -> anyhow::Result<Self> {
        Self::with_args(name, question, std::env::args_os())
    }

    /// The same with other words than the command line's; the first is the program.
    pub fn with_args<A>(name: &'static str, question: &str, args: impl IntoIterator<Item = A>) -> anyhow::Result<Self>
    where
        A: Into<OsString> + Clone,
    {
        let command = Options::command().name(name).about(question.to_owned());
        let options = Options::from_arg_matches(&command.get_matches_from(args))?;
        let device = Device::named(&options.device)?;
        let form = match (options.quick, options.full) {
            (true, _) => Form::Quick,
            (_, true) => Form::Full,
            _ => Form::Fast,
        };
        let label = ["quick", "fast", "full"][form as usize];
        let folder = options.out.join(name);
        fs::create_dir_all(&folder).map_err(|e| anyhow::anyhow!("making {}: {e}", folder.display()))?;
        println!("{name}: {question}\non {}, {label} form\n", device.name());
        let record = Record::new(name, question, device.name(), label);
        Ok(Self { device, form, data: options.data, folder, begun: Instant::now(), record, items: Vec::new() })
    }

    /// Whether this is the long form, with the settings of the recorded runs.
    pub fn full(&self) -> bool {
        self.form == Form::Full
    }

    /// Whether this is the tests' form: effects that need a real training are not to be asserted.
    pub fn quick(&self) -> bool {
        self.form == Form::Quick
    }

    /// A setting of each form.
    pub fn pick<T>(&self, quick: T, fast: T, full: T) -> T {
        match self.form {
            Form::Quick => quick,
            Form::Fast => fast,
            Form::Full => full,
        }
    }

    /// What `--data` names: a folder, or `builtin`.
    pub fn data(&self) -> &str {
        &self.data
    }

    /// The images that `--data` names. Where they are the built-in ones, the study says so, and how to get others.
    pub fn dataset(&mut self) -> anyhow::Result<Dataset> {
        let data = data::open(&self.data)?;
        let (train, test) = (data.train.len(), data.test.len());
        let mut text = format!("Images: {}, {train} to train on and {test} to test with.", data.name);
        if self.data == "builtin" {
            text += " They are drawn by code. For those of the recorded runs unpack https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz \
                     and name the folder: --data cifar-10-batches-bin";
        }
        self.note(&text);
        Ok(data)
    }

    /// Where this study writes.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A paragraph: what was done, or what is seen.
    pub fn note(&mut self, text: &str) {
        println!("{}\n", paragraph(text));
        self.items.push(Item::Note(text.to_owned()));
    }

    /// `got` is `want` within `tolerance`; NaN is not.
    pub fn check(&mut self, what: &str, got: f64, want: f64, tolerance: f64) {
        self.check_all(what, &[got], &[want], tolerance);
    }

    /// Each element of `got` is that of `want` within `tolerance`, and there are as many.
    pub fn check_all<G: Copy + Into<f64>, W: Copy + Into<f64>>(&mut self, what: &str, got: &[G], want: &[W], tolerance: f64) {
        let pairs = || got.iter().zip(want).map(|(&g, &w)| (g.into(), w.into()));
        let near = |g: f64, w: f64| g == w || (g - w).abs() <= tolerance;
        let ok = got.len() == want.len() && pairs().all(|(g, w)| near(g, w));
        let off = pairs().map(|(g, w)| (g - w).abs()).fold(0.0, f64::max);
        let within = if tolerance == 0.0 { "exactly".to_owned() } else { format!("within {tolerance:.0e}") };
        let count = table::exactly(got.len() as f64);
        let found = match (got, want) {
            (&[g], &[w]) => format!("{} (want {}, {within})", table::exactly(g.into()), table::exactly(w.into())),
            _ if got.len() != want.len() => format!("{} values instead of {}", got.len(), want.len()),
            _ if ok && tolerance == 0.0 => format!("{count} values, {within}"),
            _ if ok => format!("{count} values, off by at most {} ({within})", table::digits(off, 2)),
            _ => {
                let wrong = pairs().enumerate().filter(|&(_, (g, w))| !near(g, w));
                let show = |(i, (g, w))| format!("[{i}] {} for {}", table::exactly(g), table::exactly(w));
                format!("{} ({within})", wrong.take(5).map(show).collect::<Vec<_>>().join(", "))
            }
        };
        self.ensure(what, ok, &found);
    }

    /// `got` lies between `low` and `high`: an effect, whose size is known but not its digits.
    pub fn check_between(&mut self, what: &str, got: f64, low: f64, high: f64) {
        let show = |x| table::digits(x, 4);
        let found = format!("{} (between {} and {})", show(got), show(low), show(high));
        self.ensure(what, low <= got && got <= high, &found);
    }

    /// A ratio of times, and where it is expected. It is told, not checked: another program on the machine changes it.
    pub fn tell_speed(&mut self, what: &str, got: f64, low: f64, high: f64) {
        let [got_text, low_text, high_text] = [got, low, high].map(|x| table::digits(x, 3));
        let seen = if (low..=high).contains(&got) { "as" } else { "not as" };
        self.note(&format!("{what}: {got_text}, {seen} expected (from {low_text} to {high_text} on a quiet machine)."));
    }

    /// `holds`; `found` says what was seen.
    pub fn ensure(&mut self, what: &str, holds: bool, found: &str) {
        println!("{}  {what}: {found}", if holds { "ok  " } else { "FAIL" });
        self.record.checks.push(Check { what: what.to_owned(), found: found.to_owned(), ok: holds });
        self.items.push(Item::Check(self.record.checks.len() - 1));
    }

    /// A table, for the terminal, the page and as `TITLE.csv`. Units stand in the columns' names.
    pub fn table(&mut self, title: &str, columns: &[&str], rows: Vec<Vec<Cell>>) {
        println!("\n{}", table::aligned(title, columns, &rows));
        let file = self.write_named(title, "csv", &table::csv(columns, &rows));
        self.items.push(Item::Table { title: title.to_owned(), html: table::html(columns, &rows), file });
    }

    /// Lines, markers and curves over two axes.
    pub fn plot(&mut self, axes: Axes, series: &[Series]) {
        let svg = series::draw(&axes, series);
        self.picture(&axes.title, svg);
    }

    /// How often the values of each set fall into each of `bins` equal intervals.
    pub fn histogram(&mut self, axes: Axes, bins: usize, sets: &[(&str, &[f64])]) {
        let svg = bars::histogram(&axes, bins, sets);
        self.picture(&axes.title, svg);
    }

    /// A group of bars for each category, one bar for each set: `sets[i].1[j]` belongs to `categories[j]`.
    pub fn bars(&mut self, axes: Axes, categories: &[&str], sets: &[(&str, &[f64])]) {
        let svg = bars::grouped(&axes, categories, sets);
        self.picture(&axes.title, svg);
    }

    /// Matrices drawn as cells, side by side and on one scale of colours.
    pub fn grids(&mut self, title: &str, grids: &[Grid]) {
        self.picture(title, grid::draw(title, grids));
    }

    /// Small colour pictures, `across` in a row: filters, or images.
    pub fn tiles(&mut self, title: &str, tiles: &[Tile], across: usize) {
        self.picture(title, tiles::draw(title, tiles, across));
    }

    /// A recorded graph: drawn from its leaves down to its output, and as `TITLE.dot` for Graphviz.
    pub fn graph(&mut self, title: &str, graph: &Graph) {
        self.picture(title, graph::draw(title, graph));
        let file = self.write_named(title, "dot", &graph.to_dot());
        self.items.push(Item::File(file));
    }

    /// Any other file, named on the page.
    pub fn file(&mut self, name: &str, contents: &str) {
        self.write(name, contents);
        self.items.push(Item::File(name.to_owned()));
    }

    fn picture(&mut self, title: &str, svg: String) {
        let file = self.write_named(title, "svg", &svg);
        self.record.pictures.push(file.clone());
        self.items.push(Item::Picture { title: title.to_owned(), file });
    }

    fn write_named(&mut self, title: &str, extension: &str, contents: &str) -> String {
        let words: Vec<String> = title.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).filter(|w| !w.is_empty()).collect();
        let name = format!("{}.{extension}", words.join("_"));
        self.write(&name, contents);
        name
    }

    fn write(&mut self, name: &str, contents: &str) {
        assert!(!self.record.files.iter().any(|f| f == name), "{name} is written twice: titles must differ");
        let path = self.folder.join(name);
        fs::write(&path, contents).unwrap_or_else(|e| panic!("writing {}: {e}", path.display()));
        self.record.files.push(name.to_owned());
    }

    /// Writes the page and says where it lies.
    ///
    /// # Errors
    /// If a check did not hold.
    pub fn finish(mut self) -> anyhow::Result<()> {
        self.record.seconds = self.begun.elapsed().as_secs_f64();
        let html = page::study(&self.record, &self.items);
        self.write("index.html", &html);
        let json = serde_json::to_string_pretty(&self.record)?;
        self.write("study.json", &json);
        println!("\n{:.1} s; in {}:", self.record.seconds, self.folder.display());
        println!("{}", paragraph(&self.record.files.join("  ")));
        let failed: Vec<&str> = self.record.checks.iter().filter(|c| !c.ok).map(|c| c.what.as_str()).collect();
        anyhow::ensure!(failed.is_empty(), "{} of {} checks failed: {}", failed.len(), self.record.checks.len(), failed.join("; "));
        println!("{} checks hold.", self.record.checks.len());
        Ok(())
    }
}

/// A paragraph for the terminal.
fn paragraph(text: &str) -> String {
    table::wrapped(text, 80).join("\n")
}

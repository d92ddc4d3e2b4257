//! Runs as a page to look at: one file with its data, its curves and the library that draws them (uPlot), for a browser without a network.

mod runs;
mod tested;
#[cfg(test)]
mod tests;

use crate::error::{Error, Result};
use nn::checkpoint::write_atomically;
use runs::Run;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = concat!(include_str!("pictures.js"), include_str!("layers.js"), include_str!("page.js"));
const UPLOT_JS: &str = include_str!("../../assets/uplot/uPlot.iife.min.js");
const UPLOT_CSS: &str = include_str!("../../assets/uplot/uPlot.min.css");

/// Writes the page of one run, or of several laid over one another, from their folders' `config.toml`,
/// `metrics.jsonl` and `test.csv`. The page of one has what was found in the network too, from its `inspection.json`.
///
/// # Errors
/// If a folder is not that of a run, or the page cannot be written, since there is another file of that name, say; an older page is then
/// as it was.
pub fn write(folders: &[PathBuf], to: &Path) -> Result<()> {
    let read = |folder: &PathBuf| match folders.len() {
        1 => Run::read(folder)?.with_inspection(folder),
        _ => Run::read(folder),
    };
    let runs = folders.iter().map(read).collect::<Result<Vec<_>>>()?;
    if to.symlink_metadata().is_ok() && !is_page(to) {
        return Err(Error::content(to, "there is a file of this name, and it is no report; name another"));
    }
    let text = html(&runs);
    write_atomically(to, |file| file.write_all(text.as_bytes())).map_err(Error::file("writing", to))
}

/// Whether a file is a page that was written here.
fn is_page(path: &Path) -> bool {
    const GENERATOR: &[u8] = br#"<meta name="generator" content="wgrad">"#;
    let mut head = Vec::new();
    let read = path.is_file() && File::open(path).and_then(|file| file.take(512).read_to_end(&mut head)).is_ok();
    read && head.windows(GENERATOR.len()).any(|window| window == GENERATOR)
}

fn html(runs: &[Run]) -> String {
    let data = serde_json::to_string(runs).expect("runs are JSON");
    let title = match runs {
        [run] => run.name.clone(),
        several => format!("{} runs", several.len()),
    };
    let parts = [
        ("/*TITLE*/", escaped(&title)),
        // Text in a script ends at whatever looks like its end.
        ("/*DATA*/", data.replace('<', "\\u003c")),
        ("/*UPLOT_CSS*/", UPLOT_CSS.to_owned()),
        ("/*UPLOT_JS*/", UPLOT_JS.to_owned()),
        ("/*STYLE*/", STYLE.to_owned()),
        ("/*SCRIPT*/", SCRIPT.to_owned()),
    ];
    // Part by part from the left, so that nothing that was put in is looked at again.
    let (mut html, mut rest) = (String::new(), PAGE);
    while let Some((at, (mark, part))) = parts.iter().filter_map(|p| Some((rest.find(p.0)?, p))).min_by_key(|(at, _)| *at) {
        html += &rest[..at];
        html += part;
        rest = &rest[at + mark.len()..];
    }
    html + rest
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

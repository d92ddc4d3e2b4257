//! What every page is: one file with its data, its curves and the library that draws them (uPlot), for a browser without a network.

use crate::error::{Error, Result};
use nn::checkpoint::write_atomically;
use serde::Serialize;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

const FRAME: &str = include_str!("frame.html");
const STYLE: &str = include_str!("page.css");
const SHARED: &str = include_str!("shared.js");
const UPLOT_JS: &str = include_str!("../../assets/uplot/uPlot.iife.min.js");
const UPLOT_CSS: &str = include_str!("../../assets/uplot/uPlot.min.css");

/// A page.
pub(crate) struct Frame<'a, T: ?Sized> {
    pub title: &'a str,
    /// Its elements, which the script fills.
    pub body: &'a str,
    pub script: &'a str,
    /// What the script finds as `found`.
    pub data: &'a T,
}

impl<T: Serialize + ?Sized> Frame<'_, T> {
    /// Its text.
    pub fn html(&self) -> String {
        let data = serde_json::to_string(self.data).expect("what is shown is JSON");
        let parts = [
            ("/*TITLE*/", escaped(self.title)),
            ("/*BODY*/", self.body.trim_end().to_owned()),
            // Text in a script ends at whatever looks like its end.
            ("/*DATA*/", data.replace('<', "\\u003c")),
            ("/*UPLOT_CSS*/", UPLOT_CSS.to_owned()),
            ("/*UPLOT_JS*/", UPLOT_JS.to_owned()),
            ("/*STYLE*/", STYLE.to_owned()),
            ("/*SCRIPT*/", [SHARED, self.script].concat()),
        ];
        // Part by part from the left, so that nothing that was put in is looked at again.
        let (mut html, mut rest) = (String::new(), FRAME);
        while let Some((at, (mark, part))) = parts.iter().filter_map(|p| Some((rest.find(p.0)?, p))).min_by_key(|(at, _)| *at) {
            html += &rest[..at];
            html += part;
            rest = &rest[at + mark.len()..];
        }
        html + rest
    }

    /// Writes it.
    ///
    /// # Errors
    /// As [`expect_replaceable`], or if it cannot be written; an older page is then as it was.
    pub fn write(&self, to: &Path) -> Result<()> {
        expect_replaceable(to)?;
        let text = self.html();
        write_atomically(to, |file| file.write_all(text.as_bytes())).map_err(Error::file("writing", to))
    }
}

/// Refuses a place where something else than a page lies, before what takes long to compute.
///
/// # Errors
/// If it does.
pub fn expect_replaceable(to: &Path) -> Result<()> {
    match to.symlink_metadata().is_ok() && !is_page(to) {
        true => Err(Error::content(to, "there is a file of this name, and it is no report; name another")),
        false => Ok(()),
    }
}

/// Whether a file is a page that was written here.
fn is_page(path: &Path) -> bool {
    const GENERATOR: &[u8] = br#"<meta name="generator" content="wgrad">"#;
    let mut head = Vec::new();
    let read = path.is_file() && File::open(path).and_then(|file| file.take(512).read_to_end(&mut head)).is_ok();
    read && head.windows(GENERATOR.len()).any(|window| window == GENERATOR)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

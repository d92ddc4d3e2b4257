//! What was measured, as a page: the operators below the device's roof, and where the time of steps goes.

use super::Report;
use crate::error::Result;
use crate::page::frame::Frame;
use serde::Serialize;
use std::path::Path;

const BODY: &str = include_str!("page.html");
const SCRIPT: &str = include_str!("page.js");

#[derive(Serialize)]
struct Shown<'a> {
    now: &'a Report,
    before: Option<&'a Report>,
}

impl Report {
    /// Writes a page of it, for a browser without a network: Williams et al., "Roofline: an insightful visual performance model for
    /// multicore architectures", 2009, and tables. An earlier report, or one of another machine, stands beside it.
    ///
    /// # Errors
    /// If something else than a page lies there, or it cannot be written.
    pub fn write_page(&self, before: Option<&Self>, to: &Path) -> Result<()> {
        let title = format!("wgrad bench: {}", self.device);
        Frame { title: &title, body: BODY, script: SCRIPT, data: &Shown { now: self, before } }.write(to)
    }
}

//! A test as a page: the loss over the rate, and its steps.

use super::Found;
use crate::error::Result;
use crate::page::frame::Frame;
use std::path::Path;

/// Writes the page of a test: one file, for a browser without a network.
///
/// # Errors
/// If it cannot be written, or there is another file of that name that is no page.
pub fn write(found: &Found, to: &Path) -> Result<()> {
    let title = format!("Learning rates: {} on {}", found.subject.model, found.subject.data);
    Frame { title: &title, body: include_str!("page.html"), script: include_str!("page.js"), data: found }.write(to)
}

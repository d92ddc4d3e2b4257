//! What a run's time was spent on, as a file that Perfetto (ui.perfetto.dev) and Chrome (about:tracing) show: spans in Chrome's Trace
//! Event Format.

use crate::error::{Error, Result};
use crate::inspect::{LayerRow, Layers};
use nn::checkpoint::write_atomically;
use serde_json::{Value, json};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Instant;

/// Spans that are kept, some 40 MB of them: what comes after is left out, and said.
const MOST: usize = 1_000_000;

/// Where a span stands.
const RUN: u32 = 1;
const LAYERS: u32 = 2;

#[derive(Debug, Clone, Copy)]
struct Span {
    name: &'static str,
    /// Microseconds from the start of the command.
    begin: f64,
    length: f64,
    /// The steps that were done when it began.
    step: u64,
}

/// The spans of one command.
#[derive(Debug)]
pub(super) struct Trace {
    began: Instant,
    spans: Vec<Span>,
    /// Spans of a step, layer by layer, in microseconds from the step's own start.
    layers: Vec<(String, f64, f64)>,
    left_out: u64,
}

impl Trace {
    /// `began`: when the command was started; what it has done until now is the first span.
    pub fn new(began: Instant) -> Self {
        let mut trace = Self { began, spans: Vec::new(), layers: Vec::new(), left_out: 0 };
        trace.span("start", 0, began);
        trace
    }

    /// Something that began at `since` is over.
    pub fn span(&mut self, name: &'static str, step: u64, since: Instant) {
        if self.spans.len() == MOST {
            self.left_out += 1;
            return;
        }
        let us = |until: Instant| (until - self.began).as_secs_f64() * 1e6;
        let begin = us(since);
        self.spans.push(Span { name, begin, length: us(Instant::now()) - begin, step });
    }

    /// The layers of a step, each timed by itself: forward in their order, and back again. What is no layer's stands in between.
    pub fn layers(&mut self, found: &Layers) {
        let Some(other) = found.other_ms else { return };
        let row = |side: usize| move |row: &LayerRow| row.ms.map(|ms| (row.path.clone(), ms[side]));
        let forward = found.rows.iter().filter_map(row(0));
        let backward = found.rows.iter().rev().filter_map(row(1));
        let loss = [("the loss, and the rest".to_owned(), other[0] + other[1])];
        let mut at = 0.0;
        for (name, ms) in forward.chain(loss).chain(backward).filter(|(_, ms)| *ms > 0.0) {
            self.layers.push((name, at, 1e3 * ms));
            at += 1e3 * ms;
        }
    }

    /// Writes the file, whole or not at all; how many spans had no room.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, path: &Path) -> Result<u64> {
        write_atomically(path, |file| self.events_to(BufWriter::new(file))).map_err(Error::file("writing", path))?;
        Ok(self.left_out)
    }

    /// Event by event, since all of them as one value would be ten times as large.
    fn events_to(&self, mut out: impl Write) -> std::io::Result<()> {
        write!(out, "{{\"displayTimeUnit\": \"ms\", \"traceEvents\": [\n{}", named(RUN, "the run"))?;
        if !self.layers.is_empty() {
            write!(out, ",\n{}", named(LAYERS, "one step at the end, layer by layer (each by itself)"))?;
        }
        let run = self.spans.iter().map(|s| event(RUN, s.name, s.begin, s.length, json!({ "step": s.step })));
        let layers = self.layers.iter().map(|(name, begin, length)| event(LAYERS, name, *begin, *length, json!({})));
        for event in run.chain(layers) {
            write!(out, ",\n{event}")?;
        }
        writeln!(out, "\n]}}")?;
        out.flush()
    }
}

/// The name of a process of the file.
fn named(process: u32, name: &str) -> Value {
    json!({ "ph": "M", "name": "process_name", "pid": process, "args": { "name": name } })
}

/// A complete event, in thousandths of a microsecond.
fn event(process: u32, name: &str, begin: f64, length: f64, args: Value) -> Value {
    let us = |x: f64| (x * 1e3).round() / 1e3;
    json!({ "ph": "X", "name": name, "pid": process, "tid": 1, "ts": us(begin), "dur": us(length), "args": args })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn events(trace: &Trace) -> Vec<Value> {
        let mut text = Vec::new();
        trace.events_to(&mut text).unwrap();
        let whole: Value = serde_json::from_slice(&text).unwrap();
        whole["traceEvents"].as_array().unwrap().clone()
    }

    #[test]
    fn a_span_stands_where_it_was() {
        let began = Instant::now() - Duration::from_millis(40);
        let mut trace = Trace::new(began);
        trace.span("validation", 7, began + Duration::from_millis(10));
        let events = events(&trace);
        assert_eq!((&events[0]["ph"], &events[0]["args"]["name"]), (&json!("M"), &json!("the run")));
        assert_eq!((&events[1]["name"], &events[1]["ts"]), (&json!("start"), &json!(0.0)));
        assert!(events[1]["dur"].as_f64().unwrap() >= 40e3);
        assert_eq!(
            (&events[2]["name"], &events[2]["ts"], &events[2]["args"]["step"]),
            (&json!("validation"), &json!(10e3), &json!(7))
        );
        assert!(events[2]["dur"].as_f64().unwrap() >= 30e3);
        assert_eq!(events.len(), 3);
    }

    #[test]
    fn layers_stand_one_after_the_other_there_and_back() {
        let row = |path: &str, ms| LayerRow {
            path: path.to_owned(),
            kind: String::new(),
            output: vec![1],
            parameters: 0,
            output_bytes: 4,
            ms: Some(ms),
            weights: None,
            gradients: None,
        };
        let rows = vec![row("0", [1.0, 2.0]), row("1", [0.0, 0.0]), row("2", [0.5, 4.0])];
        let mut trace = Trace::new(Instant::now());
        trace.layers(&Layers { batch: 1, rows, other_ms: Some([0.25, 0.25]) });
        let events = events(&trace);
        let spans: Vec<(&str, f64, f64)> = events[3..]
            .iter()
            .map(|event| (event["name"].as_str().unwrap(), event["ts"].as_f64().unwrap(), event["dur"].as_f64().unwrap()))
            .collect();
        let loss = ("the loss, and the rest", 1500.0, 500.0);
        assert_eq!(spans, [("0", 0.0, 1000.0), ("2", 1000.0, 500.0), loss, ("2", 2000.0, 4000.0), ("0", 6000.0, 2000.0)]);
    }

    #[test]
    fn what_has_no_room_is_counted() {
        let mut trace = Trace::new(Instant::now());
        let span = trace.spans[0];
        trace.spans = vec![span; MOST];
        trace.span("step", 1, Instant::now());
        assert_eq!((trace.spans.len(), trace.left_out), (MOST, 1));
    }
}

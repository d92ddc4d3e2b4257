//! Event files, as TensorBoard reads them: the numbers of the log's lines.
//!
//! A file is a row of records: the length, a checksum of it, a message of `event.proto`, a checksum of that. Each process that works on a
//! run writes a file of its own, which says first after which step it began: what an earlier one tells of later steps, TensorBoard
//! leaves out.

use crate::error::{Error, Result};
use crc::{CRC_32_ISCSI, Crc};
use prost::{Message, Oneof};
use serde_json::{Map, Value};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

#[derive(Clone, PartialEq, Message)]
struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(oneof = "What", tags = "3, 5, 7")]
    what: Option<What>,
}

#[derive(Clone, PartialEq, Oneof)]
enum What {
    #[prost(string, tag = "3")]
    FileVersion(String),
    #[prost(message, tag = "5")]
    Summary(Summary),
    #[prost(message, tag = "7")]
    Session(SessionLog),
}

#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Scalar>,
}

#[derive(Clone, PartialEq, Message)]
struct Scalar {
    #[prost(string, tag = "1")]
    tag: String,
    /// Of several kinds of values this one; it is written where it is 0 too.
    #[prost(float, optional, tag = "2")]
    simple_value: Option<f32>,
}

#[derive(Clone, PartialEq, Message)]
struct SessionLog {
    #[prost(int32, tag = "1")]
    status: i32,
}

/// The status of a session that starts.
const START: i32 = 1;

/// CRC-32C, turned and moved as the format has it: a checksum of data that hold checksums would otherwise be weak.
fn checksum(bytes: &[u8]) -> [u8; 4] {
    const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);
    CRC.checksum(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

fn record(message: &impl Message) -> Vec<u8> {
    let message = message.encode_to_vec();
    let length = (message.len() as u64).to_le_bytes();
    [&length[..], &checksum(&length), &message, &checksum(&message)].concat()
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

/// The event file of a process.
#[derive(Debug)]
pub(super) struct EventFile {
    path: PathBuf,
    file: File,
}

impl EventFile {
    /// Makes one in `folder`, of what is done after `step`.
    pub fn create(folder: &Path, step: u64) -> Result<Self> {
        let seconds = now() as u64;
        let mut number = 0u64;
        let mut made = loop {
            // TensorBoard reads those of a folder in the order of their names, and takes what has this word in it.
            let path = folder.join(format!("events.out.tfevents.{seconds:010}.{number}.wgrad"));
            match OpenOptions::new().append(true).create_new(true).open(&path) {
                Err(e) if e.kind() == ErrorKind::AlreadyExists => number += 1,
                file => break Self { file: file.map_err(Error::file("making", &path))?, path },
            }
        };
        made.put(0, What::FileVersion("brain.Event:2".to_owned()))?;
        made.put(step + 1, What::Session(SessionLog { status: START }))?;
        Ok(made)
    }

    /// Adds the numbers of a line of the log; those of a part of an epoch are told anew when it is whole.
    pub fn add(&mut self, line: &Value) -> Result<()> {
        if line["epoch_done"] == false {
            return Ok(());
        }
        let value = scalars(line);
        match line["step"].as_u64() {
            Some(step) if !value.is_empty() => self.put(step, What::Summary(Summary { value })),
            _ => Ok(()),
        }
    }

    fn put(&mut self, step: u64, what: What) -> Result<()> {
        let event = Event { wall_time: now(), step: step as i64, what: Some(what) };
        self.file.write_all(&record(&event)).map_err(Error::file("writing", &self.path))
    }
}

/// The numbers of a line, under what it is the line of: `step`, `epoch`, or `test`.
fn scalars(line: &Value) -> Vec<Scalar> {
    let Value::Object(line) = line else { return Vec::new() };
    let mut found = Vec::new();
    match line.get("test") {
        Some(test) => gather("test", test, &mut found),
        None => numbers(if line.contains_key("epoch_done") { "epoch" } else { "step" }, line, &mut found),
    }
    found
}

fn numbers(under: &str, object: &Map<String, Value>, found: &mut Vec<Scalar>) {
    // Where a line stands, TensorBoard shows by the step.
    let told = object.iter().filter(|(key, _)| !["step", "epoch"].contains(&key.as_str()));
    told.for_each(|(key, value)| gather(&format!("{under}/{key}"), value, found));
}

fn gather(tag: &str, value: &Value, found: &mut Vec<Scalar>) {
    match value {
        Value::Object(object) => numbers(tag, object, found),
        Value::Number(number) => {
            let value = number.as_f64().map(|v| v as f32);
            found.push(Scalar { tag: tag.to_owned(), simple_value: value });
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The events of a file whose checksums hold.
    fn read(bytes: &[u8]) -> Option<Vec<Event>> {
        let (mut events, mut rest) = (Vec::new(), bytes);
        while !rest.is_empty() {
            let (length, after) = rest.split_at_checked(8)?;
            let (of_length, after) = after.split_at_checked(4)?;
            let (message, after) = after.split_at_checked(u64::from_le_bytes(length.try_into().ok()?) as usize)?;
            let (of_message, after) = after.split_at_checked(4)?;
            if of_length != checksum(length) || of_message != checksum(message) {
                return None;
            }
            events.push(Event::decode(message).ok()?);
            rest = after;
        }
        Some(events)
    }

    #[test]
    fn checksums_are_those_of_the_format() {
        // RFC 3720, B.4: 32 zeros have the CRC-32C 8a9136aa.
        let masked = 0x8a91_36aau32.rotate_right(15).wrapping_add(0xa282_ead8);
        assert_eq!(checksum(&[0; 32]), masked.to_le_bytes());
    }

    #[test]
    fn the_numbers_of_lines_are_scalars_by_what_the_line_is_of() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = EventFile::create(folder.path(), 7).unwrap();
        file.add(&json!({ "step": 8, "epoch": 1, "loss": 0.0, "accuracy": null })).unwrap();
        file.add(&json!({ "step": 9, "epoch": 1, "epoch_done": true, "val_loss": 0.5, "images_per_s": 1000 })).unwrap();
        file.add(&json!({ "step": 9, "epoch": 2, "epoch_done": false, "train_loss": 3.0 })).unwrap();
        let last = json!({ "loss": 0.25, "accuracy": 0.75, "epoch": 1 });
        file.add(&json!({ "step": 9, "epoch": 1, "test": { "last": last, "best": null } })).unwrap();
        let bytes = std::fs::read(&file.path).unwrap();
        let events = read(&bytes).unwrap();
        let told: Vec<(i64, Vec<(&str, f32)>)> = events[2..]
            .iter()
            .map(|event| match &event.what {
                Some(What::Summary(s)) => (event.step, s.value.iter().map(|v| (v.tag.as_str(), v.simple_value.unwrap())).collect()),
                other => panic!("{other:?}"),
            })
            .collect();
        let want = [
            (8, vec![("step/loss", 0.0)]),
            (9, vec![("epoch/images_per_s", 1000.0), ("epoch/val_loss", 0.5)]),
            (9, vec![("test/last/accuracy", 0.75), ("test/last/loss", 0.25)]),
        ];
        assert_eq!(told, want);
        assert_eq!(events[0].what, Some(What::FileVersion("brain.Event:2".to_owned())));
        assert_eq!((events[1].step, &events[1].what), (8, &Some(What::Session(SessionLog { status: START }))));
        // A byte is another one anywhere: noticed.
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 1;
            assert_eq!(read(&other), None, "byte {at}");
        }
    }

    #[test]
    fn processes_of_the_same_second_have_files_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let paths = [0; 3].map(|step| EventFile::create(folder.path(), step).unwrap().path);
        assert!(paths.is_sorted() && paths[0] != paths[1] && paths[1] != paths[2], "{paths:?}");
    }
}

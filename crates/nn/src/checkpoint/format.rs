//! The safetensors format: the length of a JSON header in eight bytes, the header, the tensors one after another.

use super::checksum;
use super::error::CheckpointError;
use crate::state_dict::{Array, COUNT};
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

/// What a header may have: more than any model here by far.
const MAX_HEADER_BYTES: u64 = 100_000_000;

/// Writes the bytes of a file, of which none is held but the header: what is saved may take half of a machine's memory.
pub(super) fn write(arrays: &BTreeMap<String, Array>, notes: &BTreeMap<String, String>, out: &mut dyn Write) -> io::Result<()> {
    let mut head = head(arrays, notes);
    let mut sum = checksum::Sum::of(&head);
    blocks(arrays, &mut |block| {
        sum.add(block);
        Ok(())
    })?;
    sum.fill(&mut head);
    out.write_all(&head)?;
    blocks(arrays, &mut |block| out.write_all(block))
}

/// Values that become bytes at a time.
const BLOCK: usize = 1 << 14;

fn blocks(arrays: &BTreeMap<String, Array>, f: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(4 * BLOCK);
    for block in arrays.values().flat_map(|array| array.values.chunks(BLOCK)) {
        bytes.clear();
        bytes.extend(block.iter().flat_map(|value| value.to_le_bytes()));
        f(&bytes)?;
    }
    Ok(())
}

/// The length of the header, and the header without the digits of its checksum. It is written here, and not by the `safetensors` crate,
/// because its order must not vary.
fn head(arrays: &BTreeMap<String, Array>, notes: &BTreeMap<String, String>) -> Vec<u8> {
    let text = |s: &str| Value::from(s).to_string();
    let notes = notes.iter().filter(|(key, _)| !is_of_the_format(key)).map(|(k, v)| format!(",{}:{}", text(k), text(v)));
    // Some readers ask for the format note before they take a file for PyTorch's.
    let mut header = format!("{{\"__metadata__\":{{\"format\":\"pt\"{}{}}}", checksum::blank(), notes.collect::<String>());
    let mut at = 0;
    for (key, array) in arrays {
        let end = at + 4 * array.values.len();
        header += &format!(",{}:{{\"dtype\":\"F32\",\"shape\":{:?},\"data_offsets\":[{at},{end}]}}", text(key), array.shape);
        at = end;
    }
    header.push('}');
    // The tensors begin at a multiple of eight.
    let padded = header.len().next_multiple_of(8);
    header.extend(std::iter::repeat_n(' ', padded - header.len()));
    [&(header.len() as u64).to_le_bytes(), header.as_bytes()].concat()
}

/// Notes that are written with every file, and no part of what it holds.
fn is_of_the_format(key: &str) -> bool {
    key == "format" || checksum::KEYS.contains(&key)
}

/// Before a file is opened: to open a pipe waits for its other end.
pub(super) fn expect_plain(path: &Path) -> Result<(), CheckpointError> {
    match std::fs::metadata(path)?.is_file() {
        true => Ok(()),
        false => Err(CheckpointError::Read(io::Error::new(io::ErrorKind::InvalidInput, "it is no plain file"))),
    }
}

/// A file's bytes, once its header says that they are as many as it has: of a wrong file of many gigabytes no more than that is read.
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, CheckpointError> {
    expect_plain(path)?;
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    let wrong = || CheckpointError::Format("its header does not fit its size".to_owned());
    let mut head = [0; 8];
    let known = file.read_exact(&mut head).is_ok();
    let header = u64::from_le_bytes(head);
    if !known || header > MAX_HEADER_BYTES || header > size.saturating_sub(8) {
        return Err(wrong());
    }
    let mut bytes = head.to_vec();
    (&file).take(header).read_to_end(&mut bytes)?;
    if tensor_bytes(&bytes[8..]).is_some_and(|tensors| tensors.checked_add(8 + header) != Some(size)) {
        return Err(wrong());
    }
    // Its tensors are held twice while they become values.
    let (wanted, free) = (size.saturating_mul(2), gpu_core::free_bytes());
    if wanted > free {
        return Err(CheckpointError::TooLarge { bytes: wanted, free });
    }
    file.take(size - 8 - header).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What a header says of the bytes behind it; nothing for one that cannot be read, whose fault is told where it is.
fn tensor_bytes(header: &[u8]) -> Option<u64> {
    let header: serde_json::Map<String, Value> = serde_json::from_slice(header).ok()?;
    let mut ends = header.iter().filter(|(key, _)| *key != "__metadata__").map(|(_, tensor)| tensor["data_offsets"][1].as_u64());
    ends.try_fold(0, |most: u64, end| Some(most.max(end?)))
}

type Content = (BTreeMap<String, Array>, BTreeMap<String, String>);

pub(super) fn read(bytes: &[u8]) -> Result<Content, CheckpointError> {
    let broken = |e: safetensors::SafeTensorError| CheckpointError::Format(e.to_string());
    let file = SafeTensors::deserialize(bytes).map_err(broken)?;
    let (header_bytes, header) = SafeTensors::read_metadata(bytes).map_err(broken)?;
    let mut notes: BTreeMap<String, String> = header.metadata().iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect();
    if checksum::KEYS.iter().any(|key| notes.contains_key(*key)) && !checksum::holds(bytes, 8 + header_bytes) {
        return Err(CheckpointError::Damaged);
    }
    notes.retain(|key, _| !is_of_the_format(key));
    let mut arrays = BTreeMap::new();
    for (key, view) in file.iter() {
        if key.rsplit('.').next() == Some(COUNT) {
            continue;
        }
        let values = floats(view.dtype(), view.data())
            .ok_or_else(|| CheckpointError::Type { key: key.to_owned(), dtype: format!("{:?}", view.dtype()) })?;
        arrays.insert(key.to_owned(), Array { shape: view.shape().to_vec(), values });
    }
    Ok((arrays, notes))
}

/// Any float as f32.
pub(super) fn floats(dtype: Dtype, bytes: &[u8]) -> Option<Vec<f32>> {
    Some(match dtype {
        Dtype::F32 => each(bytes, f32::from_le_bytes),
        Dtype::F64 => each(bytes, |b| f64::from_le_bytes(b) as f32),
        Dtype::BF16 => each(bytes, |b| f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16)),
        Dtype::F16 => each(bytes, |b| half(u16::from_le_bytes(b))),
        _ => return None,
    })
}

/// What `f` makes of each `N` bytes.
pub(super) fn each<const N: usize>(bytes: &[u8], f: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    bytes.chunks_exact(N).map(|c| f(c.try_into().expect("chunks have N bytes"))).collect()
}

/// An IEEE half: one bit of sign, five of exponent, ten of fraction.
fn half(bits: u16) -> f32 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023));
    let size = match exponent {
        0 => fraction * 2f32.powi(-24),
        31 if bits & 1023 == 0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1024.0 + fraction) * 2f32.powi(exponent - 25),
    };
    if bits >> 15 == 1 { -size } else { size }
}

//! The CPU device: its memory, and a launch there, which is a mirror with its memory.

use super::args::{Args, Mirror};
use super::order::{self, Wanted};
use super::widened::Widened;
use crate::base::{Error, Memory, Pool, Result, free_bytes};
use crate::gpu::Constants;
use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::ops::Range;
use std::sync::{Arc, LazyLock};

/// Makes host buffers.
#[derive(Clone, Debug)]
pub(crate) struct HostMemory;

/// In words, so that any element type is aligned.
pub(crate) type HostBuffer = RwLock<Vec<u64>>;

impl Memory for HostMemory {
    type Buffer = Arc<HostBuffer>;

    /// Refused where the machine has not as much: the system would promise it, and end the process when it is used.
    fn make(&self, bytes: usize) -> Result<Arc<HostBuffer>> {
        let asked = bytes as u64;
        let free = if bytes < LARGE { u64::MAX } else { free_bytes() };
        let refused = |detail: String| Error::OutOfMemory { asked, detail };
        if asked > free {
            return Err(refused(format!("the machine has {free} bytes free")));
        }
        let words = bytemuck::allocation::try_zeroed_vec(bytes / 8).map_err(|()| refused("the system refuses it".to_owned()))?;
        Ok(Arc::new(RwLock::new(words)))
    }
}

/// To ask the system what is free takes some microseconds, which is next to nothing from here on.
const LARGE: usize = 16 << 20;

/// Memory of the CPU device, which the process has once.
pub(super) static POOL: LazyLock<Arc<Pool<HostMemory>>> = LazyLock::new(|| Pool::new(HostMemory));

/// A part of a host buffer, in bytes.
#[derive(Debug, Clone)]
pub(crate) struct HostView {
    pub buffer: Arc<HostBuffer>,
    pub bytes: Range<usize>,
}

/// A mirror with all that it needs.
#[derive(Debug, Clone)]
pub(crate) struct HostDispatch {
    pub entry: &'static str,
    pub mirror: Mirror,
    pub params: Vec<u8>,
    pub constants: Constants,
    pub inputs: Vec<HostView>,
    pub outputs: Vec<HostView>,
    /// Which of these, in order, hold f16 that the mirror is to see as f32, or f64.
    pub halves: Vec<bool>,
    pub in_f64: bool,
}

/// A buffer that a dispatch holds, once for all of its tensors in it.
enum Held<'a> {
    /// Recursive: a job that a waiting thread has stolen may read the same weights.
    Read(RwLockReadGuard<'a, Vec<u64>>),
    Written(RwLockWriteGuard<'a, Vec<u64>>),
}

impl HostDispatch {
    /// Runs the mirror on the calling thread (and rayon's).
    pub fn run(&self) {
        let mut held = self.hold();
        let mut outputs: Vec<Option<&mut [u8]>> = self.outputs.iter().map(|_| None).collect();
        let mut read: Vec<(usize, &[u8])> = Vec::with_capacity(held.len());
        for (place, held) in &mut held {
            match held {
                Held::Read(guard) => read.push((*place, bytemuck::cast_slice(guard.as_slice()))),
                Held::Written(guard) => self.split(*place, bytemuck::cast_slice_mut(guard.as_mut_slice()), &mut outputs),
            }
        }
        let buffer = |v: &HostView| read.iter().find(|(at, _)| *at == place(&v.buffer)).expect("it is held").1;
        let inputs = self.inputs.iter().map(|v| &buffer(v)[v.bytes.clone()]).collect();
        match self.halves.contains(&true) {
            true => self.run_widened(inputs, outputs),
            false => (self.mirror)(&mut Args::new(&self.params, &self.constants, inputs, outputs)),
        }
    }

    /// Runs the mirror on what holds f16 as wider floats, and rounds what it leaves of them.
    fn run_widened<'a>(&self, inputs: Vec<&'a [u8]>, outputs: Vec<Option<&'a mut [u8]>>) {
        let mut outputs: Vec<&mut [u8]> = outputs.into_iter().flatten().collect();
        let (of_inputs, of_outputs) = self.halves.split_at(inputs.len());
        let widened = |bytes: &[u8], is_half: bool| is_half.then(|| Widened::of(bytes, self.in_f64));
        let wide: Vec<_> = inputs.iter().zip(of_inputs).map(|(bytes, is_half)| widened(bytes, *is_half)).collect();
        let mut left: Vec<_> = outputs.iter().zip(of_outputs).map(|(bytes, is_half)| widened(bytes, *is_half)).collect();
        {
            // For no longer than the mirror runs.
            let inputs = inputs.iter().zip(&wide).map(|(bytes, wide)| wide.as_ref().map_or(*bytes, Widened::bytes));
            let outputs = outputs.iter_mut().zip(&mut left);
            let outputs = outputs.map(|(bytes, wide)| Some(wide.as_mut().map_or(&mut **bytes, Widened::bytes_mut)));
            (self.mirror)(&mut Args::new(&self.params, &self.constants, inputs.collect(), outputs.collect()));
        }
        for (bytes, wide) in outputs.into_iter().zip(left) {
            wide.iter().for_each(|wide| wide.round_to(bytes));
        }
    }

    fn hold(&self) -> Vec<(usize, Held<'_>)> {
        let inputs = self.inputs.iter().map(|v| (v, false));
        let all = inputs.chain(self.outputs.iter().map(|v| (v, true)));
        let wanted = all.map(|(v, is_written)| Wanted { place: place(&v.buffer), is_written, buffer: &*v.buffer });
        order::hold(wanted, |buffer, is_written| match is_written {
            true => Held::Written(buffer.write()),
            false => Held::Read(buffer.read_recursive()),
        })
    }

    /// Hands out the outputs that lie in one buffer: views into one arena, which do not overlap.
    fn split<'a>(&self, at: usize, buffer: &'a mut [u8], outputs: &mut [Option<&'a mut [u8]>]) {
        let mut mine: Vec<usize> = (0..self.outputs.len()).filter(|&i| place(&self.outputs[i].buffer) == at).collect();
        mine.sort_by_key(|&i| self.outputs[i].bytes.start);
        let (mut rest, mut begin) = (buffer, 0);
        for i in mine {
            let bytes = self.outputs[i].bytes.clone();
            let (_, tail) = rest.split_at_mut(bytes.start - begin);
            let (output, tail) = tail.split_at_mut(bytes.len());
            outputs[i] = Some(output);
            (rest, begin) = (tail, bytes.end);
        }
    }
}

fn place(buffer: &Arc<HostBuffer>) -> usize {
    Arc::as_ptr(buffer) as usize
}

//! Several processes, or threads, that compute one run together and come to the bits of one alone.
//!
//! Each computes a [share](Peers::share) of the parts of every batch; what the parts come to is joined in one order, whoever computed them
//! ([`nn::join_shares`]), and each does the update. What moves the bytes is an engine: MPI, or the memory of one process. It adds
//! nothing up: MPI may do so in any order.

mod board;
mod engine;
mod launch;
mod mpi;
mod nodes;
mod place;
#[cfg(test)]
mod tests;

pub use launch::{Launch, expect_one_process, launched};
pub use mpi::Mpi;
pub use place::gpus;
pub(crate) use place::place_of;

use crate::error::{Error, Result, one_line};
use board::Seat;
use engine::Engine;
use gpu_core::ops::{MetricSums, Overlap};
use nn::TrainStep;
use nn::checkpoint::Checkpoint;
use nodes::{Nodes, branches};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// One of those that compute a run together; alone, it is all of them. Cloning it clones a handle.
///
/// ```
/// use train::peers::Peers;
/// let sums = std::thread::scope(|scope| {
///     let threads: Vec<_> = Peers::in_process(2)
///         .into_iter()
///         .map(|peers| scope.spawn(move || peers.sum(vec![1.5 + peers.rank() as f32])))
///         .collect();
///     threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Result<Vec<_>, _>>()
/// })?;
/// assert_eq!(sums, [[4.0], [4.0]]);
/// # Ok::<(), train::Error>(())
/// ```
#[derive(Clone)]
pub struct Peers {
    /// None where there is nobody else.
    engine: Option<Arc<dyn Engine>>,
    /// Where there are several machines.
    nodes: Option<Arc<Nodes>>,
    /// Whether all know that it is over.
    is_over: Arc<AtomicBool>,
}

impl fmt::Debug for Peers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Peers({} of {})", self.rank(), self.size())
    }
}

impl Peers {
    /// Nobody else.
    pub fn alone() -> Self {
        Self { engine: None, nodes: None, is_over: Arc::default() }
    }

    /// As many as threads of this process are to be, each for its own.
    ///
    /// # Panics
    /// If there are none.
    #[track_caller]
    pub fn in_process(threads: usize) -> Vec<Self> {
        assert!(threads > 0, "Peers: nobody computes nothing");
        Seat::around(threads).into_iter().map(Self::by).collect()
    }

    /// Those that a launcher has started, by their MPI library.
    ///
    /// # Errors
    /// If it cannot tell those of one machine from the others.
    pub fn by_mpi(mpi: Mpi) -> Result<Self> {
        let mpi = Arc::new(mpi);
        let all = Self { engine: Some(mpi.clone()), nodes: None, is_over: Arc::default() };
        let nodes = match branches(&all.machines()?) {
            None => None,
            Some(each) => {
                let (node, place) = (all.rank() / each, all.rank() % each);
                Some(Arc::new(Nodes { within: Box::new(mpi.split(node)?), across: Box::new(mpi.split(place)?) }))
            }
        };
        Ok(Self { nodes, ..all })
    }

    fn by(engine: impl Engine + 'static) -> Self {
        Self { engine: Some(Arc::new(engine)), nodes: None, is_over: Arc::default() }
    }

    /// Whether there is nobody else.
    pub fn is_alone(&self) -> bool {
        self.size() == 1
    }

    /// How many there are.
    pub fn size(&self) -> usize {
        self.engine.as_ref().map_or(1, |engine| engine.size())
    }

    /// Which of them this is, from 0.
    pub fn rank(&self) -> usize {
        self.engine.as_ref().map_or(0, |engine| engine.rank())
    }

    /// Whether it is the one that writes, and says what there is to say.
    pub fn is_first(&self) -> bool {
        self.rank() == 0
    }

    /// Which of `parts` parts of a batch are this one's: neighbours, whose sum is a branch of the tree of all.
    ///
    /// # Errors
    /// If they cannot be shared out so that the sums have the same bits.
    pub fn share(&self, parts: u32) -> Result<Range<u32>> {
        let size = self.size() as u32;
        let each = parts / size;
        if size > 1 && !(parts.is_multiple_of(size) && each.is_power_of_two()) {
            let can = (1..=parts).filter(|&n| parts.is_multiple_of(n) && (parts / n).is_power_of_two() && n > 1);
            let can: Vec<String> = can.map(|n| n.to_string()).collect();
            let can = if can.is_empty() { "1 can".to_owned() } else { format!("{} can, or 1", can.join(", ")) };
            return Error::setting(format!(
                "--accumulate {parts} cannot be shared by {size} processes with the same bits: all have as many parts, and that number is \
                 a power of two ({can})"
            ));
        }
        let first = self.rank() as u32 * each;
        Ok(first..first + each)
    }

    /// The sum of what each has brought, by the tree of [`nn::join_shares`]: as if one had done it all.
    ///
    /// # Errors
    /// If another one is gone.
    ///
    /// # Panics
    /// If they bring different numbers of values.
    pub fn sum(&self, values: Vec<f32>) -> Result<Vec<f32>> {
        match (&self.nodes, &self.engine) {
            (Some(nodes), _) => nodes.sum(values),
            (None, Some(engine)) => nodes::sum(&**engine, values),
            (None, None) => Ok(values),
        }
    }

    /// What each has brought, in their order.
    ///
    /// # Errors
    /// If another one is gone.
    pub fn gather(&self, bytes: &[u8]) -> Result<Vec<Vec<u8>>> {
        let Some(engine) = &self.engine else { return Ok(vec![bytes.to_vec()]) };
        let mut lens = vec![0u64; engine.size()];
        engine.all_gather(bytemuck::bytes_of(&(bytes.len() as u64)), bytemuck::cast_slice_mut(&mut lens))?;
        let most = lens.iter().copied().max().unwrap_or(0) as usize;
        if most == 0 {
            return Ok(vec![Vec::new(); engine.size()]);
        }
        let mut all = vec![0u8; most * engine.size()];
        let mut mine = bytes.to_vec();
        mine.resize(most, 0);
        engine.all_gather(&mine, &mut all)?;
        Ok(lens.iter().enumerate().map(|(rank, &len)| all[rank * most..][..len as usize].to_vec()).collect())
    }

    /// What the first one has, for all.
    ///
    /// # Errors
    /// If another one is gone.
    pub fn broadcast(&self, bytes: Vec<u8>) -> Result<Vec<u8>> {
        let Some(engine) = &self.engine else { return Ok(bytes) };
        let mut len = [bytes.len() as u64];
        engine.broadcast(bytemuck::cast_slice_mut(&mut len))?;
        let mut bytes = bytes;
        bytes.resize(len[0] as usize, 0);
        if !bytes.is_empty() {
            engine.broadcast(&mut bytes)?;
        }
        Ok(bytes)
    }

    /// The same result for all: if one has failed, none goes on. The first one says which, and why.
    ///
    /// # Errors
    /// That of the first that failed, by its rank.
    pub fn agree<T>(&self, result: Result<T>) -> Result<T> {
        if self.is_alone() {
            return result;
        }
        let mine = result.as_ref().err().map_or_else(Vec::new, |error| {
            let mut told = vec![error.exit_code()];
            told.extend(one_line(error).into_bytes());
            told
        });
        let all = self.gather(&mine)?;
        let failed = all.iter().position(|told| !told.is_empty());
        self.is_over.fetch_or(failed.is_some(), Relaxed);
        match (failed, result) {
            (None, result) => result,
            (Some(0), Err(error)) if self.is_first() => Err(error),
            (Some(rank), _) => {
                let (code, message) = (all[rank][0], String::from_utf8_lossy(&all[rank][1..]).into_owned());
                Err(Error::Peer { rank, message, code })
            }
        }
    }

    /// Whether it holds for one of them.
    ///
    /// # Errors
    /// If another one is gone.
    pub fn any(&self, holds: bool) -> Result<bool> {
        Ok(self.gather(&[u8::from(holds)])?.iter().any(|told| told[0] != 0))
    }

    /// Refuses to go on where what one has differs from what the first one has; `differs` says so of its rank, of what it has and of what
    /// the first has.
    ///
    /// # Errors
    /// If it differs, for all of them.
    pub fn expect_same(&self, mine: &str, differs: impl FnOnce(usize, &str, &str) -> Error) -> Result<()> {
        let all = self.gather(mine.as_bytes())?;
        match all.iter().position(|theirs| *theirs != all[0]) {
            None => Ok(()),
            Some(rank) => {
                let error = differs(rank, &String::from_utf8_lossy(&all[rank]), &String::from_utf8_lossy(&all[0]));
                self.agree(Err(error))
            }
        }
    }

    /// What all have counted together.
    ///
    /// # Errors
    /// If another one is gone.
    pub fn metrics(&self, sums: [u32; MetricSums::WORDS]) -> Result<[u32; MetricSums::WORDS]> {
        let all = self.gather(bytemuck::cast_slice(&sums))?.into_iter();
        let words =
            all.map(|bytes| std::array::from_fn(|i| u32::from_ne_bytes(bytes[4 * i..][..4].try_into().expect("four bytes"))));
        Ok(words.reduce(MetricSums::joined).expect("there is one"))
    }

    /// The same of each class of pixels.
    ///
    /// # Errors
    /// If another one is gone.
    pub(crate) fn overlaps(&self, mine: Vec<Overlap>) -> Result<Vec<Overlap>> {
        let numbers: Vec<u64> = mine.iter().flat_map(|class| [class.both, class.predicted, class.labelled]).collect();
        let mut sum = vec![Overlap::default(); mine.len()];
        for theirs in self.gather(bytemuck::cast_slice(&numbers))? {
            let number = |bytes: &[u8]| u64::from_ne_bytes(bytes.try_into().expect("eight bytes"));
            for (sum, class) in sum.iter_mut().zip(theirs.chunks_exact(24)) {
                let [both, predicted, labelled] = [0, 8, 16].map(|at| number(&class[at..at + 8]));
                *sum = sum.plus(Overlap { both, predicted, labelled });
            }
        }
        Ok(sum)
    }

    /// The checkpoint that the first one has, for all.
    ///
    /// # Errors
    /// If another one is gone.
    pub(crate) fn checkpoint(&self, checkpoint: Option<Checkpoint>) -> Result<Option<Checkpoint>> {
        if self.is_alone() {
            return Ok(checkpoint);
        }
        let bytes = self.broadcast(checkpoint.as_ref().map_or_else(Vec::new, Checkpoint::to_bytes))?;
        if self.is_first() || bytes.is_empty() {
            return Ok(checkpoint);
        }
        Checkpoint::from_bytes(&bytes).map(Some).map_err(|e| Error::Setting(format!("process 0 sent a damaged checkpoint: {e}")))
    }

    /// Ends a step whose share is computed: joins its sums with those of the others and does the update. `done` is how the share went,
    /// and `stop` whether this one was asked to end the run; whether one of them was is what it gives. Where there is nobody else the
    /// step has done its update by itself.
    ///
    /// # Errors
    /// What one of them met in its share, for all; a fault of the device.
    ///
    /// # Panics
    /// If all is well and the step is not due.
    pub fn finish(&self, step: &TrainStep, done: Result<()>, stop: bool) -> Result<bool> {
        if self.is_alone() {
            return done.map(|()| stop);
        }
        let len = step.part_sums_len();
        let read = done.and_then(|()| Ok(step.part_sums()?));
        let has_failed = read.is_err();
        let (mut values, done) = match read {
            Ok(values) => (values, Ok(())),
            // What is sent then is thrown away.
            Err(error) => (vec![0.0; len], Err(error)),
        };
        // In the same exchange, so that a step has one.
        values.extend([stop, has_failed].map(|flag| f32::from(u8::from(flag))));
        let sums = self.sum(values)?;
        let (sums, flags) = sums.split_at(len);
        if flags[1] != 0.0 {
            self.agree(done)?;
        }
        step.finish(sums)?;
        Ok(flags[0] != 0.0)
    }

    /// The end of what this one does in the run, with its exit code if it failed. A fault that the others do not know of ends all of them,
    /// now; threads of one process are told so when they next ask.
    pub fn leave(&self, failed: Option<u8>) {
        let Some(engine) = &self.engine else { return };
        match failed {
            Some(code) if !self.is_over.load(Relaxed) => engine.abandon(code),
            _ => engine.leave(),
        }
    }
}

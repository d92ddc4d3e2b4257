//! What optimisers share: the arena, the moments, the step count, and the hyper-parameters on the device.

use super::arena::Arena;
use crate::checkpoint::{Array, CheckpointError, Mismatch};
use crate::module::Module;
use crate::tape::Gradients;
use gpu_core::{Device, Tensor};
use parking_lot::Mutex;
use std::collections::BTreeMap;

/// The numbers that a kernel reads.
pub(super) type Hyper = [f32; 8];

pub(super) struct Core {
    arena: Arena,
    /// Each with its name in the state.
    moments: Vec<(&'static str, Tensor)>,
    /// Of matrices and filters, and of vectors: only the weight decay may differ.
    hyper: [Tensor; 2],
    state: Mutex<State>,
}

struct State {
    lr: f32,
    steps: u32,
    split: bool,
    written: Option<[Hyper; 2]>,
}

impl Core {
    #[track_caller]
    pub fn new(net: &dyn Module, lr: f32, moments: &[&'static str]) -> Self {
        let arena = Arena::of(net);
        let moments = moments.iter().map(|&name| (name, arena.moment())).collect();
        let hyper = [0, 1].map(|_| Tensor::zeros(arena.device(), [8]));
        Self { arena, moments, hyper, state: Mutex::new(State { lr, steps: 0, split: false, written: None }) }
    }

    pub fn device(&self) -> &Device {
        self.arena.device()
    }
    pub fn lr(&self) -> f32 {
        self.state.lock().lr
    }
    pub fn set_lr(&self, lr: f32) {
        self.state.lock().lr = lr;
    }
    pub fn steps(&self) -> u32 {
        self.state.lock().steps
    }

    /// No weight decay for vectors from now on.
    pub fn split(&self) {
        self.state.lock().split = true;
    }

    /// Counts a step; `hyper` gives its numbers from the learning rate, the count (from 1), and whether weights decay.
    #[track_caller]
    pub fn begin_step(&self, hyper: impl Fn(f32, u32, bool) -> Hyper) {
        self.arena.expect_home();
        let mut state = self.state.lock();
        state.steps += 1;
        let both = [true, !state.split].map(|decays| hyper(state.lr, state.steps, decays));
        if state.written != Some(both) {
            for (tensor, values) in self.hyper.iter().zip(&both) {
                tensor.write(values);
            }
            state.written = Some(both);
        }
    }

    /// Gathers the gradients and calls `launch(parameters, gradients, moments, hyper)` for each range of one weight decay.
    #[track_caller]
    pub fn apply(&self, gradients: &Gradients, launch: impl Fn(&Tensor, &Tensor, &[Tensor], &Tensor)) {
        self.arena.expect_home();
        self.arena.gather(gradients);
        let [matrices, vectors] = self.arena.kinds();
        let ranges = match self.state.lock().split {
            true => vec![(matrices, &self.hyper[0]), (vectors, &self.hyper[1])],
            false => vec![(0..vectors.end, &self.hyper[0])],
        };
        for (range, hyper) in ranges.into_iter().filter(|(r, _)| !r.is_empty()) {
            let [values, slots] = self.arena.range(&range);
            let moments: Vec<Tensor> = self.moments.iter().map(|(_, m)| m.view(range.start, [range.len()])).collect();
            launch(&values, &slots, &moments, hyper);
        }
    }

    pub fn state(&self) -> Vec<(String, Tensor)> {
        let moments = self.moments.iter();
        let mut named: Vec<(String, Tensor)> = moments
            .flat_map(|(name, moment)| self.arena.views(moment).map(move |(key, view)| (format!("{name}.{key}"), view)))
            .collect();
        // As in PyTorch, the count is a float.
        named.push(("step".to_owned(), Tensor::scalar(self.device(), self.steps() as f32)));
        named
    }

    pub fn load_state(&self, state: &BTreeMap<String, Array>) -> Result<(), CheckpointError> {
        let wanted = self.state();
        Mismatch::between(wanted.iter().map(|(key, t)| (key.as_str(), t.shape())), state, |_| false)?;
        for (key, tensor) in &wanted {
            if key != "step" {
                tensor.write(&state[key].values);
            }
        }
        self.state.lock().steps = state["step"].values[0] as u32;
        Ok(())
    }
}

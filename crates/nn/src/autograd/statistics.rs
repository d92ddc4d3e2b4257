//! What norms find in one part of a batch, kept apart until all parts are there.

use super::param::{ALIGN, Param};
use gpu_core::Tensor;
use parking_lot::Mutex;
use std::sync::Arc;

/// The statistics of a pass that computes a part of a batch; nothing where a pass is a whole one, which moves the running statistics by
/// itself. Cloning it clones a handle.
#[derive(Debug, Clone, Default)]
pub(crate) struct Statistics(Option<Arc<Mutex<Found>>>);

/// What the norms of a pass have asked for.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Where they lie, side by side, since a launch for each would cost more than what it moves.
    pub blocks: Vec<Tensor>,
    pub uses: Vec<Use>,
    /// Elements of the last block that are taken.
    taken: usize,
}

/// One statistic of one norm.
#[derive(Debug, Clone)]
pub(crate) struct Use {
    /// What is to be moved.
    pub running: Param,
    /// What the batch weighs in it.
    pub momentum: f32,
    block: usize,
    offset: usize,
}

/// Elements of a block, if no statistic has more.
const BLOCK: usize = 1 << 14;

impl Statistics {
    /// Of a part.
    pub fn apart() -> Self {
        Self(Some(Arc::default()))
    }

    /// Where a norm that moves `running` by `momentum` leaves what it finds, which is zero by then; none where it moves `running` itself.
    pub fn slot(&self, running: &Param, momentum: f32, again: bool) -> Option<Tensor> {
        let mut found = self.0.as_ref()?.lock();
        let before = found.uses.iter().find(|known| again && known.running.id() == running.id()).cloned();
        let mine = before.unwrap_or_else(|| found.next(running, momentum));
        Some(mine.of(&found.blocks))
    }

    /// All of them; of the last block what is taken.
    pub fn found(self) -> Found {
        let mut found = self.0.map_or_else(Found::default, |found| std::mem::take(&mut *found.lock()));
        let taken = found.taken;
        found.blocks.last_mut().into_iter().for_each(|last| *last = last.view(0, [taken]));
        found
    }
}

impl Found {
    fn next(&mut self, running: &Param, momentum: f32) -> Use {
        let value = running.value();
        let wanted = value.len().next_multiple_of(ALIGN);
        if self.blocks.last().is_none_or(|block| self.taken + wanted > block.len()) {
            let block = Tensor::empty(value.device(), [wanted.max(BLOCK)]);
            block.fill(0.0);
            self.blocks.push(block);
            self.taken = 0;
        }
        let mine = Use { running: running.clone(), momentum, block: self.blocks.len() - 1, offset: self.taken };
        self.taken += wanted;
        self.uses.push(mine.clone());
        mine
    }
}

impl Use {
    /// Its place in `blocks`, or in others of their lengths.
    pub fn of(&self, blocks: &[Tensor]) -> Tensor {
        blocks[self.block].view(self.offset, self.running.shape())
    }
}

//! The bytes of the next batch, fetched by a thread of its own while a step runs.

use crate::data::{DataError, ImageSet};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

/// The bytes and labels of images, and their masks where they have some.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub images: Vec<u8>,
    pub masks: Vec<u8>,
    pub labels: Vec<u32>,
}

impl Batch {
    fn fetch(mut self, set: &ImageSet, chosen: &[u32]) -> Result<Self, DataError> {
        self.labels.clear();
        self.labels.extend(chosen.iter().map(|&i| set.labels()[i as usize]));
        set.read_pairs(chosen, &mut self.images, &mut self.masks)?;
        Ok(self)
    }
}

type Fetched = Result<Batch, DataError>;

/// A thread that fetches, one batch ahead. It ends with this handle.
#[derive(Debug)]
pub(super) struct Ahead {
    set: ImageSet,
    thread: Option<(Sender<(Batch, Vec<u32>)>, Mutex<Receiver<Fetched>>)>,
    /// What the thread was asked for, if it was.
    asked: Option<Vec<u32>>,
    spare: Option<Batch>,
    waited: Duration,
}

impl Ahead {
    pub fn new(set: &ImageSet) -> Self {
        Self { set: set.clone(), thread: None, asked: None, spare: None, waited: Duration::ZERO }
    }

    /// Begins to fetch these images, if nothing is being fetched.
    pub fn prepare(&mut self, chosen: &[u32]) {
        if self.asked.is_some() {
            return;
        }
        let set = &self.set;
        let (ask, _) = self.thread.get_or_insert_with(|| {
            let (ask, asked) = channel::<(Batch, Vec<u32>)>();
            let (give, given) = channel();
            let set = set.clone();
            std::thread::spawn(move || {
                for (batch, chosen) in asked {
                    if give.send(batch.fetch(&set, &chosen)).is_err() {
                        return;
                    }
                }
            });
            (ask, Mutex::new(given))
        });
        self.asked = ask.send((self.spare.take().unwrap_or_default(), chosen.to_vec())).ok().map(|()| chosen.to_vec());
    }

    /// These images: those that were prepared, else fetched now.
    ///
    /// # Errors
    /// If one of them cannot be read.
    pub fn take(&mut self, chosen: &[u32]) -> Fetched {
        let asked = self.asked.take();
        if let (Some(asked), Some((_, given))) = (asked, &mut self.thread) {
            let given = given.get_mut().expect("nobody else takes");
            let prepared = match given.try_recv() {
                Ok(prepared) => Some(prepared),
                Err(_) => timed(&mut self.waited, || given.recv().ok()),
            };
            match prepared {
                Some(prepared) if asked == chosen => return prepared,
                Some(Ok(batch)) => self.spare = Some(batch),
                _ => {}
            }
        }
        let batch = self.spare.take().unwrap_or_default();
        timed(&mut self.waited, || batch.fetch(&self.set, chosen))
    }

    /// How long was waited for batches that were not there when they were taken, since this was last asked. It is zero where each was.
    pub fn waited(&mut self) -> Duration {
        std::mem::take(&mut self.waited)
    }

    /// Takes a batch's memory back.
    pub fn reuse(&mut self, batch: Batch) {
        self.spare = Some(batch);
    }
}

fn timed<T>(sum: &mut Duration, work: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let done = work();
    *sum += began.elapsed();
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_the_same_prepared_or_not_and_another_one_than_prepared_is_fetched() {
        let set = ImageSet::new((0..12).collect(), vec![5, 6, 7], [1, 2, 2]);
        let mut ahead = Ahead::new(&set);
        let mut take = |prepared: Option<&[u32]>, chosen: &[u32]| {
            prepared.into_iter().for_each(|p| ahead.prepare(p));
            let batch = ahead.take(chosen).unwrap();
            let got = (batch.images.clone(), batch.labels.clone());
            ahead.reuse(batch);
            got
        };
        let want = (vec![8, 9, 10, 11, 0, 1, 2, 3], vec![7, 5]);
        assert_eq!(take(None, &[2, 0]), want);
        assert_eq!(take(Some(&[2, 0]), &[2, 0]), want);
        assert_eq!(take(Some(&[1, 1]), &[2, 0]), want);
        assert_eq!(take(Some(&[2, 0]), &[2, 0]), want);
    }

    #[test]
    fn what_was_waited_for_is_counted_and_what_was_there_is_not() {
        let set = ImageSet::new((0..12).collect(), vec![5, 6, 7], [1, 2, 2]);
        let mut ahead = Ahead::new(&set);
        ahead.take(&[0]).unwrap();
        assert!(ahead.waited() > Duration::ZERO, "nobody prepared it");
        assert_eq!(ahead.waited(), Duration::ZERO, "it was told");
        ahead.prepare(&[1]);
        // Until the thread has given it.
        let given = ahead.thread.as_mut().unwrap().1.get_mut().unwrap().recv().unwrap();
        let (give, there) = channel();
        give.send(given).unwrap();
        *ahead.thread.as_mut().unwrap().1.get_mut().unwrap() = there;
        assert_eq!(ahead.take(&[1]).unwrap().images, [4, 5, 6, 7]);
        assert_eq!(ahead.waited(), Duration::ZERO);
    }

    #[test]
    #[should_panic]
    fn an_image_that_is_not_there_is_the_callers_panic_too() {
        let set = ImageSet::new(vec![0], vec![0], [1, 1, 1]);
        let mut ahead = Ahead::new(&set);
        ahead.prepare(&[3]);
        let _ = ahead.take(&[3]);
    }
}

//! The bytes of the next batch, fetched by a thread of its own while a step runs.

use crate::data::ImageSet;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

/// Images that were chosen, and their bytes and labels.
#[derive(Debug, Default)]
pub(super) struct Batch {
    chosen: Vec<u32>,
    pub images: Vec<u8>,
    pub labels: Vec<u32>,
}

impl Batch {
    fn fetch(&mut self, set: &ImageSet, chosen: &[u32]) {
        self.chosen.clear();
        self.chosen.extend_from_slice(chosen);
        self.images.clear();
        self.labels.clear();
        for &i in chosen {
            self.images.extend_from_slice(set.image(i as usize));
            self.labels.push(set.labels()[i as usize]);
        }
    }
}

/// A thread that fetches, one batch ahead. It ends with this handle.
#[derive(Debug)]
pub(super) struct Ahead {
    set: ImageSet,
    thread: Option<(Sender<(Batch, Vec<u32>)>, Mutex<Receiver<Batch>>)>,
    /// Whether a batch is with the thread.
    asked: bool,
    spare: Option<Batch>,
}

impl Ahead {
    pub fn new(set: &ImageSet) -> Self {
        Self { set: set.clone(), thread: None, asked: false, spare: None }
    }

    /// Begins to fetch these images, if nothing is being fetched.
    pub fn prepare(&mut self, chosen: &[u32]) {
        if self.asked {
            return;
        }
        let set = &self.set;
        let (ask, _) = self.thread.get_or_insert_with(|| {
            let (ask, asked) = channel::<(Batch, Vec<u32>)>();
            let (give, given) = channel();
            let set = set.clone();
            std::thread::spawn(move || {
                for (mut batch, chosen) in asked {
                    batch.fetch(&set, &chosen);
                    if give.send(batch).is_err() {
                        return;
                    }
                }
            });
            (ask, Mutex::new(given))
        });
        self.asked = ask.send((self.spare.take().unwrap_or_default(), chosen.to_vec())).is_ok();
    }

    /// These images: those that were prepared, else fetched now.
    pub fn take(&mut self, chosen: &[u32]) -> Batch {
        let asked = std::mem::take(&mut self.asked);
        let given = self.thread.as_mut().filter(|_| asked).map(|(_, given)| given.get_mut().expect("nobody else takes"));
        let prepared = given.and_then(|given| given.recv().ok());
        match prepared.filter(|batch| batch.chosen == chosen) {
            Some(batch) => batch,
            None => {
                let mut batch = self.spare.take().unwrap_or_default();
                batch.fetch(&self.set, chosen);
                batch
            }
        }
    }

    /// Takes a batch's memory back.
    pub fn reuse(&mut self, batch: Batch) {
        self.spare = Some(batch);
    }
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
            let batch = ahead.take(chosen);
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
    #[should_panic]
    fn an_image_that_is_not_there_is_the_callers_panic_too() {
        let set = ImageSet::new(vec![0], vec![0], [1, 1, 1]);
        let mut ahead = Ahead::new(&set);
        ahead.prepare(&[3]);
        ahead.take(&[3]);
    }
}

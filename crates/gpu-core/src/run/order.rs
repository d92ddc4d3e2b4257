//! In which order a dispatch takes the locks of its buffers.
//!
//! Each buffer once, all in one order, whatever the dispatch does with them: of two dispatches that want the same ones, the one that gets
//! the first gets them all.

/// A buffer that is wanted: its place in the order, and whether it is written.
pub(super) struct Wanted<B> {
    pub place: usize,
    pub is_written: bool,
    pub buffer: B,
}

/// Takes the locks one after the other by `lock`: for writing what is written at all, the rest for reading. With each its place.
pub(super) fn hold<B, H>(wanted: impl Iterator<Item = Wanted<B>>, lock: impl Fn(B, bool) -> H) -> Vec<(usize, H)> {
    let mut wanted: Vec<Wanted<B>> = wanted.collect();
    wanted.sort_by_key(|w| (w.place, !w.is_written));
    wanted.dedup_by_key(|w| w.place);
    wanted.into_iter().map(|w| (w.place, lock(w.buffer, w.is_written))).collect()
}

#[cfg(test)]
mod tests {
    //! Every order in which threads can meet, by loom, over the function that the CPU device locks with. A capture is modelled as
    //! [`Capture::replay`](crate::Capture::replay) is written: its turn, then its dispatches; a step of evaluation as a turn around
    //! one.

    use super::*;
    use loom::sync::{Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};
    use loom::thread;
    use std::mem::ManuallyDrop;
    use std::sync::Arc;

    type Buffer = RwLock<u32>;

    enum Held<'a> {
        Read(RwLockReadGuard<'a, u32>),
        Written(RwLockWriteGuard<'a, u32>),
    }

    impl Held<'_> {
        fn value(&self) -> u32 {
            match self {
                Held::Read(guard) => **guard,
                Held::Written(guard) => **guard,
            }
        }
    }

    fn lock(buffer: &Buffer, is_written: bool) -> Held<'_> {
        if is_written { Held::Written(buffer.write().unwrap()) } else { Held::Read(buffer.read().unwrap()) }
    }

    /// Adds what it reads to what it writes: a dispatch of buffers by their places.
    struct Add {
        from: usize,
        to: usize,
    }

    impl Add {
        fn wanted<'a>(&self, buffers: &'a [Buffer]) -> [Wanted<&'a Buffer>; 2] {
            [(self.from, false), (self.to, true)].map(|(place, is_written)| Wanted { place, is_written, buffer: &buffers[place] })
        }

        fn run(&self, buffers: &[Buffer]) {
            self.finish(hold(self.wanted(buffers).into_iter(), lock));
        }

        fn finish(&self, mut held: Vec<(usize, Held<'_>)>) {
            let value = |held: &[(usize, Held<'_>)], of| held.iter().find(|(place, _)| *place == of).unwrap().1.value();
            let sum = value(&held, self.from) + value(&held, self.to);
            held.iter_mut().filter(|(place, _)| *place == self.to).for_each(|(_, held)| match held {
                Held::Written(guard) => **guard = sum,
                Held::Read(_) => panic!("what is written was locked for reading"),
            });
        }

        /// What was done once: what is read, then what is written. Loom ends two that wait for each other by a panic, after which no
        /// lock may be touched.
        fn run_in_its_own_order(&self, buffers: &[Buffer]) {
            let held = self.wanted(buffers).map(|w| (w.place, ManuallyDrop::new(lock(w.buffer, w.is_written))));
            self.finish(held.into_iter().map(|(place, held)| (place, ManuallyDrop::into_inner(held))).collect());
        }
    }

    /// A recording that is replayed as a whole.
    struct Replay {
        turn: Mutex<()>,
        list: Vec<Add>,
    }

    impl Replay {
        fn run(&self, buffers: &[Buffer]) {
            let _whole = self.turn.lock().unwrap();
            self.list.iter().for_each(|add| add.run(buffers));
        }
    }

    fn buffers(values: [u32; 2]) -> Arc<[Buffer; 2]> {
        Arc::new(values.map(RwLock::new))
    }

    fn values(buffers: &[Buffer; 2]) -> [u32; 2] {
        [0, 1].map(|i| *buffers[i].read().unwrap())
    }

    /// Two dispatches, from a to b and from b to a, each on a thread of its own; what they leave.
    fn to_and_fro(run: fn(&Add, &[Buffer])) {
        let shared = buffers([1, 2]);
        let there = thread::spawn({
            let shared = shared.clone();
            move || run(&Add { from: 0, to: 1 }, &*shared)
        });
        run(&Add { from: 1, to: 0 }, &*shared);
        there.join().unwrap();
        assert!([[4, 3], [3, 5]].contains(&values(&shared)), "{:?}", values(&shared));
    }

    #[test]
    fn two_dispatches_to_and_fro_end_and_are_one_after_the_other() {
        loom::model(|| to_and_fro(Add::run));
    }

    #[test]
    #[should_panic(expected = "deadlock")]
    fn reads_before_writes_are_found_to_wait_for_each_other() {
        loom::model(|| to_and_fro(Add::run_in_its_own_order));
    }

    #[test]
    fn a_buffer_that_is_read_and_written_is_locked_once() {
        loom::model(|| {
            let shared = buffers([3, 0]);
            Add { from: 0, to: 0 }.run(&*shared);
            assert_eq!(values(&shared), [6, 0]);
        });
    }

    /// Twice a + b to b, then b to a: whole replays alone give these, whoever goes first.
    #[test]
    fn a_capture_that_threads_share_is_replayed_as_a_whole() {
        loom::model(|| {
            let shared = buffers([1, 1]);
            let capture = Arc::new(Replay { turn: Mutex::new(()), list: vec![Add { from: 0, to: 1 }, Add { from: 1, to: 0 }] });
            let others = [0; 2].map(|_| {
                let (shared, capture) = (shared.clone(), capture.clone());
                thread::spawn(move || capture.run(&*shared))
            });
            others.into_iter().for_each(|other| other.join().unwrap());
            assert_eq!(values(&shared), [8, 5]);
        });
    }

    /// A step has its own turn: it writes its batch, replays, and reads, while another thread replays nothing but copies the other way.
    #[test]
    fn a_step_that_threads_share_sees_its_own_batch() {
        loom::model(|| {
            let shared = buffers([0, 0]);
            let step = Arc::new((Mutex::new(()), Replay { turn: Mutex::new(()), list: vec![Add { from: 0, to: 1 }] }));
            let evaluate = |batch: u32| {
                let (shared, step) = (shared.clone(), step.clone());
                move || {
                    let _whole = step.0.lock().unwrap();
                    *shared[0].write().unwrap() = batch;
                    *shared[1].write().unwrap() = 0;
                    step.1.run(&*shared);
                    assert_eq!(*shared[1].read().unwrap(), batch);
                }
            };
            let other = thread::spawn(evaluate(1));
            evaluate(2)();
            other.join().unwrap();
        });
    }
}

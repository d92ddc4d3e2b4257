//! The threads that the mirrors' loops run on, which are theirs alone.
//!
//! A dispatch holds the locks of its buffers while its loops run, and a thread of rayon's that waits for a loop is given other jobs of
//! its pool meanwhile. Were one of them a launch that wants the same buffers, it would wait for what stands below it on its own stack.
//! In a pool where nothing but loops runs there is no such job; and a worker of another pool, which would be given jobs there, waits
//! as a thread of no pool does. Traits of rayon that run a loop are named here only: operators cannot run one elsewhere.

use parking_lot::{Mutex, RwLock};
use rayon::ThreadPool;
use rayon::iter::plumbing::{Producer, ProducerCallback};
pub(crate) use rayon::iter::{IndexedParallelIterator, IntoParallelRefMutIterator};
use rayon::iter::{IntoParallelIterator, ParallelIterator};
pub(crate) use rayon::slice::{ParallelSlice, ParallelSliceMut};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// By how many threads they have: as many as the caller's own pool. None where the system gives no threads.
static POOLS: RwLock<BTreeMap<usize, Option<Arc<ThreadPool>>>> = RwLock::new(BTreeMap::new());

fn pool() -> Option<Arc<ThreadPool>> {
    let threads = rayon::current_num_threads();
    if let Some(pool) = POOLS.read().get(&threads) {
        return pool.clone();
    }
    let name = |i| format!("wgrad-mirror-{i}");
    let build = || rayon::ThreadPoolBuilder::new().num_threads(threads).thread_name(name).build().ok().map(Arc::new);
    POOLS.write().entry(threads).or_insert_with(build).clone()
}

/// Calls `f` where rayon's loops in it are the mirrors' own.
pub(crate) fn on_own_threads<R: Send>(f: impl FnOnce() -> R + Send) -> R {
    let (mut f, mut result) = (Some(f), None);
    enter(&mut || result = f.take().map(|f| f()));
    result.expect("it was called")
}

/// Through a pointer, so that there is one copy of it.
fn enter(f: &mut (dyn FnMut() + Send)) {
    match pool() {
        None => f(),
        Some(pool) if rayon::current_thread_index().is_none() || pool.current_thread_index().is_some() => pool.install(f),
        Some(pool) => {
            let done = std::thread::scope(|scope| scope.spawn(|| pool.install(f)).join());
            done.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
    }
}

/// Loops over rayon's iterators that mirrors run. One that has no two halves to cut stays on the calling thread.
///
/// Their items are cut into runs beforehand, and rayon is given the runs by number: a copy of its scheduler for each loop made a third
/// of the crate's code.
pub(crate) trait Loop: IndexedParallelIterator {
    /// Calls `f` for every item.
    fn run(self, f: impl Fn(Self::Item) + Send + Sync) {
        self.run_by(1, f);
    }

    /// Calls `f` for every item; a thread takes at least `least` of them.
    fn run_by(self, least: usize, f: impl Fn(Self::Item) + Send + Sync) {
        cut(self, least, &ForEach(f));
    }

    /// Calls `f` for every item, with something made by `make` that one item after the other may use; a thread takes at least `least` items.
    fn run_with<S>(self, least: usize, make: impl Fn() -> S + Send + Sync, f: impl Fn(&mut S, Self::Item) + Send + Sync) {
        cut(self, least, &ForEachWith(make, f));
    }

    /// What `f` gives for every item, in order.
    fn gather<T: Send>(self, f: impl Fn(Self::Item) -> T + Send + Sync) -> Vec<T> {
        self.gather_all_by(1, |item| std::iter::once(f(item)))
    }

    /// All that `f` gives for every item, in order; a thread takes at least `least` items.
    fn gather_all_by<T: Send, R: IntoIterator<Item = T>>(self, least: usize, f: impl Fn(Self::Item) -> R + Send + Sync) -> Vec<T> {
        let gather = Gather { f, found: Mutex::default() };
        cut(self, least, &gather);
        let mut found = gather.found.into_inner();
        found.sort_unstable_by_key(|(run, _)| *run);
        found.into_iter().flat_map(|(_, items)| items).collect()
    }
}

impl<I: IndexedParallelIterator> Loop for I {}

/// What is done with a run of items, on one thread.
trait Work<Item>: Sync {
    fn on(&self, run: usize, items: impl Iterator<Item = Item>);
}

struct ForEach<F>(F);

impl<Item, F: Fn(Item) + Sync> Work<Item> for ForEach<F> {
    fn on(&self, _: usize, items: impl Iterator<Item = Item>) {
        items.for_each(&self.0);
    }
}

struct ForEachWith<M, F>(M, F);

impl<Item, S, M: Fn() -> S + Sync, F: Fn(&mut S, Item) + Sync> Work<Item> for ForEachWith<M, F> {
    fn on(&self, _: usize, items: impl Iterator<Item = Item>) {
        let mut state = (self.0)();
        items.for_each(|item| (self.1)(&mut state, item));
    }
}

struct Gather<T, F> {
    f: F,
    /// Of each run, as they end.
    found: Mutex<Vec<(usize, Vec<T>)>>,
}

impl<Item, T: Send, R: IntoIterator<Item = T>, F: Fn(Item) -> R + Sync> Work<Item> for Gather<T, F> {
    fn on(&self, run: usize, items: impl Iterator<Item = Item>) {
        let found = items.flat_map(&self.f).collect();
        self.found.lock().push((run, found));
    }
}

/// Does the work on runs of at least `least` items.
fn cut<I: IndexedParallelIterator>(items: I, least: usize, work: &impl Work<I::Item>) {
    let (len, most) = (items.len(), items.len() / least.max(1));
    // More than there are threads: one that is held up leaves its share to the others.
    let runs = if most < 2 { 1 } else { most.min(4 * rayon::current_num_threads()) };
    items.with_producer(Cut { len, runs, work });
}

struct Cut<'a, W> {
    len: usize,
    runs: usize,
    work: &'a W,
}

impl<Item, W: Work<Item>> ProducerCallback<Item> for Cut<'_, W> {
    type Output = ();

    fn callback<P: Producer<Item = Item>>(self, mut items: P) {
        let Self { len, runs, work } = self;
        if runs == 1 {
            return work.on(0, items.into_iter());
        }
        let mut waiting = Vec::with_capacity(runs);
        for i in 1..runs {
            let (run, rest) = items.split_at(len * i / runs - len * (i - 1) / runs);
            waiting.push(Mutex::new(Some(run)));
            items = rest;
        }
        waiting.push(Mutex::new(Some(items)));
        for_each_number(runs, &|i| {
            let run = waiting[i].lock().take().expect("each run is taken once");
            work.on(i, run.into_iter());
        });
    }
}

/// Calls `f` on the mirrors' own threads for every number, each as a job of its own; through a pointer, so that there is one copy of
/// rayon's loop.
fn for_each_number(numbers: usize, f: &(dyn Fn(usize) + Sync)) {
    on_own_threads(|| (0..numbers).into_par_iter().with_max_len(1).for_each(f));
}

/// The numbers as a loop's items.
pub(crate) fn each(numbers: Range<usize>) -> impl IndexedParallelIterator<Item = usize> {
    numbers.into_par_iter()
}

/// Both, side by side.
pub(crate) fn both(a: impl FnOnce() + Send, b: impl FnOnce() + Send) {
    let (a, b) = (Mutex::new(Some(a)), Mutex::new(Some(b)));
    let call = |i: usize| match i {
        0 => a.lock().take().into_iter().for_each(|a| a()),
        _ => b.lock().take().into_iter().for_each(|b| b()),
    };
    for_each_number(2, &call);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Device, Tensor, ops};
    use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
    use std::sync::mpsc;
    use std::time::Duration;

    /// Long enough for loops of several turns.
    const LEN: usize = 1 << 18;

    /// Sums to and fro between two tensors.
    fn to_and_fro(pair: &[Tensor; 2], times: usize) {
        for i in 0..times {
            ops::accumulate(&pair[i % 2], &pair[1 - i % 2], 0.5, 1.0);
        }
    }

    /// Fails where `f` does not come back: nothing here takes seconds.
    fn comes_back(f: impl FnOnce() + Send + 'static) {
        let (done, is_done) = mpsc::channel();
        std::thread::spawn(move || {
            f();
            let _ = done.send(());
        });
        is_done.recv_timeout(Duration::from_secs(120)).expect("it waits for ever, or panicked");
    }

    fn pair() -> Arc<[Tensor; 2]> {
        Arc::new([1.0, 2.0].map(|v| Tensor::full(&Device::Cpu, [LEN], v)))
    }

    fn wait_for(flag: &AtomicBool) {
        while !flag.load(SeqCst) {
            std::thread::yield_now();
        }
    }

    /// The other half of a loop is on its way on another thread, which has a task to give away that wants what the loop's holder holds.
    #[test]
    fn a_thread_that_waits_for_its_loop_is_given_no_task() {
        comes_back(|| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
            let (held, [is_halved, is_wanted]) = (Mutex::new(()), [0; 2].map(|_| AtomicBool::new(false)));
            pool.in_place_scope(|scope| {
                scope.spawn(|scope| {
                    let _held = held.lock();
                    each(0..2).run(|half| match half {
                        0 => wait_for(&is_halved),
                        _ => {
                            scope.spawn(|_| {
                                is_wanted.store(true, SeqCst);
                                drop(held.lock());
                            });
                            is_halved.store(true, SeqCst);
                            wait_for(&is_wanted);
                        }
                    });
                });
            });
        });
    }

    /// A thread that has ended one task helps another, whose thread may be given a third one that wants the same memory.
    #[test]
    fn tasks_of_rayon_that_share_memory_launch_at_once() {
        comes_back(|| {
            let (pairs, pool) = ([pair(), pair(), pair()], rayon::ThreadPoolBuilder::new().num_threads(4).build().unwrap());
            pool.in_place_scope(|scope| {
                for i in 0..1000 {
                    let pair = &pairs[i / 7 % 3];
                    scope.spawn(move |_| to_and_fro(pair, 1 + i % 3));
                }
            });
            let sums = pairs[0][0].to_vec().unwrap();
            assert!(sums.iter().all(|sum| *sum == sums[0]), "a launch was cut in two");
        });
    }

    /// All workers of rayon's own pool wait for memory whose holder has a loop to run.
    #[test]
    fn a_thread_of_no_pool_needs_none_of_its_workers() {
        comes_back(|| {
            let pair = pair();
            for _ in 0..4 * rayon::current_num_threads() {
                let pair = pair.clone();
                rayon::spawn(move || to_and_fro(&pair, 50));
            }
            to_and_fro(&pair, 50);
        });
    }

    #[test]
    fn loops_run_on_as_many_threads_as_the_callers_pool_has() {
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            assert_eq!(pool.install(|| on_own_threads(rayon::current_num_threads)), threads);
        }
    }

    #[test]
    fn a_single_turn_stays_on_the_calling_thread() {
        let me = std::thread::current().id();
        let threads = [1, 2].map(|turns| each(0..turns).gather(|_| std::thread::current().id()));
        assert!(threads[0] == [me] && !threads[1].contains(&me), "{threads:?}");
        let few = Mutex::new(Vec::new());
        each(0..15).run_by(8, |_| few.lock().push(std::thread::current().id()));
        assert_eq!(few.into_inner(), [me; 15]);
    }

    #[test]
    #[should_panic(expected = "from the loop")]
    fn a_loop_that_panics_panics_in_its_caller() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        pool.install(|| each(0..4).run(|_| panic!("from the loop")));
    }
}

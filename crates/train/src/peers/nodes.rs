//! Sums by way of machines: first over the processes of each, then over the machines, so that what goes between them is less by the number
//! of processes on each.

use super::engine::Engine;
use crate::error::Result;
use nn::join_shares;

/// The two ways.
#[derive(Debug)]
pub struct Nodes {
    /// Those on this machine.
    pub within: Box<dyn Engine>,
    /// Those that have this one's place on the other machines.
    pub across: Box<dyn Engine>,
}

impl Nodes {
    /// See [`sum`].
    pub fn sum(&self, values: Vec<f32>) -> Result<Vec<f32>> {
        by_chunks(&*self.within, values, |chunk| sum(&*self.across, chunk))
    }
}

/// How many processes each machine has, where their ranks are neighbours and all have as many, 2, 4, 8, ...: then what they come to is a
/// branch of the tree of all. None where that is not so, or there is one machine, or one process on each.
pub fn branches(machines: &[Vec<u8>]) -> Option<usize> {
    let each = machines.iter().take_while(|machine| **machine == machines[0]).count();
    let are_neighbours = || {
        let groups: Vec<&[Vec<u8>]> = machines.chunks(each).collect();
        let alike = |group: &&[Vec<u8>]| group.len() == each && group.iter().all(|machine| *machine == group[0]);
        groups.iter().all(alike) && (1..groups.len()).all(|i| groups[..i].iter().all(|before| before[0] != groups[i][0]))
    };
    (each > 1 && each < machines.len() && each.is_power_of_two() && are_neighbours()).then_some(each)
}

/// The sum of what each has brought, by the tree of [`join_shares`].
pub fn sum(engine: &dyn Engine, values: Vec<f32>) -> Result<Vec<f32>> {
    by_chunks(engine, values, Ok)
}

/// Each adds up one chunk of all, so that every value travels twice, however many there are; `further` is what is done to that sum before
/// all have it.
fn by_chunks(engine: &dyn Engine, mut values: Vec<f32>, further: impl FnOnce(Vec<f32>) -> Result<Vec<f32>>) -> Result<Vec<f32>> {
    let (len, size) = (values.len(), engine.size());
    if len == 0 {
        return Ok(values);
    }
    let chunk = len.div_ceil(size);
    values.resize(chunk * size, 0.0);
    let mut shares = vec![0.0f32; chunk * size];
    engine.all_to_all(bytemuck::cast_slice(&values), bytemuck::cast_slice_mut(&mut shares))?;
    let sum = further(join_shares(shares.chunks(chunk).map(<[f32]>::to_vec).collect()))?;
    engine.all_gather(bytemuck::cast_slice(&sum), bytemuck::cast_slice_mut(&mut values))?;
    values.truncate(len);
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::super::board::Seat;
    use super::*;

    #[test]
    fn machines_whose_processes_are_branches_are_known() {
        let of = |text: &str| branches(&text.bytes().map(|machine| vec![machine]).collect::<Vec<_>>());
        assert_eq!(["aabb", "aaaabbbbcccc", "aabbccddee"].map(of), [Some(2), Some(4), Some(2)]);
        // One machine; one process on each; three on each; dealt out in turn; unlike; come back to.
        assert!(["aaaa", "abcd", "aaabbb", "abab", "aabbb", "aabbaa", "aab", ""].map(of).iter().all(Option::is_none));
    }

    #[test]
    fn sums_by_way_of_machines_have_the_bits_of_the_tree() {
        for (machines, each) in [(2, 2), (3, 2), (2, 4), (5, 2), (4, 4)] {
            let within: Vec<Vec<Seat>> = (0..machines).map(|_| Seat::around(each)).collect();
            let mut across: Vec<Vec<Seat>> = (0..each).map(|_| Seat::around(machines)).collect();
            let of =
                |rank: usize| proof::values(101, rank as u64).iter().map(|v| v * 10f32.powi(rank as i32 % 5)).collect::<Vec<_>>();
            let want = join_shares((0..machines * each).map(of).collect());
            let sums = std::thread::scope(|scope| {
                let mut threads = Vec::new();
                for (machine, seats) in within.into_iter().enumerate() {
                    for (place, seat) in seats.into_iter().enumerate() {
                        let nodes = Nodes { within: Box::new(seat), across: Box::new(across[place].remove(0)) };
                        threads.push(scope.spawn(move || nodes.sum(of(machine * each + place)).unwrap()));
                    }
                }
                threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
            });
            assert!(sums.iter().all(|sum| *sum == want), "{machines} machines of {each}");
        }
    }
}

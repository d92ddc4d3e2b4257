//! A batch in parts on one device, and shared by several.

use super::*;
use crate::optim::with_average;
use crate::{BatchNorm2d, Dropout, InstanceNorm2d, Muon, join_shares};
use gpu_core::ops::MetricSums;
use std::ops::Range;

/// Images of one part.
const PART: usize = 2;
const STEPS: u64 = 3;

/// With norms whose statistics are kept apart, one of them computed twice, and random numbers.
fn built(device: &Device) -> Net {
    let layers = seq![
        Conv2d::new(8, 3),
        BatchNorm2d::new(),
        Relu,
        Conv2d::new(8, 3),
        InstanceNorm2d::new().tracked(),
        Dropout::new(0.3),
        Flatten,
        Linear::new(10)
    ];
    let net = layers.build(&Init::seeded(device, 4), [3, 8, 8]).unwrap();
    net.checkpoint_activations(3)
}

/// A process of its own: a network, its optimiser and its share of the step.
struct Peer {
    net: Net,
    optimizer: Muon,
    step: TrainStep,
    parts: Range<u32>,
}

impl Peer {
    fn new(device: &Device, parts: Range<u32>, options: &StepOptions) -> Self {
        let net = built(device);
        let optimizer = Muon::new(&net, 0.02).clip_norm(0.5).ema(0.9);
        let step = TrainStep::captured(&net, &optimizer, options).unwrap();
        Self { net, optimizer, step, parts }
    }

    fn of(device: &Device, parts: Range<u32>, of: u32) -> Self {
        let options = StepOptions::new(PART, [3, 8, 8]).seed(9);
        Self::new(device, parts.clone(), &if parts.len() as u32 == of { options.accumulate(of) } else { options.share(parts, of) })
    }

    fn run_parts(&self, step: u64) {
        for part in self.parts.clone() {
            assert_eq!(self.step.next_part(), part);
            let x = proof::values(PART * 3 * 8 * 8, 100 * step + u64::from(part));
            self.step.run_on(&x, &[(part + 1) % 10, (step as u32) % 10]).unwrap();
        }
    }

    /// All that there is, with the average of the weights.
    fn state(&self) -> Vec<Vec<f32>> {
        let state = self.optimizer.state().into_iter().map(|(_, tensor)| tensor.to_vec().unwrap());
        let averaged = with_average(&self.optimizer, || values(&self.net));
        values(&self.net).into_iter().chain(state).chain(averaged).collect()
    }
}

/// The numbers of each share.
type Sums = Vec<Vec<f32>>;

/// What training comes to where shares of `each` parts of `of` are computed apart and joined by `join`, on each of them; and the metrics
/// of all.
fn shared(device: &Device, each: u32, of: u32, join: impl Fn(Sums) -> Sums) -> (Vec<Vec<Vec<f32>>>, [u32; MetricSums::WORDS]) {
    let peers: Vec<Peer> = (0..of / each).map(|rank| Peer::of(device, rank * each..(rank + 1) * each, of)).collect();
    for step in 0..STEPS {
        peers.iter().for_each(|peer| peer.run_parts(step));
        if each == of {
            continue;
        }
        assert!(peers.iter().all(|peer| peer.step.is_due()));
        for (peer, sums) in peers.iter().zip(join(peers.iter().map(|peer| peer.step.part_sums().unwrap()).collect())) {
            peer.step.finish(&sums).unwrap();
        }
    }
    let metrics = peers.iter().map(|peer| peer.step.sums().unwrap()).reduce(MetricSums::joined).unwrap();
    (peers.iter().map(Peer::state).collect(), metrics)
}

/// The sum of all shares, for each.
fn joined(sums: Sums) -> Sums {
    vec![join_shares(sums.clone()); sums.len()]
}

#[test]
fn any_number_of_shares_comes_to_the_bits_of_one() {
    for device in proof::devices() {
        for (of, shares) in [(2, &[1][..]), (3, &[1]), (4, &[1, 2]), (6, &[1, 2]), (8, &[1, 2, 4])] {
            let (alone, metrics) = shared(&device, of, of, joined);
            for &each in shares {
                let (states, theirs) = shared(&device, each, of, joined);
                assert_eq!(states.len() as u32, of / each);
                assert_eq!(theirs, metrics, "metrics");
                for (rank, state) in states.iter().enumerate() {
                    assert!(*state == alone[0], "{}: {of} parts by {each}, share {rank}", device.name());
                }
            }
        }
    }
}

/// Each would pass a test that cannot tell.
#[test]
fn a_wrong_order_a_share_left_out_and_statistics_of_one_share_are_noticed() {
    let device = Device::Cpu;
    let (alone, _) = shared(&device, 4, 4, joined);
    let swapped = |mut sums: Sums| {
        sums.swap(1, 2);
        joined(sums)
    };
    let of_own_statistics = |sums: Sums| {
        let mut all = joined(sums.clone());
        // The gradients come first, and behind them what two norms found: 64 numbers for each of two statistics.
        let statistics = sums[0].len() - 256..;
        all.iter_mut().zip(&sums).for_each(|(all, own)| all[statistics.clone()].copy_from_slice(&own[statistics.clone()]));
        all
    };
    let without_the_last = |mut sums: Sums| {
        let shares = sums.len();
        sums.pop();
        vec![joined(sums)[0].clone(); shares]
    };
    assert!(shared(&device, 1, 4, swapped).0.iter().all(|state| *state != alone[0]), "swapped");
    assert!(shared(&device, 1, 4, of_own_statistics).0.iter().all(|state| *state != alone[0]), "statistics");
    assert!(shared(&device, 1, 4, without_the_last).0.iter().all(|state| *state != alone[0]), "left out");
    // Two steps that take themselves for the first draw the same numbers.
    let [first, second] = [0..1, 1..2].map(|parts| Peer::of(&device, parts, 2));
    let x = proof::values(PART * 3 * 8 * 8, 1);
    let gradients = [&first, &second].map(|peer| {
        peer.step.run_on(&x, &[1, 2]).unwrap();
        peer.step.part_sums().unwrap()
    });
    assert_ne!(gradients[0], gradients[1], "the random numbers of a part are its own");
}

/// By a formula of its own: the batch norm is the first layer, so that what it sees is known.
#[test]
fn running_statistics_move_once_by_the_mean_over_the_parts() {
    for device in proof::devices() {
        let net =
            seq![BatchNorm2d::new().momentum(0.25), Flatten, Linear::new(2)].build(&Init::seeded(&device, 4), [3, 4, 4]).unwrap();
        let sgd = Sgd::new(&net, 0.1);
        let step = TrainStep::captured(&net, &sgd, &StepOptions::new(2, [3, 4, 4]).accumulate(3)).unwrap();
        let (mut mean, mut var) = ([0.0f64; 3], [1.0f64; 3]);
        for s in 0..2 {
            let (mut means, mut vars) = ([0.0; 3], [0.0; 3]);
            for part in 0..3 {
                let x = proof::values(2 * 3 * 16, 10 * s + part);
                step.run_on(&x, &[0, 1]).unwrap();
                for channel in 0..3 {
                    let seen: Vec<f64> = (0..2).flat_map(|n| &x[(3 * n + channel) * 16..][..16]).map(|&v| f64::from(v)).collect();
                    let of = seen.iter().sum::<f64>() / 32.0;
                    means[channel] += of / 3.0;
                    vars[channel] += seen.iter().map(|v| (v - of) * (v - of)).sum::<f64>() / 31.0 / 3.0;
                }
            }
            for channel in 0..3 {
                mean[channel] = 0.75 * mean[channel] + 0.25 * means[channel];
                var[channel] = 0.75 * var[channel] + 0.25 * vars[channel];
            }
        }
        for (name, want) in [("running_mean", mean), ("running_var", var)] {
            let got = net.children()[0].param(name).value().to_vec().unwrap();
            for (got, want) in got.iter().zip(want) {
                assert!((f64::from(*got) - want).abs() < 1e-6, "{}: {name} {got}, {want}", device.name());
            }
        }
    }
}

/// What is computed twice moves its statistics twice, in order, as without parts.
#[test]
fn a_norm_that_is_computed_twice_moves_twice() {
    let device = Device::Cpu;
    let run = |parts: u32| {
        let net = seq![BatchNorm2d::new()].build(&Init::seeded(&device, 4), [2, 4, 4]).unwrap();
        let sgd = Sgd::new(&net, 0.0);
        let (one, other) = (proof::values(2 * 2 * 16, 1), proof::values(2 * 2 * 16, 2));
        let step = Step::on(&device).accumulate(parts).input("one", [2, 2, 4, 4]).input("other", [2, 2, 4, 4]);
        let step = step.capture(|pass| {
            let loss = net.forward(&pass.input("one")).square().mean() + net.forward(&pass.input("other")).square().mean();
            pass.update(&sgd, &loss);
        });
        let step = step.unwrap();
        (0..parts).for_each(|_| step.run(&[("one", &one), ("other", &other)]).unwrap());
        values(&net).concat()
    };
    let (once, in_parts) = (run(1), run(2));
    assert!(once.iter().zip(&in_parts).all(|(a, b)| (a - b).abs() < 1e-6), "{once:?}, {in_parts:?}");
}

#[test]
#[should_panic(expected = "step: the parts of this share are done; finish the step before the next one")]
fn a_share_that_is_due_is_not_run() {
    let peer = Peer::of(&Device::Cpu, 0..1, 2);
    peer.run_parts(0);
    let _ = peer.step.run();
}

#[test]
#[should_panic(expected = "finish: 1 of the 2 parts of this share are done")]
fn a_share_that_is_not_due_is_not_finished() {
    let peer = Peer::of(&Device::Cpu, 0..2, 4);
    Peer { parts: 0..1, ..peer }.finish_early();
}

impl Peer {
    fn finish_early(&self) {
        self.run_parts(0);
        let _ = self.step.finish(&[]);
    }
}

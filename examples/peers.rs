//! A network and data of one's own, trained by several processes to the bits of one.
//!
//! `cargo run --release --example peers`, and with any number of processes: `mpirun -n 4 target/release/examples/peers`. The last line
//! is the same.

use anyhow::Result;
use wgrad::gpu_core::rng::Stream;
use wgrad::nn::Metrics;
use wgrad::prelude::*;
use wgrad::train::peers::{Peers, launched};

/// Parts of a batch, which 1, 2, 4 or 8 processes share, and points of a part.
const PARTS: u32 = 8;
const POINTS: usize = 16;

/// The points of a part, on the arms of two spirals, by numbers that depend on the step and the part alone.
fn part(step: u64, part: u32) -> (Vec<f32>, Vec<u32>) {
    let drawn = Stream::new(step, part, 0);
    let point = |i: u32| {
        let [turn, arm, ..] = drawn.block(i);
        let (turn, arm) = (turn as f32 / u32::MAX as f32 * 6.0, arm % 2);
        let angle = turn + arm as f32 * std::f32::consts::PI;
        ([turn * angle.cos() / 6.0, turn * angle.sin() / 6.0], arm)
    };
    let (points, arms): (Vec<_>, Vec<_>) = (0..POINTS as u32).map(point).unzip();
    (points.concat(), arms)
}

fn main() -> Result<()> {
    let peers = launched().map_or_else(|| Ok(Peers::alone()), |launch| launch.join())?;
    peers.settle(true)?; // a GPU of its own, or its part of the cores
    let device = Device::auto()?;
    let layers = seq![Linear::new(32), Tanh, Linear::new(32), Tanh, Linear::new(2)];
    let net = layers.build(&Init::seeded(&device, 0), [2])?;
    let adam = AdamW::new(&net, 0.01);
    let share = peers.share(PARTS)?;
    let step = TrainStep::captured(&net, &adam, &StepOptions::new(POINTS, [2]).share(share.clone(), PARTS))?;
    for number in 0..300 {
        if number == 250 {
            step.reset_metrics();
        }
        for of_mine in share.clone() {
            let (points, arms) = part(number, of_mine);
            step.run_on(&points, &arms)?;
        }
        peers.finish(&step, Ok(()), false)?; // the sums of all parts, and the update
    }
    let metrics = Metrics::of(peers.metrics(step.sums()?)?, 1);
    if peers.is_first() {
        println!("{:.2} % of {} points, loss {:.6}", 100.0 * metrics.accuracy, metrics.images, metrics.loss);
    }
    peers.leave(None);
    anyhow::ensure!(metrics.accuracy > 0.9, "nothing was learned");
    Ok(())
}

//! A network and data of one's own, trained by several processes to the bits of one: `mpirun -n 4 target/release/examples/peers` says
//! what `cargo run --release --example peers` does.

use wgrad::gpu_core::rng::Stream;
use wgrad::nn::Metrics;
use wgrad::prelude::*;
use wgrad::train::peers::{Peers, launched};

const PARTS: u32 = 8; // of a batch, for 1, 2, 4 or 8 processes
const POINTS: usize = 16; // of a part

/// The points of a part, which depend on the step and the part alone, and whether both coordinates have one sign.
fn part(step: u64, part: u32) -> (Vec<f32>, Vec<u32>) {
    let drawn = (0..POINTS as u32).flat_map(|i| Stream::new(step, part, 0).block(i)[..2].to_vec());
    let points: Vec<f32> = drawn.map(|word| word as f32 / u32::MAX as f32 - 0.5).collect();
    let labels = points.chunks_exact(2).map(|point| u32::from(point[0] * point[1] > 0.0)).collect();
    (points, labels)
}

fn main() -> anyhow::Result<()> {
    let peers = launched().map_or_else(|| Ok(Peers::alone()), |launch| launch.join())?;
    peers.settle(true)?; // a GPU of its own, or its part of the cores
    let (device, share) = (Device::auto()?, peers.share(PARTS)?);
    let net = seq![Linear::new(32), Tanh, Linear::new(2)].build(&Init::seeded(&device, 0), [2])?;
    let adam = AdamW::new(&net, 0.02);
    let step = TrainStep::captured(&net, &adam, &StepOptions::new(POINTS, [2]).share(share.clone(), PARTS))?;
    for number in 0..300 {
        step.reset_metrics(); // those of the last batch are told
        for mine in share.clone() {
            let (points, labels) = part(number, mine);
            step.run_on(&points, &labels)?;
        }
        peers.finish(&step, Ok(()), false)?; // the sums of all parts, and the update
    }
    let Metrics { images, loss, accuracy } = Metrics::of(peers.metrics(step.sums()?)?, 1); // of all
    peers.is_first().then(|| println!("{:.1} % of {images} points, loss {loss:.6}", 100.0 * accuracy));
    peers.leave(None);
    anyhow::ensure!(accuracy > 0.9, "it has not learned");
    Ok(())
}

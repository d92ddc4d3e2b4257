//! A siamese network (Hadsell et al., 2006) on the built-in images: `cargo run --release --example siamese`
//!
//! Two inputs pass one network, which learns to lay images of one class close together, and others apart.
#[path = "common/options.rs"]
mod options;

use wgrad::prelude::*;

const PAIRS: usize = 32;
const IMAGES: [usize; 4] = [PAIRS, 3, 32, 32];
/// Images of different classes are to be so far apart.
const MARGIN: f32 = 2.0;

fn main() -> anyhow::Result<()> {
    let (device, steps, _) = options::read(400)?;
    let data = data::builtin::generate(4000, 1000);

    #[rustfmt::skip] // a row for each block
    let net = seq![
        Conv2d::new(16, 3).padding(1).no_bias(), BatchNorm2d::new(), Relu, MaxPool2d::new(2),
        Conv2d::new(32, 3).padding(1).no_bias(), BatchNorm2d::new(), Relu, MaxPool2d::new(2),
        Conv2d::new(64, 3).padding(1).no_bias(), BatchNorm2d::new(), Relu, MaxPool2d::new(2),
        Flatten, Linear::new(16),
    ];
    let net = net.build(&Init::seeded(&device, 0), [3, 32, 32])?;
    let adam = Adam::new(&net, 1e-3);

    let distance = |pass: &StepPass<'_>| {
        let apart = net.forward(&pass.input("left")) - net.forward(&pass.input("right"));
        (apart.square().sum_axes(&[1], false) + 1e-6).sqrt()
    };
    let train = Step::on(&device).input("left", IMAGES).input("right", IMAGES).input("same", [PAIRS]).capture(|pass| {
        let (distance, same) = (distance(pass), pass.input("same"));
        let loss = (&same * distance.square() + (1.0 - &same) * (MARGIN - &distance).relu().square()).mean();
        pass.update(&adam, &loss);
        pass.output("loss", &loss);
    })?;
    let test = Step::on(&device).evaluate().no_gradients().input("left", IMAGES).input("right", IMAGES);
    let test = test.capture(|pass| pass.output("distance", &distance(pass)))?;

    for (i, batch) in batches(data.train.len(), PAIRS, 0).take(steps).enumerate() {
        let (left, right, same) = pairs(&data.train, &batch);
        train.run(&[("left", &left), ("right", &right), ("same", &same)])?;
        if i % 50 == 0 || i + 1 == steps {
            println!("{i:4}: loss {:.3}", train.value("loss")?);
        }
    }

    let (mut right_ones, mut all) = (0, 0);
    for batch in batches(data.test.len(), PAIRS, 1).take(data.test.len() / PAIRS) {
        let (left, right, same) = pairs(&data.test, &batch);
        test.run(&[("left", &left), ("right", &right)])?;
        let told = test.values("distance")?.into_iter().map(|distance| distance < MARGIN / 2.0);
        right_ones += told.zip(&same).filter(|(told, same)| *told == (**same == 1.0)).count();
        all += same.len();
    }
    let share = right_ones as f32 / all as f32;
    println!("{:.1} % of {all} pairs that it has never seen are told right", 100.0 * share);
    anyhow::ensure!(share > 0.6, "it has not learned: half of the pairs would be told right by chance");
    Ok(())
}

/// The images at `rows` with partners: of the same class for every other one, of the next class for the rest. Image `i` of the
/// built-in set has class `i % 10`.
fn pairs(set: &ImageSet, rows: &[u32]) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    let same: Vec<f32> = (0..rows.len()).map(|i| (i % 2) as f32).collect();
    let partner = |(i, row): (usize, &u32)| (row + 10 * (1 + i as u32) + (i as u32 + 1) % 2) % set.len() as u32;
    let partners: Vec<u32> = rows.iter().enumerate().map(partner).collect();
    (set.floats(rows), set.floats(&partners), same)
}

//! Segmentation by the zoo's U-Net with Dice and cross-entropy: `cargo run --release --example unet_dice`
//!
//! The pictures, discs and squares in noise, are drawn here; which pixels are theirs is what is learned.
#[path = "common/options.rs"]
mod options;

use wgrad::gpu_core::rng::Stream;
use wgrad::prelude::*;

const BATCH: usize = 8;
const SIDE: usize = 16;
const IMAGES: [usize; 4] = [BATCH, 1, SIDE, SIDE];

fn main() -> anyhow::Result<()> {
    let (device, steps, out) = options::read(100)?;
    let net = zoo::build("unet", &Init::seeded(&device, 0), [1, SIDE, SIDE].into(), 1)?;
    let adam = Adam::new(&net, 1e-3);

    let train = Step::on(&device).input("x", IMAGES).input("mask", IMAGES).capture(|pass| {
        let (logits, mask) = (net.forward(&pass.input("x")), pass.input("mask"));
        let cross_entropy = logits.bce_with_logits(&mask, None, None, ops::Reduction::Mean);
        let dice = dice(&logits.sigmoid(), &mask);
        pass.update(&adam, &(&cross_entropy + 1.0 - &dice));
        pass.output("cross-entropy", &cross_entropy);
        pass.output("dice", &dice);
    })?;
    for i in 0..steps {
        let (x, mask) = draw(i as u64);
        train.run(&[("x", &x), ("mask", &mask)])?;
        if i % 10 == 0 || i + 1 == steps {
            println!("{i:4}: cross-entropy {:.3}, Dice {:.3}", train.value("cross-entropy")?, train.value("dice")?);
        }
    }

    let test = Step::on(&device).evaluate().no_gradients().input("x", IMAGES).input("mask", IMAGES).capture(|pass| {
        let (logits, mask) = (net.forward(&pass.input("x")), pass.input("mask"));
        pass.output("dice", &dice(&(100.0 * &logits).sigmoid(), &mask)); // each pixel yes or no
        pass.output("rows", &Var::concat(&[pass.input("x"), mask, logits.sigmoid()], 0));
    })?;
    let (x, mask) = draw(u64::MAX);
    test.run(&[("x", &x), ("mask", &mask)])?;
    save_grid(out.join("unet_dice.png"), test.output("rows"), BATCH)?;
    println!("{} shows pictures, masks and what was found", out.join("unet_dice.png").display());
    let dice = test.value("dice")?;
    println!("Dice {dice:.3} on pictures that it has never seen");
    anyhow::ensure!(dice > 0.65, "it has not learned");
    Ok(())
}

/// Twice the common part over the sum of both: 1 where they are the same.
fn dice(found: &Var, mask: &Var) -> Var {
    (2.0 * (found * mask).sum() + 1.0) / ((found + mask).sum() + 1.0)
}

/// Pictures of a disc or a square each, and their masks.
fn draw(number: u64) -> (Vec<f32>, Vec<f32>) {
    let (noise, places) = (Stream::new(number, 0, 0), Stream::new(number, 1, 0));
    let pixel = |i: usize| {
        let (image, row, column) = (i / (SIDE * SIDE), (i / SIDE % SIDE) as f32, (i % SIDE) as f32);
        let [y, x, size, light] = [0, 1, 2, 3].map(|k| places.uniform(4 * image as u64 + k));
        let (dy, dx, size) = ((row - 4.0 - 8.0 * y).abs(), (column - 4.0 - 8.0 * x).abs(), 2.0 + 3.0 * size);
        let inside = if image % 2 == 0 { dy.hypot(dx) < size } else { dy.max(dx) < size };
        let ground = 0.6 * noise.uniform(i as u64);
        if inside { (0.6 * ground + 0.3 + 0.4 * light, 1.0) } else { (ground, 0.0) }
    };
    (0..BATCH * SIDE * SIDE).map(pixel).unzip()
}

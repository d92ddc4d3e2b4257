//! A DCGAN on the built-in images: `cargo run --release --example gan`
//!
//! Two captured steps. The generator learns through a discriminator whose gradients nobody computes: an update asks for those of its
//! own parameters alone.
#[path = "common/options.rs"]
mod options;

use wgrad::prelude::*;

const BATCH: usize = 32;
const CODE: usize = 32;

fn main() -> anyhow::Result<()> {
    let (device, steps, out) = options::read(400)?;
    let data = data::builtin::generate(2000, 0).train;

    let cx = Init::seeded(&device, 0);
    let up = |channels| ConvTranspose2d::new(channels, 4).stride(2).padding(1).no_bias();
    let down = |channels| Conv2d::new(channels, 4).stride(2).padding(1).no_bias();
    #[rustfmt::skip] // a row for each block
    let generator = seq![
        ConvTranspose2d::new(64, 4).no_bias(), BatchNorm2d::new(), Relu,
        up(32), BatchNorm2d::new(), Relu,
        up(16), BatchNorm2d::new(), Relu,
        up(3), Sigmoid,
    ];
    #[rustfmt::skip]
    let discriminator = seq![
        down(16), LeakyRelu::new(0.2),
        down(32), BatchNorm2d::new(), LeakyRelu::new(0.2),
        down(64), BatchNorm2d::new(), LeakyRelu::new(0.2),
        Conv2d::new(1, 4), Flatten,
    ];
    let generator = generator.build(&cx, [CODE, 1, 1])?;
    let discriminator = discriminator.build(&cx, [3, 32, 32])?;
    let of_generator = Adam::new(&generator, 1e-3).betas(0.5, 0.999);
    let of_discriminator = Adam::new(&discriminator, 1e-3).betas(0.5, 0.999);

    // Cross-entropy of logits: softplus(-logit) where the answer is "real", softplus(logit) where it is "made".
    let judge = Step::on(&device).input("real", [BATCH, 3, 32, 32]).capture(|pass| {
        let made = generator.forward(&pass.normal([BATCH, CODE, 1, 1])).detach();
        let (real, made) = (discriminator.forward(&pass.input("real")), discriminator.forward(&made));
        let loss = (-real).softplus(1.0, 20.0).mean() + made.softplus(1.0, 20.0).mean();
        pass.update(&of_discriminator, &loss);
        pass.output("loss", &loss);
    })?;
    let deceive = Step::on(&device).capture(|pass| {
        let made = generator.forward(&pass.normal([BATCH, CODE, 1, 1]));
        let loss = (-discriminator.forward(&made)).softplus(1.0, 20.0).mean();
        pass.update(&of_generator, &loss);
        pass.output("loss", &loss);
        pass.output("made", &made);
    })?;

    let real = Tensor::from_slice(&device, [500, 3, 32, 32], &data.floats(&Vec::from_iter(0..500)));
    let mut distances = Vec::new();
    for (step, batch) in batches(data.len(), BATCH, 0).take(steps).enumerate() {
        judge.run(&[("real", &data.floats(&batch))])?;
        deceive.run(&[])?;
        if step % 50 == 0 || step + 1 == steps {
            let off = distance(deceive.output("made"), &real)?;
            println!("{step:4}: judge {:.3}, deceive {:.3}, off {off:.3}", judge.value("loss")?, deceive.value("loss")?);
            distances.push(off);
        }
    }
    save_grid(out.join("gan.png"), deceive.output("made"), 8)?;
    println!("{} shows what it draws", out.join("gan.png").display());
    let (first, last) = (distances[0], distances[distances.len() - 1]);
    anyhow::ensure!(last < 0.5 * first, "it has not learned to draw: off by {last:.3}, at first by {first:.3}");
    Ok(())
}

/// How far two sets of images are apart: in brightness, and in contrast.
fn distance(a: &Tensor, b: &Tensor) -> anyhow::Result<f32> {
    let axes = &[0, 2, 3];
    let mean = a.mean_axes(axes, false) - b.mean_axes(axes, false);
    let std = a.std(axes, 0, false) - b.std(axes, 0, false);
    Ok((mean.abs() + std.abs()).mean().item()?)
}

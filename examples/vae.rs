//! A variational autoencoder (Kingma and Welling, 2014) on the built-in images: `cargo run --release --example vae`
//!
//! The pass draws the normal numbers of the reparameterisation itself, others in every run.
#[path = "common/options.rs"]
mod options;

use wgrad::prelude::*;

const BATCH: usize = 32;
const CODE: usize = 32;

struct Vae {
    encoder: Net,
    decoder: Net,
}
parameters!(Vae { encoder, decoder });

fn main() -> anyhow::Result<()> {
    let (device, steps, out) = options::read(600)?;
    let data = data::builtin::generate(2000, 0).train;

    let cx = Init::seeded(&device, 0);
    let down = |channels| Conv2d::new(channels, 4).stride(2).padding(1);
    let up = |channels| ConvTranspose2d::new(channels, 4).stride(2).padding(1);
    #[rustfmt::skip] // what halves and what doubles
    let vae = Vae {
        encoder: seq![down(16), Relu, down(32), Relu, down(64), Relu, Conv2d::new(2 * CODE, 4)].build(&cx, [3, 32, 32])?,
        decoder: seq![ConvTranspose2d::new(64, 4), Relu, up(32), Relu, up(16), Relu, up(3), Sigmoid].build(&cx, [CODE, 1, 1])?,
    };
    let adam = Adam::new(&vae, 2e-3);

    // For each image, the negative of the evidence's lower bound with a normal distribution around what the decoder draws.
    let step = Step::on(&device).input("x", [BATCH, 3, 32, 32]).capture(|pass| {
        let x = pass.input("x");
        let code = vae.encoder.forward(&x);
        let (mu, log_var) = (&code.narrow(1, 0, CODE), &code.narrow(1, CODE, CODE));
        let z = mu + pass.normal(mu.shape()) * (log_var / 2.0).exp();
        let drawn = vae.decoder.forward(&z);
        let error = (&x - &drawn).square().sum() / BATCH as f32;
        let kl = (mu.square() + log_var.exp() - log_var - 1.0).sum() / (2 * BATCH) as f32;
        pass.update(&adam, &(&error / (2.0 * 0.1 * 0.1) + &kl));
        for (name, value) in [("error", &error), ("kl", &kl), ("z", &z), ("drawn", &drawn)] {
            pass.output(name, value);
        }
    })?;

    for (i, batch) in batches(data.len(), BATCH, 0).take(steps).enumerate() {
        step.run(&[("x", &data.floats(&batch))])?;
        if i % 50 == 0 || i + 1 == steps {
            println!("{i:4}: squared error {:.1}, divergence {:.1}", step.value("error")?, step.value("kl")?);
        }
    }

    // What it sees, what it makes of that, and what it draws from nothing.
    let shown: Vec<u32> = (0..BATCH as u32).collect();
    let x = Tensor::from_slice(&device, [BATCH, 3, 32, 32], &data.floats(&shown));
    step.run(&[("x", &x)])?;
    let (first, drawn) = (step.values("z")?, step.output("drawn").narrow(0, 0, 16));
    step.run(&[("x", &x)])?;
    anyhow::ensure!(step.values("z")? != first, "two runs drew the same numbers");
    let imagined = vae.decoder.forward(&Tape::pass(&device).evaluate().tape().normal([16, CODE, 1, 1]));
    save_grid(out.join("vae.png"), &ops::concat(&[&x.narrow(0, 0, 16), &drawn, imagined.value()], 0), 16)?;
    println!("{} shows images, what became of them, and what it draws by itself", out.join("vae.png").display());

    let (error, variance) = (step.value("error")?, x.var(&[0], 0, false).sum().item()?);
    anyhow::ensure!(error < 0.8 * variance, "it has not learned: off by {error:.1}, the mean picture is by {variance:.1}");
    Ok(())
}

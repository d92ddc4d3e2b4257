//! Trains a CNN on the built-in images and saves it: `cargo run --release --example train_cnn`
use wgrad::prelude::*;

const BATCH: usize = 64;
const EPOCHS: usize = 2;

fn main() -> anyhow::Result<()> {
    let device = Device::auto()?; // a hardware GPU, else the CPU
    let data = data::open("builtin")?; // or the folder of CIFAR-10, CIFAR-100 or MNIST

    #[rustfmt::skip] // a row for each block
    let net = seq![
        Conv2d::new(16, 3).padding(1).no_bias(), BatchNorm2d::new(), Relu, MaxPool2d::new(2),
        Conv2d::new(32, 3).padding(1).no_bias(), BatchNorm2d::new(), Relu, MaxPool2d::new(2),
        Conv2d::new(64, 3).padding(1).no_bias(), BatchNorm2d::new(), Relu, MaxPool2d::new(2),
        Flatten, Dropout::new(0.2), Linear::new(10),
    ];
    let net = net.build(&Init::seeded(&device, 0), [3, 32, 32])?;
    println!("{}\n{}", device.name(), Summary::of(&net, [BATCH, 3, 32, 32].into())?);

    // The images stay on the device; the feed picks and normalises a batch of them there, as the first kernels of the step.
    let sgd = Sgd::new(&net, 0.0).momentum(0.9).weight_decay(5e-4);
    let mut feed = Source::new(&device, &data.train).feed(BATCH, &Treatment::of(&data));
    let options = StepOptions::new(BATCH, [3, 32, 32]);
    let step = TrainStep::captured_with(&net, &sgd, &options, |slots| feed.launch(slots))?;

    let steps = EPOCHS * (data.train.len() / BATCH);
    for epoch in 0..EPOCHS {
        for batch in shuffled(data.train.len(), 0, epoch as u64).chunks_exact(BATCH) {
            sgd.set_lr(schedule::one_cycle(0.1, sgd.steps() as usize, steps));
            feed.fill(sgd.steps(), batch)?;
            step.run()?;
        }
        println!("epoch {epoch}: loss {:.3}, test accuracy {:.2} %", step.mean_loss()?, 100.0 * accuracy(&net, &device, &data)?);
        step.reset_metrics();
    }
    Ok(checkpoint::save(&net, "cnn.safetensors")?)
}

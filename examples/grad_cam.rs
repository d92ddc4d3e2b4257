//! Grad-CAM (Selvaraju et al., 2017): what a network looks at. `cargo run --release --example grad_cam`
//!
//! Every image has a mark in its lower right corner, whose colour tells the class. The network takes that short cut, and its maps
//! show it.
#[path = "common/options.rs"]
mod options;

use wgrad::prelude::*;

const BATCH: usize = 50;
const SHOWN: usize = 20;
/// Rows and columns of the mark.
const MARK: usize = 8;
/// Where it begins.
const AT: usize = 32 - MARK;

fn main() -> anyhow::Result<()> {
    let (device, steps, out) = options::read(100)?;
    let data = data::builtin::generate(2000, SHOWN);
    let mark = data::Watermark::new(&device, &marks(), [3, MARK, MARK], [AT, AT], [32, 32]);

    #[rustfmt::skip] // a row for each block
    let net = seq![
        Conv2d::new(16, 3).padding(1).no_bias(), BatchNorm2d::new(), Relu, MaxPool2d::new(2),
        Conv2d::new(32, 3).padding(1).no_bias(), BatchNorm2d::new(), Relu,
        Conv2d::new(64, 3).padding(1).no_bias(), BatchNorm2d::new(), Relu,
        GlobalAvgPool, Flatten, Linear::new(10),
    ];
    let net = net.build(&Init::seeded(&device, 0), [3, 32, 32])?;
    let adam = Adam::new(&net, 1e-2);
    let marked = mark.clone();
    let mut feed =
        Source::new(&device, &data.train).transformed(move |x, labels| marked.apply(x, labels)).feed(BATCH, &Treatment::of(&data));
    let options = StepOptions::new(BATCH, [3, 32, 32]);
    let step = TrainStep::captured_with(&net, &adam, &options, |slots| feed.launch(slots))?;
    for (i, batch) in batches(data.train.len(), BATCH, 0).take(steps).enumerate() {
        feed.fill(adam.steps(), &batch)?;
        step.run()?;
        if i % 10 == 0 || i + 1 == steps {
            println!("{i:4}: loss {:.3}", step.loss()?);
        }
    }

    // Images that it has never seen, marked as the others.
    let [mean, std] = [&data.mean, &data.std].map(|values| Tensor::from_slice(&device, [3, 1, 1], values));
    let pictures = Tensor::from_slice(&device, [SHOWN, 3, 32, 32], &data.test.floats(&Vec::from_iter(0..SHOWN as u32)));
    let labels = Tensor::from_slice(&device, [SHOWN], data.test.labels());
    let x = (pictures - &mean) / &std;
    mark.apply(&x, &labels);

    let layer = net.last_spatial().expect("a convolution is there");
    let cam = net.grad_cam(&layer, &x, &labels);
    let heat = cam.upsample2d(ops::Upsample2dGeometry::bilinear_by(2.0));
    let heat = &heat / (heat.amax(&[1, 2, 3], true) + 1e-6);

    let red = Tensor::from_slice(&device, [3, 1, 1], &[1.0f32, 0.0, 0.0]);
    save_grid(out.join("grad_cam.png"), &((x * std + mean).clamp(0.0, 1.0) * 0.5 + &heat * red * 0.5), 10)?;
    println!("{} shows in red what it looks at", out.join("grad_cam.png").display());
    let at_the_mark = heat.narrow(2, AT - 2, MARK + 2).narrow(3, AT - 2, MARK + 2).sum().item()? / heat.sum().item()?;
    println!("{:.0} % of it lies about the mark, a tenth of the image", 100.0 * at_the_mark);
    anyhow::ensure!(at_the_mark > 0.4, "it has not learned to look at the mark");
    Ok(())
}

/// A square for each class: of a colour of its own, darker or brighter than any image.
fn marks() -> Vec<f32> {
    let levels = |class: usize| [class % 3, class / 3 % 3, class / 9];
    (0..10).flat_map(levels).flat_map(|level| [[-4.0, 0.0, 4.0][level]; MARK * MARK]).collect()
}

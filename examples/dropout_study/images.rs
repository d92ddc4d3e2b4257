//! Part I: images that carry their labels. A network may read those and look no further.

use crate::common::{Axes, Grid, Series, Study, row};
use wgrad::prelude::*;
use wgrad::train::evaluate::Evaluator;

/// Two networks, without dropout and with much of it, on such images.
pub fn cheat(study: &mut Study) -> anyhow::Result<()> {
    let mut data = study.dataset()?;
    study.note(
        "Each image carries its label: four pixels in its lower right corner are the label's bits. A network that reads them \
         knows the training set and nothing about images without them.",
    );
    if data.name == "CIFAR-10" {
        (data.mean, data.std) = (vec![0.4914, 0.4822, 0.4465], vec![0.2023, 0.1994, 0.2010]);
    }
    let drawn = study.data() == "builtin";
    if drawn {
        study.note("The built-in pictures are easier to tell apart than photographs; here they have a third of their contrast.");
        data.std.iter_mut().for_each(|std| *std *= 3.0);
    }
    let watermark = feature(&study.device, &data);
    show(study, &data, &watermark)?;
    let short = (4000, 8, if drawn { 0.02 } else { 0.03 });
    // The recorded runs' settings are for CIFAR-10.
    let (images, epochs, lr) = study.pick((256, 1, 0.01), short, if drawn { short } else { (50_000, 10, 3e-3) });
    let (mut series, mut table, mut ends) = (Vec::new(), Vec::new(), Vec::new());
    for p in [0.0, 0.75] {
        let history = learn(study, &data, &watermark, p, (images, epochs, lr))?;
        for (epoch, [loss, clean, marked]) in (1..).zip(&history) {
            table.push(row![p, epoch, *loss, 100.0 * clean, 100.0 * marked]);
        }
        for (name, i) in [("clean", 1), ("with the feature", 2)] {
            let points = history.iter().enumerate().map(|(epoch, h)| [epoch as f64 + 1.0, 100.0 * h[i]]);
            series.push(Series::line(&format!("p = {p}, {name}"), points.collect::<Vec<_>>()));
        }
        ends.push(history[epochs - 1]);
    }
    let columns = ["p", "epoch", "training loss", "test, clean (%)", "test, with the feature (%)"];
    study.table("Learning from images that carry their labels", &columns, table);
    study.plot(Axes::new("Test accuracy over the epochs", "epoch", "accuracy (%)").y_range(0.0, 102.0), &series);
    let sets: Vec<[f64; 2]> = ends.iter().map(|e| [100.0 * e[1], 100.0 * e[2]]).collect();
    let axes = Axes::new("Test accuracy after training", "test images", "accuracy (%)").y_range(0.0, 109.0);
    study.bars(axes, &["clean", "with the feature"], &[("p = 0", &sets[0]), ("p = 0.75", &sets[1])]);
    if !study.quick() && ["builtin", "CIFAR-10"].contains(&data.name.as_str()) {
        let [none, much] = [ends[0], ends[1]];
        // Each class that the last ReLU leaves dead costs a tenth: one is allowed for, and some percent that are not learned yet.
        study.check_between("p = 0: accuracy with the feature", none[2], 0.8, 1.0);
        // Chance is a tenth; networks that do not cheat reach three tenths and more in this time.
        study.check_between("p = 0: accuracy without it", none[1], 0.05, 0.25);
        study.check_between("p = 0.75: accuracy with the feature", much[2], 0.3, 0.95);
        // A score of 2000 images is known to 1 %: five standard errors at least.
        study.check_between("what dropout wins on clean images", much[1] - none[1], 0.05, 0.5);
    }
    Ok(())
}

/// The label's bits, the highest first, in the last columns of the bottom row: 3 for a one and 0 for a zero in the first channel, -2
/// and 1 in the others.
fn feature(device: &Device, data: &Dataset) -> data::Watermark {
    let bits = (data.classes.len() - 1).ilog2() as usize + 1;
    let (channels, size) = (data.train.channels(), [data.train.height(), data.train.width()]);
    let mut pictures = Vec::new();
    for label in 0..data.classes.len() {
        for channel in 0..channels {
            let bit = (0..bits).rev().map(|b| 3.0 * (label >> b & 1) as f32);
            pictures.extend(bit.map(|bit| if channel == 0 { bit } else { 1.0 - bit }));
        }
    }
    data::Watermark::new(device, &pictures, [channels, 1, bits], [size[0] - 1, size[1] - bits], size)
}

/// The first channel of a test image as the networks see it, without the feature and with it.
fn show(study: &mut Study, data: &Dataset, watermark: &data::Watermark) -> anyhow::Result<()> {
    let (set, at) = (&data.test, 7);
    let plane = set.height() * set.width();
    let normal = |(i, &x): (usize, &u8)| (f32::from(x) / 255.0 - data.mean[i / plane]) / data.std[i / plane];
    let values: Vec<f32> = set.image(at).iter().enumerate().map(normal).collect();
    let x = Tensor::from_slice(&study.device, [1, set.channels(), set.height(), set.width()], &values);
    watermark.apply(&x, &Tensor::from_slice(&study.device, [1], &set.labels()[at..=at]));
    let grid = |name: &str, v: &[f32]| Grid::new(name, set.width(), &v[..plane].iter().map(|&v| v.into()).collect::<Vec<f64>>());
    let (clean, marked) = (grid("clean", &values), grid(&format!("label {}", set.labels()[at]), &x.to_vec()?));
    study.grids("An image without the feature and with it", &[clean, marked]);
    Ok(())
}

/// Its batches have the feature, put there after they are normalised.
fn cheating<'a>(source: Source<'a>, watermark: &data::Watermark) -> Source<'a> {
    let watermark = watermark.clone();
    source.transformed(move |x, labels| watermark.apply(x, labels))
}

/// Training loss, clean accuracy and that with the feature, after each epoch.
fn learn(
    study: &Study,
    data: &Dataset,
    watermark: &data::Watermark,
    p: f32,
    (images, epochs, lr): (usize, usize, f32),
) -> anyhow::Result<Vec<[f64; 3]>> {
    const BATCH: usize = 64;
    let (device, cx) = (&study.device, Init::seeded(&study.device, 1));
    let (c, h, w) = (data.train.channels(), data.train.height(), data.train.width());
    // The course's network, with its ReLU on the logits, and log-softmax, which cross-entropy applies once more in vain.
    #[rustfmt::skip] // a row for each block
    let net = seq![
        Conv2d::new(16, 3).padding(1), MaxPool2d::new(2), Relu, Dropout::new(p),
        Conv2d::new(32, 3).padding(1), MaxPool2d::new(2), Relu, Dropout::new(p),
        Flatten, Linear::new(data.classes.len()), Relu, LogSoftmax::new(1),
    ];
    let net = net.build(&cx, [c, h, w])?;
    let how = Treatment::of(data);
    let sgd = Sgd::new(&net, lr);
    let mut feed = cheating(Source::new(device, &data.train), watermark).feed(BATCH, &how);
    let step = TrainStep::captured_with(&net, &sgd, &StepOptions::new(BATCH, [c, h, w]), |slots| feed.launch(slots))?;
    let loss = Loss::CrossEntropy { smoothing: 0.0 };
    let tests = [Source::new(device, &data.test), cheating(Source::new(device, &data.test), watermark)];
    let mut evaluators = Vec::new();
    for source in &tests {
        evaluators.push(Evaluator::new(&net, device, source, study.pick(200, 2000, usize::MAX), loss, &how)?);
    }
    let mut history = Vec::new();
    for epoch in 0..epochs {
        step.reset_metrics();
        for batch in shuffled(images.min(data.train.len()), 0, epoch as u64).chunks_exact(BATCH) {
            feed.fill(sgd.steps(), batch)?;
            step.run()?;
        }
        let mut line = [step.mean_loss()?, 0.0, 0.0];
        for (score, evaluator) in line[1..].iter_mut().zip(&mut evaluators) {
            *score = evaluator.score()?.map_or(f64::NAN, |s| s.accuracy);
        }
        let [loss, clean, marked] = line;
        println!("p {p}, epoch {}: loss {loss:.3}, clean {:.2} %, with it {:.2} %", epoch + 1, 100.0 * clean, 100.0 * marked);
        history.push(line);
    }
    Ok(history)
}

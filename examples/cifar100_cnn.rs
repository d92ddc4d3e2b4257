//! A CNN trained on CIFAR-100: `cargo run --release --example cifar100_cnn -- --full --data cifar-100-binary`
//!
//! Three networks in one loop: the given one, plain and regularised, and a residual network of our own. Where CIFAR-100 is not there, the
//! same code runs on what is; `--full` then makes a stand-in of 100 classes besides.
mod common;

use common::{Axes, Series, Study, row};
use std::time::Instant;
use wgrad::nn::{parameter_count, parameters};
use wgrad::prelude::*;
use wgrad::train::augmentation::Augmentation;
use wgrad::train::evaluate::{Evaluator, Score};
use wgrad::train::trainer::Tally;

const BATCH: usize = 32;
const SEED: u64 = 227;

fn main() -> anyhow::Result<()> {
    let question = "How far does a small network get in a few epochs, with batch norm and dropout and a design of one's own?";
    let mut study = Study::begin("cifar100_cnn", question)?;
    count(&mut study)?;
    let data = study.dataset()?;
    let images = Images::of(&data, study.pick(2 * BATCH + BATCH / 2, 6_000, usize::MAX));
    let epochs = study.pick([1, 1], [2, 3], [5, 8]);
    if images.classes == 100 {
        compare(&mut study, &images, epochs)?;
        return study.finish();
    }
    study.note(
        "This is not CIFAR-100. For that, unpack https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz and name the folder: --data \
         cifar-100-binary. Its thresholds of 35 %, 38 % and 44 % are checked there alone.",
    );
    if images.name == "builtin" {
        study.note(
            "The built-in classes take turns, so that even rows, which validate, hold other classes than odd ones, which test.",
        );
    }
    compare(&mut study, &images, epochs)?;
    if study.full() {
        study.note(
            "A stand-in of 100 classes, with as many images of a class as CIFAR-100 has where CIFAR-10 is given: two images, each squeezed \
             to half its height, one above the other. The class is the pair of theirs.",
        );
        compare(&mut study, &images.pairs(), [5; 2])?;
    }
    study.finish()
}

/// The given network: three convolutions and two linear layers; `regular` with batch norm and dropout.
fn given(classes: usize, regular: bool) -> Sequential {
    let mut net = seq![];
    for (k, stride) in [(16, 1), (32, 1), (64, 2)] {
        net = net.push(Conv2d::new(k, 3).stride(stride).padding(1));
        net = if regular { net.push(BatchNorm2d::new()) } else { net };
        net = net.push(Relu);
        net = if stride == 1 { net.push(MaxPool2d::new(2)) } else { net };
    }
    net = net.push(..seq![Flatten, Linear::new(256), Relu]);
    net = if regular { net.push(Dropout::new(0.2)) } else { net };
    net.push(Linear::new(classes))
}

/// Our own: two convolutions that are pooled at once, so that little is done at full size, and two residual blocks.
fn own(classes: usize) -> Sequential {
    let conv = |k, side: usize, stride| Conv2d::new(k, side).stride(stride).padding(side / 2).no_bias();
    let mut net = seq![];
    for k in [32, 64] {
        net = net.push(..seq![conv(k, 3, 1), MaxPool2d::new(2), BatchNorm2d::new(), Relu]);
    }
    for [k, stride] in [[128, 1], [192, 2]] {
        let norm = BatchNorm2d::new();
        let body = seq![conv(k, 3, stride), norm, Relu, conv(k, 3, 1), norm];
        net = net.push(Residual::new(body).shortcut(seq![conv(k, 1, stride), norm])).push(Relu);
    }
    net.push(..seq![GlobalAvgPool, Flatten, Linear::new(classes)])
}

/// What the course prescribes of the networks for 100 classes.
fn count(study: &mut Study) -> anyhow::Result<()> {
    let cx = Init::seeded(&study.device, SEED);
    let mut rows = Vec::new();
    for (name, layers) in [("plain", given(100, false)), ("BN + dropout", given(100, true)), ("own design", own(100))] {
        let net = layers.build(&cx, [3, 32, 32])?;
        let summary = Summary::of(&net, [1, 3, 32, 32].into())?;
        rows.push(row![name, parameters(&net).len(), parameter_count(&net), summary.multiply_adds]);
        match name {
            "plain" => {
                study.check("plain: state tensors", parameters(&net).len() as f64, 10.0, 0.0);
                study.check("plain: parameters", parameter_count(&net) as f64, 311_684.0, 0.0);
            }
            "own design" => study.check_between("own design: parameters", parameter_count(&net) as f64, 1.0, 1e6),
            _ => {
                // PyTorch counts the batches of each normalisation in a tensor of its own, which changes nothing that is computed.
                let counters = net.children().iter().filter(|layer| layer.is::<BatchNorm2d>()).count();
                study.check(
                    "BN: state tensors, a counter for each BN included",
                    (parameters(&net).len() + counters) as f64,
                    25.0,
                    0.0,
                );
                study.check("BN: parameters", parameter_count(&net) as f64, 311_908.0, 0.0);
            }
        }
    }
    study.table("Three networks for 100 classes", &["network", "tensors", "parameters", "multiply-adds"], rows);
    Ok(())
}

/// Images to train on, to watch and to judge by.
struct Images {
    name: String,
    classes: usize,
    train: ImageSet,
    validation: ImageSet,
    test: ImageSet,
}

impl Images {
    /// At most `most` training images, and as many of the others; even rows of the test set validate, odd rows test.
    fn of(data: &Dataset, most: usize) -> Self {
        let every_other = |from: usize| data.test.select((from..data.test.len()).step_by(2).take(most));
        Self {
            name: data.name.clone(),
            classes: data.classes.len(),
            train: data.train.select(0..data.train.len().min(most)),
            validation: every_other(0),
            test: every_other(1),
        }
    }

    /// Each image squeezed to half its height, above another one: the classes are pairs.
    fn pairs(&self) -> Self {
        let pair = |set: &ImageSet| {
            let (width, plane) = (set.width(), set.height() * set.width());
            let (mut images, mut labels) = (Vec::new(), Vec::new());
            for (i, other) in shuffled(set.len(), SEED, 0).into_iter().enumerate() {
                let both = [i, other as usize];
                for plane in (0..set.channels()).flat_map(|c| both.map(|one| &set.image(one)[c * plane..][..plane])) {
                    let mean = |rows: &[u8], x: usize| (u16::from(rows[x]) + u16::from(rows[width + x])).div_ceil(2) as u8;
                    images.extend(plane.chunks_exact(2 * width).flat_map(|rows| (0..width).map(move |x| mean(rows, x))));
                }
                labels.push(both.iter().fold(0, |label, &one| self.classes as u32 * label + set.labels()[one]));
            }
            ImageSet::new(images, labels, [set.channels(), set.height(), width])
        };
        Self {
            name: format!("pairs of {}", self.name),
            classes: self.classes * self.classes,
            train: pair(&self.train),
            validation: pair(&self.validation),
            test: pair(&self.test),
        }
    }
}

/// How a network is trained.
struct Plan {
    epochs: usize,
    lr: f32,
    weight_decay: f32,
    smoothing: f32,
    /// Up and down over the whole training, a rate for each step; else 0.99 times the rate each epoch.
    one_cycle: bool,
}

/// What a training came to.
struct Outcome {
    steps: usize,
    /// The mean loss of some steps, and the epoch that they end at.
    losses: Vec<[f64; 2]>,
    /// After each epoch.
    validation: Vec<Score>,
    training: Vec<f64>,
    test: Score,
    seconds: f64,
}

/// Trains `net`: the images in their own order, flipped or not at random, in batches of 32 and a last one of what is left.
fn train(study: &Study, images: &Images, net: &Net, plan: &Plan) -> anyhow::Result<Outcome> {
    let device = &study.device;
    let adam = AdamW::new(net, plan.lr).weight_decay(plan.weight_decay).decay_weights_only();
    let shape = [images.train.channels(), images.train.height(), images.train.width()];
    // (x / 255 - 0.5) / 0.5
    let plain = Treatment::normalised(&[0.5; 3], &[0.5; 3]);
    let flipped = plain.augmented(Augmentation { flip: true, ..Default::default() }, SEED);
    let (source, n) = (Source::new(device, &images.train), images.train.len());
    let mut parts = Vec::new();
    for batch in [BATCH, n % BATCH].into_iter().filter(|&batch| batch > 0) {
        let loss = Loss::CrossEntropy { smoothing: plan.smoothing };
        let (feed, options) = (source.feed(batch, &flipped), StepOptions::new(batch, shape).loss(loss).seed(SEED));
        let step = TrainStep::captured_with(net, &adam, &options, |slots| feed.launch(slots))?;
        parts.push((step, feed));
    }
    let score = |set: &ImageSet| -> anyhow::Result<Score> {
        let loss = Loss::CrossEntropy { smoothing: 0.0 };
        let score = Evaluator::new(net, device, &Source::new(device, set), set.len(), loss, &plain)?.score()?;
        score.ok_or_else(|| anyhow::anyhow!("there are no images to measure on"))
    };

    let (begun, order) = (Instant::now(), (0..n as u32).collect::<Vec<_>>());
    let per_epoch = n.div_ceil(BATCH);
    let (mut losses, mut validation, mut training) = (Vec::new(), Vec::new(), Vec::new());
    for epoch in 0..plan.epochs {
        let (mut whole, mut some) = (Tally::default(), Tally::default());
        for (i, chosen) in order.chunks(BATCH).enumerate() {
            adam.set_lr(match plan.one_cycle {
                true => schedule::one_cycle(plan.lr, adam.steps() as usize, plan.epochs * per_epoch),
                false => schedule::exponential(plan.lr, epoch, 0.99),
            });
            let (step, feed) = &mut parts[usize::from(chosen.len() < BATCH)];
            feed.fill(adam.steps(), chosen)?;
            step.run()?;
            // Looked at eight times an epoch.
            if (i + 1) * 8 % per_epoch < 8 {
                for (step, _) in &parts {
                    some.add(&step.metrics()?);
                    whole.add(&step.metrics()?);
                    step.reset_metrics();
                }
                losses.push([epoch as f64 + (i + 1) as f64 / per_epoch as f64, some.loss()]);
                some = Tally::default();
            }
        }
        training.push(whole.accuracy());
        validation.push(score(&images.validation)?);
        let seen = validation[epoch];
        println!("  epoch {}: training loss {:.3}, validation {:.2} %", epoch + 1, whole.loss(), 100.0 * seen.accuracy);
    }
    let (steps, test) = (adam.steps() as usize, score(&images.test)?);
    println!("  test {:.2} %", 100.0 * test.accuracy);
    Ok(Outcome { steps, losses, validation, training, test, seconds: begun.elapsed().as_secs_f64() })
}

/// All three networks on `images`: so many epochs of the given ones, and of our own.
fn compare(study: &mut Study, images: &Images, epochs: [usize; 2]) -> anyhow::Result<()> {
    let given_plan = Plan { epochs: epochs[0], lr: 1e-3, weight_decay: 0.0, smoothing: 0.0, one_cycle: false };
    let own_plan = Plan { epochs: epochs[1], lr: 2e-3, weight_decay: 0.05, smoothing: 0.1, one_cycle: true };
    let networks = [
        ("plain", given(images.classes, false), &given_plan),
        ("BN + dropout", given(images.classes, true), &given_plan),
        ("own design", own(images.classes), &own_plan),
    ];
    let (per_epoch, mut rows, mut outcomes) = (images.train.len().div_ceil(BATCH), Vec::new(), Vec::new());
    for (name, layers, plan) in networks {
        println!("{name} on {}:", images.name);
        let shape = [images.train.channels(), images.train.height(), images.train.width()];
        let net = layers.build(&Init::seeded(&study.device, SEED), shape)?;
        let outcome = train(study, images, &net, plan)?;
        let last = outcome.validation[plan.epochs - 1].accuracy;
        let percent = [outcome.training[plan.epochs - 1], last, outcome.test.accuracy].map(|a| 100.0 * a);
        rows.push(row![name, outcome.steps, percent[0], percent[1], percent[2], outcome.seconds]);
        study.check(
            &format!("{name}: steps of {} epochs", plan.epochs),
            outcome.steps as f64,
            (plan.epochs * per_epoch) as f64,
            0.0,
        );
        outcomes.push((name, outcome));
    }
    let columns = ["network", "steps", "training (%)", "validation (%)", "test (%)", "time (s)"];
    study.table(&format!("Accuracy on {}", images.name), &columns, rows);
    draw(study, images, &outcomes);
    judge(study, images, &outcomes);
    Ok(())
}

fn draw(study: &mut Study, images: &Images, outcomes: &[(&str, Outcome)]) {
    let longest = outcomes.iter().map(|(_, outcome)| outcome.validation.len()).max().unwrap_or(0);
    let epochs: Vec<f64> = (0..=longest).map(|epoch| epoch as f64).collect();
    let accuracy = |outcome: &Outcome| outcome.validation.iter().map(|s| 100.0 * s.accuracy).collect::<Vec<_>>();
    let series =
        outcomes.iter().map(|(name, outcome)| Series::line(name, (1..).map(f64::from).zip(accuracy(outcome)).map(|(x, y)| [x, y])));
    let axes = Axes::new(&format!("Validation accuracy on {}", images.name), "epoch", "images recognised (%)");
    study.plot(axes.x_ticks(&epochs), &series.collect::<Vec<_>>());
    let series: Vec<Series> = outcomes.iter().map(|(name, outcome)| Series::line(name, outcome.losses.clone())).collect();
    let axes = Axes::new(&format!("Training loss on {}", images.name), "epoch", "cross-entropy, smoothed where training smooths");
    study.plot(axes.x_ticks(&epochs), &series);
}

/// Holds what came out against what is asked for.
fn judge(study: &mut Study, images: &Images, outcomes: &[(&str, Outcome)]) {
    let percent: Vec<f64> = outcomes.iter().map(|(_, outcome)| 100.0 * outcome.test.accuracy).collect();
    study.check_between("own design: steps", outcomes[2].1.steps as f64, 1.0, 20_000.0);
    let least = match (images.name.as_str(), study.pick("quick", "fast", "full")) {
        // The course's.
        ("CIFAR-100", "full") => [35.0, 38.0, 44.0],
        // Three or four points below what was seen of the given ones (72 and 74 %): 5,000 images have a standard error of 0.6, and
        // another seed does as much again. Of our own, well above them.
        ("CIFAR-10", "full") => [68.0, 71.0, 80.0],
        // 94, 97 and 98 % were seen; 1,000 images have a standard error of 0.5 to 0.8.
        ("builtin", "fast") => [88.0, 94.0, 94.0],
        _ => return,
    };
    for ((name, _), (got, least)) in outcomes.iter().zip(percent.iter().zip(least)) {
        study.check_between(&format!("{name} on {}: test accuracy (%)", images.name), *got, least, 100.0);
    }
}

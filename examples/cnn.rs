//! The layers of a convolutional network, held against given tables and difference quotients: `cargo run --release --example cnn`
//!
//! Tables and gradients are computed in double precision on the CPU device, whose kernels are the ones that every GPU kernel is held
//! against; the same layers then run on the chosen device.
mod common;

use common::{Axes, Series, Study, Tile, row};
use wgrad::gpu_core::check::in_f64;
use wgrad::gpu_core::ops::{Conv2dGeometry, Pool2dGeometry};
use wgrad::gpu_core::rng::Stream;
use wgrad::nn::parameters;
use wgrad::prelude::*;

const SEED: u64 = 7;

fn main() -> anyhow::Result<()> {
    let question = "Do the layers compute what the formulas say, forwards and backwards, to the digits of a given table?";
    let mut study = Study::begin("cnn", question)?;
    given_tables(&mut study)?;
    gradients_of_layers(&mut study);
    spatial_batch_norm(&mut study)?;
    three_layer_net(&mut study)?;
    let data = study.dataset()?;
    let photos = Photos::of(&data);
    learn(&mut study, &photos)?;
    study.finish()
}

/// `count` numbers from `first` to `last` in equal steps.
fn linspace(first: f64, last: f64, count: usize) -> Vec<f64> {
    (0..count).map(|i| first + (last - first) * i as f64 / (count - 1) as f64).collect()
}

/// Normal numbers of their own for each `stream`.
fn normal(count: usize, stream: u32, mean: f64, deviation: f64) -> Vec<f64> {
    let stream = Stream::new(SEED, stream, 0);
    (0..count).map(|i| mean + deviation * f64::from(stream.normal(i as u64))).collect()
}

/// `values` in the device's own precision.
fn tensor(device: &Device, shape: &[usize], values: &[f64]) -> Tensor {
    Tensor::from_slice(device, Shape::new(shape), &values.iter().map(|&v| v as f32).collect::<Vec<f32>>())
}

/// `values` in double precision.
fn wide(shape: &[usize], values: &[f64]) -> Tensor {
    Tensor::from_slice(&Device::Cpu, Shape::new(shape), values)
}

/// Conv forward of images 1 and 2: three channels of 2 x 2.
#[rustfmt::skip]
const CONVOLVED: [f64; 24] = [
    -0.08759809, -0.10987781, -0.18387192, -0.21092160, 0.21027089, 0.21661097, 0.22847626, 0.23004637,
    0.50813986, 0.54309974, 0.64082444, 0.67101435, -0.98053589, -1.03143541, -1.19128892, -1.24695841,
    0.69108355, 0.66880383, 0.59480972, 0.56776003, 2.36270298, 2.36904306, 2.38090835, 2.38247847,
];
/// Max pool forward, the same.
#[rustfmt::skip]
const POOLED: [f64; 24] = [
    -0.26315789, -0.24842105, -0.20421053, -0.18947368, -0.14526316, -0.13052632, -0.08631579, -0.07157895,
    -0.02736842, -0.01263158, 0.03157895, 0.04631579, 0.09052632, 0.10526316, 0.14947368, 0.16421053,
    0.20842105, 0.22315789, 0.26736842, 0.28210526, 0.32631579, 0.34105263, 0.38526316, 0.40000000,
];
/// Eight decimals are printed.
const DIGITS: f64 = 0.5001e-8;

/// With zeros around the image: one for filters of 3 or 4, three for 7.
fn convolved(x: &Var, w: &Var, b: &Var, stride: usize) -> Var {
    let padding = ((w.shape().dim(3) - 1) / 2).into();
    x.conv2d(w, Some(b), Conv2dGeometry { stride: [stride; 2], padding, ..Default::default() })
}

fn pooled(x: &Var, kernel: [usize; 2]) -> Var {
    x.max_pool2d(Pool2dGeometry { stride: [2, 2], ..Pool2dGeometry::new(kernel) })
}

/// Convolution and max pooling of numbers in equal steps, against the course's tables.
fn given_tables(study: &mut Study) -> anyhow::Result<()> {
    let [x, w, b] = [(&[2, 3, 4, 4], -0.1, 0.5), (&[3, 3, 4, 4], -0.2, 0.3), (&[3, 1, 1, 1], -0.1, 0.2)]
        .map(|(shape, first, last)| (shape, linspace(first, last, shape.iter().product())));
    let ramp = linspace(-0.3, 0.4, 96);
    let tables = |make: &dyn Fn(&[usize], &[f64]) -> Tensor| {
        let [x, w] = [&x, &w].map(|(shape, values)| Var::constant(&make(*shape, values)));
        let b = Var::constant(&make(&[3], &b.1));
        [convolved(&x, &w, &b, 2), pooled(&Var::constant(&make(&[2, 3, 4, 4], &ramp)), [2, 2])].map(|y| y.value().clone())
    };
    let [convolved, maxima] = in_f64(|| tables(&wide));
    study.check_all("conv forward: the given table, all digits", &convolved.read::<f64>()?, &CONVOLVED, DIGITS);
    study.check_all("max pool forward: the given table, all digits", &maxima.read::<f64>()?, &POOLED, DIGITS);
    let device = &study.device.clone();
    let [convolved, maxima] = tables(&|shape, values| tensor(device, shape, values));
    // 48 products whose sizes add up to less than 4: 48 roundings of 2^-24 of that, whatever their order.
    study.check_all("conv forward in single precision on the device", &convolved.to_vec()?, &CONVOLVED, 1.2e-5);
    // Nothing is computed: the inputs' own rounding, and the table's.
    study.check_all("max pool forward in single precision on the device", &maxima.to_vec()?, &POOLED, 2f64.powi(-26) + DIGITS);
    Ok(())
}

/// A gradient may be off by so much, relative to its element: the quotients lose about 1e-16 y / 1e-5 to rounding, which is 1e-8 of a
/// gradient of ordinary size and more of the smallest among a thousand.
const LARGEST_ERROR: f64 = 1e-5;

/// The backward passes of the layers, each against difference quotients.
fn gradients_of_layers(study: &mut Study) {
    study.note(
        "Gradients against difference quotients: all in double precision, each input moved by 1e-5 up and down, the result weighted by \
         random numbers.",
    );
    let draw = |shape: &[usize], stream| wide(shape, &normal(shape.iter().product(), stream, 0.0, 1.0));
    let rows_of_pixels = wide(&[2, 3, 4, 5], &normal(120, 8, 12.0, 5.0));
    let batch_norm = |v: &[Var]| {
        let [mean, var] = [0.0, 1.0].map(|start| Tensor::full(&Device::Cpu, [3], start));
        v[0].batch_norm(&v[1], &v[2], &mean, &var, 0.1, 1e-5)
    };
    let layers: [(&str, &[Tensor], &[&str], &dyn Fn(&[Var]) -> Var); 4] = [
        ("convolution", &[draw(&[10, 3, 5, 5], 1), draw(&[16, 3, 3, 3], 2), draw(&[16], 3)], &["dx", "dw", "db"], &|v| {
            convolved(&v[0], &v[1], &v[2], 2)
        }),
        ("max pool 2 x 3", &[draw(&[10, 3, 8, 7], 4)], &["dx"], &|v| pooled(&v[0], [2, 3])),
        ("conv - relu - pool", &[draw(&[2, 3, 16, 16], 5), draw(&[3, 3, 3, 3], 6), draw(&[3], 7)], &["dx", "dw", "db"], &|v| {
            pooled(&convolved(&v[0], &v[1], &v[2], 1).relu(), [2, 2])
        }),
        ("spatial batch norm", &[rows_of_pixels, draw(&[3], 9), draw(&[3], 10)], &["dx", "dgamma", "dbeta"], &batch_norm),
    ];
    let mut rows = Vec::new();
    for (name, inputs, gradients, f) in layers {
        for (gradient, error) in gradients.iter().zip(gradcheck(inputs, 1e-5, f)) {
            study.check_between(&format!("{name}: relative error of {gradient}"), error, 0.0, LARGEST_ERROR);
            rows.push(row![name, *gradient, error]);
        }
    }
    study.table("Gradients against difference quotients", &["layer", "gradient", "largest relative error"], rows);
}

/// Mean and standard deviation of each channel of (N, C, H, W).
fn moments(values: &[f32], [n, c, h, w]: [usize; 4]) -> [Vec<f64>; 2] {
    let channel = |k: usize| (0..n * h * w).map(move |i| f64::from(values[(i / (h * w) * c + k) * h * w + i % (h * w)]));
    let count = (n * h * w) as f64;
    let means: Vec<f64> = (0..c).map(|k| channel(k).sum::<f64>() / count).collect();
    let deviations = (0..c).map(|k| (channel(k).map(|v| (v - means[k]).powi(2)).sum::<f64>() / count).sqrt()).collect();
    [means, deviations]
}

/// Batch normalisation of images: one mean and variance a channel, over batch and places.
fn spatial_batch_norm(study: &mut Study) -> anyhow::Result<()> {
    let device = &study.device.clone();
    let shape = [2, 3, 4, 5];
    let x = tensor(device, &shape, &normal(120, 20, 10.0, 4.0));
    let mut rows = Vec::new();
    let norm = BatchNorm2d::new().build(&Init::seeded(device, SEED), [3, 4, 5])?;
    let scales = [("gamma 1, beta 0", [1.0f32; 3], [0.0f32; 3]), ("gamma 3, 4, 5, beta 6, 7, 8", [3.0, 4.0, 5.0], [6.0, 7.0, 8.0])];
    for (name, gamma, beta) in scales {
        [gamma, beta].iter().zip(parameters(&norm)).for_each(|(values, (_, param))| param.set(values));
        let [means, deviations] = moments(&norm.forward(&Tape::new(device).input(&x)).value().to_vec()?, shape);
        // eps takes 1e-5 / (2 * 16) from a deviation of 1; single precision a few 1e-7 of values up to 20.
        study.check_all(&format!("{name}: means of the channels"), &means, &beta, 1e-5);
        study.check_all(&format!("{name}: deviations of the channels"), &deviations, &gamma, 1e-5);
        (0..3).for_each(|c| rows.push(row![name, c, means[c], deviations[c]]));
    }

    // As in the course, the running values begin at zero and keep 0.9 of what they were.
    let norm = BatchNorm2d::new().build(&Init::seeded(device, SEED), [4, 11, 12])?;
    parameters(&norm)[3].1.set(&[0.0; 4]);
    let shape = [10, 4, 11, 12];
    let batch = |stream| tensor(device, &shape, &normal(10 * 4 * 11 * 12, stream, 13.0, 2.3));
    for stream in 100..150 {
        norm.forward(&Tape::new(device).input(&batch(stream)));
    }
    let [means, deviations] = moments(&norm.forward(&Var::constant(&batch(150))).value().to_vec()?, shape);
    // What is left of the beginning is 0.9^50 = 0.5 %: of the mean 13 / 2.3 * 0.005 = 0.029, of the deviation half of it. The rest is chance:
    // 1320 numbers have a mean within 1 / sqrt(1320) = 0.028 and a deviation within 0.02 of the true ones; four times that is allowed.
    let furthest = |values: &[f64], want: f64| values.iter().map(|v| (v - want).abs()).fold(0.0, f64::max);
    study.check_between("after 50 batches, in evaluation: |mean| of a channel", furthest(&means, 0.0), 0.0, 0.029 + 4.0 * 0.028);
    study.check_between("after 50 batches, in evaluation: |deviation - 1|", furthest(&deviations, 1.0), 0.0, 0.003 + 4.0 * 0.02);
    (0..4).for_each(|c| rows.push(row!["evaluation after 50 batches", c, means[c], deviations[c]]));
    study.table("Spatial batch norm", &["what", "channel", "mean", "deviation"], rows);
    Ok(())
}

/// Of the three-layer net: filters, their side, hidden units, and the pixels of a row of the images.
type Sizes = [usize; 4];

/// Weights of deviation `scale` and zero biases: W1, b1, W2, b2, W3, b3.
fn three_layers([filters, size, hidden, side]: Sizes, scale: f64) -> Vec<(Shape, Vec<f64>)> {
    let pixels = filters * (side / 2) * (side / 2);
    let weights: [&[usize]; 3] = [&[filters, 3, size, size], &[hidden, pixels], &[10, hidden]];
    let drawn = weights.iter().zip(200..).map(|(shape, stream)| (shape, normal(shape.iter().product(), stream, 0.0, scale)));
    drawn.flat_map(|(shape, w)| [(Shape::new(shape), w), ([shape[0]].into(), vec![0.0; shape[0]])]).collect()
}

/// conv - relu - 2x2 max pool - affine - relu - affine, its cross-entropy, and `reg / 2` times the squares of all weights.
fn loss_of(v: &[Var], x: &Tensor, labels: &Tensor, reg: f32) -> Var {
    let hidden = pooled(&convolved(&Var::constant(x), &v[0], &v[1], 1).relu(), [2, 2]).flatten();
    let scores = hidden.linear(&v[2], Some(&v[3])).relu().linear(&v[4], Some(&v[5]));
    let squares = [0, 2, 4].map(|i| v[i].square().sum().scale(0.5 * reg));
    squares.iter().fold(scores.cross_entropy(labels, ops::CrossEntropy::default()), |loss, part| loss.add(part))
}

/// The loss before training, and the gradient of every parameter.
fn three_layer_net(study: &mut Study) -> anyhow::Result<()> {
    let device = &study.device.clone();
    let labels =
        |device: &Device, n: u32| Tensor::from_slice(device, [n as usize], &(0..n).map(|i| i * 7 % 10).collect::<Vec<_>>());
    let weights = three_layers([3, 1, 100, 32], 1e-3);
    let weights: Vec<Var> = weights.iter().map(|(shape, w)| Var::constant(&tensor(device, shape.dims(), w))).collect();
    let x = tensor(device, &[50, 3, 32, 32], &normal(50 * 3072, 30, 0.0, 1.0));
    let loss = |reg| loss_of(&weights, &x, &labels(device, 50), reg).item();
    // Logits near 0: ln 10. The squares of 9 + 76,800 + 1,000 weights add up to 0.077809 on average, with a deviation of 0.000394; a
    // quarter of them is the penalty, which may be four deviations off.
    study.check("three-layer net: loss before training", loss(0.0)?.into(), 10f64.ln(), 2e-6);
    study.check("the same with regularisation 0.5", loss(0.5)?.into(), 2.322037342994046, 4.0 * 0.000394 / 4.0);

    let weights: Vec<Tensor> = three_layers([3, 3, 7, 12], 0.01).iter().map(|(shape, w)| wide(shape.dims(), w)).collect();
    let (x, labels) = (wide(&[5, 3, 12, 12], &normal(5 * 432, 32, 0.0, 1.0)), labels(&Device::Cpu, 5));
    let errors = gradcheck(&weights, 1e-6, |v| loss_of(v, &x, &labels, 1e-3));
    let mut rows = Vec::new();
    for ((name, error), w) in ["W1", "b1", "W2", "b2", "W3", "b3"].iter().zip(errors).zip(&weights) {
        study.check_between(&format!("three-layer net: relative error of d{name}"), error, 0.0, 1e-2);
        rows.push(row![*name, w.len(), error]);
    }
    study.table("Gradients of the three-layer net", &["parameter", "elements", "largest relative error"], rows);
    Ok(())
}

/// Images with the mean image of the training set taken away, pixels from 0 to 255.
struct Photos {
    train: ImageSet,
    validation: ImageSet,
    mean: Vec<f32>,
}

impl Photos {
    /// The last fiftieth of the training set validates: rows 49,000 to 49,999 of CIFAR-10.
    fn of(data: &Dataset) -> Self {
        let n = data.train.len();
        let train = data.train.select(0..n - n / 50);
        let mut sums = vec![0u64; train.image_bytes()];
        for i in 0..train.len() {
            sums.iter_mut().zip(train.image(i)).for_each(|(sum, &byte)| *sum += u64::from(byte));
        }
        let mean = sums.iter().map(|&sum| (sum as f64 / train.len() as f64) as f32).collect();
        Self { validation: data.train.select(n - n / 50..n), train, mean }
    }

    fn batch(&self, set: &ImageSet, rows: &[u32]) -> (Vec<f32>, Vec<u32>) {
        let image = |&i: &u32| set.image(i as usize).iter().zip(&self.mean).map(|(&byte, mean)| f32::from(byte) - mean);
        (rows.iter().flat_map(image).collect(), rows.iter().map(|&i| set.labels()[i as usize]).collect())
    }
}

/// Trains on the first `images` in batches of 50: the loss of each step, and the network.
fn train(study: &Study, photos: &Photos, images: usize, epochs: usize, scale: f64) -> anyhow::Result<(Vec<f64>, Net)> {
    let net = seq![Conv2d::new(32, 7).padding(3), Relu, MaxPool2d::new(2), Flatten, Linear::new(100), Relu, Linear::new(10)];
    let net = net.build(&Init::seeded(&study.device, SEED), [3, 32, 32])?;
    for ((_, param), (_, start)) in parameters(&net).iter().zip(three_layers([32, 7, 100, 32], scale)) {
        param.set(&start.iter().map(|&w| w as f32).collect::<Vec<_>>());
    }
    // The decay of plain Adam, added to the gradient, is that of reg / 2 times the squares.
    let adam = Adam::new(&net, 1e-3).weight_decay(1e-3).decay_weights_only();
    let step = TrainStep::captured(&net, &adam, &StepOptions::new(50, [3, 32, 32]))?;
    let mut losses = Vec::new();
    for epoch in 0..epochs {
        for rows in shuffled(images, SEED, epoch as u64).chunks_exact(50) {
            let (x, labels) = photos.batch(&photos.train, rows);
            step.run_on(&x, &labels)?;
            losses.push(step.loss()?.into());
        }
    }
    Ok((losses, net))
}

/// The share of the first `images` of `set` that `net` recognises.
fn accuracy_on(net: &Net, device: &Device, photos: &Photos, set: &ImageSet, images: usize) -> anyhow::Result<f64> {
    let step = EvalStep::captured(net, device, &StepOptions::new(50, [3, 32, 32]))?;
    for rows in (0..images.min(set.len()) as u32).collect::<Vec<_>>().chunks_exact(50) {
        let (x, labels) = photos.batch(set, rows);
        step.run_on(&x, &labels)?;
    }
    Ok(step.accuracy()?)
}

/// The three-layer net learns 100 images by heart, and then as many as there are, once.
fn learn(study: &mut Study, photos: &Photos) -> anyhow::Result<()> {
    let device = &study.device.clone();
    let (by_heart, net) = train(study, photos, 100, study.pick(6, 15, 15), 1e-2)?;
    let known = 100.0 * accuracy_on(&net, device, photos, &photos.train, 100)?;
    let unseen = 100.0 * accuracy_on(&net, device, photos, &photos.validation, 1000)?;
    let mut rows = vec![row!["100 images, by heart", by_heart.len(), known, unseen]];
    study.check(
        "by heart: loss of the last step below that of the first",
        (by_heart[by_heart.len() - 1] < by_heart[0]).into(),
        1.0,
        0.0,
    );
    let axes = Axes::new("Learning 100 images by heart", "step", "cross-entropy");
    study.plot(axes, &[Series::steps("training", &by_heart)]);

    let images = study.pick(200, usize::MAX, usize::MAX).min(photos.train.len());
    let (losses, net) = train(study, photos, images, 1, 1e-3)?;
    let seen = 100.0 * accuracy_on(&net, device, photos, &photos.train, 1000)?;
    let validation = 100.0 * accuracy_on(&net, device, photos, &photos.validation, 1000)?;
    rows.push(row![format!("{images} images, once"), losses.len(), seen, validation]);
    study.table("The three-layer net learns", &["from", "steps", "training (%)", "validation (%)"], rows);
    let smooth = losses.windows(20).enumerate().map(|(i, w)| [i as f64 + 10.0, w.iter().sum::<f64>() / 20.0]);
    let series =
        [Series::line("each step", losses.iter().enumerate().map(|(i, &v)| [i as f64, v])), Series::curve("mean of 20", smooth)];
    study.plot(Axes::new("One epoch", "step", "cross-entropy"), &series);
    let filters = parameters(&net)[0].1.value().to_vec()?;
    let tiles: Vec<Tile> = filters.chunks(3 * 49).map(|planes| Tile::of_planes(7, planes)).collect();
    study.tiles("The 32 filters of the first layer", &tiles, 8);
    study.check("the first step's loss is ln 10: the logits begin near 0", losses[0], 10f64.ln(), 1e-2);
    if !study.quick() {
        study.check_between("by heart: images that are known (%)", known, 90.0, 100.0);
        study.check_between("after one epoch: validation (%)", validation, 40.0, 100.0);
    }
    Ok(())
}

//! What the airbench recipe would take on some cards, by arithmetic: no measurement. `cargo bench --bench roofline` prints the table.
//!
//! A step is recorded, and its launches are counted: their tensors' bytes, and the operations of its products. Products take as long as
//! their operations or their bytes, whichever is longer; everything else takes as long as its bytes; a launch costs what it costs. Cards do
//! as much as their makers say. Not in it: what a kernel leaves of that, which is a half where it is good and more where it is not.

use std::path::Path;
use wgrad::nn::zoo;
use wgrad::prelude::*;
use wgrad::proof;
use wgrad::train::settings::Settings;

/// A card by its data sheet.
struct Card {
    name: &'static str,
    /// Operations a second: by matrix units on f16 with sums in f32, and on f32.
    matrix: f64,
    f32: f64,
    /// Bytes a second.
    memory: f64,
}

const CARDS: [Card; 5] = [
    Card { name: "H100 SXM", matrix: 989e12, f32: 67e12, memory: 3.35e12 },
    Card { name: "H200", matrix: 989e12, f32: 67e12, memory: 4.8e12 },
    Card { name: "RTX 4090", matrix: 165e12, f32: 82.6e12, memory: 1.008e12 },
    Card { name: "RX 7900 XTX", matrix: 122.8e12, f32: 61.4e12, memory: 0.96e12 },
    Card { name: "M3, 10 cores", matrix: 3.6e12, f32: 3.6e12, memory: 0.1e12 },
];

/// A launch of a replayed list, on the device.
const LAUNCH_S: f64 = 3e-6;

/// What a step is.
struct Work {
    /// Operations of convolutions and products.
    flops: f64,
    /// What these move, and all others.
    product_bytes: f64,
    other_bytes: f64,
    launches: usize,
}

impl Work {
    /// Of a training step of `batch` images, or of an evaluation.
    fn of(model: &str, batch: usize, trains: bool, precision: Precision) -> Self {
        let (device, launches) = proof::counted(&Device::Cpu);
        let net = zoo::build(model, &Init::seeded(&device, 0), [3, 32, 32].into(), 10).expect("a network of the zoo");
        let options = StepOptions::new(batch, [3, 32, 32]).precision(precision);
        let summary = Summary::of(&net, [batch, 3, 32, 32].into()).expect("it takes such images");
        let sgd = Sgd::new(&net, 0.1).momentum(0.85).nesterov(true).weight_decay(1e-3);
        let sgd = if precision == Precision::Mixed { sgd.loss_scaling(65536.0, 2000) } else { sgd };
        launches.take();
        if trains {
            TrainStep::captured(&net, &sgd, &options).expect("the machine holds it");
        } else {
            EvalStep::captured(&net, &device, &options).expect("the machine holds it");
        }
        let launches = launches.take();
        let is_product = |name: &str| name.starts_with("conv2d") || name.starts_with("matmul");
        let bytes = |products: bool| {
            launches.iter().filter(|launch| is_product(launch.kernel.name()) == products).map(|launch| launch.bytes as f64).sum()
        };
        // Nobody asks for the gradient of the images, nor for that of filters that are not learned: the first layer's.
        let first = summary.rows.iter().map(|row| row.multiply_adds).find(|&count| count > 0).unwrap_or(0);
        let learned_first = if model == "airbench" { 0 } else { first };
        let multiply_adds = match trains {
            true => summary.multiply_adds + 2 * (summary.multiply_adds - first) + learned_first,
            false => summary.multiply_adds,
        };
        Self {
            flops: 2.0 * multiply_adds as f64,
            product_bytes: bytes(true),
            other_bytes: bytes(false),
            launches: launches.iter().map(|launch| launch.count).sum(),
        }
    }

    fn seconds(&self, card: &Card, precision: Precision) -> f64 {
        let rate = if precision == Precision::Mixed { card.matrix } else { card.f32 };
        let products = (self.flops / rate).max(self.product_bytes / card.memory);
        products + self.other_bytes / card.memory + self.launches as f64 * LAUNCH_S
    }
}

fn main() {
    let recipe = Path::new(env!("CARGO_MANIFEST_DIR")).join("recipes/cifar10-airbench.toml");
    let config = Settings::read(&recipe).and_then(Settings::resolve).expect("the recipe is settings");
    // Of 50,000 images 5,000 are held out, and looked at after each epoch; the test looks at 10,000 twice, as they are and mirrored.
    let (batch, steps) = (config.batch_size, config.epochs as usize * (45_000 / config.batch_size));
    let evaluations = config.epochs as usize * 5000usize.div_ceil(batch) + 2 * 2 * 10_000usize.div_ceil(batch);
    println!("{} of {steps} steps of {batch} images, {evaluations} evaluations of as many:\n", config.model);
    println!("| a step | operations | bytes of products | of the rest | launches |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    let evaluation = Work::of(&config.model, batch, false, Precision::F32);
    let kinds = [("f32", Precision::F32), ("mixed", Precision::Mixed)];
    let works = kinds.map(|(name, precision)| (name, precision, Work::of(&config.model, batch, true, precision)));
    let named = works.iter().map(|(name, _, work)| (*name, work));
    for (name, work) in named.chain([("evaluation", &evaluation)]) {
        let Work { flops, product_bytes, other_bytes, launches } = work;
        println!("| {name} | {:.1} G | {:.0} MB | {:.0} MB | {launches} |", flops / 1e9, product_bytes / 1e6, other_bytes / 1e6);
    }
    println!("\n| card | a step in f32 | mixed | the recipe in f32 | mixed |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    for card in &CARDS {
        let evaluated = evaluations as f64 * evaluation.seconds(card, Precision::F32);
        let [f32, mixed] = [0, 1].map(|i| works[i].2.seconds(card, works[i].1));
        let [f32_run, mixed_run] = [f32, mixed].map(|step| steps as f64 * step + evaluated);
        println!("| {} | {:.2} ms | {:.2} ms | {f32_run:.1} s | {mixed_run:.1} s |", card.name, f32 * 1e3, mixed * 1e3);
    }
}

//! What stands before the experiments: batch norm, dropout and a net with either compute what they should, to the digits of given
//! tables and against difference quotients.

use crate::common::gradient::{Compared, compare, value};
use crate::common::numpy::{NumPy, linspace};
use crate::common::{Cell, Study, row};
use wgrad::gpu_core::check::in_f64;
use wgrad::nn::parameters;
use wgrad::prelude::*;

const CPU: Device = Device::Cpu;
pub const EPS: f32 = 1e-5;
/// Of difference quotients.
const STEP: f64 = 1e-5;

fn doubles(shape: impl Into<Shape>, values: &[f64]) -> Tensor {
    Tensor::from_slice(&CPU, shape, values)
}

/// The gradient of a loss with respect to itself.
fn one() -> Tensor {
    doubles(Shape::SCALAR, &[1.0])
}

pub fn singles(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&v| v as f32).collect()
}

/// Batch norm of x (n, c) from primitive operators, with its own mean and variance or those given; and which they were.
pub fn batchnorm(x: &Var, gamma: &Var, beta: &Var, given: Option<[Var; 2]>) -> (Var, [Var; 2]) {
    let [mean, variance] = given.unwrap_or_else(|| {
        // Quotients of sums: the means of operators are products with 1 / n in single precision, and a table has nine digits.
        let n = Var::constant(&Tensor::full(x.device(), [1], x.shape().n() as f32));
        let mean = x.sum_axes(&[0], true).div(&n);
        let variance = x.sub(&mean).square().sum_axes(&[0], true).div(&n);
        [mean, variance]
    });
    let eps = Var::constant(&Tensor::full(x.device(), [1], EPS));
    let z = x.sub(&mean).mul(&variance.add(&eps).rsqrt());
    (z.mul(gamma).add(beta), [mean, variance])
}

/// The framework's operator in training.
pub fn operator(x: &Var, gamma: &Var, beta: &Var) -> Var {
    let [mean, var] = [0.0, 1.0].map(|v| Tensor::full(x.device(), [x.shape().c()], v));
    x.batch_norm(gamma, beta, &mean, &var, 0.1, EPS)
}

/// Means and deviations of the columns of rows of `c`.
fn columns(values: &[f64], c: usize) -> [Vec<f64>; 2] {
    let n = (values.len() / c) as f64;
    let of = |j: usize| values.iter().skip(j).step_by(c);
    let means: Vec<f64> = (0..c).map(|j| of(j).sum::<f64>() / n).collect();
    let deviations = (0..c).map(|j| (of(j).map(|v| (v - means[j]).powi(2)).sum::<f64>() / n).sqrt());
    let deviations = deviations.collect();
    [means, deviations]
}

/// Checks 1 and 2: a random two-layer net's output, normalised. The given table was made of NumPy's numbers.
pub fn batchnorm_forwards(study: &mut Study) -> anyhow::Result<()> {
    let (n, d1, d2, d3) = (200, 50, 60, 3);
    let mut numpy = NumPy::seeded(7);
    study.check_all(
        "NumPy's first normal numbers after seed 7",
        &numpy.normals(2),
        &[1.690525703800356, -0.4659373705408328],
        1e-15,
    );
    let through = |x: &[f64], w1: &[f64], w2: &[f64]| {
        in_f64(|| {
            let hidden = ops::relu(&ops::matmul(&doubles([n, d1], x), &doubles([d1, d2], w1)));
            ops::matmul(&hidden, &doubles([d2, d3], w2)).read::<f64>()
        })
    };
    let mut numpy = NumPy::seeded(7);
    let (x, w1, w2) = (numpy.normals(n * d1), numpy.normals(d1 * d2), numpy.normals(d2 * d3));
    let a = through(&x, &w1, &w2)?;
    let [means, deviations] = columns(&a, d3);
    study.check_all("before: means", &means, &[-33.902, 18.463, -7.491], 5.1e-4);
    study.check_all("before: standard deviations", &deviations, &[38.721, 29.397, 31.143], 5.1e-4);
    let mut rows = vec![row!["before", means[0], means[1], means[2], deviations[0], deviations[1], deviations[2]]];
    let norm = BatchNorm1d::new().build(&Init::seeded(&study.device, 0), [d3])?;
    let input = Tape::new(&study.device).input(&Tensor::from_slice(&study.device, [n, d3], &singles(&a)));
    for (name, gamma, beta) in
        [("gamma 1, beta 0", [1.0; 3], [0.0; 3]), ("gamma 1..3, beta 11..13", [1.0, 2.0, 3.0], [11.0, 12.0, 13.0])]
    {
        parameters(&norm).iter().zip([gamma, beta]).for_each(|((_, p), v)| p.set(&v));
        let y: Vec<f64> = norm.forward(&input).value().to_vec()?.into_iter().map(f64::from).collect();
        let [means, deviations] = columns(&y, d3);
        // Roundings of numbers below 32.
        study.check_all(&format!("{name}: means"), &means, &beta, 1e-5);
        study.check_all(&format!("{name}: standard deviations"), &deviations, &gamma, 1e-5);
        rows.push(row![name, means[0], means[1], means[2], deviations[0], deviations[1], deviations[2]]);
    }
    let heads = ["", "mean1", "mean2", "mean3", "std1", "std2", "std3"];
    study.table("A random net's output before and after batch norm", &heads, rows);
    study.note(
        "After 50 batches in training, one more through the running mean and variance: new = 0.9 old + 0.1 batch, from zero, with \
         the biased variance. PyTorch's layer, and the framework's, keeps the unbiased one: n / (n - 1) times as much.",
    );
    let mut numpy = NumPy::seeded(7);
    let (w1, w2) = (numpy.normals(d1 * d2), numpy.normals(d2 * d3));
    let layer = BatchNorm1d::new().momentum(0.1).build(&Init::seeded(&study.device, 0), [d3])?;
    let running = [&parameters(&layer)[2].1, &parameters(&layer)[3].1].map(Clone::clone);
    running.iter().for_each(|p| p.set(&[0.0; 3]));
    let (one, zero) = ([1.0; 3], [0.0; 3]);
    let mut stats = [[0.0; 3]; 2];
    for _ in 0..50 {
        let a = through(&numpy.normals(n * d1), &w1, &w2)?;
        layer.forward(&Tape::new(&study.device).input(&Tensor::from_slice(&study.device, [n, d3], &singles(&a))));
        let found = in_f64(|| {
            let [a, gamma, beta] = [doubles([n, d3], &a), doubles([d3], &one), doubles([d3], &zero)].map(|t| Var::constant(&t));
            let (_, found) = batchnorm(&a, &gamma, &beta, None);
            found.map(|v| v.value().read::<f64>())
        });
        for (kept, new) in stats.iter_mut().zip(found) {
            kept.iter_mut().zip(new?).for_each(|(kept, new)| *kept = 0.9 * *kept + 0.1 * new);
        }
    }
    let a = through(&numpy.normals(n * d1), &w1, &w2)?;
    let y = in_f64(|| {
        let [mean, variance] = stats.map(|s| Var::constant(&doubles([d3], &s)));
        let [a, gamma, beta] = [doubles([n, d3], &a), doubles([d3], &one), doubles([d3], &zero)].map(|t| Var::constant(&t));
        batchnorm(&a, &gamma, &beta, Some([mean, variance])).0.value().read::<f64>()
    })?;
    // The table has nine digits.
    study.check_all("in evaluation: the first five rows of the given table", &y[..15], &TABLE, 6e-9);
    let [means, deviations] = columns(&y, d3);
    study.check_all("in evaluation: means", &means, &[-0.00968, 0.01316, 0.00748], 5.1e-6);
    study.check_all("in evaluation: standard deviations", &deviations, &[1.07010, 1.01652, 0.88996], 5.1e-6);
    let unbiased: Vec<f32> = running[1].value().to_vec()?.iter().map(|v| v * (n - 1) as f32 / n as f32).collect();
    running[1].set(&unbiased);
    let by_layer = layer.forward(&Var::constant(&Tensor::from_slice(&study.device, [n, d3], &singles(&a)))).value().to_vec()?;
    // 50 updates in single precision, each rounded thrice.
    study.check_all(
        "in evaluation: the framework's layer, on this device",
        &by_layer[..15],
        &TABLE,
        150.0 * 2.2 * f64::from(f32::EPSILON) / 2.0,
    );
    let rows = (0..5).map(|i| row![i + 1, y[3 * i], y[3 * i + 1], y[3 * i + 2]]).collect();
    study.table("Batch norm in evaluation: the first five rows", &["row", "column 1", "column 2", "column 3"], rows);
    Ok(())
}

const TABLE: [f64; 15] = [
    -0.737859885,
    2.10050591,
    -0.324286480,
    2.02781031,
    0.192492178,
    1.54852388,
    0.544242949,
    1.07389911,
    0.806464618,
    -0.0225599789,
    0.764501325,
    -0.303045313,
    -0.974592587,
    0.601731799,
    -0.00657200019,
];

/// Check 3: the gradients of batch norm of 4 x 5 numbers.
pub fn batchnorm_backwards(study: &mut Study) -> anyhow::Result<()> {
    let mut numpy = NumPy::seeded(7);
    let x: Vec<f64> = numpy.normals(20).iter().map(|v| 5.0 * v + 12.0).collect();
    let inputs = [doubles([4, 5], &x), doubles([5], &numpy.normals(5)), doubles([5], &numpy.normals(5))];
    let dy = doubles([4, 5], &numpy.normals(20));
    let mut rows = Vec::new();
    for (name, by_operator) in [("the graph of primitives", false), ("the operator", true)] {
        let found = compare(&inputs, &dy, STEP, |v| {
            if by_operator { operator(&v[0], &v[1], &v[2]) } else { batchnorm(&v[0], &v[1], &v[2], None).0 }
        })?;
        for (of, compared) in ["dx", "dgamma", "dbeta"].into_iter().zip(&found) {
            study.check(&format!("{of} by {name}: relative error"), compared.relative, 0.0, 1e-7);
        }
        rows.push(row![name, found[0].relative, found[1].relative, found[2].relative]);
    }
    study.table("Batch norm backwards against difference quotients: relative errors", &["by", "dx", "dgamma", "dbeta"], rows);
    Ok(())
}

/// The net as the course has it. `p`: w (in, out) and b of each layer, then gamma and beta of each norm.
fn affine_net(x: &Var, p: &[Var], layers: usize, norm: bool, dropout: f32) -> Var {
    (0..layers).fold(x.clone(), |h, i| {
        let h = h.matmul(&p[2 * i]).add(&p[2 * i + 1]);
        if i + 1 == layers {
            return h;
        }
        let of_norm = 2 * (layers + i);
        let h = if norm { operator(&h, &p[of_norm], &p[of_norm + 1]) } else { h };
        let h = h.relu();
        if dropout > 0.0 { h.dropout(dropout) } else { h }
    })
}

const EXTENTS: [usize; 4] = [15, 20, 30, 10];
/// The second is a number of the course, and not pi.
#[allow(clippy::approx_constant)]
const REGULARISATIONS: [f32; 2] = [0.0, 3.14];

/// Check 5: scores and gradients of a net whose weights and input are evenly spaced.
pub fn a_net_without_random_numbers(study: &mut Study) -> anyhow::Result<()> {
    let [d, h1, h2, c] = EXTENTS;
    // (15, 2), transposed.
    let x: Vec<f64> = {
        let t = linspace(-5.5, 4.5, 30);
        (0..30).map(|i| t[2 * (i % d) + i / d]).collect()
    };
    let spaced: [(Vec<usize>, f64, f64); 6] = [
        (vec![d, h1], -0.7, 0.3),
        (vec![h1], -0.1, 0.9),
        (vec![h1, h2], -0.3, 0.4),
        (vec![h2], -0.9, 0.1),
        (vec![h2, c], -0.3, 0.4),
        (vec![c], -0.9, 0.1),
    ];
    let norms = [h1, h2].into_iter().flat_map(|h| [(vec![h], vec![1.0; h]), (vec![h], vec![0.0; h])]);
    let values = spaced.iter().map(|(shape, from, to)| (shape.clone(), linspace(*from, *to, shape.iter().product())));
    let p: Vec<(Vec<usize>, Vec<f64>)> = values.chain(norms).collect();
    let row1 =
        [0.28397701, 0.46532063, 0.64666426, 0.82800788, 1.0093515, 1.19069513, 1.37203875, 1.55338238, 1.734726, 1.91606962];
    let wanted = [row1.to_vec(), linspace(-0.9, 0.1, 10)].concat();
    let wide: Vec<Tensor> = p.iter().map(|(shape, v)| doubles(&shape[..], v)).collect();
    let scores = in_f64(|| {
        let tape = Tape::new(&CPU);
        let p: Vec<Var> = wide.iter().map(|t| tape.input(t)).collect();
        affine_net(&tape.input(&doubles([2, d], &x)), &p, 3, true, 0.0).value().read::<f64>()
    })?;
    // The table has eight decimals.
    study.check_all("scores of the net of evenly spaced weights, in double precision", &scores, &wanted, 5.1e-9);
    let tape = Tape::new(&study.device);
    let narrow = |shape: &[usize], v: &[f64]| tape.input(&Tensor::from_slice(&study.device, shape, &singles(v)));
    let vars: Vec<Var> = p.iter().map(|(shape, v)| narrow(shape, v)).collect();
    let scores = affine_net(&narrow(&[2, d], &x), &vars, 3, true, 0.0).value().to_vec()?;
    // Sums of 30 products below 1, by z that are 1 but for some roundings: 30 of them, twice.
    study.check_all("the same on this device, in single precision", &scores, &wanted, 60.0 * 2.0 * f64::from(f32::EPSILON) / 2.0);
    let names = ["W1", "b1", "W2", "b2", "W3", "b3", "gamma1", "beta1", "gamma2", "beta2"];
    let labels = Tensor::from_slice(&CPU, [2], &[0u32, 5]);
    let mut rows: Vec<Vec<Cell>> = names.iter().map(|&name| row![name]).collect();
    for reg in REGULARISATIONS {
        let input = doubles([2, d], &x);
        let loss = |p: &[Var]| {
            let loss = affine_net(&Var::constant(&input), p, 3, true, 0.0).cross_entropy(&labels, 0.0);
            [0, 2, 4].iter().fold(loss, |loss, &w| loss.add(&p[w].square().sum().scale(reg / 2.0)))
        };
        let found = compare(&wide, &one(), STEP, loss)?;
        let lost = hold(study, &format!("reg {reg}"), value(&wide, loss)?[0], &found);
        let biases = [found[1].largest, found[3].largest];
        study.check_all(
            &format!("reg {reg}: a bias before a batch norm has no gradient: the mean takes it away"),
            &biases,
            &[0.0; 2],
            lost,
        );
        for (row, compared) in rows.iter_mut().zip(&found) {
            row.extend(row![compared.largest, compared.relative]);
        }
    }
    let heads = ["", "largest gradient, reg 0", "relative error, reg 0", "largest gradient, reg 3.14", "relative error, reg 3.14"];
    study.table("Gradients of the net with batch norm", &heads, rows);
    Ok(())
}

/// Holds the gradients of a net whose loss is `loss`. A difference quotient has some roundings of the loss in it, here eight at most,
/// over 2 h: so much of any gradient is lost, and all of one that is smaller. Returns it.
fn hold(study: &mut Study, case: &str, loss: f64, found: &[Compared]) -> f64 {
    let worst = found.iter().map(|c| c.absolute).fold(0.0, f64::max);
    let lost = 8.0 * loss * f64::EPSILON / 2.0 / (2.0 * STEP);
    study.check(&format!("{case}: all gradients against difference quotients, off by"), worst, 0.0, lost);
    lost
}

/// Checks 6 and 7: what dropout leaves, and its gradient.
pub fn dropout_alone(study: &mut Study) -> anyhow::Result<()> {
    let (device, count) = (&study.device.clone(), 500 * 500);
    let x: Vec<f64> = NumPy::seeded(7).normals(count).iter().map(|v| v + 10.0).collect();
    let x = Tensor::from_slice(device, [500, 500], &singles(&x));
    let mean = |v: &[f32]| v.iter().map(|&v| f64::from(v)).sum::<f64>() / v.len() as f64;
    let zeros = |v: &[f32]| v.iter().filter(|v| **v == 0.0).count() as f64 / v.len() as f64;
    let input = mean(&x.to_vec()?);
    let mut rows = Vec::new();
    for p in [0.3, 0.6, 0.75] {
        let dropout = Dropout::new(p as f32).build(&Init::seeded(device, 0), [500])?;
        let train = dropout.forward(&Tape::pass(device).step(0).tape().input(&x)).value().to_vec()?;
        let test = dropout.forward(&Var::constant(&x)).value().to_vec()?;
        // Five standard errors: of a share, and of a mean of x / (1 - p) or 0, where x^2 is 101 on average.
        let error = 5.0 / (count as f64).sqrt();
        study.check(&format!("p {p}: share of zeros in training"), zeros(&train), p, error * (p * (1.0 - p)).sqrt());
        study.check(
            &format!("p {p}: mean in training, against the input's"),
            mean(&train),
            input,
            error * (101.0 * p / (1.0 - p)).sqrt(),
        );
        study.check(&format!("p {p}: mean in evaluation, against the input's"), mean(&test), input, 0.0);
        rows.push(row![p, input, mean(&train), mean(&test), zeros(&train), zeros(&test)]);
    }
    let heads = ["p", "mean of x", "mean, training", "mean, evaluation", "zeros, training", "zeros, evaluation"];
    study.table("Dropout of 500 x 500 numbers", &heads, rows);
    let mut numpy = NumPy::seeded(7);
    let x = doubles([10, 10], &numpy.normals(100).iter().map(|v| v + 10.0).collect::<Vec<f64>>());
    let dy = doubles([10, 10], &numpy.normals(100));
    let found = compare(&[x], &dy, STEP, |v| v[0].dropout(0.8))?;
    study.check("dropout backwards: relative error of dx", found[0].relative, 0.0, 1e-8);
    Ok(())
}

/// Check 8: the loss of an untrained net, and its gradients under fixed masks.
pub fn dropout_in_a_net(study: &mut Study) -> anyhow::Result<()> {
    let [d, h1, h2, c] = EXTENTS;
    let mut numpy = NumPy::seeded(7);
    let input = doubles([2, d], &numpy.normals(2 * d));
    let labels = Tensor::from_slice(&CPU, [2], &[numpy.below(c), numpy.below(c)].map(|label| label as u32));
    let p: Vec<Tensor> = [(d, h1), (h1, h2), (h2, c)]
        .into_iter()
        .flat_map(|(from, to)| {
            let w: Vec<f64> = numpy.normals(from * to).iter().map(|v| 5e-2 * v).collect();
            [doubles([from, to], &w), doubles([to], &vec![0.0; to])]
        })
        .collect();
    let mut rows = Vec::new();
    for dropout in [0.0, 0.25, 0.5] {
        let loss = |p: &[Var]| affine_net(&Var::constant(&input), p, 3, false, dropout).cross_entropy(&labels, 0.0);
        let found = compare(&p, &one(), STEP, loss)?;
        let first = value(&p, loss)?[0];
        // ln 10, but for logits with deviations of about 0.01.
        study.check_between(&format!("dropout {dropout}: loss of the untrained net"), first, 2.27, 2.33);
        hold(study, &format!("dropout {dropout}"), first, &found);
        let mut row = row![f64::from(dropout), first];
        row.extend(found.iter().map(|compared| Cell::from(compared.relative)));
        rows.push(row);
    }
    study.table(
        "Gradients of the net with dropout: relative errors",
        &["dropout", "loss", "W1", "b1", "W2", "b2", "W3", "b3"],
        rows,
    );
    Ok(())
}

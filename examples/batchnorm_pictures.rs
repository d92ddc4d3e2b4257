//! What batch norm normalises over: `cargo run --release --example batchnorm_pictures`
//!
//! `y = gamma (x - mean) / sqrt(variance + eps) + beta`. The norms differ in which entries share a mean and a variance.
mod common;

use common::{Axes, Grid, Series, Study, ellipse, row};
use std::f64::consts::SQRT_2;
use wgrad::gpu_core::check::in_f64;
use wgrad::gpu_core::rng::Key;
use wgrad::nn::{Graph, parameters};
use wgrad::prelude::*;

fn main() -> anyhow::Result<()> {
    let question = "Which entries share a mean and a variance, and what does that do to a distribution and to a gradient?";
    let mut study = Study::begin("batchnorm_pictures", question)?;
    who_shares_statistics(&mut study)?;
    gradient_without_the_mean(&mut study)?;
    draw_the_graph(&mut study);
    closed_form(&mut study)?;
    one_gaussian(&mut study)?;
    two_correlated_gaussians(&mut study)?;
    study.finish()
}

const EPS: f32 = 1e-5;

/// Normally distributed numbers; `stream` tells one draw from another.
fn normal(device: &Device, shape: impl Into<Shape>, stream: u32) -> Tensor {
    ops::normal(shape, 0.0, 1.0, Key { seed: 2, stream }, &Tensor::from_slice(device, [1], &[0u32]))
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&v| v.into()).collect()
}

const N: usize = 3;
const C: usize = 4;
const SIDE: usize = 2;

/// Moves each entry of a batch in turn. The outputs that move with it are those that share its statistics.
fn who_shares_statistics(study: &mut Study) -> anyhow::Result<()> {
    study.note(
        "A batch of 3 images with 4 channels of 2 x 2 pixels. One entry is moved at a time; the outputs that move are those whose \
         mean and variance it is in. Entries with one number share their statistics.",
    );
    let device = &study.device.clone();
    let (shape, len) = ([N, C, SIDE, SIDE], N * C * SIDE * SIDE);
    let cx = &Init::seeded(device, 0);
    let norms: [(&str, AnyLayer, fn(usize, usize) -> usize); 4] = [
        ("batch norm", AnyLayer::new(BatchNorm2d::new()), |_, c| c),
        ("layer norm", AnyLayer::new(LayerNorm::new()), |n, _| n),
        ("group norm, 2 groups", AnyLayer::new(GroupNorm::new(2)), |n, c| n * 2 + c / 2),
        ("instance norm", AnyLayer::new(InstanceNorm2d::new()), |n, c| n * C + c),
    ];
    let start = normal(device, shape, 0).to_vec()?;
    // A row for each row of pixels of each image, its channels from left to right.
    let place = |n: usize, c: usize, i: usize| ((n * SIDE + i / SIDE) * C + c) * SIDE + i % SIDE;
    let cell = |e: usize| place(e / (C * SIDE * SIDE), e / (SIDE * SIDE) % C, e % (SIDE * SIDE));
    let moved = SIDE * SIDE; // channel 1 of image 0
    let (mut shared, mut moves) = (Vec::new(), Vec::new());
    for (name, norm, formula) in norms {
        let norm = norm.build(cx, [C, SIDE, SIDE])?;
        let through = |x: &[f32]| norm.forward(&Tape::new(device).input(&Tensor::from_slice(device, shape, x))).value().to_vec();
        let before = through(&start)?;
        let mut sharing = Vec::new();
        for e in 0..len {
            let mut x = start.clone();
            x[e] += 1.0;
            let change: Vec<f32> = through(&x)?.iter().zip(&before).map(|(after, before)| after - before).collect();
            sharing.push(change.iter().map(|&d| f64::from(u8::from(d != 0.0))).collect::<Vec<f64>>());
            if e == moved {
                let mut cells = vec![0.0; len];
                (0..len).for_each(|i| cells[cell(i)] = change[i].into());
                moves.push(Grid::new(name, C * SIDE, &cells).numbered());
            }
        }
        let group = |e: usize| formula(e / (C * SIDE * SIDE), e / (SIDE * SIDE) % C);
        let wanted: Vec<f64> = (0..len * len).map(|i| f64::from(u8::from(group(i / len) == group(i % len)))).collect();
        study.check_all(&format!("{name}: who shares with whom, by moving and by formula"), &sharing.concat(), &wanted, 0.0);
        // Sets of statistics, numbered as they are met.
        let first = |e: usize| (0..len).find(|&other| sharing[e][other] != 0.0).unwrap_or(e);
        let firsts: Vec<usize> = (0..len).filter(|&e| first(e) == e).collect();
        let (mut cells, mut words) = (vec![0.0; len], vec![String::new(); len]);
        for e in 0..len {
            let set = firsts.iter().position(|&f| f == first(e)).unwrap_or(len);
            (cells[cell(e)], words[cell(e)]) = (set as f64 / firsts.len() as f64, (set + 1).to_string());
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        shared.push(Grid::new(&format!("{name}: {}", firsts.len()), C * SIDE, &cells).labelled(&words));
    }
    study.grids("Who shares a mean and a variance: down the images, across the channels", &shared);
    study.grids("What moves when the first pixel of image 1, channel 2 moves by 1", &moves);
    Ok(())
}

/// `y_i = gamma (x_i - mean) + beta` has the gradient `gamma (dy_i - mean of dy)`.
fn gradient_without_the_mean(study: &mut Study) -> anyhow::Result<()> {
    study.note(
        "Batch norm that takes the mean away and leaves the variance: an input moves its own output by gamma, and all of them by \
         -gamma / n. Of one alone nothing is left; among many the second part is lost.",
    );
    let device = &study.device.clone();
    // A draw of dy in each of so many channels, all with one gamma and beta.
    let (channels, gamma) = (256, 1.5f32);
    let (mut rows, mut distances) = (Vec::new(), Vec::new());
    for n in [1, 2, 8, 32, 128, 1024, 4096] {
        let (x, dy) = (normal(device, [n, channels], 1), normal(device, [n, channels], 2));
        let (g, b) = (Tensor::full(device, [channels], gamma), Tensor::full(device, [channels], 0.5));
        let tape = Tape::new(device);
        let (x, weight, bias) = (tape.variable(&x), Var::constant(&g), Var::constant(&b));
        let primitives = x.sub(&x.mean_axes(&[0], true)).mul(&weight).add(&bias);
        let got = primitives.mul(&Var::constant(&dy)).sum().backward();
        let tape = Tape::new(device);
        let again = tape.variable(x.value());
        let operator = again.demean_norm(&weight, &bias, &Tensor::zeros(device, [channels]), 0.1);
        let fused = operator.mul(&Var::constant(&dy)).sum().backward();
        let [got, fused] = [got.of(&x), fused.of(&again)].map(|g| g.expect("y depends on x").to_vec());
        let (got, fused, dy) = (got?, fused?, wide(&dy.to_vec()?));
        let mean = |c: usize| dy.iter().skip(c).step_by(channels).sum::<f64>() / n as f64;
        let means: Vec<f64> = (0..channels).map(mean).collect();
        let formula: Vec<f64> = dy.iter().enumerate().map(|(i, d)| f64::from(gamma) * (d - means[i % channels])).collect();
        if n == 1 {
            study.check_all("n = 1: no gradient is left, by primitives", &got, &vec![0.0; channels], 0.0);
        }
        // Some roundings of numbers below 8 (gamma dy), whatever n: means are summed in trees.
        let rounding = 8.0 * 8.0 * f64::from(f32::EPSILON);
        study.check_all(&format!("n = {n}: the graph of primitives against the formula"), &got, &formula, rounding);
        study.check_all(&format!("n = {n}: the operator against the formula"), &fused, &formula, rounding);
        let distance = got.iter().zip(&dy).map(|(&g, d)| (f64::from(g) - f64::from(gamma) * d).powi(2)).sum::<f64>();
        let distance = (distance / got.len() as f64).sqrt();
        // gamma |mean of dy|: its root mean square over 256 draws is within 5 / sqrt(512) = 22 % of gamma / sqrt(n).
        let expected = f64::from(gamma) / (n as f64).sqrt();
        study.check_between(&format!("n = {n}: distance from gamma dy, times sqrt(n) / gamma"), distance / expected, 0.78, 1.22);
        rows.push(row![n, distance, expected]);
        distances.push([n as f64, distance]);
    }
    study.table("How far dx is from gamma dy", &["n", "root mean square", "gamma / sqrt(n)"], rows);
    let limit = [1.0, 4096.0].map(|n: f64| [n, f64::from(gamma) / n.sqrt()]);
    let series = [Series::dots("dx by autograd", distances), Series::curve("gamma / sqrt(n)", limit)];
    let axes = Axes::new("How far dx is from gamma dy", "n (entries that share the mean)", "distance (root mean square)");
    study.plot(axes.log_x().log_y(), &series);
    Ok(())
}

/// Batch norm of x (N, C) in training, from primitive operators: the mean, the variance, z and y.
fn from_primitives(x: &Var, gamma: &Var, beta: &Var, eps: &Var) -> [Var; 4] {
    let mean = x.mean_axes(&[0], true);
    let centred = x.sub(&mean);
    let variance = centred.square().mean_axes(&[0], true);
    let z = centred.mul(&variance.add(eps).rsqrt());
    let y = z.mul(gamma).add(beta);
    [mean, variance, z, y]
}

fn draw_the_graph(study: &mut Study) {
    study.note(
        "What the tape recorded of batch norm in training. X reaches Y along three ways: through itself, through the mean and \
         through the variance; the backward pass adds up what comes back along each.",
    );
    let device = &study.device.clone();
    let tape = Tape::new(device);
    let x = tape.variable(&normal(device, [64, 8], 3));
    let [gamma, beta] = [1.0, 0.0].map(|v| tape.variable(&Tensor::full(device, [8], v)));
    let eps = Var::constant(&Tensor::scalar(device, EPS));
    let [mean, variance, z, y] = from_primitives(&x, &gamma, &beta, &eps);
    let named = [(&x, "X"), (&gamma, "gamma"), (&beta, "beta"), (&eps, "eps")].into_iter();
    let named = named.chain([(&mean, "mean"), (&variance, "variance"), (&z, "Z"), (&y, "Y")]);
    let graph = named.fold(Graph::of(&y), |graph, (var, name)| graph.name(var, name));
    let users = |name: &str| graph.nodes().iter().filter(|node| node.inputs.iter().any(|&i| graph.nodes()[i].name == name)).count();
    let found = ["X", "mean", "variance", "Z", "gamma", "beta", "Y"].map(|name| users(name) as f64);
    study.check_all("operators that use X, mean, variance, Z, gamma, beta, Y", &found, &[2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0], 0.0);
    study.check("nodes: 4 leaves and 9 operators", graph.nodes().len() as f64, 13.0, 0.0);
    study.graph("The graph of batch norm in training", &graph);
    let stats = [0.0, 1.0].map(|v| Tensor::full(device, [8], v));
    let one = Graph::of(&x.batch_norm(&gamma, &beta, &stats[0], &stats[1], 0.1, EPS));
    study.check("the framework's operator: 3 leaves and 1 operator", one.nodes().len() as f64, 4.0, 0.0);
}

/// Gradients of x, gamma and beta.
type Backward = [Tensor; 3];

/// `dx = gamma rstd / m (m dy - sum dy - z sum(dy z))`, `dgamma = sum(dy z)`, `dbeta = sum dy`.
fn by_closed_form(x: &Tensor, gamma: &Tensor, dy: &Tensor) -> Backward {
    let m = x.shape().n() as f32;
    let rstd = ops::rsqrt(&ops::add(&ops::var(x, &[0], 0, true), &Tensor::scalar(x.device(), EPS)));
    let z = ops::mul(&ops::sub(x, &ops::mean_axes(x, &[0], true)), &rstd);
    let [dgamma, dbeta] = [&ops::mul(dy, &z), dy].map(|t| ops::sum_axes(t, &[0], true));
    let inner = ops::sub(&ops::sub(&ops::scale(dy, m), &dbeta), &ops::mul(&z, &dgamma));
    let dx = ops::mul(&ops::scale(&ops::mul(gamma, &rstd), 1.0 / m), &inner);
    [dx, dgamma.squeeze(0), dbeta.squeeze(0)]
}

/// By the tape, from the graph of primitives or from the framework's operator.
fn by_autograd(x: &Tensor, gamma: &Tensor, dy: &Tensor, operator: bool) -> Backward {
    let (device, channels) = (x.device(), [x.shape().c()]);
    let tape = Tape::new(device);
    let leaves = [x, gamma, &Tensor::full(device, channels, 0.5)].map(|t| tape.variable(t));
    let [x, gamma, beta] = &leaves;
    let y = if operator {
        let [mean, var] = [0.0, 1.0].map(|v| Tensor::full(device, channels, v));
        x.batch_norm(gamma, beta, &mean, &var, 0.1, EPS)
    } else {
        let [_, _, _, y] = from_primitives(x, gamma, beta, &Var::constant(&Tensor::scalar(device, EPS)));
        y
    };
    let gradients = y.mul(&Var::constant(dy)).sum().backward();
    leaves.each_ref().map(|leaf| gradients.of(leaf).expect("y depends on it").clone())
}

fn closed_form(study: &mut Study) -> anyhow::Result<()> {
    study.note(
        "The three ways back, worked out on paper, are one line: dx = gamma rstd / m (m dy - sum dy - z sum(dy z)). On this device, \
         and on the CPU in double precision, where nothing but the last digits may differ.",
    );
    // A power of two: 1 / m, which operators get in single precision, is exact.
    let (m, channels) = (128, 50);
    let single = &study.device.clone();
    let mut rows = Vec::new();
    for (precision, device, tolerance) in [
        // Sums of 128 products of numbers below 5, in trees: a dozen roundings of sums below 64.
        ("single", single, 12.0 * 64.0 * f64::from(f32::EPSILON) / 2.0),
        ("double", &Device::Cpu, 12.0 * 64.0 * f64::EPSILON / 2.0),
    ] {
        let all = || -> anyhow::Result<Vec<[Vec<f64>; 3]>> {
            let on = |t: Tensor| t.to_vec().map(|v| Tensor::from_slice(device, t.shape(), &wide(&v)));
            let [x, dy] = [4, 5].map(|stream| normal(device, [m, channels], stream));
            let gamma = normal(device, [channels], 6);
            let (x, dy, gamma) = if precision == "double" { (on(x)?, on(dy)?, on(gamma)?) } else { (x, dy, gamma) };
            let ways = [by_autograd(&x, &gamma, &dy, false), by_autograd(&x, &gamma, &dy, true), by_closed_form(&x, &gamma, &dy)];
            let read = |t: &Tensor| if precision == "double" { t.read::<f64>() } else { t.to_vec().map(|v| wide(&v)) };
            ways.iter().map(|[dx, dgamma, dbeta]| Ok([read(dx)?, read(dgamma)?, read(dbeta)?])).collect()
        };
        let found = if precision == "double" { in_f64(all)? } else { all()? };
        for (i, name) in ["dx", "dgamma", "dbeta"].into_iter().enumerate() {
            let closed = &found[2][i];
            let mut off = Vec::new();
            for (way, by) in [("the graph of primitives", &found[0][i]), ("the operator", &found[1][i])] {
                study.check_all(&format!("{name} in {precision} precision: closed form against {way}"), closed, by, tolerance);
                off.push(closed.iter().zip(by).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max));
            }
            rows.push(row![name, precision, off[0], off[1]]);
        }
    }
    let columns = ["gradient", "precision", "off the graph by", "off the operator by"];
    study.table("The closed form of the backward pass: largest differences", &columns, rows);
    Ok(())
}

/// x (n, c) through the framework's layer in training, with beta in every channel; channels apart.
fn normalised(device: &Device, x: &[f32], channels: usize, beta: f32) -> anyhow::Result<Vec<f32>> {
    let norm = BatchNorm1d::new().build(&Init::seeded(device, 0), [channels])?;
    parameters(&norm)[1].1.set(&vec![beta; channels]);
    let x = Tensor::from_slice(device, [x.len() / channels, channels], x);
    Ok(norm.forward(&Tape::new(device).input(&x)).value().to_vec()?)
}

/// Mean, deviation, skewness and excess of the fourth moment.
fn moments(x: &[f64]) -> [f64; 4] {
    let n = x.len() as f64;
    let mean = x.iter().sum::<f64>() / n;
    let central = |k: i32| x.iter().map(|v| (v - mean).powi(k)).sum::<f64>() / n;
    let deviation = central(2).sqrt();
    [mean, deviation, central(3) / deviation.powi(3), central(4) / deviation.powi(4) - 3.0]
}

fn one_gaussian(study: &mut Study) -> anyhow::Result<()> {
    study
        .note("A Gaussian of mean 1.5 and variance 0.16 through batch norm with gamma 1 and beta 3: moved and stretched, no more.");
    let count = study.pick(2_000, 20_000, 200_000);
    let x: Vec<f32> = normal(&study.device, [count], 7).to_vec()?.iter().map(|z| 1.5 + 0.4 * z).collect();
    let y = normalised(&study.device, &x, 1, 3.0)?;
    let (before, after) = (wide(&x), wide(&y));
    let ([mean, deviation, ..], [new_mean, new_deviation, ..]) = (moments(&before), moments(&after));
    // Five standard errors of a mean and of a deviation.
    let error = 0.4 / (count as f64).sqrt();
    study.check("before: mean", mean, 1.5, 5.0 * error);
    study.check("before: standard deviation", deviation, 0.4, 5.0 * error / SQRT_2);
    study.check("after: mean", new_mean, 3.0, 1e-5);
    // sqrt(v / (v + eps)) = 1 - 3e-5.
    study.check("after: standard deviation", new_deviation, deviation / (deviation.powi(2) + f64::from(EPS)).sqrt(), 1e-5);
    let standard = |values: &[f64], m: f64, d: f64| values.iter().map(|v| (v - m) / d).collect::<Vec<f64>>();
    let shapes = [standard(&before, mean, deviation), standard(&after, new_mean, new_deviation)];
    study.check_all("the shape: each value as many deviations from the mean as before", &shapes[1], &shapes[0], 1e-5);
    let rows = [("before", &before), ("after", &after)].map(|(name, values)| {
        let [mean, deviation, skewness, excess] = moments(values);
        row![name, mean, deviation, skewness, excess]
    });
    study.table("A Gaussian through batch norm", &["", "mean", "deviation", "skewness", "excess kurtosis"], rows.to_vec());
    let axes = Axes::new("A Gaussian before and after batch norm (beta 3)", "value", "count").x_range(-1.0, 7.0);
    study.histogram(axes, 80, &[("before", &before), ("after", &after)]);
    Ok(())
}

/// Mean and covariance of points.
fn spread(points: &[[f64; 2]]) -> ([f64; 2], [[f64; 2]; 2]) {
    let n = points.len() as f64;
    let mean = [0, 1].map(|i| points.iter().map(|p| p[i]).sum::<f64>() / n);
    let of = |i: usize, j: usize| points.iter().map(|p| (p[i] - mean[i]) * (p[j] - mean[j])).sum::<f64>() / n;
    (mean, [[of(0, 0), of(0, 1)], [of(1, 0), of(1, 1)]])
}

fn two_correlated_gaussians(study: &mut Study) -> anyhow::Result<()> {
    study.note(
        "Two correlated numbers, each a channel: batch norm moves them to the origin and gives each axis unit deviation. The \
         correlation stays, since each channel is treated alone: this is no whitening.",
    );
    let count = study.pick(2_000, 10_000, 100_000);
    let drawn = normal(&study.device, [count, 2], 8).to_vec()?;
    let (rho, x): (f32, Vec<f32>) =
        (0.8, drawn.chunks(2).flat_map(|u| [2.0 + 1.5 * u[0], -1.0 + 0.5 * (0.8 * u[0] + 0.6 * u[1])]).collect());
    let y = normalised(&study.device, &x, 2, 0.0)?;
    let points = |values: &[f32]| values.chunks(2).map(|p| [p[0].into(), p[1].into()]).collect::<Vec<[f64; 2]>>();
    let (before, after) = (points(&x), points(&y));
    let correlation = |c: [[f64; 2]; 2]| c[0][1] / (c[0][0] * c[1][1]).sqrt();
    let (was, is) = (spread(&before), spread(&after));
    study.check_all("after: mean", &is.0, &[0.0; 2], 1e-5);
    // Short of 1 by eps / 2 variance, which is 2e-5 where the variance is 0.25.
    study.check_all("after: standard deviations", &[is.1[0][0].sqrt(), is.1[1][1].sqrt()], &[1.0; 2], 5e-5);
    study.check("after: correlation, as before", correlation(is.1), correlation(was.1), 1e-6);
    let error = (1.0 - f64::from(rho * rho)) / (count as f64).sqrt();
    study.check("before: correlation", correlation(was.1), rho.into(), 5.0 * error);
    let (mut rows, mut shares) = (Vec::new(), Vec::new());
    for (name, points, (mean, covariance)) in [("before", &before, was), ("after", &after, is)] {
        let [[xx, xy], [_, yy]] = covariance;
        let squared = |p: &[f64; 2]| {
            let [u, v] = [p[0] - mean[0], p[1] - mean[1]];
            (yy * u * u - 2.0 * xy * u * v + xx * v * v) / (xx * yy - xy * xy)
        };
        let within = [1.0, 2.0].map(|s: f64| points.iter().filter(|p| squared(p) <= s * s).count() as f64 / count as f64);
        for (sigma, share) in [1.0f64, 2.0].into_iter().zip(within) {
            let expected = 1.0 - (-sigma * sigma / 2.0).exp();
            let error = (expected * (1.0 - expected) / count as f64).sqrt();
            study.check(&format!("{name}: share of points within {sigma} sigma"), share, expected, 5.0 * error);
        }
        shares.push(within);
        rows.push(row![name, mean[0], mean[1], xx.sqrt(), yy.sqrt(), correlation(covariance)]);
        let shown = points.iter().take(600).copied();
        let contours = [1.0, 2.0].map(|s| Series::curve(&format!("{s} sigma"), ellipse(mean, covariance, s)));
        let [one, two] = contours;
        let axes = Axes::new(&format!("Two correlated Gaussians {name} batch norm"), "channel 1", "channel 2");
        let axes = axes.x_range(-4.0, 8.0).y_range(-4.0, 4.5).equal();
        study.plot(axes, &[Series::dots("points", shown), one, two]);
    }
    // The map is affine but for rounding: only points on a contour could change sides.
    study.check_all("as many points within each contour after as before", &shares[1], &shares[0], 2.0 / count as f64);
    let columns = ["", "mean 1", "mean 2", "deviation 1", "deviation 2", "correlation"];
    study.table("Two correlated Gaussians", &columns, rows);
    Ok(())
}

//! Convolutions by hand: `cargo run --release --example convolutions`
//!
//! `y[i] = sum over r of x[i stride + r] w[r]`: cross-correlation, the filter is not flipped.
mod common;

use common::{Axes, Grid, Series, Study, row};
use wgrad::gpu_core::ops::{ConvTranspose1dGeometry, ConvTranspose2dGeometry, Reduction};
use wgrad::nn::{parameter_count, parameters};
use wgrad::prelude::*;

fn main() -> anyhow::Result<()> {
    let mut study = Study::begin("convolutions", "Which filter turns a signal into another, and why convolve at all?")?;
    recover_the_filter(&mut study)?;
    transposed_in_one_dimension(&mut study)?;
    transposed_in_two_dimensions(&mut study)?;
    count_weights(&mut study)?;
    shift_an_image(&mut study)?;
    study.finish()
}

const SIGNAL: [f32; 5] = [1.0, 4.0, 0.0, -2.0, 3.0];
const OUTPUT: [f32; 3] = [-2.0, 2.0, 11.0];
const FILTER: [f32; 3] = [2.0, -1.0, 3.0];

/// The filter of three taps that takes SIGNAL to OUTPUT: three equations, or a layer that learns it.
fn recover_the_filter(study: &mut Study) -> anyhow::Result<()> {
    study.note(
        "A convolution is linear in its filter: each output is one equation. A layer that descends the squared error finds the \
         same three taps, since the error is a bowl with one lowest point.",
    );
    let device = &study.device.clone();
    // Row i of the system is what the window sees at place i.
    let windows: Vec<f32> = SIGNAL.windows(3).flatten().copied().collect();
    let a = Tensor::from_slice(device, [3, 3], &windows);
    let y = Tensor::from_slice(device, [3], &OUTPUT);
    let solved = ops::lstsq(&a, &y)?.to_vec()?;
    study.check_all("the filter that solves the 3 x 3 system is [2, -1, 3]", &solved, &FILTER, 1e-6);

    let layer = Conv1d::new(1, 3).no_bias().build(&Init::seeded(device, 0), [1, 5])?;
    let sgd = Sgd::new(&layer, 0.05);
    let x = Tensor::from_slice(device, [1, 1, 5], &SIGNAL);
    let target = Var::constant(&y.reshape([1, 1, 3]));
    let weights = parameters(&layer).remove(0).1;
    let (mut losses, mut taps) = (Vec::new(), vec![Vec::new(); 3]);
    for _ in 0..60 {
        for (tap, w) in taps.iter_mut().zip(weights.value().to_vec()?) {
            tap.push(f64::from(w));
        }
        let loss = layer.forward(&Tape::new(device).input(&x)).mse_loss(&target, Reduction::Mean);
        sgd.step(&loss.backward());
        losses.push(f64::from(loss.item()?));
    }
    let learned = weights.value().to_vec()?;
    study.check_all("the filter that Conv1d learns is [2, -1, 3]", &learned, &FILTER, 1e-3);

    let rows = (0..3).map(|r| row![r, FILTER[r], solved[r], learned[r]]).collect();
    study.table("The filter two ways", &["tap", "exact", "by solving", "by learning"], rows);
    study
        .plot(Axes::new("Learning the filter: loss", "iteration", "mean squared error").log_y(), &[Series::steps("loss", &losses)]);
    let mut series: Vec<Series> = (0..3).map(|r| Series::steps(&format!("tap {r}"), &taps[r])).collect();
    series.extend(FILTER.map(|w| Series::curve(&format!("w = {w}"), [[0.0, w.into()], [59.0, w.into()]])));
    study.plot(Axes::new("Learning the filter: taps", "iteration", "weight"), &series);
    Ok(())
}

/// Each input puts a copy of the filter into the output; where copies overlap they add up.
fn transposed_in_one_dimension(study: &mut Study) -> anyhow::Result<()> {
    study.note(
        "The transposed convolution scatters what the convolution gathers: each input puts a copy of the filter into the \
         output, and copies that overlap add up.",
    );
    let device = &study.device.clone();
    // Primes, so that no two products are alike.
    let ([a, b, c], [x, y, z]) = ([2.0f32, 3.0, 5.0], [7.0f32, 11.0, 13.0]);
    let input = Var::constant(&Tensor::from_slice(device, [1, 1, 3], &[a, b, c]));
    let filter = Var::constant(&Tensor::from_slice(device, [1, 1, 3], &[x, y, z]));
    let up = input.conv_transpose1d(&filter, None, ConvTranspose1dGeometry { stride: [2], ..Default::default() });
    let got = up.value().to_vec()?;
    let want = [a * x, a * y, a * z + b * x, b * y, b * z + c * x, c * y, c * z];
    study.check_all("transposed, stride 2: [ax, ay, az+bx, by, bz+cx, cy, cz]", &got, &want, 0.0);

    let down = up.conv1d(&filter, None, ops::Conv1dGeometry { stride: [2], ..Default::default() });
    study.check("the convolution of those 7 with stride 2 has length", down.shape().dim(2) as f64, 3.0, 0.0);
    // <conv(u), v> = <u, conv_transpose(v)>: what "transposed" says, here with v = [a, b, c] and u its image.
    let inner = |p: &[f32], q: &[f32]| p.iter().zip(q).map(|(p, q)| f64::from(p * q)).sum::<f64>();
    let left = inner(&down.value().to_vec()?, &[a, b, c]);
    study.check("<conv(u), v> = <u, transposed(v)>", left, inner(&got, &got), 0.0);

    let terms = ["ax", "ay", "az + bx", "by", "bz + cx", "cy", "cz"];
    let rows = (0..7).map(|i| row![i, terms[i], got[i]]).collect();
    study.table("Transposed convolution of [2, 3, 5] with [7, 11, 13]", &["place", "sum", "value"], rows);
    Ok(())
}

fn transposed_in_two_dimensions(study: &mut Study) -> anyhow::Result<()> {
    let device = &study.device.clone();
    let (x, w) = ([-1.0f32, 2.0, 3.0, 1.0], [1.0f32, -1.0, 0.0, 1.0]);
    let filter = Var::constant(&Tensor::from_slice(device, [1, 1, 2, 2], &w));
    let transposed = |x: &[f32]| -> anyhow::Result<Vec<f32>> {
        let x = Var::constant(&Tensor::from_slice(device, [1, 1, 2, 2], x));
        Ok(x.conv_transpose2d(&filter, None, ConvTranspose2dGeometry::default()).value().to_vec()?)
    };
    let sum = transposed(&x)?;
    let want = [-1.0, 3.0, -2.0, 3.0, -3.0, 1.0, 0.0, 3.0, 1.0];
    study.check_all("transposed in two dimensions: [[-1, 3, -2], [3, -3, 1], [0, 3, 1]]", &sum, &want, 0.0);

    let grid = |name: &str, columns, values: &[f32]| {
        Grid::new(name, columns, &values.iter().map(|&v| v.into()).collect::<Vec<f64>>()).numbered()
    };
    let mut grids = vec![grid("input", 2, &x), grid("filter", 2, &w)];
    let mut total = vec![0.0; 9];
    for i in 0..4 {
        let alone: Vec<f32> = (0..4).map(|j| if i == j { x[j] } else { 0.0 }).collect();
        let stamp = transposed(&alone)?;
        total.iter_mut().zip(&stamp).for_each(|(t, s)| *t += s);
        grids.push(grid(&format!("{} x filter", x[i]), 3, &stamp));
    }
    study.check_all("it is the sum of the filter's copies, one for each input", &total, &sum, 0.0);
    grids.push(grid("their sum", 3, &total));
    study.grids("Transposed convolution: one copy of the filter for each input", &grids);
    Ok(())
}

/// Weights and multiply-adds of a layer from 3 channels to 4 of the same size, convolved and fully connected.
fn count_weights(study: &mut Study) -> anyhow::Result<()> {
    study.note(
        "A fully connected layer has a weight for each pair of an input and an output. A convolution uses its few weights at \
         every place.",
    );
    let cx = Init::seeded(&study.device, 0);
    let conv = Conv2d::new(4, 3).padding(1).no_bias().build(&cx, [3, 8, 8])?;
    let sides = [8usize, 16, 32, 64, 128, 224];
    // A fully connected layer has a weight, and a multiply-add, for each pair of an input and an output.
    let dense = |side: usize| (3 * side * side) as f64 * (4 * side * side) as f64;
    let small = Linear::new(4 * 64).no_bias().build(&cx, [3 * 64])?;
    study.check("weights of the fully connected layer at 3 x 8 x 8", parameter_count(&small) as f64, dense(8), 0.0);
    study.check("weights of the convolution", parameter_count(&conv) as f64, 108.0, 0.0);
    let adds: Vec<f64> = sides.iter().map(|&s| conv.multiply_adds([1, 3, s, s].into()) as f64).collect();
    study.check("multiply-adds of the convolution at 3 x 224 x 224", adds[5], 108.0 * 224.0 * 224.0, 0.0);
    study.check("weights of the fully connected layer at 3 x 224 x 224", dense(224), 150_528.0 * 200_704.0, 0.0);

    let rows = sides.iter().zip(&adds).map(|(&s, &adds)| row![s, 108, adds as u64, dense(s) as u64, dense(s) / adds]).collect();
    let columns =
        ["side (pixels)", "weights, convolution", "multiply-adds, convolution", "weights and multiply-adds, dense", "ratio"];
    study.table("A layer from 3 channels to 4", &columns, rows);
    let over = |f: &dyn Fn(usize) -> f64| sides.iter().enumerate().map(|(i, &s)| [s as f64, f(i)]).collect::<Vec<_>>();
    let series = [
        Series::line("dense: weights", over(&|i| dense(sides[i]))),
        Series::line("convolution: multiply-adds", over(&|i| adds[i])),
        Series::line("convolution: weights", over(&|_| 108.0)),
    ];
    let axes = Axes::new("What a layer from 3 channels to 4 costs", "side of the image (pixels)", "number");
    study.plot(axes.log_x().log_y().x_ticks(&sides.map(|s| s as f64)), &series);
    Ok(())
}

const SIDE: usize = 12;
const SHIFT: [usize; 2] = [2, 3];

/// `image` moved down and to the right; zeros come in.
fn shifted(image: &[f32]) -> Vec<f32> {
    let from = |i: usize| Some((i / SIDE).checked_sub(SHIFT[0])? * SIDE + (i % SIDE).checked_sub(SHIFT[1])?);
    (0..SIDE * SIDE).map(|i| from(i).map_or(0.0, |j| image[j])).collect()
}

/// Shift, then convolve, is convolve, then shift. A fully connected layer knows nothing of that.
fn shift_an_image(study: &mut Study) -> anyhow::Result<()> {
    let device = &study.device.clone();
    study.note(
        "What is shifted before a convolution is as if shifted after it, but for the border, where zeros come in. A fully \
         connected layer treats each place in its own way.",
    );
    // A letter on grey ground, so that the zeros which come in are seen.
    let is_letter = |row: usize, column: usize| {
        (1..9).contains(&row) && ([2, 3].contains(&column) || ([1, 2, 5].contains(&row) && (2..8).contains(&column)))
    };
    let image: Vec<f32> = (0..SIDE * SIDE).map(|i| if is_letter(i / SIDE, i % SIDE) { 3.0 } else { 1.0 }).collect();
    let cx = Init::seeded(device, 1);
    let edges = Conv2d::new(1, 3).padding(1).no_bias().build(&cx, [1, SIDE, SIDE])?;
    parameters(&edges)[0].1.set(&[-1.0, 0.0, 1.0, -2.0, 0.0, 2.0, -1.0, 0.0, 1.0].map(|w| w / 8.0)); // Sobel's slope
    let dense = seq![Flatten, Linear::new(SIDE * SIDE).no_bias()].build(&cx, [1, SIDE, SIDE])?;
    let through = |net: &Net, image: &[f32]| -> anyhow::Result<Vec<f32>> {
        let x = Tensor::from_slice(device, [1, 1, SIDE, SIDE], image);
        Ok(net.forward(&Var::constant(&x)).value().to_vec()?)
    };
    // Where neither the zeros that came in nor those around the image are seen.
    let inside = |i: &usize| (SHIFT[0] + 1..SIDE - 1).contains(&(i / SIDE)) && (SHIFT[1] + 1..SIDE - 1).contains(&(i % SIDE));
    let mut above = vec![picture("image", &image)];
    let mut below = vec![picture("shifted", &shifted(&image))];
    let (mut differences, mut furthest) = (Vec::new(), Vec::new());
    for (name, net) in [("convolution", &edges), ("dense layer", &dense)] {
        let (before, after) = (through(net, &shifted(&image))?, shifted(&through(net, &image)?));
        above.push(picture(&format!("{name} of shifted"), &before));
        below.push(picture(&format!("shifted {name}"), &after));
        let difference: Vec<f32> = before.iter().zip(&after).map(|(b, a)| (b - a).abs()).collect();
        furthest.push((0..SIDE * SIDE).filter(inside).map(|i| f64::from(difference[i])).fold(0.0, f64::max));
        differences.push(picture(name, &difference));
    }
    // Small integers over 8: every sum is exact, in whatever order.
    study.check("convolution, away from the border: shifted before and after differ by", furthest[0], 0.0, 0.0);
    study.check_between("fully connected layer: they differ by up to", furthest[1], 0.1, 10.0);
    above.append(&mut below);
    study.grids("Shifted before the layer, and after it", &above);
    study.grids("How far the two differ: at the border, and everywhere", &differences);
    Ok(())
}

fn picture(name: &str, values: &[f32]) -> Grid {
    Grid::new(name, SIDE, &values.iter().map(|&v| v.into()).collect::<Vec<f64>>())
}

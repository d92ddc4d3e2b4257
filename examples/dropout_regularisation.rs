//! Dropout and noise as regularisation: `cargo run --release --example dropout_regularisation`
//!
//! Each entry of X kept with probability p: `E |y - (R*X) w|^2 = |y - p X w|^2 + p (1 - p) |G w|^2`, with the lengths of the columns
//! of X on the diagonal of G. Noise of mean mu and deviation sigma does the same with mu for p and sigma^2 for p (1 - p).
mod common;

use common::{Axes, Series, Study, row};
use wgrad::gpu_core::ops::DropoutKey;
use wgrad::gpu_core::rng::Key;
use wgrad::prelude::*;

fn main() -> anyhow::Result<()> {
    let question = "Which penalty is it that random masks put on the weights of a linear model?";
    let mut study = Study::begin("dropout_regularisation", question)?;
    let problem = Problem::new(&study.device)?;
    expectation(&mut study, &problem)?;
    minimum_of_masks(&mut study, &problem)?;
    change_of_variables(&mut study, &problem)?;
    least_squares_limit(&mut study, &problem)?;
    study.finish()
}

const N: usize = 16;
const D: usize = 5;
/// How much larger one column of X is than another.
const SCALES: [f32; D] = [0.25, 0.5, 1.0, 2.0, 4.0];

/// A linear model with columns of very different lengths.
struct Problem {
    x: Tensor,
    y: Tensor,
    /// Some weights, at which the loss is looked at.
    w: Tensor,
    /// The lengths of the columns of `x`.
    g: Vec<f64>,
}

/// The numbers of `x` in f64.
fn wide(x: &Tensor) -> anyhow::Result<Vec<f64>> {
    Ok(x.to_vec()?.into_iter().map(f64::from).collect())
}

fn narrow(device: &Device, shape: impl Into<Shape>, values: &[f64]) -> Tensor {
    Tensor::from_slice(device, shape, &values.iter().map(|&v| v as f32).collect::<Vec<_>>())
}

impl Problem {
    fn new(device: &Device) -> anyhow::Result<Self> {
        let step = Tensor::from_slice(device, [1], &[0u32]);
        let draw = |shape: &[usize], stream| ops::normal(Shape::new(shape), 0.0, 1.0, Key { seed: 4, stream }, &step);
        let x = ops::mul(&draw(&[N, D], 0), &Tensor::from_slice(device, [D], &SCALES));
        // Each column has a part in y; the loss is looked at beside its minimum.
        let shares = ops::div(&Tensor::from_slice(device, [D, 1], &[2.0f32, -1.5, 1.0, 1.5, -1.0]), &column(device, &SCALES));
        let y = ops::add(&ops::matmul(&x, &shares), &draw(&[N, 1], 1));
        let w = ops::add(&shares, &ops::div(&draw(&[D, 1], 2), &column(device, &SCALES)));
        let g = lengths(&wide(&x)?);
        Ok(Self { x, y, w, g })
    }

    /// `|y - mean X w|^2` and `variance |G w|^2`, in f64.
    fn parts(&self, mean: f64, variance: f64) -> anyhow::Result<[f64; 2]> {
        let (x, y, w) = (wide(&self.x)?, wide(&self.y)?, wide(&self.w)?);
        let residual = |i: usize| y[i] - mean * (0..D).map(|j| x[i * D + j] * w[j]).sum::<f64>();
        let penalty: f64 = self.g.iter().zip(&w).map(|(g, w)| (g * w).powi(2)).sum();
        Ok([(0..N).map(|i| residual(i).powi(2)).sum(), variance * penalty])
    }
}

fn column(device: &Device, values: &[f32]) -> Tensor {
    Tensor::from_slice(device, [values.len(), 1], values)
}

/// Of the columns of a matrix with D of them.
fn lengths(x: &[f64]) -> Vec<f64> {
    (0..D).map(|j| x.iter().skip(j).step_by(D).map(|v| v * v).sum::<f64>().sqrt()).collect()
}

/// What is drawn for the entries of X.
#[derive(Clone, Copy)]
enum Noise {
    /// Kept with this probability, else 0.
    Keep(f32),
    /// Dropped with this probability, else divided by that of being kept: `torch.nn.Dropout`.
    Drop(f32),
    /// Times a normal number of this mean and deviation.
    Normal(f32, f32),
}

impl Noise {
    fn draw(self, x: &Tensor, key: DropoutKey, step: &Tensor) -> Tensor {
        match self {
            Self::Keep(p) => ops::bernoulli_keep(x, p, key, step),
            Self::Drop(p) => ops::dropout(x, p, key, step),
            Self::Normal(mean, sigma) => ops::gaussian_noise(x, mean, sigma, key, step),
        }
    }

    /// Mean and variance of a factor.
    fn moments(self) -> [f64; 2] {
        let bernoulli = |keep: f64, scale: f64| [keep * scale, keep * (1.0 - keep) * scale * scale];
        match self {
            Self::Keep(p) => bernoulli(p.into(), 1.0),
            Self::Drop(p) => bernoulli(1.0 - f64::from(p), 1.0 / (1.0 - f64::from(p))),
            Self::Normal(mean, sigma) => [mean.into(), f64::from(sigma).powi(2)],
        }
    }

    fn name(self) -> String {
        match self {
            Self::Keep(p) => format!("keep {p}"),
            Self::Drop(p) => format!("dropout {p}"),
            Self::Normal(mean, sigma) => format!("normal {mean}, {sigma}"),
        }
    }
}

/// Masks that are drawn at once, and how often: 131,072 in all.
const MASKS: usize = 8192;
const DRAWS: u32 = 16;

/// Calls `f` with MASKS copies of X below each other, each under a mask of its own, DRAWS times.
fn masked(problem: &Problem, noise: Noise, mut f: impl FnMut(&Tensor) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let device = problem.x.device();
    let copies = ops::repeat(&problem.x, &[MASKS, 1]);
    for draw in 0..DRAWS {
        // Counter-based: another step is another set of masks, the same ones on every device.
        let step = Tensor::from_slice(device, [1], &[draw]);
        f(&noise.draw(&copies, DropoutKey { seed: 1, stream: 0 }, &step))?;
    }
    Ok(())
}

/// `|y - (R*X) w|^2` of each mask.
fn losses(problem: &Problem, noise: Noise) -> anyhow::Result<Vec<f64>> {
    let mut all = Vec::new();
    masked(problem, noise, |x| {
        let fit = ops::matmul(x, &problem.w).reshape([MASKS, N]);
        let squares = ops::square(&ops::sub(&fit, &problem.y.reshape([N])));
        all.extend(wide(&ops::sum_axes(&squares, &[1], false))?);
        Ok(())
    })?;
    Ok(all)
}

/// The mean, and its standard error.
fn mean_and_error(values: &[f64]) -> [f64; 2] {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    [mean, (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0) / n).sqrt()]
}

/// The expected loss: by its formula, and as a mean over masks.
fn expectation(study: &mut Study, problem: &Problem) -> anyhow::Result<()> {
    let count = MASKS * DRAWS as usize;
    study.note(&format!(
        "{count} masks of {N} x {D} for each kind of noise, drawn on the device. The mean loss must lie within 4 standard errors of \
         the formula: were it right and the seeds others, one of 2600 choices would fail for one of the six kinds. The sums' \
         rounding is a thousandth of a standard error.",
    ));
    let kinds =
        [Noise::Keep(0.2), Noise::Keep(0.5), Noise::Keep(0.8), Noise::Drop(0.5), Noise::Normal(1.0, 0.5), Noise::Normal(0.5, 1.0)];
    let mut table = Vec::new();
    for noise in kinds {
        let [mean, variance] = noise.moments();
        let [fit, penalty] = problem.parts(mean, variance)?;
        let all = losses(problem, noise)?;
        let [found, error] = mean_and_error(&all);
        let name = noise.name();
        study.check_between(
            &format!("{name}: off the formula by standard errors"),
            (found - fit - penalty).abs() / error,
            0.0,
            4.0,
        );
        study.check_between(&format!("{name}: off it without its penalty, likewise"), (found - fit).abs() / error, 100.0, 1e6);
        table.push(row![name, fit, penalty, fit + penalty, found, error]);
        if matches!(noise, Noise::Keep(p) if p == 0.5) {
            draw_convergence(study, &all, [fit, penalty]);
        }
    }
    let columns = ["noise", "misfit of the mean", "penalty", "formula", "mean over masks", "standard error"];
    study.table("The expected squared error", &columns, table);
    Ok(())
}

/// How the mean over masks nears the formula.
fn draw_convergence(study: &mut Study, all: &[f64], [fit, penalty]: [f64; 2]) {
    let (formula, deviation) = (fit + penalty, mean_and_error(all)[1] * (all.len() as f64).sqrt());
    let mut sums = vec![0.0];
    all.iter().for_each(|v| sums.push(sums[sums.len() - 1] + v));
    let mut counts: Vec<usize> = (0..=68).map(|k| 2f64.powf(f64::from(k) / 4.0) as usize).collect();
    counts.dedup();
    let over =
        |f: &dyn Fn(f64, f64) -> f64| counts.iter().map(|&m| [m as f64, f(m as f64, sums[m] / m as f64)]).collect::<Vec<_>>();
    let band = |side: f64| move |m: f64, _: f64| formula + side * deviation / m.sqrt();
    let axes = Axes::new("The mean over masks nears the formula (keep 0.5)", "masks", "mean of |y - (R*X) w|^2").log_x();
    let series = [
        Series::line("mean", over(&|_, mean| mean)),
        Series::curve("formula", over(&|_, _| formula)),
        Series::curve("2 errors above", over(&band(2.0))),
        Series::curve("2 errors below", over(&band(-2.0))),
    ];
    study.plot(axes.y_range(formula - 2.2 * deviation, formula + 2.2 * deviation), &series);
    let series = [
        Series::line("from the formula", over(&|_, mean| (mean - formula).abs())),
        Series::line("without the penalty", over(&|_, mean| (mean - fit).abs())),
        Series::curve("standard error", over(&|m, _| deviation / m.sqrt())),
    ];
    study.plot(Axes::new("How far the mean is off (keep 0.5)", "masks", "difference").log_x().log_y(), &series);
}

/// `a`, with `scale` times the diagonal of `g` below it, and as many zeros below `y`: least squares with a penalty.
fn penalised(problem: &Problem, mean: f64, scale: f64) -> anyhow::Result<Vec<f64>> {
    let device = problem.x.device();
    let g: Vec<f64> = (0..D * D).map(|i| if i % (D + 1) == 0 { scale * problem.g[i / D] } else { 0.0 }).collect();
    let a = ops::concat(&[&ops::scale(&problem.x, mean as f32), &narrow(device, [D, D], &g)], 0);
    wide(&ops::lstsq(&a, &ops::concat(&[&problem.y, &Tensor::zeros(device, [D, 1])], 0))?)
}

/// The penalty of `u = p w`: `|y - X u|^2 + (1 - p) / p |G u|^2`.
fn ridge_of(p: f64) -> f64 {
    (1.0 - p) / p
}

/// The u that is best under masks, found by least squares over masked copies of X, and by the formula.
fn minimum_of_masks(study: &mut Study, problem: &Problem) -> anyhow::Result<()> {
    study.note(&format!(
        "Least squares over {MASKS} masked copies of X below each other, {DRAWS} times anew: the mean of these weights, times p, must \
         lie within 5 standard errors of the ridge solution (5, since the error itself is estimated from {DRAWS} values).",
    ));
    let y = ops::repeat(&problem.y, &[MASKS, 1]);
    let (mut table, mut found) = (Vec::new(), vec![Vec::new(); D]);
    for p in study.pick(&[0.5][..], &[0.2, 0.5, 0.8], &[0.2, 0.5, 0.8]).iter().copied() {
        let mut solutions = vec![Vec::new(); D];
        masked(problem, Noise::Keep(p as f32), |x| {
            let w = wide(&ops::lstsq(x, &y)?)?;
            solutions.iter_mut().zip(w).for_each(|(s, w)| s.push(p * w));
            Ok(())
        })?;
        let ridge = penalised(problem, 1.0, ridge_of(p).sqrt())?;
        let plain = wide(&ops::lstsq(&problem.x, &problem.y)?)?;
        let (mut off, mut off_plain) = (0f64, 0f64);
        for j in 0..D {
            let [u, error] = mean_and_error(&solutions[j]);
            off = off.max((u - ridge[j]).abs() / error);
            off_plain = off_plain.max((u - plain[j]).abs() / error);
            table.push(row![p, j, ridge[j], u, error, plain[j]]);
            found[j].push([p, problem.g[j] * u]);
        }
        study.check_between(&format!("p = {p}: off the ridge solution by standard errors"), off, 0.0, 5.0);
        study.check_between(&format!("p = {p}: off least squares, likewise"), off_plain, 20.0, 1e6);
    }
    study.table("The weights u = p w", &["p", "column", "ridge", "best over masks", "standard error", "least squares"], table);
    draw_path(study, problem, &found)
}

/// The weights of normalised features against p; at p = 1 they are those of least squares.
fn draw_path(study: &mut Study, problem: &Problem, found: &[Vec<[f64; 2]>]) -> anyhow::Result<()> {
    let mut paths = vec![Vec::new(); D];
    for percent in (2..=100).step_by(2) {
        let p = f64::from(percent) / 100.0;
        for (j, u) in penalised(problem, 1.0, ridge_of(p).sqrt())?.into_iter().enumerate() {
            paths[j].push([p, problem.g[j] * u]);
        }
    }
    let mut series: Vec<Series> = (0..D).map(|j| Series::line(&format!("column {j}"), paths[j].clone())).collect();
    series.push(Series::dots("best over masks", found.concat()));
    study.plot(Axes::new("The path of the weights", "probability p of being kept", "weight times length of the column"), &series);
    Ok(())
}

/// Ridge in other variables: dropout normalises the columns.
fn change_of_variables(study: &mut Study, problem: &Problem) -> anyhow::Result<()> {
    study.note(
        "In the variables G u and X / G the penalty is that of classical ridge, with lambda = (1 - p) / p, and all columns are of \
         length 1: dropout acts as if the features had been normalised, as batch norm does.",
    );
    let device = &study.device.clone();
    let g = narrow(device, [D], &problem.g);
    let normal = ops::div(&problem.x, &g);
    let after = lengths(&wide(&normal)?);
    study.check_all("the columns of X / G are of length 1", &after, &[1.0; D], 1e-6);
    let names = ["0", "1", "2", "3", "4"];
    let axes = Axes::new("The lengths of the columns", "column", "length").log_y();
    study.bars(axes, &names, &[("X", &problem.g), ("X / G", &after)]);
    for p in [0.1, 0.5, 0.9] {
        let classical = wide(&ops::ridge(&normal, &problem.y, ridge_of(p) as f32)?)?;
        let of_u: Vec<f64> = penalised(problem, 1.0, ridge_of(p).sqrt())?.iter().zip(&problem.g).map(|(u, g)| g * u).collect();
        let of_w = penalised(problem, p, (p * (1.0 - p)).sqrt())?;
        let of_w: Vec<f64> = of_w.iter().zip(&problem.g).map(|(w, g)| g * p * w).collect();
        // Solved in f64, stored in f32: a few roundings of numbers below 10.
        study.check_all(&format!("p = {p}: G u is the classical ridge solution"), &of_u, &classical, 4e-6);
        study.check_all(&format!("p = {p}: G p w too, w best for the expected loss"), &of_w, &classical, 4e-6);
    }

    // Batch norm of centred columns divides them by their deviation, which is their length over sqrt N.
    let centred = ops::sub(&problem.x, &ops::mean_axes(&problem.x, &[0], true));
    let norm = BatchNorm1d::new().no_affine().eps(1e-12).build(&Init::seeded(device, 0), [D])?;
    let normed = norm.forward(&Tape::new(device).input(&centred)).value().to_vec()?;
    let divided = ops::div(&centred, &narrow(device, [D], &lengths(&wide(&centred)?)));
    let want = ops::scale(&divided, (N as f32).sqrt()).to_vec()?;
    study.check_all("batch norm of centred columns: the same columns, times sqrt N", &normed, &want, 1e-5);

    // Another unit for one feature: dropout's fit stays, that of ridge on X itself does not.
    let units = Tensor::from_slice(device, [D], &[100.0f32, 1.0, 1.0, 1.0, 1.0]);
    let other = Problem { x: ops::mul(&problem.x, &units), y: problem.y.clone(), w: problem.w.clone(), g: Vec::new() };
    let other = Problem { g: lengths(&wide(&other.x)?), ..other };
    let fits = |of: &Problem| -> anyhow::Result<[Vec<f64>; 2]> {
        let (dropout, ridge) = (penalised(of, 1.0, 1.0)?, wide(&ops::ridge(&of.x, &of.y, 1.0)?)?);
        let fit = |u: &[f64]| wide(&ops::matmul(&of.x, &narrow(device, [D, 1], u)));
        Ok([fit(&dropout)?, fit(&ridge)?])
    };
    let (before, after) = (fits(problem)?, fits(&other)?);
    study.check_all("p = 0.5: the fit, one feature in another unit", &after[0], &before[0], 1e-5);
    let apart = after[1].iter().zip(&before[1]).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    study.check_between("ridge on X itself: its fit changes by up to", apart, 0.05, 10.0);
    Ok(())
}

/// Noise of mean 1 and deviation 0 is none.
fn least_squares_limit(study: &mut Study, problem: &Problem) -> anyhow::Result<()> {
    let plain = wide(&ops::lstsq(&problem.x, &problem.y)?)?;
    for noise in [Noise::Normal(1.0, 0.0), Noise::Keep(1.0)] {
        let all = losses(problem, noise)?;
        let (low, high) = all.iter().fold((f64::MAX, f64::MIN), |(l, h), &v| (l.min(v), h.max(v)));
        study.check(&format!("{}: the losses of all masks differ by", noise.name()), high - low, 0.0, 0.0);
        let [fit, penalty] = problem.parts(1.0, 0.0)?;
        study.check(&format!("{}: they are |y - X w|^2", noise.name()), all[0], fit + penalty, 1e-5 * fit);
    }
    let limit = penalised(problem, 1.0, 0.0)?;
    study.check_all("mu = 1, sigma = 0: the weights of least squares", &limit, &plain, 1e-6);
    Ok(())
}

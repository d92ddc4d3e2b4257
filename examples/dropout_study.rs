//! Dropout in one dimension and on images: `cargo run --release --example dropout_study`
//!
//! Fit `10 w1 + w2 = 11`, each input dropped with probability p and divided by q = 1 - p where it is kept. Of the four rows that may
//! come up, least squares has its minimum at `w1 = 1.1 q / (1 + q)`, `w2 = 11 q / (1 + q)`, for every p > 0.
mod common;
#[path = "dropout_study/images.rs"]
mod images;

use common::{Axes, Series, Study, row};
use wgrad::nn::{ShapeError, parameters};
use wgrad::prelude::*;

fn main() -> anyhow::Result<()> {
    let question = "Where do the weights go under dropout, and does it keep a network from relying on one feature?";
    let mut study = Study::begin("dropout_study", question)?;
    solve_and_descend(&mut study)?;
    descend_with_dropout(&mut study)?;
    sweep(&mut study)?;
    adam_and_sgd(&mut study)?;
    images::cheat(&mut study)?;
    study.finish()
}

const X: [f64; 2] = [10.0, 1.0];
const Y: f64 = 11.0;
const LR: f32 = 1e-3;
/// Without dropout: of all w with `10 w1 + w2 = 11` the shortest.
const SHORTEST: [f64; 2] = [110.0 / 101.0, 11.0 / 101.0];

/// The rows that dropout makes of X, and their probabilities.
fn rows(p: f64) -> [([f64; 2], f64); 4] {
    let q = 1.0 - p;
    std::array::from_fn(|i| {
        let kept = [i & 1 == 0, i & 2 == 0];
        let x = std::array::from_fn(|j| if kept[j] { X[j] / q } else { 0.0 });
        (x, kept.map(|k| if k { q } else { p }).iter().product())
    })
}

/// Least squares over those rows, each counting as often as it comes up: by the pseudo-inverse, since p = 0 leaves one row.
fn least_squares(device: &Device, p: f64) -> anyhow::Result<Vec<f64>> {
    let values = rows(p).map(|(x, s)| [x[0], x[1], Y].map(|v| (s.sqrt() * v) as f32));
    let a = Tensor::from_slice(device, [4, 2], &values.map(|v| [v[0], v[1]]).concat());
    let y = Tensor::from_slice(device, [4, 1], &values.map(|v| v[2]));
    let w = ops::matmul(&ops::pinv(&a)?, &y).to_vec()?;
    Ok(w.into_iter().map(f64::from).collect())
}

/// Its closed form.
fn minimiser(p: f64) -> [f64; 2] {
    let q = 1.0 - p;
    if p == 0.0 { SHORTEST } else { [1.1, 11.0].map(|w| w * q / (1.0 + q)) }
}

/// The squared error of the row without dropout.
fn clean(w: &[f64]) -> f64 {
    (Y - X[0] * w[0] - X[1] * w[1]).powi(2)
}

type Square = [[f64; 3]; 3];

fn square(f: impl Fn(usize, usize) -> f64) -> Square {
    std::array::from_fn(|i| std::array::from_fn(|j| f(i, j)))
}

/// `m z m^T`.
fn sandwich(m: &Square, z: &Square) -> Square {
    let half = square(|i, j| (0..3).map(|k| m[i][k] * z[k][j]).sum());
    square(|i, j| (0..3).map(|k| half[i][k] * m[j][k]).sum())
}

/// Mean and standard deviation of the weights after 0, 1, .. `steps` steps on batches of `batch` rows. They are exact: a step is a
/// matrix times (w1, w2, 1), drawn anew. An endless batch gives the mean path alone.
fn expected(p: f64, batch: f64, steps: usize) -> Vec<[[f64; 2]; 2]> {
    let slope = 2.0 * f64::from(LR);
    let one = |i: usize, j: usize| f64::from(u8::from(i == j));
    let map = |x: &[f64; 2]| square(|i, j| one(i, j) + if i < 2 { slope * x[i] * [-x[0], -x[1], Y][j] } else { 0.0 });
    let maps = rows(p).map(|(x, s)| (s, map(&x)));
    let mean = square(|i, j| maps.iter().map(|(s, m)| s * m[i][j]).sum());
    // The second moments of (w1, w2, 1): the last column is the mean.
    let mut z = square(|i, j| one(i, 2) * one(j, 2));
    let mut path = Vec::new();
    for _ in 0..=steps {
        path.push([[z[0][2], z[1][2]], [0, 1].map(|i: usize| (z[i][i] - z[i][2].powi(2)).max(0.0).sqrt())]);
        let (of_mean, each) = (sandwich(&mean, &z), maps.map(|(s, m)| (s, sandwich(&m, &z))));
        let mean_of = |i: usize, j: usize| each.iter().map(|(s, m)| s * m[i][j]).sum::<f64>();
        z = square(|i, j| of_mean[i][j] + (mean_of(i, j) - of_mean[i][j]) / batch);
    }
    path
}

/// Inverted dropout of one's own: what is kept is divided by the probability of being kept.
#[derive(Debug)]
struct InvertedDropout {
    p: f32,
}

impl Layer for InvertedDropout {
    fn plan(&self, input: Shape) -> Result<Plan, ShapeError> {
        Ok(Plan::new(format!("InvertedDropout {}", self.p), input))
    }
    fn forward(&self, x: &Var, _: &Params<'_>) -> Var {
        let keep = 1.0 - self.p;
        if x.is_training() { x.bernoulli_keep(keep).scale(1.0 / keep) } else { x.clone() }
    }
}

/// Weights and losses after every so many iterations, and the weights at the end.
struct Run {
    path: Vec<[f64; 2]>,
    losses: Vec<f64>,
    end: [f64; 2],
}

/// Dropout on the input, then a linear layer from 2 to 1, weights from zero; a batch is one row `batch` times.
fn descend(device: &Device, p: f32, batch: usize, [steps, every]: [usize; 2], adam: bool) -> anyhow::Result<Run> {
    let net = seq![InvertedDropout { p }, Linear::new(1).no_bias()].build(&Init::seeded(device, 0), [2])?;
    parameters(&net)[0].1.set(&[0.0, 0.0]);
    let optimizer: Box<dyn Optimizer> = if adam { Box::new(AdamW::new(&net, LR)) } else { Box::new(Sgd::new(&net, LR)) };
    let step = TrainStep::captured(&net, &*optimizer, &StepOptions::new(batch, [2]).loss(Loss::Mse))?;
    step.x().write(&X.map(|x| x as f32).repeat(batch));
    step.slots().targets.iter().for_each(|targets| targets.write(&vec![Y as f32; batch]));
    let weights = || parameters(&net)[0].1.value().to_vec().map(|w| [f64::from(w[0]), f64::from(w[1])]);
    let (mut path, mut losses) = (vec![weights()?], Vec::new());
    for i in 1..=steps {
        step.run()?;
        // Only what is read is waited for.
        if i % every == 0 {
            path.push(weights()?);
            losses.push(step.loss()?.into());
        }
    }
    Ok(Run { path, losses, end: weights()? })
}

/// Parts A, B and C: what is exact.
fn solve_and_descend(study: &mut Study) -> anyhow::Result<()> {
    study.note(
        "One equation, 10 w1 + w2 = 11, has many solutions. Descent from zero finds the shortest, since it only ever moves along \
         the row (10, 1). With dropout there are four equations, and one best answer to them.",
    );
    let device = &study.device.clone();
    let a = least_squares(device, 0.0)?;
    study.check_all("A, least squares: w = (110/101, 11/101)", &a, &SHORTEST, 1e-6);
    let b = descend(device, 0.0, 1, [1000, 1000], false)?;
    study.check_all("B, descent: the same", &b.end, &SHORTEST, 1e-5);
    study.check("B, descent: the last loss", b.losses[0], 0.0, 1e-9);
    let four: Vec<f64> = rows(0.5).iter().flat_map(|(x, s)| [x[0], x[1], *s]).collect();
    let given = [[20.0, 2.0, 0.25], [0.0, 2.0, 0.25], [20.0, 0.0, 0.25], [0.0, 0.0, 0.25]].concat();
    study.check_all("C, the rows [20, 2], [0, 2], [20, 0], [0, 0], equally likely", &four, &given, 0.0);
    let c = least_squares(device, 0.5)?;
    study.check_all("C, least squares with dropout 0.5: w = (11/30, 11/3)", &c, &[11.0 / 30.0, 11.0 / 3.0], 1e-6);

    let x = Tensor::full(device, [1024, 2], 1.0);
    let through = |layer: AnyLayer| -> anyhow::Result<Vec<f32>> {
        let net = layer.build(&Init::seeded(device, 0), [2])?;
        Ok(net.forward(&Tape::pass(device).step(0).tape().input(&x)).value().to_vec()?)
    };
    let own = through(AnyLayer::new(InvertedDropout { p: 0.5 }))?;
    let theirs = through(AnyLayer::new(Dropout::new(0.5)))?;
    study.check_all("the own layer is Dropout, to the bit", &own, &theirs, 0.0);
    let line = |name: &str, w: &[f64]| row![name, w[0], w[1], clean(w)];
    let table = vec![line("A  least squares", &a), line("B  descent", &b.end), line("C  least squares, dropout 0.5", &c)];
    study.table("Fitting 10 w1 + w2 = 11", &["part", "w1", "w2", "clean loss"], table);
    Ok(())
}

/// `w`, in standard deviations from where it is to be: the further of the two weights.
fn sigmas(w: [f64; 2], [mean, sd]: [[f64; 2]; 2]) -> f64 {
    (0..2).map(|i| (w[i] - mean[i]).abs() / sd[i]).fold(0.0, f64::max)
}

/// Parts D and E: batches of 1 and of 1024 rows.
fn descend_with_dropout(study: &mut Study) -> anyhow::Result<()> {
    study.note(
        "A step of descent is linear in the weights, and its rows are drawn anew: mean and deviation of the weights after any \
         number of steps are known exactly, for any batch. A run must lie within 4 of these deviations: of the 16 weights held \
         against them one would lie further out in one of 1000 choices of seeds, and the seeds are fixed.",
    );
    let device = &study.device.clone();
    // p, and the mean after 1000 and 10,000 steps as the course gives it: to 1e-5, since one (0.526724) is not rounded but up.
    const MEANS: [(f64, [f64; 2], [f64; 2]); 4] = [
        (0.1, [0.82483, 1.84153], [0.52805, 5.13288]),
        (0.3, [0.52673, 3.48072], [0.45294, 4.52941]),
        (0.5, [0.37582, 3.48494], [0.36667, 3.66667]),
        (0.7, [0.25402, 2.53267], [0.25385, 2.53846]),
    ];
    let mut table = vec![row![0, SHORTEST[0], SHORTEST[1], SHORTEST[0], SHORTEST[1]]];
    let of_none = expected(0.0, f64::INFINITY, 1000)[1000][0];
    study.check_all("mean descent, p = 0: the shortest solution", &of_none, &SHORTEST, 1e-12);
    for (p, early, late) in MEANS {
        let path = expected(p, f64::INFINITY, 10_000);
        let (w, v) = (path[1000][0], path[10_000][0]);
        study.check_all(&format!("mean descent, p = {p}, 1000 steps"), &w, &early, 1e-5);
        study.check_all(&format!("mean descent, p = {p}, 10,000 steps"), &v, &late, 1e-5);
        table.push(row![p, w[0], w[1], v[0], v[1]]);
    }
    study.table("Mean descent", &["p", "w1 at 1000", "w2 at 1000", "w1 at 10,000", "w2 at 10,000"], table);

    let (mut runs, mut table) = (Vec::new(), Vec::new());
    // The runs that others have recorded are of the same distribution.
    for (part, batch, recorded) in [("D", 1, [0.5473, 3.4697]), ("E", 1024, [0.3746, 3.4873])] {
        let run = descend(device, 0.5, batch, [1000, 1], false)?;
        let path = expected(0.5, batch as f64, 1000);
        for (who, w) in [("this run", run.end), ("the recorded run", recorded)] {
            let what = format!("{part}, batch {batch}: {who} is off by standard deviations");
            study.check_between(&what, sigmas(w, path[1000]), 0.0, 4.0);
            table.push(row![part, batch, who, w[0], path[1000][1][0], w[1], path[1000][1][1]]);
        }
        runs.push((run, path));
    }
    study.table("After 1000 steps, dropout 0.5", &["part", "batch", "run", "w1", "its deviation", "w2", "its deviation"], table);
    let other = expected(0.3, 1024.0, 1000)[1000];
    study.check_between("E: it is no run with p = 0.3, by standard deviations", sigmas(runs[1].0.end, other), 20.0, 1e4);
    let noise = |losses: &[f64]| {
        let mean = losses.iter().sum::<f64>() / losses.len() as f64;
        (losses.iter().map(|l| (l - mean).powi(2)).sum::<f64>() / losses.len() as f64).sqrt()
    };
    let [of_one, of_many] = [0, 1].map(|i: usize| noise(&runs[i].0.losses[500..]));
    // Deviations of 500 losses that are drawn apart are known to 3 %, and those of weights that wander add to D's.
    study.check_between("D's loss is noisier than E's, times (sqrt 1024 = 32)", of_one / of_many, 24.0, 48.0);

    for (title, steps) in [("The first 100 losses with dropout 0.5", 100), ("All losses with dropout 0.5", 1000)] {
        let series = [("batch 1", 0), ("batch 1024", 1)].map(|(name, i)| Series::steps(name, &runs[i].0.losses[..steps]));
        study.plot(Axes::new(title, "iteration", "mean squared error"), &series);
    }
    let w2 = |k: usize| runs[k].0.path.iter().map(|w| w[1]).collect::<Vec<_>>();
    let mut series = vec![Series::steps("batch 1", &w2(0)), Series::steps("batch 1024", &w2(1))];
    for (name, side) in [("mean", 0.0), ("batch 1, + 2 sd", 2.0), ("batch 1, - 2 sd", -2.0)] {
        let at = |(k, [mean, sd]): (usize, &[[f64; 2]; 2])| [k as f64, mean[1] + side * sd[1]];
        series.push(Series::curve(name, runs[0].1.iter().enumerate().map(at)));
    }
    study.plot(Axes::new("Where w2 goes with dropout 0.5", "iteration", "w2"), &series);
    Ok(())
}

/// Part G: all p, by least squares and by descent.
fn sweep(study: &mut Study) -> anyhow::Result<()> {
    study.note(
        "As p goes to 0 the weights go to (0.55, 5.5), but at p = 0 they are (1.089, 0.109): without dropout there is one equation \
         for two weights, and descent takes the shortest; with any dropout there is one best answer, which shares the work evenly.",
    );
    let device = &study.device.clone();
    let all = (0..=98).map(|percent| f64::from(percent) / 100.0);
    let solved = all.map(|p| least_squares(device, p).map(|w| (p, w))).collect::<anyhow::Result<Vec<_>>>()?;
    let off = |(p, w): &(f64, Vec<f64>)| (0..2).map(|i| (w[i] - minimiser(*p)[i]).abs()).fold(0.0, f64::max);
    let furthest = solved.iter().map(off).fold(0.0, f64::max);
    study.check("least squares for p = 0, 0.01 .. 0.98 is the closed form, but for", furthest, 0.0, 2e-5);

    let steps = study.pick(300, 10_000, 10_000);
    let (mut found, mut table) = (Vec::new(), Vec::new());
    let losses = [0.0, 0.335180, 3.768166, 13.444444, 35.082840];
    for (p, loss) in [0.0, 0.1, 0.3, 0.5, 0.7].into_iter().zip(losses) {
        study.check(&format!("p = {p}: clean loss of the minimiser"), clean(&minimiser(p)), loss, 5e-7);
        let w = descend(device, p as f32, 1024, [steps, steps], false)?.end;
        let path = expected(p, 1024.0, steps)[steps];
        match p {
            0.0 => study.check_all("p = 0: descent finds the shortest solution", &w, &SHORTEST, 1e-5),
            _ => study.check_between(&format!("p = {p}: descent is off by standard deviations"), sigmas(w, path), 0.0, 4.0),
        }
        table.push(row![p, minimiser(p)[0], w[0], minimiser(p)[1], w[1], loss, clean(&w)]);
        found.push((p, w));
    }
    let columns = ["p", "w1", "w1 by descent", "w2", "w2 by descent", "clean loss", "clean loss by descent"];
    study.table(&format!("The sweep after {steps} steps"), &columns, table);

    let over = |of: &dyn Fn(&[f64]) -> f64| solved[1..].iter().map(|(p, w)| [*p, of(w)]).collect::<Vec<_>>();
    let dots = |of: &dyn Fn(&[f64]) -> f64| found.iter().map(|(p, w)| [*p, of(w)]).collect::<Vec<_>>();
    let series = [
        Series::line("least squares", over(&clean)),
        Series::dots("descent", dots(&clean)),
        Series::dots("p = 0", [[0.0, clean(&SHORTEST)]]),
    ];
    study.plot(Axes::new("The error on the row without dropout", "p", "squared error"), &series);
    let series = [
        Series::line("w1, least squares", over(&|w| w[0])),
        Series::line("w2, least squares", over(&|w| w[1])),
        Series::dots("w1, descent", dots(&|w| w[0])),
        Series::dots("w2, descent", dots(&|w| w[1])),
        Series::curve("limit of w1: 0.55", [[0.0, 0.55], [0.98, 0.55]]),
        Series::curve("limit of w2: 5.5", [[0.0, 5.5], [0.98, 5.5]]),
    ];
    study.plot(Axes::new("The weights jump at p = 0", "p", "weight"), &series);
    Ok(())
}

/// Part H: both optimisers, without dropout and with it.
fn adam_and_sgd(study: &mut Study) -> anyhow::Result<()> {
    study.note(
        "Without dropout both weights' gradients have one sign and one course in time, and Adam divides by their size: its steps \
         are the same for both, and it ends at (1, 1). With dropout there is one minimum, and both find it.",
    );
    let device = &study.device.clone();
    let steps = study.pick(300, 10_000, 10_000);
    let run = |p: f32, adam: bool| descend(device, p, 1024, [steps, (steps / 500).max(1)], adam);
    let runs = [run(0.0, false)?, run(0.0, true)?, run(0.5, false)?, run(0.5, true)?];
    let [sgd, adam, noisy_sgd, noisy_adam] = runs.each_ref().map(|run| run.end);
    let named = || ["SGD, p = 0", "Adam, p = 0", "SGD, p = 0.5", "Adam, p = 0.5"].into_iter().zip(&runs);
    study.check_all("H, SGD, p = 0: the shortest solution", &sgd, &SHORTEST, 1e-5);
    let off = sigmas(noisy_sgd, expected(0.5, 1024.0, steps)[steps]);
    study.check_between("H, SGD, p = 0.5: off by standard deviations", off, 0.0, 4.0);
    let apart = runs[1].path.iter().map(|w| (w[0] - w[1]).abs()).fold(0.0, f64::max);
    study.check("H, Adam, p = 0: w1 - w2 on all of its way", apart, 0.0, 1e-5);
    if !study.quick() {
        study.check_all("H, Adam, p = 0: (1, 1)", &adam, &[1.0, 1.0], 1e-4);
        let off = sigmas(noisy_adam, adams_rest(1024.0));
        study.check_between("H, Adam, p = 0.5: off by standard deviations", off, 0.0, 5.0);
    }
    let table = named().map(|(name, run)| row![name, run.end[0], run.end[1], clean(&run.end)]).collect();
    let mut series: Vec<Series> = named().map(|(name, run)| Series::line(name, run.path.iter().copied())).collect();
    study.table(&format!("Optimisers after {steps} steps of batch 1024"), &["optimiser", "w1", "w2", "clean loss"], table);
    series.push(Series::curve("10 w1 + w2 = 11", [[1.1, 0.0], [0.7, 4.0]]));
    study.plot(Axes::new("The ways of SGD and Adam", "w1", "w2").x_range(-0.02, 1.15).y_range(-0.1, 4.1), &series);
    Ok(())
}

/// Where Adam comes to rest with dropout 0.5, and how far it strays: near the minimum it is descent at the rate lr / s with s the
/// deviation of the gradient, and strays by sqrt(lr s / (2 h)), h the curvature.
fn adams_rest(batch: f64) -> [[f64; 2]; 2] {
    let w = minimiser(0.5);
    let spread = |i: usize| {
        let mean = |f: &dyn Fn(&[f64; 2]) -> f64| rows(0.5).iter().map(|(x, s)| s * f(x)).sum::<f64>();
        let slope = |x: &[f64; 2]| 2.0 * x[i] * (x[0] * w[0] + x[1] * w[1] - Y);
        let (s, h) = ((mean(&|x| slope(x).powi(2)) / batch).sqrt(), mean(&|x| 2.0 * x[i] * x[i]));
        (f64::from(LR) * s / (2.0 * h)).sqrt()
    };
    [w, [spread(0), spread(1)]]
}

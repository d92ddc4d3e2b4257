//! How weights begin: a pure function of a seed and of the order in which layers are made.

use crate::autograd::{Param, Parameters};
use gpu_core::rng::{Stream, unit_f32};
use gpu_core::{Device, Shape, Tensor};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// The distribution of a convolution's or linear layer's weights.
///
/// `fan_in` is the number of inputs that an output is summed from, `fan_out` the number of outputs that an input goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// What `torch.nn.Conv2d` and `torch.nn.Linear` do by themselves: uniform, bound `1 / sqrt(fan_in)`.
    #[default]
    PyTorch,
    /// He et al. for ReLU: uniform, bound `sqrt(6 / fan_in)`. Equivalent of `torch.nn.init.kaiming_uniform_`.
    KaimingUniform,
    /// He et al. for ReLU: normal, deviation `sqrt(2 / fan_in)`. Equivalent of `torch.nn.init.kaiming_normal_`.
    KaimingNormal,
    /// As [`KaimingUniform`](Self::KaimingUniform), by `fan_out`. PyTorch's `mode="fan_out"`.
    KaimingUniformFanOut,
    /// As [`KaimingNormal`](Self::KaimingNormal), by `fan_out`. PyTorch's `mode="fan_out"`.
    KaimingNormalFanOut,
    /// Glorot: uniform, bound `sqrt(6 / (fan_in + fan_out))`. Equivalent of `torch.nn.init.xavier_uniform_`.
    XavierUniform,
    /// Glorot: normal, deviation `sqrt(2 / (fan_in + fan_out))`. Equivalent of `torch.nn.init.xavier_normal_`.
    XavierNormal,
    /// Saxe et al.: rows (or columns, where there are fewer) that are orthonormal. Equivalent of `torch.nn.init.orthogonal_`.
    Orthogonal,
}

/// What a new parameter holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fill {
    /// Random weights (outputs, inputs, ...) by the [`Scheme`].
    Weights,
    /// Weights of a convolution that passes its inputs on: in each group of `outputs / groups`, filter `i` has a 1 at the middle tap of
    /// input `i`, else zeros; filters beyond the inputs are random as [`Weights`](Self::Weights) are. Equivalent of
    /// `torch.nn.init.dirac_` on the first filters of each group.
    Dirac {
        /// The convolution's groups.
        groups: usize,
    },
    /// What the [`Scheme`] has for a bias: uniform with bound `1 / sqrt(fan_in)` as in PyTorch, or zero.
    Bias {
        /// How many inputs each output is summed from.
        fan_in: usize,
    },
    /// One value everywhere.
    Constant(f32),
    /// Uniform in (-bound, bound). Equivalent of `torch.nn.init.uniform_`.
    Uniform {
        /// The largest magnitude.
        bound: f64,
    },
    /// Normal with mean 0. Equivalent of `torch.nn.init.normal_`.
    Normal {
        /// The standard deviation.
        deviation: f64,
    },
}

/// Where layers are made: the device, the seed, and the scheme of the weights. Cloning it clones a handle.
///
/// ```
/// use gpu_core::Device;
/// use nn::{Init, Layer, Linear, Scheme};
/// let cx = Init::seeded(&Device::Cpu, 7).scheme(Scheme::KaimingNormal);
/// let linear = Linear::new(2).build(&cx, [4])?;
/// # let _ = linear;
/// # Ok::<(), nn::BuildError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Init {
    device: Device,
    seed: u64,
    scheme: Scheme,
    next: Arc<AtomicU32>,
}

impl Init {
    /// Layers on `device`, their weights drawn from `seed`: the same seed and the same order of layers give the same weights on
    /// every device.
    pub fn seeded(device: &Device, seed: u64) -> Self {
        Self { device: device.clone(), seed, scheme: Scheme::default(), next: Arc::default() }
    }

    /// The same with another distribution of weights.
    pub fn scheme(self, scheme: Scheme) -> Self {
        Self { scheme, ..self }
    }

    /// Where the layers will lie.
    pub fn device(&self) -> &Device {
        &self.device
    }
    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Fills parameters of a network anew: those for which `with` says how.
    ///
    /// ```
    /// use gpu_core::Device;
    /// use nn::{Fill, Init, zoo};
    /// let cx = Init::seeded(&Device::Cpu, 0);
    /// let net = zoo::build("small-cnn", &cx, [3, 32, 32].into(), 10)?;
    /// cx.apply(&net, |key, _| key.ends_with("weight").then_some(Fill::Normal { deviation: 0.02 }));
    /// # Ok::<(), nn::SpecError>(())
    /// ```
    pub fn apply(&self, net: &dyn Parameters, with: impl Fn(&str, &Param) -> Option<Fill>) {
        net.visit("", &mut |key, param| {
            if let Some(fill) = with(key, param) {
                param.set(&self.values(param.shape(), fill));
            }
        });
    }

    /// A tensor that holds `fill`. Each random filling has a stream of its own, numbered in the order of these calls.
    pub(crate) fn fill(&self, shape: Shape, fill: Fill) -> Tensor {
        Tensor::from_slice(&self.device, shape, &self.values(shape, fill))
    }

    /// Goes on as if a tensor had been filled.
    pub(crate) fn pass_over(&self, fill: Fill) {
        self.take_stream(fill);
    }

    fn take_stream(&self, fill: Fill) -> Stream {
        let number = match fill {
            Fill::Constant(_) => 0,
            _ => self.next.fetch_add(1, Relaxed),
        };
        Stream::new(self.seed, number, 0)
    }

    fn values(&self, shape: Shape, fill: Fill) -> Vec<f32> {
        let (stream, len) = (self.take_stream(fill), shape.len());
        match fill {
            Fill::Constant(value) => vec![value; len],
            Fill::Weights => self.weights(stream, shape),
            Fill::Dirac { groups } => dirac(self.weights(stream, shape), shape, groups),
            Fill::Bias { fan_in } => self.bias(stream, len, fan_in),
            Fill::Uniform { bound } => uniform(stream, len, bound),
            Fill::Normal { deviation } => normal(stream, len, deviation),
        }
    }

    /// Axis 1 of the weights counts as the inputs, as in PyTorch: of transposed convolutions too.
    fn weights(&self, stream: Stream, shape: Shape) -> Vec<f32> {
        let len = shape.len();
        let fan_in = shape.inner(1).max(1) as f64;
        let fan_out = (shape.n() * shape.inner(2)).max(1) as f64;
        match self.scheme {
            Scheme::PyTorch => uniform(stream, len, (1.0 / fan_in).sqrt()),
            Scheme::KaimingUniform => uniform(stream, len, (6.0 / fan_in).sqrt()),
            Scheme::KaimingUniformFanOut => uniform(stream, len, (6.0 / fan_out).sqrt()),
            Scheme::XavierUniform => uniform(stream, len, (6.0 / (fan_in + fan_out)).sqrt()),
            Scheme::KaimingNormal => normal(stream, len, (2.0 / fan_in).sqrt()),
            Scheme::KaimingNormalFanOut => normal(stream, len, (2.0 / fan_out).sqrt()),
            Scheme::XavierNormal => normal(stream, len, (2.0 / (fan_in + fan_out)).sqrt()),
            Scheme::Orthogonal => orthogonal(stream, shape.n(), shape.inner(1)),
        }
    }

    /// Zero under the schemes named after people.
    fn bias(&self, stream: Stream, len: usize, fan_in: usize) -> Vec<f32> {
        match self.scheme {
            Scheme::PyTorch => uniform(stream, len, (1.0 / fan_in.max(1) as f64).sqrt()),
            _ => vec![0.0; len],
        }
    }
}

/// Filters (outputs, inputs of a group, taps ...) of which the first ones of each group pass on an input each.
fn dirac(mut weights: Vec<f32>, shape: Shape, groups: usize) -> Vec<f32> {
    let (inputs, taps) = (shape.dim(1), shape.inner(2));
    // As PyTorch has it, the middle of an even axis is the first tap of its second half.
    let middle = shape.dims()[2..].iter().fold(0, |at, &len| at * len + len / 2);
    for (output, filter) in weights.chunks_exact_mut(inputs * taps).enumerate() {
        let input = output % (shape.n() / groups);
        if input < inputs {
            filter.fill(0.0);
            filter[input * taps + middle] = 1.0;
        }
    }
    weights
}

fn uniform(stream: Stream, len: usize, bound: f64) -> Vec<f32> {
    let words = (0..len.div_ceil(4)).flat_map(|block| stream.block(block as u32));
    words.take(len).map(|word| ((2.0 * f64::from(unit_f32(word)) - 1.0) * bound) as f32).collect()
}

fn normal(stream: Stream, len: usize, deviation: f64) -> Vec<f32> {
    (0..len).map(|i| (f64::from(stream.normal(i as u64)) * deviation) as f32).collect()
}

/// A random matrix whose `rows`, or `columns` where there are fewer, are orthonormal: normal numbers by Gram and Schmidt.
fn orthogonal(stream: Stream, rows: usize, columns: usize) -> Vec<f32> {
    let (few, many) = (rows.min(columns), rows.max(columns));
    let mut vectors: Vec<Vec<f64>> = Vec::with_capacity(few);
    for at in 0..few {
        let mut v: Vec<f64> = (0..many).map(|i| f64::from(stream.normal((at * many + i) as u64))).collect();
        // Twice is enough: once leaves what rounding made of nearly parallel vectors.
        for u in [&vectors, &vectors].into_iter().flatten() {
            let along: f64 = u.iter().zip(&v).map(|(a, b)| a * b).sum();
            v.iter_mut().zip(u).for_each(|(v, u)| *v -= along * u);
        }
        let length = v.iter().map(|x| x * x).sum::<f64>().sqrt();
        vectors.push(v.into_iter().map(|x| x / length).collect());
    }
    let at = |row: usize, column: usize| if rows <= columns { vectors[row][column] } else { vectors[column][row] };
    (0..rows * columns).map(|i| at(i / columns, i % columns) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(scheme: Scheme) -> (f64, f64, f64) {
        let cx = Init::seeded(&Device::Cpu, 3).scheme(scheme);
        let values = cx.fill([200, 300].into(), Fill::Weights).to_vec().unwrap();
        let n = values.len() as f64;
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        let var = values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
        (mean, var, values.iter().fold(0.0, |m, v| f64::from(v.abs()).max(m)))
    }

    /// Bounds and deviations from the papers' formulas: a uniform distribution over (-b, b) has the variance b^2 / 3.
    #[test]
    fn each_scheme_has_its_variance() {
        let cases = [
            (Scheme::PyTorch, 1.0f64 / 900.0, Some((1.0f64 / 300.0).sqrt())),
            (Scheme::KaimingUniform, 2.0 / 300.0, Some((6.0f64 / 300.0).sqrt())),
            (Scheme::KaimingNormal, 2.0 / 300.0, None),
            (Scheme::KaimingUniformFanOut, 2.0 / 200.0, Some((6.0f64 / 200.0).sqrt())),
            (Scheme::KaimingNormalFanOut, 2.0 / 200.0, None),
            (Scheme::XavierUniform, 2.0 / 500.0, Some((6.0f64 / 500.0).sqrt())),
            (Scheme::XavierNormal, 2.0 / 500.0, None),
        ];
        for (scheme, want, bound) in cases {
            let (mean, var, largest) = moments(scheme);
            assert!(mean.abs() < 0.02 * want.sqrt(), "{scheme:?}: mean {mean}");
            assert!((var / want - 1.0).abs() < 0.03, "{scheme:?}: variance {var}, {want} is wanted");
            if let Some(bound) = bound {
                assert!(largest <= bound && largest > 0.99 * bound, "{scheme:?}: {largest} of {bound}");
            }
        }
    }

    #[test]
    fn a_seed_gives_the_same_weights_and_every_parameter_its_own() {
        let draw = |seed| {
            let cx = Init::seeded(&Device::Cpu, seed);
            [0, 1].map(|_| cx.fill([8, 8].into(), Fill::Weights).to_vec().unwrap())
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert_ne!(draw(1)[0], draw(1)[1]);
    }

    #[test]
    fn an_orthogonal_matrix_has_orthonormal_rows_or_columns() {
        let cx = Init::seeded(&Device::Cpu, 3).scheme(Scheme::Orthogonal);
        for shape in [[5, 12], [12, 5], [7, 7]] {
            let ([rows, columns], w) = (shape, cx.fill(shape.into(), Fill::Weights).to_vec().unwrap());
            let few = rows.min(columns);
            let at = |vector: usize, i: usize| if rows <= columns { w[vector * columns + i] } else { w[i * columns + vector] };
            for (a, b) in (0..few).flat_map(|a| (0..=a).map(move |b| (a, b))) {
                let dot: f32 = (0..rows.max(columns)).map(|i| at(a, i) * at(b, i)).sum();
                let wanted = if a == b { 1.0 } else { 0.0 };
                assert!((dot - wanted).abs() < 1e-6, "{shape:?}: {a} and {b} give {dot}");
            }
        }
    }

    /// `torch.nn.init.dirac_(w[: 3])` of (5, 3, 3, 2), and with `groups=2` of (4, 3, 3): ones at [0, 0, 1], [1, 1, 1], [2, 0, 1], [3, 1, 1].
    #[test]
    fn the_first_filters_pass_an_input_on_and_the_others_are_random() {
        let cx = Init::seeded(&Device::Cpu, 3);
        let w = cx.fill([5, 3, 3, 2].into(), Fill::Dirac { groups: 1 }).to_vec().unwrap();
        let ones: Vec<usize> = (0..54).filter(|&i| w[i] == 1.0).collect();
        assert_eq!(ones, [3, 18 + 6 + 3, 36 + 12 + 3]);
        assert!((0..54).all(|i| w[i] == 0.0 || ones.contains(&i)) && w[54..].iter().all(|w| *w != 0.0));
        // What it draws is what a layer without it draws, and those behind it do not notice.
        let plain = Init::seeded(&Device::Cpu, 3);
        assert_eq!(plain.fill([5, 3, 3, 2].into(), Fill::Weights).to_vec().unwrap()[54..], w[54..]);
        let [next, plain_next] = [&cx, &plain].map(|cx| cx.fill([2, 2].into(), Fill::Weights).to_vec().unwrap());
        assert_eq!(next, plain_next);
        let w = cx.fill([4, 3, 3].into(), Fill::Dirac { groups: 2 }).to_vec().unwrap();
        let ones: Vec<usize> = (0..36).filter(|&i| w[i] != 0.0).collect();
        assert_eq!(ones, [1, 9 + 3 + 1, 18 + 1, 27 + 3 + 1]);
    }

    #[test]
    fn a_network_is_filled_anew_where_it_is_asked_for() {
        let cx = Init::seeded(&Device::Cpu, 3);
        let (a, b) = (Param::buffer(Tensor::zeros(&Device::Cpu, [2])), Param::trainable(Tensor::zeros(&Device::Cpu, [2])));
        struct Two {
            a: Param,
            b: Param,
        }
        crate::parameters!(Two { a, b });
        let net = Two { a, b };
        cx.apply(&net, |key, param| (key == "b" && param.is_trainable()).then_some(Fill::Constant(0.5)));
        assert_eq!([&net.a, &net.b].map(|p| p.value().to_vec().unwrap()), [[0.0, 0.0], [0.5, 0.5]]);
    }
}

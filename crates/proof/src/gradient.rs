//! Derivatives against difference quotients.

use super::{Bound, Difference, difference, tensor};
use gpu_core::{Device, Shape, Tensor};

/// Holds derivatives against central differences, in double precision: `forward` maps inputs to one output, `backward` maps `dy` to
/// the inputs' gradients. Both run on [`Device::cpu_f64`], where other floats that they use
/// must lie too; the step is 1e-6, and a gradient may be 1e-3 of its largest
/// element away.
///
/// # Panics
/// If a gradient is further from the difference quotient.
#[track_caller]
pub fn gradients(inputs: &[Tensor], forward: impl Fn(&[Tensor]) -> Tensor, backward: impl Fn(&[Tensor], &Tensor) -> Vec<Tensor>) {
    let quotients = quotients(inputs, &forward, &backward);
    for (which, Quotient { shape, input, gradient, numeric }) in quotients.into_iter().enumerate() {
        assert!(shape == input, "gradient {which}: shape {shape} of an input {input}");
        let Difference { error, bound } = difference(&gradient, &numeric, Bound::Relative(1e-3));
        assert!(error <= bound, "gradient {which} is {error:e} from the difference quotient, {bound:e} is allowed");
    }
}

/// `(f(x + h) - f(x - h)) / 2h` with h = `step` at each element of `x` in turn: what the gradient of `f` is held against. To be of
/// use, `f` computes in double precision: on [`Device::cpu_f64`].
///
/// ```
/// # use proof::{difference_quotients, relative_error};
/// let cubes = |x: &[f64]| x.iter().map(|v| v.powi(3)).sum();
/// let quotients = difference_quotients(&[1.0, -2.0], 1e-5, cubes);
/// assert!(relative_error(&quotients, &[3.0, 12.0]) < 1e-9);
/// ```
pub fn difference_quotients(x: &[f64], step: f64, mut f: impl FnMut(&[f64]) -> f64) -> Vec<f64> {
    let mut moved = x.to_vec();
    let quotient = |i: usize| {
        let [above, below] = [step, -step].map(|delta| {
            moved[i] = x[i] + delta;
            f(&moved)
        });
        moved[i] = x[i];
        (above - below) / (2.0 * step)
    };
    (0..x.len()).map(quotient).collect()
}

/// The largest `|a - b| / max(|a| + |b|, 1e-8)`, at most 1 for numbers and infinite where one is NaN: how far two gradients are apart.
///
/// # Panics
/// If there are not as many of one as of the other.
#[track_caller]
pub fn relative_error(a: &[f64], b: &[f64]) -> f64 {
    assert!(a.len() == b.len(), "relative_error: {} values against {}", a.len(), b.len());
    let of = |(a, b): (&f64, &f64)| match (a - b).abs() / (a.abs() + b.abs()).max(1e-8) {
        error if error.is_nan() => f64::INFINITY,
        error => error,
    };
    a.iter().zip(b).map(of).fold(0.0, f64::max)
}

struct Quotient {
    shape: Shape,
    input: Shape,
    gradient: Vec<f32>,
    numeric: Vec<f32>,
}

fn quotients(
    inputs: &[Tensor],
    forward: &dyn Fn(&[Tensor]) -> Tensor,
    backward: &dyn Fn(&[Tensor], &Tensor) -> Vec<Tensor>,
) -> Vec<Quotient> {
    const STEP: f64 = 1e-6;
    let read = |t: &Tensor| t.read::<f64>().expect("the CPU device reads");
    let starts: Vec<Vec<f64>> =
        inputs.iter().map(|t| t.to_vec().expect("the CPU device reads").into_iter().map(f64::from).collect()).collect();
    let device = Device::cpu_f64();
    let wide = |which: usize, values: &[f64]| Tensor::from_slice(&device, inputs[which].shape(), values);
    let inputs: Vec<Tensor> = starts.iter().enumerate().map(|(which, start)| wide(which, start)).collect();
    let dy = tensor(&device, forward(&inputs).shape(), 99);
    let weights = read(&dy);
    let loss = |inputs: &[Tensor]| -> f64 { read(&forward(inputs)).iter().zip(&weights).map(|(y, d)| y * d).sum() };
    let of = |(which, gradient): (usize, Tensor)| {
        let numeric = difference_quotients(&starts[which], STEP, |values| {
            let mut inputs = inputs.clone();
            inputs[which] = wide(which, values);
            loss(&inputs)
        });
        let (shape, input) = (gradient.shape(), inputs[which].shape());
        let narrow = |values: Vec<f64>| values.into_iter().map(|v| v as f32).collect();
        Quotient { shape, input, gradient: narrow(read(&gradient)), numeric: narrow(numeric) }
    };
    backward(&inputs, &dy).into_iter().enumerate().map(of).collect()
}

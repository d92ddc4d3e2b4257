//! Derivatives against difference quotients.

use super::{Bound, Difference, difference, in_f64, tensor};
use crate::device::Device;
use crate::shape::Shape;
use crate::tensor::Tensor;

/// Holds derivatives against central differences, in double precision: `forward` maps inputs to one output, `backward` maps `dy` to
/// the inputs' gradients. Both run on the mirrors inside [`in_f64`]; the step is 1e-6, and a gradient may be 1e-3 of its largest
/// element away.
///
/// # Panics
/// If a gradient is further from the difference quotient.
#[track_caller]
pub fn gradients(inputs: &[Tensor], forward: impl Fn(&[Tensor]) -> Tensor, backward: impl Fn(&[Tensor], &Tensor) -> Vec<Tensor>) {
    let quotients = in_f64(|| quotients(inputs, &forward, &backward));
    for (which, Quotient { shape, input, gradient, numeric }) in quotients.into_iter().enumerate() {
        assert!(shape == input, "gradient {which}: shape {shape} of an input {input}");
        let Difference { error, bound } = difference(&gradient, &numeric, Bound::Relative(1e-3));
        assert!(error <= bound, "gradient {which} is {error:e} from the difference quotient, {bound:e} is allowed");
    }
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
    let wide = |which: usize, values: &[f64]| Tensor::from_slice(&Device::Cpu, inputs[which].shape(), values);
    let inputs: Vec<Tensor> = starts.iter().enumerate().map(|(which, start)| wide(which, start)).collect();
    let dy = tensor(&Device::Cpu, forward(&inputs).shape(), 99);
    let weights = read(&dy);
    let loss = |inputs: &[Tensor]| -> f64 { read(&forward(inputs)).iter().zip(&weights).map(|(y, d)| y * d).sum() };
    let of = |(which, gradient): (usize, Tensor)| {
        let numeric = (0..starts[which].len()).map(|i| {
            let at = |delta: f64| {
                let (mut start, mut inputs) = (starts[which].clone(), inputs.clone());
                start[i] += delta;
                inputs[which] = wide(which, &start);
                loss(&inputs)
            };
            ((at(STEP) - at(-STEP)) / (2.0 * STEP)) as f32
        });
        let (shape, input) = (gradient.shape(), inputs[which].shape());
        Quotient { shape, input, gradient: read(&gradient).iter().map(|&v| v as f32).collect(), numeric: numeric.collect() }
    };
    backward(&inputs, &dy).into_iter().enumerate().map(of).collect()
}

//! The gradients of a function of variables, held against difference quotients.

use crate::{difference_quotients, relative_error, values};
use gpu_core::{DType, Device, Shape, Tensor};
use nn::{Tape, Var};

/// How far the gradients of `f` are from difference quotients with the step `step`: for each input the largest
/// [`relative_error`] of an element. All is computed in double precision on the CPU device, in training mode; an output of several
/// elements is weighted by random numbers and added up. `f` is called anew for every element, twice, and must give the same each time.
/// Other tensors that it uses must lie on [`Device::cpu_f64`], where the variables are.
///
/// Equivalent of `torch.autograd.gradcheck`, but that it tells how far instead of whether.
///
/// ```
/// # use gpu_core::{Device, Tensor};
/// # use proof::gradcheck;
/// let x = Tensor::from_slice(&Device::Cpu, [2, 2], &[0.5f32, -1.0, 2.0, 3.0]);
/// let w = Tensor::from_slice(&Device::Cpu, [2, 2], &[1.0f32, 2.0, -3.0, 4.0]);
/// let errors = gradcheck(&[x, w], 1e-5, |v| v[0].matmul(&v[1]).tanh());
/// assert!(errors.len() == 2 && errors.iter().all(|&error| error < 1e-6));
/// ```
///
/// # Panics
/// If an input is not on the CPU device or not of floating-point numbers, or `f` does not depend on it.
#[track_caller]
pub fn gradcheck(inputs: &[Tensor], step: f64, f: impl Fn(&[Var]) -> Var) -> Vec<f64> {
    for (i, input) in inputs.iter().enumerate() {
        let fits = !input.device().is_gpu() && matches!(input.dtype(), DType::F32 | DType::F64);
        assert!(fits, "gradcheck: input {i} is {} on {}, not f32 or f64 on the CPU device", input.dtype(), input.device().name());
    }
    errors(inputs, step, &f)
}

#[track_caller]
fn errors(inputs: &[Tensor], step: f64, f: &dyn Fn(&[Var]) -> Var) -> Vec<f64> {
    let starts: Vec<Vec<f64>> = inputs.iter().map(read).collect();
    let wide: Vec<Tensor> = inputs.iter().zip(&starts).map(|(t, values)| tensor(t.shape(), values)).collect();
    let tape = fresh();
    let variables: Vec<Var> = wide.iter().map(|t| tape.variable(t)).collect();
    let y = f(&variables);
    let dy: Vec<f64> = values(y.shape().len(), 0).into_iter().map(f64::from).collect();
    let gradients = y.mul(&Var::constant(&tensor(y.shape(), &dy))).sum().backward();
    let of = |(i, variable): (usize, &Var)| {
        let Some(gradient) = gradients.of(variable) else { panic!("gradcheck: the result does not depend on input {i}") };
        let quotients = difference_quotients(&starts[i], step, |moved| {
            // A tape of its own each time: the same random numbers, and training mode.
            let tape = fresh();
            let mut wide = wide.clone();
            wide[i] = tensor(wide[i].shape(), moved);
            let y = f(&wide.iter().map(|t| tape.input(t)).collect::<Vec<_>>());
            read(y.value()).iter().zip(&dy).map(|(y, dy)| y * dy).sum()
        });
        relative_error(&read(gradient), &quotients)
    };
    variables.iter().enumerate().map(of).collect()
}

/// The same random numbers for each.
fn fresh() -> Tape {
    Tape::pass(&Device::cpu_f64()).step(0).tape()
}

fn tensor(shape: Shape, values: &[f64]) -> Tensor {
    Tensor::from_slice(&Device::cpu_f64(), shape, values)
}

fn read(tensor: &Tensor) -> Vec<f64> {
    let narrow = || tensor.to_vec().map(|values| values.into_iter().map(f64::from).collect());
    let values = if tensor.dtype() == DType::F64 { tensor.read::<f64>() } else { narrow() };
    values.expect("the CPU device reads")
}

#[cfg(test)]
mod tests {
    use super::*;
    use gpu_core::ops;

    fn input(shape: &[usize], seed: u64) -> Tensor {
        crate::tensor(&Device::Cpu, Shape::new(shape), seed)
    }

    #[test]
    fn a_right_gradient_is_near_and_a_wrong_one_is_not() {
        let x = input(&[3, 4], 1);
        let right = gradcheck(std::slice::from_ref(&x), 1e-5, |v| v[0].square());
        assert!(right[0] < 1e-7, "{right:?}");
        // The derivative of the square, one percent too large.
        let wrong = gradcheck(&[x], 1e-5, |v| {
            let kept = v[0].value().clone();
            Var::derived("wrong", ops::mul(&kept, &kept), [&v[0]], move |dy, _| [Some(ops::mul(dy, &ops::scale(&kept, 2.02)))])
        });
        assert!((wrong[0] - 0.02 / 4.02).abs() < 1e-6, "{wrong:?}");
    }

    #[test]
    fn each_input_has_its_own_error() {
        let errors = gradcheck(&[input(&[2, 3], 1), input(&[3], 2)], 1e-5, |v| {
            let kept = v[1].value().clone();
            // The gradient of the second input is forgotten in part.
            let y = ops::mul(v[0].value(), &kept);
            let x = v[0].value().clone();
            Var::derived("wrong", y, [&v[0], &v[1]], move |dy, _| {
                let sum = ops::sum_axes(&ops::mul(dy, &x), &[0], false);
                [Some(ops::mul(dy, &kept)), Some(ops::scale(&sum, 0.5))]
            })
        });
        assert!(errors[0] < 1e-7 && errors[1] > 0.3, "{errors:?}");
    }

    #[test]
    fn random_layers_draw_the_same_each_time() {
        let errors = gradcheck(&[input(&[40], 3)], 1e-5, |v| v[0].dropout(0.5));
        assert!(errors[0] < 1e-6, "{errors:?}");
    }

    #[test]
    #[should_panic(expected = "gradcheck: the result does not depend on input 1")]
    fn an_input_that_is_not_used_is_named() {
        gradcheck(&[input(&[2], 1), input(&[2], 2)], 1e-5, |v| v[0].square());
    }

    #[test]
    #[should_panic(expected = "gradcheck: input 0 is u32 on ")]
    fn an_input_of_integers_is_refused() {
        gradcheck(&[Tensor::from_slice(&Device::Cpu, [2], &[1u32, 2])], 1e-5, |v| v[0].square());
    }
}

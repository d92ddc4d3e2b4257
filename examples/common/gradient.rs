//! Gradients by the tape against difference quotients, as a course has them: errors as figures.

use wgrad::prelude::*;
use wgrad::proof::{difference_quotients, relative_error};

/// One input's gradient by the tape, x, against centred differences, y.
pub struct Compared {
    /// The largest of |x - y| / max(1e-8, |x| + |y|).
    pub relative: f64,
    /// The largest of |x - y|.
    pub absolute: f64,
    /// The largest of |y|.
    pub largest: f64,
}

/// A tape whose random layers draw the same masks each time.
fn tape() -> Tape {
    let device = &Device::cpu_f64();
    Tape::seeded(device, 123, &Tensor::from_slice(device, [1], &[0u32]))
}

/// `f(inputs)` in training, on the CPU in double precision, where the inputs lie.
pub fn value(inputs: &[Tensor], f: impl Fn(&[Var]) -> Var) -> anyhow::Result<Vec<f64>> {
    let on = tape();
    Ok(f(&inputs.iter().map(|t| on.input(t)).collect::<Vec<_>>()).value().read()?)
}

/// The gradients of `inputs` where that of `f(inputs)` is `dy`, on the CPU in double precision; differences are over `h` to either side.
pub fn compare(inputs: &[Tensor], dy: &Tensor, h: f64, f: impl Fn(&[Var]) -> Var) -> anyhow::Result<Vec<Compared>> {
    let on = tape();
    let leaves: Vec<Var> = inputs.iter().map(|t| on.variable(t)).collect();
    let gradients = f(&leaves).mul(&Var::constant(dy)).sum().backward();
    let (mut found, weights, here) = (Vec::new(), dy.read::<f64>()?, value(inputs, &f)?);
    for (k, leaf) in leaves.iter().enumerate() {
        let x = gradients.of(leaf).expect("the number depends on every input").read::<f64>()?;
        let y = difference_quotients(&inputs[k].read::<f64>()?, h, |moved| {
            let mut inputs = inputs.to_vec();
            inputs[k] = Tensor::from_slice(inputs[k].device(), inputs[k].shape(), moved);
            let there = value(&inputs, &f).expect("the CPU device reads");
            // Differences first: they have fewer digits to lose than a sum.
            there.iter().zip(&here).zip(&weights).map(|((there, here), d)| (there - here) * d).sum()
        });
        let largest = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, |most: f64, v| most.max(v.abs()));
        found.push(Compared {
            relative: relative_error(&x, &y),
            absolute: largest(&mut x.iter().zip(&y).map(|(x, y)| x - y)),
            largest: largest(&mut y.iter().copied()),
        });
    }
    Ok(found)
}

//! Gradients by the tape against difference quotients, as a course has them: errors as figures.

use wgrad::gpu_core::check::in_f64;
use wgrad::prelude::*;

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
    Tape::seeded(&Device::Cpu, 123, &Tensor::from_slice(&Device::Cpu, [1], &[0u32]))
}

/// `f(inputs)` in training, on the CPU in double precision.
pub fn value(inputs: &[Tensor], f: impl Fn(&[Var]) -> Var) -> anyhow::Result<Vec<f64>> {
    in_f64(|| {
        let on = tape();
        Ok(f(&inputs.iter().map(|t| on.input(t)).collect::<Vec<_>>()).value().read()?)
    })
}

/// The gradients of `inputs` where that of `f(inputs)` is `dy`, on the CPU in double precision; differences are over `h` to either side.
pub fn compare(inputs: &[Tensor], dy: &Tensor, h: f64, f: impl Fn(&[Var]) -> Var) -> anyhow::Result<Vec<Compared>> {
    let cpu = &Device::Cpu;
    in_f64(|| {
        let on = tape();
        let leaves: Vec<Var> = inputs.iter().map(|t| on.variable(t)).collect();
        let gradients = f(&leaves).mul(&Var::constant(dy)).sum().backward();
        let (mut found, weights) = (Vec::new(), dy.read::<f64>()?);
        for (k, leaf) in leaves.iter().enumerate() {
            let by_tape = gradients.of(leaf).expect("the number depends on every input").read::<f64>()?;
            let start = inputs[k].read::<f64>()?;
            let at = |i: usize, delta: f64| -> anyhow::Result<Vec<f64>> {
                let (mut moved, mut inputs) = (start.clone(), inputs.to_vec());
                moved[i] += delta;
                inputs[k] = Tensor::from_slice(cpu, inputs[k].shape(), &moved);
                value(&inputs, &f)
            };
            let mut compared = Compared { relative: 0.0, absolute: 0.0, largest: 0.0 };
            for (i, x) in by_tape.into_iter().enumerate() {
                // Differences first: they have fewer digits to lose than a sum.
                let (above, below) = (at(i, h)?, at(i, -h)?);
                let y: f64 = above.iter().zip(&below).zip(&weights).map(|((a, b), d)| (a - b) * d).sum::<f64>() / (2.0 * h);
                let off = (x - y).abs();
                compared.relative = compared.relative.max(off / (x.abs() + y.abs()).max(1e-8));
                compared.absolute = compared.absolute.max(off);
                compared.largest = compared.largest.max(y.abs());
            }
            found.push(compared);
        }
        Ok(found)
    })
}

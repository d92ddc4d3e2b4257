//! The table: operators on shapes, each held against its mirror.

use super::bound::{difference_by, largest};
use super::observers::{PERTURBATION, has_magnitudes, perturbed};
use super::{Bound, Difference, floats, magnitudes, poisoned};
use gpu_core::{Device, Result, Shape, Tensor};

/// One row of the table: an operator on certain shapes, with inputs that are a pure function of the case.
pub struct Case {
    /// The operator.
    pub name: &'static str,
    /// The shapes and options.
    pub what: String,
    /// How far GPU and CPU may differ.
    pub bound: Bound,
    run: Run,
    adding: Option<Run>,
}

type Run = Box<dyn Fn(&Device) -> Vec<Tensor> + Send + Sync>;

impl Case {
    /// `run` makes its inputs (see [`values`](super::values)) on the device that it is given and returns what it computed.
    pub fn new(
        name: &'static str,
        what: String,
        bound: Bound,
        run: impl Fn(&Device) -> Vec<Tensor> + Send + Sync + 'static,
    ) -> Self {
        Self { name, what, bound, run: Box::new(run), adding: None }
    }

    /// With the sizes of what the formula of each output adds up on its way, where it is larger than what comes out and not to be seen
    /// from the inputs: of `1 - p` it is one. One number stands for all elements.
    pub fn adding(mut self, adding: impl Fn(&Device) -> Vec<Tensor> + Send + Sync + 'static) -> Self {
        self.adding = Some(Box::new(adding));
        self
    }

    /// Runs it with poisoned outputs.
    pub fn run(&self, device: &Device) -> Vec<Tensor> {
        (self.run)(&poisoned(device))
    }

    /// The difference between `device` and the mirrors, and the one allowed, of the element that comes nearest to (or goes furthest
    /// over) its bound.
    ///
    /// # Errors
    /// A fault of the device.
    pub fn compare(&self, device: &Device) -> Result<Difference> {
        self.compare_with(device, || self.run(device))
    }

    /// The same with what the device computes given by `run`: the place for a planted fault.
    ///
    /// # Errors
    /// A fault of the device.
    pub fn compare_with(&self, device: &Device, run: impl FnOnce() -> Vec<Tensor>) -> Result<Difference> {
        // Of all that is special about the device the mirrors share the inputs alone.
        let mirrors = if has_magnitudes(device) { magnitudes(&Device::Cpu) } else { Device::Cpu };
        let got = run();
        let reference = self.reference(&mirrors, &self.run(&mirrors))?;
        device.flush()?;
        reference.hold(self.name, &got)
    }

    /// What is held against `want`, which mirrors computed on the device of that name.
    pub(crate) fn reference(&self, mirrors: &Device, want: &[Tensor]) -> Result<Reference> {
        let shapes = want.iter().map(Tensor::shape);
        let want: Vec<Vec<f32>> = want.iter().map(floats).collect::<Result<_>>()?;
        let magnitudes = match self.bound {
            Bound::Sum { .. } => self.run(&magnitudes(&Device::Cpu)).iter().map(floats).collect::<Result<_>>()?,
            Bound::Own { terms, .. } => self.own(mirrors, &want, terms)?,
            Bound::Exact | Bound::Relative(_) => vec![Vec::new(); want.len()],
        };
        let wanted = shapes.zip(want).zip(magnitudes).map(|((shape, want), magnitudes)| (shape, want, magnitudes));
        Ok(Reference { bound: self.bound, wanted: wanted.collect() })
    }

    /// The magnitude of each element of `want`: its size, what its formula adds up, and how far it moves where each input moves by its
    /// own size; of a sum of products that is the length of its terms (the root of the sum of their squares), of a function its
    /// slope times its place.
    fn own(&self, mirrors: &Device, want: &[Vec<f32>], terms: usize) -> Result<Vec<Vec<f32>>> {
        // In fewer the terms of an element may happen to cancel in each.
        const ROUNDS: u32 = 6;
        let mut squares: Vec<Vec<f32>> = want.iter().map(|w| vec![0.0; w.len()]).collect();
        for round in 0..ROUNDS {
            for ((squares, want), moved) in squares.iter_mut().zip(want).zip(&self.run(&perturbed(mirrors, round))) {
                let moves = floats(moved)?.into_iter().zip(want).map(|(moved, want)| (moved - want) / PERTURBATION);
                squares.iter_mut().zip(moves).for_each(|(square, by)| *square += by * by / ROUNDS as f32);
            }
        }
        let adding = self.adding.as_ref().map_or(Vec::new(), |adding| adding(mirrors));
        let adding: Vec<Vec<f32>> = adding.iter().map(floats).collect::<Result<_>>()?;
        let added =
            |output: usize, i: usize| adding.get(output).map_or(0.0, |sizes| sizes[if sizes.len() == 1 { 0 } else { i }].abs());
        let own = |(output, (squares, want)): (usize, (&Vec<f32>, &Vec<f32>))| {
            let moved = squares.iter().map(|square| (terms as f32 * square).sqrt());
            moved.zip(want).enumerate().map(|(i, (moved, want))| moved + want.abs() + added(output, i)).collect()
        };
        Ok(squares.iter().zip(want).enumerate().map(own).collect())
    }
}

/// What the outputs of a case should be, and how far they may be from it.
pub(crate) struct Reference {
    bound: Bound,
    /// Of each output the shape, the elements, and what they would be if nothing cancelled.
    wanted: Vec<(Shape, Vec<f32>, Vec<f32>)>,
}

impl Reference {
    /// The difference of the element that comes nearest to its bound.
    pub(crate) fn hold(&self, name: &str, got: &[Tensor]) -> Result<Difference> {
        assert!(got.len() == self.wanted.len(), "{name}: {} outputs against {}", got.len(), self.wanted.len());
        let mut worst = Difference { error: 0.0, bound: 0.0 };
        for (g, (shape, w, magnitudes)) in got.iter().zip(&self.wanted) {
            assert!(g.shape() == *shape, "{name}: shapes {} against {shape}", g.shape());
            let (g, largest) = (floats(g)?, largest(w));
            let found = difference_by(&g, w, |i| self.bound.allowed(largest, magnitudes.get(i).copied().unwrap_or(0.0)));
            if found.excess() >= worst.excess() {
                worst = found;
            }
        }
        Ok(worst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{around, tensor};
    use gpu_core::ops::{batch_norm_bwd, mul};

    /// The gradients of gamma and beta where the second channel's dy is a hundred-thousandth of the first's; with one of its elements left
    /// out where `lost`.
    fn gradients(device: &Device, lost: bool) -> Vec<Tensor> {
        let shape = [4, 2, 5, 5];
        let of_channel = |values: [f32; 2]| Tensor::from_slice(device, [2, 1, 1], &values);
        let dy = mul(&tensor(device, shape, 2), &of_channel([1.0, 1e-5]));
        let mut kept = vec![1.0f32; 200];
        // A term of the middle sort in the second channel.
        kept[175 + 7] = if lost { 0.0 } else { 1.0 };
        let dy = mul(&dy, &Tensor::from_slice(device, shape, &kept));
        let [gamma, mean, rstd] = [1.5, 0.5, 1.0].map(|v| Tensor::full(device, [2], v));
        let (_, dgamma, dbeta) = batch_norm_bwd(&around(device, shape, 0.5, 1), &dy, &gamma, &mean, &rstd);
        vec![dgamma, dbeta]
    }

    #[test]
    fn a_gradient_that_loses_one_small_term_is_noticed() {
        let compare = |bound: Bound, lost: bool| {
            let case = Case::new("batch_norm_bwd", "a small channel".to_owned(), bound, |device| gradients(device, false));
            case.compare_with(&Device::Cpu, || gradients(&Device::Cpu, lost)).unwrap()
        };
        let own = Bound::Own { fraction: 2e-5, terms: 100 };
        assert!(compare(own, false).ok());
        assert!(!compare(own, true).ok(), "{:?}", compare(own, true));
        // The control: next to the largest element it is nothing.
        assert!(compare(Bound::Relative(2e-5), true).ok(), "{:?}", compare(Bound::Relative(2e-5), true));
    }
}

//! Branches side by side.

use super::Sequential;
use crate::module::{LayerReport, Module, Parameters, ShapeError, join};
use crate::param::Param;
use crate::var::Var;
use gpu_core::Shape;

/// Every branch of the same input, their channels one after another: `torch.cat([branch(x) for branch in branches], 1)`. An empty branch
/// is the identity: a dense connection, or the skip of a U-Net. Keys: `branches.0.1.weight`.
///
/// ```
/// use gpu_core::Device;
/// use nn::{Concat, Conv2d, Init, Module, seq};
/// let cx = Init::seeded(&Device::Cpu, 0);
/// let dense = Concat::new(vec![seq![], seq![Conv2d::new(&cx, 16, 12, 3).padding(1)]]);
/// assert_eq!(dense.out_shape([8, 16, 32, 32].into())?, [8, 28, 32, 32].into());
/// # Ok::<(), nn::ShapeError>(())
/// ```
pub struct Concat {
    branches: Vec<Sequential>,
}

impl Concat {
    /// Of at least one branch.
    ///
    /// # Panics
    /// If there is none.
    #[track_caller]
    pub fn new(branches: Vec<Sequential>) -> Self {
        assert!(!branches.is_empty(), "Concat: there is no branch");
        Self { branches }
    }

    /// What comes out where the branches give `outputs`.
    pub(crate) fn joined(outputs: &[Shape]) -> Result<Shape, ShapeError> {
        let differs = |y: &Shape| {
            y.rank() < 2
                || y.rank() != outputs[0].rank()
                || (0..y.rank()).any(|axis| axis != 1 && y.dim(axis) != outputs[0].dim(axis))
        };
        if outputs.iter().any(differs) {
            let all: Vec<String> = outputs.iter().map(Shape::to_string).collect();
            return Err(ShapeError::new(format!("concat: the branches give {}; only axis 1 may differ", all.join(" and "))));
        }
        let mut dims = outputs[0].dims().to_vec();
        dims[1] = outputs.iter().map(Shape::c).sum();
        Ok(Shape::new(&dims))
    }

    fn paths(&self, path: &str) -> impl Iterator<Item = (String, &Sequential)> {
        let path = join(path, "branches");
        self.branches.iter().enumerate().map(move |(i, branch)| (join(&path, &i.to_string()), branch))
    }
}

impl Parameters for Concat {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param)) {
        for (path, branch) in self.paths(path) {
            branch.visit(&path, f);
        }
    }
}

impl Module for Concat {
    #[track_caller]
    fn forward(&self, x: &Var) -> Var {
        let outputs: Vec<Var> = self.branches.iter().map(|branch| branch.forward(x)).collect();
        Var::concat(&outputs, 1)
    }

    fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        self.trace("", input, &mut |_| {})
    }

    fn describe(&self) -> String {
        format!("Concat of {}", self.branches.len())
    }

    fn multiply_adds(&self, input: Shape) -> u64 {
        self.branches.iter().map(|branch| branch.multiply_adds(input)).sum()
    }

    fn trace(&self, path: &str, input: Shape, report: &mut dyn FnMut(LayerReport)) -> Result<Shape, ShapeError> {
        let outputs = self.paths(path).map(|(path, branch)| branch.trace(&path, input, report));
        let output = Self::joined(&outputs.collect::<Result<Vec<_>, _>>()?).map_err(|e| e.at(path))?;
        report(LayerReport { path: path.to_owned(), layer: self.describe(), output, parameters: 0, multiply_adds: 0 });
        Ok(output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Init, Linear, MaxPool2d, Relu, Tape, parameters, seq};
    use gpu_core::{Device, Tensor};

    const CPU: Device = Device::Cpu;

    #[test]
    fn channels_stand_one_after_another_and_their_gradients_add_up() {
        let x = Tape::new(&CPU).variable(&Tensor::from_slice(&CPU, [2, 3], &[1.0f32, -2.0, 3.0, -4.0, 5.0, -6.0]));
        let y = Concat::new(vec![seq![], seq![Relu], seq![]]).forward(&x);
        assert_eq!(y.shape(), [2, 9].into());
        let want = [1.0, -2.0, 3.0, 1.0, 0.0, 3.0, 1.0, -2.0, 3.0, -4.0, 5.0, -6.0, 0.0, 5.0, 0.0, -4.0, 5.0, -6.0];
        assert_eq!(y.value().to_vec().unwrap(), want);
        let dx = y.sum().backward().of(&x).unwrap().to_vec().unwrap();
        assert_eq!(dx, [3.0, 2.0, 3.0, 2.0, 3.0, 2.0]);
    }

    #[test]
    fn branches_are_parts_of_the_keys_and_of_a_fault() {
        let cx = Init::seeded(&CPU, 0);
        let net = seq![Concat::new(vec![seq![Linear::new(&cx, 3, 2)], seq![Relu, Linear::new(&cx, 3, 4)]])];
        let keys: Vec<String> = parameters(&net).into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["0.branches.0.0.weight", "0.branches.0.0.bias", "0.branches.1.1.weight", "0.branches.1.1.bias"]);
        assert_eq!(net.out_shape([5, 3].into()), Ok([5, 6].into()));
        assert_eq!(net.multiply_adds([5, 3].into()), 5 * 3 * 6);
        assert_eq!(net.out_shape([5, 7].into()).unwrap_err().layer, "0.branches.0.0");
        let halved = seq![Relu, Concat::new(vec![seq![], seq![MaxPool2d::new(2)]])].out_shape([1, 3, 8, 8].into()).unwrap_err();
        assert_eq!(halved.to_string(), "layer 1: concat: the branches give [1, 3, 8, 8] and [1, 3, 4, 4]; only axis 1 may differ");
    }

    #[test]
    #[should_panic(expected = "Concat: there is no branch")]
    fn no_branch_at_all_is_a_fault_of_the_program() {
        let _ = Concat::new(Vec::new());
    }
}

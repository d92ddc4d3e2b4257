//! Branches side by side.

use super::check::{expect, wrong};
use super::parse::{Fields, Parse};
use super::sequential::Sequential;
use crate::autograd::Var;
use crate::module::ShapeError;
use crate::net::{AnyLayer, Layer, Params, Plan};
use gpu_core::Shape;
use serde::{Serialize, Serializer};

/// Every branch of the same input, their channels one after another: `torch.cat([branch(x) for branch in branches], 1)`. An empty branch
/// is the identity: a dense connection, or the skip of a U-Net. Keys: `branches.0.1.weight`.
///
/// ```
/// use nn::{Concat, Conv2d, Layer, seq};
/// let dense = Concat::new([seq![], seq![Conv2d::new(12, 3).padding(1)]]);
/// assert_eq!(dense.plan([8, 16, 32, 32].into())?.output(), [8, 28, 32, 32].into());
/// # Ok::<(), nn::ShapeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Concat {
    #[serde(serialize_with = "as_lists")]
    branches: Vec<Sequential>,
}

fn as_lists<S: Serializer>(branches: &[Sequential], serializer: S) -> Result<S::Ok, S::Error> {
    let lists: Vec<&[AnyLayer]> = branches.iter().map(Sequential::layers).collect();
    lists.serialize(serializer)
}

impl Concat {
    /// Of at least one branch.
    pub fn new(branches: impl Into<Vec<Sequential>>) -> Self {
        Self { branches: branches.into() }
    }
}

/// What comes out where the branches give `outputs`.
fn joined(outputs: &[Shape]) -> Result<Shape, ShapeError> {
    let Some(first) = outputs.first() else { return wrong("`branches` is empty") };
    let fits = |y: &Shape| {
        y.rank() >= 2 && y.rank() == first.rank() && (0..y.rank()).all(|axis| axis == 1 || y.dim(axis) == first.dim(axis))
    };
    expect(outputs.iter().all(fits), || {
        let all: Vec<String> = outputs.iter().map(Shape::to_string).collect();
        format!("the branches give {}; only axis 1 may differ", all.join(" and "))
    })?;
    let mut dims = first.dims().to_vec();
    dims[1] = outputs.iter().map(Shape::c).sum();
    Ok(Shape::new(&dims))
}

impl Layer for Concat {
    fn plan(&self, input: Shape) -> Result<Plan, ShapeError> {
        let mut plan = Plan::new(format!("Concat of {}", self.branches.len()), input);
        let branches = self.branches.iter().enumerate();
        let outputs: Result<Vec<Shape>, ShapeError> =
            branches.map(|(at, branch)| plan.child(format!("branches.{at}"), branch.clone(), input)).collect();
        Ok(plan.gives(joined(&outputs?)?))
    }

    #[track_caller]
    fn forward(&self, x: &Var, p: &Params<'_>) -> Var {
        let outputs: Vec<Var> = p.children().iter().map(|branch| branch.forward(x)).collect();
        Var::concat(&outputs, 1)
    }
}

impl Parse for Concat {
    fn parse(mut fields: Fields) -> Result<Self, ShapeError> {
        let branches = fields.lists("branches")?;
        fields.end(&["branches"])?;
        Ok(Self { branches: branches.into_iter().map(Sequential::from).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Init, Linear, MaxPool2d, Module, Relu, Tape, parameters, seq};
    use gpu_core::{Device, Tensor};

    const CPU: Device = Device::Cpu;

    #[test]
    fn channels_stand_one_after_another_and_their_gradients_add_up() {
        let x = Tape::new(&CPU).variable(&Tensor::from_slice(&CPU, [2, 3], &[1.0f32, -2.0, 3.0, -4.0, 5.0, -6.0]));
        let y = Concat::new([seq![], seq![Relu], seq![]]).build(&Init::seeded(&CPU, 0), [3]).unwrap().forward(&x);
        assert_eq!(y.shape(), [2, 9].into());
        let want = [1.0, -2.0, 3.0, 1.0, 0.0, 3.0, 1.0, -2.0, 3.0, -4.0, 5.0, -6.0, 0.0, 5.0, 0.0, -4.0, 5.0, -6.0];
        assert_eq!(y.value().to_vec().unwrap(), want);
        let dx = y.sum().backward().of(&x).unwrap().to_vec().unwrap();
        assert_eq!(dx, [3.0, 2.0, 3.0, 2.0, 3.0, 2.0]);
    }

    #[test]
    fn branches_are_parts_of_the_keys_and_of_a_fault() {
        let cx = Init::seeded(&CPU, 0);
        let net = seq![Concat::new([seq![Linear::new(2)], seq![Relu, Linear::new(4)]])].build(&cx, [3]).unwrap();
        let keys: Vec<String> = parameters(&net).into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["0.branches.0.0.weight", "0.branches.0.0.bias", "0.branches.1.1.weight", "0.branches.1.1.bias"]);
        assert_eq!(net.out_shape([5, 3].into()), Ok([5, 6].into()));
        assert_eq!(net.multiply_adds([5, 3].into()), 5 * 3 * 6);
        assert_eq!(net.out_shape([5, 7].into()).unwrap_err().layer, "0.branches.0.0");
        let halved = seq![Relu, Concat::new([seq![], seq![MaxPool2d::new(2)]])].build(&cx, [3, 8, 8]).unwrap_err();
        assert_eq!(halved.to_string(), "layer 1 (concat): the branches give [1, 3, 8, 8] and [1, 3, 4, 4]; only axis 1 may differ");
    }

    #[test]
    fn no_branch_at_all_is_refused() {
        assert_eq!(Concat::new([]).plan([1, 3].into()).unwrap_err().message, "`branches` is empty");
    }
}

//! From a plan to a network.

use super::{AnyLayer, Held, Layer, Net, Plan, Role, Wanted};
use crate::autograd::Param;
use crate::init::Init;
use crate::module::{BuildError, ShapeError};
use gpu_core::{MAX_RANK, Shape};

/// No extent of an input may be larger: products of four stay in 64 bits.
const MAX_EXTENT: usize = 65_535;

impl Plan {
    /// The plan of `layer` for a batch of one input of shape `input`, and that batch's shape.
    pub(crate) fn of_one(layer: &impl Layer, input: Shape) -> Result<(Self, Shape), ShapeError> {
        let dims = input.dims();
        if !(1..MAX_RANK).contains(&dims.len()) || !dims.iter().all(|d| (1..=MAX_EXTENT).contains(d)) {
            let wanted = format!("without its batch axis it is (C, H, W) or the like, each 1 to {MAX_EXTENT}");
            return Err(ShapeError::new(format!("an input of shape {input}: {wanted}")));
        }
        let batch = Shape::new(&[&[1], dims].concat());
        Ok((layer.plan(batch)?, batch))
    }
}

impl Net {
    /// See [`Layer::build`].
    pub(super) fn build(layer: AnyLayer, cx: &Init, input: Shape) -> Result<Self, BuildError> {
        let ((plan, input), limit) = (Plan::of_one(&layer, input)?, cx.device().max_tensor_bytes());
        // An optimiser moves all parameters into one tensor.
        let bytes = plan.parameters().saturating_mul(4);
        if bytes > limit {
            return Err(BuildError::TooLarge { bytes, limit, device: cx.device().name() });
        }
        let free = cx.device().available_bytes();
        if bytes > free {
            return Err(BuildError::OutOfMemory { bytes, free });
        }
        Ok(Self::make(layer, plan, input, cx))
    }

    /// The same network under another layer, which wants the same parameters.
    pub(crate) fn with_layer(self, layer: impl Layer) -> Self {
        Self { layer: AnyLayer::new(layer), ..self }
    }

    /// The same network with its first `len` children.
    pub(crate) fn with_children(mut self, len: usize) -> Self {
        self.children.truncate(len);
        self.names = self.names[..len].into();
        self
    }

    fn make(layer: AnyLayer, plan: Plan, input: Shape, cx: &Init) -> Self {
        if let Some(net) = layer.downcast_ref::<Self>() {
            return net.clone();
        }
        let held = plan.wanted.iter().filter_map(|wanted| Held::make(wanted, cx)).collect();
        let names = plan.children.iter().map(|child| child.name.clone()).collect();
        let children = plan.children.into_iter().map(|child| Self::make(child.layer, child.plan, child.input, cx)).collect();
        Self { layer, input, held, children, names }
    }

    /// The plan for an input of shape `input`, batch included, which the parameters that there are must fit.
    pub(crate) fn planned(&self, input: Shape) -> Result<Plan, ShapeError> {
        let plan = self.layer.plan(input)?;
        self.expect(&plan, input)?;
        Ok(plan)
    }

    /// Refuses a layer that its input does not let be trained; one whose statistics are frozen is only evaluated.
    pub(super) fn trained_by(&self, plan: &Plan) -> Result<(), ShapeError> {
        let is_frozen = self.held.iter().any(|held| held.role == Role::Buffer && held.param.is_frozen());
        if let Some(why) = plan.untrainable.filter(|_| !is_frozen) {
            return Err(ShapeError::new(why).of(self.layer.kind()));
        }
        let mut pairs = self.children.iter().zip(&plan.children);
        pairs.try_for_each(|(net, child)| net.trained_by(&child.plan).map_err(|e| e.at(&child.name)))
    }

    fn expect(&self, plan: &Plan, input: Shape) -> Result<(), ShapeError> {
        let wanted = |held: &Held| plan.wanted.iter().find(|w| w.name == held.name).map(|w| w.shape);
        for held in &*self.held {
            let (found, wanted) = (held.param.shape(), wanted(held));
            if wanted != Some(found) {
                let wanted = wanted.map_or_else(|| "none".to_owned(), |shape| shape.to_string());
                let message = format!("`{}` has shape {found}, for {input} it would have to be {wanted}", held.name);
                return Err(ShapeError::new(message).of(self.layer.kind()));
            }
        }
        let pairs = self.children.iter().zip(&plan.children);
        pairs.into_iter().try_for_each(|(net, child)| net.expect(&child.plan, child.input).map_err(|e| e.at(&child.name)))
    }
}

impl Held {
    /// `None` for what was switched off.
    fn make(wanted: &Wanted, cx: &Init) -> Option<Self> {
        let &Wanted { name, shape, fill, role } = wanted;
        let param = match role {
            Role::Trained => Param::trainable(cx.fill(shape, fill)),
            Role::Buffer | Role::Constant => Param::buffer(cx.fill(shape, fill)),
            Role::Absent => {
                cx.pass_over(fill);
                return None;
            }
        };
        Some(Self { name, param, role })
    }
}

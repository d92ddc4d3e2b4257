//! A layer whose type is not known.

use super::plan::sensible;
use super::{AnyLayer, Layer, Net, Params, Plan};
use crate::autograd::Var;
use crate::module::ShapeError;
use gpu_core::Shape;
use std::any::Any;
use std::fmt;
use std::sync::Arc;

impl AnyLayer {
    /// From a layer.
    pub fn new<L: Layer>(layer: L) -> Self {
        match (&layer as &dyn Any).downcast_ref::<Self>() {
            Some(any) => any.clone(),
            None => Self { layer: Arc::new(layer), type_name: std::any::type_name::<L>() },
        }
    }

    /// The layer, if it is an `L`.
    ///
    /// ```
    /// # use nn::{AnyLayer, Dropout, Relu};
    /// let layer = AnyLayer::new(Relu);
    /// assert!(layer.downcast_ref::<Relu>().is_some() && layer.downcast_ref::<Dropout>().is_none());
    /// ```
    pub fn downcast_ref<L: Layer>(&self) -> Option<&L> {
        self.as_any().downcast_ref()
    }

    pub(crate) fn as_any(&self) -> &dyn Any {
        &*self.layer
    }

    /// The description of a built layer, which a [`Net`] in a list of layers has; else itself.
    pub(crate) fn described(&self) -> &Self {
        self.downcast_ref::<Net>().map_or(self, Net::layer)
    }

    /// The name of its type, without the path.
    pub(crate) fn type_name(&self) -> &'static str {
        let path = self.type_name.split('<').next().unwrap_or_default();
        path.rsplit("::").next().unwrap_or_default()
    }
}

impl Layer for AnyLayer {
    fn plan(&self, input: Shape) -> Result<Plan, ShapeError> {
        // Before a layer multiplies extents of it.
        let plan = sensible("an input", input).and_then(|()| self.layer.plan(input));
        plan.and_then(Plan::of_sensible_size).map_err(|e| e.of(self.kind()))
    }

    #[track_caller]
    fn forward(&self, x: &Var, p: &Params<'_>) -> Var {
        self.layer.forward(x, p)
    }
}

impl PartialEq for AnyLayer {
    fn eq(&self, other: &Self) -> bool {
        let [a, b] = [self.described(), other.described()];
        a.as_any().type_id() == b.as_any().type_id() && format!("{a:?}") == format!("{b:?}")
    }
}

/// As the layer itself.
impl fmt::Debug for AnyLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.layer.fmt(f)
    }
}

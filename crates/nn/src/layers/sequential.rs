//! Layers one after another.

use crate::module::{LayerReport, Module, ShapeError, Then, join};
use crate::param::Param;
use crate::var::Var;
use gpu_core::Shape;

/// Layers one after another; a layer's position is its name: `0.weight`. Equivalent of `torch.nn.Sequential`. See
/// [`seq!`](crate::seq).
#[derive(Default)]
pub struct Sequential {
    layers: Vec<Box<dyn Module>>,
}

impl Sequential {
    /// From a list of layers.
    pub fn new(layers: Vec<Box<dyn Module>>) -> Self {
        Self { layers }
    }

    /// The same with one layer more.
    pub fn push(mut self, layer: impl Module + 'static) -> Self {
        self.layers.push(Box::new(layer));
        self
    }

    /// The layers, in order.
    pub fn layers(&self) -> &[Box<dyn Module>] {
        &self.layers
    }

    /// How many layers there are.
    pub fn len(&self) -> usize {
        self.layers.len()
    }

    /// Whether there is none: the identity.
    pub fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }
}

impl Module for Sequential {
    #[track_caller]
    fn forward(&self, x: &Var) -> Var {
        self.forward_then(x, Then::default())
    }

    #[track_caller]
    fn forward_then(&self, x: &Var, then: Then<'_>) -> Var {
        // One variable at a time: what no closure keeps is given back at once.
        let mut x = x.clone();
        let mut layers = self.layers.iter().peekable();
        let mut then = Some(then);
        while let Some(layer) = layers.next() {
            let own = if layers.next_if(|next| next.is_relu()).is_some() { Then::RELU } else { Then::default() };
            let last = layers.peek().is_none() && !own.relu;
            x = layer.forward_then(&x, if last { then.take().unwrap_or_default() } else { own });
        }
        then.map_or(x.clone(), |then| then.after(x))
    }

    fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        self.trace("", input, &mut |_| {})
    }

    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param)) {
        for (position, layer) in self.layers.iter().enumerate() {
            layer.visit(&join(path, &position.to_string()), f);
        }
    }

    fn describe(&self) -> String {
        format!("Sequential of {}", self.layers.len())
    }

    fn multiply_adds(&self, input: Shape) -> u64 {
        let mut sum = 0;
        // A shape that does not fit is out_shape's to tell.
        let _ = self.trace("", input, &mut |layer| sum += layer.multiply_adds);
        sum
    }

    fn trace(&self, path: &str, input: Shape, report: &mut dyn FnMut(LayerReport)) -> Result<Shape, ShapeError> {
        let layers = self.layers.iter().enumerate();
        layers
            .into_iter()
            .try_fold(input, |shape, (position, layer)| layer.trace(&join(path, &position.to_string()), shape, report))
    }
}

/// A [`Sequential`] of layers.
///
/// ```
/// use gpu_core::Device;
/// use nn::{Flatten, Init, Linear, Module, Relu, seq};
/// let cx = Init::seeded(&Device::Cpu, 0);
/// let net = seq![Flatten, Linear::new(&cx, 12, 8), Relu, Linear::new(&cx, 8, 2)];
/// assert_eq!(net.out_shape([5, 3, 2, 2].into())?, [5, 2].into());
/// # Ok::<(), nn::ShapeError>(())
/// ```
#[macro_export]
macro_rules! seq {
    ($($layer:expr),* $(,)?) => {
        $crate::Sequential::new(vec![$(Box::new($layer) as Box<dyn $crate::Module>),*])
    };
}

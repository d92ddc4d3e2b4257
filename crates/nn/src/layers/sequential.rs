//! Layers one after another.

use crate::module::{LayerReport, Module, Parameters, ShapeError, Then, join};
use crate::param::Param;
use crate::var::Var;
use gpu_core::Shape;
use std::sync::Arc;

/// Layers one after another; a layer's position is its name: `0.weight`. Equivalent of `torch.nn.Sequential`. See
/// [`seq!`](crate::seq).
#[derive(Default)]
pub struct Sequential {
    /// Shared with the closures that run a segment again.
    layers: Vec<Arc<dyn Module>>,
    /// Runs of layers between which activations are kept; none to keep them all.
    segments: Option<usize>,
}

impl Sequential {
    /// From a list of layers.
    pub fn new(layers: Vec<Box<dyn Module>>) -> Self {
        Self { layers: layers.into_iter().map(Arc::from).collect(), segments: None }
    }

    /// The same with one layer more.
    pub fn push(mut self, layer: impl Module + 'static) -> Self {
        self.layers.push(Arc::new(layer));
        self
    }

    /// Keeps the activations between `segments` runs of layers only, with about as many inside each, and computes those inside a run
    /// again in the backward pass, but for the last run's, which are needed at once: the memory of a step shrinks, its time grows by
    /// up to a forward pass, and what is learned is the same to the bit. The root of the number of layers is a good number. Equivalent
    /// of `torch.utils.checkpoint.checkpoint_sequential`.
    ///
    /// ```
    /// # use gpu_core::Device;
    /// # use nn::{Init, Sgd, StepOptions, TrainStep, zoo};
    /// let bytes = |segments: usize| {
    ///     let net = zoo::build("resnet20", &Init::seeded(&Device::Cpu, 0), [3, 32, 32].into(), 10)?;
    ///     let net = net.checkpoint_activations(segments);
    ///     let step = TrainStep::captured(&net, &Sgd::new(&net, 0.1), &StepOptions::new(32, [3, 32, 32]))?;
    ///     Ok::<_, Box<dyn std::error::Error>>(step.plan().step_bytes)
    /// };
    /// assert!(3 * bytes(5)? < 2 * bytes(1)?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    /// If `segments` is 0.
    #[track_caller]
    pub fn checkpoint_activations(self, segments: usize) -> Self {
        assert!(segments > 0, "checkpoint_activations: 0 segments hold no layers");
        Self { segments: Some(segments), ..self }
    }

    /// The layers in as many runs as there are segments, or fewer, with about as many activations in each for an input of this shape.
    fn runs(&self, input: Shape) -> Vec<&[Arc<dyn Module>]> {
        let Some(segments) = self.segments else { return vec![&self.layers] };
        let mut shape = Ok(input);
        let sizes = self.layers.iter().map(|layer| {
            let mut size = 0;
            // A shape that does not fit is the layer's own to tell.
            shape = shape.clone().and_then(|input| layer.trace("", input, &mut |row| size += row.output.len()));
            size
        });
        let sizes: Vec<usize> = sizes.collect();
        let total = sizes.iter().sum::<usize>().max(1);
        let mut before = 0;
        let segment_of = sizes.iter().map(|size| {
            let middle = 2 * before + size;
            before += size;
            (middle * segments / (2 * total)).min(segments - 1)
        });
        let mut segment_of: Vec<usize> = segment_of.collect();
        for (at, _) in self.layers.iter().enumerate().skip(1).filter(|(_, layer)| layer.is_relu()) {
            // The layer before may do its work: cut apart, the two would round in another way.
            segment_of[at] = segment_of[at - 1];
        }
        let mut rest = &self.layers[..];
        let runs = segment_of.chunk_by(|a, b| a == b).map(|run| {
            let (layers, others) = rest.split_at(run.len());
            rest = others;
            layers
        });
        runs.collect()
    }

    /// The layers, in order.
    pub fn layers(&self) -> &[Arc<dyn Module>] {
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

/// Layers and what follows the last of them. A layer before a ReLU may do its work.
#[track_caller]
fn run(layers: &[Arc<dyn Module>], x: &Var, then: Then<'_>) -> Var {
    // One variable at a time: what no closure keeps is given back at once.
    let mut x = x.clone();
    let mut layers = layers.iter().peekable();
    let mut then = Some(then);
    while let Some(layer) = layers.next() {
        let own = if layers.next_if(|next| next.is_relu()).is_some() { Then::RELU } else { Then::default() };
        let last = layers.peek().is_none() && !own.relu;
        x = layer.forward_then(&x, if last { then.take().unwrap_or_default() } else { own });
    }
    match then {
        None => x,
        Some(then) => then.after(x),
    }
}

impl Parameters for Sequential {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param)) {
        for (position, layer) in self.layers.iter().enumerate() {
            layer.visit(&join(path, &position.to_string()), f);
        }
    }
}

impl Module for Sequential {
    #[track_caller]
    fn forward(&self, x: &Var) -> Var {
        self.forward_then(x, Then::default())
    }

    #[track_caller]
    fn forward_then(&self, x: &Var, then: Then<'_>) -> Var {
        let runs = self.runs(x.shape());
        let Some((last, before)) = runs.split_last() else { return then.after(x.clone()) };
        let x = before.iter().fold(x.clone(), |x, layers| {
            let layers = layers.to_vec();
            x.checkpoint_activations(move |x| run(&layers, x, Then::default()))
        });
        run(last, &x, then)
    }

    fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        self.trace("", input, &mut |_| {})
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::init::Init;
    use crate::layers::{BatchNorm2d, Conv2d, DemeanNorm, Dropout, Flatten, InstanceNorm2d, Linear, Relu, Residual, Tanh};
    use crate::module::parameters;
    use crate::optim::Sgd;
    use crate::step::{StepOptions, TrainStep};
    use gpu_core::{Device, Tensor, check};

    /// Layers that draw and layers that keep running statistics, alone, in a branch, and in a network in the network.
    fn net(device: &Device, inner: Option<usize>) -> Sequential {
        let cx = Init::seeded(device, 1);
        let conv = || Conv2d::new(&cx, 4, 4, 3).padding(1);
        let block = seq![conv(), BatchNorm2d::new(&cx, 4), Relu, Dropout::new(0.3), conv(), BatchNorm2d::new(&cx, 4)];
        let block = Sequential { segments: inner, ..block };
        let norms = seq![DemeanNorm::new(&cx, 4), InstanceNorm2d::new(&cx, 4).tracked(&cx)];
        let (first, head) = (Conv2d::new(&cx, 3, 4, 3).padding(1), Linear::new(&cx, 144, 10));
        seq![
            first,
            BatchNorm2d::new(&cx, 4),
            Relu,
            Dropout::new(0.2),
            Residual::new(block),
            norms,
            Relu,
            Flatten,
            Dropout::new(0.5),
            head
        ]
    }

    /// Losses and all that the network holds after three steps.
    fn trained(net: &Sequential) -> (Vec<f32>, Vec<Vec<f32>>) {
        let sgd = Sgd::new(net, 0.05).momentum(0.9);
        let step = TrainStep::captured(net, &sgd, &StepOptions::new(4, [3, 6, 6]).seed(5)).unwrap();
        let losses = (0..3).map(|s| {
            step.run_on(&check::values(4 * 108, s), &[1, 7, 3, 0]).unwrap();
            step.loss().unwrap()
        });
        (losses.collect(), parameters(net).iter().map(|(_, p)| p.value().to_vec().unwrap()).collect())
    }

    #[test]
    fn what_is_computed_again_is_the_same_to_the_bit() {
        for device in check::devices() {
            let want = trained(&net(&device, None));
            for segments in [1, 2, 3, 5, 10, 100] {
                for inner in [None, Some(2)] {
                    let got = trained(&net(&device, inner).checkpoint_activations(segments));
                    assert!(got == want, "{segments} segments ({inner:?} inside) on {}", device.name());
                }
            }
        }
    }

    #[test]
    fn a_checkpointed_network_computes_its_forward_pass_again_but_for_the_last_segment() {
        let device = Device::Cpu;
        let dispatches = |net: &Sequential| {
            let step = TrainStep::captured(net, &Sgd::new(net, 0.1), &StepOptions::new(4, [3, 6, 6])).unwrap();
            step.dispatches()
        };
        let cx = Init::seeded(&device, 1);
        let net = || seq![Tanh, Tanh, Tanh, Tanh, Flatten, Linear::new(&cx, 108, 10)];
        let plain = dispatches(&net());
        // Nothing before the linear layer has a gradient: there is nothing to compute again.
        assert_eq!(dispatches(&net().checkpoint_activations(3)), plain);
        let wide = || seq![Conv2d::new(&cx, 3, 3, 1), Tanh, Tanh, Tanh, Flatten, Linear::new(&cx, 108, 10)];
        let [plain, three] = [dispatches(&wide()), dispatches(&wide().checkpoint_activations(3))];
        assert_eq!(three - plain, 2 + 1, "the first two segments: a convolution and two tanh");
    }

    #[test]
    fn runs_have_about_as_many_activations_each() {
        let cx = Init::seeded(&Device::Cpu, 1);
        let net = seq![Tanh, Tanh, Tanh, Conv2d::new(&cx, 3, 3, 4).stride(4), Tanh, Tanh, Flatten, Linear::new(&cx, 48, 10)];
        let lengths = |segments| -> Vec<usize> {
            let net = Sequential { segments, layers: net.layers.clone() };
            net.runs([2, 3, 16, 16].into()).iter().map(|layers| layers.len()).collect()
        };
        // Three layers have 1536 activations, the others 96, 96, 96, 96 and 20.
        assert_eq!(
            (lengths(None), lengths(Some(1)), lengths(Some(3)), lengths(Some(100))),
            (vec![8], vec![8], vec![1, 1, 6], vec![1; 8])
        );
    }

    #[test]
    fn an_evaluation_has_nothing_to_keep() {
        let (device, x) = (Device::Cpu, check::tensor(&Device::Cpu, [4, 3, 6, 6], 3));
        let y = |net: Sequential| net.forward(&Var::constant(&x)).value().to_vec().unwrap();
        assert_eq!(y(net(&device, None).checkpoint_activations(3)), y(net(&device, None)));
        assert!(Sequential::default().checkpoint_activations(3).forward(&Var::constant(&x)).value().shares_storage(&x));
    }

    #[test]
    #[should_panic(expected = "different tapes")]
    fn a_segment_takes_one_variable() {
        let tape = crate::tape::Tape::new(&Device::Cpu);
        let [x, other] = [0, 1].map(|_| tape.variable(&Tensor::full(&Device::Cpu, [1], 1.0)));
        let _ = x.checkpoint_activations(move |x| x.mul(&other));
    }

    #[test]
    #[should_panic(expected = "checkpoint_activations: 0 segments hold no layers")]
    fn no_segments_are_a_mistake() {
        let _ = Sequential::default().checkpoint_activations(0);
    }
}

//! Layers one after another.

use super::activation::Relu;
use super::parse::{Fields, Parse};
use crate::autograd::Var;
use crate::init::Init;
use crate::module::{BuildError, Module, ShapeError};
use crate::net::{AnyLayer, Layer, Net, Params, Plan, Then};
use gpu_core::Shape;
use serde::{Serialize, Serializer};
use std::ops::RangeTo;

/// Layers one after another; a layer's position is its name: `0.weight`. Equivalent of `torch.nn.Sequential`. See
/// [`seq!`](crate::seq).
///
/// Its text in a layer list is `layers = [...]`.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Sequential {
    layers: Vec<AnyLayer>,
    /// Runs of layers between which activations are kept; none to keep them all. How a network runs is no part of its text.
    #[serde(skip)]
    segments: Option<usize>,
}

impl Sequential {
    /// Of no layer: the identity.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one layer more, or with all those of a list after `..`, as in [`seq!`](crate::seq).
    pub fn push(mut self, layers: impl IntoLayers) -> Self {
        layers.add_to(&mut self.layers);
        self
    }

    /// The layers, in order.
    pub fn layers(&self) -> &[AnyLayer] {
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

    /// Keeps the activations between `segments` runs of layers only; see [`Net::checkpoint_activations`].
    ///
    /// # Panics
    /// If `segments` is 0.
    #[track_caller]
    pub fn checkpoint_activations(self, segments: usize) -> Self {
        assert!(segments > 0, "checkpoint_activations: 0 segments hold no layers");
        Self { segments: Some(segments), ..self }
    }

    /// The built `layers` in as many runs as there are segments, or fewer, with about as many activations in each for an input of this
    /// shape.
    fn runs<'a>(&self, layers: &'a [Net], input: Shape) -> Vec<&'a [Net]> {
        let Some(segments) = self.segments else { return vec![layers] };
        let mut shape = Ok(input);
        let sizes = layers.iter().map(|layer| {
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
        for (at, _) in layers.iter().enumerate().skip(1).filter(|(_, layer)| layer.is::<Relu>()) {
            // The layer before may do its work: cut apart, the two would round in another way.
            segment_of[at] = segment_of[at - 1];
        }
        let mut rest = layers;
        let runs = segment_of.chunk_by(|a, b| a == b).map(|run| {
            let (layers, others) = rest.split_at(run.len());
            rest = others;
            layers
        });
        runs.collect()
    }
}

/// Layers and what follows the last of them. A layer before a ReLU may do its work.
#[track_caller]
fn run(layers: &[Net], x: &Var, then: Then<'_>) -> Var {
    // One variable at a time: what no closure keeps is given back at once.
    let mut x = x.clone();
    let mut layers = layers.iter().peekable();
    let mut then = Some(then);
    while let Some(layer) = layers.next() {
        let own = if layers.next_if(|next| next.is::<Relu>()).is_some() { Then::RELU } else { Then::default() };
        let last = layers.peek().is_none() && !own.relu;
        x = layer.forward_then(&x, if last { then.take().unwrap_or_default() } else { own });
    }
    match then {
        None => x,
        Some(then) => then.after(x),
    }
}

impl Layer for Sequential {
    fn plan(&self, input: Shape) -> Result<Plan, ShapeError> {
        let mut plan = Plan::new(format!("Sequential of {}", self.len()), input).unlisted();
        let mut layers = self.layers.iter().enumerate();
        let output = layers.try_fold(input, |x, (at, layer)| plan.child(at.to_string(), layer.clone(), x))?;
        Ok(plan.gives(output))
    }

    #[track_caller]
    fn forward(&self, x: &Var, p: &Params<'_>) -> Var {
        let runs = self.runs(p.children(), x.shape());
        let Some((last, before)) = runs.split_last() else { return x.clone() };
        let x = before.iter().fold(x.clone(), |x, layers| {
            let layers = layers.to_vec();
            x.checkpoint_activations(move |x| run(&layers, x, Then::default()))
        });
        run(last, &x, p.take_then(|_| true).unwrap_or_default())
    }
}

impl Parse for Sequential {
    fn parse(mut fields: Fields) -> Result<Self, ShapeError> {
        let layers = fields.list("layers", "")?;
        fields.end(&["layers"])?;
        Ok(layers.into())
    }
}

/// Writes a list without the name of its field.
pub(crate) fn as_list<S: Serializer>(list: &Sequential, serializer: S) -> Result<S::Ok, S::Error> {
    list.layers.serialize(serializer)
}

impl From<Vec<AnyLayer>> for Sequential {
    fn from(layers: Vec<AnyLayer>) -> Self {
        Self { layers, segments: None }
    }
}

/// A network is a list of layers that was built.
impl Net {
    /// The list that it was built from.
    #[track_caller]
    fn list(&self, method: &str) -> &Sequential {
        match self.layer().downcast_ref() {
            Some(list) => list,
            None => panic!("{method}: {:?} is no list of layers", self.layer()),
        }
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
    /// If `segments` is 0, or the network is no list of layers.
    #[track_caller]
    pub fn checkpoint_activations(self, segments: usize) -> Self {
        let list = self.list("checkpoint_activations").clone().checkpoint_activations(segments);
        self.with_layer(list)
    }

    /// The network's first `len` layers.
    ///
    /// # Panics
    /// If it has fewer, or is no list of layers.
    #[track_caller]
    pub fn truncate(self, len: usize) -> Self {
        let list = self.list("truncate");
        assert!(len <= list.len(), "truncate: {len} layers are wanted of a network of {}", list.len());
        let (layers, segments) = (list.layers[..len].to_vec(), list.segments);
        self.with_children(len).with_layer(Sequential { layers, segments })
    }

    /// The network with another layer at `position`: a new head, for one. What is new is made for what arrives there; all else keeps its
    /// weights.
    ///
    /// ```
    /// use gpu_core::Device;
    /// use nn::{Init, Linear, Module, zoo};
    /// let cx = Init::seeded(&Device::Cpu, 0);
    /// let net = zoo::build("resnet18", &cx, [3, 32, 32].into(), 1000)?;
    /// let last = net.children().len() - 1;
    /// let net = net.replace(last, Linear::new(2), &cx)?;
    /// assert_eq!(net.out_shape([8, 3, 32, 32].into())?, [8, 2].into());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the layer, or what follows it, does not fit; or the device cannot take it.
    ///
    /// # Panics
    /// If there is no such position, or the network is no list of layers.
    #[track_caller]
    pub fn replace(self, position: usize, layer: impl Layer, cx: &Init) -> Result<Self, BuildError> {
        let list = self.list("replace");
        assert!(position < list.len(), "replace: there is no layer {position} in a network of {}", list.len());
        let segments = list.segments;
        let mut layers: Vec<AnyLayer> = self.children().iter().cloned().map(AnyLayer::new).collect();
        layers[position] = AnyLayer::new(layer);
        Sequential { layers, segments }.build(cx, self.input())
    }
}

/// What [`seq!`](crate::seq) and [`Sequential::push`] take: a layer, or all those of a list after `..`.
pub trait IntoLayers {
    /// Adds it to `layers`.
    fn add_to(self, layers: &mut Vec<AnyLayer>);
}

impl<L: Layer> IntoLayers for L {
    fn add_to(self, layers: &mut Vec<AnyLayer>) {
        layers.push(AnyLayer::new(self));
    }
}

/// `..list`.
impl IntoLayers for RangeTo<Sequential> {
    fn add_to(self, layers: &mut Vec<AnyLayer>) {
        layers.extend(self.end.layers);
    }
}

/// A [`Sequential`] of layers. A list after `..` puts its layers in one by one; without, it is one layer that has layers.
///
/// ```
/// use gpu_core::Device;
/// use nn::{BatchNorm2d, Conv2d, Flatten, Init, Layer, Linear, Relu, Sequential, seq};
/// fn block(channels: usize) -> Sequential {
///     seq![Conv2d::new(channels, 3).padding(1).no_bias(), BatchNorm2d::new(), Relu]
/// }
/// let list = seq![..block(16), ..block(32), Flatten, Linear::new(2)];
/// assert_eq!(list.len(), 8);
/// let net = list.build(&Init::seeded(&Device::Cpu, 0), [3, 8, 8])?;
/// # let _ = net;
/// # Ok::<(), nn::BuildError>(())
/// ```
#[macro_export]
macro_rules! seq {
    ($($layers:expr),* $(,)?) => {
        $crate::Sequential::new()$(.push($layers))*
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::parameters;
    use crate::layers::{BatchNorm2d, Conv2d, DemeanNorm, Dropout, Flatten, InstanceNorm2d, Linear, Residual, Tanh};
    use crate::optim::Sgd;
    use crate::step::{StepOptions, TrainStep};
    use gpu_core::{Device, Tensor};

    /// Layers that draw and layers that keep running statistics, alone, in a branch, and in a network in the network.
    fn net(device: &Device, inner: Option<usize>) -> Net {
        let conv = || Conv2d::new(4, 3).padding(1);
        let block = seq![conv(), BatchNorm2d::new(), Relu, Dropout::new(0.3), conv(), BatchNorm2d::new()];
        let block = Sequential { segments: inner, ..block };
        let norms = seq![DemeanNorm::new(), InstanceNorm2d::new().tracked()];
        let net = seq![
            conv(),
            BatchNorm2d::new(),
            Relu,
            Dropout::new(0.2),
            Residual::new(block),
            norms,
            Relu,
            Flatten,
            Dropout::new(0.5),
            Linear::new(10)
        ];
        net.build(&Init::seeded(device, 1), [3, 6, 6]).unwrap()
    }

    /// Losses and all that the network holds after three steps.
    fn trained(net: &Net) -> (Vec<f32>, Vec<Vec<f32>>) {
        let sgd = Sgd::new(net, 0.05).momentum(0.9);
        let step = TrainStep::captured(net, &sgd, &StepOptions::new(4, [3, 6, 6]).seed(5)).unwrap();
        let losses = (0..3).map(|s| {
            step.run_on(&proof::values(4 * 108, s), &[1, 7, 3, 0]).unwrap();
            step.loss().unwrap()
        });
        (losses.collect(), parameters(net).iter().map(|(_, p)| p.value().to_vec().unwrap()).collect())
    }

    #[test]
    fn what_is_computed_again_is_the_same_to_the_bit() {
        for device in proof::devices() {
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
        let dispatches = |net: &Net| {
            let step = TrainStep::captured(net, &Sgd::new(net, 0.1), &StepOptions::new(4, [3, 6, 6])).unwrap();
            step.dispatches()
        };
        let built = |list: Sequential| list.build(&Init::seeded(&device, 1), [3, 6, 6]).unwrap();
        let net = || built(seq![Tanh, Tanh, Tanh, Tanh, Flatten, Linear::new(10)]);
        let plain = dispatches(&net());
        // Nothing before the linear layer has a gradient: there is nothing to compute again.
        assert_eq!(dispatches(&net().checkpoint_activations(3)), plain);
        let wide = || built(seq![Conv2d::new(3, 1), Tanh, Tanh, Tanh, Flatten, Linear::new(10)]);
        let [plain, three] = [dispatches(&wide()), dispatches(&wide().checkpoint_activations(3))];
        assert_eq!(three - plain, 2 + 1, "the first two segments: a convolution and two tanh");
    }

    #[test]
    fn runs_have_about_as_many_activations_each() {
        let list = seq![Tanh, Tanh, Tanh, Conv2d::new(3, 4).stride(4), Tanh, Tanh, Flatten, Linear::new(10)];
        let net = list.clone().build(&Init::seeded(&Device::Cpu, 1), [3, 16, 16]).unwrap();
        let lengths = |segments| -> Vec<usize> {
            let list = Sequential { segments, ..list.clone() };
            list.runs(net.children(), [2, 3, 16, 16].into()).iter().map(|layers| layers.len()).collect()
        };
        // Three layers have 1536 activations, the others 96, 96, 96, 96 and 20.
        assert_eq!(
            (lengths(None), lengths(Some(1)), lengths(Some(3)), lengths(Some(100))),
            (vec![8], vec![8], vec![1, 1, 6], vec![1; 8])
        );
    }

    #[test]
    fn an_evaluation_has_nothing_to_keep() {
        let (device, x) = (Device::Cpu, proof::tensor(&Device::Cpu, [4, 3, 6, 6], 3));
        let y = |net: Net| net.forward(&Var::constant(&x)).value().to_vec().unwrap();
        assert_eq!(y(net(&device, None).checkpoint_activations(3)), y(net(&device, None)));
        let identity = seq![].checkpoint_activations(3).build(&Init::seeded(&device, 0), [3, 6, 6]).unwrap();
        assert!(identity.forward(&Var::constant(&x)).value().shares_storage(&x));
    }

    #[test]
    #[should_panic(expected = "different tapes")]
    fn a_segment_takes_one_variable() {
        let tape = crate::autograd::Tape::new(&Device::Cpu);
        let [x, other] = [0, 1].map(|_| tape.variable(&Tensor::full(&Device::Cpu, [1], 1.0)));
        let _ = x.checkpoint_activations(move |x| x.mul(&other));
    }

    #[test]
    #[should_panic(expected = "checkpoint_activations: 0 segments hold no layers")]
    fn no_segments_are_a_mistake() {
        let _ = Sequential::default().checkpoint_activations(0);
    }
}

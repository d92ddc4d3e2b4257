//! Models by name: each a layer list for given channels, height, width and classes.
//!
//! | name | model | parameters | keys |
//! | --- | --- | --- | --- |
//! | `small-cnn` | four 3x3 convolutions with batch normalisation, two poolings, dropout, linear | 106,730 | `0.weight`, ..., `16.bias` |
//! | `three-layer-convnet` | the one of Stanford's CS231n: 5x5 and 3x3 convolutions, linear | 170,906 | `0.weight`, ..., `5.bias` |
//! | `lenet` | LeCun et al., 1998: LeNet-5 | 61,706 * | `0.weight`, ..., `11.bias` |
//! | `resnet20`, `resnet32` | He et al., 2015, section 4.2, with projections | 272,474; 466,906 | `0.weight`, `3.body.0.weight`, `9.shortcut.0.weight`, ..., `23.bias`; `35.bias` |
//! | `resnet18`, `resnet50` | He et al., 2015, table 1 | 11,689,512; 25,557,032 + | `0.weight`, `3.body.0.weight`, ..., `21.bias`; `37.bias` |
//! | `vgg11-bn` | Simonyan and Zisserman, 2015, A with batch normalisation | 132,868,840 + | `0.weight`, ..., `30.bias` |
//! | `mobilenet` | Howard et al., 2017, the first seven pairs, three halvings | 543,050 | `0.weight`, `3.weight`, ..., `47.bias` |
//! | `mobilenet-v1` | Howard et al., 2017 | 4,231,976 + | `0.weight`, `3.weight`, ..., `83.bias` |
//! | `mobilenet-v2` | Sandler et al., 2018 | 3,504,872 + | `0.weight`, `3.weight`, `9.body.0.weight`, ..., `72.bias` |
//! | `densenet-bc-100-12` | Huang et al., 2017, for CIFAR | 769,162 | `0.weight`, `1.branches.1.0.weight`, ..., `61.bias` |
//! | `densenet121` | Huang et al., 2017, for ImageNet | 7,978,856 + | `0.weight`, `1.branches.1.0.weight`, ..., `75.bias` |
//! | `squeezenet` | Iandola et al., 2016: version 1.1 | 1,235,496 + | `0.weight`, `5.branches.0.0.weight`, ..., `30.bias` |
//! | `airbench` | Jordan, 2024: CIFAR-10 in seconds; a whitening convolution, GELU | 1,972,504 | `0.weight`, ..., `25.weight` |
//! | `autoencoder` | two halvings and two transposed convolutions back; no classes | 53,859 | `0.weight`, ..., `9.bias` |
//! | `unet` | Ronneberger et al., 2015, padded, with batch normalisation; a channel a class | 31,038,218 | `0.weight`, ..., `13.bias` |
//! | `unet-small` | the same of a quarter of its width and three halvings: for few pictures, or no GPU | 482,890 | `0.weight`, ..., `13.bias` |
//!
//! Parameters are those for (3, 32, 32) and 10 classes; * for (1, 28, 28), + for (3, 224, 224) and 1,000 classes. Keys are those for
//! (3, 32, 32): a layer's position is its name, and `torch.nn.Sequential` of the same layers has the same state dict. For torchvision's
//! names see [`torchvision`]. Models made for large images begin with fewer halvings where height or width is at most 64.

mod airbench;
mod autoencoder;
mod densenet;
mod lenet;
mod mobilenet;
mod mobilenet_v2;
mod parts;
mod resnet;
mod small_cnn;
mod squeezenet;
#[cfg(test)]
mod tests;
mod three_layer;
mod unet;
mod vgg;

use crate::autograd::Parameters;
use crate::checkpoint::Names;
use crate::init::Init;
use crate::layers::Sequential;
use crate::net::Net;
use crate::spec::{Spec, SpecError};
use densenet::{BC_100_12, DENSENET121};
use gpu_core::Shape;
use resnet::{RESNET18, RESNET20, RESNET32, RESNET50};

/// What a model is made for.
#[derive(Debug, Clone, Copy)]
struct Task {
    /// Channels, height, width.
    input: [usize; 3],
    classes: usize,
}

impl Task {
    /// Whether a model for large images should begin gently.
    fn is_small(&self) -> bool {
        self.input[1].min(self.input[2]) <= 64
    }
}

struct Model {
    name: &'static str,
    layers: fn(&Task) -> Result<Sequential, SpecError>,
    /// What torchvision calls the layers that have weights, in order.
    torchvision: Option<fn() -> Vec<String>>,
}

const fn model(name: &'static str, layers: fn(&Task) -> Result<Sequential, SpecError>) -> Model {
    Model { name, layers, torchvision: None }
}

impl Model {
    const fn named(self, torchvision: fn() -> Vec<String>) -> Self {
        Self { torchvision: Some(torchvision), ..self }
    }
}

const MODELS: &[Model] = &[
    model("small-cnn", small_cnn::small_cnn),
    model("three-layer-convnet", three_layer::three_layer),
    model("lenet", lenet::lenet),
    model("resnet20", |task| Ok(RESNET20.layers(task.classes, true))).named(|| RESNET20.names()),
    model("resnet32", |task| Ok(RESNET32.layers(task.classes, true))).named(|| RESNET32.names()),
    model("resnet18", |task| Ok(RESNET18.layers(task.classes, task.is_small()))).named(|| RESNET18.names()),
    model("resnet50", |task| Ok(RESNET50.layers(task.classes, task.is_small()))).named(|| RESNET50.names()),
    model("vgg11-bn", vgg::vgg11_bn).named(vgg::vgg11_bn_names),
    model("mobilenet", mobilenet::small),
    model("mobilenet-v1", mobilenet::v1),
    model("mobilenet-v2", mobilenet_v2::v2).named(mobilenet_v2::v2_names),
    model("densenet-bc-100-12", |task| Ok(BC_100_12.layers(task.classes, true))),
    model("densenet121", |task| Ok(DENSENET121.layers(task.classes, task.is_small()))).named(|| DENSENET121.names()),
    model("squeezenet", squeezenet::v1_1).named(squeezenet::v1_1_names),
    model("airbench", airbench::airbench),
    model("autoencoder", autoencoder::autoencoder),
    model("unet", unet::unet),
    model("unet-small", unet::small),
];

/// The names of all models.
pub const NAMES: &[&str] = &{
    let mut names = [""; MODELS.len()];
    let mut i = 0;
    while i < names.len() {
        names[i] = MODELS[i].name;
        i += 1;
    }
    names
};

fn find(name: &str) -> Result<&'static Model, SpecError> {
    let wanted = name.replace('_', "-");
    let found = MODELS.iter().find(|m| m.name == wanted);
    found.ok_or_else(|| SpecError::UnknownModel { name: name.to_owned(), known: NAMES.join(", ") })
}

/// The layer list of a model for inputs (C, H, W); `_` and `-` are one.
///
/// # Errors
/// If there is no such model, or the input does not suit it.
pub fn spec(name: &str, input: Shape, classes: usize) -> Result<Spec, SpecError> {
    let model = find(name)?;
    let &[c, h, w] = input.dims() else {
        return Err(SpecError::Unsuitable(format!("{name}: an input is (C, H, W), not {input}")));
    };
    let spec = Spec::new(input, (model.layers)(&Task { input: [c, h, w], classes })?);
    spec.out_shape()?;
    Ok(spec)
}

/// Makes a model.
///
/// # Errors
/// As [`spec`], or parameters that the device cannot take.
///
/// ```
/// use gpu_core::Device;
/// use nn::{Init, Module, zoo};
/// let net = zoo::build("resnet20", &Init::seeded(&Device::Cpu, 0), [3, 32, 32].into(), 10)?;
/// assert_eq!(net.out_shape([8, 3, 32, 32].into()), Ok([8, 10].into()));
/// # Ok::<(), nn::SpecError>(())
/// ```
pub fn build(name: &str, cx: &Init, input: Shape, classes: usize) -> Result<Net, SpecError> {
    spec(name, input, classes)?.build(cx)
}

/// The names under which torchvision keeps the weights of the model `name`, of which `net` is one; `None` if torchvision has no such
/// model, or not with this head. See [`load_state_dict`](crate::checkpoint::load_state_dict).
///
/// ```
/// use gpu_core::Device;
/// use nn::{Init, zoo};
/// let net = zoo::build("resnet18", &Init::seeded(&Device::Cpu, 0), [3, 32, 32].into(), 10)?;
/// let names = zoo::torchvision("resnet18", &net).unwrap();
/// assert_eq!(names.theirs("3.body.1.running_mean"), Some("layer1.0.bn1.running_mean".to_owned()));
/// # Ok::<(), nn::SpecError>(())
/// ```
///
pub fn torchvision(name: &str, net: &dyn Parameters) -> Option<Names> {
    Names::in_order(net, find(name).ok()?.torchvision?())
}

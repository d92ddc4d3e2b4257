//! Networks by name or from a layer list, and what a checkpoint says about the one it holds.

mod named;

pub(crate) use named::{asked_shape, is_file, name_of};
pub use named::{expect_known, spec};

use crate::data::{Dataset, ImageSet};
use crate::error::{Error, Result};
use crate::photo::Reading;
use gpu_core::{Device, Shape};
use nn::checkpoint::{Checkpoint, CheckpointError, Mismatch};
use nn::spec::Spec;
use nn::{Init, Loss, Net, WhiteningConv2d, zoo};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The note of a checkpoint under which its [`Description`] lies.
pub(crate) const DESCRIPTION: &str = "wgrad.network";

/// All that is needed to use a network, beside its weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// The name or file that it was made from.
    pub model: String,
    /// The layer list, as JSON.
    pub spec: String,
    /// The data set that it was trained on.
    pub trained_on: String,
    /// The names of the classes.
    pub classes: Vec<String>,
    /// Whether an image may have several of them: the network tells of each by itself whether it is there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub multi_label: bool,
    /// Whether it is each pixel of an image that has one of them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub of_pixels: bool,
    /// Subtracted from `x / 255`, one number a channel.
    pub mean: Vec<f32>,
    /// Divided by after that.
    pub std: Vec<f32>,
    /// What is done to pictures that are read for it.
    #[serde(default, skip_serializing_if = "Reading::is_default")]
    pub reading: Reading,
}

impl Description {
    /// The network `model` for images and classes like those of `data`.
    ///
    /// # Errors
    /// If there is no such network, it does not fit the data, or has nothing to learn.
    pub fn new(model: &str, data: &Dataset) -> Result<Self> {
        let spec = spec(model, image_shape(&data.train), data.classes.len())?;
        let description = Self {
            model: name_of(model),
            spec: spec.to_json().map_err(|e| Error::Setting(format!("the model \"{model}\": {e}")))?,
            trained_on: data.name.clone(),
            classes: data.classes.clone(),
            multi_label: data.is_multi_label(),
            of_pixels: data.has_masks(),
            mean: data.mean.clone(),
            std: data.std.clone(),
            reading: data.reading,
        };
        description.loss(0.0)?;
        if description.parameters()? == 0 {
            return Error::setting(format!(
                "the model \"{model}\": it has no weight that is learned; give it a layer that has, such as linear"
            ));
        }
        description.fits(&data.train, &data.name)?;
        Ok(description)
    }

    /// The layer list.
    ///
    /// # Errors
    /// If it is not one.
    pub fn spec(&self) -> Result<Spec> {
        Spec::from_json(&self.spec).map_err(|e| Error::Setting(format!("the model \"{}\": {e}", self.model)))
    }

    /// Elements of all weights that are learned.
    ///
    /// # Errors
    /// As [`spec`](Self::spec), or if a layer does not fit.
    pub fn parameters(&self) -> Result<u64> {
        self.spec()?.parameters().map_err(|e| Error::Setting(format!("the model \"{}\": {e}", self.model)))
    }

    /// Channels, rows and columns of the images that it takes.
    ///
    /// # Errors
    /// As [`spec`](Self::spec), or if it takes no images.
    pub fn input(&self) -> Result<Shape> {
        let input = self.spec()?.input();
        match input.rank() {
            3 => Ok(input),
            _ => Error::setting(format!("the model \"{}\" takes inputs of {input}, not images (C, H, W)", self.model)),
        }
    }

    /// The network with fresh weights.
    ///
    /// # Errors
    /// As [`spec`](Self::spec).
    pub fn build(&self, device: &Device, seed: u64) -> Result<Net> {
        let built = self.spec()?.build(&Init::seeded(device, seed));
        built.map_err(|e| Error::Setting(format!("the model \"{}\": {e}", self.model)))
    }

    /// Sets the weights of `net` that follow from the training images, before the first step.
    ///
    /// # Errors
    /// If an image cannot be read.
    pub fn prepare(&self, net: &Net, data: &Dataset) -> Result<()> {
        let Some(first) = net.children().first().filter(|layer| layer.is::<WhiteningConv2d>()) else { return Ok(()) };
        let rows = Vec::from_iter(0..WHITENED.min(data.train.len()) as u32);
        let images = data.train.normalised(&rows, &self.mean, &self.std)?;
        let [c, h, w] = [data.train.channels(), data.train.height(), data.train.width()];
        WhiteningConv2d::whiten(first, &images, [images.len() / (c * h * w), c, h, w]);
        Ok(())
    }

    /// Refuses what images cannot be normalised by.
    fn check(&self) -> Result<()> {
        let channels = self.input()?.dim(0);
        let Self { mean, std, .. } = self;
        let usable = mean.iter().all(|m| m.is_finite()) && std.iter().all(|s| s.is_finite() && *s > 0.0);
        match usable && mean.len() == channels && std.len() == channels {
            true => Ok(()),
            false => Error::setting(format!(
                "a mean and a deviation above 0 are wanted for each of {channels} channels, not the means {} and the deviations {}",
                some(mean),
                some(std)
            )),
        }
    }

    /// What it learns: to tell the class of an image, or of each of its pixels, to tell of each class whether it is there, or to give its
    /// input back.
    ///
    /// # Errors
    /// If what comes out is neither.
    pub fn loss(&self, smoothing: f32) -> Result<Loss> {
        let spec = self.spec()?;
        let out = spec.out_shape().map_err(|e| Error::Setting(format!("the model \"{}\": {e}", self.model)))?;
        let (out, classes) = (out.dims(), self.classes.len());
        if self.of_pixels {
            let wanted = [classes, spec.input().dim(1), spec.input().dim(2)];
            let Self { model, .. } = self;
            return match out[1..] == wanted {
                true => Ok(Loss::Segmentation { smoothing, dice: false }),
                false => Error::setting(format!(
                    "the model \"{model}\" gives {:?} for an image, and the masks want {wanted:?}, a channel for each class: unet-small and \
                     unet give them, and so may a layer list",
                    &out[1..]
                )),
            };
        }
        if out == [1, classes] {
            Ok(if self.multi_label { Loss::BceWithLogits } else { Loss::CrossEntropy { smoothing } })
        } else if out[1..] == *spec.input().dims() {
            Ok(Loss::Reconstruction)
        } else {
            let Self { model, .. } = self;
            Error::setting(format!("the model \"{model}\" gives {:?} for an image, {classes} classes are wanted", &out[1..]))
        }
    }

    /// Whether it tells the one class of an image.
    pub fn is_classifier(&self) -> bool {
        matches!(self.loss(0.0), Ok(Loss::CrossEntropy { .. }))
    }

    /// Whether it tells the class of each pixel.
    pub fn tells_pixels(&self) -> bool {
        matches!(self.loss(0.0), Ok(Loss::Segmentation { .. }))
    }

    /// Whether it tells of each class if an image has it.
    pub fn tells_labels(&self) -> bool {
        matches!(self.loss(0.0), Ok(Loss::BceWithLogits))
    }

    /// Whether what it says of an image as a whole is right or wrong: of its class, or of each of its labels.
    pub fn has_accuracy(&self) -> bool {
        self.is_classifier() || self.tells_labels()
    }

    /// Refuses images of another shape.
    ///
    /// # Errors
    /// If they are.
    pub fn fits(&self, images: &ImageSet, name: &str) -> Result<()> {
        let (wanted, found) = (self.input()?, image_shape(images));
        match wanted == found {
            true => Ok(()),
            false => Error::setting(format!("the model \"{}\" takes images of {wanted}, those of {name} are {found}", self.model)),
        }
    }
}

/// The first few of a list that may be long.
fn some(values: &[f32]) -> String {
    let shown: Vec<String> = values.iter().take(4).map(f32::to_string).collect();
    format!("[{}{}]", shown.join(", "), if values.len() > 4 { ", ..." } else { "" })
}

/// Enough images for the covariance of a few pixels: some 961 patches each.
const WHITENED: usize = 2000;

/// Channels, rows and columns.
pub fn image_shape(images: &ImageSet) -> Shape {
    Shape::new(&[images.channels(), images.height(), images.width()])
}

/// The file of a state dict, and how it is read.
#[derive(Debug, Clone, Copy)]
pub struct Weights<'a> {
    /// A safetensors file, or, with the feature `pth`, one of `torch.save`.
    pub path: &'a Path,
    /// What is left out where a key begins with it.
    pub strip_prefix: Option<&'a str>,
    /// Whether what does not fit is passed over.
    pub lenient: bool,
}

impl Weights<'_> {
    /// Reads weights into `net`, a network of `model`: a state dict with the network's own keys, or with torchvision's where torchvision
    /// has such a model. Unless `lenient`, all must fit; what did not is told.
    ///
    /// # Errors
    /// If the file cannot be read, or holds what is no number; if something does not fit, or nothing does.
    pub fn load(&self, net: &Net, model: &str) -> Result<Mismatch> {
        let mut weights = read_weights(self.path)?;
        if let Some(prefix) = self.strip_prefix {
            weights = weights.strip_prefix(prefix).map_err(|e| about(self.path, e))?;
        }
        expect_finite(&weights, self.path)?;
        let own = nn::parameters(net).iter().any(|(key, _)| weights.arrays().contains_key(key));
        let names = zoo::torchvision(model, net).filter(|_| !own).unwrap_or_default();
        let loaded = match self.lenient {
            true => weights.load_what_fits(net, &names),
            false => weights.load_net_as(net, &names).map(|()| Mismatch::default()),
        };
        loaded.map_err(|error| match (error, prefix_before_all(&weights, net, model)) {
            (CheckpointError::Mismatch(_), Some(prefix)) => Error::content(
                self.path,
                format!("all its keys begin with {prefix} before the network's own: give --strip-prefix {prefix}"),
            ),
            (error, _) => about(self.path, error),
        })
    }
}

/// What stands, up to a full stop, before every key, where keys of the network or torchvision's come behind it.
fn prefix_before_all(weights: &Checkpoint, net: &Net, model: &str) -> Option<String> {
    let first = weights.arrays().keys().next()?;
    let prefix = &first[..=first.find('.')?];
    let stripped: Option<Vec<&str>> = weights.arrays().keys().map(|key| key.strip_prefix(prefix)).collect();
    let (stripped, names) = (stripped?, zoo::torchvision(model, net).unwrap_or_default());
    let known = nn::parameters(net).into_iter().flat_map(|(key, _)| [names.theirs(&key), Some(key)]).flatten();
    known.into_iter().any(|key| stripped.contains(&&*key)).then(|| prefix.to_owned())
}

/// Refuses weights that are infinite or no numbers.
pub(crate) fn expect_finite(weights: &Checkpoint, path: &Path) -> Result<()> {
    match weights.not_finite() {
        None => Ok(()),
        Some((key, value)) => Err(Error::NotFinite { path: path.into(), what: format!("{key} holds {value}") }),
    }
}

/// A checkpoint with its network.
pub struct Trained {
    /// What the checkpoint says about it.
    pub description: Description,
    /// The network, with its weights.
    pub net: Net,
}

impl Trained {
    /// Reads a checkpoint that `wgrad train` wrote.
    ///
    /// # Errors
    /// If the file cannot be read, is not such a checkpoint, or does not hold what it says; or a fault of the device.
    pub fn read(path: &Path, device: &Device) -> Result<Self> {
        let checkpoint = read_checkpoint(path)?;
        let description = description_of(&checkpoint, path)?;
        expect_finite(&checkpoint, path)?;
        let net = description.build(device, 0).map_err(|e| Error::content(path, e.to_string()))?;
        checkpoint.load_net(&net).map_err(|e| about(path, e))?;
        Ok(Self { description, net })
    }

    /// The network `model` for images and classes like those of `data`, with weights from a state dict; see [`Weights::load`].
    ///
    /// # Errors
    /// As [`Description::new`] and [`Weights::load`].
    pub fn with_weights(model: &str, weights: Weights<'_>, data: &Dataset, device: &Device) -> Result<(Self, Mismatch)> {
        let description = Description::new(model, data)?;
        let net = description.build(device, 0)?;
        let skipped = weights.load(&net, model)?;
        Ok((Self { description, net }, skipped))
    }

    /// Refuses the checkpoint if it is of another model than `wanted`.
    ///
    /// # Errors
    /// If it is.
    pub fn expect_model(&self, wanted: Option<&str>, path: &Path) -> Result<()> {
        let found = &self.description.model;
        match wanted.filter(|wanted| name_of(wanted).replace('_', "-") != found.replace('_', "-")) {
            None => Ok(()),
            Some(wanted) => Err(Error::content(path, format!("this is a checkpoint of {found}, not of {wanted}"))),
        }
    }
}

/// The tensors in a file of any program's.
fn read_weights(path: &Path) -> Result<Checkpoint> {
    #[cfg(feature = "pth")]
    if Checkpoint::is_torch(path).unwrap_or(false) {
        return Checkpoint::read_torch(path).map_err(|e| about(path, e));
    }
    read_checkpoint(path)
}

/// The checkpoint in a file.
pub(crate) fn read_checkpoint(path: &Path) -> Result<Checkpoint> {
    if !path.exists() {
        return Err(Error::content(path, "there is no such checkpoint"));
    }
    Checkpoint::read(path).map_err(|e| about(path, e))
}

/// What a checkpoint says about its network.
pub(crate) fn description_of(checkpoint: &Checkpoint, path: &Path) -> Result<Description> {
    let note = checkpoint.note_of(DESCRIPTION).ok_or_else(|| {
        Error::content(path, "this file does not say which network it holds; name a checkpoint that `wgrad train` wrote")
    })?;
    let damaged = |e: String| Error::content(path, format!("the description of the network is damaged: {e}"));
    let description: Description = serde_json::from_str(note).map_err(|e| damaged(e.to_string()))?;
    description.check().map_err(|e| damaged(e.to_string()))?;
    // Before a network of gigabytes is made for a file of kilobytes.
    let parameters = description.parameters().map_err(|e| damaged(e.to_string()))?;
    let held: usize = checkpoint.arrays().values().map(|array| array.values.len()).sum();
    match parameters > held as u64 {
        false => Ok(description),
        true => Err(damaged(format!("a network of {parameters} parameters, and {held} numbers in the file"))),
    }
}

/// A checkpoint's fault, with the file's name if it does not have it.
pub(crate) fn about(path: &Path, error: CheckpointError) -> Error {
    let text = crate::error::one_line(&error);
    if text.contains(&*path.to_string_lossy()) { Error::Setting(text) } else { Error::content(path, text) }
}

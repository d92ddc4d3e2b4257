//! What a network looks at (Grad-CAM).
//!
//! With the activations `a[n,c,h,w]` of a layer and the score `s[n]` of a class:
//!
//! `cam[n,h,w] = max(0, sum over c of a[n,c,h,w] * mean over h,w of ds[n]/da[n,c,h,w])`

use crate::autograd::{Tape, join};
use crate::layers::{Dropout, Dropout2d, Relu, Sequential};
use crate::net::Net;
use gpu_core::{DType, Shape, Tensor, ops};

impl Net {
    /// Where in images `x` (N, C, H, W) the network finds what speaks for the classes `labels` (N, u32): maps (N, 1, h, w) of the size of
    /// what the layer at the path `layer` gives. They are 0 or more, of no unit, and comparable within an image alone. The network is in
    /// evaluation mode and stays as it is. Equivalent of the package `pytorch-grad-cam`; Selvaraju et al., 2017.
    ///
    /// ```
    /// use gpu_core::{Device, Tensor};
    /// use nn::{Init, zoo};
    /// let net = zoo::build("resnet20", &Init::seeded(&Device::Cpu, 0), [3, 32, 32].into(), 10)?;
    /// let layer = net.last_spatial().expect("a convolution");
    /// let images = Tensor::full(&Device::Cpu, [2, 3, 32, 32], 0.5);
    /// let maps = net.grad_cam(&layer, &images, &Tensor::from_slice(&Device::Cpu, [2], &[7u32, 1]));
    /// assert_eq!(maps.shape(), [2, 1, 8, 8].into());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    /// If there is no such layer, it does not run by itself (a ReLU that the layer before does, a layer in a run of
    /// [`checkpoint_activations`](Self::checkpoint_activations)), or gives no (N, C, h, w); if the network gives no logits (N, classes);
    /// if the labels are not one u32 for each image.
    #[track_caller]
    pub fn grad_cam(&self, layer: &str, x: &Tensor, labels: &Tensor) -> Tensor {
        let images = x.shape().dim(0);
        let fits = labels.shape().dims() == [images] && labels.dtype() == DType::U32;
        assert!(fits, "grad_cam: {images} labels of u32 are wanted, not {} of shape {}", labels.dtype(), labels.shape());
        let (tape, layer) = (Tape::evaluating(x.device()), self.at(layer));
        layer.show(&tape);
        // A leaf of its own: a frozen network has no other.
        let logits = self.forward(&tape.variable(x));
        assert!(logits.shape().rank() == 2, "grad_cam: the network gives {}, not logits (N, classes)", logits.shape());
        let maps = layer.activation(&tape);
        assert!(maps.shape().rank() == 4, "grad_cam: the layer gives {}, not maps (N, C, h, w)", maps.shape());
        // Of the sum, since no image has a part in the score of another.
        let scores = logits.gather(1, &labels.reshape([images, 1])).sum();
        let gradients = scores.backward();
        let weights = ops::mean_axes(gradients.of(&maps).expect("the layer was asked to show it"), &[2, 3], true);
        ops::relu(&ops::sum_axes(&ops::mul(maps.value(), &weights), &[1], true))
    }

    /// The path of the last layer that gives rows and columns, more than one place of them: what [`grad_cam`](Self::grad_cam) is mostly
    /// asked of. None where there is none. A ReLU that the layer before does is a part of that layer.
    ///
    /// ```
    /// # use gpu_core::Device;
    /// # use nn::{Conv2d, Flatten, GlobalAvgPool, Init, Layer, Linear, Relu, seq};
    /// let net = seq![Conv2d::new(8, 3), Relu, GlobalAvgPool, Flatten, Linear::new(10)];
    /// let net = net.build(&Init::seeded(&Device::Cpu, 0), [3, 8, 8])?;
    /// assert_eq!(net.last_spatial().as_deref(), Some("0"));
    /// # Ok::<(), nn::BuildError>(())
    /// ```
    pub fn last_spatial(&self) -> Option<String> {
        let input = Shape::new(&[&[1], self.input().dims()].concat());
        within(self, input, "")
    }
}

/// The last one in a list of layers. What stands in a layer that is no list is not looked at: it may be beside others.
fn within(net: &Net, input: Shape, path: &str) -> Option<String> {
    if !net.is::<Sequential>() {
        return None;
    }
    let (mut x, mut last) = (input, None);
    let mut layers = net.named_children().peekable();
    while let Some((name, layer)) = layers.next() {
        let (path, y) = (join(path, name), layer.planned(x).ok()?.output());
        let is_spatial = y.rank() == 4 && y.h() * y.w() > 1;
        last = match is_spatial {
            // It passes on what the one before gives.
            true if layer.is::<Dropout>() || layer.is::<Dropout2d>() => last.or(Some(path)),
            true => Some(path),
            false => within(layer, x, &path).or(last),
        };
        // It is done by the layer before, and its shape is that layer's.
        let _ = layers.next_if(|(_, next)| next.is::<Relu>());
        x = y;
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::init::Init;
    use crate::layers::{Conv2d, Flatten, GlobalAvgPool, Linear};
    use crate::net::Layer;
    use crate::{seq, zoo};
    use gpu_core::Device;

    /// By hand: of two channels that are the input's, the one that the class counts positive is seen and the other is not.
    #[test]
    fn a_map_is_what_speaks_for_the_class() {
        for device in proof::devices() {
            let net = seq![Conv2d::new(2, 1).no_bias(), GlobalAvgPool, Flatten, Linear::new(2).no_bias()];
            let net = net.build(&Init::seeded(&device, 0), [2, 2, 2]).unwrap();
            net.at("0").param("weight").set(&[1.0, 0.0, 0.0, 1.0]);
            net.at("3").param("weight").set(&[4.0, -8.0, -4.0, 12.0]);
            let x = Tensor::from_slice(&device, [2, 2, 2, 2], &[1f32, 0., 0., 2., 0., 3., 0., 1., 1., 0., 0., 2., 0., 3., 0., 1.]);
            let maps = net.grad_cam("0", &x, &Tensor::from_slice(&device, [2], &[0u32, 1])).to_vec().unwrap();
            // A weight of the linear layer over four places: 1 and -2 for the first class, -1 and 3 for the second.
            assert_eq!(maps, [1.0, 0.0, 0.0, 0.0, 0.0, 9.0, 0.0, 1.0]);
        }
    }

    #[test]
    fn the_last_layer_with_places_is_found_in_every_model_that_has_one_and_has_maps() {
        let (device, mut found) = (Device::Cpu, 0);
        for name in zoo::NAMES.iter().filter(|name| !["unet", "unet-small", "autoencoder"].contains(name)) {
            let net = zoo::build(name, &Init::seeded(&device, 0), [3, 32, 32].into(), 10).unwrap();
            let Some(layer) = net.last_spatial() else { continue };
            let x = proof::tensor(&device, [1, 3, 32, 32], 1);
            let maps = net.grad_cam(&layer, &x, &Tensor::from_slice(&device, [1], &[3u32]));
            assert!(maps.shape().h() * maps.shape().w() > 1, "{name}: layer {layer} has {}", maps.shape());
            found += 1;
        }
        assert!(found > 10, "{found} models");
    }

    #[test]
    fn where_there_are_no_places_there_is_no_layer() {
        let cx = Init::seeded(&Device::Cpu, 0);
        assert_eq!(seq![Flatten, Linear::new(2)].build(&cx, [3, 4, 4]).unwrap().last_spatial(), None);
        assert_eq!(seq![Linear::new(2)].build(&cx, [3]).unwrap().last_spatial(), None);
        let nested = seq![seq![Conv2d::new(2, 1), Relu, Relu, Flatten], Linear::new(2)].build(&cx, [3, 4, 4]).unwrap();
        assert_eq!(nested.last_spatial().as_deref(), Some("0.2"));
    }

    #[test]
    #[should_panic(expected = "grad_cam: 2 labels of u32 are wanted, not u32 of shape [1]")]
    fn every_image_has_a_label() {
        let net = zoo::build("small-cnn", &Init::seeded(&Device::Cpu, 0), [3, 16, 16].into(), 10).unwrap();
        let x = Tensor::zeros(&Device::Cpu, [2, 3, 16, 16]);
        let _ = net.grad_cam("0", &x, &Tensor::from_slice(&Device::Cpu, [1], &[0u32]));
    }
}

//! What a layer inside a network gives, to be looked at.

use super::Net;
use crate::autograd::{Tape, Var, join};

impl Net {
    /// The layer at `path` inside it, as in the state dict: `4.body.0`.
    ///
    /// # Panics
    /// If there is none, with the paths that there are.
    #[track_caller]
    pub fn at(&self, path: &str) -> &Self {
        let (mut paths, mut found) = (Vec::new(), None);
        self.walk("", &mut |at, net| {
            if at == path {
                found = Some(net);
            }
            paths.push(at.to_owned());
        });
        match found {
            Some(net) => net,
            None => panic!("Net: there is no layer \"{path}\"; there are: {}", paths.join(", ")),
        }
    }

    pub(crate) fn walk<'a>(&'a self, path: &str, f: &mut dyn FnMut(&str, &'a Self)) {
        for (name, child) in self.names.iter().zip(&self.children) {
            let path = join(path, name);
            f(&path, child);
            child.walk(&path, f);
        }
    }

    /// Has this layer, of a network that will run on `tape`, show what it gives: [`activation`](Self::activation) has it then, and a
    /// backward pass its gradient. Equivalent of `register_forward_hook` and `register_full_backward_hook`.
    ///
    /// Grad-CAM, the part of a picture that speaks for a class, as [`grad_cam`](Self::grad_cam) has it:
    ///
    /// ```
    /// use gpu_core::{Device, Tensor, ops};
    /// use nn::{Init, Tape, zoo};
    /// let device = Device::Cpu;
    /// let net = zoo::build("resnet20", &Init::seeded(&device, 0), [3, 32, 32].into(), 10)?;
    /// let (tape, layer) = (Tape::evaluating(&device), net.at("3"));
    /// layer.show(&tape);
    /// let score = net.forward(&tape.input(&Tensor::zeros(&device, [1, 3, 32, 32]))).select(1, 7).sum();
    /// let maps = layer.activation(&tape);
    /// let gradients = score.backward();
    /// let weights = ops::mean_axes(gradients.of(&maps).unwrap(), &[2, 3], true);
    /// let cam = ops::relu(&ops::sum_axes(&ops::mul(maps.value(), &weights), &[1], false));
    /// assert_eq!(cam.shape().rank(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// What follows the layer in the same kernels is a part of what it gives: the ReLU behind a batch norm, the sum of a residual
    /// connection. A layer inside a run of [`checkpoint_activations`](Self::checkpoint_activations) is not seen.
    pub fn show(&self, tape: &Tape) {
        tape.ask(self.number());
    }

    /// What this layer gave on `tape`; of several times, the last.
    ///
    /// # Panics
    /// If it was not told to [`show`](Self::show) that, or has not run on this tape.
    #[track_caller]
    pub fn activation(&self, tape: &Tape) -> Var {
        match tape.shown_var(self.number()) {
            Some(y) => y,
            None => panic!("{}: it has shown nothing on this tape; call show before the forward pass", self.layer.kind()),
        }
    }

    /// Distinguishes it from other networks, while it lives.
    pub(crate) fn number(&self) -> usize {
        self.held.as_ptr() as usize
    }
}

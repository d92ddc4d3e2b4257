//! What of a step's time is which layer's.

use super::captured::Step;
use super::error::StepError;
use crate::net::Net;
use std::collections::HashMap;

/// The kernels of one layer in a step.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerTime {
    /// The layer's path, as in the state dict; empty for what is no layer's: the loss, an update, what a list does itself.
    pub path: String,
    /// Kernels that it launches in a run of the step, forward and backward.
    pub launches: usize,
    /// Seconds of those of the forward pass.
    pub forward_s: f64,
    /// Seconds of those of the backward pass; activations that are computed again are a part of it.
    pub backward_s: f64,
}

impl Step {
    /// Runs the step once more as [`profile`](Self::profile) does, and adds the times up by the layers of `net`: a row for each, in
    /// the order of the state dict, and one without a path for all else. What follows a layer in the same kernels is a part of it, and
    /// the layer that this was taken from has none: a ReLU behind a batch norm, the sum of a residual connection.
    ///
    /// Equivalent of `torch.profiler.profile(with_modules=True)`.
    ///
    /// ```
    /// use gpu_core::{Device, Tensor};
    /// use nn::{Init, Layer, Linear, Relu, Step, seq};
    /// let net = seq![Linear::new(8), Relu, Linear::new(2)].build(&Init::seeded(&Device::Cpu, 0), [4])?;
    /// let step = Step::on(&Device::Cpu).seed(0).input("x", [16, 4]).capture(|pass| {
    ///     drop(net.forward(&pass.input("x")).sum().backward_to(&net));
    /// })?;
    /// step.run(&[("x", &vec![1.0f32; 64])])?;
    /// let times = step.layer_times(&net)?.expect("the CPU device has a clock");
    /// assert_eq!(times.iter().map(|time| time.path.as_str()).collect::<Vec<_>>(), ["0", "1", "2", ""]);
    /// assert_eq!(times.iter().map(|time| time.launches).sum::<usize>(), step.dispatches());
    /// assert!(times[1].launches == 0 && times[2].forward_s > 0.0 && times[2].backward_s > 0.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The device's first fault.
    ///
    /// # Panics
    /// As [`profile`](Self::profile).
    #[track_caller]
    pub fn layer_times(&self, net: &Net) -> Result<Option<Vec<LayerTime>>, StepError> {
        let Some(launches) = self.profile()? else { return Ok(None) };
        let (mut rows, mut row_of) = (Vec::new(), HashMap::new());
        let mut add = |path: &str| {
            rows.push(LayerTime { path: path.to_owned(), launches: 0, forward_s: 0.0, backward_s: 0.0 });
            rows.len() - 1
        };
        net.walk("", &mut |path, layer| {
            // A layer that stands in two places is counted in the first.
            row_of.entry(layer.number()).or_insert_with(|| add(path));
        });
        let other = add("");
        for (at, span) in self.spans.iter().enumerate() {
            let end = self.spans.get(at + 1).map_or(launches.len(), |next| next.first);
            let row = &mut rows[span.layer.and_then(|layer| row_of.get(&layer)).copied().unwrap_or(other)];
            let seconds: f64 = launches[span.first..end].iter().map(|(_, seconds)| seconds).sum();
            row.launches += end - span.first;
            *(if span.backward { &mut row.backward_s } else { &mut row.forward_s }) += seconds;
        }
        Ok(Some(rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::init::Init;
    use crate::layers::{BatchNorm2d, Conv2d, Flatten, Linear, Relu, Residual};
    use crate::net::Layer;
    use crate::optim::Sgd;
    use crate::seq;
    use gpu_core::Device;

    fn net(device: &Device) -> Net {
        let body = seq![Conv2d::new(4, 3).padding(1).no_bias(), BatchNorm2d::new()];
        let list = seq![Conv2d::new(4, 3).padding(1), Relu, Residual::new(body), Relu, Flatten, Linear::new(3)];
        list.build(&Init::seeded(device, 0), [2, 6, 6]).unwrap()
    }

    /// Launches by layer of a step with an update.
    fn launches(net: &Net, device: &Device) -> Vec<(String, usize)> {
        let sgd = Sgd::new(net, 0.1);
        let step = Step::on(device).seed(0).input("x", [4, 2, 6, 6]).labels("y", [4]);
        let step = step.capture(|pass| {
            let loss = net.forward(&pass.input("x")).cross_entropy(pass.labels("y"), 0.0);
            pass.update(&sgd, &loss);
        });
        let step = step.unwrap();
        step.run(&[("x", &vec![0.5f32; 288]), ("y", &vec![0u32, 1, 2, 0])]).unwrap();
        let rows = step.layer_times(net).unwrap().expect("both devices have clocks");
        assert!(rows.iter().all(|row| (row.launches > 0) == (row.forward_s + row.backward_s > 0.0)), "{rows:?}");
        assert_eq!(rows.iter().map(|row| row.launches).sum::<usize>(), step.dispatches());
        rows.into_iter().map(|row| (row.path, row.launches)).collect()
    }

    #[test]
    fn every_launch_is_of_one_layer_or_of_none_and_fused_layers_have_none() {
        for device in proof::devices() {
            let found = launches(&net(&device), &device);
            let paths: Vec<&str> = found.iter().map(|(path, _)| path.as_str()).collect();
            assert_eq!(paths, ["0", "1", "2", "2.body", "2.body.0", "2.body.1", "2.shortcut", "3", "4", "5", ""]);
            let of = |path: &str| found.iter().find(|(p, _)| p == path).unwrap().1;
            // The batch norm does the sum and the ReLU behind the residual connection.
            assert_eq!([of("3"), of("2.shortcut"), of("4")], [0; 3], "{found:?}");
            assert!([of("0"), of("2.body.0"), of("2.body.1"), of("5"), of("")].iter().all(|&count| count > 1), "{found:?}");
        }
    }

    #[test]
    fn what_is_computed_again_is_of_the_layers_that_compute_it() {
        let device = Device::Cpu;
        let [plain, again] = [1, 3].map(|segments| launches(&net(&device).checkpoint_activations(segments), &device));
        let more: Vec<(&str, usize)> = plain.iter().zip(&again).map(|(one, two)| (&*one.0, two.1 - one.1)).collect();
        // The first convolution is in a run that is computed again; the loss and the update are in none.
        assert!(more[0].1 > 0 && more.last().unwrap() == &("", 0), "{more:?}");
    }

    /// Two networks of one kind do not count for one another.
    #[test]
    fn what_another_network_launches_is_of_no_layer() {
        let (device, [own, other]) = (Device::Cpu, [0; 2].map(|_| net(&Device::Cpu)));
        let step = Step::on(&device).seed(0).input("x", [1, 2, 6, 6]).evaluate().no_gradients();
        let step = step.capture(|pass| pass.output("y", &other.forward(&pass.input("x")))).unwrap();
        step.run(&[("x", &vec![0.5f32; 72])]).unwrap();
        let rows = step.layer_times(&own).unwrap().unwrap();
        let (none, layers) = rows.split_last().unwrap();
        assert!(layers.iter().all(|row| row.launches == 0) && none.launches == step.dispatches() && none.backward_s == 0.0);
    }
}

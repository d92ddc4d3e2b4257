//! The tape, what a pass is for, and what is frozen.

use super::*;
use crate::{BatchNorm2d, Conv2d, DemeanNorm, Dropout, Flatten, Init, InstanceNorm2d, Layer, Linear, Net, seq};
use gpu_core::ops::Conv2dGeometry;
use gpu_core::{Device, Tensor};
use proof::Launches;
use std::sync::Arc;

const CPU: Device = Device::Cpu;

/// A convolution's backward pass, with its input as data or as a variable.
fn launched_backward(wanted: bool) -> usize {
    let (device, launches) = proof::counted(&CPU);
    let tape = Tape::new(&device);
    let (x, w) = (proof::tensor(&device, [1, 1, 4, 4], 1), tape.variable(&proof::tensor(&device, [1, 1, 3, 3], 2)));
    let x = if wanted { tape.variable(&x) } else { tape.input(&x) };
    let loss = x.conv2d(&w, None, Conv2dGeometry::default()).sum();
    launches.take();
    let gradients = loss.backward();
    assert_eq!(gradients.of(&x).is_some(), wanted);
    launches.names().len()
}

#[test]
fn no_gradient_is_computed_for_data() {
    assert!(launched_backward(false) < launched_backward(true));
}

#[test]
fn closures_that_name_one_input_add_up() {
    let tape = Tape::new(&CPU);
    let x = tape.variable(&Tensor::full(&CPU, [2], 3.0));
    let y = x.add(&x).add(&x.mul(&x));
    assert_eq!(y.sum().backward().of(&x).unwrap().to_vec().unwrap(), [8.0, 8.0]);
}

#[test]
fn a_parameter_used_twice_is_one_leaf() {
    let (tape, w) = (Tape::new(&CPU), Param::trainable(Tensor::full(&CPU, [1], 2.0)));
    let x = tape.input(&Tensor::full(&CPU, [1], 5.0));
    let y = x.mul(&w.var(&x)).mul(&w.var(&x));
    assert_eq!(y.backward().of(&w).unwrap().to_vec().unwrap(), [20.0]);
}

#[test]
fn what_the_loss_does_not_depend_on_has_no_gradient() {
    let tape = Tape::new(&CPU);
    let [x, unused] = [0, 1].map(|_| tape.variable(&Tensor::full(&CPU, [1], 1.0)));
    let _y = unused.relu();
    let gradients = x.relu().backward();
    assert!(gradients.of(&unused).is_none() && gradients.of(&Param::buffer(Tensor::zeros(&CPU, [1]))).is_none());
}

#[test]
fn a_buffer_gets_no_gradient() {
    let tape = Tape::new(&CPU);
    let x = tape.variable(&Tensor::full(&CPU, [1], 1.0));
    assert!(!Param::buffer(Tensor::zeros(&CPU, [1])).var(&x).needs_gradient());
}

#[test]
#[should_panic(expected = "called on this tape already")]
fn a_tape_is_spent_once() {
    let x = Tape::new(&CPU).variable(&Tensor::full(&CPU, [1], 1.0));
    x.backward();
    x.backward();
}

#[test]
#[should_panic(expected = "different tapes")]
fn two_tapes_do_not_mix() {
    let [a, b] = [0, 1].map(|_| Tape::new(&CPU).variable(&Tensor::full(&CPU, [1], 1.0)));
    let _ = a.add(&b);
}

#[test]
#[should_panic(expected = "the loss has one element, not shape [2]")]
fn a_loss_is_one_number() {
    Tape::new(&CPU).variable(&Tensor::zeros(&CPU, [2])).backward();
}

fn drawn(tape: &Tape) -> Vec<f32> {
    tape.input(&Tensor::full(&CPU, [64], 1.0)).dropout(0.5).value().to_vec().unwrap()
}

#[test]
fn no_two_tapes_draw_the_same_numbers_unless_that_is_asked_for() {
    let masks: Vec<Vec<f32>> = (0..4).map(|_| drawn(&Tape::new(&CPU))).collect();
    assert!((1..4).all(|i| !masks[..i].contains(&masks[i])), "{masks:?}");
    let chosen = |step| drawn(&Tape::pass(&CPU).seed(3).step(step).tape());
    assert_eq!(chosen(5), chosen(5));
    assert_ne!(chosen(5), chosen(6));
    assert_eq!(chosen(5), drawn(&Tape::seeded(&CPU, 3, &Tensor::from_slice(&CPU, [1], &[5u32]))));
}

#[test]
fn the_parts_of_a_checkpointed_pass_draw_from_its_step() {
    let x = Tape::new(&CPU).variable(&Tensor::full(&CPU, [64], 1.0));
    let y = x.checkpoint_activations(|x| x.dropout(0.5));
    let kept = y.value().to_vec().unwrap();
    assert_eq!(y.sum().backward().of(&x).unwrap().to_vec().unwrap(), kept);
}

#[test]
#[should_panic(expected = "random layers in a capture would draw the same numbers in every replay")]
fn a_capture_draws_from_a_tensor() {
    let x = Tensor::full(&CPU, [4], 1.0);
    let _ = CPU.capture(|| Tape::new(&CPU).input(&x).dropout(0.5));
}

/// Layers that differ in evaluation.
fn net(cx: &Init) -> Net {
    let norms = seq![BatchNorm2d::new(), DemeanNorm::new(), InstanceNorm2d::new().tracked()];
    seq![Conv2d::new(2, 3), norms, Dropout::new(0.5), Flatten, Linear::new(2)].build(cx, [1, 4, 4]).unwrap()
}

fn state(net: &Net) -> Vec<Vec<f32>> {
    parameters(net).iter().map(|(_, p)| p.value().to_vec().unwrap()).collect()
}

#[test]
fn training_and_gradients_are_two_choices() {
    for device in proof::devices() {
        let x = proof::tensor(&device, [3, 1, 4, 4], 1);
        let rows = [
            (Tape::pass(&device), true, true),
            (Tape::pass(&device).no_gradients(), true, false),
            (Tape::pass(&device).evaluate(), false, true),
            (Tape::pass(&device).evaluate().no_gradients(), false, false),
        ];
        let constant = net(&Init::seeded(&device, 1)).forward(&Var::constant(&x)).value().to_vec().unwrap();
        for (pass, training, gradients) in rows {
            let net = net(&Init::seeded(&device, 1));
            let before = state(&net);
            let y = net.forward(&pass.tape().variable(&x));
            assert_eq!((y.is_training(), y.needs_gradient()), (training, gradients));
            assert_eq!(state(&net) != before, training, "running statistics");
            assert_eq!(y.value().to_vec().unwrap() == constant, !training, "what comes out");
            if gradients {
                let of = y.sum().backward();
                assert!(parameters(&net).iter().all(|(_, p)| of.of(p).is_some() == p.is_trainable()));
            }
        }
    }
}

#[test]
fn a_detached_variable_stays_in_its_mode_and_passes_nothing_back() {
    let x = Tape::new(&CPU).variable(&Tensor::full(&CPU, [1], 3.0));
    let still = x.detach();
    assert!(still.is_training() && !still.needs_gradient() && still.value().shares_storage(x.value()));
    assert_eq!(x.add(&still.mul(&still)).backward().of(&x).unwrap().to_vec().unwrap(), [1.0]);
}

/// The kernels of a backward pass of `net`, which lies on `device`, and the keys that got a gradient.
fn backward_of(net: &Net, (device, launches): &(Device, Arc<Launches>), to: Option<&dyn Parameters>) -> (usize, Vec<String>) {
    let x = Tape::new(device).input(&proof::tensor(device, [3, 1, 4, 4], 1));
    let loss = net.forward(&x).sum();
    launches.take();
    let gradients = to.map_or_else(|| loss.backward(), |to| loss.backward_to(to));
    let keys = parameters(net).into_iter().filter(|(_, p)| gradients.of(p).is_some()).map(|(key, _)| key);
    (launches.names().len(), keys.collect())
}

#[test]
fn what_is_frozen_costs_nothing_and_stays_as_it_is() {
    let counted = proof::counted(&CPU);
    let net = net(&Init::seeded(&counted.0, 1));
    let (all, keys) = backward_of(&net, &counted, None);
    assert_eq!(keys.len(), 8);
    freeze(&net, "0.*").unwrap();
    freeze(&net, "1.*").unwrap();
    let before = state(&net);
    let (few, keys) = backward_of(&net, &counted, None);
    // The gradient of a sum, and that of the head's weights and bias.
    assert!(few < all && few <= 5, "{few} of {all} kernels");
    assert_eq!(keys, ["4.weight", "4.bias"]);
    assert!(state(&net) == before, "running statistics moved");
    unfreeze(&net, "*").unwrap();
    assert_eq!(backward_of(&net, &counted, None).0, all);
}

#[test]
fn frozen_norms_normalise_by_their_running_statistics() {
    let net = net(&Init::seeded(&CPU, 1));
    let x = proof::tensor(&CPU, [3, 1, 4, 4], 1);
    let norm = &net.children()[1];
    let through = |x: &Var| norm.forward(&net.children()[0].forward(x)).value().to_vec().unwrap();
    let training = through(&Tape::new(&CPU).input(&x));
    let before = state(&net);
    freeze(&net, "1.*").unwrap();
    let frozen = through(&Tape::new(&CPU).input(&x));
    assert_eq!(frozen, through(&Var::constant(&x)));
    assert!(frozen != training && state(&net) == before);
}

#[test]
fn a_pattern_that_fits_nothing_names_the_keys() {
    let error = freeze(&net(&Init::seeded(&CPU, 1)), "body.*").unwrap_err();
    assert!(
        error.to_string().starts_with("no key of the network fits \"body.*\"; there are: 0.weight, 0.bias, 1.0.weight"),
        "{error}"
    );
}

#[test]
fn a_backward_pass_to_some_parameters_runs_no_other_kernels() {
    let counted = proof::counted(&CPU);
    let net = net(&Init::seeded(&counted.0, 1));
    let (all, keys) = backward_of(&net, &counted, Some(&net));
    assert_eq!((all, keys.len()), (backward_of(&net, &counted, None).0, 8));
    let (few, keys) = backward_of(&net, &counted, Some(&net.children()[4]));
    assert!(few < all, "{few} of {all} kernels");
    assert_eq!(keys, ["4.weight", "4.bias"]);
}

#[test]
fn a_gradient_that_is_kept_changes_no_other_and_stops_where_nothing_else_is_wanted() {
    for device in proof::devices() {
        let (device, launches) = proof::counted(&device);
        let net = net(&Init::seeded(&device, 1));
        let x = proof::tensor(&device, [3, 1, 4, 4], 1);
        let tape = || Tape::pass(&device).evaluate().tape();
        let plain = net.forward(&tape().input(&x)).sum().backward();
        let shown = tape();
        net.at("1").show(&shown);
        let loss = net.forward(&shown.input(&x)).sum();
        let activation = net.at("1").activation(&shown);
        let gradients = loss.backward();
        for (key, param) in parameters(&net).iter().filter(|(_, p)| p.is_trainable()) {
            let [got, want] = [&gradients, &plain].map(|g| g.of(param).unwrap().to_vec().unwrap());
            assert_eq!(got, want, "{key}");
        }
        let first = gradients.of(&activation).unwrap().to_vec().unwrap();
        // Frozen, the layer's output is a leaf, and all that is computed is its gradient.
        freeze(&net, "*").unwrap();
        let shown = tape();
        net.at("1").show(&shown);
        let loss = net.forward(&shown.input(&x)).sum();
        let activation = net.at("1").activation(&shown);
        launches.take();
        let (gradients, kernels) = (loss.backward(), launches.names());
        assert_eq!(gradients.of(&activation).unwrap().to_vec().unwrap(), first);
        assert!(kernels.len() <= 3, "a sum's, a layer's and a copy: {kernels:?}");
    }
}

#[test]
fn each_layer_shows_what_it_gives_on_the_tape_that_asks() {
    let net = net(&Init::seeded(&CPU, 1));
    let x = proof::tensor(&CPU, [3, 1, 4, 4], 1);
    let tape = Tape::pass(&CPU).evaluate().no_gradients().tape();
    let paths = ["0", "1", "1.0", "1.1", "1.2", "2", "3", "4"];
    paths.iter().for_each(|path| net.at(path).show(&tape));
    let y = net.forward(&tape.input(&x));
    let norms = net.at("1");
    let mut here = norms.forward(&Var::constant(net.at("0").activation(&tape).value()));
    assert_eq!(here.value().to_vec().unwrap(), net.at("1.2").activation(&tape).value().to_vec().unwrap());
    for path in ["2", "3", "4"] {
        here = net.at(path).forward(&here);
        assert_eq!(here.value().to_vec().unwrap(), net.at(path).activation(&tape).value().to_vec().unwrap(), "{path}");
    }
    assert_eq!(here.value().to_vec().unwrap(), y.value().to_vec().unwrap());
}

#[test]
#[should_panic(expected = "Net: there is no layer \"5\"; there are: 0, 1, 1.0, 1.1, 1.2, 2, 3, 4")]
fn a_layer_that_is_not_there_is_told() {
    net(&Init::seeded(&CPU, 1)).at("5");
}

#[test]
#[should_panic(expected = "linear: it has shown nothing on this tape; call show before the forward pass")]
fn a_layer_shows_nothing_unasked() {
    let (net, tape) = (net(&Init::seeded(&CPU, 1)), Tape::new(&CPU));
    let _ = net.forward(&tape.input(&proof::tensor(&CPU, [3, 1, 4, 4], 1)));
    net.at("4").activation(&tape);
}

//! Products of f16, and the scale of their loss.

use super::*;
use crate::autograd::{Pass, Precision};
use gpu_core::ops::{self, Conv2dGeometry, ConvTranspose2dGeometry, Pool2dGeometry};
use gpu_core::{DType, Device, f16};

/// A product of two variables.
type Product = fn(&Var, &Var) -> Var;

/// Every product, with the shapes of its factors.
fn products() -> Vec<(&'static str, [Shape; 2], Product)> {
    let shapes = |a: &[usize], b: &[usize]| [Shape::new(a), Shape::new(b)];
    vec![
        ("matmul", shapes(&[2, 5, 7], &[7, 3]), |a, b| a.matmul(b)),
        ("vector", shapes(&[7], &[2, 7, 3]), |a, b| a.matmul(b)),
        ("linear", shapes(&[2, 5, 7], &[3, 7]), |a, b| a.linear(b, None)),
        ("conv1d", shapes(&[2, 3, 9], &[4, 3, 3]), |a, b| a.conv1d(b, None, Default::default())),
        ("conv2d", shapes(&[2, 4, 9, 8], &[6, 2, 3, 3]), |a, b| {
            a.conv2d(b, None, Conv2dGeometry { stride: [2, 1], padding: 1.into(), groups: 2, ..Default::default() })
        }),
        ("conv_transpose2d", shapes(&[2, 4, 5, 4], &[4, 3, 3, 2]), |a, b| {
            a.conv_transpose2d(b, None, ConvTranspose2dGeometry { stride: [2, 1], ..Default::default() })
        }),
    ]
}

/// What a product comes to and its gradients, for the gradient `dy` of it.
fn results(pass: Pass, product: Product, [a, b]: [&Tensor; 2], dy: impl Fn(Shape) -> Tensor) -> [Vec<f32>; 3] {
    let tape = pass.tape();
    let [a, b] = [a, b].map(|factor| tape.variable(factor));
    let y = product(&a, &b);
    let gradients = y.mul(&Var::constant(&dy(y.shape()))).sum().backward();
    [y.value(), gradients.of(&a).unwrap(), gradients.of(&b).unwrap()].map(|tensor| tensor.to_vec().unwrap())
}

#[test]
fn products_of_what_f16_holds_are_those_of_f32_and_so_are_their_gradients() {
    for device in proof::devices() {
        let integers = |shape: Shape, seed: u64| {
            let values: Vec<f32> = proof::values(shape.len(), seed).iter().map(|v| (4.0 * v).round()).collect();
            Tensor::from_slice(&device, shape, &values)
        };
        for (name, shapes, product) in products() {
            let [a, b] = [0, 1].map(|i| integers(shapes[i], i as u64));
            let of = |precision| results(Tape::pass(&device).precision(precision), product, [&a, &b], |shape| integers(shape, 3));
            assert!(of(Precision::Mixed) == of(Precision::F32), "{name} on {}", device.name());
        }
    }
}

#[test]
fn factors_and_images_are_rounded_and_nothing_else() {
    let device = Device::Cpu;
    let rounded = |tensor: &Tensor| ops::cast(&ops::cast(tensor, DType::F16), DType::F32);
    for (name, shapes, product) in products() {
        let [a, b] = [0, 1].map(|i| proof::tensor(&device, shapes[i], i as u64));
        let dy = |shape: Shape| proof::tensor(&device, shape, 3);
        let [f32s, mixed] = [Precision::F32, Precision::Mixed].map(|precision| Tape::pass(&device).precision(precision));
        let got = results(mixed, product, [&a, &b], dy);
        let mut want = results(f32s.clone(), product, [&rounded(&a), &rounded(&b)], |shape| rounded(&dy(shape)));
        if name.starts_with("conv") {
            // An image is held in f16.
            want[0].iter_mut().for_each(|v| *v = f16::from_f32(*v).to_f32());
        }
        assert!(got == want, "{name}");
        assert!(got != results(f32s, product, [&a, &b], dy), "{name}: nothing was rounded");
    }
    // A depthwise convolution is no such product.
    let depthwise: Product = |x, w| x.conv2d(w, None, Conv2dGeometry { groups: 3, ..Default::default() });
    let [x, w] = [[1, 3, 4, 4], [3, 1, 3, 3]].map(|shape| proof::tensor(&device, shape, 1));
    let of = |precision| {
        results(Tape::pass(&device).precision(precision), depthwise, [&x, &w], |shape| proof::tensor(&device, shape, 3))
    };
    assert!(of(Precision::Mixed) == of(Precision::F32));
}

fn sgd(net: &Net, scale: f32) -> Sgd {
    Sgd::new(net, 0.05).momentum(0.9).clip_norm(0.5).loss_scaling(scale, 2)
}

/// Losses, parameters and the loss scale after steps of these precisions and scales, of `parts` of a batch.
fn trained(device: &Device, precision: Precision, scale: f32, parts: u32) -> (Vec<f32>, Vec<Vec<f32>>, Vec<f32>) {
    let net = net(device);
    let sgd = sgd(&net, scale);
    let step = TrainStep::captured(&net, &sgd, &options().precision(precision).accumulate(parts)).unwrap();
    let losses = (0..4 * u64::from(parts)).map(|s| {
        let (x, labels) = batch(s);
        step.run_on(&x, &labels).unwrap();
        step.loss().unwrap()
    });
    (losses.collect(), values(&net), sgd.loss_scale().unwrap().to_vec().unwrap())
}

#[test]
fn a_scale_changes_no_bit_where_all_is_f32() {
    for device in proof::devices() {
        for parts in [1, 2] {
            let (one, large) = (trained(&device, Precision::F32, 1.0, parts), trained(&device, Precision::F32, 1024.0, parts));
            assert!(one.0 == large.0 && one.1 == large.1, "{parts} parts on {}", device.name());
            // Four steps, doubled after two and after four.
            assert_eq!((one.2, large.2), (vec![4.0, 0.0, 0.0], vec![4096.0, 0.0, 0.0]));
        }
    }
}

#[test]
fn mixed_training_is_the_same_bits_again_and_near_that_of_f32() {
    for device in proof::devices() {
        let mixed = trained(&device, Precision::Mixed, 1024.0, 1);
        assert!(mixed == trained(&device, Precision::Mixed, 1024.0, 1), "two runs differ on {}", device.name());
        let f32s = trained(&device, Precision::F32, 1024.0, 1);
        for (mixed, f32) in mixed.0.iter().zip(&f32s.0) {
            assert!(mixed != f32 && (mixed - f32).abs() < 0.02 * f32, "{mixed} and {f32} on {}", device.name());
        }
    }
}

#[test]
fn a_mixed_step_without_a_recording_is_the_recorded_one() {
    for device in proof::devices() {
        let net = net(&device);
        let sgd = sgd(&net, 1024.0);
        for s in 0..4 {
            let (x, labels) = batch(s);
            let x = Tensor::from_slice(&device, options().shape(), &x);
            let labels = Tensor::from_slice(&device, [BATCH], &labels);
            let tape = Tape::pass(&device).precision(Precision::Mixed).seed(9).step(s as u32).tape();
            let loss = net.forward(&tape.input(&x)).cross_entropy(&labels, 0.0);
            sgd.step(&sgd.scaled(&loss).backward());
        }
        assert!(values(&net) == trained(&device, Precision::Mixed, 1024.0, 1).1, "{}", device.name());
    }
}

#[test]
fn activations_that_are_computed_again_are_of_the_same_precision() {
    let device = Device::Cpu;
    let run = |segments: usize| {
        let net = net(&device).checkpoint_activations(segments);
        let sgd = sgd(&net, 1024.0);
        let step = TrainStep::captured(&net, &sgd, &options().precision(Precision::Mixed)).unwrap();
        let (x, labels) = batch(1);
        step.run_on(&x, &labels).unwrap();
        values(&net)
    };
    assert!(run(1) == run(3));
}

/// What an optimiser holds but for its scale and its count, and what the network learns.
fn held(net: &Net, sgd: &Sgd) -> Vec<(String, Vec<u32>)> {
    let learned = parameters(net).into_iter().filter(|(_, param)| param.is_learned()).map(|(key, param)| (key, param.value()));
    let kept = sgd.state().into_iter().filter(|(key, _)| key != "step" && key != "loss_scale");
    let bits = |tensor: Tensor| tensor.to_vec().unwrap().iter().map(|v| v.to_bits()).collect();
    learned.chain(kept).map(|(key, tensor)| (key, bits(tensor))).collect()
}

#[test]
fn a_step_whose_gradients_are_not_finite_leaves_everything_as_it_was() {
    for device in proof::devices() {
        let net = net(&device);
        let sgd = sgd(&net, 4.0);
        let step = TrainStep::captured(&net, &sgd, &options().precision(Precision::Mixed)).unwrap();
        let (x, labels) = batch(0);
        // Beyond the range of f16: a product of it is infinite, and its gradient no number.
        let mut far = x.clone();
        far[7] = 1e6;
        step.run_on(&x, &labels).unwrap();
        let before = held(&net, &sgd);
        for scale in [2.0, 1.0] {
            step.run_on(&far, &labels).unwrap();
            assert!(held(&net, &sgd) == before, "{}", device.name());
            assert_eq!(sgd.loss_scale().unwrap().to_vec().unwrap()[..2], [scale, 0.0]);
        }
        assert_eq!((sgd.steps(), sgd.loss_scale().unwrap().to_vec().unwrap()[2]), (3, 2.0));
        // A batch norm has seen the batch, as in PyTorch: whoever goes on begins with other statistics.
        step.run_on(&far, &labels).unwrap();
        assert!(held(&net, &sgd) != before, "at 1 it is not the scale's doing");
    }
}

#[test]
fn what_norms_and_functions_make_of_an_image_is_held_in_f16_and_shown_in_f32() {
    for device in proof::devices() {
        let tape = Tape::pass(&device).precision(Precision::Mixed).tape();
        let [x, w] = [[2, 3, 6, 6], [4, 3, 3, 3]].map(|shape| tape.variable(&proof::tensor(&device, shape, 1)));
        let image = x.conv2d(&w, None, Conv2dGeometry { padding: 1.into(), ..Default::default() });
        let [one, zero] = [1.0, 0.0].map(|v| Tensor::full(&device, [4], v));
        let [gamma, beta] = [&one, &zero].map(|t| tape.variable(t));
        let normed = image.batch_norm(&gamma, &beta, &zero, &one, 0.1, 1e-5);
        let beside = normed.batch_norm_relu(Some(&image), &gamma, &beta, &zero, &one, 0.1, 1e-5);
        let held =
            [&image, &normed, &beside, &beside.gelu(), &normed.max_pool2d(Pool2dGeometry::new([2, 2])), &normed.reshape([2, 144])];
        for var in held {
            assert_eq!((var.stored().dtype(), var.value().dtype()), (DType::F16, DType::F32), "{var:?} on {}", device.name());
        }
        let sum = beside.add(&image);
        assert_eq!(sum.stored().dtype(), DType::F32);
        // The gradients flow through all of it.
        let gradients = sum.gelu().sum().backward();
        assert!(gradients.of(&w).unwrap().to_vec().unwrap().iter().any(|g| *g != 0.0));
    }
}

#[test]
fn activations_in_f16_take_half_the_memory() {
    let net = zoo::build("resnet20", &Init::seeded(&Device::Cpu, 1), [3, 32, 32].into(), 10).unwrap();
    let sgd = Sgd::new(&net, 0.1);
    let bytes = |precision| {
        let options = StepOptions::new(64, [3, 32, 32]).precision(precision);
        TrainStep::captured(&net, &sgd, &options).unwrap().plan().step_bytes as f64
    };
    let ratio = bytes(Precision::Mixed) / bytes(Precision::F32);
    assert!(ratio < 0.7, "{ratio} of the memory");
}

use crate::*;
use gpu_core::{Device, Shape, Tensor};

fn built(layer: impl Layer, device: &Device, input: &[usize]) -> Net {
    layer.build(&Init::seeded(device, 0), Shape::new(&input[1..])).unwrap()
}

// The keys of torch's state dicts, but for `num_batches_tracked`, which no layer here keeps.
#[test]
fn parameters_are_called_as_in_pytorch() {
    let both = ["weight", "bias"];
    let running = ["running_mean", "running_var"];
    let all = [both, running].concat();
    let (maps, lines): (&[usize], &[usize]) = (&[1, 4, 2, 2], &[1, 4, 2]);
    let table: [(AnyLayer, &[usize], &[&str]); 15] = [
        (AnyLayer::new(BatchNorm1d::new()), lines, &all),
        (AnyLayer::new(BatchNorm2d::new()), maps, &all),
        (AnyLayer::new(BatchNorm2d::new().no_affine()), maps, &running),
        (AnyLayer::new(BatchNorm2d::new().untracked()), maps, &both),
        (AnyLayer::new(BatchNorm2d::new().no_affine().untracked()), maps, &[]),
        (AnyLayer::new(DemeanNorm::new()), maps, &all[..3]),
        (AnyLayer::new(DemeanNorm::new().no_affine()), maps, &["running_mean"]),
        (AnyLayer::new(LayerNorm::new()), lines, &both),
        (AnyLayer::new(LayerNorm::new().no_bias()), lines, &["weight"]),
        (AnyLayer::new(LayerNorm::new().no_affine()), lines, &[]),
        (AnyLayer::new(RmsNorm::new()), lines, &["weight"]),
        (AnyLayer::new(GroupNorm::new(2)), maps, &both),
        (AnyLayer::new(InstanceNorm1d::new()), lines, &[]),
        (AnyLayer::new(InstanceNorm2d::new().affine()), maps, &both),
        (AnyLayer::new(InstanceNorm2d::new().affine().tracked()), maps, &all),
    ];
    for (layer, input, want) in table {
        let net = built(layer, &Device::Cpu, input);
        let keys: Vec<String> = parameters(&net).into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, *want, "{}", net.describe());
    }
}

/// Each built for the first of the inputs that fit.
#[test]
fn a_layer_says_which_shapes_fit() {
    let table: [(AnyLayer, &[&[usize]], &[&[usize]]); 7] = [
        (AnyLayer::new(BatchNorm1d::new()), &[&[2, 4], &[2, 4, 7]], &[&[4], &[2, 3], &[2, 4, 5, 5]]),
        (AnyLayer::new(BatchNorm2d::new()), &[&[2, 4], &[2, 4, 7, 7]], &[&[2, 3, 7, 7], &[2, 4, 1, 1, 1]]),
        (AnyLayer::new(DemeanNorm::new()), &[&[2, 4], &[2, 4, 7, 7]], &[&[4], &[2, 3, 7, 7]]),
        (AnyLayer::new(LayerNorm::new().axes(2)), &[&[1, 4, 2], &[3, 5, 4, 2]], &[&[4, 2], &[1, 2, 4]]),
        (AnyLayer::new(RmsNorm::new().axes(1)), &[&[1, 4]], &[&[4], &[2, 3]]),
        (AnyLayer::new(GroupNorm::new(2)), &[&[1, 4], &[2, 4, 3, 3]], &[&[4], &[2, 3, 4]]),
        (AnyLayer::new(InstanceNorm2d::new()), &[&[2, 4, 3, 3]], &[&[2, 4, 3], &[2, 3, 4, 4]]),
    ];
    for (layer, fit, do_not) in table {
        let net = built(layer, &Device::Cpu, fit[0]);
        for shape in fit.iter().map(|dims| Shape::new(dims)) {
            let y = net.forward(&Var::constant(&Tensor::zeros(&Device::Cpu, shape)));
            assert_eq!((net.out_shape(shape), y.shape()), (Ok(shape), shape), "{}", net.describe());
        }
        for shape in do_not.iter().map(|dims| Shape::new(dims)) {
            let error = net.out_shape(shape).unwrap_err().to_string();
            assert!(error.contains(&shape.to_string()), "{}: {error}", net.describe());
        }
    }
}

fn hold(got: &Tensor, want: &[f32]) {
    let difference = proof::difference(&got.to_vec().unwrap(), want, proof::Bound::Relative(1e-5));
    assert!(got.len() == want.len() && difference.ok(), "{got:?}: {difference:?}");
}

// m = torch.nn.InstanceNorm2d(3, affine=True, track_running_stats=True, momentum=.5); x = torch.arange(24.).view(2, 3, 2, 2)**1.5
// m(x); m.eval(); m(x)[0, 1]
#[test]
fn instance_norm_keeps_what_pytorch_keeps() {
    for device in proof::devices() {
        let norm = built(InstanceNorm2d::new().affine().tracked().momentum(0.5), &device, &[2, 3, 2, 2]);
        let x: Vec<f32> = (0..24).map(|v| (v as f32).powf(1.5)).collect();
        let x = Tensor::from_slice(&device, [2, 3, 2, 2], &x);
        norm.forward(&Tape::new(&device).input(&x));
        let kept = parameters(&norm);
        hold(&kept[2].1.value(), &[12.9965, 21.6048, 32.3064]);
        hold(&kept[3].1.value(), &[14.4511, 22.0351, 29.5452]);
        let y = norm.forward(&Var::constant(&x)).value().to_vec().unwrap();
        for (y, want) in y[4..8].iter().zip([-2.8982, -2.2207, -1.4716, -0.6571]) {
            assert!((y - want).abs() < 1e-4, "{y} is not {want}");
        }
    }
}

/// Evaluation needs no variance of its own, and what training would do, PyTorch refuses as well.
#[test]
fn one_value_a_channel_is_for_evaluation_alone() {
    let table: [(AnyLayer, &[usize], &str); 3] = [
        (
            AnyLayer::new(InstanceNorm2d::new().affine().tracked()),
            &[3, 4, 1, 1],
            "instance_norm_tracked: x [3, 4, 1, 1] has one value",
        ),
        (AnyLayer::new(InstanceNorm1d::new().tracked()), &[3, 4, 1], "instance_norm_tracked: x [3, 4, 1] has one value"),
        (AnyLayer::new(BatchNorm2d::new()), &[1, 4, 1, 1], "batch_norm: x [1, 4, 1, 1] has one value a channel"),
    ];
    for device in proof::devices() {
        for (layer, shape, told) in &table {
            let norm = built(layer.clone(), &device, shape);
            let x = proof::tensor(&device, Shape::new(shape), 1);
            let state = || parameters(&norm).iter().map(|(_, p)| p.value().to_vec().unwrap()).collect::<Vec<_>>();
            let before = state();
            let train = || norm.forward(&Tape::new(&device).input(&x));
            let Err(panic) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(train)) else {
                panic!("{told}: it was trained")
            };
            assert!(panic.downcast_ref::<String>().unwrap().starts_with(told), "{told}");
            assert!(state() == before, "{told}: the running statistics moved");
            // The running mean is 0, the variance 1.
            let y = norm.forward(&Var::constant(&x)).value().to_vec().unwrap();
            assert!(y.iter().zip(x.to_vec().unwrap()).all(|(y, x)| (y - x).abs() < 1e-4), "{told}");
        }
    }
}

#[test]
fn an_untracked_batch_norm_evaluates_by_its_own_batch() {
    for device in proof::devices() {
        let norm = built(BatchNorm1d::new().untracked(), &device, &[5, 2, 3]);
        let x = proof::tensor(&device, [5, 2, 3], 1);
        let [training, evaluation] =
            [Tape::new(&device).input(&x), Var::constant(&x)].map(|x| norm.forward(&x).value().to_vec().unwrap());
        assert_eq!(training, evaluation);
    }
}

#[test]
fn a_norm_without_an_affine_is_one_of_ones_and_zeros() {
    let x = Var::constant(&proof::tensor(&Device::Cpu, [3, 4, 2, 2], 1));
    let pairs: [[AnyLayer; 2]; 5] = [
        [AnyLayer::new(BatchNorm2d::new()), AnyLayer::new(BatchNorm2d::new().no_affine())],
        [AnyLayer::new(DemeanNorm::new()), AnyLayer::new(DemeanNorm::new().no_affine())],
        [AnyLayer::new(GroupNorm::new(2)), AnyLayer::new(GroupNorm::new(2).no_affine())],
        [AnyLayer::new(LayerNorm::new()), AnyLayer::new(LayerNorm::new().no_affine())],
        [AnyLayer::new(InstanceNorm2d::new().affine()), AnyLayer::new(InstanceNorm2d::new())],
    ];
    for pair in pairs {
        let [with, without] = pair.map(|layer| built(layer, &Device::Cpu, &[3, 4, 2, 2]).forward(&x).value().to_vec().unwrap());
        assert_eq!(with, without);
    }
}

// Every norm in one network, recorded and replayed: the loss falls, and no parameter stays as it was. (A bias before a norm would.)
#[test]
fn a_network_of_norms_learns() {
    for device in proof::devices() {
        let net = seq![
            Conv2d::new(4, 3).padding(1).no_bias(),
            DemeanNorm::new(),
            GroupNorm::new(2),
            Conv2d::new(4, 3).padding(1).no_bias(),
            InstanceNorm2d::new().affine().tracked(),
            Relu,
            LayerNorm::new(),
            Flatten,
            RmsNorm::new(),
            Linear::new(8).no_bias(),
            BatchNorm1d::new(),
            Linear::new(2)
        ];
        let net = built(net, &device, &[8, 1, 4, 4]);
        let sgd = Sgd::new(&net, 0.05).momentum(0.9);
        let before: Vec<Vec<f32>> = parameters(&net).iter().map(|(_, p)| p.value().to_vec().unwrap()).collect();
        let step = TrainStep::captured(&net, &sgd, &StepOptions::new(8, [1, 4, 4])).unwrap();
        let (images, labels) = (proof::values(8 * 16, 1), [0, 1, 0, 1, 1, 0, 0, 1]);
        for _ in 0..20 {
            step.run_on(&images, &labels).unwrap();
        }
        assert!(step.loss().unwrap() < 0.1, "{}", step.loss().unwrap());
        for ((key, p), before) in parameters(&net).iter().zip(&before) {
            assert_ne!(&p.value().to_vec().unwrap(), before, "{key} on {}", device.name());
        }
    }
}

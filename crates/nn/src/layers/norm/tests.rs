use crate::*;
use gpu_core::{Device, Shape, Tensor, check};

fn cx(device: &Device) -> Init {
    Init::seeded(device, 0)
}

// The keys of torch's state dicts, but for `num_batches_tracked`, which no layer here keeps.
#[test]
fn parameters_are_called_as_in_pytorch() {
    let cx = &cx(&Device::Cpu);
    let both = ["weight", "bias"];
    let running = ["running_mean", "running_var"];
    let all = [both, running].concat();
    let table: [(Box<dyn Module>, &[&str]); 15] = [
        (Box::new(BatchNorm1d::new(cx, 4)), &all),
        (Box::new(BatchNorm2d::new(cx, 4)), &all),
        (Box::new(BatchNorm2d::new(cx, 4).no_affine()), &running),
        (Box::new(BatchNorm2d::new(cx, 4).untracked()), &both),
        (Box::new(BatchNorm2d::new(cx, 4).no_affine().untracked()), &[]),
        (Box::new(DemeanNorm::new(cx, 4)), &all[..3]),
        (Box::new(DemeanNorm::new(cx, 4).no_affine()), &["running_mean"]),
        (Box::new(LayerNorm::new(cx, [4, 2])), &both),
        (Box::new(LayerNorm::new(cx, [4]).no_bias()), &["weight"]),
        (Box::new(LayerNorm::new(cx, [4]).no_affine()), &[]),
        (Box::new(RmsNorm::new(cx, [4])), &["weight"]),
        (Box::new(GroupNorm::new(cx, 2, 4)), &both),
        (Box::new(InstanceNorm1d::new(cx, 4)), &[]),
        (Box::new(InstanceNorm2d::new(cx, 4).affine(cx)), &both),
        (Box::new(InstanceNorm2d::new(cx, 4).affine(cx).tracked(cx)), &all),
    ];
    for (layer, want) in &table {
        let keys: Vec<String> = parameters(&**layer).into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, *want, "{}", layer.describe());
    }
}

#[test]
fn a_layer_says_which_shapes_fit() {
    let cx = &cx(&Device::Cpu);
    let table: [(Box<dyn Module>, &[&[usize]], &[&[usize]]); 7] = [
        (Box::new(BatchNorm1d::new(cx, 4)), &[&[2, 4], &[2, 4, 7]], &[&[4], &[2, 3], &[2, 4, 5, 5]]),
        (Box::new(BatchNorm2d::new(cx, 4)), &[&[2, 4], &[2, 4, 7, 7]], &[&[2, 3, 7, 7], &[2, 4, 1, 1, 1]]),
        (Box::new(DemeanNorm::new(cx, 4)), &[&[2, 4], &[2, 4, 7, 7]], &[&[4], &[2, 3, 7, 7]]),
        (Box::new(LayerNorm::new(cx, [4, 2])), &[&[1, 4, 2], &[3, 5, 4, 2]], &[&[4, 2], &[1, 2, 4]]),
        (Box::new(RmsNorm::new(cx, [4])), &[&[1, 4]], &[&[4], &[2, 3]]),
        (Box::new(GroupNorm::new(cx, 2, 4)), &[&[1, 4], &[2, 4, 3, 3]], &[&[4], &[2, 3, 4]]),
        (Box::new(InstanceNorm2d::new(cx, 4)), &[&[2, 4, 3, 3]], &[&[2, 4, 3], &[2, 3, 4, 4]]),
    ];
    for (layer, fit, do_not) in &table {
        for shape in fit.iter().map(|dims| Shape::new(dims)) {
            let y = layer.forward(&Var::constant(&Tensor::zeros(&Device::Cpu, shape)));
            assert_eq!((layer.out_shape(shape), y.shape()), (Ok(shape), shape), "{}", layer.describe());
        }
        for shape in do_not.iter().map(|dims| Shape::new(dims)) {
            let error = layer.out_shape(shape).unwrap_err().to_string();
            assert!(error.contains(&shape.to_string()), "{}: {error}", layer.describe());
        }
    }
}

fn hold(got: &Tensor, want: &[f32]) {
    let difference = check::difference(&got.to_vec().unwrap(), want, check::Bound::Relative(1e-5));
    assert!(got.len() == want.len() && difference.ok(), "{got:?}: {difference:?}");
}

// m = torch.nn.InstanceNorm2d(3, affine=True, track_running_stats=True, momentum=.5); x = torch.arange(24.).view(2, 3, 2, 2)**1.5
// m(x); m.eval(); m(x)[0, 1]
#[test]
fn instance_norm_keeps_what_pytorch_keeps() {
    for device in check::devices() {
        let cx = &cx(&device);
        let norm = InstanceNorm2d::new(cx, 3).affine(cx).tracked(cx).momentum(0.5);
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

#[test]
fn an_untracked_batch_norm_evaluates_by_its_own_batch() {
    for device in check::devices() {
        let norm = BatchNorm1d::new(&cx(&device), 2).untracked();
        let x = check::tensor(&device, [5, 2, 3], 1);
        let [training, evaluation] =
            [Tape::new(&device).input(&x), Var::constant(&x)].map(|x| norm.forward(&x).value().to_vec().unwrap());
        assert_eq!(training, evaluation);
    }
}

#[test]
fn a_norm_without_an_affine_is_one_of_ones_and_zeros() {
    let cx = &cx(&Device::Cpu);
    let x = Var::constant(&check::tensor(&Device::Cpu, [3, 4, 2, 2], 1));
    let pairs: [[Box<dyn Module>; 2]; 5] = [
        [Box::new(BatchNorm2d::new(cx, 4)), Box::new(BatchNorm2d::new(cx, 4).no_affine())],
        [Box::new(DemeanNorm::new(cx, 4)), Box::new(DemeanNorm::new(cx, 4).no_affine())],
        [Box::new(GroupNorm::new(cx, 2, 4)), Box::new(GroupNorm::new(cx, 2, 4).no_affine())],
        [Box::new(LayerNorm::new(cx, [4, 2, 2])), Box::new(LayerNorm::new(cx, [4, 2, 2]).no_affine())],
        [Box::new(InstanceNorm2d::new(cx, 4).affine(cx)), Box::new(InstanceNorm2d::new(cx, 4))],
    ];
    for pair in pairs {
        let [with, without] = pair.map(|layer| layer.forward(&x).value().to_vec().unwrap());
        assert_eq!(with, without);
    }
}

// Every norm in one network, recorded and replayed: the loss falls, and no parameter stays as it was. (A bias before a norm would.)
#[test]
fn a_network_of_norms_learns() {
    for device in check::devices() {
        let cx = &cx(&device);
        let net = seq![
            Conv2d::new(cx, 1, 4, 3).padding(1).no_bias(),
            DemeanNorm::new(cx, 4),
            GroupNorm::new(cx, 2, 4),
            Conv2d::new(cx, 4, 4, 3).padding(1).no_bias(),
            InstanceNorm2d::new(cx, 4).affine(cx).tracked(cx),
            Relu,
            LayerNorm::new(cx, [4, 4, 4]),
            Flatten,
            RmsNorm::new(cx, [64]),
            Linear::new(cx, 64, 8).no_bias(),
            BatchNorm1d::new(cx, 8),
            Linear::new(cx, 8, 2)
        ];
        let sgd = Sgd::new(&net, 0.05).momentum(0.9);
        let before: Vec<Vec<f32>> = parameters(&net).iter().map(|(_, p)| p.value().to_vec().unwrap()).collect();
        let step = TrainStep::captured(&net, &sgd, &StepOptions::new(8, [1, 4, 4])).unwrap();
        let (images, labels) = (check::values(8 * 16, 1), [0, 1, 0, 1, 1, 0, 0, 1]);
        for _ in 0..20 {
            step.run_on(&images, &labels).unwrap();
        }
        assert!(step.loss().unwrap() < 0.1, "{}", step.loss().unwrap());
        for ((key, p), before) in parameters(&net).iter().zip(&before) {
            assert_ne!(&p.value().to_vec().unwrap(), before, "{key} on {}", device.name());
        }
    }
}

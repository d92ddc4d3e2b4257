//! Layers that change shapes: what they promise, what they do, and what they call their weights.

use super::*;
use crate::init::Init;
use crate::module::{Module, parameters};
use crate::seq;
use crate::tape::Tape;
use crate::var::Var;
use gpu_core::ops::Divisor;
use gpu_core::{Device, Shape, check};

/// Layers with an input, the shape that PyTorch's layer of that name gives for it, and how they describe themselves.
fn layers(cx: &Init) -> Vec<(Box<dyn Module>, &'static [usize], &'static [usize], &'static str)> {
    let transposed = || ConvTranspose2d::new(cx, 4, 6, (3, 2)).stride((2, 3)).padding(1).output_padding((1, 0)).dilation((1, 2));
    vec![
        (Box::new(Conv1d::new(cx, 4, 6, 5).stride(2).padding(2)), &[2, 4, 17], &[2, 6, 9], "Conv1d 5 4>6, stride 2, pad 2"),
        (
            Box::new(Conv1d::new(cx, 4, 6, 4).dilation(3).same_padding()),
            &[2, 4, 17],
            &[2, 6, 17],
            "Conv1d 4 4>6, pad 4,5, dilation 3",
        ),
        (Box::new(Conv2d::new(cx, 4, 6, 3).padding([0, 1, 2, 3])), &[2, 4, 8, 9], &[2, 6, 7, 12], "Conv2d 3x3 4>6, pad 0,1,2,3"),
        (Box::new(Conv2d::new(cx, 4, 6, (3, 1)).groups(2)), &[2, 4, 8, 9], &[2, 6, 6, 9], "Conv2d 3x1 4>6, groups 2"),
        (
            Box::new(ConvTranspose1d::new(cx, 4, 6, 4).stride(2).padding(1)),
            &[2, 4, 8],
            &[2, 6, 16],
            "ConvTranspose1d 4 4>6, stride 2, pad 1",
        ),
        (
            Box::new(transposed().groups(2).no_bias()),
            &[2, 4, 5, 4],
            &[2, 6, 10, 10],
            "ConvTranspose2d 3x2 4>6, stride 2x3, pad 1, output pad 1x0, dilation 1x2, groups 2",
        ),
        (Box::new(MaxPool1d::new(3).stride(2).padding(1)), &[2, 4, 9], &[2, 4, 5], "MaxPool1d 3, stride 2, pad 1"),
        (Box::new(MaxPool2d::new(3).dilation(2).ceil_mode(true)), &[2, 4, 10, 9], &[2, 4, 3, 3], "MaxPool2d 3x3, dilation 2, ceil"),
        (Box::new(AvgPool1d::new(2)), &[2, 4, 9], &[2, 4, 4], "AvgPool1d 2"),
        (
            Box::new(AvgPool2d::new(3).stride(2).padding(1).ceil_mode(true).divisor(Divisor::Inside)),
            &[2, 4, 8, 9],
            &[2, 4, 5, 5],
            "AvgPool2d 3x3, stride 2, pad 1, ceil",
        ),
        (Box::new(AdaptiveAvgPool2d::new((3, 2))), &[2, 4, 7, 9], &[2, 4, 3, 2], "AdaptiveAvgPool2d 3x2"),
        (Box::new(AdaptiveMaxPool2d::new(7)), &[2, 4, 5, 9], &[2, 4, 7, 7], "AdaptiveMaxPool2d 7x7"),
        (Box::new(GlobalAvgPool), &[2, 4, 7, 9], &[2, 4, 1, 1], "GlobalAvgPool"),
        (Box::new(GlobalMaxPool), &[2, 4, 7, 9], &[2, 4, 1, 1], "GlobalMaxPool"),
        (Box::new(Upsample::by(2.5)), &[2, 4, 3, 5], &[2, 4, 7, 12], "Upsample by 2.5, nearest"),
        (Box::new(Upsample::to((4, 9)).bilinear(true)), &[2, 4, 3, 5], &[2, 4, 4, 9], "Upsample to 4x9, bilinear, aligned"),
        (Box::new(PixelShuffle::new(2)), &[2, 8, 3, 5], &[2, 2, 6, 10], "PixelShuffle 2"),
        (Box::new(PixelUnshuffle::new(2)), &[2, 2, 6, 10], &[2, 8, 3, 5], "PixelUnshuffle 2"),
    ]
}

#[test]
fn a_layer_gives_the_shape_that_it_promises_on_every_device() {
    for device in check::devices() {
        for (layer, input, want, description) in layers(&Init::seeded(&device, 1)) {
            let y = layer.forward(&Var::constant(&check::tensor(&device, input, 1)));
            assert_eq!(y.shape(), Shape::new(want), "{description}");
            assert_eq!(layer.out_shape(Shape::new(input)), Ok(Shape::new(want)), "{description}");
            assert_eq!(layer.describe(), description);
        }
    }
}

#[test]
fn a_layer_refuses_another_rank_without_computing_anything() {
    for (layer, _, _, description) in layers(&Init::seeded(&Device::Cpu, 1)) {
        let error = layer.out_shape(Shape::from([2, 4])).expect_err(description);
        assert!(error.to_string().contains("[2, 4]"), "{description}: {error}");
    }
}

/// As `torch.nn.Conv1d(4, 6, 5, groups=2).state_dict()` and its likes have them.
#[test]
fn weights_have_the_names_and_shapes_of_pytorch() {
    let cx = Init::seeded(&Device::Cpu, 1);
    let rows: [(Box<dyn Module>, &[&[usize]]); 4] = [
        (Box::new(Conv1d::new(&cx, 4, 6, 5).groups(2)), &[&[6, 2, 5], &[6]]),
        (Box::new(Conv2d::new(&cx, 4, 6, (5, 3)).no_bias()), &[&[6, 4, 5, 3]]),
        (Box::new(ConvTranspose1d::new(&cx, 4, 6, 5).groups(2)), &[&[4, 3, 5], &[6]]),
        (Box::new(ConvTranspose2d::new(&cx, 4, 6, 3).no_bias().groups(2)), &[&[4, 3, 3, 3]]),
    ];
    for (layer, want) in rows {
        let mut found = Vec::new();
        layer.visit("at", &mut |key, param| found.push((key.to_owned(), param.shape())));
        let keys = ["at.weight", "at.bias"].map(str::to_owned);
        let want: Vec<_> = keys.into_iter().zip(want.iter().map(|dims| Shape::new(dims))).collect();
        assert_eq!(found, want, "{}", layer.describe());
    }
}

#[test]
#[should_panic(expected = "Conv1d: 3 groups do not divide 4 and 6 channels")]
fn groups_that_do_not_divide_are_refused() {
    let _ = Conv1d::new(&Init::seeded(&Device::Cpu, 1), 4, 6, 5).groups(3);
}

/// A batch norm in the middle and one at a block's end, each with its ReLU, and a ReLU that follows nothing that could do its work.
fn with_relus(cx: &Init) -> Sequential {
    let convolution = |channels| Conv2d::new(cx, channels, 4, 3).padding(1).no_bias();
    let body = seq![convolution(4), BatchNorm2d::new(cx, 4)];
    let shortcut = seq![convolution(4), BatchNorm2d::new(cx, 4)];
    let projected = Residual::new(seq![convolution(4), BatchNorm2d::new(cx, 4)]).shortcut(shortcut);
    seq![convolution(2), BatchNorm2d::new(cx, 4), Relu, Residual::new(body), Relu, projected, Relu, MaxPool2d::new(2), Relu]
}

#[test]
fn a_relu_in_the_layer_before_it_changes_no_value_and_no_gradient() {
    for device in check::devices() {
        let (device, launches) = check::counted(&device);
        let net = with_relus(&Init::seeded(&device, 3));
        let x = check::tensor(&device, [3, 2, 8, 6], 1);
        let run = |forward: &dyn Fn(&Var) -> Var| {
            let tape = Tape::new(&device);
            let (x, mut values) = (tape.variable(&x), Vec::new());
            launches.take();
            let y = forward(&x);
            values.push(y.value().to_vec().unwrap());
            let gradients = y.mul(&y).sum().backward();
            let kernels = launches.names();
            values.push(gradients.of(&x).unwrap().to_vec().unwrap());
            for (_, param) in parameters(&net).iter().filter(|(_, p)| p.is_trainable()) {
                values.push(gradients.of(param).unwrap().to_vec().unwrap());
            }
            (values, kernels)
        };
        let (together, few) = run(&|x| net.forward(x));
        let (apart, many) = run(&|x| net.layers().iter().fold(x.clone(), |x, layer| layer.forward(&x)));
        for (got, want) in together.iter().zip(&apart) {
            let difference = check::difference(got, want, check::Bound::Relative(1e-4));
            assert!(difference.ok(), "{difference:?} on {}", device.name());
        }
        assert!(few.contains("batch_norm_add_bwd_partial") && !many.contains("batch_norm_add_bwd_partial"), "{few:?}");
        let eval = |x: &Var| net.layers().iter().fold(x.clone(), |x, layer| layer.forward(&x)).value().to_vec().unwrap();
        let x = Var::constant(&x);
        let difference = check::difference(&net.forward(&x).value().to_vec().unwrap(), &eval(&x), check::Bound::Relative(1e-5));
        assert!(difference.ok(), "{difference:?} on {}", device.name());
    }
}

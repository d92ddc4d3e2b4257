//! Layers that change shapes: what they promise, what they do, and what they call their weights.

use super::*;
use crate::autograd::{Tape, Var, parameters};
use crate::init::Init;
use crate::module::Module;
use crate::net::{Layer, Net};
use crate::seq;
use gpu_core::{Device, Shape};

/// Layers with an input, the shape that PyTorch's layer of that name gives for it, and how they describe themselves.
fn layers() -> Vec<(AnyLayer, &'static [usize], &'static [usize], &'static str)> {
    let transposed = || ConvTranspose2d::new(6, (3, 2)).stride((2, 3)).padding(1).output_padding((1, 0)).dilation((1, 2));
    let inside = || AvgPool2d::new(3).stride(2).padding(1).ceil_mode(true).count_include_pad(false);
    vec![
        (AnyLayer::new(Conv1d::new(6, 5).stride(2).padding(2)), &[2, 4, 17], &[2, 6, 9], "Conv1d 5 4>6, stride 2, pad 2"),
        (
            AnyLayer::new(Conv1d::new(6, 4).dilation(3).padding(Edges::Same)),
            &[2, 4, 17],
            &[2, 6, 17],
            "Conv1d 4 4>6, pad 4,5, dilation 3",
        ),
        (AnyLayer::new(Conv2d::new(6, 3).padding([0, 1, 2, 3])), &[2, 4, 8, 9], &[2, 6, 7, 12], "Conv2d 3x3 4>6, pad 0,1,2,3"),
        (AnyLayer::new(Conv2d::new(6, (3, 1)).groups(2)), &[2, 4, 8, 9], &[2, 6, 6, 9], "Conv2d 3x1 4>6, groups 2"),
        (
            AnyLayer::new(ConvTranspose1d::new(6, 4).stride(2).padding(1)),
            &[2, 4, 8],
            &[2, 6, 16],
            "ConvTranspose1d 4 4>6, stride 2, pad 1",
        ),
        (
            AnyLayer::new(transposed().groups(2).no_bias()),
            &[2, 4, 5, 4],
            &[2, 6, 10, 10],
            "ConvTranspose2d 3x2 4>6, stride 2x3, pad 1, output pad 1x0, dilation 1x2, groups 2",
        ),
        (AnyLayer::new(MaxPool1d::new(3).stride(2).padding(1)), &[2, 4, 9], &[2, 4, 5], "MaxPool1d 3, stride 2, pad 1"),
        (
            AnyLayer::new(MaxPool2d::new(3).dilation(2).ceil_mode(true)),
            &[2, 4, 10, 9],
            &[2, 4, 3, 3],
            "MaxPool2d 3x3, dilation 2, ceil",
        ),
        (AnyLayer::new(AvgPool1d::new(2)), &[2, 4, 9], &[2, 4, 4], "AvgPool1d 2"),
        (AnyLayer::new(inside()), &[2, 4, 8, 9], &[2, 4, 5, 5], "AvgPool2d 3x3, stride 2, pad 1, ceil"),
        (AnyLayer::new(AdaptiveAvgPool2d::new((3, 2))), &[2, 4, 7, 9], &[2, 4, 3, 2], "AdaptiveAvgPool2d 3x2"),
        (AnyLayer::new(AdaptiveMaxPool2d::new(7)), &[2, 4, 5, 9], &[2, 4, 7, 7], "AdaptiveMaxPool2d 7x7"),
        (AnyLayer::new(GlobalAvgPool), &[2, 4, 7, 9], &[2, 4, 1, 1], "GlobalAvgPool"),
        (AnyLayer::new(GlobalMaxPool), &[2, 4, 7, 9], &[2, 4, 1, 1], "GlobalMaxPool"),
        (AnyLayer::new(Upsample::by(2.5)), &[2, 4, 3, 5], &[2, 4, 7, 12], "Upsample by 2.5, nearest"),
        (AnyLayer::new(Upsample::to((4, 9)).bilinear(true)), &[2, 4, 3, 5], &[2, 4, 4, 9], "Upsample to 4x9, bilinear, aligned"),
        (AnyLayer::new(PixelShuffle::new(2)), &[2, 8, 3, 5], &[2, 2, 6, 10], "PixelShuffle 2"),
        (AnyLayer::new(PixelUnshuffle::new(2)), &[2, 2, 6, 10], &[2, 8, 3, 5], "PixelUnshuffle 2"),
    ]
}

/// Whatever is said first: the zeros follow from the kernel and the dilation when the layer is planned.
#[test]
fn same_padding_is_for_stride_1_in_whatever_order_it_is_asked_for() {
    let (same, input) = (Edges::Same, Shape::from([1, 3, 8, 8]));
    let both = [Conv2d::new(6, 3).padding(same).dilation(2), Conv2d::new(6, 3).dilation(2).padding(same)];
    assert_eq!(both.map(|conv| conv.plan(input).unwrap().output()), [Shape::from([1, 6, 8, 8]); 2]);
    for conv in [Conv2d::new(6, 3).padding(same).stride((1, 2)), Conv2d::new(6, 3).stride((1, 2)).padding(same)] {
        let message = conv.plan(input).unwrap_err().message;
        assert_eq!(message, "`padding` is \"same\", which is for stride 1, and `stride` is 1x2; give numbers");
    }
    let line = Conv1d::new(6, 3).stride(2).padding(Edges::Same).plan([1, 3, 8].into()).unwrap_err().message;
    assert_eq!(line, "`padding` is \"same\", which is for stride 1, and `stride` is 2; give numbers");
}

fn built(layer: AnyLayer, device: &Device, input: &[usize]) -> Net {
    layer.build(&Init::seeded(device, 1), Shape::new(&input[1..])).unwrap()
}

#[test]
fn a_layer_gives_the_shape_that_it_promises_on_every_device() {
    for device in proof::devices() {
        for (layer, input, want, description) in layers() {
            let net = built(layer, &device, input);
            let y = net.forward(&Var::constant(&proof::tensor(&device, input, 1)));
            assert_eq!(y.shape(), Shape::new(want), "{description}");
            assert_eq!(net.out_shape(Shape::new(input)), Ok(Shape::new(want)), "{description}");
            assert_eq!(net.describe(), description);
        }
    }
}

#[test]
fn a_layer_refuses_another_rank_without_computing_anything() {
    for (layer, input, _, description) in layers() {
        for error in [layer.plan([2, 4].into()).err(), built(layer, &Device::Cpu, input).out_shape([2, 4].into()).err()] {
            let error = error.expect(description).to_string();
            assert!(error.contains("[2, 4]"), "{description}: {error}");
        }
    }
}

/// As `torch.nn.Conv1d(4, 6, 5, groups=2).state_dict()` and its likes have them.
#[test]
fn weights_have_the_names_and_shapes_of_pytorch() {
    let rows: [(AnyLayer, &[usize], &[&[usize]]); 4] = [
        (AnyLayer::new(Conv1d::new(6, 5).groups(2)), &[1, 4, 9], &[&[6, 2, 5], &[6]]),
        (AnyLayer::new(Conv2d::new(6, (5, 3)).no_bias()), &[1, 4, 9, 9], &[&[6, 4, 5, 3]]),
        (AnyLayer::new(ConvTranspose1d::new(6, 5).groups(2)), &[1, 4, 9], &[&[4, 3, 5], &[6]]),
        (AnyLayer::new(ConvTranspose2d::new(6, 3).no_bias().groups(2)), &[1, 4, 9, 9], &[&[4, 3, 3, 3]]),
    ];
    for (layer, input, want) in rows {
        let (net, mut found) = (built(layer, &Device::Cpu, input), Vec::new());
        crate::Parameters::visit(&net, "at", &mut |key, param| found.push((key.to_owned(), param.shape())));
        let keys = ["at.weight", "at.bias"].map(str::to_owned);
        let want: Vec<_> = keys.into_iter().zip(want.iter().map(|dims| Shape::new(dims))).collect();
        assert_eq!(found, want, "{}", net.describe());
    }
}

#[test]
fn groups_that_do_not_divide_are_refused() {
    let error = AnyLayer::new(Conv1d::new(6, 5).groups(3)).plan([1, 4, 9].into()).unwrap_err();
    assert_eq!(error.to_string(), "conv1d: 3 groups do not divide 4 input and 6 output channels");
}

/// A bias that is switched off does not move the random numbers of the layers behind.
#[test]
fn weights_do_not_depend_on_the_biases_before_them() {
    let last = |first: Linear| {
        let net = seq![first, Linear::new(2)].build(&Init::seeded(&Device::Cpu, 5), [3]).unwrap();
        net.children()[1].param("weight").value().to_vec().unwrap()
    };
    assert_eq!(last(Linear::new(4)), last(Linear::new(4).no_bias()));
}

/// A batch norm in the middle and one at a block's end, each with its ReLU, and a ReLU that follows nothing that could do its work.
fn with_relus(device: &Device) -> Net {
    let convolution = || Conv2d::new(4, 3).padding(1).no_bias();
    let block = || seq![convolution(), BatchNorm2d::new()];
    let projected = Residual::new(block()).shortcut(block());
    let net = seq![..block(), Relu, Residual::new(block()), Relu, projected, Relu, MaxPool2d::new(2), Relu];
    net.build(&Init::seeded(device, 3), [2, 8, 6]).unwrap()
}

#[test]
fn a_relu_in_the_layer_before_it_changes_no_value_and_no_gradient() {
    for device in proof::devices() {
        let (device, launches) = proof::counted(&device);
        let net = with_relus(&device);
        let x = proof::tensor(&device, [3, 2, 8, 6], 1);
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
        let (apart, many) = run(&|x| net.children().iter().fold(x.clone(), |x, layer| layer.forward(&x)));
        for (got, want) in together.iter().zip(&apart) {
            let difference = proof::difference(got, want, proof::Bound::Relative(1e-4));
            assert!(difference.ok(), "{difference:?} on {}", device.name());
        }
        assert!(few.contains("batch_norm_add_bwd_partial") && !many.contains("batch_norm_add_bwd_partial"), "{few:?}");
        let eval = |x: &Var| net.children().iter().fold(x.clone(), |x, layer| layer.forward(&x)).value().to_vec().unwrap();
        let x = Var::constant(&x);
        let difference = proof::difference(&net.forward(&x).value().to_vec().unwrap(), &eval(&x), proof::Bound::Relative(1e-5));
        assert!(difference.ok(), "{difference:?} on {}", device.name());
    }
}

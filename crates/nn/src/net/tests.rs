use crate::*;
use gpu_core::{Device, Shape};

fn cx() -> Init {
    Init::seeded(&Device::Cpu, 7)
}

fn keys(net: &Net) -> Vec<String> {
    parameters(net).into_iter().map(|(key, _)| key).collect()
}

fn values(net: &Net) -> Vec<Vec<f32>> {
    parameters(net).iter().map(|(_, p)| p.value().to_vec().unwrap()).collect()
}

/// A layer that the register does not know, with a layer inside.
#[derive(Debug, Clone)]
struct Gate {
    inside: Sequential,
}

impl Layer for Gate {
    fn plan(&self, input: Shape) -> Result<Plan, ShapeError> {
        let mut plan = Plan::new("Gate", input);
        let gate = plan.child("inside", self.inside.clone(), input)?;
        if gate != input {
            return Err(ShapeError::new(format!("the inside gives {gate} for {input}")));
        }
        Ok(plan.param("scale", [1], Fill::Constant(2.0)).buffer("seen", [1], Fill::Constant(0.0)))
    }
    fn forward(&self, x: &Var, p: &Params<'_>) -> Var {
        x.mul(&p.child("inside").forward(x).sigmoid()).mul(&p.var("scale"))
    }
}

fn gate(out: usize) -> Gate {
    Gate { inside: seq![Conv2d::new(out, 1), BatchNorm2d::new(), Relu] }
}

#[test]
fn a_layer_of_ones_own_stands_beside_the_others() {
    let net = seq![Conv2d::new(4, 3), gate(4), Flatten, Linear::new(2)].build(&cx(), [3, 6, 6]).unwrap();
    let inside = ["weight", "bias"].map(|name| format!("1.inside.0.{name}"));
    assert_eq!(keys(&net)[2..6], [["1.scale", "1.seen"].map(str::to_owned), inside].concat());
    let x = Tape::new(&Device::Cpu).variable(&proof::tensor(&Device::Cpu, [2, 3, 6, 6], 1));
    let gradients = net.forward(&x).sum().backward();
    for (key, param) in parameters(&net).into_iter().filter(|(_, p)| p.is_trainable()) {
        assert!(gradients.of(&param).is_some(), "{key}");
    }
    let summary = Summary::of(&net, [2, 3, 6, 6].into()).unwrap();
    let rows: Vec<&str> = summary.rows.iter().map(|row| row.path.as_str()).collect();
    assert_eq!(rows, ["0", "1.inside.0", "1.inside.1", "1.inside.2", "1", "2", "3"]);
    assert_eq!(summary.parameters, parameter_count(&net));
}

#[test]
fn a_layer_of_ones_own_names_itself_and_its_place() {
    let error = seq![Conv2d::new(4, 3), gate(5)].build(&cx(), [3, 6, 6]).unwrap_err();
    assert_eq!(error.to_string(), "layer 1 (Gate): the inside gives [1, 5, 4, 4] for [1, 4, 4, 4]");
    let inside = Gate { inside: seq![Relu, Dropout::new(2.0)] };
    let error = seq![seq![Relu, inside]].build(&cx(), [3, 6, 6]).unwrap_err();
    assert_eq!(error.to_string(), "layer 0.1.inside.1 (dropout): `p` is 2, not in 0 to 1");
    let text = Spec::new([3, 6, 6], seq![gate(3)]).to_json().unwrap_err().to_string();
    assert!(text.starts_with("a layer of type Gate has no name in layer lists; there are: conv1d, "), "{text}");
}

#[test]
fn layers_are_equal_if_their_types_and_fields_are() {
    let net = seq![Linear::new(3)].build(&cx(), [2]).unwrap();
    assert_eq!(AnyLayer::new(Linear::new(3)), AnyLayer::new(AnyLayer::new(Linear::new(3))));
    assert_eq!(AnyLayer::new(seq![Linear::new(3)]), AnyLayer::new(net));
    assert_ne!(AnyLayer::new(Linear::new(3)), AnyLayer::new(Linear::new(3).no_bias()));
    assert_ne!(AnyLayer::new(BatchNorm1d::new()), AnyLayer::new(BatchNorm2d::new()));
}

#[test]
fn an_input_is_checked_before_anything_is_made() {
    for (input, found) in [(&[][..], "[]"), (&[3, 0], "[3, 0]"), (&[1; 6], "[1, 1, 1, 1, 1, 1]"), (&[65_536], "[65536]")] {
        let error = Relu.build(&cx(), input).unwrap_err().to_string();
        assert!(error.starts_with(&format!("an input of shape {found}: ")), "{error}");
    }
    let large = seq![Linear::new(65_535)].build(&cx(), [65_535]).unwrap_err().to_string();
    assert_eq!(large, "layer 0 (linear): `weight` of shape [65535, 65535] is too large");
}

#[test]
fn a_new_head_leaves_the_rest_as_it_is() {
    let net = zoo::build("small-cnn", &cx(), [3, 8, 8].into(), 10).unwrap();
    let (before, last) = (net.clone(), net.children().len() - 1);
    let net = net.replace(last, seq![Linear::new(5), Relu, Linear::new(2)], &cx()).unwrap();
    assert_eq!(net.out_shape([4, 3, 8, 8].into()), Ok([4, 2].into()));
    assert_eq!(keys(&net)[keys(&net).len() - 2..], ["16.2.weight", "16.2.bias"]);
    let body = net.truncate(last);
    assert_eq!(values(&body), values(&before)[..values(&before).len() - 2]);
    assert_eq!(body.layer(), &AnyLayer::new(before.clone().truncate(last)));
    // What is shared is shared: a weight set in one is set in the other.
    body.children()[0].param("weight").set(&[0.5; 32 * 27]);
    assert_eq!(values(&before)[0], [0.5; 32 * 27]);
    let error = before.replace(0, MaxPool2d::new(8), &cx()).unwrap_err().to_string();
    assert!(error.starts_with("layer 1 (batch_norm): `weight` has shape [32], for [1, 3, 1, 1] "), "{error}");
}

#[test]
fn a_built_network_is_a_layer_with_its_weights() {
    let body = seq![Conv2d::new(4, 3), BatchNorm2d::new(), Relu].build(&cx(), [3, 6, 6]).unwrap();
    let net = seq![body.clone(), Flatten, Linear::new(2)].build(&cx(), [3, 6, 6]).unwrap();
    assert_eq!(keys(&net)[..2], ["0.0.weight", "0.0.bias"]);
    assert_eq!(values(&net)[..6], values(&body));
    assert_eq!(
        Spec::from_json(&Spec::new([3, 6, 6], seq![body.clone()]).to_json().unwrap()).unwrap().layers(),
        &seq![body.clone()]
    );
    let error = seq![Conv2d::new(2, 1), body].build(&cx(), [3, 6, 6]).unwrap_err().to_string();
    assert!(error.starts_with("layer 1.0 (conv2d): `weight` has shape [4, 3, 3, 3], for [1, 2, 6, 6] "), "{error}");
}

/// The batch norm inside does the sum and the ReLU behind it, in a layer that knows nothing of that.
#[test]
fn a_layer_of_ones_own_loses_no_fusion() {
    let inside = seq![Residual::new(seq![Conv2d::new(4, 1), BatchNorm2d::new()]), Relu];
    let (device, launches) = proof::counted(&Device::Cpu);
    let net = Gate { inside }.build(&Init::seeded(&device, 0), [4, 6, 6]).unwrap();
    let kernels = |forward: &dyn Fn(&Var) -> Var| {
        let x = Tape::new(&device).variable(&proof::tensor(&device, [2, 4, 6, 6], 1));
        let loss = forward(&x).sum();
        launches.take();
        loss.backward();
        launches.names()
    };
    let apart = kernels(&|x| net.children()[0].children().iter().fold(x.clone(), |x, layer| layer.forward(&x)));
    let fused = "batch_norm_add_bwd_partial";
    assert!(kernels(&|x| net.forward(x)).contains(fused) && !apart.contains(fused), "{apart:?}");
}

/// Fully convolutional: the extents of an image are no part of the weights.
#[test]
fn a_network_without_a_linear_layer_takes_images_of_any_size() {
    let net = seq![Conv2d::new(4, 3).padding(1), BatchNorm2d::new(), Relu, GlobalAvgPool].build(&cx(), [3, 8, 8]).unwrap();
    for size in [3, 8, 13] {
        let x = Var::constant(&proof::tensor(&Device::Cpu, [2, 3, size, size + 1], 1));
        assert_eq!(net.out_shape(x.shape()), Ok(net.forward(&x).shape()));
    }
}

#[test]
#[should_panic(expected = "linear: it has no parameter `gamma`")]
fn a_parameter_that_is_not_there_is_a_fault_of_the_program() {
    let _ = Linear::new(2).build(&cx(), [2]).unwrap().param("gamma");
}

#[test]
#[should_panic(expected = "truncate: Linear { input: None, out: 2, bias: true } is no list of layers")]
fn only_a_list_is_cut() {
    let _ = Linear::new(2).build(&cx(), [2]).unwrap().truncate(0);
}

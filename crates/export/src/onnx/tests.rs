//! What is written, read back: that every name leads somewhere, and every shape is the planned one.

use super::layers::ROOMS;
use super::proto::{self, Graph, Model, ValueInfo};
use super::{INPUT, IR_VERSION, OPSET, OUTPUT, Onnx};
use gpu_core::{Device, Shape};
use nn::{AnyLayer, BatchNorm2d, Init, Layer, Module, Net, Params, Plan, ShapeError, Spec, Var, parameters, seq, zoo};
use prost::Message;
use std::collections::{BTreeMap, BTreeSet};

fn cx() -> Init {
    Init::seeded(&Device::Cpu, 3)
}

fn example((input, layer): &(&[usize], &str)) -> Net {
    let spec = Spec::from_json(&format!("{{\"input\": {input:?}, \"layers\": [{layer}]}}"));
    spec.and_then(|spec| spec.build(&cx())).unwrap_or_else(|e| panic!("{layer}: {e}"))
}

/// A model of the zoo, or its example, by name.
fn networks() -> impl Iterator<Item = (String, Net)> {
    let of_zoo = zoo::NAMES.iter().map(|name| {
        let input: [usize; 3] = if *name == "lenet" { [1, 28, 28] } else { [3, 32, 32] };
        ((*name).to_owned(), zoo::build(name, &cx(), input.into(), 10).unwrap())
    });
    of_zoo.chain(AnyLayer::EXAMPLES.iter().map(|row| (row.1.to_owned(), example(row))))
}

fn graph(net: &Net) -> Graph {
    let bytes = Onnx::new(net).to_bytes().unwrap();
    Model::decode(&bytes[..]).unwrap().graph.unwrap()
}

fn extents(info: &ValueInfo) -> Vec<Option<i64>> {
    let tensor = info.of.as_ref().and_then(|of| of.tensor.as_ref()).unwrap();
    tensor.shape.as_ref().unwrap().dim.iter().map(|dim| dim.value).collect()
}

/// Of a batch of a shape: the first is free.
fn of(shape: Shape) -> Vec<Option<i64>> {
    std::iter::once(None).chain(shape.dims()[1..].iter().map(|&d| Some(d as i64))).collect()
}

/// What is wrong with a graph.
fn faults(graph: &Graph) -> Vec<String> {
    let (mut known, mut faults) = (BTreeSet::new(), Vec::new());
    let tensors = graph.initializer.iter().map(|tensor| &tensor.name);
    for name in tensors.chain(graph.input.iter().map(|info| &info.name)) {
        if !known.insert(name.as_str()) {
            faults.push(format!("two tensors are called {name}"));
        }
    }
    for node in &graph.node {
        let unknown = node.input.iter().filter(|input| !input.is_empty() && !known.contains(input.as_str()));
        faults.extend(unknown.map(|input| format!("{} takes {input}, which nothing before it gives", node.name)));
        for output in &node.output {
            if !known.insert(output) {
                faults.push(format!("{output} is given twice"));
            }
        }
    }
    let ends = graph.output.iter().chain(&graph.value_info).filter(|info| !known.contains(info.name.as_str()));
    faults.extend(ends.map(|info| format!("nothing gives {}", info.name)));
    let read: BTreeSet<&str> = graph.node.iter().flat_map(|node| &node.input).map(String::as_str).collect();
    let unread = graph.initializer.iter().filter(|tensor| !read.contains(tensor.name.as_str()));
    faults.extend(unread.map(|tensor| format!("nothing reads {}", tensor.name)));
    for tensor in &graph.initializer {
        let size = if tensor.data_type == proto::FLOAT { 4 } else { 8 };
        let bytes = tensor.raw_data.as_ref().map_or(0, Vec::len) as i64;
        if bytes != size * tensor.dims.iter().product::<i64>() {
            faults.push(format!("{} has {bytes} bytes for {:?}", tensor.name, tensor.dims));
        }
    }
    faults
}

#[test]
fn every_kind_of_layer_has_words() {
    let kinds: BTreeSet<&str> = AnyLayer::KINDS.iter().copied().collect();
    AnyLayer::EXAMPLES.iter().for_each(|row| drop(graph(&example(row))));
    let rows: Vec<&str> = ROOMS.iter().copied().flatten().map(|(kind, _)| *kind).collect();
    let once: BTreeSet<&str> = rows.iter().copied().collect();
    assert!(once.len() == rows.len() && once.is_subset(&kinds), "{rows:?}");
}

#[test]
fn every_name_leads_somewhere_and_every_shape_is_the_planned_one() {
    for (name, net) in networks() {
        let graph = graph(&net);
        assert_eq!(faults(&graph), Vec::<String>::new(), "{name}");
        let input = Shape::new(&[&[1], net.input().dims()].concat());
        let ends = [&graph.input, &graph.output].map(|ends| (ends.len(), ends[0].name.clone(), extents(&ends[0])));
        let output = net.out_shape(input).unwrap();
        assert_eq!(ends, [(1, INPUT.to_owned(), of(input)), (1, OUTPUT.to_owned(), of(output))], "{name}");
    }
}

#[test]
fn every_tensor_of_the_state_dict_stands_in_the_file_under_its_key() {
    for (name, net) in networks() {
        let graph = graph(&net);
        let tensors: BTreeMap<&str, &[u8]> =
            graph.initializer.iter().map(|tensor| (tensor.name.as_str(), tensor.raw_data.as_deref().unwrap())).collect();
        for (key, param) in parameters(&net) {
            let bytes: Vec<u8> = param.value().to_vec().unwrap().iter().flat_map(|v| v.to_le_bytes()).collect();
            assert!(tensors.get(key.as_str()) == Some(&&bytes[..]), "{name}: {key}");
        }
    }
}

/// The proof of the proof.
#[test]
fn a_planted_fault_of_a_graph_is_found() {
    let net = zoo::build("small-cnn", &cx(), [3, 32, 32].into(), 10).unwrap();
    let found = |plant: fn(&mut Graph)| {
        let mut graph = graph(&net);
        plant(&mut graph);
        faults(&graph).len()
    };
    assert_eq!(found(|_| {}), 0);
    let plants: [fn(&mut Graph); 6] = [
        |graph| graph.node[3].input[0] = "elsewhere".to_owned(),
        |graph| graph.node.swap(2, 3),
        |graph| graph.node[3].output[0] = graph.node[2].output[0].clone(),
        |graph| graph.output[0].name = "loggits".to_owned(),
        |graph| graph.initializer[0].dims[0] += 1,
        |graph| graph.initializer.push(proto::Tensor { name: "unread".to_owned(), ..graph.initializer[0].clone() }),
    ];
    plants.iter().enumerate().for_each(|(number, plant)| assert!(found(*plant) > 0, "{number}"));
}

#[test]
fn a_file_says_by_whom_and_in_which_words_it_was_written() {
    let net = zoo::build("lenet", &cx(), [1, 28, 28].into(), 10).unwrap();
    let onnx = Onnx::new(&net).name("lenet").normalise(&[0.5], &[0.25]).note("classes", "[]");
    let bytes = onnx.to_bytes().unwrap();
    assert_eq!(bytes, onnx.to_bytes().unwrap(), "the same bytes every time");
    // Field 1, a number: 8. Field 2, five bytes.
    assert_eq!(bytes[..9], *b"\x08\x08\x12\x05wgrad");
    let model = Model::decode(&bytes[..]).unwrap();
    assert_eq!((model.ir_version, model.opset_import[0].version), (IR_VERSION, OPSET));
    assert_eq!(model.metadata_props[0], proto::Entry { key: "classes".to_owned(), value: "[]".to_owned() });
    let graph = model.graph.unwrap();
    let first: Vec<&str> = graph.node.iter().take(3).map(|node| node.op_type.as_str()).collect();
    assert_eq!((graph.name.as_str(), first), ("lenet", vec!["Sub", "Div", "Conv"]));
}

/// A number that is 0 is written all the same, and comes back.
#[test]
fn an_attribute_of_zero_is_there() {
    let net = example(&(&[3, 4, 5], r#"{"type": "elu", "alpha": 0}"#));
    assert_eq!(graph(&net).node[0].attribute[0].f, Some(0.0));
}

#[test]
fn a_batch_norm_leaves_out_the_eps_that_onnx_has() {
    assert_eq!(AnyLayer::new(BatchNorm2d::new()), AnyLayer::new(BatchNorm2d::new().eps(1e-5)));
    let eps = |layer: BatchNorm2d| graph(&layer.build(&cx(), [3, 4, 5]).unwrap()).node[0].attribute[0].f;
    assert_eq!((eps(BatchNorm2d::new()), eps(BatchNorm2d::new().eps(0.5))), (Some(1e-5), Some(0.5)));
}

/// A network whose last layer an evaluation does not see, and one of nothing else.
#[test]
fn the_identity_has_an_output() {
    for layers in [r#"{"type": "relu"}, {"type": "dropout", "p": 0.5}"#, r#"{"type": "dropout", "p": 0.5}"#, ""] {
        let spec = Spec::from_json(&format!(r#"{{"input": [3, 4, 5], "layers": [{layers}]}}"#)).unwrap();
        let graph = graph(&spec.build(&cx()).unwrap());
        assert_eq!((faults(&graph), graph.node.len(), graph.output[0].name.as_str()), (vec![], 1, OUTPUT), "{layers}");
    }
}

#[test]
fn weights_that_no_file_holds_are_refused() {
    assert!(super::expect_fits(2_100_000_000).is_ok());
    let error = super::expect_fits(1 << 31).unwrap_err().to_string();
    assert!(error.starts_with("its weights take 2147483648 bytes, and a file of this format has at most 2147483647"), "{error}");
}

#[derive(Debug)]
struct Own;

impl Layer for Own {
    fn plan(&self, input: Shape) -> Result<Plan, ShapeError> {
        Ok(Plan::new("Own", input))
    }
    fn forward(&self, x: &Var, _: &Params<'_>) -> Var {
        x.clone()
    }
}

#[test]
fn a_layer_of_ones_own_is_refused_by_its_path() {
    let net = seq![BatchNorm2d::new(), seq![Own]].build(&cx(), [3, 4, 5]).unwrap();
    let error = Onnx::new(&net).to_bytes().unwrap_err().to_string();
    assert!(error.starts_with("layer 1.0 (Own) cannot be exported: it is a layer of your own"), "{error}");
}

#[test]
#[should_panic(expected = "normalise: 1 means and 3 deviations are given for inputs of [3, 4, 5]")]
fn a_normalisation_of_other_channels_is_refused() {
    let net = BatchNorm2d::new().build(&cx(), [3, 4, 5]).unwrap();
    let _ = Onnx::new(&net).normalise(&[0.5], &[0.25; 3]);
}

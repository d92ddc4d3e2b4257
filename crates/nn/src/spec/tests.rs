use super::*;
use crate::autograd::parameters;
use crate::module::Module;
use gpu_core::Device;

fn of_layers(layers: &str) -> Result<Shape, SpecError> {
    Spec::from_json(&format!("{{\"input\": [3, 8, 8], \"layers\": {layers}}}"))?.out_shape()
}

#[test]
fn an_error_names_the_layer_and_the_fault() {
    let cases = [
        (r#"[{"type": "convolution"}]"#, "layer 0 (convolution): unknown layer type `convolution`; there are: conv1d, conv2d"),
        (r#"[{"type": "relu"}, {"type": "Relu", "groups": 2}]"#, "layer 1 (Relu): unknown layer type `Relu`"),
        (r#"[{"kernel": 3}]"#, "layer 0 (no type): \"type\" is missing"),
        (r#"[3]"#, "layer 0 (no type): an object with \"type\" is expected, not 3"),
        (r#"[{"type": 3}]"#, "layer 0 (no type): \"type\" is missing"),
        (r#"[{"type": "conv2d", "out": 4}]"#, "layer 0 (conv2d): missing field `kernel`"),
        (r#"[{"type": "conv2d", "out": 4, "kernel": 3, "strides": 2}]"#, "layer 0 (conv2d): unknown field `strides`"),
        (r#"[{"type": "relu", "slope": 2}]"#, "layer 0 (relu): unknown field `slope`, there are no fields"),
        (r#"[{"type": "conv2d", "out": 4, "kernel": "3"}]"#, "layer 0 (conv2d): a whole number or [rows, columns] is expected"),
        (r#"[{"type": "conv2d", "out": 4, "kernel": 9}]"#, "layer 0 (conv2d): "),
        (r#"[{"type": "conv2d", "out": 4, "kernel": 0}]"#, "layer 0 (conv2d): `kernel` must be 1 to 65535"),
        (r#"[{"type": "conv2d", "out": 4, "kernel": 3, "groups": 2}]"#, "layer 0 (conv2d): 2 groups do not divide 3 input"),
        (r#"[{"type": "max_pool2d", "kernel": 2, "stride": 0}]"#, "layer 0 (max_pool2d): `stride` must be 1"),
        (r#"[{"type": "linear", "out": 2}]"#, "layer 0 (linear): (N, features) is expected, [1, 3, 8, 8] comes in"),
        (
            r#"[{"type": "flatten"}, {"type": "linear", "in": 7, "out": 2}]"#,
            "layer 1 (linear): `in` is 7, but 192 features come in",
        ),
        (r#"[{"type": "flatten"}, {"type": "conv2d", "out": 2, "kernel": 1}]"#, "layer 1 (conv2d): (N, C, H, W) is expected"),
        (r#"[{"type": "dropout", "p": 1.5}]"#, "layer 0 (dropout): `p` is 1.5"),
        (r#"[{"type": "residual"}]"#, "layer 0 (residual): missing field `body`"),
        (r#"[{"type": "residual", "body": 3}]"#, "layer 0 (residual): `body` is not a list of layers"),
        (r#"[{"type": "sequential", "layers": [{"type": "relu"}, {"type": "x"}]}]"#, "layer 0.1 (x): unknown layer type"),
        (
            r#"[{"type": "conv2d", "out": 4, "kernel": 3, "padding": [1, 2, 3]}]"#,
            "layer 0 (conv2d): a whole number, [rows, columns], [top",
        ),
        (
            r#"[{"type": "max_pool2d", "kernel": 4, "padding": [1, 2, 0, 0]}]"#,
            "layer 0 (max_pool2d): `padding` must be the same on",
        ),
        (r#"[{"type": "conv1d", "out": 4, "kernel": 3}]"#, "layer 0 (conv1d): (N, C, L) is expected, [1, 3, 8, 8] comes in"),
        (r#"[{"type": "max_pool2d", "kernel": 3, "padding": "same"}]"#, "layer 0 (max_pool2d): `padding` must be the same on"),
        (r#"[{"type": "conv2d", "out": 4, "kernel": 3, "padding": "some"}]"#, "layer 0 (conv2d): a whole number, [rows"),
        (r#"[{"type": "softmax", "axis": 4}]"#, "layer 0 (softmax): [1, 3, 8, 8] has no axis 4"),
        (r#"[{"type": "elu", "alpha": -1}]"#, "layer 0 (elu): `alpha` is -1, not a number of 0 or more"),
        (r#"[{"type": "group_norm", "groups": 2}]"#, "layer 0 (group_norm): 2 groups do not divide 3 channels"),
        (r#"[{"type": "layer_norm", "axes": 4}]"#, "layer 0 (layer_norm): `axes` must be 1 to 3 for [1, 3, 8, 8]"),
        (r#"[{"type": "upsample"}]"#, "layer 0 (upsample): one of `factor` and `size` is wanted"),
        (r#"[{"type": "upsample", "factor": 0}]"#, "layer 0 (upsample): `factor` is 0, not above 0"),
        (r#"[{"type": "pixel_shuffle", "factor": 2}]"#, "layer 0 (pixel_shuffle): 3 channels do not divide by 2 squared"),
        (
            r#"[{"type": "global_avg_pool"}, {"type": "batch_norm", "tracked": false}]"#,
            "layer 1 (batch_norm): one value a channel has no variance",
        ),
        (
            r#"[{"type": "global_avg_pool"}, {"type": "instance_norm"}]"#,
            "layer 1 (instance_norm): one value a channel of a sample has no variance; keep running statistics",
        ),
        (
            r#"[{"type": "conv2d", "out": 4, "kernel": 3, "padding": "same", "stride": [1, 2]}]"#,
            "layer 0 (conv2d): `padding` is \"same\", which is for stride 1, and `stride` is 1x2; give numbers",
        ),
        (r#"[{"type": "batch_norm", "eps": 0}]"#, "layer 0 (batch_norm): `eps` is 0, not a number above 0"),
        (r#"[{"type": "residual", "body": [], "bypass": []}]"#, "layer 0 (residual): unknown field `bypass`"),
        (r#"[{"type": "residual", "body": [{"type": "relu"}, {"type": "x"}]}]"#, "layer 0.body.1 (x): unknown layer type"),
        (
            r#"[{"type": "residual", "body": [{"type": "conv2d", "out": 4, "kernel": 1}]}]"#,
            "layer 0 (residual): the body gives [1, 4, 8, 8], the shortcut [1, 3, 8, 8]",
        ),
        (r#"[{"type": "concat"}]"#, "layer 0 (concat): missing field `branches`"),
        (r#"[{"type": "concat", "branches": []}]"#, "layer 0 (concat): `branches` is empty"),
        (r#"[{"type": "concat", "branches": [{"type": "relu"}]}]"#, "layer 0 (concat): `branches` is not a list of lists"),
        (r#"[{"type": "concat", "branches": [[], [{"type": "relu"}, {"type": "x"}]]}]"#, "layer 0.branches.1.1 (x): unknown"),
        (
            r#"[{"type": "concat", "branches": [[], [{"type": "max_pool2d", "kernel": 2}]]}]"#,
            "layer 0 (concat): the branches give [1, 3, 8, 8] and [1, 3, 4, 4]; only axis 1 may differ",
        ),
        (
            r#"[{"type": "concat", "branches": [[{"type": "relu"}, {"type": "linear", "out": 3}]]}]"#,
            "layer 0.branches.0.1 (linear): ",
        ),
        (r#"{}"#, "the layer list cannot be read: \"layers\" is not a list"),
    ];
    for (layers, want) in cases {
        let got = of_layers(layers).unwrap_err().to_string();
        assert!(got.starts_with(want), "{layers}\n{got}");
    }
}

#[test]
fn a_whole_that_is_no_layer_list_is_refused() {
    let cases = [
        ("{", "the layer list cannot be read: EOF"),
        ("[]", "the layer list cannot be read: an object"),
        ("{\"layers\": []}", "the layer list cannot be read: \"input\": [C, H, W] is missing"),
        ("{\"input\": [3, 8, 8, 8], \"layers\": []}", "the layer list cannot be read: \"input\" is [C, H, W] or shorter"),
        ("{\"input\": [], \"layers\": []}", "the layer list cannot be read: \"input\" is [C, H, W] or shorter"),
        ("{\"input\": [3, -8, 8], \"layers\": []}", "the layer list cannot be read: \"input\" is not [C, H, W]"),
        ("{\"input\": [3, 8, 8], \"layers\": [], \"name\": 1}", "the layer list cannot be read: \"name\" is neither"),
    ];
    for (text, want) in cases {
        let got = Spec::from_json(text).unwrap_err().to_string();
        assert!(got.starts_with(want), "{text}\n{got}");
    }
    assert!(Spec::from_toml("input = [").unwrap_err().to_string().starts_with("the layer list cannot be read: "));
}

#[test]
fn hostile_numbers_are_refused_before_anything_is_made() {
    let huge = [
        r#"[{"type": "conv2d", "out": 65535, "kernel": 65535, "padding": 65535}]"#,
        r#"[{"type": "conv2d", "out": 18446744073709551615, "kernel": 1}]"#,
        r#"[{"type": "conv2d", "out": 65535, "kernel": 1, "padding": 65535}]"#,
        r#"[{"type": "conv_transpose2d", "out": 1, "kernel": 1, "stride": 65535, "output_padding": 65534}]"#,
        r#"[{"type": "flatten"}, {"type": "linear", "out": 99999999}]"#,
        r#"[{"type": "avg_pool2d", "kernel": 65535, "padding": 65535}]"#,
        r#"[{"type": "conv2d", "out": -1, "kernel": 1}]"#,
    ];
    for layers in huge {
        assert!(of_layers(layers).is_err(), "{layers}");
    }
    for part in ["[{\"type\": \"residual\", \"body\": ", "[{\"type\": \"sequential\", \"layers\": ", "["] {
        assert!(of_layers(&part.repeat(5000)).is_err());
        assert!(Spec::from_toml(&format!("input = [3, 8, 8]\nlayers = {}", part.repeat(5000))).is_err());
    }
    let deep = format!("input = [3, 8, 8]\nlayers = {}[]{}", "[{type = \"residual\", body = ".repeat(3000), "}]".repeat(3000));
    assert!(Spec::from_toml(&deep).is_err());
    assert!(Spec::from_json(r#"{"input": [3, 0, 8], "layers": []}"#).unwrap().out_shape().is_err());
}

#[test]
fn positions_are_keys() {
    let text = r#"
        input = [3, 8, 8]
        [[layers]]
        type = "residual"
        body = [{ type = "conv2d", out = 4, kernel = [3, 1], padding = [1, 0], bias = false }, { type = "batch_norm" }]
        shortcut = [{ type = "conv2d", out = 4, kernel = 1 }]
        [[layers]]
        type = "flatten"
        [[layers]]
        type = "linear"
        in = 256
        out = 10
    "#;
    let net = Spec::from_toml(text).unwrap().build(&Init::seeded(&Device::Cpu, 0)).unwrap();
    let keys: Vec<(String, Shape)> = parameters(&net).into_iter().map(|(key, p)| (key, p.shape())).collect();
    let want: Vec<(&str, Shape)> = vec![
        ("0.body.0.weight", [4, 3, 3, 1].into()),
        ("0.body.1.weight", [4].into()),
        ("0.body.1.bias", [4].into()),
        ("0.body.1.running_mean", [4].into()),
        ("0.body.1.running_var", [4].into()),
        ("0.shortcut.0.weight", [4, 3, 1, 1].into()),
        ("0.shortcut.0.bias", [4].into()),
        ("2.weight", [10, 256].into()),
        ("2.bias", [10].into()),
    ];
    assert_eq!(keys, want.into_iter().map(|(k, s)| (k.to_owned(), s)).collect::<Vec<_>>());
    assert_eq!(net.out_shape([7, 3, 8, 8].into()), Ok([7, 10].into()));
}

#[test]
fn a_built_network_names_the_layer_that_does_not_fit() {
    let spec = Spec::from_json(r#"{"input": [3, 8, 8], "layers": [{"type": "residual", "body": [{"type": "batch_norm"}]}]}"#);
    let net = spec.unwrap().build(&Init::seeded(&Device::Cpu, 0)).unwrap();
    let error = net.out_shape([1, 4, 8, 8].into()).unwrap_err();
    assert_eq!(error.layer, "0.body.0");
    let want = "layer 0.body.0 (batch_norm): `weight` has shape [3], for [1, 4, 8, 8] it would have to be [4]";
    assert_eq!(error.to_string(), want);
}

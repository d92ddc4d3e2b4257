//! One example of every type, for the laws in `tests.rs` and `../hostile.rs`.

/// The shape of an input, and a layer with none of its fields at the default.
pub const EXAMPLES: &[(&[usize], &str)] = &[
    (
        &[4, 9, 8],
        r#""type": "conv2d", "out": 6, "kernel": [3, 2], "stride": [2, 1], "padding": [1, 0, 2, 1], "dilation": 2, "groups": 2, "bias": false"#,
    ),
    (
        &[4, 5, 4],
        r#""type": "conv_transpose2d", "out": 6, "kernel": [3, 2], "stride": 2, "padding": [1, 0, 1, 1], "output_padding": [0, 1], "groups": 2, "bias": false"#,
    ),
    (&[3, 4, 5], r#""type": "batch_norm", "eps": 0.001, "momentum": 0.3"#),
    (&[3, 4, 5], r#""type": "whitening_conv2d", "kernel": [3, 2]"#),
    (&[3, 4, 5], r#""type": "relu""#),
    (&[3, 4, 5], r#""type": "scale", "factor": -0.25"#),
    (&[3, 4, 5], r#""type": "flatten""#),
    (&[3, 4, 5], r#""type": "global_avg_pool""#),
    (&[3, 9, 8], r#""type": "max_pool2d", "kernel": [3, 2], "stride": [2, 1], "padding": [1, 0]"#),
    (&[3, 9, 8], r#""type": "avg_pool2d", "kernel": [3, 2], "stride": [2, 1], "padding": [1, 0]"#),
    (&[3, 4, 5], r#""type": "dropout", "p": 0.3"#),
    (&[3, 4, 5], r#""type": "dropout2d", "p": 0.3"#),
    (&[7], r#""type": "linear", "in": 7, "out": 3, "bias": false"#),
    (&[3, 4, 5], r#""type": "sequential", "layers": [{"type": "conv2d", "out": 2, "kernel": 3}, {"type": "relu"}]"#),
    (
        &[3, 4, 5],
        r#""type": "residual", "body": [{"type": "conv2d", "out": 2, "kernel": 1}], "shortcut": [{"type": "conv2d", "out": 2, "kernel": 1}]"#,
    ),
    (&[3, 4, 5], r#""type": "concat", "branches": [[], [{"type": "conv2d", "out": 2, "kernel": 1}, {"type": "relu"}]]"#),
];

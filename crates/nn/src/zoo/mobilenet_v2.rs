//! Inverted residuals: Sandler et al., "MobileNetV2", 2018.

use super::Task;
use super::parts::{bn, conv, flatten, linear};
use crate::spec::types::{Dropout, GlobalAvgPool, Relu6, Residual};
use crate::spec::{Layer, SpecError};

/// A row of the paper's table 2: how much wider a block is inside, its output channels, how many blocks, the stride of the first.
pub(super) type Row = (usize, usize, usize, usize);

const ROWS: &[Row] = &[(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)];

/// Channels of the first convolution and of the last.
const ENDS: [usize; 2] = [32, 1280];

pub(super) fn v2(task: &Task) -> Result<Vec<Layer>, SpecError> {
    Ok(layers(ROWS, ENDS, task.classes, task.is_small()))
}

pub(super) fn v2_names() -> Vec<String> {
    names(ROWS)
}

fn conv_bn_relu6(out: usize, kernel: usize, stride: usize, groups: usize) -> [Layer; 3] {
    [conv(out, kernel, stride, groups), bn(), Relu6 {}.into()]
}

/// Small images keep their size in the first convolution and in the first row that would halve them.
pub(super) fn layers(rows: &[Row], [first, last]: [usize; 2], classes: usize, small: bool) -> Vec<Layer> {
    let mut layers = conv_bn_relu6(first, 3, if small { 1 } else { 2 }, 1).to_vec();
    let mut before = first;
    for (row, &(wider, out, blocks, stride)) in rows.iter().enumerate() {
        for position in 0..blocks {
            let stride = if position > 0 || (small && row == 1) { 1 } else { stride };
            layers.extend(block(before, wider, out, stride));
            before = out;
        }
    }
    layers.extend(conv_bn_relu6(last, 1, 1, 1));
    layers.extend([GlobalAvgPool {}.into(), flatten(), Dropout { p: 0.2 }.into(), linear(classes)]);
    layers
}

/// Wider by a 1x1 convolution, each channel by itself, narrow again without a rectifier; beside the identity where the shape stays.
fn block(before: usize, wider: usize, out: usize, stride: usize) -> Vec<Layer> {
    let inside = before * wider;
    let mut body = Vec::new();
    if wider > 1 {
        body.extend(conv_bn_relu6(inside, 1, 1, 1));
    }
    body.extend(conv_bn_relu6(inside, 3, stride, inside));
    body.extend([conv(out, 1, 1, 1), bn()]);
    if stride == 1 && before == out { vec![Residual { body, shortcut: Vec::new() }.into()] } else { body }
}

/// What torchvision calls the layers that have weights.
pub(super) fn names(rows: &[Row]) -> Vec<String> {
    let pair = |path: &str| [0, 1].map(|i| format!("{path}.{i}"));
    let mut names = pair("features.0").to_vec();
    let mut at = 1;
    for &(wider, _, blocks, _) in rows {
        for _ in 0..blocks {
            let block = format!("features.{at}.conv");
            let rectified = if wider > 1 { 2 } else { 1 };
            names.extend((0..rectified).flat_map(|i| pair(&format!("{block}.{i}"))));
            names.extend([rectified, rectified + 1].map(|i| format!("{block}.{i}")));
            at += 1;
        }
    }
    names.extend(pair(&format!("features.{at}")));
    names.push("classifier.1".to_owned());
    names
}

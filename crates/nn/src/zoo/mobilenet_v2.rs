//! Inverted residuals: Sandler et al., "MobileNetV2", 2018.

use super::Task;
use super::parts::conv;
use crate::layers::{BatchNorm2d, Conv2d, Dropout, Flatten, GlobalAvgPool, Linear, Relu6, Residual, Sequential};
use crate::seq;
use crate::spec::SpecError;

/// A row of the paper's table 2: how much wider a block is inside, its output channels, how many blocks, the stride of the first.
pub(super) type Row = (usize, usize, usize, usize);

const ROWS: &[Row] = &[(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)];

/// Channels of the first convolution and of the last.
const ENDS: [usize; 2] = [32, 1280];

pub(super) fn v2(task: &Task) -> Result<Sequential, SpecError> {
    Ok(layers(ROWS, ENDS, task.classes, task.is_small()))
}

pub(super) fn v2_names() -> Vec<String> {
    names(ROWS)
}

fn conv_bn_relu6(conv: Conv2d) -> Sequential {
    seq![conv, BatchNorm2d::new(), Relu6]
}

/// Small images keep their size in the first convolution and in the first row that would halve them.
pub(super) fn layers(rows: &[Row], [first, last]: [usize; 2], classes: usize, small: bool) -> Sequential {
    let mut net = conv_bn_relu6(conv(first, 3).stride(if small { 1 } else { 2 }));
    let mut before = first;
    for (row, &(wider, out, blocks, stride)) in rows.iter().enumerate() {
        for position in 0..blocks {
            let stride = if position > 0 || (small && row == 1) { 1 } else { stride };
            let body = block(before, wider, out, stride);
            // Beside the identity where the shape stays.
            net = if stride == 1 && before == out { net.push(Residual::new(body)) } else { net.push(..body) };
            before = out;
        }
    }
    net.push(..seq![..conv_bn_relu6(conv(last, 1)), GlobalAvgPool, Flatten, Dropout::new(0.2), Linear::new(classes)])
}

/// Wider by a 1x1 convolution, each channel by itself, narrow again without a rectifier.
fn block(before: usize, wider: usize, out: usize, stride: usize) -> Sequential {
    let inside = before * wider;
    let widen = if wider > 1 { conv_bn_relu6(conv(inside, 1)) } else { seq![] };
    let depthwise = conv(inside, 3).stride(stride).groups(inside);
    seq![..widen, ..conv_bn_relu6(depthwise), conv(out, 1), BatchNorm2d::new()]
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

//! Wrong calls, and what their panics say.

use crate::{Misuse, misuse};
use gpu_core::ops::{
    RowStats, group_norm, group_norm_bwd_w, group_norm_bwd_x, instance_norm_running, layer_norm, layer_norm_bwd_w,
    layer_norm_bwd_x, rms_norm, rms_norm_bwd_w, rms_norm_bwd_x,
};
use gpu_core::{Device, Shape, Tensor};

pub fn wrong_calls() -> Vec<Misuse> {
    fn zeros(device: &Device, dims: &[usize]) -> Tensor {
        Tensor::zeros(device, dims)
    }
    fn stats(device: &Device, dims: &[usize]) -> RowStats {
        RowStats { offset: zeros(device, dims), rstd: zeros(device, dims) }
    }
    vec![
        misuse!("layer_norm", ["[3, 4] is to be normalised over", "x [2, 4, 3]"], |device| {
            layer_norm(&zeros(device, &[2, 4, 3]), [3, 4], None, None, 1e-5)
        }),
        misuse!("layer_norm", ["[] is to be normalised over", "x [2]"], |device| {
            layer_norm(&zeros(device, &[2]), Shape::SCALAR, None, None, 1e-5)
        }),
        misuse!("layer_norm", ["beta [3] is not of the shape [4, 3]", "x [2, 4, 3]"], |device| {
            layer_norm(&zeros(device, &[2, 4, 3]), [4, 3], None, Some(&zeros(device, &[3])), 1e-5)
        }),
        misuse!("layer_norm", ["gamma on CPU", "x [2, 3]"], |device| {
            layer_norm(&zeros(device, &[2, 3]), [3], Some(&zeros(&Device::Cpu, &[3])), None, 1e-5)
        }),
        misuse!("layer_norm_bwd_x", ["x [2, 3]", "dy [3, 2]"], |device| {
            layer_norm_bwd_x(&zeros(device, &[2, 3]), &zeros(device, &[3, 2]), None, &stats(device, &[2]))
        }),
        misuse!("layer_norm_bwd_x", ["rstd [3]", "x [2, 3]"], |device| {
            let x = zeros(device, &[2, 3]);
            layer_norm_bwd_x(&x, &x, None, &stats(device, &[3]))
        }),
        misuse!("layer_norm_bwd_w", ["rstd [2, 3]", "x [2, 3]"], |device| {
            let x = zeros(device, &[2, 3]);
            layer_norm_bwd_w(&x, &x, &stats(device, &[2, 3]))
        }),
        misuse!("rms_norm", ["[2] is to be normalised over", "x [2, 4]"], |device| {
            rms_norm(&zeros(device, &[2, 4]), [2], None, 1e-5)
        }),
        misuse!("rms_norm_bwd_x", ["gamma [2] is not of the shape [4]", "x [2, 4]"], |device| {
            let x = zeros(device, &[2, 4]);
            rms_norm_bwd_x(&x, &x, Some(&zeros(device, &[2])), &zeros(device, &[2]))
        }),
        misuse!("rms_norm_bwd_w", ["dy holds u32, not f32", "dy [2]"], |device| {
            let x = zeros(device, &[2]);
            rms_norm_bwd_w(&x, &Tensor::from_slice(device, [2], &[1u32; 2]), &zeros(device, &[]))
        }),
        misuse!("group_norm", ["4 groups do not divide 6 channels", "x [2, 6, 3]"], |device| {
            group_norm(&zeros(device, &[2, 6, 3]), 4, None, None, 1e-5)
        }),
        misuse!("group_norm", ["x needs axes (n, c, ..)", "x [4]"], |device| group_norm(&zeros(device, &[4]), 1, None, None, 1e-5)),
        misuse!("group_norm", ["x has 6 channels, gamma [3]", "x [2, 6, 3]"], |device| {
            group_norm(&zeros(device, &[2, 6, 3]), 3, Some(&zeros(device, &[3])), None, 1e-5)
        }),
        misuse!("group_norm_bwd_x", ["rstd [3, 2]", "x [2, 6]"], |device| {
            let x = zeros(device, &[2, 6]);
            group_norm_bwd_x(&x, &x, None, &stats(device, &[3, 2]))
        }),
        misuse!("group_norm_bwd_w", ["4 groups do not divide 6 channels", "x [2, 6]"], |device| {
            let x = zeros(device, &[2, 6]);
            group_norm_bwd_w(&x, &x, &stats(device, &[2, 4]))
        }),
        misuse!("instance_norm_running", ["offset [2, 3] is not (N, C)", "x [2, 6, 4]"], |device| {
            let six = zeros(device, &[6]);
            instance_norm_running(&zeros(device, &[2, 6, 4]), &stats(device, &[2, 3]), &six, &six, 0.1, 1e-5)
        }),
        misuse!("instance_norm_running", ["x [2, 6, 1] has one value a channel of a sample"], |device| {
            let six = zeros(device, &[6]);
            instance_norm_running(&zeros(device, &[2, 6, 1]), &stats(device, &[2, 6]), &six, &six, 0.1, 1e-5)
        }),
        misuse!("instance_norm_running", ["x has 6 channels, running_var [3]", "x [2, 6, 4]"], |device| {
            let (x, six) = (zeros(device, &[2, 6, 4]), zeros(device, &[6]));
            instance_norm_running(&x, &stats(device, &[2, 6]), &six, &zeros(device, &[3]), 0.1, 1e-5)
        }),
    ]
}

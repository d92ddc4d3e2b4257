//! Numbers from PyTorch, each with the call that they came from, and `y.backward(dy)` behind it, in float64.

use super::hold;
use crate::devices;
use gpu_core::ops::{
    group_norm, group_norm_bwd_w, group_norm_bwd_x, instance_norm_running, layer_norm, layer_norm_bwd_w, layer_norm_bwd_x,
    rms_norm, rms_norm_bwd_w, rms_norm_bwd_x,
};
use gpu_core::{Device, Tensor};

/// x (2, 2, 3) and dy of the numbers from PyTorch below.
fn of_pytorch(device: &Device) -> [Tensor; 2] {
    let x = [1.0f32, 2.0, 4.0, 0.0, -1.0, 3.0, 5.0, 1.0, 0.0, 2.0, 2.0, -6.0];
    let dy = [1.0f32, 0.0, -1.0, 2.0, 1.0, 0.0, 0.0, 3.0, 1.0, -1.0, -2.0, 1.0];
    [&x, &dy].map(|values| Tensor::from_slice(device, [2, 2, 3], values))
}

fn given<const N: usize>(device: &Device, values: [f32; N]) -> Tensor {
    Tensor::from_slice(device, [N], &values)
}

fn is(what: &str, got: &Tensor, want: &[f32]) {
    hold(what, &got.to_vec().unwrap(), want, 1e-6);
}

// F.layer_norm(x, (3,), gamma, beta, 1e-3)
#[test]
fn layer_norm_gives_the_numbers_of_pytorch() {
    for device in devices() {
        let [x, dy] = of_pytorch(&device);
        let (gamma, beta) = (given(&device, [2.0, -0.5, 1.5]), given(&device, [0.25, 1.0, -1.0]));
        let normed = layer_norm(&x, [3], Some(&gamma), Some(&beta), 1e-3);
        let y = [-1.887403, 1.1335877, 1.0038153, -0.5343288, 1.4902055, 1.0588631];
        let more = [3.0271628, 1.2314302, -2.3885814, 1.6641638, 0.64645904, -3.1212458];
        is("y", &normed.y, &[y, more].concat());
        let dx = [0.28701948, -0.42919896, 0.14217949, 1.5837696, -1.1877339, -0.39603568];
        let more = [0.1487447, -0.74387226, 0.59512756, -0.39774601, 0.39772115, 2.4856601e-5];
        is("dx", &layer_norm_bwd_x(&x, &dy, Some(&gamma), &normed.stats), &[dx, more].concat());
        let (dgamma, dbeta) = layer_norm_bwd_w(&x, &dy, &normed.stats);
        is("dgamma", &dgamma, &[-2.5601122, -3.7831562, -3.6757617]);
        is("dbeta", &dbeta, &[2.0, 2.0, 1.0]);
    }
}

// F.layer_norm(x, (2, 3), gamma, None, 1e-3)
#[test]
fn layer_norm_over_two_axes_without_a_shift_gives_the_numbers_of_pytorch() {
    for device in devices() {
        let [x, dy] = of_pytorch(&device);
        let gamma = given(&device, [2.0, -0.5, 1.5, 1.0, 3.0, -1.0]).reshape([2, 3]);
        let normed = layer_norm(&x, [2, 3], Some(&gamma), None, 1e-3);
        let y = [-0.58543969, -0.14635992, 2.1953988, -0.87815954, -4.3907977, -0.87815954];
        let more = [2.5869814, -0.049749643, -0.29849786, 0.39799714, 1.1939914, 1.9899857];
        is("y", &normed.y, &[y, more].concat());
        let dx = [0.37922932, -0.28165604, -0.13982754, -0.1307647, -0.055319023, 0.22833798];
        let more = [0.47803275, -0.043593058, 0.83343076, 0.12412563, -1.3683637, -0.023632423];
        is("dx", &layer_norm_bwd_x(&x, &dy, Some(&gamma), &normed.stats), &[dx, more].concat());
        let (dgamma, _) = layer_norm_bwd_w(&x, &dy, &normed.stats);
        is("dgamma", &dgamma, &[-0.29271985, 0.29849786, -1.6625978, -2.1543162, -2.2595935, -1.9899857]);
        assert_eq!(dgamma.shape(), gamma.shape());
    }
}

// F.rms_norm(x, (3,), gamma, 1e-3) and F.rms_norm(x, (2, 3), None, torch.finfo(torch.float32).eps)
#[test]
fn rms_norm_gives_the_numbers_of_pytorch() {
    for device in devices() {
        let [x, dy] = of_pytorch(&device);
        let gamma = given(&device, [2.0, -0.5, 1.5]);
        let (y, rstd) = rms_norm(&x, [3], Some(&gamma), 1e-3);
        let want = [0.75587496, -0.37793748, 2.2676249, 0.0, 0.27382021, 2.4643819];
        let more = [3.3966351, -0.16983176, 0.0, 1.0444303, -0.26110758, -2.3499682];
        is("y", &y, &[want, more].concat());
        let dx = [0.82785277, 0.14395562, -0.27899498, 2.1905617, -0.2464464, -0.082121426];
        let more = [0.097968556, -0.48990156, 0.50949527, -0.39167027, 0.39165247, 2.6702364e-5];
        is("dx", &rms_norm_bwd_x(&x, &dy, Some(&gamma), &rstd), &[dx, more].concat());
        is("dgamma", &rms_norm_bwd_w(&x, &dy, &rstd), &[-0.14427769, -0.5730802, -3.0783954]);
        let (y, rstd) = rms_norm(&x, [2, 3], None, f32::EPSILON);
        let want = [0.43994134, 0.87988268, 1.7597654, 0.0, -0.43994134, 1.319824];
        let more = [1.4638501, 0.29277002, 0.0, 0.58554004, 0.58554004, -1.7566201];
        is("y", &y, &[want, more].concat());
        let dx = [0.49670796, 0.11353325, -0.21287485, 0.87988268, 0.38317472, 0.17029987];
        let more = [0.1882093, 0.91595192, 0.29277002, -0.2174863, -0.51025632, 0.066918864];
        is("dx", &rms_norm_bwd_x(&x, &dy, None, &rstd), &[dx, more].concat());
    }
}

// F.group_norm(x, 1, gamma, beta, 1e-3)
#[test]
fn group_norm_gives_the_numbers_of_pytorch() {
    for device in devices() {
        let [x, dy] = of_pytorch(&device);
        let (gamma, beta) = (given(&device, [2.0, -0.5]), given(&device, [0.25, 1.0]));
        let normed = group_norm(&x, 1, Some(&gamma), Some(&beta), 1e-3);
        let y = [-0.33543969, 0.83543969, 3.1771985, 1.4390798, 1.7317996, 0.56092023];
        let more = [2.8369814, 0.44899857, -0.14799714, 0.80100143, 0.80100143, 1.9949929];
        is("y", &normed.y, &[y, more].concat());
        let dx = [1.2628957, 0.20070355, -0.75280134, -0.60211064, -0.41807805, 0.3093908];
        let more = [-0.56299807, 1.3343749, 0.1669799, -0.33395979, -0.18471086, -0.41968606];
        is("dx", &group_norm_bwd_x(&x, &dy, Some(&gamma), &normed.stats), &[dx, more].concat());
        let (dgamma, dbeta) = group_norm_bwd_w(&x, &dy, &normed.stats);
        is("dgamma", &dgamma, &[-1.6568198, -6.4038955]);
        is("dbeta", &dbeta, &[4.0, 1.0]);
    }
}

// F.instance_norm(x, [1, -1], [4, .5], gamma, beta, use_input_stats=True, momentum=.25, eps=1e-3)
#[test]
fn a_group_a_channel_gives_the_numbers_of_pytorchs_instance_norm() {
    for device in devices() {
        let [x, dy] = of_pytorch(&device);
        let (gamma, beta) = (given(&device, [2.0, -0.5]), given(&device, [0.25, 1.0]));
        let (mean, var) = (given(&device, [1.0, -1.0]), given(&device, [4.0, 0.5]));
        let normed = group_norm(&x, 2, Some(&gamma), Some(&beta), 1e-3);
        instance_norm_running(&x, &normed.stats, &mean, &var, 0.25, 1e-3);
        let y = [-1.887403, -0.28435076, 2.9217538, 1.1960822, 1.4902055, 0.3137123];
        let more = [3.0271628, -0.67572092, -1.6014418, 0.64645904, 0.64645904, 1.7070819];
        is("y", &normed.y, &[y, more].concat());
        let dx = [0.22989021, -0.34329051, 0.1134003, -0.22627218, 0.1696278, 0.056644378];
        let more = [-0.24266321, 1.2123244, -0.96966121, -0.066281163, 0.066296698, -1.5535376e-5];
        is("dx", &group_norm_bwd_x(&x, &dy, Some(&gamma), &normed.stats), &[dx, more].concat());
        let (dgamma, dbeta) = group_norm_bwd_w(&x, &dy, &normed.stats);
        is("dgamma", &dgamma, &[-4.7188807, -5.3001494]);
        is("dbeta", &dbeta, &[4.0, 1.0]);
        is("running mean", &mean, &[1.2916667, -0.75]);
        is("running variance", &var, &[4.1666667, 3.5833333]);
    }
}

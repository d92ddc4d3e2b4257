use super::cases::SHAPES;
use crate::{devices, gradients, integers, tensor};
use gpu_core::ops::{global_avg_pool, global_avg_pool_bwd_x};
use gpu_core::{Device, Shape, Tensor};

#[test]
fn the_mirror_is_the_formula() {
    for shape in SHAPES[..5].iter().map(|&dims| Shape::from(dims)) {
        let x = tensor(&Device::Cpu, shape, 1);
        let y = global_avg_pool(&x).to_vec().unwrap();
        for (plane, x) in x.to_vec().unwrap().chunks_exact(shape.inner(2)).enumerate() {
            let want = x.iter().map(|&v| f64::from(v)).sum::<f64>() / x.len() as f64;
            assert!((f64::from(y[plane]) - want).abs() < 1e-6, "{shape}: {} is not {want}", y[plane]);
        }
    }
}

#[test]
fn the_gradient_is_the_difference_quotient() {
    let x = tensor(&Device::Cpu, [2, 3, 3, 5], 1);
    let shape = x.shape();
    gradients(&[x], |t| global_avg_pool(&t[0]), |_, dy| vec![global_avg_pool_bwd_x(dy, shape)]);
}

#[test]
fn planes_of_a_power_of_two_are_exact() {
    for device in devices() {
        for dims in [[3, 5, 8, 8], [2, 3, 16, 16]] {
            let (shape, inner) = (Shape::from(dims), dims[2] * dims[3]);
            let (x, dy) = (integers(shape.len(), 1), integers(dims[0] * dims[1], 2));
            let want: Vec<f32> = x.chunks_exact(inner).map(|x| x.iter().sum::<f32>() / inner as f32).collect();
            assert_eq!(global_avg_pool(&Tensor::from_slice(&device, shape, &x)).to_vec().unwrap(), want);
            let want: Vec<f32> = dy.iter().flat_map(|v| vec![v / inner as f32; inner]).collect();
            let dy = Tensor::from_slice(&device, [dims[0], dims[1], 1, 1], &dy);
            assert_eq!(global_avg_pool_bwd_x(&dy, shape).to_vec().unwrap(), want);
        }
    }
}

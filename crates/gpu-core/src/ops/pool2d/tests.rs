use super::*;
use crate::device::Device;

#[test]
fn kernels_equal_their_mirrors() {
    check::hold(&cases());
}

/// Each window's elements with their places, in order.
fn windows(x: &[f32], shape: Shape, g: Pool2dGeometry) -> Vec<Vec<(usize, f32)>> {
    let y = g.out_shape(shape).unwrap();
    let window = |o: usize| {
        let (plane, p, q) = (o / y.inner(2), o / y.w() % y.h(), o % y.w());
        let mut found = Vec::new();
        for r in 0..g.kernel[0] {
            for s in 0..g.kernel[1] {
                let (i, j) = (p * g.stride[0] + r, q * g.stride[1] + s);
                let (Some(i), Some(j)) = (i.checked_sub(g.padding[0]), j.checked_sub(g.padding[1])) else { continue };
                if i < shape.h() && j < shape.w() {
                    found.push((i * shape.w() + j, x[plane * shape.inner(2) + i * shape.w() + j]));
                }
            }
        }
        found
    };
    (0..y.len()).map(window).collect()
}

#[test]
fn the_mirrors_are_the_formulas() {
    for (shape, g) in geometries() {
        let values = check::integers(shape.len(), 5);
        let x = Tensor::from_slice(&Device::Cpu, shape, &values);
        let (y, indices) = max_pool2d(&x, g);
        let (dy, mean) = (check::tensor(&Device::Cpu, y.shape(), 6), avg_pool2d(&x, g).to_vec().unwrap());
        let max_dx = max_pool2d_bwd_x(&dy, &indices, shape, g).to_vec().unwrap();
        let avg_dx = avg_pool2d_bwd_x(&dy, shape, g).to_vec().unwrap();
        let (y, indices, dy) = (y.to_vec().unwrap(), indices.read::<u32>().unwrap(), dy.to_vec().unwrap());
        let (mut want_max, mut want_avg) = (vec![0f64; shape.len()], vec![0f64; shape.len()]);
        let taps = (g.kernel[0] * g.kernel[1]) as f64;
        for (o, window) in windows(&values, shape, g).iter().enumerate() {
            let (at, max) = window.iter().fold(window[0], |best, &tap| if tap.1 > best.1 { tap } else { best });
            assert_eq!((y[o], indices[o] as usize), (max, at), "{shape} {g:?}, window {o}");
            let sum: f64 = window.iter().map(|&(_, v)| f64::from(v)).sum();
            assert!((f64::from(mean[o]) - sum / taps).abs() < 1e-6, "{shape} {g:?}, window {o}");
            let start = o / (y.len() / (shape.n() * shape.c())) * shape.inner(2);
            want_max[start + at] += f64::from(dy[o]);
            window.iter().for_each(|&(at, _)| want_avg[start + at] += f64::from(dy[o]) / taps);
        }
        for i in 0..shape.len() {
            assert!((f64::from(max_dx[i]) - want_max[i]).abs() < 1e-5, "{shape} {g:?}, dx of max at {i}");
            assert!((f64::from(avg_dx[i]) - want_avg[i]).abs() < 1e-5, "{shape} {g:?}, dx of mean at {i}");
        }
    }
}

#[test]
fn the_gradients_are_the_difference_quotients() {
    for (shape, g) in geometries().filter(|(shape, _)| shape.len() < 600) {
        // All elements far enough apart that a step changes no maximum.
        let apart: Vec<f32> = (0..shape.len()).map(|i| (i * 7919 % shape.len()) as f32 * 0.05).collect();
        let x = Tensor::from_slice(&Device::Cpu, shape, &apart);
        let backward = |t: &[Tensor], dy: &Tensor| vec![max_pool2d_bwd_x(dy, &max_pool2d(&t[0], g).1, shape, g)];
        check::gradients(&[x], |t| max_pool2d(&t[0], g).0, backward);
        let x = check::tensor(&Device::Cpu, shape, 1);
        check::gradients(&[x], |t| avg_pool2d(&t[0], g), |_, dy| vec![avg_pool2d_bwd_x(dy, shape, g)]);
    }
}

#[test]
fn padding_never_wins_and_a_nan_always_does() {
    let g = Pool2dGeometry { kernel: [2, 2], stride: [2, 2], padding: [1, 1] };
    for device in check::devices() {
        let x = Tensor::from_slice(&device, [1, 1, 2, 2], &[-5.0, f32::NEG_INFINITY, f32::NAN, -7.0]);
        let (y, indices) = max_pool2d(&x, g);
        let y = y.to_vec().unwrap();
        assert_eq!((y[0], y[1], y[3]), (-5.0, f32::NEG_INFINITY, -7.0));
        assert!(y[2].is_nan());
        assert_eq!(indices.read::<u32>().unwrap(), [0, 1, 2, 3]);
        let (y, indices) = max_pool2d(&x, Pool2dGeometry::new([2, 2]));
        assert!(y.item().unwrap().is_nan());
        assert_eq!(indices.read::<u32>().unwrap(), [2]);
    }
}

#[test]
#[should_panic(expected = "max_pool2d: x [1, 1, 2, 2] is smaller than the kernel [3, 3] (padding [0, 0])")]
fn max_pool2d_names_the_shapes() {
    max_pool2d(&Tensor::zeros(&Device::Cpu, [1, 1, 2, 2]), Pool2dGeometry::new([3, 3]));
}

#[test]
#[should_panic(expected = "max_pool2d: padding [2, 2] is over half the kernel [2, 2] (x [1, 1, 4, 4])")]
fn too_much_padding_is_refused() {
    let g = Pool2dGeometry { padding: [2, 2], ..Pool2dGeometry::new([2, 2]) };
    max_pool2d(&Tensor::zeros(&Device::Cpu, [1, 1, 4, 4]), g);
}

#[test]
#[should_panic(expected = "avg_pool2d_bwd_x: dy has shape [1, 1, 2, 3], x [1, 1, 4, 4] is pooled to [1, 1, 2, 2]")]
fn a_gradient_of_another_shape_is_refused() {
    avg_pool2d_bwd_x(&Tensor::zeros(&Device::Cpu, [1, 1, 2, 3]), Shape::from([1, 1, 4, 4]), Pool2dGeometry::new([2, 2]));
}

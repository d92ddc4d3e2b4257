use super::*;
use crate::check::{Misuse, misuse};
use crate::device::Device;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

/// How much of element `i` of `len` place `at` of `to` reads: PyTorch's manual in f64, for sizes (not factors).
fn weight(mode: Interpolation, at: usize, i: usize, len: usize, to: usize) -> f64 {
    let place = match mode {
        Interpolation::Nearest => return f64::from(u8::from(at * len / to == i)),
        BILINEAR => (at as f64 + 0.5) * len as f64 / to as f64 - 0.5,
        _ if to == 1 => 0.0,
        _ => at as f64 * (len - 1) as f64 / (to - 1) as f64,
    };
    // A hat over each element; past the borders the border.
    (1.0 - (place.clamp(0.0, (len - 1) as f64) - i as f64).abs()).max(0.0)
}

/// What a device computes that is not the definition; `shift` moves the reference's columns: 0 is right. The gradient is held as the
/// adjoint: `<upsample(x), dy> = <x, bwd_x(dy)>`.
fn differing(x: Shape, size: [usize; 2], mode: Interpolation, shift: usize, device: &Device) -> Vec<String> {
    let g = Upsample2dGeometry { size: Resize::To(size), mode };
    let y_shape = g.out_shape(x).unwrap();
    let (xs, ds) = (check::integers(x.len(), 1), check::integers(y_shape.len(), 2));
    let device = &check::poisoned(device);
    let y = upsample2d(&Tensor::from_slice(device, x, &xs), g);
    let dx = upsample2d_bwd_x(&Tensor::from_slice(device, y_shape, &ds), x, g);
    let (mut want, mut want_dx) = (vec![0f64; y_shape.len()], vec![0f64; x.len()]);
    for o in 0..y_shape.len() {
        let (plane, p, q) = (o / y_shape.inner(2), o / size[1] % size[0], (o + shift) % size[1]);
        for i in 0..x.h() {
            let of_row = weight(mode, p, i, x.h(), size[0]);
            for j in (0..x.w()).filter(|_| of_row > 0.0) {
                let share = of_row * weight(mode, q, j, x.w(), size[1]);
                let at = (plane * x.h() + i) * x.w() + j;
                want[o] += share * f64::from(xs[at]);
                want_dx[at] += share * f64::from(ds[o]);
            }
        }
    }
    let mut wrong = Vec::new();
    for (what, got, want) in [("y", y, want), ("dx", dx, want_dx)] {
        let largest = want.iter().fold(1f64, |m, v| m.max(v.abs()));
        // Nearest moves integers, which is exact.
        let allowed = if mode == Interpolation::Nearest { 0.0 } else { 1e-5 * largest };
        let error = got.to_vec().unwrap().iter().zip(&want).map(|(&g, w)| (f64::from(g) - w).abs()).fold(0f64, f64::max);
        if !error.le(&allowed) || got.to_vec().unwrap().iter().any(|v| v.is_nan()) {
            wrong.push(format!("{what} by {error:e}"));
        }
    }
    wrong
}

#[test]
fn any_size_is_resampled_by_the_definition_on_every_device() {
    for device in check::devices() {
        // The extents are parameters: no geometry is compiled anew. Powers of two and multiples are where f32 rounds as f64 does.
        let config = Config { cases: if device.is_gpu() { 48 } else { 256 }, failure_persistence: None, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
        let bilinear = (1..=2usize, 1..=12usize, 1..=12usize, 1..=30usize, 1..=30usize, 1..MODES.len());
        let held = runner.run(&bilinear, |(n, h, w, p, q, mode)| {
            let wrong = differing([n, 2, h, w].into(), [p, q], MODES[mode], 0, &device);
            if wrong.is_empty() { Ok(()) } else { Err(TestCaseError::fail(format!("{wrong:?}"))) }
        });
        held.unwrap_or_else(|e| panic!("on {}: {e}", device.name()));
        let nearest = (1..=2usize, 1..=12usize, 1..=12usize, 1..=6usize, 1..=6usize);
        let held = runner.run(&nearest, |(n, h, w, by_h, by_w)| {
            let wrong = differing([n, 2, h, w].into(), [h * by_h, w * by_w], Interpolation::Nearest, 0, &device);
            if wrong.is_empty() { Ok(()) } else { Err(TestCaseError::fail(format!("{wrong:?}"))) }
        });
        held.unwrap_or_else(|e| panic!("on {}: {e}", device.name()));
    }
}

/// `<upsample(x), y> = <x, bwd_x(y)>` where weights are multiples of 1/16: one number, on every device and by every rule.
#[test]
fn the_gradient_is_the_adjoint_exactly_where_weights_are_binary_fractions() {
    let dot = |a: Vec<f32>, b: Vec<f32>| -> f64 { a.iter().zip(&b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum() };
    for device in check::devices() {
        for (x, size) in
            [([2, 3, 4, 8], Resize::By([2.0, 4.0])), ([1, 2, 3, 5], Resize::To([5, 9])), ([1, 2, 8, 8], Resize::To([4, 2]))]
        {
            for mode in MODES.into_iter().filter(|&mode| (mode == ALIGNED) == (size == Resize::To([5, 9]))) {
                let g = Upsample2dGeometry { size, mode };
                let (x, y) = (Shape::from(x), g.out_shape(x.into()).unwrap());
                let (xs, ys) = (check::integers(x.len(), 1), check::integers(y.len(), 2));
                let up = upsample2d(&Tensor::from_slice(&device, x, &xs), g).to_vec().unwrap();
                let back = upsample2d_bwd_x(&Tensor::from_slice(&device, y, &ys), x, g).to_vec().unwrap();
                assert_eq!(dot(up, ys), dot(xs, back), "{x} {g:?} on {}", device.name());
            }
        }
    }
}

#[test]
fn a_shifted_reference_and_a_faulty_kernel_are_noticed_by_the_same_comparison() {
    let x = Shape::from([1, 2, 5, 6]);
    for device in check::devices() {
        for mode in MODES {
            assert!(differing(x, [10, 18], mode, 0, &device).is_empty(), "{mode:?}");
            assert_eq!(differing(x, [10, 18], mode, 1, &device).len(), 2, "{mode:?} on {}", device.name());
            for kernel in KERNELS {
                let noticed = differing(x, [10, 18], mode, 0, &check::faulty(&device, kernel.info().name()));
                assert!(!noticed.is_empty(), "{} {mode:?}", kernel.info().name());
            }
        }
    }
}

/// From `torch.nn.functional.interpolate(torch.arange(float(n)).view(1, 1, 1, n), size=(1, o))`, or `scale_factor=(1, s)`.
#[test]
fn nearest_reads_the_pixels_that_pytorch_reads() {
    let rows: [(usize, Resize, &[u8]); 6] = [
        (7, Resize::To([1, 12]), &[0, 0, 1, 1, 2, 2, 3, 4, 4, 5, 5, 6]),
        (5, Resize::To([1, 13]), &[0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 3, 4, 4]),
        (9, Resize::To([1, 4]), &[0, 2, 4, 6]),
        (3, Resize::By([1.0, 2.3]), &[0, 0, 1, 1, 2, 2]),
        (5, Resize::By([1.0, 1.7]), &[0, 0, 1, 1, 2, 2, 3, 4]),
        (7, Resize::By([1.0, 0.6]), &[0, 1, 3, 5]),
    ];
    for device in check::devices() {
        for (n, size, want) in rows {
            let x = Tensor::from_slice(&device, [1, 1, 1, n], &(0..n).map(|v| v as f32).collect::<Vec<_>>());
            let y = upsample2d(&x, Upsample2dGeometry { size, mode: Interpolation::Nearest }).to_vec().unwrap();
            assert_eq!(y, want.iter().map(|&v| f32::from(v)).collect::<Vec<_>>(), "{n} {size:?} on {}", device.name());
        }
    }
}

/// From `torch.nn.functional.interpolate(x, .., mode="bilinear", align_corners=..)` of `torch.arange(6.).view(1, 1, 2, 3)`, and of the
/// squares 0, 1, 4, .. in a row.
#[test]
fn bilinear_agrees_with_pytorch() {
    let rows: [([usize; 2], bool, Resize, Interpolation, &[f32]); 5] = [
        ([2, 3], false, Resize::To([3, 5]), BILINEAR, &[0., 0.4, 1., 1.6, 2., 1.5, 1.9, 2.5, 3.1, 3.5, 3., 3.4, 4., 4.6, 5.]),
        ([2, 3], false, Resize::To([3, 5]), ALIGNED, &[0., 0.5, 1., 1.5, 2., 1.5, 2., 2.5, 3., 3.5, 3., 3.5, 4., 4.5, 5.]),
        (
            [1, 5],
            true,
            Resize::By([1.0, 1.7]),
            BILINEAR,
            &[0.0, 0.382_352_98, 0.970_588_3, 2.676_470_8, 4.735_295, 7.676_471_7, 11.264_707, 15.382_352],
        ),
        ([1, 7], true, Resize::To([1, 3]), BILINEAR, &[0.666_666_6, 9.0, 28.666_664]),
        ([1, 7], true, Resize::To([1, 1]), ALIGNED, &[0.0]),
    ];
    for device in check::devices() {
        for ([h, w], squares, size, mode, want) in rows {
            let x: Vec<f32> = (0..h * w).map(|v| if squares { (v * v) as f32 } else { v as f32 }).collect();
            let y = upsample2d(&Tensor::from_slice(&device, [1, 1, h, w], &x), Upsample2dGeometry { size, mode });
            let difference = check::difference(&y.to_vec().unwrap(), want, Bound::Relative(1e-6));
            assert!(difference.ok(), "{size:?} {mode:?} on {}: {y:?} {difference:?}", device.name());
        }
    }
}

#[test]
fn the_gradients_are_the_difference_quotients() {
    for &(x, size) in &ROWS[..9] {
        for mode in MODES {
            let (g, x) = (Upsample2dGeometry { size, mode }, check::tensor(&Device::Cpu, x, 1));
            let shape = x.shape();
            check::gradients(&[x], |t| upsample2d(&t[0], g), |_, dy| vec![upsample2d_bwd_x(dy, shape, g)]);
        }
    }
}

/// Each pass of the gradient reads a plane's row or column, never a whole plane.
#[test]
fn one_pixel_that_became_a_large_plane_gets_its_sum_back() {
    for device in check::devices() {
        let dy = Tensor::full(&device, [1, 2, 300, 301], 1.0);
        for mode in MODES {
            let g = Upsample2dGeometry { size: Resize::To([300, 301]), mode };
            assert_eq!(upsample2d_bwd_x(&dy, [1, 2, 1, 1].into(), g).to_vec().unwrap(), [90_300.0; 2], "{mode:?}");
        }
    }
}

pub(in crate::ops) fn misuses() -> Vec<Misuse> {
    fn zeros<const R: usize>(device: &Device, shape: [usize; R]) -> Tensor {
        Tensor::zeros(device, shape)
    }
    vec![
        misuse!("upsample2d", ["x needs axes (n, c, h, w)", "x [2, 3]"], |d| {
            upsample2d(&zeros(d, [2, 3]), Upsample2dGeometry::nearest_by(2.0))
        }),
        misuse!("upsample2d", ["2x2 cannot become 0x0", "x [1, 1, 2, 2]"], |d| {
            upsample2d(&zeros(d, [1, 1, 2, 2]), Upsample2dGeometry::bilinear_by(0.4))
        }),
        misuse!("upsample2d", ["factors [-1.0, -1.0] are not positive numbers", "x [1, 1, 2, 2]"], |d| {
            upsample2d(&zeros(d, [1, 1, 2, 2]), Upsample2dGeometry::bilinear_by(-1.0))
        }),
        misuse!("upsample2d", ["0x2 cannot become 0x4", "x [1, 1, 0, 2]"], |d| {
            upsample2d(&zeros(d, [1, 1, 0, 2]), Upsample2dGeometry::nearest_by(2.0))
        }),
        misuse!("upsample2d", ["x holds u32, not f32", "x [1, 1, 1, 1]"], |d| {
            upsample2d(&Tensor::from_slice(d, [1, 1, 1, 1], &[1u32]), Upsample2dGeometry::nearest_by(2.0))
        }),
        misuse!("upsample2d_bwd_x", ["x [1, 1, 2, 2] becomes [1, 1, 4, 4]", "dy [1, 1, 4, 5]"], |d| {
            upsample2d_bwd_x(&zeros(d, [1, 1, 4, 5]), [1, 1, 2, 2].into(), Upsample2dGeometry::nearest_by(2.0))
        }),
    ]
}

use super::cases::geometries;
use crate::{Bound, devices, difference, faulty, gpu, gradients, integers, poisoned, tensor};
use gpu_core::ops::internals::pool2d::{self as forms, Form};
use gpu_core::ops::{Divisor, Pool1dGeometry, Pool2dGeometry, avg_pool2d, avg_pool2d_bwd_x, kernels, max_pool2d, max_pool2d_bwd_x};
use gpu_core::{Device, KernelInfo, Shape, Tensor};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

/// A window: its elements inside with their places, and how many taps `Divisor::Window` counts.
struct Window {
    inside: Vec<(usize, f32)>,
    padded: usize,
}

/// Every window of every plane, tap by tap.
fn windows(x: &[f32], shape: Shape, g: Pool2dGeometry) -> Vec<Window> {
    let y = g.out_shape(shape).unwrap();
    let window = |o: usize| {
        let (plane, at) = (o / y.inner(2), [o / y.w() % y.h(), o % y.w()]);
        let mut window = Window { inside: Vec::new(), padded: 0 };
        for tap in (0..g.kernel[0]).flat_map(|r| (0..g.kernel[1]).map(move |s| [r, s])) {
            let [i, j] =
                [0, 1].map(|axis| (at[axis] * g.stride[axis] + tap[axis] * g.dilation[axis]) as isize - g.padding[axis] as isize);
            let within = |extra: [usize; 2]| {
                let [rows, columns] = [shape.h() + extra[0], shape.w() + extra[1]].map(|v| v as isize);
                i < rows && j < columns
            };
            window.padded += usize::from(within(g.padding));
            if within([0, 0]) && i >= 0 && j >= 0 {
                let place = i as usize * shape.w() + j as usize;
                window.inside.push((place, x[plane * shape.inner(2) + place]));
            }
        }
        window
    };
    (0..y.len()).map(window).collect()
}

/// What a pooling must give: y and dx of the maximum, its indices, y and dx of the mean.
struct Want {
    max: Vec<f32>,
    indices: Vec<u32>,
    max_dx: Vec<f32>,
    avg: Vec<f64>,
    avg_dx: Vec<f64>,
}

fn naive(x: &[f32], dy: &[f32], shape: Shape, g: Pool2dGeometry, divisor: Divisor) -> Want {
    let windows = windows(x, shape, g);
    let (mut max_dx, mut avg_dx) = (vec![0f32; x.len()], vec![0f64; x.len()]);
    let (mut max, mut indices, mut avg) = (Vec::new(), Vec::new(), Vec::new());
    for (o, Window { inside, padded }) in windows.iter().enumerate() {
        let plane = o / (windows.len() / (shape.n() * shape.c())) * shape.inner(2);
        let (at, value) = inside.iter().fold(inside[0], |best, &tap| if tap.1 > best.1 { tap } else { best });
        max.push(value);
        indices.push(at as u32);
        max_dx[plane + at] += dy[o];
        let by = match divisor {
            Divisor::Window => *padded,
            Divisor::Inside => inside.len(),
            Divisor::Fixed(by) => by,
        } as f64;
        avg.push(inside.iter().map(|&(_, v)| f64::from(v)).sum::<f64>() / by);
        inside.iter().for_each(|&(at, _)| avg_dx[plane + at] += f64::from(dy[o]) / by);
    }
    Want { max, indices, max_dx, avg, avg_dx }
}

const DIVISORS: [Divisor; 4] = [Divisor::Window, Divisor::Inside, Divisor::Fixed(1), Divisor::Fixed(4)];

/// What a device computes that is not `want`: maxima bit for bit, means too where the divisor is a power of two.
fn differing(shape: Shape, g: Pool2dGeometry, divisor: Divisor, reference: Pool2dGeometry, device: &Device) -> Vec<&'static str> {
    differing_by(false, shape, g, divisor, reference, device)
}

/// The same by the form for large windows, or by the one that the device chooses.
fn differing_by(
    wide: bool,
    shape: Shape,
    g: Pool2dGeometry,
    divisor: Divisor,
    reference: Pool2dGeometry,
    device: &Device,
) -> Vec<&'static str> {
    let y_shape = g.out_shape(shape).unwrap();
    let (xs, ds) = (integers(shape.len(), 5), integers(y_shape.len(), 6));
    let want = naive(&xs, &ds, shape, reference, divisor);
    let device = &poisoned(device);
    let (x, dy) = (Tensor::from_slice(device, shape, &xs), Tensor::from_slice(device, y_shape, &ds));
    let (max, indices) = if wide { forms::max_pool2d(Form::Wide, &x, g, y_shape) } else { max_pool2d(&x, g) };
    let (max_dx, avg, avg_dx) = match wide {
        true => (
            forms::max_pool2d_bwd_x(Form::Wide, &dy, &indices, shape, g),
            forms::avg_pool2d(Form::Wide, &x, g, divisor, y_shape),
            forms::avg_pool2d_bwd_x(Form::Wide, &dy, shape, g, divisor),
        ),
        false => (max_pool2d_bwd_x(&dy, &indices, shape, g), avg_pool2d(&x, g, divisor), avg_pool2d_bwd_x(&dy, shape, g, divisor)),
    };
    let exact = matches!(divisor, Divisor::Fixed(by) if by.is_power_of_two());
    let near = |got: &Tensor, want: &[f64]| {
        let allowed = |want: f64| if exact { 0.0 } else { 1e-5 * want.abs().max(1.0) };
        got.to_vec().unwrap().iter().zip(want).all(|(&got, &want)| (f64::from(got) - want).abs() <= allowed(want))
    };
    [
        ("max", max.to_vec().unwrap() == want.max),
        ("indices", indices.read::<u32>().unwrap() == want.indices),
        ("dx of max", max_dx.to_vec().unwrap() == want.max_dx),
        ("mean", near(&avg, &want.avg)),
        ("dx of mean", near(&avg_dx, &want.avg_dx)),
    ]
    .into_iter()
    .filter_map(|(what, ok)| (!ok).then_some(what))
    .collect()
}

#[test]
fn the_table_is_pooled_exactly_on_every_device() {
    for device in devices() {
        for (shape, g) in geometries() {
            for divisor in DIVISORS {
                let wrong = differing(shape, g, divisor, g, &device);
                assert!(wrong.is_empty(), "{wrong:?} of {shape} {g:?} {divisor:?} on {}", device.name());
            }
            let wrong = differing_by(true, shape, g, Divisor::Inside, g, &device);
            assert!(wrong.is_empty(), "{wrong:?} of {shape} {g:?} by the form for large windows on {}", device.name());
        }
    }
}

/// Shapes and windows at random; those that do not fit are replaced by plain ones.
fn random() -> impl Strategy<Value = ([usize; 4], Pool2dGeometry, Divisor)> {
    let pair = |range: std::ops::RangeInclusive<usize>| [range.clone(), range];
    let window = (pair(1..=4), pair(1..=4), pair(0..=9), pair(1..=3), any::<bool>());
    let divisor = (0..DIVISORS.len()).prop_map(|i| DIVISORS[i]);
    (0..=2usize, 1..=3usize, pair(1..=9), window, divisor).prop_map(|(n, c, [h, w], window, divisor)| {
        let (kernel, stride, padding, dilation, ceil_mode) = window;
        let padding = [0, 1].map(|axis| padding[axis].min(dilation[axis] * (kernel[axis] - 1)));
        let g = Pool2dGeometry { kernel, stride, padding, dilation, ceil_mode };
        let x = [n, c, h, w];
        match g.out_shape(x.into()) {
            Ok(_) => (x, g, divisor),
            Err(_) => (x, Pool2dGeometry { stride, ceil_mode, ..Pool2dGeometry::new([1, 1]) }, divisor),
        }
    })
}

#[test]
fn any_windows_are_pooled_exactly_on_every_device() {
    for device in devices() {
        // Every geometry is compiled into pipelines of its own.
        let cases = if device.is_gpu() { 24 } else { 512 };
        let config = Config { cases, failure_persistence: None, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
        let held = runner.run(&random(), |(x, g, divisor)| {
            let wrong = differing(x.into(), g, divisor, g, &device);
            if wrong.is_empty() { Ok(()) } else { Err(TestCaseError::fail(format!("{wrong:?}"))) }
        });
        held.unwrap_or_else(|e| panic!("on {}: {e}", device.name()));
    }
}

/// A reference with one stride or dilation off, or with its padding at the wrong end, disagrees.
#[test]
fn a_fault_of_geometry_is_noticed_by_the_same_comparison() {
    let g = Pool2dGeometry { stride: [2, 2], padding: [1, 1], ..Pool2dGeometry::new([3, 3]) };
    // Of the same extents, so that only values can tell.
    let faults = [
        Pool2dGeometry { padding: [0, 0], ceil_mode: true, ..Pool2dGeometry { kernel: [2, 2], ..g } },
        Pool2dGeometry { kernel: [2, 3], padding: [1, 1], ..g },
        Pool2dGeometry { kernel: [2, 2], padding: [1, 1], dilation: [2, 2], ..g },
    ];
    let shapes = [[2, 3, 9, 9], [2, 3, 9, 16]].map(Shape::from);
    for (device, shape) in devices().into_iter().flat_map(|device| shapes.map(|shape| (device.clone(), shape))) {
        assert!(differing(shape, g, Divisor::Inside, g, &device).is_empty());
        for wrong in faults {
            assert_eq!(wrong.out_shape(shape), g.out_shape(shape), "{wrong:?}");
            let noticed = differing(shape, g, Divisor::Inside, wrong, &device);
            assert_eq!(noticed.len(), 5, "{wrong:?}: only {noticed:?} on {}", device.name());
        }
    }
}

/// The kernels of this operator: four, each also for common windows and for large ones.
fn kernels_of_pool2d() -> Vec<KernelInfo> {
    let is_own = |kernel: &KernelInfo| ["max_pool2d", "avg_pool2d"].iter().any(|name| kernel.name().starts_with(name));
    let own: Vec<KernelInfo> = kernels().into_iter().filter(is_own).collect();
    assert_eq!(own.len(), 12);
    own
}

#[test]
fn a_fault_of_a_kernel_is_noticed_by_the_same_comparison() {
    let g = Pool2dGeometry::new([2, 2]);
    for device in devices() {
        for kernel in kernels_of_pool2d() {
            let shape = Shape::from(if kernel.name().ends_with("_by4") { [1, 2, 6, 8] } else { [1, 2, 6, 6] });
            let wide = kernel.name().ends_with("_wide");
            let noticed = differing_by(wide, shape, g, Divisor::Window, g, &faulty(&device, kernel.name()));
            assert!(!noticed.is_empty(), "{}", kernel.name());
        }
    }
}

/// From `torch.nn.functional.max_pool1d(torch.zeros(1, 1, n), k, s, p, d, ceil)`: (n, k, s, p, d, ceil) and the length that comes out.
#[test]
fn as_many_windows_fit_as_in_pytorch() {
    let rows = [
        ((7, 3, 2, 0, 1, true), 3),
        ((7, 3, 2, 1, 1, true), 4),
        ((6, 3, 2, 1, 1, true), 4),
        ((2, 3, 2, 0, 1, true), 1),
        ((5, 2, 3, 1, 1, true), 2),
        ((4, 2, 3, 1, 1, true), 2),
        ((9, 3, 3, 1, 2, true), 3),
        ((9, 3, 3, 1, 2, false), 3),
        ((10, 2, 4, 0, 3, true), 3),
        ((3, 2, 4, 1, 1, true), 1),
        ((8, 1, 3, 0, 1, true), 3),
        ((11, 5, 4, 2, 1, true), 4),
    ];
    for ((n, k, s, p, d, ceil_mode), want) in rows {
        let g = Pool1dGeometry { kernel: [k], stride: [s], padding: [p], dilation: [d], ceil_mode };
        assert_eq!(g.out_shape(Shape::from([1, 1, n])), Ok(Shape::from([1, 1, want])), "{n} {g:?}");
        let two = g.with_two_axes();
        assert_eq!(two.out_shape(Shape::from([1, 1, 1, n])), Ok(Shape::from([1, 1, 1, want])), "{n} {two:?}");
    }
}

/// From `torch.nn.functional.avg_pool2d(torch.arange(1., 13.).view(1, 1, 3, 4), (2, 3), (2, 2), (1, 1), True, inside, override)`, and
/// `max_pool2d(torch.tensor([3., 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8]).view(1, 1, 3, 4), (2, 2), (2, 1), (1, 0), (2, 2), True, True)`.
#[test]
fn pooling_agrees_with_pytorch() {
    for device in devices() {
        let x = Tensor::from_slice(&device, [1, 1, 3, 4], &(1..13).map(|v| v as f32).collect::<Vec<_>>());
        let g = Pool2dGeometry { stride: [2, 2], padding: [1, 1], ceil_mode: true, ..Pool2dGeometry::new([2, 3]) };
        let near = |divisor: Divisor, want: [f32; 6]| {
            let got = avg_pool2d(&x, g, divisor).to_vec().unwrap();
            assert!(difference(&got, &want, Bound::Relative(1e-6)).ok(), "{divisor:?}: {got:?}");
        };
        near(Divisor::Window, [0.5, 1.5, 1.0, 5.0, 9.0, 5.0]);
        near(Divisor::Inside, [1.5, 3.0, 4.0, 7.5, 9.0, 10.0]);
        near(Divisor::Fixed(2), [1.5, 4.5, 2.0, 15.0, 27.0, 10.0]);
        let x = Tensor::from_slice(&device, [1, 1, 3, 4], &[3f32, 1., 4., 1., 5., 9., 2., 6., 5., 3., 5., 8.]);
        let g =
            Pool2dGeometry { stride: [2, 1], padding: [1, 0], dilation: [2, 2], ceil_mode: true, ..Pool2dGeometry::new([2, 2]) };
        let (y, indices) = max_pool2d(&x, g);
        assert_eq!((y.to_vec().unwrap(), indices.read::<u32>().unwrap()), (vec![5., 9., 5., 9.], vec![4, 5, 4, 5]));
    }
}

#[test]
fn the_gradients_are_the_difference_quotients() {
    for (shape, g) in geometries().filter(|(shape, _)| (1..600).contains(&shape.len())) {
        // All elements far enough apart that a step changes no maximum.
        let apart: Vec<f32> = (0..shape.len()).map(|i| (i * 7919 % shape.len()) as f32 * 0.05).collect();
        let x = Tensor::from_slice(&Device::Cpu, shape, &apart);
        let backward = |t: &[Tensor], dy: &Tensor| vec![max_pool2d_bwd_x(dy, &max_pool2d(&t[0], g).1, shape, g)];
        gradients(&[x], |t| max_pool2d(&t[0], g).0, backward);
        for divisor in DIVISORS {
            let x = tensor(&Device::Cpu, shape, 1);
            gradients(&[x], |t| avg_pool2d(&t[0], g, divisor), |_, dy| vec![avg_pool2d_bwd_x(dy, shape, g, divisor)]);
        }
    }
}

#[test]
fn padding_never_wins_and_a_nan_always_does() {
    let g = Pool2dGeometry { padding: [1, 1], ..Pool2dGeometry::new([2, 2]) };
    for device in devices() {
        let x = Tensor::from_slice(&device, [1, 1, 2, 2], &[-5.0, f32::NEG_INFINITY, f32::NAN, -7.0]);
        let (y, indices) = max_pool2d(&x, g);
        let y = y.to_vec().unwrap();
        assert_eq!((y[0], y[1], y[3]), (-5.0, f32::NEG_INFINITY, -7.0));
        assert!(y[2].is_nan());
        assert_eq!(indices.read::<u32>().unwrap(), [0, 1, 2, 3]);
        let (y, indices) = max_pool2d(&x, Pool2dGeometry::new([2, 2]));
        assert!(y.item().unwrap().is_nan());
        assert_eq!(indices.read::<u32>().unwrap(), [2]);
        // The same in a row that goes by four.
        let mut row = [f32::NEG_INFINITY; 8];
        (row[2], row[3], row[5]) = (f32::NAN, 7.0, -5.0);
        let x = Tensor::from_slice(&device, [1, 1, 1, 8], &row);
        let (y, indices) = max_pool2d(&x, Pool2dGeometry { stride: [2, 2], padding: [1, 1], ..Pool2dGeometry::new([3, 3]) });
        let y = y.to_vec().unwrap();
        assert!(y[1].is_nan() && (y[0], y[2], y[3]) == (f32::NEG_INFINITY, 7.0, -5.0), "{y:?}");
        assert_eq!(indices.read::<u32>().unwrap(), [0, 2, 3, 5]);
    }
}

/// ONNX's operators with kernel 3 and 2 of padding on every side; PyTorch refuses that much.
/// `onnx.reference.ReferenceEvaluator`: MaxPool, AveragePool with count_include_pad 1 and 0.
#[test]
fn padding_beyond_half_a_window_gives_the_numbers_of_onnx() {
    let g = Pool2dGeometry { stride: [1, 1], padding: [2, 2], ..Pool2dGeometry::new([3, 3]) };
    for device in devices() {
        let x = Tensor::from_slice(&device, [1, 1, 2, 2], &[1.0f32, 2.0, 3.0, 4.0]);
        let (y, indices) = max_pool2d(&x, g);
        let max = [[1.0, 2.0, 2.0, 2.0], [3.0, 4.0, 4.0, 4.0], [3.0, 4.0, 4.0, 4.0], [3.0, 4.0, 4.0, 4.0]].concat();
        assert_eq!((y.shape(), y.to_vec().unwrap()), ([1, 1, 4, 4].into(), max.clone()));
        let places: Vec<u32> = max.iter().map(|v| *v as u32 - 1).collect();
        assert_eq!(indices.read::<u32>().unwrap(), places);
        let sums = [[1.0, 3.0, 3.0, 2.0], [4.0, 10.0, 10.0, 6.0], [4.0, 10.0, 10.0, 6.0], [3.0, 7.0, 7.0, 4.0]].concat();
        let inside = [1.0, 2.0, 2.0, 1.0, 2.0, 4.0, 4.0, 2.0, 2.0, 4.0, 4.0, 2.0, 1.0, 2.0, 2.0, 1.0];
        for (divisor, by) in [(Divisor::Window, [9.0; 16]), (Divisor::Inside, inside)] {
            let got = avg_pool2d(&x, g, divisor).to_vec().unwrap();
            let close = got.iter().zip(&sums).zip(by).all(|((g, sum), by)| (g - sum / by).abs() < 1e-6);
            assert!(close, "{divisor:?} on {}: {got:?}", device.name());
        }
    }
}

/// Between two windows, before one, in a row of another, past the plane: nothing of it arrives, in every form.
#[test]
fn an_index_outside_its_window_gives_nothing_on_every_device() {
    let apart = Pool2dGeometry { stride: [3, 3], ..Pool2dGeometry::new([2, 2]) };
    let overlapping = Pool2dGeometry { stride: [2, 2], padding: [1, 1], ..Pool2dGeometry::new([3, 3]) };
    let dilated = Pool2dGeometry { dilation: [2, 3], ..Pool2dGeometry::new([2, 2]) };
    for (shape, g) in [([1, 2, 8, 8], apart), ([1, 2, 8, 8], overlapping), ([1, 2, 7, 9], overlapping), ([1, 2, 8, 8], dilated)] {
        let (x, y) = (Shape::from(shape), g.out_shape(shape.into()).unwrap());
        let plane = x.inner(2);
        for at in (0..plane + 2).chain([u32::MAX as usize]) {
            // Within the rows and columns between the first and the last element of the window.
            let lies = |o: usize| {
                let within = |axis: usize, window: usize, i: usize| {
                    let past = (i + g.padding[axis]).checked_sub(window * g.stride[axis]);
                    past.is_some_and(|past| past <= (g.kernel[axis] - 1) * g.dilation[axis])
                };
                at < plane && within(0, o / y.w(), at / x.w()) && within(1, o % y.w(), at % x.w())
            };
            let mut want = vec![0.0; x.len()];
            for o in (0..y.len()).filter(|o| lies(o % y.inner(2))) {
                want[o / y.inner(2) * plane + at] += o as f32 + 1.0;
            }
            for device in devices() {
                let dy = Tensor::from_slice(&device, y, &(1..=y.len()).map(|v| v as f32).collect::<Vec<_>>());
                let indices = Tensor::from_slice(&device, y, &vec![at as u32; y.len()]);
                let dx = max_pool2d_bwd_x(&dy, &indices, x, g);
                assert_eq!(dx.to_vec().unwrap(), want, "{at} in {shape:?} {g:?} on {}", device.name());
                let wide = forms::max_pool2d_bwd_x(Form::Wide, &dy, &indices, x, g);
                assert_eq!(wide.to_vec().unwrap(), want, "{at} in {shape:?} {g:?}, wide, on {}", device.name());
            }
        }
    }
}

/// More taps than a software driver's loops have iterations, forward and backward, and so many windows over one element.
#[test]
fn windows_of_any_size_are_pooled_on_every_device() {
    let Some(device) = gpu() else { return };
    let cases = [
        ([1, 2, 299, 299], Pool2dGeometry::new([299, 299])),
        ([1, 1, 300, 301], Pool2dGeometry { stride: [1, 1], ..Pool2dGeometry::new([299, 299]) }),
        ([1, 1, 140, 141], Pool2dGeometry { stride: [1, 1], ..Pool2dGeometry::new([129, 129]) }),
        ([1, 1, 255, 256], Pool2dGeometry { stride: [1, 1], ..Pool2dGeometry::new([128, 128]) }),
        ([1, 1, 1, 70_001], Pool2dGeometry { stride: [1, 1], ..Pool2dGeometry::new([1, 70_000]) }),
    ];
    for (shape, g) in cases {
        let on = |device: &Device| {
            let integers = |shape: Shape, seed| Tensor::from_slice(device, shape, &integers(shape.len(), seed));
            let x = integers(shape.into(), 5);
            let (y, indices) = max_pool2d(&x, g);
            let dy = integers(y.shape(), 6);
            let dx = max_pool2d_bwd_x(&dy, &indices, shape.into(), g);
            let mean = avg_pool2d(&x, g, Divisor::Fixed(1));
            let exact = [y, dx, mean].map(|t| t.to_vec().unwrap());
            let spread = avg_pool2d_bwd_x(&dy, shape.into(), g, Divisor::Fixed(1)).to_vec().unwrap();
            (exact, indices.read::<u32>().unwrap(), spread)
        };
        assert!(on(&device) == on(&Device::Cpu), "{shape:?} {g:?}");
    }
}

//! The mirrors and the kernels against the definition, with integers: exactly.

mod large;
mod random;

use super::cases::{DEPTHWISE_ROWS, ROWS, Row, Shapes, TRANSPOSED_ROWS, TransposedRow, products, shapes};
use crate::{counted, devices, faulty, gpu, gradients, poisoned, tensor};
use gpu_core::ops::internals::{self, Conv2dForm, HalfForm, ProductForm};
use gpu_core::ops::{
    Conv2dGeometry, ConvAlgorithm, ConvTranspose2dGeometry, Padding, conv_transpose2d, conv_transpose2d_bwd_w,
    conv_transpose2d_bwd_x, conv2d, conv2d_bwd_w, conv2d_bwd_w_by, conv2d_bwd_x, conv2d_bwd_x_by, conv2d_by,
};
use gpu_core::{DType, Device, Shape, Tensor};

/// Calls `f` with (x index, w index, y index) of every product of a convolution: the definition, once. `shift` moves every group
/// to other input channels: 0 is right.
fn for_each_tap(g: Conv2dGeometry, shift: usize, [x, w, y]: [Shape; 3], mut f: impl FnMut(usize, usize, usize)) {
    let group_k = w.dim(0) / g.groups;
    for yi in 0..y.len() {
        let (q, p, k, n) = (yi % y.w(), yi / y.w() % y.h(), yi / y.inner(2) % y.c(), yi / y.inner(1));
        for c in 0..w.dim(1) {
            for (r, s) in (0..w.dim(2)).flat_map(|r| (0..w.dim(3)).map(move |s| (r, s))) {
                let h = (p * g.stride[0] + r * g.dilation[0]).checked_sub(g.padding.before[0]).filter(|&h| h < x.h());
                let v = (q * g.stride[1] + s * g.dilation[1]).checked_sub(g.padding.before[1]).filter(|&v| v < x.w());
                if let (Some(h), Some(v)) = (h, v) {
                    let channel = (k / group_k + shift) % g.groups * w.dim(1) + c;
                    f(((n * x.c() + channel) * x.h() + h) * x.w() + v, ((k * w.dim(1) + c) * w.dim(2) + r) * w.dim(3) + s, yi);
                }
            }
        }
    }
}

/// The inputs of a row as integers: x, w, dy.
fn integers(Shapes { x, w, y }: Shapes) -> [Vec<f32>; 3] {
    [(x, 1), (w, 2), (y, 3)].map(|(shape, seed)| crate::integers(shape.len(), seed))
}

/// y, dx and dw of a row's integers by the definition, under another geometry if a fault is to be planted.
fn naive(row: &Row, g: Conv2dGeometry, shift: usize) -> [Vec<f32>; 3] {
    let s = shapes(row);
    let [x, w, dy] = integers(s).map(|v| v.into_iter().map(f64::from).collect::<Vec<_>>());
    let (mut y, mut dx, mut dw) = (vec![0f64; dy.len()], vec![0f64; x.len()], vec![0f64; w.len()]);
    for_each_tap(g, shift, [s.x, s.w, s.y], |xi, wi, yi| {
        y[yi] += x[xi] * w[wi];
        dx[xi] += w[wi] * dy[yi];
        dw[wi] += x[xi] * dy[yi];
    });
    [y, dx, dw].map(|v| v.into_iter().map(|v| v as f32).collect())
}

/// y, dx and dw of a row's integers on `device`, by everything that can compute them.
fn computed(row: &Row, device: &Device) -> Vec<(String, [Vec<f32>; 3])> {
    let (Shapes { x, w, y }, g) = (shapes(row), row.3);
    let device = &poisoned(device);
    let [xs, ws, ds] = integers(shapes(row));
    let [xt, wt, dt] = [(x, &xs), (w, &ws), (y, &ds)].map(|(shape, v)| Tensor::from_slice(device, shape, v));
    let mut all = Vec::new();
    let mut add = |what: String, out: [Tensor; 3]| all.push((what, out.map(|t| t.to_vec().unwrap())));
    let by = |form: Conv2dForm| {
        let y = internals::conv2d(form, &xt, &wt, None, g);
        [y, internals::conv2d_bwd_x(form, &dt, &wt, None, x, g), internals::conv2d_bwd_w(form, &xt, &dt, w, g)]
    };
    products(row).for_each(|form| add(format!("{form:?}"), by(Conv2dForm::Product(form))));
    if internals::conv2d_fits(Conv2dForm::Depthwise, x, w, g) {
        add("depthwise".to_owned(), by(Conv2dForm::Depthwise));
    }
    if x.len().max(dt.len()).max(w.len()) < 10_000 {
        add("wide".to_owned(), by(Conv2dForm::Wide));
    }
    for algorithm in [ConvAlgorithm::Auto, ConvAlgorithm::Im2col] {
        let y = conv2d_by(algorithm, &xt, &wt, None, g);
        let (dx, dw) = (conv2d_bwd_x_by(algorithm, &dt, &wt, x, g), conv2d_bwd_w_by(algorithm, &xt, &dt, w, g));
        add(format!("{algorithm:?}"), [y, dx, dw]);
    }
    all
}

/// What of `computed` is not `want`, bit for bit.
fn differing(computed: &[(String, [Vec<f32>; 3])], want: &[Vec<f32>; 3]) -> Vec<String> {
    let mut found = Vec::new();
    for (what, got) in computed {
        let wrong = ["y", "dx", "dw"].iter().zip(got).zip(want).filter(|((_, got), want)| got != want);
        found.extend(wrong.map(|((name, _), _)| format!("{name} by {what}")));
    }
    found
}

#[test]
fn small_integers_convolve_exactly_on_every_device_and_by_every_kernel() {
    for row in ROWS.iter().chain(DEPTHWISE_ROWS) {
        for device in devices() {
            let wrong = differing(&computed(row, &device), &naive(row, row.3, 0));
            assert!(wrong.is_empty(), "{wrong:?} on {}: {row:?}", device.name());
        }
    }
}

/// Small integers are exact in f16.
#[test]
fn small_integers_in_f16_convolve_exactly_too() {
    for row in ROWS.iter().chain(DEPTHWISE_ROWS) {
        let (s, g, want) = (shapes(row), row.3, naive(row, row.3, 0));
        for device in devices() {
            let device = &poisoned(&device);
            let halves = |shape: Shape, v: &[f32]| Tensor::from_slice(device, shape, v).cast(DType::F16);
            let [x, w, dy] = integers(s);
            let (x, w, dy) = (halves(s.x, &x), halves(s.w, &w), halves(s.y, &dy));
            for form in HalfForm::ALL.map(Conv2dForm::Half) {
                let (y, dx) = (internals::conv2d(form, &x, &w, None, g), internals::conv2d_bwd_x(form, &dy, &w, None, s.x, g));
                assert_eq!([&y.to_vec().unwrap(), &dx.to_vec().unwrap()], [&want[0], &want[1]], "{form:?} {row:?}");
            }
            assert_eq!(conv2d(&x, &w, None, g).to_vec().unwrap(), want[0], "{row:?}");
            assert_eq!(conv2d_bwd_x_by(ConvAlgorithm::Im2col, &dy, &w, s.x, g).to_vec().unwrap(), want[1], "{row:?}");
        }
    }
}

#[test]
fn a_transposed_convolution_of_small_integers_in_f16_is_that_of_f32() {
    for &(x, k, [r, s], g) in TRANSPOSED_ROWS {
        let (x, w) = (Shape::from(x), Shape::from([x[1], k / g.groups, r, s]));
        for device in devices() {
            let [x, w] =
                [(x, 1), (w, 2)].map(|(shape, seed)| Tensor::from_slice(&device, shape, &crate::integers(shape.len(), seed)));
            let (wide, half) = (conv_transpose2d(&x, &w, None, g), [&x, &w].map(|factor| factor.cast(DType::F16)));
            assert_eq!(conv_transpose2d(&half[0], &half[1], None, g).to_vec().unwrap(), wide.to_vec().unwrap(), "{g:?}");
        }
    }
}

/// A reference that is off by one in a padding, a stride or a dilation, or takes the next group's channels, disagrees with every
/// kernel in everything that depends on it.
#[test]
fn a_fault_of_geometry_is_noticed_by_the_same_comparison() {
    let g = Conv2dGeometry { stride: [2, 1], padding: [1, 2, 2, 1].into(), dilation: [1, 2], groups: 2 };
    let row: Row = ([2, 4, 9, 10], 6, [3, 3], g);
    let moved = |before, after| Conv2dGeometry { padding: Padding { before, after }, ..g };
    let faults = [
        ("top", moved([2, 2], [1, 1]), 0),
        ("left", moved([1, 1], [2, 2]), 0),
        ("stride", Conv2dGeometry { stride: [1, 1], ..g }, 0),
        ("dilation", Conv2dGeometry { dilation: [1, 1], ..g }, 0),
        ("group", g, 1),
    ];
    for device in devices() {
        let computed = computed(&row, &device);
        assert!(differing(&computed, &naive(&row, g, 0)).is_empty(), "without a fault, on {}", device.name());
        for (what, wrong, shift) in faults {
            let noticed = differing(&computed, &naive(&row, wrong, shift));
            assert_eq!(noticed.len(), 3 * computed.len(), "{what}: only {noticed:?} notice it");
        }
    }
}

/// One element of one output changed, in any kernel, is noticed by the same comparison.
#[test]
fn a_fault_of_a_kernel_is_noticed_by_the_same_comparison() {
    let plain: Row = ([2, 3, 8, 8], 8, [3, 3], Conv2dGeometry { padding: 1.into(), ..Default::default() });
    let depthwise: Row = ([2, 2, 8, 8], 2, [3, 3], Conv2dGeometry { groups: 2, ..plain.3 });
    let Some(device) = gpu() else { return };
    for row in [plain, depthwise] {
        let want = naive(&row, row.3, 0);
        let (watched, launches) = counted(&device);
        computed(&row, &watched);
        for kernel in launches.names() {
            let spoiled = computed(&row, &faulty(&device, kernel));
            assert!(!differing(&spoiled, &want).is_empty(), "{kernel}");
        }
    }
}

/// A transposed convolution's y, dx and dw by the definition, with integers: every input element is spread over its taps.
fn naive_transposed((x, k, [r, s], g): &TransposedRow, y: Shape) -> [Vec<f32>; 3] {
    let (x, group_c, group_k) = (Shape::from(*x), x[1] / g.groups, k / g.groups);
    let w = Shape::from([x.c(), group_k, *r, *s]);
    let [xs, ws, ds] = [(x, 1), (w, 2), (y, 3)].map(|(shape, seed)| crate::integers(shape.len(), seed));
    let (mut out, mut dx, mut dw) = (vec![0f32; ds.len()], vec![0f32; xs.len()], vec![0f32; ws.len()]);
    for xi in 0..x.len() {
        let (j, i, c, n) = (xi % x.w(), xi / x.w() % x.h(), xi / x.inner(2) % x.c(), xi / x.inner(1));
        for wi in c * w.inner(1)..(c + 1) * w.inner(1) {
            let (s, r, k) = (wi % w.w(), wi / w.w() % w.h(), wi / w.inner(2) % group_k);
            let p = (i * g.stride[0] + r * g.dilation[0]).checked_sub(g.padding.before[0]).filter(|&p| p < y.h());
            let q = (j * g.stride[1] + s * g.dilation[1]).checked_sub(g.padding.before[1]).filter(|&q| q < y.w());
            if let (Some(p), Some(q)) = (p, q) {
                let yi = ((n * y.c() + c / group_c * group_k + k) * y.h() + p) * y.w() + q;
                out[yi] += xs[xi] * ws[wi];
                dx[xi] += ws[wi] * ds[yi];
                dw[wi] += xs[xi] * ds[yi];
            }
        }
    }
    [out, dx, dw]
}

/// What of a transposed convolution is not as the definition says; its bias is 1, 2, ..
fn differing_transposed(row: &TransposedRow, device: &Device) -> Vec<String> {
    let &(x, k, [r, s], g) = row;
    let (x, w) = (Shape::from(x), Shape::from([x[1], k / g.groups, r, s]));
    let y = g.out_shape(x, w).unwrap();
    let device = &poisoned(device);
    let make = |shape: Shape, seed| Tensor::from_slice(device, shape, &crate::integers(shape.len(), seed));
    let (xt, wt, dt) = (make(x, 1), make(w, 2), make(y, 3));
    let bias: Vec<f32> = (1..=k).map(|v| v as f32).collect();
    let mut want = naive_transposed(row, y);
    let got = [
        conv_transpose2d(&xt, &wt, Some(&Tensor::from_slice(device, [k], &bias)), g),
        conv_transpose2d_bwd_x(&dt, &wt, x, g),
        conv_transpose2d_bwd_w(&xt, &dt, w, g),
    ];
    want[0].iter_mut().enumerate().for_each(|(i, v)| *v += bias[i / y.inner(2) % k]);
    differing(&[("conv_transpose2d".to_owned(), got.map(|t| t.to_vec().unwrap()))], &want)
}

#[test]
fn small_integers_convolve_exactly_backwards_too() {
    for row in TRANSPOSED_ROWS {
        for device in devices() {
            let wrong = differing_transposed(row, &device);
            assert!(wrong.is_empty(), "{wrong:?} on {}: {row:?}", device.name());
        }
    }
}

/// From `torch.nn.functional.conv2d(torch.arange(16.).view(1, 1, 4, 4), torch.ones(1, 1, 3, 3), torch.tensor([0.5]))`.
#[test]
fn conv2d_agrees_with_pytorch() {
    for device in devices() {
        let x: Vec<f32> = (0..16).map(|v| v as f32).collect();
        let x = Tensor::from_slice(&device, [1, 1, 4, 4], &x);
        let (w, b) = (Tensor::full(&device, [1, 1, 3, 3], 1.0), Tensor::full(&device, [1], 0.5));
        let y = conv2d(&x, &w, Some(&b), Conv2dGeometry::default());
        assert_eq!(y.to_vec().unwrap(), [45.5, 54.5, 81.5, 90.5]);
    }
}

#[test]
fn gradients_agree_with_differences() {
    let sides = Padding { before: [1, 0], after: [0, 2] };
    let rows: [Row; 2] = [
        ([2, 4, 5, 6], 6, [3, 2], Conv2dGeometry { stride: [2, 1], padding: sides, dilation: [1, 2], groups: 2 }),
        ([2, 3, 5, 4], 3, [3, 3], Conv2dGeometry { padding: 1.into(), groups: 3, ..Default::default() }),
    ];
    for (x, k, [r, s], g) in rows {
        let inputs = [tensor(&Device::Cpu, x, 1), tensor(&Device::Cpu, [k, x[1] / g.groups, r, s], 2)];
        let backward =
            |t: &[Tensor], dy: &Tensor| vec![conv2d_bwd_x(dy, &t[1], t[0].shape(), g), conv2d_bwd_w(&t[0], dy, t[1].shape(), g)];
        gradients(&inputs, |t| conv2d(&t[0], &t[1], None, g), backward);
    }
}

#[test]
fn transposed_gradients_agree_with_differences() {
    for &(x, k, [r, s], g) in &TRANSPOSED_ROWS[..6] {
        let inputs = [tensor(&Device::Cpu, x, 1), tensor(&Device::Cpu, [x[1], k / g.groups, r, s], 2)];
        let backward = |t: &[Tensor], dy: &Tensor| {
            vec![conv_transpose2d_bwd_x(dy, &t[1], t[0].shape(), g), conv_transpose2d_bwd_w(&t[0], dy, t[1].shape(), g)]
        };
        gradients(&inputs, |t| conv_transpose2d(&t[0], &t[1], None, g), backward);
    }
}

#[test]
fn a_bias_is_added_in_double_precision_too() {
    let device = &Device::cpu_f64();
    let (x, w) = (Tensor::full(device, [1, 2, 1, 1], 2.0), Tensor::full(device, [2, 1, 1, 1], 3.0));
    let b = Tensor::from_slice(device, [2], &[1.0f32, 2.0]);
    let g = Conv2dGeometry { groups: 2, ..Default::default() };
    let t = ConvTranspose2dGeometry { groups: 2, ..Default::default() };
    let y = [conv2d(&x, &w, Some(&b), g), conv_transpose2d(&x, &w, Some(&b), t)].map(|y| y.read::<f64>().unwrap());
    assert_eq!(y, [[7.0, 8.0], [7.0, 8.0]]);
}

#[test]
fn padding_is_written_as_short_as_it_can_be() {
    let texts = [1.into(), [1, 2].into(), [0, 1, 2, 3].into()].map(|p: Padding<2>| p.to_string());
    assert_eq!(texts, ["1", "1x2", "0,1,2,3"]);
    assert_eq!(Padding::<1>::from([2, 3]).to_string(), "2,3");
}

#[test]
#[should_panic(expected = "conv2d: Product(Row3) cannot compute")]
fn a_form_that_does_not_fit_is_refused() {
    let [x, w] = [[1, 1, 4, 4], [1, 1, 2, 2]].map(|shape| Tensor::zeros(&Device::Cpu, shape));
    internals::conv2d(Conv2dForm::Product(ProductForm::Row3), &x, &w, None, Conv2dGeometry::default());
}

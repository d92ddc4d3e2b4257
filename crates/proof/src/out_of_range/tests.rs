//! The library's kernels have no index out of range; planted ones are counted.

use super::CountingGpu;
use crate::Case;
use gpu_core::ops::{self, Augment, CrossEntropy, Pool2dGeometry, Warp};
use gpu_core::rng::Key;
use gpu_core::{Args, Array, DType, Device, Grid, Kernel, Launched, Observer, Place, Shape, Tensor};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// The device that counts, where there is a GPU.
fn counting() -> Option<CountingGpu> {
    crate::gpu()?;
    Some(CountingGpu::open().unwrap())
}

#[test]
fn no_kernel_has_an_index_out_of_range_over_the_table() {
    let Some(counting) = counting() else { return };
    let (device, launches) = crate::counted(counting.device());
    let mut found = Vec::new();
    for case in crate::cases() {
        case.run(&device);
        let count = counting.take().unwrap();
        if count > 0 {
            found.push(format!("{} {}: {count}, in one of {:?}", case.name, case.what, launches.names()));
        }
        launches.take();
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Overwrites the integers that each launch computed: they may be indices of the next one.
struct Overwrite(u32);

fn is_integer(array: &Array) -> bool {
    matches!(array.dtype(), DType::U32 | DType::I32)
}

impl Observer for Overwrite {
    fn launched(&self, on: &Place, launch: &Launched<'_>) {
        let integers = launch.outputs.iter().filter(|output| is_integer(output));
        integers.for_each(|output| ops::internals::fill_word(&Tensor::of_array(on, output), self.0));
    }
}

/// Whether a launch reads integers that an earlier one computed.
#[derive(Default)]
struct HandsOn {
    computed: Mutex<Vec<Array>>,
    found: AtomicBool,
}

impl Observer for HandsOn {
    fn launched(&self, _on: &Place, launch: &Launched<'_>) {
        let mut computed = self.computed.lock();
        let is_known = |input: &&&Array| computed.iter().any(|array| array.is_same_memory(input));
        if launch.inputs.iter().any(|input| is_known(&input)) {
            self.found.store(true, Relaxed);
        }
        computed.extend(launch.outputs.iter().filter(|output| is_integer(output)).map(|&output| output.clone()));
    }
}

/// Every step of an operator is safe whatever integers the step before left it.
#[test]
fn no_index_that_lies_in_a_tensor_is_trusted_between_the_steps_of_an_operator() {
    let Some(counting) = counting() else { return };
    let hands_on = |case: &Case| {
        let observer = Arc::new(HandsOn::default());
        case.run(&Device::Cpu.observed_by(observer.clone()));
        observer.found.load(Relaxed)
    };
    let cases: Vec<Case> = crate::cases().into_iter().filter(hands_on).collect();
    assert!(["sort", "scatter"].iter().all(|op| cases.iter().any(|case| case.name.contains(op))), "{} cases", cases.len());
    let mut found = Vec::new();
    for word in [u32::MAX, i32::MAX as u32, 1 << 20] {
        let device = counting.device().observed_by(Arc::new(Overwrite(word)));
        for case in &cases {
            case.run(&device);
            let count = counting.take().unwrap();
            if count > 0 {
                found.push(format!("{} {} with {word:#x}: {count}", case.name, case.what));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

fn nothing(_: &mut Args<'_>) {}

/// What `entry` of the control counts, launched as one workgroup of eight on tensors of eight.
fn planted(counting: &CountingGpu, kernel: &'static Kernel) -> u32 {
    let device: &Device = counting.device();
    let (x, y) = (Tensor::zeros(device, [8]), Tensor::zeros(device, [8]));
    kernel.launch((), &[&x], &[&y], Grid::linear(8, 8));
    counting.take().unwrap()
}

macro_rules! control {
    ($body:literal) => {{
        const WGSL: &str = concat!(
            "
            @group(0) @binding(0) var<storage, read> x: array<f32>;
            @group(0) @binding(1) var<storage, read_write> y: array<f32>;
            var<workgroup> tile: array<vec4<f32>, 8>;
            fn element(i: i32) -> f32 { return x[i]; }
            fn add(own: ptr<function, array<f32, 4>>, i: u32) { (*own)[i] += 1.0; }
            @compute @workgroup_size(8) fn planted(@builtin(local_invocation_index) i: u32) {
                var own = array<f32, 4>();
                tile[i] = vec4<f32>(x[i]);
                workgroupBarrier();
                y[i] = tile[7u - i].x + own[i % 4u];",
            $body,
            "}"
        );
        static KERNEL: Kernel = Kernel::new(WGSL, "planted", nothing);
        &KERNEL
    }};
}

#[test]
fn a_planted_index_out_of_range_is_counted_wherever_it_is() {
    let Some(counting) = counting() else { return };
    let controls: [(&Kernel, u32); 11] = [
        (control!(""), 0),
        (control!("y[i] += x[i + 1u];"), 1),
        (control!("y[2u * i] = 1.0;"), 4),
        (control!("tile[i + 3u] = vec4<f32>(1.0); y[i] += tile[0].y;"), 3),
        (control!("y[i] += element(i32(i) - 2);"), 2),
        (control!("y[i] += x[8];"), 8),
        (control!("add(&own, i); y[i] += own[0];"), 4),
        (control!("y[i] += tile[i][i];"), 4),
        (control!("for (var j = 0u; j < 3u; j++) { if j == 2u { y[i] += x[i + j]; } }"), 2),
        (control!("switch i { case 6u: { y[i] = x[9u + i]; } default: { if i == 7u { y[i] = element(-1); } } }"), 2),
        (control!("for (var j = i; j < 10u; y[j] = 1.0) { j += 5u; }"), 10),
    ];
    for (i, (kernel, want)) in controls.into_iter().enumerate() {
        assert_eq!(planted(&counting, kernel), want, "control {i}");
    }
}

/// Words that are no index; every fifth is `own` of its place.
fn words(device: &Device, shape: impl Into<Shape>, own: impl Fn(usize) -> usize) -> Tensor {
    let shape = shape.into();
    let words: Vec<u32> = (0..shape.len()).map(|i| [u32::MAX, i32::MAX as u32, 1 << 20, 1000, own(i) as u32][i % 5]).collect();
    Tensor::from_slice(device, shape, &words)
}

/// What every operator that is given `n` indices makes of such words.
fn of_foreign_indices(device: &Device, n: usize) -> Vec<(&'static str, Tensor)> {
    let floats = |shape: &[usize]| crate::tensor(device, shape, 1);
    let zeros = |shape: &[usize]| words(device, shape, |_| 0);
    // What goes back to one place is not added up.
    let sorted = words(device, [2, n], |i| i % n);
    // The middles of windows of three, two apart, in planes of five.
    let pooled = words(device, [n, 1, 2, 2], |i| [6, 8, 16, 18][i % 4]);
    let (ones, g) = (Tensor::scalar(device, 1.0), Pool2dGeometry { stride: [2, 2], ..Pool2dGeometry::new([3, 3]) });
    let dy = floats(&[n, 1, 2, 2]);
    let mut found = vec![
        ("gather", ops::gather(&floats(&[3, 6]), 1, &zeros(&[3, n]))),
        ("index_select", ops::index_select(&floats(&[6, 8]), 0, &zeros(&[n]))),
        ("index_select of columns", ops::index_select(&floats(&[6, 5]), 1, &zeros(&[n]))),
        ("one_hot", ops::one_hot(&zeros(&[n]), 5)),
        ("scatter_add", ops::scatter_add(&floats(&[3, 6]), 1, &zeros(&[3, n]), &floats(&[3, n]))),
        ("index_add", ops::index_add(&floats(&[6, 3]), 0, &zeros(&[n]), &floats(&[n, 3]))),
        ("gather_bwd_x", ops::gather_bwd_x(&floats(&[3, n]), 1, &zeros(&[3, n]), [3, 6])),
        ("index_select_bwd_x", ops::index_select_bwd_x(&floats(&[n, 3]), 0, &zeros(&[n]), [6, 3])),
        ("sort_bwd_x", ops::sort_bwd_x(&floats(&[2, n]), &sorted, 1, [2, n])),
        ("max_pool2d_bwd_x", ops::max_pool2d_bwd_x(&dy, &pooled, [n, 1, 5, 5].into(), g)),
        ("adaptive_max_pool2d_bwd_x", ops::adaptive_max_pool2d_bwd_x(&dy, &pooled, [n, 1, 5, 5].into())),
    ];
    let weights = Tensor::from_slice(device, [7], &[1.0f32, 2.0, 0.5, 3.0, 1.0, 0.25, 2.0]);
    for options in [CrossEntropy::default(), CrossEntropy { weight: Some(weights), smoothing: 0.1, ..CrossEntropy::default() }] {
        let (x, labels) = (floats(&[n, 7]), zeros(&[n]));
        let (loss, probs) = ops::cross_entropy(&x, &labels, &options);
        let unsmoothed = CrossEntropy { smoothing: 0.0, ..options.clone() };
        let metrics = ops::MetricSums::zeros(device);
        ops::accumulate_metrics(&ones, &x, &labels, &metrics);
        found.extend([
            ("cross_entropy", loss),
            ("cross_entropy_bwd", ops::cross_entropy_bwd(&probs, &labels, &options, &ones)),
            ("nll_loss", ops::nll_loss(&x, &labels, &unsmoothed)),
            ("nll_loss_bwd", ops::nll_loss_bwd(x.shape(), &labels, &unsmoothed, &ones)),
            ("accumulate_metrics", ops::cast(&metrics, DType::F32)),
        ]);
    }
    let plain = Augment { flip: true, crop_padding: 2, cutout: 3, mean: [0.5; 4], std: [0.5; 4] };
    let images = Tensor::from_slice(device, [3, 1, 4, 4], &[7u8; 48]);
    let (x, chosen) = (floats(&[n, 1, 4, 4]), Tensor::empty_of(device, [n], DType::U32));
    ops::augment(&images, &zeros(&[n]), Key { seed: 1, stream: 2 }, &words(device, [1], |_| 0), &x, &plain);
    ops::gather_labels(&words(device, [3], |_| 0), &zeros(&[n]), &chosen);
    let (warped, wild) = (floats(&[n, 1, 4, 4]), ops::cast(&words(device, [n * Warp::WORDS], |i| i * 2_654_435_761), DType::I32));
    ops::warp(&images, &zeros(&[n]), &wild.reshape([n, Warp::WORDS]), &warped, [0.5; 4], [0.5; 4]);
    found.extend([("augment", x), ("gather_labels", ops::cast(&chosen, DType::F32)), ("warp", warped)]);
    found
}

/// With more indices and with fewer than are sorted.
#[test]
fn no_index_that_a_caller_gives_is_trusted() {
    let Some(counting) = counting() else { return };
    for n in [5, 300] {
        of_foreign_indices(counting.device(), n);
        assert_eq!(counting.take().unwrap(), 0, "with {n} indices");
    }
}

/// Where two devices differ by more than rounding, or one of them alone has a NaN.
fn differences(a: &[f32], b: &[f32]) -> Vec<(usize, f32, f32)> {
    let is_same = |a: f32, b: f32| a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= 1e-5 * a.abs().max(1.0);
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).enumerate().filter(|(_, (a, b))| !is_same(**a, **b)).map(|(i, (&a, &b))| (i, a, b)).collect()
}

#[test]
fn an_index_out_of_range_has_one_fate_on_every_device() {
    for device in crate::devices() {
        for n in [5, 300] {
            for ((op, on_cpu), (_, here)) in of_foreign_indices(&Device::Cpu, n).iter().zip(of_foreign_indices(&device, n)) {
                let found = differences(&on_cpu.to_vec().unwrap(), &here.to_vec().unwrap());
                assert!(found.is_empty(), "{op} with {n} indices on {}: {found:?}", device.name());
            }
        }
    }
    assert_eq!(differences(&[1.0, f32::NAN, f32::NAN, 2.0], &[1.0, f32::NAN, 0.0, 2.1]).len(), 2);
}

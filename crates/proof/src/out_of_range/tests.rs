//! The library's kernels have no index out of range; planted ones are counted.

use super::CountingGpu;
use crate::Case;
use gpu_core::ops::{self, Augment, CrossEntropy, Pool2dGeometry};
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

/// Words that are no index, among one that is.
fn words(device: &Device, shape: impl Into<Shape>) -> Tensor {
    let shape = shape.into();
    let words: Vec<u32> = (0..shape.len()).map(|i| [u32::MAX, i32::MAX as u32, 1 << 20, 1000, 0][i % 5]).collect();
    Tensor::from_slice(device, shape, &words)
}

/// Every operator that is given indices, with more and with fewer than it sorts.
#[test]
fn no_index_that_a_caller_gives_is_trusted() {
    let Some(counting) = counting() else { return };
    let device = counting.device();
    let floats = |shape: &[usize]| crate::tensor(device, shape, 1);
    let one = || Tensor::scalar(device, 1.0);
    let g = Pool2dGeometry { stride: [2, 2], ..Pool2dGeometry::new([3, 3]) };
    let plain = Augment { flip: true, crop_padding: 2, cutout: 3, mean: [0.5; 4], std: [0.5; 4] };
    let weighted = CrossEntropy { weight: Some(floats(&[7])), smoothing: 0.1, ..CrossEntropy::default() };
    let key = Key { seed: 1, stream: 2 };
    for n in [5, 300] {
        ops::gather(&floats(&[3, 6]), 1, &words(device, [3, n]));
        ops::index_select(&floats(&[6, 8]), 0, &words(device, [n]));
        ops::index_select(&floats(&[6, 5]), 1, &words(device, [n]));
        ops::one_hot(&words(device, [n]), 5);
        ops::scatter_add(&floats(&[3, 6]), 1, &words(device, [3, n]), &floats(&[3, n]));
        ops::index_add(&floats(&[6, 3]), 0, &words(device, [n]), &floats(&[n, 3]));
        ops::gather_bwd_x(&floats(&[3, n]), 1, &words(device, [3, n]), [3, 6]);
        ops::index_select_bwd_x(&floats(&[n, 3]), 0, &words(device, [n]), [6, 3]);
        ops::sort_bwd_x(&floats(&[2, n]), &words(device, [2, n]), 1, [2, n]);
        ops::max_pool2d_bwd_x(&floats(&[n, 1, 2, 2]), &words(device, [n, 1, 2, 2]), [n, 1, 5, 5].into(), g);
        ops::adaptive_max_pool2d_bwd_x(&floats(&[n, 1, 2, 2]), &words(device, [n, 1, 2, 2]), [n, 1, 5, 5].into());
        for options in [&CrossEntropy::default(), &weighted] {
            let (x, labels) = (floats(&[n, 7]), words(device, [n]));
            let (_, probs) = ops::cross_entropy(&x, &labels, options);
            ops::cross_entropy_bwd(&probs, &labels, options, &one());
            let unsmoothed = CrossEntropy { smoothing: 0.0, ..options.clone() };
            ops::nll_loss(&x, &labels, &unsmoothed);
            ops::nll_loss_bwd(x.shape(), &labels, &unsmoothed, &one());
            ops::accumulate_metrics(&one(), &x, &labels, &floats(&[4]));
        }
        let images = Tensor::from_slice(device, [3, 1, 4, 4], &[7u8; 48]);
        ops::augment(&images, &words(device, [n]), key, &words(device, [1]), &floats(&[n, 1, 4, 4]), &plain);
        ops::gather_labels(&words(device, [3]), &words(device, [n]), &words(device, [n]));
        assert_eq!(counting.take().unwrap(), 0, "with {n} indices");
    }
}

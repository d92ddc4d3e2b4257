//! What the kernels become on a real GPU, judged without one: machine code of AMD's cards by the open driver's compiler.
//!
//! Products: at least 85 % of the hot block are multiply-adds, nothing spills, at least 8 waves share a SIMD, workgroup memory is
//! read by 8 or 16 bytes. What moves memory: by 16 bytes.
#![cfg(target_os = "linux")]

mod listing;
mod matrix_units;
mod null_device;
mod survey;

use gpu_core::ops::{self, Conv2dGeometry, Divisor, DropoutKey, Pool2dGeometry, SgdHyper};
use gpu_core::{Args, Device, Kernel, Tensor};
use listing::Listing;
use null_device::{NAVI21, listings};
use proof::Launch;

/// What is asked of a kernel.
#[derive(Debug, Clone, Copy)]
enum Law {
    /// A product, with so many loads and so many stores that are narrower than 16 bytes, where its form is by 16.
    Product(Option<[usize; 2]>),
    /// Tensors are read and written by 16 bytes, but for so many loads and so many stores: the figures of a channel.
    Stream([usize; 2]),
}

/// A kernel, what is asked of it, and a call that launches it.
type Row = (&'static str, Law, fn(&Device));

fn zeros(device: &Device, dims: &[usize]) -> Tensor {
    Tensor::zeros(device, dims)
}

fn matrices(device: &Device, n: usize) {
    ops::matmul(&zeros(device, &[n, n]), &zeros(device, &[n, n]));
}

/// A layer over 32 images: forward pass and both gradients.
fn convolution(device: &Device, taps: usize, channels: usize, extent: usize) {
    let g = Conv2dGeometry { padding: (taps / 2).into(), ..Default::default() };
    let (x, w) = (zeros(device, &[32, channels, extent, extent]), zeros(device, &[channels, channels, taps, taps]));
    let dy = ops::conv2d(&x, &w, None, g);
    ops::conv2d_bwd_x(&dy, &w, x.shape(), g);
    ops::conv2d_bwd_w(&x, &dy, w.shape(), g);
}

/// The same, a channel at a time.
fn depthwise(device: &Device) {
    let g = Conv2dGeometry { padding: 1.into(), groups: 64, ..Default::default() };
    let (x, w) = (zeros(device, &[32, 64, 32, 32]), zeros(device, &[64, 1, 3, 3]));
    let dy = ops::conv2d(&x, &w, None, g);
    ops::conv2d_bwd_x(&dy, &w, x.shape(), g);
    ops::conv2d_bwd_w(&x, &dy, w.shape(), g);
}

fn image(device: &Device) -> Tensor {
    zeros(device, &[4, 8, 16, 16])
}

fn key() -> DropoutKey {
    DropoutKey { seed: 1, stream: 2 }
}

fn batch_norm(device: &Device) {
    let (x, of_channels) = (zeros(device, &[32, 64, 32, 32]), zeros(device, &[64]));
    let norm = ops::batch_norm(&x, &of_channels, &of_channels, &zeros(device, &[64]), &zeros(device, &[64]), 0.1, 1e-5);
    ops::batch_norm_bwd(&x, &norm.y, &of_channels, &norm.mean, &norm.rstd);
}

fn rectified(device: &Device) {
    let (x, of_channels) = (zeros(device, &[32, 64, 32, 32]), zeros(device, &[64]));
    ops::batch_norm_relu(&x, Some(&x), &of_channels, &of_channels, &zeros(device, &[64]), &zeros(device, &[64]), 0.1, 1e-5);
    ops::batch_norm_add_relu_bwd(&x, &x, &x, &of_channels, &of_channels, &of_channels);
}

/// Rows that are not of fours.
fn rectified_by_ones(device: &Device) {
    let (x, of_channels) = (zeros(device, &[32, 64, 7, 7]), zeros(device, &[64]));
    ops::batch_norm_add_relu_bwd(&x, &x, &x, &of_channels, &of_channels, &of_channels);
}

fn rectified_alone(device: &Device) {
    let (x, of_channels) = (zeros(device, &[32, 64, 32, 32]), zeros(device, &[64]));
    ops::batch_norm_relu_bwd(&x, &x, &of_channels, &of_channels, &of_channels, &of_channels);
}

/// Windows of so many taps a side, two apart.
fn pooling(device: &Device, taps: usize) {
    let g = Pool2dGeometry { stride: [2, 2], padding: [taps / 3; 2], ..Pool2dGeometry::new([taps, taps]) };
    let (y, indices) = ops::max_pool2d(&image(device), g);
    ops::max_pool2d_bwd_x(&y, &indices, image(device).shape(), g);
    ops::avg_pool2d_bwd_x(&ops::avg_pool2d(&image(device), g, Divisor::Window), image(device).shape(), g, Divisor::Window);
}

/// Three taps in a row need a pixel on either side of a word; the weights of four input channels are read as they lie in `w`. Loads
/// are counted as they stand: Mesa 26 unrolls loops over the words of a tile, where 22.3 had 2, 6 and 2 narrow ones.
const ROWS: &[Row] = &[
    ("matmul_tiled4", Law::Product(Some([0, 0])), |device| matrices(device, 512)),
    ("matmul_tiled4", Law::Product(Some([0, 0])), |device| matrices(device, 64)),
    ("matmul_tiled", Law::Product(None), |device| matrices(device, 511)),
    ("conv2d_tiled4", Law::Product(Some([4, 0])), |device| convolution(device, 3, 64, 32)),
    ("conv2d_bwd_x_tiled4", Law::Product(Some([16, 0])), |device| convolution(device, 3, 64, 32)),
    ("conv2d_bwd_w_tiled4", Law::Product(Some([4, 0])), |device| convolution(device, 3, 64, 32)),
    ("conv2d_tiled4", Law::Product(Some([4, 0])), |device| convolution(device, 3, 32, 32)),
    ("conv2d_tiled4", Law::Product(Some([2, 0])), |device| convolution(device, 3, 64, 8)),
    ("conv2d_tiled4", Law::Product(Some([0, 0])), |device| convolution(device, 1, 64, 32)),
    ("conv2d_bwd_x_tiled4", Law::Product(Some([0, 0])), |device| convolution(device, 1, 64, 32)),
    ("conv2d_bwd_w_tiled4", Law::Product(Some([0, 0])), |device| convolution(device, 1, 64, 32)),
    ("conv2d_tiled", Law::Product(None), |device| convolution(device, 3, 64, 7)),
    ("conv2d_bwd_x_tiled", Law::Product(None), |device| convolution(device, 3, 64, 7)),
    ("conv2d_bwd_w_tiled", Law::Product(None), |device| convolution(device, 3, 64, 7)),
    ("binary", Law::Stream([0, 0]), |device| drop(ops::add(&image(device), &image(device)))),
    ("activation", Law::Stream([0, 0]), |device| drop(ops::relu(&image(device)))),
    ("activation_bwd_x", Law::Stream([0, 0]), |device| drop(ops::relu_bwd_x(&image(device), &image(device)))),
    ("scale", Law::Stream([0, 0]), |device| drop(ops::scale(&image(device), 2.0))),
    ("dropout", Law::Stream([0, 0]), |device| {
        drop(ops::dropout(&image(device), 0.5, key(), &Tensor::from_slice(device, [1], &[1u32])))
    }),
    ("add_bias", Law::Stream([1, 0]), |device| drop(ops::add_bias(&image(device), &zeros(device, &[8])))),
    ("batch_norm_partial", Law::Stream([0, 0]), batch_norm),
    ("batch_norm_apply", Law::Stream([5, 0]), batch_norm),
    ("batch_norm_bwd_partial", Law::Stream([0, 1]), batch_norm),
    ("batch_norm_bwd_x", Law::Stream([0, 0]), batch_norm),
    ("batch_norm_apply", Law::Stream([5, 0]), rectified),
    ("batch_norm_add_bwd_partial", Law::Stream([0, 1]), rectified),
    ("batch_norm_through", Law::Stream([0, 0]), rectified_by_ones),
    ("batch_norm_bwd_partial", Law::Stream([0, 1]), rectified_alone),
    ("batch_norm_bwd_x", Law::Stream([1, 0]), rectified_alone),
    ("max_pool2d_by4", Law::Stream([0, 0]), |device| pooling(device, 2)),
    ("max_pool2d_bwd_x_by4", Law::Stream([0, 0]), |device| pooling(device, 2)),
    ("avg_pool2d_by4", Law::Stream([0, 0]), |device| pooling(device, 2)),
    ("avg_pool2d_bwd_x_by4", Law::Stream([0, 0]), |device| pooling(device, 2)),
    // Nine taps, and a word on either side of the four in each row.
    ("depthwise_by4", Law::Stream([15, 0]), depthwise),
    ("depthwise_bwd_x_by4", Law::Stream([15, 0]), depthwise),
    ("depthwise_bwd_w_by4", Law::Stream([6, 1]), depthwise),
    // A word beyond the four in each row of windows, and in each row of x.
    ("max_pool2d_by4", Law::Stream([3, 0]), |device| pooling(device, 3)),
    ("max_pool2d_bwd_x_by4", Law::Stream([4, 0]), |device| pooling(device, 3)),
    ("avg_pool2d_by4", Law::Stream([3, 0]), |device| pooling(device, 3)),
    ("avg_pool2d_bwd_x_by4", Law::Stream([2, 0]), |device| pooling(device, 3)),
    ("accumulate", Law::Stream([0, 0]), |device| ops::accumulate(&zeros(device, &[64]), &zeros(device, &[64]), 1.0, 1.0)),
    ("join", Law::Stream([0, 0]), |device| ops::join(&zeros(device, &[64]), &zeros(device, &[64]))),
    ("sgd_step", Law::Stream([0, 0]), |device| {
        let hyper = SgdHyper { lr: 0.1, momentum: 0.9, dampening: 0.0, weight_decay: 0.0, nesterov: false, first_step: false };
        ops::sgd_step(
            &zeros(device, &[64]),
            &zeros(device, &[64]),
            &zeros(device, &[64]),
            &Tensor::from_slice(device, [8], &hyper.to_array()),
        );
    }),
    ("adamw_step", Law::Stream([0, 0]), |device| {
        let hyper = Tensor::from_slice(device, [8], &[0.1f32; 8]);
        ops::adamw_step(&zeros(device, &[64]), &zeros(device, &[64]), &zeros(device, &[64]), &zeros(device, &[64]), &hyper);
    }),
];

/// The launches of the rows, in their order, as the CPU device makes them: it takes the forms of hardware.
fn launches() -> Vec<Launch> {
    let (device, launches) = proof::counted(&Device::Cpu);
    let of = |&(kernel, _, run): &Row| {
        run(&device);
        launches
            .take()
            .into_iter()
            .find(|l| l.kernel.name() == kernel)
            .unwrap_or_else(|| panic!("its row does not launch {kernel}"))
    };
    ROWS.iter().map(of).chain(controls()).collect()
}

/// All that a kernel does not keep of its law.
fn breaches(law: Law, listing: &Listing) -> Vec<String> {
    let mut found = Vec::new();
    if listing.spills > 0 {
        found.push(format!("spills {} registers", listing.spills));
    }
    if listing.waves < 8 {
        found.push(format!("has {} waves, with {} registers", listing.waves, listing.registers));
    }
    let mut narrow = |kind: &str, allowed: usize| {
        let [wide, other] = listing.wide_and_other(kind);
        if other > allowed || wide == 0 && allowed == 0 {
            found.push(format!("{kind}s {wide} times by 16 bytes and {other} times otherwise"));
        }
    };
    match law {
        Law::Stream([loads, stores]) => {
            narrow("load", loads);
            narrow("store", stores);
        }
        Law::Product(by_fours) => {
            if let Some([loads, stores]) = by_fours {
                narrow("load", loads);
                narrow("store", stores);
            }
            let [multiply_adds, all] = listing.hot;
            if 100 * multiply_adds < 85 * all.max(1) {
                found.push(format!("{multiply_adds} of {all} instructions are multiply-adds"));
            }
            found.extend(listing.hot_reads.keys().filter(|op| op.ends_with("_b32")).map(|op| format!("reads by {op}")));
        }
    }
    found
}

#[test]
fn the_kernels_that_must_be_fast_are_good_machine_code() {
    let launches = launches();
    let Some(listings) = listings(NAVI21, &launches) else { return };
    let mut parsed = launches.iter().zip(&listings).map(|(launch, text)| {
        let kernel = launch.kernel.name();
        assert!(text.starts_with(kernel), "the listing of {kernel} is of {:?}", text.lines().next());
        Listing::parse(text).unwrap_or_else(|| panic!("{kernel}: no statistics in what the driver says:\n{text}"))
    });
    let mut broken = Vec::new();
    for (&(kernel, law, _), listing) in ROWS.iter().zip(&mut parsed) {
        broken.extend(breaches(law, &listing).iter().map(|what| format!("{kernel} {what}")));
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));

    let [one_by_one, spilled] = [(); 2].map(|()| parsed.next().expect("the controls are compiled last"));
    let found = breaches(Law::Product(Some([0, 0])), &one_by_one).join("; ");
    assert!(found.contains("are multiply-adds") && found.contains("loads 0 times by 16 bytes"), "{found}: {one_by_one:?}");
    let found = breaches(Law::Stream([0, 0]), &one_by_one).join("; ");
    assert!(found.contains("stores 0 times by 16 bytes"), "{found}: {one_by_one:?}");
    let found = breaches(Law::Product(None), &spilled).join("; ");
    assert!(found.contains("waves"), "{found}: {spilled:?}");
}

fn nothing(_: &mut Args<'_>) {}

/// Kernels that keep none of it: a product one element at a time, and one with far more sums than registers.
fn controls() -> [Launch; 2] {
    const WGSL: &str = "
        @group(0) @binding(0) var<storage, read> a: array<f32>;
        @group(0) @binding(1) var<storage, read> b: array<f32>;
        @group(0) @binding(2) var<storage, read_write> c: array<f32>;
        @compute @workgroup_size(64) fn one_by_one(@builtin(global_invocation_id) id: vec3<u32>) {
            var sum = 0.0;
            for (var k = 0u; k < 512u; k++) { sum += a[id.y * 512u + k] * b[k * 512u + id.x]; }
            c[id.y * 512u + id.x] = sum;
        }
        @compute @workgroup_size(64) fn greedy(@builtin(global_invocation_id) id: vec3<u32>) {
            SUMS
            for (var k = 0u; k < 512u; k++) { ADDS }
            STORES
        }";
    static SOURCE: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
        let all = |line: fn(usize) -> String| (0..160).map(line).collect::<String>();
        WGSL.replace("SUMS", &all(|i| format!("var s{i} = a[id.x + {i}u];\n")))
            .replace("ADDS", &all(|i| format!("s{i} += a[k] * b[id.x + {i}u];\n")))
            .replace("STORES", &all(|i| format!("c[id.x * 160u + {i}u] = s{i};\n")))
    });
    static CONTROLS: std::sync::LazyLock<[Kernel; 2]> =
        std::sync::LazyLock::new(|| ["one_by_one", "greedy"].map(|entry| Kernel::new(&SOURCE, entry, nothing)));
    [0, 1].map(|i| Launch { kernel: CONTROLS[i].info(), constants: vec![], params_bytes: 0, count: 1, bytes: 0 })
}

//! A GPU at fault says so at every read, and never gives a default value. Each test opens a device of its own: a fault stays.

use wgrad::gpu_core::Error;
use wgrad::prelude::*;

fn fresh() -> Option<Device> {
    proof::gpu().map(|_| Device::gpu().unwrap())
}

fn nothing(_: &mut Args<'_>) {}

/// The fault shows at the next read, at every one after it, and at work that would be right.
#[track_caller]
fn expect_fault(device: &Device, x: &Tensor, wanted: impl Fn(&Error) -> bool) {
    for _ in 0..2 {
        let errors = [
            x.to_vec().unwrap_err(),
            device.flush().unwrap_err(),
            device.synchronize().unwrap_err(),
            ops::relu(&Tensor::full(device, [4], 1.0)).to_vec().unwrap_err(),
            device.capture(|| ops::relu(x)).map(drop).unwrap_err(),
        ];
        assert!(errors.iter().all(&wanted), "{errors:?}");
    }
}

#[test]
fn a_kernel_that_does_not_compile_is_a_fault_that_stays() {
    const UNKNOWN_NAME: &str = "
        @group(0) @binding(0) var<storage, read_write> y: array<f32>;
        @compute @workgroup_size(1) fn broken() { y[0] = of_nothing; }";
    const WRONG_TYPE: &str = "
        @group(0) @binding(0) var<storage, read_write> y: array<f32>;
        @compute @workgroup_size(1) fn broken() { y[0] = 1u; }";
    static BROKEN: [Kernel; 3] = [
        Kernel::new(UNKNOWN_NAME, "broken", nothing),
        Kernel::new(WRONG_TYPE, "broken", nothing),
        Kernel::new(WRONG_TYPE, "absent", nothing),
    ];
    for kernel in &BROKEN {
        let Some(device) = fresh() else { return };
        let y = Tensor::zeros(&device, [4]);
        assert_eq!(y.to_vec().unwrap(), [0.0; 4]);
        kernel.launch((), &[], &[&y], Grid::linear(1, 1));
        expect_fault(&device, &y, |e| matches!(e, Error::Kernel { entry, .. } if entry == kernel.info().name()));
    }
}

#[test]
fn a_kernel_that_only_the_adapter_refuses_is_a_fault_of_the_launch_or_the_capture() {
    // Right as a source; more invocations in a workgroup than any adapter has.
    const WGSL: &str = "
        @group(0) @binding(0) var<storage, read_write> y: array<f32>;
        @compute @workgroup_size(128, 128) fn too_wide() { y[0] = 1.0; }";
    static TOO_WIDE: Kernel = Kernel::new(WGSL, "too_wide", nothing);
    let is_it = |e: &Error| matches!(e, Error::Kernel { entry, .. } if entry == "too_wide");
    let (Some(launched), Some(captured)) = (fresh(), fresh()) else { return };
    let y = Tensor::zeros(&launched, [4]);
    TOO_WIDE.launch((), &[], &[&y], Grid::linear(1, 1));
    expect_fault(&launched, &y, is_it);
    let y = Tensor::zeros(&captured, [4]);
    let refused = captured.capture(|| TOO_WIDE.launch((), &[], &[&y], Grid::linear(1, 1))).map(drop).unwrap_err();
    assert!(is_it(&refused), "{refused}");
    expect_fault(&captured, &y, is_it);
}

#[test]
fn a_tensor_that_no_binding_can_hold_is_a_fault_that_stays() {
    let Some(device) = fresh() else { return };
    let limit = device.max_tensor_bytes();
    let huge = Tensor::empty(&device, [limit as usize / 4 + 1]);
    expect_fault(&device, &huge, |e| matches!(e, Error::TensorTooLarge { bytes, limit: l } if bytes > l && *l == limit));
}

#[test]
fn a_fault_of_one_device_is_not_the_other_ones() {
    let (Some(sick), Some(healthy)) = (fresh(), fresh()) else { return };
    let limit = sick.max_tensor_bytes();
    Tensor::empty(&sick, [limit as usize / 4 + 1]).to_vec().unwrap_err();
    sick.flush().unwrap_err();
    assert_eq!(Tensor::full(&healthy, [2], 3.0).to_vec().unwrap(), [3.0, 3.0]);
}

#[test]
fn a_read_inside_a_capture_is_refused_and_harms_nothing() {
    for device in proof::devices() {
        let x = Tensor::full(&device, [4], 2.0);
        let (refused, capture) = device
            .capture(|| {
                let y = ops::relu(&x);
                (y.clone(), [x.to_vec(), y.to_vec(), pollster::block_on(y.read_async())])
            })
            .unwrap();
        let (y, reads) = refused;
        assert!(reads.iter().all(|r| *r == Err(Error::InsideCapture)), "{}: {reads:?}", device.name());
        capture.replay().unwrap();
        assert_eq!(y.to_vec().unwrap(), [2.0; 4], "{}", device.name());
    }
}

#[test]
fn a_write_inside_a_capture_panics_and_harms_nothing() {
    for device in proof::devices() {
        let x = Tensor::full(&device, [2], 3.0);
        let write = || device.capture(|| x.write(&[1.0f32, 2.0]));
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(write)).unwrap_err();
        let message = panic.downcast_ref::<String>().unwrap();
        assert_eq!(message, "write: inside a capture (a tensor of shape [2]); write before it");
        assert_eq!(x.to_vec().unwrap(), [3.0, 3.0], "on {}", device.name());
    }
}

#[test]
fn a_constant_made_inside_a_capture_is_there_in_every_replay() {
    for device in proof::devices() {
        let device = proof::poisoned(&device);
        let x = Tensor::from_slice(&device, [2], &[1.0f32, 2.0]);
        let (y, capture) = device
            .capture(|| {
                let y = &x * &Tensor::from_slice(&device, [2], &[10.0f32, 100.0]);
                // As much again, made and dropped: the constant's memory is not lent to others.
                let other = ops::relu(&ops::relu(&y));
                &y + &(&other * &Tensor::scalar(&device, 0.5))
            })
            .unwrap();
        for factor in [1.0f32, 2.0] {
            x.write(&[factor, 2.0 * factor]);
            capture.replay().unwrap();
            assert_eq!(y.to_vec().unwrap(), [15.0 * factor, 300.0 * factor], "on {}", device.name());
        }
    }
}

#[test]
fn parameters_of_another_size_than_the_kernels_are_refused_at_the_launch() {
    const WGSL: &str = "
        struct Params { a: u32, b: u32 }
        @group(0) @binding(0) var<storage, read_write> y: array<f32>;
        @compute @workgroup_size(1) fn takes_two() { y[0] = f32(params.a + params.b); }";
    static TAKES_TWO: Kernel = Kernel::new(WGSL, "takes_two", nothing);
    let Some(device) = fresh() else { return };
    let y = Tensor::zeros(&device, [1]);
    TAKES_TWO.launch([3u32, 4], &[], &[&y], Grid::linear(1, 1));
    assert_eq!(y.item().unwrap(), 7.0);
    let launch = || TAKES_TWO.launch([3u32, 4, 5], &[], &[&y], Grid::linear(1, 1));
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(launch)).unwrap_err();
    let message = panic.downcast_ref::<String>().unwrap();
    assert_eq!(message, "takes_two: its Params are 8 bytes, the launch passes 12");
}

//! A program with a wgpu device of its own: the library works on it, gives the same bits, and leaves its callbacks alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use wgrad::gpu_core::{Error, wgpu};
use wgrad::prelude::*;
use wgrad::proof;

/// A program's own device: on the adapter that the tests use, with what it asks for.
struct Program {
    device: wgpu::Device,
    queue: wgpu::Queue,
    /// Errors that its own callback has heard of.
    heard: Arc<AtomicUsize>,
}

impl Program {
    fn open(wants: impl Fn(&wgpu::Adapter) -> (wgpu::Features, wgpu::Limits)) -> Option<Self> {
        let name = proof::gpu()?.name();
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
        let found = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()));
        let adapter = found.into_iter().find(|adapter| adapter.get_info().name == name).unwrap();
        let (required_features, required_limits) = wants(&adapter);
        let desc = wgpu::DeviceDescriptor { required_features, required_limits, ..Default::default() };
        let (device, queue) = pollster::block_on(adapter.request_device(&desc)).unwrap();
        let heard = Arc::new(AtomicUsize::new(0));
        let counts = heard.clone();
        device.on_uncaptured_error(Arc::new(move |_| _ = counts.fetch_add(1, SeqCst)));
        Some(Self { device, queue, heard })
    }

    /// With all that the library uses where there is any.
    fn rich() -> Option<Self> {
        let useful = wgpu::Features::IMMEDIATES | wgpu::Features::SUBGROUP | wgpu::Features::TIMESTAMP_QUERY;
        Self::open(|adapter| (adapter.features() & useful, adapter.limits()))
    }

    /// With no features, and WebGPU's defaults for limits.
    fn plain() -> Option<Self> {
        Self::open(|_| (wgpu::Features::empty(), wgpu::Limits::default()))
    }

    fn shared(&self) -> Device {
        Device::from_wgpu(&self.device, &self.queue).unwrap()
    }

    fn buffer(&self, size: u64, usage: wgpu::BufferUsages) -> wgpu::Buffer {
        self.device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false })
    }
}

const USAGES: wgpu::BufferUsages =
    wgpu::BufferUsages::STORAGE.union(wgpu::BufferUsages::COPY_SRC).union(wgpu::BufferUsages::COPY_DST);

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// The weights that three captured steps of a small network leave.
fn trained(device: &Device) -> Vec<f32> {
    let net = seq![Conv2d::new(8, 3).padding(1), BatchNorm2d::new(), Relu, Dropout::new(0.2), Flatten, Linear::new(3)];
    let net = net.build(&Init::seeded(device, 0), [3, 8, 8]).unwrap();
    let adam = Adam::new(&net, 1e-2);
    let step = TrainStep::captured(&net, &adam, &StepOptions::new(4, [3, 8, 8])).unwrap();
    let x: Vec<f32> = (0..4 * 3 * 64).map(|i| (i % 13) as f32 / 6.0 - 1.0).collect();
    for _ in 0..3 {
        step.run_on(&x, &[0, 2, 1, 0]).unwrap();
    }
    parameters(&net).iter().flat_map(|(_, param)| param.value().to_vec().unwrap()).collect()
}

#[test]
fn training_gives_the_same_bits_on_a_device_of_the_programs_own() {
    let (Some(house), Some(program)) = (proof::gpu(), Program::rich()) else { return };
    let bits = |device: &Device| trained(device).into_iter().map(f32::to_bits).collect::<Vec<_>>();
    assert_eq!(bits(&program.shared()), bits(&house));
    assert_eq!(program.heard.load(SeqCst), 0);
}

#[test]
fn a_device_without_features_gets_kernels_that_need_none() {
    let (Some(house), Some(program)) = (proof::gpu(), Program::plain()) else { return };
    let shared = program.shared();
    assert_eq!(shared.subgroup_lanes(), 1);
    assert_eq!(shared.max_tensor_bytes(), wgpu::Limits::default().max_storage_buffer_binding_size);
    let off = trained(&shared).iter().zip(trained(&house)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(off < 1e-4, "off by {off}");
    assert_eq!(program.heard.load(SeqCst), 0);
}

#[test]
fn a_device_below_the_defaults_is_refused_with_what_to_ask_for() {
    let Some(program) = Program::open(|_| (wgpu::Features::empty(), wgpu::Limits::downlevel_defaults())) else { return };
    let error = Device::from_wgpu(&program.device, &program.queue).unwrap_err();
    assert!(matches!(error, Error::DeviceTooSmall { .. }), "{error}");
    assert!(error.to_string().contains("request it with `Limits::default()` or more"), "{error}");
}

/// Neither values nor results pass the host: the program writes by its queue, and copies by its encoder.
#[test]
fn a_buffer_is_a_tensor_and_a_tensor_a_buffer() {
    let Some(program) = Program::plain() else { return };
    let (shared, mine, result) = (program.shared(), program.buffer(32, USAGES), program.buffer(32, USAGES));
    let live = shared.memory().live;
    let x = Tensor::from_buffer(&shared, [6], DType::F32, &mine).unwrap();
    let copy = Tensor::from_buffer(&shared, [6], DType::F32, &result).unwrap();
    assert_eq!(shared.memory().live, live, "a program's buffers are no part of the account");
    for sign in [1.0, -1.0] {
        program.queue.write_buffer(&mine, 0, &bytes(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0].map(|v| sign * v)));
        let y = ops::scale(&x, 10.0).narrow(0, 1, 5);
        let part = y.buffer().unwrap();
        assert_eq!(part.size(), 20);
        let mut encoder = program.device.create_command_encoder(&Default::default());
        encoder.copy_buffer_to_buffer(part.buffer(), part.offset(), &result, 4, part.size());
        program.queue.submit([encoder.finish()]);
        assert_eq!(copy.to_vec().unwrap(), [0.0, 20.0, 30.0, 40.0, 50.0, 60.0].map(|v| sign * v));
    }
    x.write(&[7.0f32; 6]);
    assert_eq!(copy.add(&x).to_vec().unwrap(), [7.0, -13.0, -23.0, -33.0, -43.0, -53.0]);
    drop((x, copy));
    assert_eq!(program.heard.load(SeqCst), 0);
}

/// What a wrong call says.
fn panic_of(call: impl FnOnce() -> Tensor) -> String {
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)).unwrap_err();
    caught.downcast_ref::<String>().cloned().unwrap_or_else(|| caught.downcast_ref::<&str>().unwrap().to_string())
}

#[test]
fn buffers_that_no_tensor_can_be_are_refused() {
    let Some(program) = Program::plain() else { return };
    let (shared, small) = (program.shared(), program.buffer(20, USAGES));
    let tensor = |device: &Device, shape: usize, dtype, buffer: &wgpu::Buffer| Tensor::from_buffer(device, [shape], dtype, buffer);
    let said = panic_of(|| tensor(&shared, 5, DType::F32, &small).unwrap());
    assert_eq!(said, "from_buffer: a tensor of f32 and shape [5] needs 32 bytes, the buffer has 20");
    let said = panic_of(|| tensor(&shared, 4, DType::F32, &program.buffer(16, wgpu::BufferUsages::STORAGE)).unwrap());
    assert_eq!(said, "from_buffer: the buffer lacks the usages BufferUsages(COPY_SRC | COPY_DST)");
    let said = panic_of(|| tensor(&shared, 2, DType::F64, &small).unwrap());
    assert!(said.starts_with("from_buffer: f64 is for the CPU device only"), "{said}");
    assert_eq!(panic_of(|| tensor(&Device::Cpu, 2, DType::F32, &small).unwrap()), "from_buffer: CPU has no wgpu buffers");
    let on_the_cpu = Tensor::zeros(&Device::Cpu, [3]);
    let said = panic_of(|| on_the_cpu.buffer().map(|_| on_the_cpu.clone()).unwrap());
    assert_eq!(said, "buffer: the tensor (shape [3]) lies on the CPU");
    assert_eq!(tensor(&shared, 4, DType::F32, &small).unwrap().len(), 4);
}

#[test]
fn what_the_library_does_wrong_is_its_own_fault_and_what_the_program_does_wrong_the_programs() {
    let (Some(program), Some(other)) = (Program::plain(), Program::plain()) else { return };
    let (shared, buffer) = (program.shared(), program.buffer(16, USAGES));
    program.buffer(16, wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::MAP_WRITE | USAGES);
    assert_eq!(program.heard.load(SeqCst), 1, "the control: the program's callback hears of its errors");
    assert_eq!(Tensor::full(&shared, [4], 2.0).to_vec().unwrap(), [2.0; 4]);

    let stranger = Tensor::from_buffer(&other.shared(), [4], DType::F32, &buffer).unwrap();
    let error = ops::relu(&stranger).to_vec().unwrap_err();
    assert!(matches!(error, Error::Validation(_)), "{error}");
    assert_eq!(stranger.to_vec().unwrap_err(), error);
    assert_eq!((program.heard.load(SeqCst), other.heard.load(SeqCst)), (1, 0));
}

#[test]
fn a_lost_device_is_an_error_at_every_read() {
    let Some(program) = Program::plain() else { return };
    let shared = program.shared();
    let x = Tensor::full(&shared, [4], 2.0);
    assert_eq!(x.to_vec().unwrap(), [2.0; 4]);
    program.device.destroy();
    let error = ops::relu(&x).to_vec().unwrap_err();
    assert!(matches!(error, Error::DeviceLost(_)), "{error}");
    assert_eq!(x.to_vec().unwrap_err(), error);
    assert_eq!(shared.flush().unwrap_err(), error);
}

#[test]
fn a_device_of_the_librarys_own_that_is_lost_says_so_whatever_is_rejected_first() {
    for begun in [false, true] {
        if proof::gpu().is_none() {
            return;
        }
        let device = Device::gpu().unwrap();
        let x = Tensor::full(&device, [4], 2.0);
        if begun {
            assert_eq!(x.to_vec().unwrap(), [2.0; 4]);
        }
        let Device::Gpu(gpu) = &device else { panic!("a GPU is wanted") };
        gpu.wgpu().0.destroy();
        // A read polls nothing before it asks for a buffer of the lost device, which is what is rejected.
        let error = x.to_vec().unwrap_err();
        assert!(matches!(error, Error::DeviceLost(_)), "{error}");
        assert_eq!(ops::relu(&x).to_vec().unwrap_err(), error);
        assert_eq!(device.flush().unwrap_err(), error);
    }
}

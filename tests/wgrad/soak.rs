//! A long run: what a process and its GPU hold does not grow with the steps.

use crate::environment::child;
use std::fmt;
use wgrad::nn::checkpoint::Checkpoint;
use wgrad::nn::{EvalStep, StepError};
use wgrad::prelude::*;
use wgrad::proof;

const BATCH: usize = 8;
const INPUT: [usize; 3] = [3, 8, 8];
/// Steps of training, then as many batches of evaluation as a tenth of them, and a checkpoint.
const EPOCH: usize = 50;

/// A process at the end of an epoch.
#[derive(Debug, Clone, PartialEq)]
struct Held {
    /// By tensors, and by the pool.
    live: u64,
    pooled: u64,
    peak: u64,
    /// Of wgpu: buffers, bind groups, layouts, pipelines, shader modules, allocations and their bytes; none on the CPU.
    objects: Vec<isize>,
    /// Command encoders of wgpu, which keeps as many as there ever were on their way at once.
    encoders: isize,
    /// Bytes of the process that lie in memory.
    resident: u64,
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { live, pooled, peak, objects, encoders, resident } = self;
        write!(
            f,
            "{live} B live, {pooled} B pooled, {peak} B at the peak, {objects:?} wgpu objects, {encoders} encoders, {} KiB resident",
            resident >> 10
        )
    }
}

impl Held {
    fn now(device: &Device) -> Self {
        let memory = device.memory();
        let (objects, encoders) = match device {
            Device::Gpu(gpu) => {
                let hal = gpu.wgpu().0.get_internal_counters().hal;
                let counters = [
                    &hal.buffers,
                    &hal.bind_groups,
                    &hal.bind_group_layouts,
                    &hal.pipeline_layouts,
                    &hal.compute_pipelines,
                    &hal.shader_modules,
                    &hal.memory_allocations,
                    &hal.buffer_memory,
                ];
                (counters.map(|counter| counter.read()).into(), hal.command_encoders.read())
            }
            _ => (Vec::new(), 0),
        };
        Self { live: memory.live, pooled: memory.pooled, peak: memory.peak, objects, encoders, resident: resident() }
    }

    /// What has grown since `before`: anything that is counted, encoders by more than an epoch's, or more than `share` of the resident
    /// bytes and a MiB.
    fn grown_since(&self, before: &Self, share: f64) -> Option<String> {
        let counted =
            (self.live, self.pooled, self.peak, &self.objects) != (before.live, before.pooled, before.peak, &before.objects);
        let encoders = self.encoders > before.encoders + EPOCH as isize;
        let most = (before.resident as f64 * (1.0 + share)) as u64 + (1 << 20);
        (counted || encoders || self.resident > most).then(|| format!("{before}; then {self}"))
    }
}

/// Bytes of this process in memory; 0 where the system does not say.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kib.unwrap_or(0) << 10
}

/// A training with everything that an epoch has, and what is held after each; `each` is called after every step.
fn epochs(device: &Device, epochs: usize, mut each: impl FnMut()) -> Result<Vec<Held>, StepError> {
    let net = seq![
        Conv2d::new(8, 3).padding(1).no_bias(),
        BatchNorm2d::new(),
        Relu,
        MaxPool2d::new(2),
        Dropout::new(0.1),
        Flatten,
        Linear::new(4),
    ];
    let net = net.build(&Init::seeded(device, 1), INPUT).unwrap();
    let sgd = Sgd::new(&net, 0.01).momentum(0.9);
    let options = StepOptions::new(BATCH, INPUT);
    let train = TrainStep::captured(&net, &sgd, &options)?;
    let eval = EvalStep::captured(&net, device, &options)?;
    let x = proof::values(train.x().len(), 1);
    let labels: Vec<u32> = (0..BATCH as u32).map(|i| i % 4).collect();
    let mut held = Vec::new();
    for _ in 0..epochs {
        for _ in 0..EPOCH {
            train.run_on(&x, &labels)?;
            each();
        }
        for _ in 0..EPOCH / 10 {
            eval.run_on(&x, &labels)?;
        }
        let (seen, loss) = (train.metrics()?.images, eval.metrics()?.loss);
        assert!(loss.is_finite() && seen > 0);
        let saved = Checkpoint::new().net(&net).unwrap().optimizer(&sgd).unwrap().to_bytes();
        Checkpoint::from_bytes(&saved).unwrap().load_net(&net).unwrap();
        device.synchronize()?;
        held.push(Held::now(device));
    }
    Ok(held)
}

/// What grew from one early epoch to the last.
fn grown(held: &[Held]) -> Option<String> {
    // The first epochs fill pools and the allocator's lists.
    let early = &held[(held.len() / 10).max(2)];
    held.last().unwrap().grown_since(early, 0.02)
}

/// 500 steps here; `WGRAD_SOAK=20000` for the long form.
#[test]
#[ignore = "a child of the test below"]
fn a_long_run() {
    let steps = std::env::var("WGRAD_SOAK").map_or(500, |n| n.parse::<usize>().expect("WGRAD_SOAK is a number of steps"));
    for device in proof::devices() {
        let held = epochs(&device, steps / EPOCH, || ()).unwrap();
        println!("{}: {} epochs; {}; {}", device.name(), held.len(), held[2], held.last().unwrap());
        assert_eq!(grown(&held), None, "{}", device.name());
        // The controls: a tensor, or a few kB a step, that nobody gives back.
        let mut kept = Vec::new();
        let leaks = epochs(&device, 10, || kept.push(Tensor::zeros(&device, [16]))).unwrap();
        assert!(grown(&leaks).is_some(), "{}: a tensor a step: {leaks:?}", device.name());
        let mut bytes = Vec::new();
        let leaks = epochs(&device, 10, || bytes.push(vec![1u8; 32 << 10])).unwrap();
        assert!(resident() == 0 || grown(&leaks).is_some(), "{}: 32 KiB a step: {leaks:?}", device.name());
    }
    println!("found: nothing");
}

/// In a process of its own: tests beside it would be counted too.
#[test]
fn what_a_process_holds_does_not_grow_with_its_steps() {
    assert_eq!(child("soak::a_long_run", &[]), "nothing");
}

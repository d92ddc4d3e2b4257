//! What a device can do at most, measured: the yardstick of all rows.

use super::repeat::{Plan, median_after_first, repeat, replayed};
use crate::error::Result;
use gpu_core::{Device, Tensor, ops};
use proof::Bench;
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// Measured limits of a device.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Peak {
    /// Multiply-adds without memory, or a matrix product where that is faster (on a CPU it uses wider vectors): billions of
    /// floating-point operations a second.
    pub gflops: f64,
    /// A copy of 64 MiB, read and written: billions of bytes a second.
    pub gb_per_s: f64,
    /// One kernel of a replayed recording of a thousand that do next to nothing, in microseconds, until all are done.
    pub launch_us: f64,
    /// Recording one launch for replay, in microseconds of the host.
    pub record_us: f64,
    /// Sending one launch of the recording again, in microseconds of the host; on the CPU device it is run as well.
    #[serde(default)]
    pub encode_us: f64,
    /// One launch without a recording: checked, bound and sent with others, in microseconds of the host.
    #[serde(default)]
    pub batched_us: f64,
}

/// Launches of the recording that measures their cost.
const LAUNCHES: usize = 1000;

impl Peak {
    pub(super) fn measure(device: &Device, plan: &Plan) -> Result<Self> {
        let gflops = |name: &'static str, what: &str| -> Result<f64> {
            let bench = proof::benches().into_iter().find(|b| b.name == name && b.what.starts_with(what));
            let Some(bench) = bench else { return Ok(0.0) };
            Ok(bench.flops as f64 / replayed(device, &bench, plan)?.0.fastest / 1e9)
        };
        let copy = Bench::new("copy_into", "64 MiB", 0, |device| {
            let (src, dst) = (Tensor::zeros(device, [1 << 24]), Tensor::zeros(device, [1 << 24]));
            move || {
                ops::copy_into(&src, &dst);
                vec![]
            }
        });
        let tiny = Tensor::zeros(device, [1]);
        let start = Instant::now();
        let ((), many) = device.capture(|| (0..LAUNCHES).for_each(|_| drop(ops::scale(&tiny, 1.0))))?;
        let record_us = start.elapsed().as_secs_f64() * 1e6 / LAUNCHES as f64;
        let mut encoding = Vec::new();
        let launches = repeat(plan, || {
            let start = Instant::now();
            many.replay()?;
            encoding.push(start.elapsed().as_secs_f64());
            device.synchronize()?;
            Ok(start.elapsed().as_secs_f64())
        })?;
        let batched = repeat(plan, || {
            let start = Instant::now();
            (0..LAUNCHES).for_each(|_| drop(ops::scale(&tiny, 1.0)));
            device.flush()?;
            let host = start.elapsed().as_secs_f64();
            device.synchronize()?;
            Ok(host)
        })?;
        let us = |seconds: f64| seconds * 1e6 / LAUNCHES as f64;
        Ok(Self {
            gflops: gflops("peak_multiply_add", "")?.max(gflops("matmul", "1024")?),
            gb_per_s: 2.0 * f64::from(4 << 24) / replayed(device, &copy, plan)?.0.fastest / 1e9,
            launch_us: us(launches.median),
            record_us,
            encode_us: us(median_after_first(&encoding)),
            batched_us: us(batched.median),
        })
    }
}

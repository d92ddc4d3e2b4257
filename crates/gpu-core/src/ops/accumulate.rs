//! Gradients on their way into an arena: `y = y + scale * x`, or `y = scale * x`.

use crate::check::{self, Bench, Bound, Case};
use crate::expect;
use crate::kernel::{Args, Grid, Kernel};
use crate::mirror::CHUNK;
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};
use rayon::prelude::*;

const WGSL: &str = wgsl!("accumulate.wgsl");
static ACCUMULATE: Kernel = Kernel::new_trusted(WGSL, "accumulate", accumulate_cpu);
pub(super) const KERNELS: &[&Kernel] = &[&ACCUMULATE];

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    len: u32,
    keep: u32,
    scale: f32,
}

fn accumulate_cpu(args: &mut Args<'_>) {
    let Params { keep, scale, .. } = args.params();
    let (x, y) = (args.input::<f32>(0), args.output::<f32>(0));
    y.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).for_each(|(y, x)| match keep {
        0 => y.iter_mut().zip(x).for_each(|(y, x)| *y = scale * x),
        _ => y.iter_mut().zip(x).for_each(|(y, x)| *y += scale * x),
    });
}

/// `y = y + scale * x` (`keep`), or `y = scale * x`, in place; the shapes may differ, the lengths not. What lies behind `y` in its
/// buffer stays as it is. Equivalent of `torch.Tensor.add_(x, alpha=scale)`.
///
/// # Panics
/// If the lengths differ, a tensor does not hold f32, or both lie in one buffer.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let (x, y) = (Tensor::full(&Device::Cpu, [2], 3.0), Tensor::full(&Device::Cpu, [2], 1.0));
/// ops::accumulate(&x, &y, 0.5, true);
/// assert_eq!(y.to_vec()?, [2.5, 2.5]);
/// ops::accumulate(&x, &y, 0.5, false);
/// assert_eq!(y.to_vec()?, [1.5, 1.5]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn accumulate(x: &Tensor, y: &Tensor, scale: f32, keep: bool) {
    expect::f32s("accumulate", &[("x", x), ("y", y)]);
    assert!(x.len() == y.len(), "accumulate: lengths differ (x {}, y {})", x.shape(), y.shape());
    let params = Params { len: x.len() as u32, keep: u32::from(keep), scale };
    ACCUMULATE.launch(params, &[x], &[y], Grid::linear(x.len().div_ceil(4), 256));
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for len in [1usize, 5, 8, 1021, 300_007] {
        for (scale, keep) in [(1.0, false), (-1.0, true), (0.25, false), (0.3, true)] {
            let what = format!("{len} elements, scale {scale}, keep {keep}");
            cases.push(Case::new("accumulate", what, Bound::Relative(2e-7), move |device| {
                // What is not kept must not show, not even as NaN: the output is poisoned then.
                let y = if keep { check::tensor(device, [len], 2) } else { Tensor::empty(device, [len]) };
                accumulate(&check::tensor(device, [1, len], 1), &y, scale, keep);
                vec![y]
            }));
        }
    }
    cases
}

pub(super) fn benches() -> Vec<Bench> {
    vec![Bench::new("accumulate", "16777216 elements", 2 << 24, |device| {
        let (x, y) = (check::tensor(device, [1 << 24], 1), Tensor::zeros(device, [1 << 24]));
        move || {
            accumulate(&x, &y, 0.5, true);
            Vec::new()
        }
    })]
}

#[cfg(test)]
pub(super) fn misuses() -> Vec<check::Misuse> {
    use check::misuse;
    vec![misuse!("accumulate", ["lengths differ", "x [2], y [3]"], |device| accumulate(
        &Tensor::zeros(device, [2]),
        &Tensor::zeros(device, [3]),
        1.0,
        true
    ))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Device;

    #[test]
    fn the_mirror_is_the_formula_and_neighbours_stay() {
        for device in check::devices() {
            for keep in [false, true] {
                let arena = Tensor::full(&device, [192], 5.0);
                accumulate(&check::tensor(&device, [61], 3), &arena.view(64, [61]), 0.5, keep);
                let got = arena.to_vec().unwrap();
                let before = if keep { 5.0 } else { 0.0 };
                let want: Vec<f32> = check::values(61, 3).iter().map(|v| before + 0.5 * v).collect();
                assert_eq!(got[64..125], want);
                assert!(got[..64].iter().chain(&got[125..]).all(|&v| v == 5.0), "{}: a neighbour changed", device.name());
            }
        }
    }

    #[test]
    #[should_panic(expected = "accumulate: lengths differ (x [2], y [3])")]
    fn lengths_that_differ_are_refused() {
        accumulate(&Tensor::zeros(&Device::Cpu, [2]), &Tensor::zeros(&Device::Cpu, [3]), 1.0, true);
    }
}

use super::cases::{WIDTHS, number, numbers};
use crate::{devices, floats, gradients, integers, poisoned, tensor};
use gpu_core::ops::{
    PadMode, Slice, concat, expand, flip, internals, pad, pad_bwd_x, permute, repeat, roll, slice, slice_bwd_x, stack,
};
use gpu_core::{DType, Device, Shape, Tensor};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Runs `f` on values that are the same in every run, and shrinks the first that fails.
fn hold_for<S: Strategy>(strategy: S, f: impl Fn(S::Value)) {
    let config = Config { cases: 32, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let result = runner.run(&strategy, |value| {
        f(value);
        Ok(())
    });
    result.unwrap_or_else(|e| panic!("{e}"));
}

/// Extents of rank 0 to `most`: ones, primes, multiples of four, a tile and more, and now and then nothing.
fn dims(most: usize) -> impl Strategy<Value = Vec<usize>> {
    let extent = prop_oneof![6 => 1usize..6, 2 => Just(8), 1 => Just(17), 1 => Just(35), 1 => Just(0)];
    let small = |dims: &Vec<usize>| dims.iter().product::<usize>() <= 20_000;
    prop::collection::vec(extent, 0..=most).prop_filter("small", small)
}

fn order(dims: Vec<usize>) -> impl Strategy<Value = (Vec<usize>, Vec<usize>)> {
    let axes: Vec<usize> = (0..dims.len()).collect();
    (Just(dims), Just(axes).prop_shuffle())
}

/// All indices of a shape, in order.
fn indices(shape: Shape) -> impl Iterator<Item = Vec<usize>> {
    let strides = shape.strides();
    (0..shape.len()).map(move |i| (0..shape.rank()).map(|k| i / strides[k] % shape.dim(k)).collect())
}

fn flat(shape: Shape, index: &[usize]) -> usize {
    index.iter().zip(shape.strides()).map(|(i, stride)| i * stride).sum()
}

/// `f` against the plainest loop, on every device and width: each element of y is that of x at `from(its index)`, or `value`.
fn is_moved(x: &[usize], y: &[usize], value: f32, f: impl Fn(&Tensor) -> Tensor, from: impl Fn(&[usize]) -> Option<Vec<usize>>) {
    let (x, y) = (Shape::new(x), Shape::new(y));
    for device in devices() {
        for dtype in WIDTHS.into_iter().chain([DType::I32]) {
            let got = f(&numbers(&poisoned(&device), x, dtype));
            assert_eq!((got.shape(), got.dtype()), (y, dtype));
            let want = indices(y).map(|index| from(&index).map_or(value, |index| number(dtype, flat(x, &index))));
            let want: Vec<f32> = match dtype {
                DType::I32 => want.flat_map(|v| [0.0, v]).collect(),
                _ => want.collect(),
            };
            assert_eq!(floats(&got).unwrap(), want, "{dtype} on {}", device.name());
        }
    }
}

#[test]
fn permutations_are_those_of_a_plain_loop_in_either_form() {
    hold_for(dims(6).prop_flat_map(order), |(dims, axes)| {
        let y: Vec<usize> = axes.iter().map(|&axis| dims[axis]).collect();
        for registers in [true, false] {
            let back = |index: &[usize]| {
                let mut from = vec![0; index.len()];
                axes.iter().zip(index).for_each(|(&axis, &i)| from[axis] = i);
                Some(from)
            };
            is_moved(&dims, &y, 0.0, |x| internals::permute(registers, x, &axes), back);
        }
    });
}

#[test]
fn broadcasts_are_those_of_a_plain_loop() {
    hold_for((dims(6), any::<u8>(), 0..3usize), |(to, ones, missing)| {
        let missing = missing.min(to.len());
        let x: Vec<usize> = (missing..to.len()).map(|k| if ones >> k & 1 == 1 { 1 } else { to[k] }).collect();
        let from = |index: &[usize]| Some(index[missing..].iter().zip(&x).map(|(&i, &n)| if n == 1 { 0 } else { i }).collect());
        is_moved(&x, &to, 0.0, |x| expand(x, to.as_slice()), from);
    });
}

#[test]
fn slices_and_mirror_images_are_those_of_a_plain_loop() {
    let parts = prop::collection::vec((0.0..1.0, 0.0..1.0, prop_oneof![Just(1isize), Just(-1), Just(2), Just(-3)]), 6);
    hold_for((dims(6), parts), |(dims, parts)| {
        let at = |n: usize, v: f64| (v * (n + 1) as f64) as usize;
        let ranges: Vec<(usize, usize, isize)> =
            dims.iter().zip(parts).map(|(&n, (a, b, step))| (at(n, a).min(at(n, b)), at(n, a).max(at(n, b)), step)).collect();
        let taken: Vec<Vec<usize>> = ranges
            .iter()
            .map(|&(start, end, step)| match step {
                1.. => (start..end).step_by(step as usize).collect(),
                _ => (start..end).rev().step_by(-step as usize).collect(),
            })
            .collect();
        let y: Vec<usize> = taken.iter().map(Vec::len).collect();
        let slices: Vec<Slice> = ranges.iter().map(|&(start, end, step)| Slice::from(start..end).step(step)).collect();
        let from = |index: &[usize]| Some(index.iter().zip(&taken).map(|(&i, taken)| taken[i]).collect::<Vec<_>>());
        is_moved(&dims, &y, 0.0, |x| slice(x, &slices), from);

        // The gradient puts every element back where it came from.
        let (x, y) = (Shape::new(&dims), Shape::new(&y));
        let mut want = vec![0.0; x.len()];
        indices(y).enumerate().for_each(|(i, index)| want[flat(x, &from(&index).unwrap())] = i as f32);
        for device in devices() {
            let dx = slice_bwd_x(&numbers(&poisoned(&device), y, DType::F32), x, &slices);
            assert_eq!(dx.to_vec().unwrap(), want);
        }
    });
}

#[test]
fn flips_and_rotations_are_those_of_a_plain_loop() {
    hold_for(
        (dims(6).prop_flat_map(order), prop::collection::vec(-9isize..9, 6), 0..4usize),
        |((dims, mut axes), shifts, some)| {
            axes.truncate(some);
            let shifts = &shifts[..axes.len()];
            let flipped = |index: &[usize]| {
                let mut index = index.to_vec();
                axes.iter().for_each(|&k| index[k] = dims[k] - 1 - index[k]);
                Some(index)
            };
            is_moved(&dims, &dims, 0.0, |x| flip(x, &axes), flipped);
            let rolled = |index: &[usize]| {
                let mut index = index.to_vec();
                let back = |k: usize, shift: isize| (index[k] as isize - shift).rem_euclid(dims[k] as isize) as usize;
                let moved: Vec<usize> = axes.iter().zip(shifts).map(|(&k, &shift)| back(k, shift)).collect();
                axes.iter().zip(moved).for_each(|(&k, i)| index[k] = i);
                Some(index)
            };
            is_moved(&dims, &dims, 0.0, |x| roll(x, shifts, &axes), rolled);
        },
    );
}

/// PyTorch's definitions, by a walk outwards: step by step over the edge.
fn place(mode: PadMode, i: isize, n: isize) -> Option<usize> {
    let mut at = i;
    while !(0..n).contains(&at) {
        at = match mode {
            PadMode::Constant(_) => return None,
            PadMode::Reflect => {
                if at < 0 {
                    -at
                } else {
                    2 * (n - 1) - at
                }
            }
            PadMode::Replicate => {
                if at < 0 {
                    0
                } else {
                    n - 1
                }
            }
            PadMode::Circular => {
                if at < 0 {
                    at + n
                } else {
                    at - n
                }
            }
        };
    }
    Some(at as usize)
}

#[test]
fn edges_are_those_of_a_plain_loop_and_so_are_their_gradients() {
    let modes =
        prop_oneof![Just(PadMode::Constant(1.0)), Just(PadMode::Reflect), Just(PadMode::Replicate), Just(PadMode::Circular)];
    hold_for((dims(5), prop::collection::vec(-2isize..6, 10), 0..6usize, modes), |(dims, amounts, padded, mode)| {
        let limit = |n: isize| match mode {
            PadMode::Constant(_) => -n / 2..=isize::MAX,
            PadMode::Reflect => 0..=(n - 1).max(0),
            PadMode::Replicate => 0..=if n == 0 { 0 } else { isize::MAX },
            PadMode::Circular => 0..=n,
        };
        let extents = dims.iter().rev().take(padded);
        let amounts: Vec<isize> = extents
            .zip(amounts.as_chunks::<2>().0)
            .flat_map(|(&n, pair)| pair.map(|v| v.clamp(*limit(n as isize).start(), *limit(n as isize).end())))
            .collect();
        let edge = |k: usize| {
            amounts.get(2 * (dims.len() - 1 - k)..).map_or([0, 0], |rest| if rest.is_empty() { [0, 0] } else { [rest[0], rest[1]] })
        };
        let y: Vec<usize> = (0..dims.len()).map(|k| (dims[k] as isize + edge(k)[0] + edge(k)[1]) as usize).collect();
        let from = |index: &[usize]| -> Option<Vec<usize>> {
            (0..index.len()).map(|k| place(mode, index[k] as isize - edge(k)[0], dims[k] as isize)).collect()
        };
        is_moved(&dims, &y, 1.0, |x| pad(x, &amounts, mode), from);

        let (x, y) = (Shape::new(&dims), Shape::new(&y));
        let dy = integers(y.len(), 3);
        let mut want = vec![0.0; x.len()];
        for (index, dy) in indices(y).zip(&dy) {
            if let Some(index) = from(&index) {
                want[flat(x, &index)] += dy;
            }
        }
        for device in devices() {
            let dx = pad_bwd_x(&Tensor::from_slice(&poisoned(&device), y, &dy), x, &amounts, mode);
            assert_eq!((dx.shape(), dx.to_vec().unwrap()), (x, want.clone()));
        }
    });
}

#[test]
fn joins_are_those_of_a_plain_loop() {
    hold_for((dims(5), prop::collection::vec(0..5usize, 1..5), any::<prop::sample::Index>()), |(mut dims, extents, axis)| {
        dims.push(3);
        let axis = axis.index(dims.len());
        for device in devices().iter().map(poisoned) {
            for dtype in WIDTHS {
                let parts: Vec<Tensor> = extents
                    .iter()
                    .map(|&extent| {
                        dims[axis] = extent;
                        numbers(&device, Shape::new(&dims), dtype)
                    })
                    .collect();
                let y = concat(&parts.iter().collect::<Vec<_>>(), axis);
                dims[axis] = extents.iter().sum();
                assert_eq!(y.shape(), Shape::new(&dims));
                let element = |mut index: Vec<usize>| {
                    let mut part = 0;
                    while index[axis] >= extents[part] {
                        index[axis] -= extents[part];
                        part += 1;
                    }
                    number(dtype, flat(parts[part].shape(), &index))
                };
                let want: Vec<f32> = indices(y.shape()).map(element).collect();
                assert_eq!(floats(&y).unwrap(), want, "{dtype}");
            }
        }
    });
}

#[test]
fn stacks_and_repetitions_are_those_of_a_plain_loop() {
    hold_for((dims(4), 1..4usize, any::<prop::sample::Index>(), prop::collection::vec(0..4usize, 5)), |(dims, n, axis, times)| {
        let axis = axis.index(dims.len() + 1);
        let mut y = dims.clone();
        y.insert(axis, n);
        let without = |index: &[usize]| {
            let mut index = index.to_vec();
            index.remove(axis);
            Some(index)
        };
        is_moved(&dims, &y, 0.0, |x| stack(&vec![x; n], axis), without);

        let times = &times[..dims.len() + 1];
        let mut repeated: Vec<usize> = dims.iter().zip(&times[1..]).map(|(d, t)| d * t).collect();
        repeated.insert(0, times[0]);
        let small = |index: &[usize]| Some(index[1..].iter().zip(&dims).map(|(i, d)| i % d).collect());
        is_moved(&dims, &repeated, 0.0, |x| repeat(x, times), small);
    });
}

/// From `F.pad(torch.arange(6.).reshape(1, 2, 3), (2, 1, 1, 1), mode)`, and its gradient for ones.
#[test]
fn pytorch_pads_alike() {
    let x = numbers(&Device::Cpu, Shape::from([1, 2, 3]), DType::F32);
    let amounts = [2, 1, 1, 1];
    let cases = [
        (
            PadMode::Reflect,
            [5, 4, 3, 4, 5, 4, 2, 1, 0, 1, 2, 1, 5, 4, 3, 4, 5, 4, 2, 1, 0, 1, 2, 1],
            [2.0, 6.0, 4.0, 2.0, 6.0, 4.0],
        ),
        (
            PadMode::Replicate,
            [0, 0, 0, 1, 2, 2, 0, 0, 0, 1, 2, 2, 3, 3, 3, 4, 5, 5, 3, 3, 3, 4, 5, 5],
            [6.0, 2.0, 4.0, 6.0, 2.0, 4.0],
        ),
        (
            PadMode::Circular,
            [4, 5, 3, 4, 5, 3, 1, 2, 0, 1, 2, 0, 4, 5, 3, 4, 5, 3, 1, 2, 0, 1, 2, 0],
            [4.0, 4.0, 4.0, 4.0, 4.0, 4.0],
        ),
    ];
    for (mode, y, dx) in cases {
        assert_eq!(pad(&x, &amounts, mode).to_vec().unwrap(), y.map(|v| v as f32), "{mode:?}");
        let ones = Tensor::full(&Device::Cpu, [1, 4, 6], 1.0);
        assert_eq!(pad_bwd_x(&ones, [1, 2, 3], &amounts, mode).to_vec().unwrap(), dx, "{mode:?}");
    }
}

#[test]
fn what_keeps_its_order_is_not_copied() {
    let x = Tensor::zeros(&Device::Cpu, [2, 1, 3]);
    assert!(permute(&x, &[1, 0, 2]).shares_storage(&x) && expand(&x, [1, 2, 1, 3]).shares_storage(&x));
    assert!(!flip(&x, &[]).shares_storage(&x));
}

#[test]
fn gradients_are_difference_quotients() {
    let x = tensor(&Device::Cpu, [3, 4, 5], 1);
    let slices = [Slice::from(..).step(-1), Slice::from(1..), Slice::from(0..5).step(2)];
    gradients(std::slice::from_ref(&x), |t| slice(&t[0], &slices), |t, dy| vec![slice_bwd_x(dy, t[0].shape(), &slices)]);
    for mode in [PadMode::Constant(0.3), PadMode::Reflect, PadMode::Replicate, PadMode::Circular] {
        let amounts = [2, 1, 3, 0];
        gradients(
            std::slice::from_ref(&x),
            |t| pad(&t[0], &amounts, mode),
            |t, dy| vec![pad_bwd_x(dy, t[0].shape(), &amounts, mode)],
        );
    }
}

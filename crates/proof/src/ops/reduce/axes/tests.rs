use super::cases::CASES;
use crate::{devices, gradients, integers, tensor, values};
use gpu_core::ops::{
    all, all_axes, amax, amax_ties, amin, any, any_axes, argmax_all, argmax_axis, argmin_axis, logsumexp, mean, mean_axes, std,
    sum_axes, sum_to, var,
};
use gpu_core::{Device, Shape, Tensor};
use proptest::prelude::{Just, ProptestConfig, any as arbitrary, prop_assert_eq, prop_oneof, proptest};
use proptest::test_runner::RngSeed;

const INF: f32 = f32::INFINITY;
const NAN: f32 = f32::NAN;

/// The elements that make each result, in the order of memory.
fn groups(x: &Tensor, axes: &[usize]) -> Vec<Vec<f64>> {
    let (shape, strides) = (x.shape(), x.shape().strides());
    let mut kept = shape.dims().to_vec();
    axes.iter().for_each(|&axis| kept[axis] = 1);
    let kept = Shape::new(&kept);
    let steps = kept.broadcast_strides(shape);
    let mut groups = vec![Vec::new(); kept.len()];
    for (i, v) in x.to_vec().unwrap().into_iter().enumerate() {
        let at: usize = (0..shape.rank()).map(|k| i / strides[k] % shape.dim(k) * steps[k]).sum();
        groups[at].push(f64::from(v));
    }
    groups
}

fn mean_of(v: &[f64]) -> f64 {
    v.iter().sum::<f64>() / v.len() as f64
}

fn var_of(v: &[f64]) -> f64 {
    let mean = mean_of(v);
    v.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / v.len() as f64
}

#[test]
fn the_mirrors_are_the_formulas() {
    type Reduction = fn(&Tensor, &[usize], bool) -> Tensor;
    let rows: [(Reduction, fn(&[f64]) -> f64); 7] = [
        (sum_axes, |v| v.iter().sum()),
        (mean_axes, mean_of),
        (amax, |v| v.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
        (amin, |v| v.iter().copied().fold(f64::INFINITY, f64::min)),
        (|x, axes, keepdim| var(x, axes, 0, keepdim), var_of),
        (|x, axes, keepdim| std(x, axes, 0, keepdim), |v| var_of(v).sqrt()),
        (logsumexp, |v| v.iter().map(|x| x.exp()).sum::<f64>().ln()),
    ];
    for &(dims, axes) in &CASES[..15] {
        let x = tensor(&Device::Cpu, dims, 1);
        let groups = groups(&x, axes);
        for (which, (f, formula)) in rows.iter().enumerate() {
            let (got, kept) = (f(&x, axes, false), f(&x, axes, true));
            for (got, group) in got.to_vec().unwrap().into_iter().zip(&groups) {
                let want = formula(group);
                assert!(
                    (f64::from(got) - want).abs() < 2e-6 * want.abs().max(1.0),
                    "{which}: {dims:?} over {axes:?}: {got} is not {want}"
                );
            }
            assert_eq!((got.shape().rank(), kept.shape().rank()), (dims.len() - axes.len(), dims.len()));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..Default::default() })]

    /// Small integers, of which sums are exact: any extents, any set of axes.
    #[test]
    fn reductions_of_integers_are_those_of_a_plain_loop(
        extents in proptest::collection::vec((1usize..7, arbitrary::<bool>()), 0..=5),
        long in prop_oneof![Just(1usize), 100usize..300, 4000usize..9000],
        at in 0usize..6,
        seed in arbitrary::<u64>(),
    ) {
        // One axis is long, so that rows, columns and parts all come about.
        let mut extents = extents;
        let total: usize = extents.iter().map(|e| e.0).product();
        if total * long < 300_000 {
            extents.insert(at.min(extents.len()), (long, true));
        }
        let dims: Vec<usize> = extents.iter().map(|e| e.0).collect();
        let axes: Vec<usize> = (0..dims.len()).filter(|&axis| extents[axis].1).collect();
        let shape = Shape::new(&dims);
        for device in devices() {
            let x = Tensor::from_slice(&device, shape, &integers(shape.len(), seed));
            let groups = groups(&x, &axes);
            let of = |f: fn(&[f64]) -> f64| groups.iter().map(|v| f(v) as f32).collect::<Vec<_>>();
            let largest = |v: &[f64]| v.iter().copied().fold(f64::MIN, f64::max);
            prop_assert_eq!(sum_axes(&x, &axes, false).to_vec().unwrap(), of(|v| v.iter().sum()));
            prop_assert_eq!(amax(&x, &axes, false).to_vec().unwrap(), of(|v| v.iter().copied().fold(f64::MIN, f64::max)));
            prop_assert_eq!(amin(&x, &axes, false).to_vec().unwrap(), of(|v| v.iter().copied().fold(f64::MAX, f64::min)));
            let ties: Vec<f32> = groups.iter().map(|v| v.iter().filter(|&&x| x == largest(v)).count() as f32).collect();
            prop_assert_eq!(amax_ties(&x, &axes, false).to_vec().unwrap(), ties);

            let flags: Vec<bool> = integers(shape.len(), seed).iter().map(|&v| v > 3.0).collect();
            let truths = Tensor::from_slice(&device, shape, &flags);
            let held: Vec<bool> = groups.iter().map(|v| v.iter().any(|&v| v > 3.0)).collect();
            prop_assert_eq!(any_axes(&truths, &axes, true).read::<bool>().unwrap(), held);
            let held: Vec<bool> = groups.iter().map(|v| v.iter().all(|&v| v > 3.0)).collect();
            prop_assert_eq!(all_axes(&truths, &axes, true).read::<bool>().unwrap(), held);

            for &axis in &axes {
                let first = |v: &Vec<f64>| v.iter().position(|&x| x == largest(v)).unwrap() as u32;
                let want: Vec<u32> = self::groups(&x, &[axis]).iter().map(first).collect();
                prop_assert_eq!(argmax_axis(&x, axis, false).read::<u32>().unwrap(), want);
            }
        }
    }
}

#[test]
fn sum_to_is_the_gradient_of_broadcasting() {
    for device in devices() {
        let x = Tensor::from_slice(&device, [2, 3, 2], &(1..=12).map(|v| v as f32).collect::<Vec<_>>());
        assert_eq!(sum_to(&x, [2]).to_vec().unwrap(), [36.0, 42.0]);
        assert_eq!(sum_to(&x, [1, 3, 1]).to_vec().unwrap(), [18.0, 26.0, 34.0]);
        assert_eq!(sum_to(&x, [2, 1, 1]).to_vec().unwrap(), [21.0, 57.0]);
        assert_eq!(sum_to(&x, Shape::SCALAR).item().unwrap(), 78.0);
        assert_eq!(sum_to(&x, x.shape()).len(), 12);
    }
}

#[test]
fn a_reduction_over_no_axes_is_of_each_element() {
    for device in devices() {
        let x = tensor(&device, [3, 4], 1);
        for f in [sum_axes, amax, amin, logsumexp] {
            let y = f(&x, &[], false);
            let near = y.to_vec().unwrap().iter().zip(x.to_vec().unwrap()).all(|(y, x)| (y - x).abs() < 1e-6);
            assert!(near && !y.shares_storage(&x));
        }
        assert_eq!(var(&x, &[], 0, false).to_vec().unwrap(), [0.0; 12]);
        assert_eq!(amax_ties(&x, &[], false).to_vec().unwrap(), [1.0; 12]);
    }
}

#[test]
fn reductions_of_nothing_are_those_of_pytorch() {
    for device in devices() {
        let none = Tensor::zeros(&device, [0, 2]);
        assert_eq!(sum_axes(&none, &[0], false).to_vec().unwrap(), [0.0, 0.0]);
        assert_eq!(logsumexp(&none, &[0], false).to_vec().unwrap(), [-INF, -INF]);
        assert_eq!(amax(&none, &[1], false).shape(), [0].into());
        assert!(argmin_axis(&none, 1, true).read::<u32>().unwrap().is_empty());
        let none = Tensor::from_slice::<bool>(&device, [2, 0], &[]);
        assert_eq!(any_axes(&none, &[1], false).read::<bool>().unwrap(), [false, false]);
        assert_eq!(all_axes(&none, &[1], false).read::<bool>().unwrap(), [true, true]);
        assert_eq!((any(&none).read::<bool>().unwrap(), all(&none).read::<bool>().unwrap()), (vec![false], vec![true]));
    }
}

#[test]
fn a_nan_is_an_extremum_and_infinities_are_values() {
    for device in devices() {
        let x = Tensor::from_slice(&device, [4, 3], &[1.0, NAN, NAN, 2.0, 2.0, 1.0, INF, 1.0, 1.0, -INF, -INF, -INF]);
        // torch.argmax, argmin, amax, amin, logsumexp over dim 1.
        assert_eq!(argmax_axis(&x, 1, false).read::<u32>().unwrap(), [1, 0, 0, 0]);
        assert_eq!(argmin_axis(&x, 1, false).read::<u32>().unwrap(), [1, 2, 1, 0]);
        let rows: [(&Tensor, [f32; 4]); 3] = [
            (&amax(&x, &[1], false), [NAN, 2.0, INF, -INF]),
            (&amin(&x, &[1], false), [NAN, 1.0, 1.0, -INF]),
            (&logsumexp(&x, &[1], false), [NAN, 2.862_0, INF, -INF]),
        ];
        for (got, want) in rows {
            let got = got.to_vec().unwrap();
            let same = |(g, w): (&f32, &f32)| g == w || (g.is_nan() && w.is_nan()) || (g - w).abs() < 1e-4;
            assert!(got.iter().zip(&want).all(same), "{got:?} is not {want:?} on {}", device.name());
        }
        // In the workgroup's tree too.
        let mut long = vec![-INF; 300];
        assert_eq!(logsumexp(&Tensor::from_slice(&device, [300], &long), &[0], false).item().unwrap(), -INF);
        long[170] = -1000.0;
        assert_eq!(logsumexp(&Tensor::from_slice(&device, [300], &long), &[0], false).item().unwrap(), -1000.0);
        long[270] = NAN;
        let x = Tensor::from_slice(&device, [300], &long);
        assert!(logsumexp(&x, &[0], false).item().unwrap().is_nan() && amin(&x, &[0], false).item().unwrap().is_nan());
        assert_eq!(argmax_all(&x).read::<u32>().unwrap(), [270]);
    }
}

#[test]
fn a_variance_is_right_where_the_mean_is_large() {
    for device in devices() {
        for dims in [[1, 70_000], [70_000, 1], [700, 100]] {
            // Steps of 1/16 about 10,000: exact in f32, where the square of the mean is not.
            let values: Vec<f32> = values(70_000, 3).iter().map(|v| 10_000.0 + (v * 16.0).round() / 16.0).collect();
            let wide: Vec<f64> = values.iter().map(|&v| v.into()).collect();
            let x = Tensor::from_slice(&device, dims, &values);
            let (got, want) = (var(&x, &[0, 1], 1, false).item().unwrap(), var_of(&wide) * 70_000.0 / 69_999.0);
            assert!((f64::from(got) / want - 1.0).abs() < 1e-5, "{got} is not {want} on {} for {dims:?}", device.name());
            let rows = var(&x, &[1], 0, false).to_vec().unwrap();
            for (got, group) in rows.iter().zip(groups(&x, &[1])) {
                let want = var_of(&group);
                assert!((f64::from(*got) - want).abs() <= 1e-5 * want, "{got} is not {want} on {}", device.name());
            }
        }
    }
}

#[test]
fn the_gradient_of_a_mean_is_the_difference_quotient() {
    let x = tensor(&Device::Cpu, [3, 4], 1);
    gradients(&[x], |t| mean(&t[0]), |_, dy| vec![Tensor::full(dy.device(), [3, 4], dy.item().unwrap() / 12.0)]);
}

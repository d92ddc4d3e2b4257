use crate::devices;
use gpu_core::ops::internals::{self, MatmulForm, Transpose};
use gpu_core::ops::matmul;
use gpu_core::{Device, Shape, Tensor};
use proptest::prelude::*;

/// `y` in f64 by the definition; `a` is (.., m, k) and `b` is (.., k, n).
fn naive(a: &Tensor, b: &Tensor) -> Vec<f32> {
    let (sa, sb) = (a.shape(), b.shape());
    let (m, k, n) = (sa.dim(sa.rank() - 2), sa.dim(sa.rank() - 1), sb.dim(sb.rank() - 1));
    let lead = |s: Shape| Shape::new(&s.dims()[..s.rank() - 2]);
    let y = lead(sa).broadcast(lead(sb)).unwrap();
    let (a, b) = (a.to_vec().unwrap(), b.to_vec().unwrap());
    let matrix = |batch: usize, of: Shape| -> usize {
        let (steps, strides) = (of.broadcast_strides(y), y.strides());
        (0..y.rank()).map(|axis| batch / strides[axis] % y.dim(axis) * steps[axis]).sum()
    };
    let at = |e: usize| {
        let (batch, i, j) = (e / (m * n), e / n % m, e % n);
        let (a, b) = (&a[matrix(batch, lead(sa)) * m * k..], &b[matrix(batch, lead(sb)) * k * n..]);
        (0..k).map(|l| f64::from(a[i * k + l]) * f64::from(b[l * n + j])).sum::<f64>() as f32
    };
    (0..y.len() * m * n).map(at).collect()
}

/// The last two axes swapped.
fn transposed(x: &Tensor) -> Tensor {
    let shape = x.shape();
    let (rows, cols) = (shape.dim(shape.rank() - 2), shape.dim(shape.rank() - 1));
    let v = x.to_vec().unwrap();
    let at = |i: usize| v[i / (rows * cols) * rows * cols + (i % rows) * cols + i / rows % cols];
    let mut dims = shape.dims().to_vec();
    dims.swap(shape.rank() - 2, shape.rank() - 1);
    Tensor::from_slice(x.device(), dims.as_slice(), &(0..x.len()).map(at).collect::<Vec<_>>())
}

fn integers(device: &Device, dims: &[usize], seed: u64) -> Tensor {
    Tensor::from_slice(device, dims, &crate::integers(dims.iter().product(), seed))
}

#[derive(Debug, Clone)]
struct Geometry {
    a: Vec<usize>,
    b: Vec<usize>,
}

/// Extents on both sides of tiles and vectors, up to four leading axes, each of which may be missing or 1 in either factor.
fn geometry() -> impl Strategy<Value = Geometry> {
    let extent = || prop_oneof![1..10usize, 60..70usize, (1..5usize).prop_map(|v| 4 * v)];
    let axes = prop::collection::vec((1..4usize, any::<bool>(), any::<bool>()), 0..=4);
    (axes, 0..5usize, any::<bool>(), extent(), extent(), extent()).prop_map(|(axes, short, which, m, k, n)| {
        let of = |keep: fn(&(usize, bool, bool)) -> bool, short: usize, ends: [usize; 2]| -> Vec<usize> {
            let leading = axes.iter().map(|axis| if keep(axis) { axis.0 } else { 1 });
            leading.skip(short).chain(ends).collect()
        };
        let (short_a, short_b) = if which { (short, 0) } else { (0, short) };
        Geometry { a: of(|axis| axis.1, short_a, [m, k]), b: of(|axis| axis.2, short_b, [k, n]) }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn small_integers_multiply_exactly_on_every_device(Geometry { a, b } in geometry()) {
        for device in devices() {
            let (a, b) = (integers(&device, &a, 3), integers(&device, &b, 4));
            let want = naive(&a, &b);
            for form in [MatmulForm::Tiled, MatmulForm::Reg, MatmulForm::Subgroup, MatmulForm::TiledHalf, MatmulForm::Matrix] {
                // Small integers are exact in f16.
                let of = |factor: &Tensor| factor.cast(form.factors());
                let run = |a: &Tensor, b: &Tensor, transpose| internals::matmul(form, &of(a), &of(b), transpose).to_vec().unwrap();
                prop_assert_eq!(&run(&a, &b, Transpose::None), &want, "{:?}", form);
                prop_assert_eq!(&run(&transposed(&a), &b, Transpose::A), &want, "{:?}, a transposed", form);
                prop_assert_eq!(&run(&a, &transposed(&b), Transpose::B), &want, "{:?}, b transposed", form);
            }
            prop_assert_eq!(&matmul(&a, &b).to_vec().unwrap(), &want);
        }
    }

    #[test]
    fn tiles_of_four_multiply_exactly(Geometry { a, b } in geometry()) {
        let fours = |dims: &[usize]| -> Vec<usize> {
            dims.iter().enumerate().map(|(i, &d)| if i + 2 < dims.len() { d } else { d.next_multiple_of(4) }).collect()
        };
        for device in devices() {
            let (a, b) = (integers(&device, &fours(&a), 3), integers(&device, &fours(&b), 4));
            let want = naive(&a, &b);
            let run = |a: &Tensor, b: &Tensor, transpose| internals::matmul(MatmulForm::Tiled4, a, b, transpose).to_vec().unwrap();
            prop_assert_eq!(&run(&a, &b, Transpose::None), &want);
            prop_assert_eq!(&run(&transposed(&a), &b, Transpose::A), &want, "a transposed");
            prop_assert_eq!(&run(&a, &transposed(&b), Transpose::B), &want, "b transposed");
        }
    }
}

#[test]
fn a_long_sum_is_split_and_exact_in_every_form() {
    for device in devices() {
        let (a, b) = (integers(&device, &[2, 3, 70_004], 1), integers(&device, &[70_004, 4], 2));
        let want = naive(&a, &b);
        for form in [MatmulForm::Tiled, MatmulForm::Reg, MatmulForm::Subgroup, MatmulForm::TiledHalf, MatmulForm::Matrix] {
            let [a, b] = [&a, &b].map(|factor| factor.cast(form.factors()));
            assert_eq!(internals::matmul(form, &a, &b, Transpose::None).to_vec().unwrap(), want, "{form:?}");
        }
        let (a, b) = (integers(&device, &[2, 4, 70_004], 1), integers(&device, &[2, 70_004, 4], 2));
        assert_eq!(internals::matmul(MatmulForm::Tiled4, &a, &b, Transpose::None).to_vec().unwrap(), naive(&a, &b));
        let y = matmul(&integers(&device, &[200_000], 5), &integers(&device, &[200_000], 6));
        assert_eq!(y.item().unwrap(), naive(&integers(&device, &[1, 200_000], 5), &integers(&device, &[200_000, 1], 6))[0]);
    }
}

#[test]
fn nothing_times_nothing_is_zero_or_empty() {
    for device in devices() {
        let zeros = |dims: &[usize]| Tensor::zeros(&device, dims);
        assert_eq!(matmul(&zeros(&[2, 0]), &zeros(&[0, 3])).to_vec().unwrap(), [0.0; 6]);
        assert_eq!(matmul(&zeros(&[0]), &zeros(&[0])).item().unwrap(), 0.0);
        assert_eq!(matmul(&zeros(&[5, 0, 2]), &zeros(&[2, 3])).shape(), Shape::from([5, 0, 3]));
        assert_eq!(matmul(&zeros(&[0, 4, 2]), &zeros(&[1, 2, 3])).shape(), Shape::from([0, 4, 3]));
    }
}

/// `torch.matmul(t(a, 1), t(b, 2))` with `t(s, seed) = ((torch.arange(prod(s)) * 7 + 3 * seed) % 11 - 5).float().reshape(s)`.
#[test]
fn axes_broadcast_and_vectors_vanish_as_in_pytorch() {
    type Row = (&'static [usize], &'static [usize], &'static [usize], &'static [f32]);
    const ROWS: [Row; 8] = [
        (&[3], &[3], &[], &[-13.0]),
        (&[3], &[3, 2], &[2], &[14.0, 9.0]),
        (&[2, 3], &[3], &[2], &[-13.0, -15.0]),
        (&[2, 1, 2, 3], &[2, 3, 1], &[2, 2, 2, 1], &[-13.0, -15.0, -17.0, -16.0, -17.0, -19.0, -15.0, -14.0]),
        (&[3], &[2, 3, 2], &[2, 2], &[14.0, 9.0, 17.0, 1.0]),
        (&[2, 2, 3], &[3], &[2, 2], &[-13.0, -15.0, -17.0, -19.0]),
        (&[2, 3], &[2, 3, 2], &[2, 2, 2], &[14.0, 9.0, 13.0, 9.0, 17.0, 1.0, 11.0, 7.0]),
        (&[1, 2, 3], &[2, 1, 3, 2], &[2, 1, 2, 2], &[14.0, 9.0, 13.0, 9.0, 17.0, 1.0, 11.0, 7.0]),
    ];
    for device in devices() {
        let t = |dims: &[usize], seed: usize| {
            let values = (0..dims.iter().product()).map(|i: usize| ((7 * i + 3 * seed) % 11) as f32 - 5.0);
            Tensor::from_slice(&device, dims, &values.collect::<Vec<_>>())
        };
        for (a, b, shape, want) in ROWS {
            let y = matmul(&t(a, 1), &t(b, 2));
            assert_eq!((y.shape().dims(), y.to_vec().unwrap().as_slice()), (shape, want), "{a:?} with {b:?}");
        }
    }
}

#[test]
#[should_panic(expected = "matmul: Tiled4 fits multiples of four (a [4, 3], b [3, 4])")]
fn tiles_of_four_refuse_other_extents() {
    let zeros = |dims: [usize; 2]| Tensor::zeros(&Device::Cpu, dims);
    internals::matmul(MatmulForm::Tiled4, &zeros([4, 3]), &zeros([3, 4]), Transpose::None);
}

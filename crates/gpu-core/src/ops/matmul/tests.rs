use super::plan::Transpose;
use super::*;
use crate::check;
use crate::shape::Shape;
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
    Tensor::from_slice(device, dims, &check::integers(dims.iter().product(), seed))
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
        for device in check::devices() {
            let (a, b) = (integers(&device, &a, 3), integers(&device, &b, 4));
            let want = naive(&a, &b);
            for form in [Form::Tiled, Form::Reg, Form::Subgroup] {
                let run = |a: &Tensor, b: &Tensor, transpose| product("matmul", a, b, transpose, Some(form)).to_vec().unwrap();
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
        for device in check::devices() {
            let (a, b) = (integers(&device, &fours(&a), 3), integers(&device, &fours(&b), 4));
            let want = naive(&a, &b);
            let run = |a: &Tensor, b: &Tensor, transpose| product("matmul", a, b, transpose, Some(Form::Tiled4)).to_vec().unwrap();
            prop_assert_eq!(&run(&a, &b, Transpose::None), &want);
            prop_assert_eq!(&run(&transposed(&a), &b, Transpose::A), &want, "a transposed");
            prop_assert_eq!(&run(&a, &transposed(&b), Transpose::B), &want, "b transposed");
        }
    }
}

#[test]
fn a_long_sum_is_split_and_exact_in_every_form() {
    for device in check::devices() {
        let (a, b) = (integers(&device, &[2, 3, 70_004], 1), integers(&device, &[70_004, 4], 2));
        let want = naive(&a, &b);
        for form in [Form::Tiled, Form::Reg, Form::Subgroup] {
            assert_eq!(product("matmul", &a, &b, Transpose::None, Some(form)).to_vec().unwrap(), want, "{form:?}");
        }
        let (a, b) = (integers(&device, &[2, 4, 70_004], 1), integers(&device, &[2, 70_004, 4], 2));
        assert_eq!(product("matmul", &a, &b, Transpose::None, Some(Form::Tiled4)).to_vec().unwrap(), naive(&a, &b));
        let y = matmul(&integers(&device, &[200_000], 5), &integers(&device, &[200_000], 6));
        assert_eq!(y.item().unwrap(), naive(&integers(&device, &[1, 200_000], 5), &integers(&device, &[200_000, 1], 6))[0]);
    }
}

#[test]
fn nothing_times_nothing_is_zero_or_empty() {
    for device in check::devices() {
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
    for device in check::devices() {
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
fn products_of_real_layers_fill_a_large_gpu_and_no_dispatch_is_long() {
    // m, k, n: linear layers forward and both gradients, products of attention's size, and much too large ones.
    let layers = [(512, 10), (2048, 1000), (1280, 1000), (4096, 10), (1024, 1024)];
    let linear = layers.iter().flat_map(|&(c, k)| [1, 8, 64].into_iter().flat_map(move |n| [(n, c, k), (n, k, c), (k, n, c)]));
    let squares = [(512, 512, 512), (1024, 1024, 1024), (256, 65_536, 256), (23_000, 23_000, 23_000), (1, 500_000_000, 1)];
    for (m, k, n) in linear.chain(squares) {
        for form in [Form::Tiled, Form::Tiled4] {
            let (tiles, flops) = (cut(form, Extents { batch: 1, m, n, k }, true).tiles, 2 * (m * k * n) as u64);
            let what = format!("{m}x{k} by {k}x{n}, {form:?}");
            budget::tests::assert_fills(&what, tiles, flops);
            budget::tests::assert_short(&what, tiles, flops);
        }
    }
}

#[test]
fn a_product_cut_into_dispatches_has_the_same_bits() {
    let Some(gpu) = check::gpu() else { return };
    let (device, launches) = check::counted(&check::poisoned(&gpu));
    for form in [Form::Tiled, Form::Tiled4] {
        let run = || {
            let (a, b) = (check::tensor(&device, [3, 72, 300], 1), check::tensor(&device, [3, 300, 132], 2));
            let y = product("matmul", &a, &b, Transpose::None, Some(form));
            y.to_vec().unwrap().iter().map(|v| v.to_bits()).collect::<Vec<_>>()
        };
        let whole = run();
        launches.take();
        let cut = budget::with_dispatch_flops(1 << 21, run);
        let launches = launches.take();
        let count: usize = launches.iter().filter(|l| l.kernel.name().contains("tiled")).map(|l| l.count).sum();
        assert!(count > 8, "{launches:?}");
        assert!(whole == cut, "{form:?}");
    }
}

/// The mirror works on a large product by runs of rows.
#[test]
fn rows_of_a_large_product_are_those_of_a_small_one_to_the_bit() {
    for (m, n, k) in [(5 * ROWS - 3, 33, 300), (4 * ROWS, 130, 1000)] {
        let (a, b) = (check::tensor(&Device::Cpu, [m, k], 1), check::tensor(&Device::Cpu, [k, n], 2));
        let large = matmul(&a, &b);
        assert_eq!(large.to_vec().unwrap(), matmul_ta(&transposed(&a), &b).to_vec().unwrap(), "{m} x {n} x {k}");
        let (a, large) = (a.to_vec().unwrap(), large.to_vec().unwrap());
        for from in [0, ROWS - 40, m - 70] {
            let some = Tensor::from_slice(&Device::Cpu, [70, k], &a[from * k..][..70 * k]);
            assert_eq!(matmul(&some, &b).to_vec().unwrap(), large[from * n..][..70 * n], "rows from {from} of {m} x {n} x {k}");
        }
    }
}

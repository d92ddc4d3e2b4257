//! Elements picked by indices along an axis: `y[.., j, ..] = x[.., index[j], ..]`, with one index list for all lines
//! (`index_select`: an embedding) or one for each (`gather`); and `one_hot`, their matrix.
//!
//! A GPU cannot refuse an index that is not one of the axis: it reads nothing and gives NaN (integers: zero). The CPU device
//! panics.

use crate::check::{self, Bench, Bound, Case};
use crate::dtype::DType;
use crate::expect;
use crate::kernel::{Args, Grid, Kernel, kernel};
use crate::mirror::{self, Real};
use crate::shape::{MAX_RANK, Shape};
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};

const WGSL: &str = wgsl!("gather.wgsl");
static GATHER: Kernel = kernel!(WGSL, "gather", gather_cpu);
static INDEX_SELECT: Kernel = kernel!(WGSL, "index_select", index_select_cpu);
static INDEX_SELECT4: Kernel = kernel!(WGSL, "index_select4", index_select_cpu);
static ONE_HOT: Kernel = kernel!(WGSL, "one_hot", one_hot_cpu);
pub(super) const KERNELS: &[&Kernel] = &[&GATHER, &INDEX_SELECT, &INDEX_SELECT4, &ONE_HOT];

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    elements: u32,
    size: u32,
    len: u32,
    inner: u32,
    outside: u32,
    op: u32,
}

const OPS: [&str; 3] = ["gather", "index_select", "one_hot"];

impl Params {
    /// Panics at an index that is not one of the axis.
    fn check(&self, index: &[u32]) {
        if let Some((at, v)) = index.iter().enumerate().find(|&(_, &v)| v >= self.size) {
            panic!("{}: index {v} at {at} is not one of the {} of the axis", OPS[self.op as usize], self.size);
        }
    }
}

fn gather_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (x, index, y): (&[T], &[u32], &mut [T]) = (args.input(0), args.input(1), args.output(0));
    p.check(index);
    let (size, len, inner) = (p.size as usize, p.len as usize, p.inner as usize);
    mirror::for_each_plane(y, inner, |row, y| {
        let first = row / len * size;
        for (i, (y, &place)) in y.iter_mut().zip(&index[row * inner..]).enumerate() {
            *y = x[(first + place as usize) * inner + i];
        }
    });
}

fn index_select_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (x, index, y): (&[T], &[u32], &mut [T]) = (args.input(0), args.input(1), args.output(0));
    p.check(index);
    let (size, len, inner) = (p.size as usize, p.len as usize, p.inner as usize);
    mirror::for_each_plane(y, inner, |row, y| {
        let place = row / len * size + index[row % len] as usize;
        y.copy_from_slice(&x[place * inner..][..inner]);
    });
}

fn one_hot_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (labels, y): (&[u32], &mut [T]) = (args.input(0), args.output(0));
    p.check(labels);
    mirror::for_each_plane(y, p.size as usize, |row, y| {
        y.fill(T::zero());
        y[labels[row] as usize] = T::one();
    });
}

/// What both expect: a word an element, indices in u32, an axis that there is.
#[track_caller]
fn expect_indices(op: &str, x: &Tensor, axis: usize, index: &Tensor) {
    let movable = x.dtype() == x.device().float_dtype() || matches!(x.dtype(), DType::F32 | DType::I32 | DType::U32);
    let shapes = expect::shapes(&[("x", x), ("index", index)]);
    assert!(movable, "{op}: x holds {}, not f32, i32 or u32 ({shapes})", x.dtype());
    expect::dtype(op, ("index", index), DType::U32);
    expect::one_device(op, &[("x", x), ("index", index)]);
    assert!(axis < x.shape().rank(), "{op}: x has no axis {axis} ({shapes})");
}

fn params(op: u32, x: &Tensor, axis: usize, len: usize, y: &Tensor) -> Params {
    // The bits of NaN; integers have none.
    let outside = if x.dtype().is_float() { f32::NAN.to_bits() } else { 0 };
    let (size, inner) = (x.shape().dim(axis) as u32, x.shape().inner(axis + 1) as u32);
    Params { elements: y.len() as u32, size, len: len as u32, inner, outside, op }
}

/// `y[a,j,b] = x[a,index[a,j,b],b]`: `index` (u32) has the shape of `x` but along `axis`, and so has `y`. Equivalent of
/// `torch.gather(x, axis, index)`. An index past the end of the axis gives NaN on a GPU (0 for integers).
///
/// # Panics
/// If `x` has no such axis, the shapes differ along another one, `index` does not hold u32, or `x` does not hold f32, i32 or u32;
/// on the CPU device, if an index is not one of the axis.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2, 3], &[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0]);
/// let labels = Tensor::from_slice(&Device::Cpu, [2, 1], &[2u32, 0]);
/// assert_eq!(ops::gather(&x, 1, &labels).to_vec()?, [3.0, 4.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn gather(x: &Tensor, axis: usize, index: &Tensor) -> Tensor {
    expect_indices("gather", x, axis, index);
    let (from, to) = (x.shape(), index.shape());
    let fits = from.rank() == to.rank() && (0..from.rank()).all(|i| i == axis || from.dim(i) == to.dim(i));
    let shapes = expect::shapes(&[("x", x), ("index", index)]);
    assert!(fits, "gather: the shapes differ along an axis other than {axis} ({shapes})");
    let y = Tensor::empty_of(x.device(), to, x.dtype());
    GATHER.launch(params(0, x, axis, to.dim(axis), &y), &[x, index], &[&y], Grid::linear(y.len(), 256));
    y
}

/// The slices of `x` along `axis` that `index` (u32, of any shape) names; the axis gives way to those of `index`. With a list that
/// is `torch.index_select(x, axis, index)`, and along axis 0 `torch.nn.functional.embedding(index, x)`. An index past the end of
/// the axis gives NaN on a GPU (0 for integers).
///
/// # Panics
/// If `x` has no such axis, the result would have more than six axes, `index` does not hold u32, or `x` does not hold f32, i32 or
/// u32; on the CPU device, if an index is not one of the axis.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let words = Tensor::from_slice(&Device::Cpu, [3, 2], &[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0]);
/// let text = Tensor::from_slice(&Device::Cpu, [1, 2], &[2u32, 0]);
/// let y = ops::index_select(&words, 0, &text);
/// assert_eq!((y.shape().dims(), y.to_vec()?), (&[1, 2, 2][..], vec![5.0, 6.0, 1.0, 2.0]));
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn index_select(x: &Tensor, axis: usize, index: &Tensor) -> Tensor {
    expect_indices("index_select", x, axis, index);
    let y = Tensor::empty_of(x.device(), selected("index_select", x.shape(), axis, index), x.dtype());
    let p = params(1, x, axis, index.len(), &y);
    match p.inner.is_multiple_of(4) {
        true => INDEX_SELECT4.launch(p, &[x, index], &[&y], Grid::linear(y.len() / 4, 256)),
        false => INDEX_SELECT.launch(p, &[x, index], &[&y], Grid::linear(y.len(), 256)),
    }
    y
}

/// The shape of `x` with the axes of `index` in place of one.
#[track_caller]
pub(super) fn selected(op: &str, x: Shape, axis: usize, index: &Tensor) -> Shape {
    let (before, after) = x.dims().split_at(axis);
    let dims = [before, index.shape().dims(), &after[1..]].concat();
    assert!(dims.len() <= MAX_RANK, "{op}: rank {} is over {MAX_RANK} (x {x}, index {})", dims.len(), index.shape());
    Shape::new(&dims)
}

/// A row for each label (u32) with 1 at the label and 0 elsewhere, in f32: (..) gives (.., classes). Equivalent of
/// `torch.nn.functional.one_hot(labels, classes).float()`. The row of a label past the end is zero on a GPU.
///
/// # Panics
/// If `labels` does not hold u32 or is of rank 6; on the CPU device, if a label is not under `classes`.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let labels = Tensor::from_slice(&Device::Cpu, [2], &[2u32, 0]);
/// assert_eq!(ops::one_hot(&labels, 3).to_vec()?, [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn one_hot(labels: &Tensor, classes: usize) -> Tensor {
    expect::dtype("one_hot", ("labels", labels), DType::U32);
    expect::rank("one_hot", ("labels", labels), 0..=MAX_RANK - 1);
    let dims = [labels.shape().dims(), &[classes]].concat();
    let y = Tensor::empty(labels.device(), dims.as_slice());
    let p = Params { elements: y.len() as u32, size: classes as u32, len: labels.len() as u32, inner: 1, outside: 0, op: 2 };
    ONE_HOT.launch(p, &[labels], &[&y], Grid::linear(y.len(), 256));
    y
}

/// Indices under `size` that are a pure function of the seed, some of them often.
pub(super) fn indices(len: usize, size: usize, seed: u64) -> Vec<u32> {
    let of = |v: f32| ((v * v * size as f32) as u32).min(size as u32 - 1);
    check::values(len, seed).into_iter().map(of).collect()
}

pub(super) fn cases() -> Vec<Case> {
    // x, axis, indices along it: one element, vectors of four and others, more than 65,535 workgroups.
    const SHAPES: [(&[usize], usize, usize); 8] = [
        (&[1], 0, 1),
        (&[7], 0, 100),
        (&[5, 3], 1, 4),
        (&[5, 3], 0, 9),
        (&[11, 8], 0, 6),
        (&[2, 3, 4, 5], 2, 7),
        (&[2, 3, 4, 4], 1, 2),
        (&[300, 256], 0, 65_537),
    ];
    let mut cases = Vec::new();
    for (dims, axis, len) in SHAPES {
        let (x, what) = (Shape::new(dims), format!("{:?} along {axis}, {len} indices", Shape::new(dims)));
        let size = x.dim(axis);
        cases.push(Case::new("index_select", what.clone(), Bound::Exact, move |device| {
            let index = Tensor::from_slice(device, [len], &indices(len, size, 2));
            let integers: Vec<u32> = (0..x.len() as u32).collect();
            let y = index_select(&check::tensor(device, x, 1), axis, &index);
            // Both types where it is cheap.
            let cheap = (y.len() < 1 << 20).then(|| index_select(&Tensor::from_slice(device, x, &integers), axis, &index));
            std::iter::once(y).chain(cheap).collect()
        }));
        if len < 1000 {
            let mut dims = dims.to_vec();
            dims[axis] = len;
            let to = Shape::new(&dims);
            cases.push(Case::new("gather", what, Bound::Exact, move |device| {
                let index = Tensor::from_slice(device, to, &indices(to.len(), size, 2));
                vec![gather(&check::tensor(device, x, 1), axis, &index)]
            }));
        }
    }
    for (labels, classes) in [(&[1][..], 1), (&[17], 10), (&[3, 5], 7), (&[65_537], 300)] {
        let labels = Shape::new(labels);
        cases.push(Case::new("one_hot", format!("{labels} of {classes}"), Bound::Exact, move |device| {
            vec![one_hot(&Tensor::from_slice(device, labels, &indices(labels.len(), classes, 2)), classes)]
        }));
    }
    cases
}

pub(super) fn benches() -> Vec<Bench> {
    let index = |device: &crate::Device, shape: &[usize], size| {
        let shape = Shape::new(shape);
        Tensor::from_slice(device, shape, &indices(shape.len(), size, 2))
    };
    vec![
        Bench::new("index_select", "8192 rows of 50000x512", 0, move |device| {
            let (x, index) = (check::tensor(device, [50_000, 512], 1), index(device, &[8192], 50_000));
            move || vec![index_select(&x, 0, &index)]
        }),
        Bench::new("index_select", "1000000 of 1000000", 0, move |device| {
            let (x, index) = (check::tensor(device, [1_000_000], 1), index(device, &[1_000_000], 1_000_000));
            move || vec![index_select(&x, 0, &index)]
        }),
        Bench::new("gather", "1024x1024 of 1024x1000", 0, move |device| {
            let (x, index) = (check::tensor(device, [1024, 1000], 1), index(device, &[1024, 1024], 1000));
            move || vec![gather(&x, 1, &index)]
        }),
        Bench::new("one_hot", "8192 of 1000", 0, move |device| {
            let labels = index(device, &[8192], 1000);
            move || vec![one_hot(&labels, 1000)]
        }),
    ]
}

#[cfg(test)]
pub(super) fn misuses() -> Vec<check::Misuse> {
    use crate::device::Device;
    use check::misuse;
    fn some(device: &Device, n: usize) -> Tensor {
        Tensor::from_slice(device, [n], &vec![0u32; n])
    }
    vec![
        misuse!("gather", ["no axis 1", "x [2], index [2]"], |device| gather(&Tensor::zeros(device, [2]), 1, &some(device, 2))),
        misuse!("gather", ["along an axis other than 1", "x [3, 4], index [2]"], |device| {
            gather(&Tensor::zeros(device, [3, 4]), 1, &some(device, 2))
        }),
        misuse!("gather", ["index holds f32, not u32"], |device| {
            gather(&Tensor::zeros(device, [2]), 0, &Tensor::zeros(device, [2]))
        }),
        misuse!("index_select", ["x holds bool", "x [1], index [2]"], |device| {
            index_select(&Tensor::from_slice(device, [1], &[true]), 0, &some(device, 2))
        }),
        misuse!("index_select", ["no axis 2", "x [2, 3], index [2]"], |device| {
            index_select(&Tensor::zeros(device, [2, 3]), 2, &some(device, 2))
        }),
        misuse!("index_select", ["rank 7", "x [1, 1, 1, 1, 1, 1], index [1, 1]"], |device| {
            index_select(&Tensor::zeros(device, [1; 6]), 2, &some(device, 1).reshape([1, 1]))
        }),
        misuse!("index_select", ["index on CPU", "x [2], index [2]"], |device| {
            index_select(&Tensor::zeros(device, [2]), 0, &some(&Device::Cpu, 2))
        }),
        misuse!("one_hot", ["labels holds f32, not u32", "labels [2]"], |device| one_hot(&Tensor::zeros(device, [2]), 3)),
        misuse!("one_hot", ["rank 6", "labels [1, 1, 1, 1, 1, 1]"], |device| one_hot(&some(device, 1).reshape([1; 6]), 3)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Device;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn elements_are_those_that_the_indices_name(
            outer in 1..5usize, size in 1..50usize, len in 1..70usize, inner in 1..9usize, seed: u64,
        ) {
            let x = check::values(outer * size * inner, seed);
            let at = |o: usize, place: u32, i: usize| x[(o * size + place as usize) * inner + i];
            let each = indices(outer * len * inner, size, seed);
            let split = |e: usize| (e / inner / len, e / inner % len, e % inner);
            let gathered: Vec<f32> = each.iter().enumerate().map(|(e, &v)| at(split(e).0, v, split(e).2)).collect();
            let selected: Vec<f32> = (0..each.len()).map(|e| at(split(e).0, each[split(e).1], split(e).2)).collect();
            let hot: Vec<f32> = (0..len * size).map(|e| f32::from(u8::from(each[e / size] as usize == e % size))).collect();
            for device in check::devices() {
                let x = Tensor::from_slice(&device, [outer, size, inner], &x);
                let index = Tensor::from_slice(&device, [outer, len, inner], &each);
                let list = Tensor::from_slice(&device, [len], &each[..len]);
                prop_assert_eq!(&gather(&x, 1, &index).to_vec().unwrap(), &gathered);
                prop_assert_eq!(&index_select(&x, 1, &list).to_vec().unwrap(), &selected);
                prop_assert_eq!(&one_hot(&list, size).to_vec().unwrap(), &hot);
            }
        }
    }

    /// `torch.gather(x, dim, index)` with `x = torch.arange(6.).reshape(2, 3)`.
    #[test]
    fn gathered_elements_are_those_of_pytorch() {
        for device in check::devices() {
            let x = Tensor::from_slice(&device, [2, 3], &[0.0f32, 1.0, 2.0, 3.0, 4.0, 5.0]);
            let index = |dims: [usize; 2], v: &[u32]| Tensor::from_slice(&device, dims, v);
            let y = gather(&x, 1, &index([2, 4], &[2, 0, 0, 1, 1, 1, 2, 0]));
            assert_eq!(y.to_vec().unwrap(), [2.0, 0.0, 0.0, 1.0, 4.0, 4.0, 5.0, 3.0]);
            let y = gather(&x, 0, &index([1, 3], &[1, 0, 1]));
            assert_eq!(y.to_vec().unwrap(), [3.0, 1.0, 5.0]);
        }
    }

    #[test]
    fn an_index_past_the_end_is_nan_or_nothing_on_a_gpu() {
        let Some(device) = check::gpu() else { return };
        let index = Tensor::from_slice(&device, [3], &[3u32, 0, u32::MAX]);
        for x in [Tensor::full(&device, [3], 2.0), Tensor::full(&device, [3, 4], 2.0)] {
            let y = index_select(&x, 0, &index).to_vec().unwrap();
            let (inner, of) = (x.len() / 3, |j: usize| y[j * x.len() / 3]);
            assert!(of(0).is_nan() && of(1) == 2.0 && of(2).is_nan() && y.len() == 3 * inner, "{y:?}");
        }
        let y = gather(&Tensor::full(&device, [3], 2.0), 0, &index).to_vec().unwrap();
        assert!(y[0].is_nan() && y[1] == 2.0 && y[2].is_nan(), "{y:?}");
        let integers = Tensor::from_slice(&device, [3], &[5u32, 6, 7]);
        assert_eq!(gather(&integers, 0, &index).read::<u32>().unwrap(), [0, 5, 0]);
        assert_eq!(one_hot(&index, 2).to_vec().unwrap(), [0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn the_cpu_refuses_an_index_past_the_end() {
        let (x, index) = (Tensor::zeros(&Device::Cpu, [3]), Tensor::from_slice(&Device::Cpu, [2], &[1u32, 3]));
        let runs: [(&str, &dyn Fn() -> Tensor); 3] = [
            ("gather", &|| gather(&x, 0, &index)),
            ("index_select", &|| index_select(&x, 0, &index)),
            ("one_hot", &|| one_hot(&index, 3)),
        ];
        for (op, run) in runs {
            let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).unwrap_err();
            let said = panic.downcast_ref::<String>().unwrap();
            assert_eq!(*said, format!("{op}: index 3 at 1 is not one of the 3 of the axis"));
        }
    }

    #[test]
    fn nothing_is_picked_from_anything() {
        for device in check::devices() {
            let none = Tensor::from_slice::<u32>(&device, [0], &[]);
            assert_eq!(index_select(&Tensor::zeros(&device, [0, 3]), 0, &none).shape(), [0, 3].into());
            assert_eq!(gather(&Tensor::zeros(&device, [5]), 0, &none).shape(), [0].into());
            assert_eq!(one_hot(&none, 0).shape(), [0, 0].into());
        }
    }
}

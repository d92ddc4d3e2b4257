//! The tables: what is held against the mirrors, what is timed, and wrong calls.

use super::{gather_bwd_x, index_add, index_select_bwd_x, scatter_add};
use crate::check::{self, Bench, Bound, Case};
use crate::device::Device;
use crate::ops::gather::indices;
use crate::shape::Shape;
use crate::tensor::Tensor;

fn integers(device: &Device, shape: Shape, seed: u64) -> Tensor {
    Tensor::from_slice(device, shape, &check::input_integers(device, shape.len(), seed))
}

fn with_extent(x: Shape, axis: usize, extent: usize) -> Shape {
    let mut dims = x.dims().to_vec();
    dims[axis] = extent;
    Shape::new(&dims)
}

/// Sums of small integers are exact in whatever order.
pub(in crate::ops) fn cases() -> Vec<Case> {
    // x, axis, indices along it: few and many, segments shorter and longer than blocks, one index for all, strided lines.
    const SHAPES: [(&[usize], usize, usize); 10] = [
        (&[1], 0, 1),
        (&[7], 0, 20),
        (&[5, 3], 1, 32),
        (&[5, 3], 0, 33),
        (&[2, 11, 8], 1, 500),
        (&[2, 3, 4, 5], 2, 70),
        (&[3], 0, 5000),
        (&[1, 4], 0, 2600),
        (&[2, 6, 3], 1, 3001),
        (&[70_000, 2], 0, 3000),
    ];
    let mut cases = Vec::new();
    for (dims, axis, len) in SHAPES {
        let (x, what) = (Shape::new(dims), format!("{:?} along {axis}, {len} indices", Shape::new(dims)));
        let (to, size) = (with_extent(x, axis, len), x.dim(axis));
        let list = move |device: &Device| Tensor::from_slice(device, [len], &indices(len, size, 2));
        let each = move |device: &Device| Tensor::from_slice(device, to, &indices(to.len(), size, 3));
        cases.push(Case::new("index_add", what.clone(), Bound::Exact, move |device| {
            vec![index_add(&integers(device, x, 1), axis, &list(device), &integers(device, to, 2))]
        }));
        cases.push(Case::new("scatter_add", what.clone(), Bound::Exact, move |device| {
            vec![scatter_add(&integers(device, x, 1), axis, &each(device), &integers(device, to, 2))]
        }));
        cases.push(Case::new("gather_bwd_x", what.clone(), Bound::Exact, move |device| {
            vec![gather_bwd_x(&integers(device, to, 2), axis, &each(device), x)]
        }));
        // Fractions too: a sum of at most `len` of them.
        cases.push(Case::new("index_select_bwd_x", what, Bound::Sum { terms: len }, move |device| {
            vec![index_select_bwd_x(&check::tensor(device, to, 2), axis, &list(device), x)]
        }));
    }
    // More than 65,535 workgroups.
    cases.push(Case::new("index_add", "[66000, 256], 40 indices".to_owned(), Bound::Exact, |device| {
        let index = Tensor::from_slice(device, [40], &indices(40, 66_000, 2));
        vec![index_add(&Tensor::full(device, [66_000, 256], 1.0), 0, &index, &integers(device, [40, 256].into(), 1))]
    }));
    cases
}

pub(in crate::ops) fn benches() -> Vec<Bench> {
    let list = |device: &Device, len, size| Tensor::from_slice(device, [len], &indices(len, size, 2));
    vec![
        Bench::new("index_select_bwd_x", "8192 rows of 50000x512", 0, move |device| {
            let (dy, index) = (check::tensor(device, [8192, 512], 1), list(device, 8192, 50_000));
            move || vec![index_select_bwd_x(&dy, 0, &index, [50_000, 512])]
        }),
        Bench::new("index_select_bwd_x", "8192 rows, all of them one", 0, |device| {
            let (dy, index) = (check::tensor(device, [8192, 512], 1), Tensor::from_slice(device, [8192], &[7u32; 8192]));
            move || vec![index_select_bwd_x(&dy, 0, &index, [1000, 512])]
        }),
        Bench::new("index_add", "16 rows of 1000x512", 0, move |device| {
            let (x, src) = (check::tensor(device, [1000, 512], 1), check::tensor(device, [16, 512], 2));
            let index = list(device, 16, 1000);
            move || vec![index_add(&x, 0, &index, &src)]
        }),
        Bench::new("scatter_add", "1000000 into 1000", 0, move |device| {
            let (x, src) = (check::tensor(device, [1000], 1), check::tensor(device, [1_000_000], 2));
            let index = list(device, 1_000_000, 1000);
            move || vec![scatter_add(&x, 0, &index, &src)]
        }),
        Bench::new("gather_bwd_x", "256 of 256x1000", 0, move |device| {
            let dy = check::tensor(device, [256, 1], 1);
            let index = list(device, 256, 1000).reshape([256, 1]);
            move || vec![gather_bwd_x(&dy, 1, &index, [256, 1000])]
        }),
    ]
}

#[cfg(test)]
pub(in crate::ops) fn misuses() -> Vec<check::Misuse> {
    use check::misuse;
    fn some(device: &Device, n: usize) -> Tensor {
        Tensor::from_slice(device, [n], &vec![0u32; n])
    }
    fn zeros(device: &Device, n: usize) -> Tensor {
        Tensor::zeros(device, [n])
    }
    vec![
        misuse!("scatter_add", ["no axis 1", "x [2], index [3], src [3]"], |device| {
            scatter_add(&zeros(device, 2), 1, &some(device, 3), &zeros(device, 3))
        }),
        misuse!("scatter_add", ["index and src do", "x [2], index [3], src [4]"], |device| {
            scatter_add(&zeros(device, 2), 0, &some(device, 3), &zeros(device, 4))
        }),
        misuse!("scatter_add", ["x holds u32, not f32", "x [2], src [2]"], |device| {
            scatter_add(&some(device, 2), 0, &some(device, 2), &zeros(device, 2))
        }),
        misuse!("index_add", ["src is not [3, 5]", "x [2, 5], index [3], src [3]"], |device| {
            index_add(&Tensor::zeros(device, [2, 5]), 0, &some(device, 3), &zeros(device, 3))
        }),
        misuse!("index_add", ["src on CPU", "x [2], src [2]"], |device| {
            index_add(&zeros(device, 2), 0, &some(device, 2), &zeros(&Device::Cpu, 2))
        }),
        misuse!("gather_bwd_x", ["along an axis other than 1", "x [3, 4], index [2], dy [2]"], |device| {
            gather_bwd_x(&zeros(device, 2), 1, &some(device, 2), [3, 4])
        }),
        misuse!("gather_bwd_x", ["index holds f32, not u32"], |device| {
            gather_bwd_x(&zeros(device, 2), 0, &zeros(device, 2), [3])
        }),
        misuse!("index_select_bwd_x", ["dy is not [3, 5]", "x [2, 5], index [3], dy [3]"], |device| {
            index_select_bwd_x(&zeros(device, 3), 0, &some(device, 3), [2, 5])
        }),
    ]
}

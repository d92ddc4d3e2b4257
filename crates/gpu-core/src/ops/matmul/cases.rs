//! The tables: what is held against the mirrors, what is timed, and wrong calls.

use super::{Form, Transpose, matmul, product};
use crate::check::{self, Bench, Bound, Case};
use crate::shape::Shape;
use crate::tensor::Tensor;

pub(in crate::ops) fn cases() -> Vec<Case> {
    // m, k, n: a single element, primes, more than a tile of 64 and of 128, a long k, one row, one column.
    const EXTENTS: [(usize, usize, usize); 8] =
        [(1, 1, 1), (7, 13, 17), (67, 9, 71), (128, 64, 132), (131, 40, 137), (3, 5003, 5), (1, 31, 200), (200, 31, 1)];
    let mut cases = Vec::new();
    for form in [Form::Tiled, Form::Tiled4, Form::Reg, Form::Subgroup] {
        for transpose in [Transpose::None, Transpose::A, Transpose::B] {
            for (batch, (m, k, n)) in EXTENTS.into_iter().map(|e| (1, e)).chain([(3, (20, 12, 36))]) {
                if form == Form::Tiled4 && [m, k, n].iter().any(|v| v % 4 != 0) {
                    continue;
                }
                let what = format!("{form:?} transpose {transpose:?} {batch} x {m}x{k}x{n}");
                cases.push(Case::new("matmul", what, Bound::Sum { terms: k }, move |device| {
                    let a = check::tensor(device, if transpose == Transpose::A { [batch, k, m] } else { [batch, m, k] }, 1);
                    let b = check::tensor(device, if transpose == Transpose::B { [batch, n, k] } else { [batch, k, n] }, 2);
                    vec![product("matmul", &a, &b, transpose, Some(form))]
                }));
            }
        }
    }
    cases.extend(broadcast_cases());
    // Longer than one invocation may walk.
    cases.push(Case::new("matmul", "2x70001x3, split, small integers".to_owned(), Bound::Exact, |device| {
        let integers =
            |shape: [usize; 2], seed| Tensor::from_slice(device, shape, &check::input_integers(device, shape[0] * shape[1], seed));
        vec![matmul(&integers([2, 70_001], 1), &integers([70_001, 3], 2))]
    }));
    cases
}

fn broadcast_cases() -> Vec<Case> {
    const SHAPES: [(&[usize], &[usize]); 8] = [
        (&[5], &[5]),
        (&[5], &[5, 3]),
        (&[4, 5], &[5]),
        (&[2, 1, 4, 8], &[3, 8, 12]),
        (&[3, 1, 2, 1, 4, 8], &[2, 1, 3, 8, 4]),
        (&[2, 3, 4, 8], &[8, 12]),
        (&[4, 8], &[2, 3, 8, 12]),
        (&[8], &[2, 3, 8, 12]),
    ];
    let of = |(form, (a, b)): (Form, (&'static [usize], &'static [usize]))| {
        let (a, b) = (Shape::new(a), Shape::new(b));
        let bound = Bound::Sum { terms: 8 };
        Case::new("matmul", format!("{form:?} {a} with {b}"), bound, move |device| {
            let (a, b) = (check::tensor(device, a, 1), check::tensor(device, b, 2));
            vec![product("matmul", &a, &b, Transpose::None, Some(form))]
        })
    };
    let forms = [Form::Tiled, Form::Reg, Form::Subgroup].into_iter().flat_map(|form| SHAPES.map(|shapes| (form, shapes)));
    forms.chain(SHAPES[3..7].iter().map(|&shapes| (Form::Tiled4, shapes))).map(of).collect()
}

pub(in crate::ops) fn benches() -> Vec<Bench> {
    let of = |what: &str, a: &'static [usize], b: &'static [usize], form: Option<Form>| {
        let (m, k, n) = (a[..a.len() - 1].iter().product::<usize>(), a[a.len() - 1], b[b.len() - 1]);
        Bench::new("matmul", what, 2 * (m * n * k) as u64, move |device| {
            let (a, b) = (check::tensor(device, a, 1), check::tensor(device, b, 2));
            move || vec![product("matmul", &a, &b, Transpose::None, form)]
        })
    };
    const N: &[usize] = &[512, 512];
    vec![
        of("512", N, N, None),
        of("512, tiles", N, N, Some(Form::Tiled)),
        of("512, tiles of four", N, N, Some(Form::Tiled4)),
        of("512, registers", N, N, Some(Form::Reg)),
        of("512, registers passed round", N, N, Some(Form::Subgroup)),
        of("1024", &[1024, 1024], &[1024, 1024], None),
        of("64 x 128x64x128", &[64, 128, 64], &[64, 64, 128], None),
        of("16x196x256 by 256x256", &[16, 196, 256], &[256, 256], None),
        of("64x100000 by 100000x64, split", &[64, 100_000], &[100_000, 64], None),
        of("4096x4096 by a vector", &[4096, 4096], &[4096, 1], None),
    ]
}

#[cfg(test)]
pub(in crate::ops) fn misuses() -> Vec<check::Misuse> {
    use super::{matmul_ta, matmul_tb};
    use crate::device::Device;
    use check::misuse;
    fn zeros(device: &Device, dims: &[usize]) -> Tensor {
        Tensor::zeros(device, dims)
    }
    vec![
        misuse!("matmul", ["the inner extents 3 and 2 differ", "a [2, 3], b [2, 3]"], |device| {
            matmul(&zeros(device, &[2, 3]), &zeros(device, &[2, 3]))
        }),
        misuse!("matmul", ["leading axes [2] and [3] do not broadcast", "a [2, 1, 4], b [3, 4, 1]"], |device| {
            matmul(&zeros(device, &[2, 1, 4]), &zeros(device, &[3, 4, 1]))
        }),
        misuse!("matmul", ["a is a scalar", "a [], b [2]"], |device| matmul(&zeros(device, &[]), &zeros(device, &[2]))),
        misuse!("matmul", ["b holds u32, not f32", "b [2]"], |device| {
            matmul(&zeros(device, &[2]), &Tensor::from_slice(device, [2], &[1u32, 2]))
        }),
        misuse!("matmul", ["b on CPU", "a [2], b [2]"], |device| { matmul(&zeros(device, &[2]), &zeros(&Device::Cpu, &[2])) }),
        misuse!("matmul_ta", ["a is a vector", "a [2], b [2, 3]"], |device| {
            matmul_ta(&zeros(device, &[2]), &zeros(device, &[2, 3]))
        }),
        misuse!("matmul_ta", ["the inner extents 2 and 3 differ", "a [2, 4], b [3, 4]"], |device| {
            matmul_ta(&zeros(device, &[2, 4]), &zeros(device, &[3, 4]))
        }),
        misuse!("matmul_tb", ["the inner extents 4 and 3 differ", "a [2, 4], b [4, 3]"], |device| {
            matmul_tb(&zeros(device, &[2, 4]), &zeros(device, &[4, 3]))
        }),
        misuse!("matmul_tb", ["b is a vector", "a [2, 4], b [4]"], |device| {
            matmul_tb(&zeros(device, &[2, 4]), &zeros(device, &[4]))
        }),
    ]
}

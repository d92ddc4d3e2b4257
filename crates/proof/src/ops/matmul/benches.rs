//! What is timed.

use super::cases::factor;
use crate::{Bench, tensor};
use gpu_core::ops::internals::{self, MatmulForm, Transpose};
use gpu_core::ops::matmul;

pub fn benches() -> Vec<Bench> {
    let of = |what: &str, a: &'static [usize], b: &'static [usize], form: Option<MatmulForm>| {
        let (m, k, n) = (a[..a.len() - 1].iter().product::<usize>(), a[a.len() - 1], b[b.len() - 1]);
        Bench::new("matmul", what, 2 * (m * n * k) as u64, move |device| {
            let of = |shape, seed| form.map_or_else(|| tensor(device, shape, seed), |form| factor(device, form, shape, seed));
            let (a, b) = (of(a, 1), of(b, 2));
            move || match form {
                Some(form) => vec![internals::matmul(form, &a, &b, Transpose::None)],
                None => vec![matmul(&a, &b)],
            }
        })
    };
    const N: &[usize] = &[512, 512];
    vec![
        of("512", N, N, None),
        of("512, tiles", N, N, Some(MatmulForm::Tiled)),
        of("512, tiles of four", N, N, Some(MatmulForm::Tiled4)),
        of("512, registers", N, N, Some(MatmulForm::Reg)),
        of("512, registers passed round", N, N, Some(MatmulForm::Subgroup)),
        of("512 of f16, tiles", N, N, Some(MatmulForm::TiledHalf)),
        of("512 of f16, matrix units", N, N, Some(MatmulForm::Matrix)),
        of("1024", &[1024, 1024], &[1024, 1024], None),
        of("64 x 128x64x128", &[64, 128, 64], &[64, 64, 128], None),
        of("16x196x256 by 256x256", &[16, 196, 256], &[256, 256], None),
        of("64x100000 by 100000x64, split", &[64, 100_000], &[100_000, 64], None),
        of("4096x4096 by a vector", &[4096, 4096], &[4096, 1], None),
    ]
}

use super::mirrors::ROWS;
use super::*;
use crate::ops::{cast, transpose};
use crate::testing::{gpu, uniform};
use crate::work::tests::{assert_fills, assert_short};

#[test]
fn products_of_real_layers_fill_a_large_gpu_and_no_dispatch_is_long() {
    // m, k, n: linear layers forward and both gradients, products of attention's size, and much too large ones.
    let layers = [(512, 10), (2048, 1000), (1280, 1000), (4096, 10), (1024, 1024)];
    let linear = layers.iter().flat_map(|&(c, k)| [1, 8, 64].into_iter().flat_map(move |n| [(n, c, k), (n, k, c), (k, n, c)]));
    let squares = [(512, 512, 512), (1024, 1024, 1024), (256, 65_536, 256), (23_000, 23_000, 23_000), (1, 500_000_000, 1)];
    for (m, k, n) in linear.chain(squares) {
        for form in [Form::Tiled, Form::Tiled4, Form::TiledHalf, Form::Matrix] {
            let (tiles, flops) = (cut(form, Extents { batch: 1, m, n, k }, Work::Tiles, 16).tiles, 2 * (m * k * n) as u64);
            let what = format!("{m}x{k} by {k}x{n}, {form:?}");
            assert_fills(&what, tiles, flops);
            assert_short(&what, tiles, flops);
        }
    }
}

#[test]
fn a_product_cut_into_dispatches_has_the_same_bits() {
    let Some(gpu) = gpu() else { return };
    let forms = [Form::Tiled, Form::Tiled4, Form::Reg, Form::Subgroup, Form::TiledHalf, Form::Matrix];
    for form in forms.into_iter().filter(|form| form.runs_on(&gpu)) {
        let run = || {
            let [a, b] = [uniform(&gpu, [3, 72, 300], 1), uniform(&gpu, [3, 300, 132], 2)].map(|t| cast(&t, form.factors()));
            let (y, recorded) = gpu.capture(|| product("matmul", &a, &b, Transpose::None, Some(form))).unwrap();
            recorded.replay().unwrap();
            (recorded.len(), y.to_vec().unwrap().iter().map(|v| v.to_bits()).collect::<Vec<_>>())
        };
        let ((few, whole), (many, cut)) = (run(), work::with_dispatch_flops(1 << 21, run));
        assert!(few <= 2 && many > 8, "{form:?}: {few} launches and {many}");
        assert!(whole == cut, "{form:?}");
    }
}

/// The mirror works on a large product by runs of rows.
#[test]
fn rows_of_a_large_product_are_those_of_a_small_one_to_the_bit() {
    for (m, n, k) in [(5 * ROWS - 3, 33, 300), (4 * ROWS, 130, 1000)] {
        let (a, b) = (uniform(&Device::Cpu, [m, k], 1), uniform(&Device::Cpu, [k, n], 2));
        let large = matmul(&a, &b);
        assert_eq!(large.to_vec().unwrap(), matmul_ta(&transpose(&a, 0, 1), &b).to_vec().unwrap(), "{m} x {n} x {k}");
        let (a, large) = (a.to_vec().unwrap(), large.to_vec().unwrap());
        for from in [0, ROWS - 40, m - 70] {
            let some = Tensor::from_slice(&Device::Cpu, [70, k], &a[from * k..][..70 * k]);
            assert_eq!(matmul(&some, &b).to_vec().unwrap(), large[from * n..][..70 * n], "rows from {from} of {m} x {n} x {k}");
        }
    }
}

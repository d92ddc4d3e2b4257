use crate::{devices, tensor};
use gpu_core::ops::{self, Triangle, cholesky, lstsq, pinv, ridge, solve_spd, solve_triangular};
use gpu_core::{Device, Error, Tensor};

fn given(device: &Device, dims: &[usize], values: &[f32]) -> Tensor {
    Tensor::from_slice(device, dims, values)
}

/// Well-conditioned: `x x^T / n + 1`.
fn spd(device: &Device, n: usize) -> Tensor {
    let x = tensor(device, [n, n], 5);
    let gram = ops::scale(&ops::matmul_tb(&x, &x), 1.0 / n as f32);
    let one: Vec<f32> = (0..n * n).map(|i| f32::from(u8::from(i / n == i % n))).collect();
    ops::add(&gram, &given(device, &[n, n], &one))
}

#[track_caller]
fn close(got: &Tensor, want: &Tensor, bound: f32) {
    assert_eq!(got.shape(), want.shape());
    for (i, (got, want)) in got.to_vec().unwrap().into_iter().zip(want.to_vec().unwrap()).enumerate() {
        assert!((got - want).abs() <= bound, "element {i}: {got} is not {want}");
    }
}

#[test]
fn a_factor_times_its_transpose_is_the_matrix() {
    for device in devices() {
        // One element, less and more than a block, several blocks.
        for n in [1, 5, 63, 64, 65, 200] {
            let a = spd(&device, n);
            let l = cholesky(&a).unwrap();
            close(&ops::matmul_tb(&l, &l), &a, 2e-6);
            let l = l.to_vec().unwrap();
            assert!((0..n * n).all(|i| i % n <= i / n || l[i] == 0.0), "{n}: the upper triangle is not zero");
        }
    }
}

#[test]
fn the_upper_triangle_is_not_read() {
    let a = given(&Device::Cpu, &[2, 2], &[4.0, f32::NAN, 2.0, 5.0]);
    assert_eq!(cholesky(&a).unwrap().to_vec().unwrap(), [2.0, 0.0, 1.0, 2.0]);
}

#[test]
fn a_matrix_that_is_not_positive_definite_is_an_error_that_names_the_pivot() {
    for device in devices() {
        let error = cholesky(&given(&device, &[3, 3], &[4.0, 2.0, 0.0, 2.0, 1.0, 0.0, 0.0, 0.0, 1.0])).unwrap_err();
        assert_eq!(error, Error::NotPositiveDefinite { op: "cholesky", pivot: 1, value: "0.000e0".to_owned() });
        assert!(error.to_string().contains("cholesky: the matrix is not positive definite: pivot 1 is 0.000e0"), "{error}");
        // Past the first block.
        let n = 100;
        let diagonal: Vec<f32> = (0..n * n).map(|i| if i % (n + 1) == 0 { 70.5 - (i / n) as f32 } else { 0.0 }).collect();
        let error = cholesky(&given(&device, &[n, n], &diagonal)).unwrap_err();
        assert_eq!(error, Error::NotPositiveDefinite { op: "cholesky", pivot: 71, value: "-5.000e-1".to_owned() });
        let nan = ridge(&given(&device, &[1, 1], &[f32::NAN]), &given(&device, &[1], &[1.0]), 1.0);
        assert!(matches!(nan, Err(Error::NotPositiveDefinite { op: "ridge", pivot: 0, .. })), "{nan:?}");
    }
}

#[test]
fn a_triangular_system_is_solved_either_way() {
    for device in devices() {
        for (n, columns) in [(1, 1), (7, 3), (64, 1), (65, 2), (200, 5)] {
            let l = cholesky(&spd(&device, n)).unwrap();
            let mut flipped = vec![0.0; n * n];
            l.to_vec().unwrap().iter().enumerate().for_each(|(i, &v)| flipped[i % n * n + i / n] = v);
            let u = given(&device, &[n, n], &flipped);
            let x = tensor(&device, [n, columns], 3);
            let solve = |a: &Tensor, b: &Tensor, triangle, transposed| solve_triangular(a, b, triangle, transposed).unwrap();
            close(&solve(&l, &ops::matmul(&l, &x), Triangle::Lower, false), &x, 1e-5);
            close(&solve(&l, &ops::matmul_ta(&l, &x), Triangle::Lower, true), &x, 1e-5);
            close(&solve(&u, &ops::matmul(&u, &x), Triangle::Upper, false), &x, 1e-5);
            close(&solve(&u, &ops::matmul_ta(&u, &x), Triangle::Upper, true), &x, 1e-5);
            let a = spd(&device, n);
            close(&solve_spd(&a, &ops::matmul(&a, &x)).unwrap(), &x, 1e-5);
        }
        let singular = given(&device, &[2, 2], &[1.0, 0.0, 3.0, 0.0]);
        let error = solve_triangular(&singular, &given(&device, &[2], &[1.0, 1.0]), Triangle::Lower, false).unwrap_err();
        assert_eq!(error, Error::Singular { op: "solve_triangular", column: 1 });
    }
}

const LSTSQ: [f32; 4] = [-0.482_435_6, 0.553_864_2, 0.290_398_13, 0.423_887_59];
const RIDGE: [f32; 4] = [-0.456_769_98, 0.531_810_77, 0.278_412_2, 0.418_705_82];
const CHOLESKY: [f32; 9] = [2.0, 0.0, 0.0, 0.5, 1.658_312_4, 0.0, -0.5, 0.452_267_02, 1.243_163_1];

/// `torch.linalg.lstsq(a, b).solution`, `torch.linalg.cholesky` and `torch.linalg.solve(a.T @ a + 0.5 * torch.eye(2), a.T @ b)`, in
/// float64.
#[test]
fn solutions_are_those_of_pytorch() {
    for device in devices() {
        let a = given(&device, &[4, 2], &[1.0, 2.0, -1.0, 0.5, 3.0, 1.0, 0.0, 4.0]);
        let b = given(&device, &[4, 2], &[1.0, 0.0, 2.0, 1.0, -1.0, 3.0, 0.5, 2.0]);
        let x = lstsq(&a, &b).unwrap();
        close(&x, &given(&device, &[2, 2], &LSTSQ), 1e-6);
        let x = ridge(&a, &b, 0.5).unwrap();
        close(&x, &given(&device, &[2, 2], &RIDGE), 1e-6);
        let spd = given(&device, &[3, 3], &[4.0, 1.0, -1.0, 1.0, 3.0, 0.5, -1.0, 0.5, 2.0]);
        close(&cholesky(&spd).unwrap(), &given(&device, &[3, 3], &CHOLESKY), 1e-6);
    }
}

#[test]
fn a_residual_is_orthogonal_to_every_column() {
    for device in devices() {
        for (m, n, columns) in [(1, 1, 1), (9, 4, 2), (300, 70, 1)] {
            let (a, b) = (tensor(&device, [m, n], 1), tensor(&device, [m, columns], 2));
            let x = lstsq(&a, &b).unwrap();
            let residual = ops::sub(&ops::matmul(&a, &x), &b);
            close(&ops::matmul_ta(&a, &residual), &Tensor::zeros(&device, [n, columns]), 3e-5);
            // A vector is one column.
            let first = given(&device, &[m], &b.to_vec().unwrap().into_iter().step_by(columns).collect::<Vec<_>>());
            let want = given(&device, &[n], &x.to_vec().unwrap().into_iter().step_by(columns).collect::<Vec<_>>());
            close(&lstsq(&a, &first).unwrap(), &want, 1e-6);
        }
    }
}

/// Columns that differ by 2^-20 only: their normal equations would differ by 2^-40, which f32 has lost and f64 can barely tell.
#[test]
fn almost_dependent_columns_are_told_apart() {
    const E: f32 = 1.0 / (1 << 20) as f32;
    let a = given(&Device::Cpu, &[3, 2], &[1.0, 1.0, E, 0.0, 0.0, E]);
    let b = given(&Device::Cpu, &[3], &[3.0, 2.0 * E, E]);
    close(&lstsq(&a, &b).unwrap(), &given(&Device::Cpu, &[2], &[2.0, 1.0]), 1e-6);
    let dependent = given(&Device::Cpu, &[3, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 9.0, 7.0, 9.0, 16.0]);
    let error = lstsq(&dependent, &given(&Device::Cpu, &[3], &[1.0, 2.0, 3.0])).unwrap_err();
    assert_eq!(error, Error::Singular { op: "lstsq", column: 2 });
}

/// `x = a^T (a a^T + lambda)^-1 b = (a^T a + lambda)^-1 a^T b`: by the smaller one, held against the other.
#[test]
fn a_wide_ridge_is_the_tall_one() {
    for (m, n) in [(5, 9), (9, 5)] {
        let (a, b) = (tensor(&Device::Cpu, [m, n], 1), tensor(&Device::Cpu, [m, 2], 2));
        let gram = ops::matmul_ta(&a, &a);
        let lambda: Vec<f32> = (0..n * n).map(|i| if i % (n + 1) == 0 { 0.25 } else { 0.0 }).collect();
        let want = solve_spd(&ops::add(&gram, &given(&Device::Cpu, &[n, n], &lambda)), &ops::matmul_ta(&a, &b)).unwrap();
        close(&ridge(&a, &b, 0.25).unwrap(), &want, 1e-5);
    }
}

/// Penrose's four equations, which have one solution: of full rank, wide and tall, and of rank 3 whatever the shape.
#[test]
fn a_pseudo_inverse_fulfils_its_four_equations() {
    for device in devices() {
        for (m, n) in [(1, 1), (1, 7), (9, 4), (4, 9), (30, 30), (65, 20)] {
            let low = ops::matmul(&tensor(&device, [m, 3], 1), &tensor(&device, [3, n], 2));
            for a in [tensor(&device, [m, n], 3), low] {
                let x = pinv(&a).unwrap();
                let (ax, xa) = (ops::matmul(&a, &x), ops::matmul(&x, &a));
                let size = x.to_vec().unwrap().into_iter().fold(1.0, |most: f32, v| most.max(v.abs()));
                close(&ops::matmul(&ax, &a), &a, 1e-5 * size);
                close(&ops::matmul(&xa, &x), &x, 1e-5 * size * size);
                close(&ax, &ops::transpose(&ax, 0, 1), 1e-5 * size);
                close(&xa, &ops::transpose(&xa, 0, 1), 1e-5 * size);
            }
        }
    }
}

/// `a^T (a a^T)^-1` by hand, and the convention of `torch.linalg.pinv` for what is zero to f32.
#[test]
fn a_small_pseudo_inverse_is_that_done_by_hand_and_rounding_counts_as_zero() {
    for device in devices() {
        let a = given(&device, &[2, 3], &[1.0, 0.0, 1.0, 0.0, 1.0, 1.0]);
        let third = 1.0 / 3.0;
        let want = [2.0 * third, -third, -third, 2.0 * third, third, third];
        close(&pinv(&a).unwrap(), &given(&device, &[3, 2], &want), 1e-6);
        assert_eq!(pinv(&Tensor::zeros(&device, [3, 2])).unwrap().to_vec().unwrap(), [0.0; 6]);
        // What f32 cannot tell from nothing counts as nothing.
        let small = given(&device, &[2, 2], &[4.0, 0.0, 0.0, 4.0 * f32::EPSILON]);
        assert_eq!(pinv(&small).unwrap().to_vec().unwrap(), [0.25, 0.0, 0.0, 0.0]);
        assert!(pinv(&given(&device, &[1, 1], &[f32::NAN])).unwrap().to_vec().unwrap()[0].is_nan());
    }
}

/// The shortest solution: the others differ from it by what `a` does not see, at right angles.
#[test]
fn the_pseudo_inverse_gives_what_least_squares_gives_where_there_is_one() {
    let (a, b) = (tensor(&Device::Cpu, [9, 4], 1), tensor(&Device::Cpu, [9, 2], 2));
    close(&ops::matmul(&pinv(&a).unwrap(), &b), &lstsq(&a, &b).unwrap(), 1e-5);
}

#[test]
fn inside_a_capture_it_is_refused() {
    for device in devices() {
        let (a, b) = (spd(&device, 3), Tensor::zeros(&device, [3]));
        let (errors, _) = device
            .capture(|| {
                [
                    cholesky(&a),
                    solve_triangular(&a, &b, Triangle::Lower, false),
                    solve_spd(&a, &b),
                    lstsq(&a, &b),
                    ridge(&a, &b, 1.0),
                    pinv(&a),
                ]
                .map(|result| result.unwrap_err())
            })
            .unwrap();
        assert!(errors.iter().all(|error| *error == Error::InsideCapture), "{errors:?}");
    }
}

#[test]
fn nothing_is_solved_by_nothing() {
    for device in devices() {
        let none = Tensor::zeros(&device, [0, 0]);
        assert_eq!(cholesky(&none).unwrap().shape(), [0, 0].into());
        assert_eq!(solve_spd(&none, &Tensor::zeros(&device, [0])).unwrap().shape(), [0].into());
        assert_eq!(lstsq(&Tensor::zeros(&device, [3, 0]), &Tensor::zeros(&device, [3, 2])).unwrap().shape(), [0, 2].into());
        assert_eq!(
            ridge(&Tensor::zeros(&device, [0, 2]), &Tensor::zeros(&device, [0]), 1.0).unwrap().to_vec().unwrap(),
            [0.0, 0.0]
        );
        assert_eq!(lstsq(&spd(&device, 3), &Tensor::zeros(&device, [3, 0])).unwrap().shape(), [3, 0].into());
        assert_eq!(pinv(&Tensor::zeros(&device, [0, 2])).unwrap().shape(), [2, 0].into());
        assert_eq!(pinv(&Tensor::zeros(&device, [2, 0])).unwrap().shape(), [0, 2].into());
    }
}

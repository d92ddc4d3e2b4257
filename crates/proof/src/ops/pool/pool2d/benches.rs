//! What is timed.

use super::cases::pool;
use crate::{Bench, tensor};
use gpu_core::Shape;
use gpu_core::ops::internals::pool2d::{self as forms, Form};
use gpu_core::ops::{Divisor, avg_pool2d, avg_pool2d_bwd_x, max_pool2d, max_pool2d_bwd_x};

pub fn benches() -> Vec<Bench> {
    const SHAPE: [usize; 4] = [128, 64, 32, 32];
    let windows = [
        ("2x2", pool([2, 2], [2, 2], [0, 0])),
        ("3x3 stride 2", pool([3, 3], [2, 2], [1, 1])),
        ("3x3 stride 1", pool([3, 3], [1, 1], [1, 1])),
    ];
    let rows = windows.into_iter().flat_map(|(what, g)| {
        let what = format!("128x64x32x32, {what}");
        [
            Bench::new("max_pool2d", what.clone(), 0, move |device| {
                let x = tensor(device, SHAPE, 1);
                move || vec![max_pool2d(&x, g).0]
            }),
            Bench::new("max_pool2d_bwd_x", what.clone(), 0, move |device| {
                let (y, indices) = max_pool2d(&tensor(device, SHAPE, 1), g);
                let dy = tensor(device, y.shape(), 2);
                move || vec![max_pool2d_bwd_x(&dy, &indices, SHAPE.into(), g)]
            }),
            Bench::new("avg_pool2d", what.clone(), 0, move |device| {
                let x = tensor(device, SHAPE, 1);
                move || vec![avg_pool2d(&x, g, Divisor::Window)]
            }),
            Bench::new("avg_pool2d_bwd_x", what, 0, move |device| {
                let dy = tensor(device, g.out_shape(SHAPE.into()).expect("the windows fit"), 1);
                move || vec![avg_pool2d_bwd_x(&dy, SHAPE.into(), g, Divisor::Window)]
            }),
        ]
    });
    rows.chain(large_windows()).collect()
}

/// The forms that no common window takes.
fn large_windows() -> Vec<Bench> {
    const SHAPE: [usize; 4] = [1, 8, 300, 300];
    let g = pool([299, 299], [1, 1], [0, 0]);
    let (what, x_shape) = ("1x8x300x300, 299x299".to_owned(), Shape::from(SHAPE));
    let y = g.out_shape(x_shape).expect("the windows fit");
    vec![
        Bench::new("max_pool2d", what.clone(), 0, move |device| {
            let x = tensor(device, SHAPE, 1);
            move || vec![forms::max_pool2d(Form::Wide, &x, g, y).0]
        }),
        Bench::new("max_pool2d_bwd_x", what.clone(), 0, move |device| {
            let (y, indices) = max_pool2d(&tensor(device, SHAPE, 1), g);
            let dy = tensor(device, y.shape(), 2);
            move || vec![forms::max_pool2d_bwd_x(Form::Wide, &dy, &indices, x_shape, g)]
        }),
        Bench::new("avg_pool2d", what.clone(), 0, move |device| {
            let x = tensor(device, SHAPE, 1);
            move || vec![forms::avg_pool2d(Form::Wide, &x, g, Divisor::Window, y)]
        }),
        Bench::new("avg_pool2d_bwd_x", what, 0, move |device| {
            let dy = tensor(device, y, 1);
            move || vec![forms::avg_pool2d_bwd_x(Form::Wide, &dy, x_shape, g, Divisor::Window)]
        }),
    ]
}

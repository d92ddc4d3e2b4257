//! How the work of a pooling is cut.

use super::*;
use crate::testing::{gpu, uniform};
use crate::work;
use forms::{avg_pool2d_bwd_x, max_pool2d_bwd_x};

#[test]
fn windows_cut_into_dispatches_give_the_same_bits() {
    let Some(gpu) = gpu() else { return };
    let overlapping = Pool2dGeometry { stride: [2, 1], padding: [1, 1], ..Pool2dGeometry::new([3, 3]) };
    let common = Pool2dGeometry { stride: [2, 2], ..overlapping };
    for (form, g) in [(Form::Single, overlapping), (Form::Wide, overlapping), (Form::ByFour, common)] {
        let x = Shape::from([4, 8, 30, 40]);
        let y = g.out_shape(x).unwrap();
        let run = || {
            let (xt, dy) = (uniform(&gpu, x.dims(), 1), uniform(&gpu, y.dims(), 2));
            let (results, recorded) = gpu
                .capture(|| {
                    let (max, indices) = forms::max_pool2d(form, &xt, g, y);
                    let mean = forms::avg_pool2d(form, &xt, g, Divisor::Inside, y);
                    let of_max = max_pool2d_bwd_x(form, &dy, &indices, x, g);
                    [max, mean, of_max, avg_pool2d_bwd_x(form, &dy, x, g, Divisor::Inside)]
                })
                .unwrap();
            recorded.replay().unwrap();
            (recorded.len(), results.map(|t| t.to_vec().unwrap().iter().map(|v| v.to_bits()).collect::<Vec<_>>()))
        };
        let ((few, whole), (many, cut)) = (run(), work::with_dispatch_flops(200_000, run));
        assert!(few == 4 && many >= 12, "{form:?}: {few} launches and {many}");
        assert!(whole == cut, "{form:?}");
    }
}

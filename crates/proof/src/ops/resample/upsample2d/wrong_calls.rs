//! Wrong calls, and what their panics say.

use crate::{Misuse, misuse};
use gpu_core::ops::{Upsample2dGeometry, upsample2d, upsample2d_bwd_x};
use gpu_core::{Device, Tensor};

pub fn wrong_calls() -> Vec<Misuse> {
    fn zeros<const R: usize>(device: &Device, shape: [usize; R]) -> Tensor {
        Tensor::zeros(device, shape)
    }
    vec![
        misuse!("upsample2d", ["x needs axes (n, c, h, w)", "x [2, 3]"], |d| {
            upsample2d(&zeros(d, [2, 3]), Upsample2dGeometry::nearest_by(2.0))
        }),
        misuse!("upsample2d", ["2x2 cannot become 0x0", "x [1, 1, 2, 2]"], |d| {
            upsample2d(&zeros(d, [1, 1, 2, 2]), Upsample2dGeometry::bilinear_by(0.4))
        }),
        misuse!("upsample2d", ["factors [-1.0, -1.0] are not positive numbers", "x [1, 1, 2, 2]"], |d| {
            upsample2d(&zeros(d, [1, 1, 2, 2]), Upsample2dGeometry::bilinear_by(-1.0))
        }),
        misuse!("upsample2d", ["0x2 cannot become 0x4", "x [1, 1, 0, 2]"], |d| {
            upsample2d(&zeros(d, [1, 1, 0, 2]), Upsample2dGeometry::nearest_by(2.0))
        }),
        misuse!("upsample2d", ["x holds u32, not f32", "x [1, 1, 1, 1]"], |d| {
            upsample2d(&Tensor::from_slice(d, [1, 1, 1, 1], &[1u32]), Upsample2dGeometry::nearest_by(2.0))
        }),
        misuse!("upsample2d_bwd_x", ["x [1, 1, 2, 2] becomes [1, 1, 4, 4]", "dy [1, 1, 4, 5]"], |d| {
            upsample2d_bwd_x(&zeros(d, [1, 1, 4, 5]), [1, 1, 2, 2].into(), Upsample2dGeometry::nearest_by(2.0))
        }),
    ]
}

use super::{Row, row, tensor};
use gpu_core::ops::{Interpolation, Resize, Upsample2dGeometry};

pub(super) fn rows() -> Vec<Row> {
    let aligned = Interpolation::Bilinear { align_corners: true };
    let sized = Upsample2dGeometry { size: Resize::To([7, 3]), mode: aligned };
    vec![
        row("upsample2d", &[tensor([1, 2, 3, 4], 1)], |v| v[0].upsample2d(Upsample2dGeometry::nearest_by(2.0))),
        row("upsample2d", &[tensor([1, 2, 3, 4], 1)], |v| v[0].upsample2d(Upsample2dGeometry::bilinear_by(1.6))),
        row("upsample2d", &[tensor([1, 2, 3, 4], 1)], move |v| v[0].upsample2d(sized)),
        row("pixel_shuffle", &[tensor([2, 4, 2, 3], 1)], |v| v[0].pixel_shuffle(2)),
        row("pixel_unshuffle", &[tensor([2, 1, 4, 6], 1)], |v| v[0].pixel_unshuffle(2)),
    ]
}

//! Planes of another size.
//!
//! `Resize` finds the place of a pixel from the sizes alone, by a division; PyTorch multiplies, by a factor that may leave a part of a
//! pixel over. Where the two would read other pixels, the places are said by matrices.

use crate::onnx::graph::{Value, ints, string};
use crate::onnx::leaf::{Leaf, Matrix, Row, Said};
use gpu_core::ops::{Interpolation, Resize, Upsample2dGeometry};
use nn::Extents;

pub const LAYERS: &[Row] = &[("upsample", upsample)];

fn geometry(l: &Leaf<'_>) -> Upsample2dGeometry {
    let size = match (l.optional("factor"), l.optional::<Extents<2>>("size")) {
        (Some(factor), _) => Resize::By([factor; 2]),
        (None, size) => Resize::To(size.expect("an upsampling has a factor or a size").0),
    };
    let mode = match l.field::<String>("mode").as_str() {
        "bilinear" => Interpolation::Bilinear { align_corners: l.field("align_corners") },
        _ => Interpolation::Nearest,
    };
    Upsample2dGeometry { size, mode }
}

fn upsample(l: &mut Leaf<'_>) -> Said {
    let (x, geometry) = (l.x(), geometry(l));
    let axes = [0, 1].map(|axis| Axis {
        mode: geometry.mode,
        step: geometry.step(axis, l.input().dim(2 + axis), l.output().dim(2 + axis)),
        len: l.input().dim(2 + axis),
        to: l.output().dim(2 + axis),
        leaves_a_rest: matches!(geometry.size, Resize::By(by) if l.input().dim(2 + axis) as f64 * by[axis] % 1.0 != 0.0),
    });
    if !axes.iter().all(Axis::is_as_resize_has_it) {
        let [rows, columns] = axes.map(|axis| axis.matrix());
        return Ok(l.between(&x, &rows, &columns));
    }
    let size = [l.output().h() as i64, l.output().w() as i64];
    let sizes = l.integers("sizes", &size);
    let (mode, places) = match geometry.mode {
        Interpolation::Nearest => ("nearest", "asymmetric"),
        Interpolation::Bilinear { align_corners: false } => ("linear", "half_pixel"),
        Interpolation::Bilinear { align_corners: true } => ("linear", "align_corners"),
    };
    let attributes = vec![
        ints("axes", [2, 3]),
        string("mode", mode),
        string("coordinate_transformation_mode", places),
        string("nearest_mode", "floor"),
    ];
    Ok(l.apply_with("Resize", &[&x, &Value::none(), &Value::none(), &sizes], attributes))
}

/// One axis of a resampling.
struct Axis {
    mode: Interpolation,
    /// Elements from one place to the next.
    step: f32,
    len: usize,
    to: usize,
    leaves_a_rest: bool,
}

impl Axis {
    fn is_as_resize_has_it(&self) -> bool {
        let scale = self.to as f32 / self.len as f32;
        let same = |at: usize| (at as f32 * self.step) as usize == (at as f32 / scale) as usize;
        !self.leaves_a_rest && (self.mode != Interpolation::Nearest || (0..self.to).all(same))
    }

    /// What each place takes of the elements.
    fn matrix(&self) -> Matrix {
        Matrix::of(self.len, (0..self.to).map(|at| self.shares(at as f32)))
    }

    fn shares(&self, at: f32) -> Vec<(usize, f32)> {
        let last = self.len - 1;
        let place = match self.mode {
            Interpolation::Nearest => return vec![(((at * self.step) as usize).min(last), 1.0)],
            Interpolation::Bilinear { align_corners: false } => ((at + 0.5) * self.step - 0.5).max(0.0),
            Interpolation::Bilinear { align_corners: true } => at * self.step,
        };
        let low = (place as usize).min(last);
        let share = (place - low as f32).clamp(0.0, 1.0);
        vec![(low, 1.0 - share), ((low + 1).min(last), share)]
    }
}

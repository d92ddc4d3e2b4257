//! A first convolution that is not learned: it makes the patches of the images uncorrelated.
//!
//! With `v` the eigenvectors and `s` the eigenvalues of the patches' covariance, the filters are `v / sqrt(s + eps)` and the same
//! with the other sign, so that a rectifier loses nothing.

mod eigen;

use super::check::{channels_of, expect};
use super::sizes::{Extents, extents};
use crate::autograd::{Param, Var};
use crate::init::Fill;
use crate::module::ShapeError;
use crate::net::{Layer, Net, Params, Plan};
use eigen::symmetric_eigen;
use gpu_core::Shape;
use gpu_core::ops::Conv2dGeometry;
use serde::{Deserialize, Serialize};

/// Added to the eigenvalues, as in Jordan, "94% on CIFAR-10 in 3.29 seconds on a single GPU", 2024.
const EPS: f64 = 5e-4;

/// The largest patch whose covariance is worked out in no time.
const MAX_PATCH: usize = 256;

/// A convolution to twice as many channels as a patch has values, whose weights are kept as they are; its bias is learned. The weights
/// are random until [`whiten`](Self::whiten) has seen images. Equivalent of a `torch.nn.Conv2d` with `weight.requires_grad = False` that
/// Jordan's program sets by the eigenvectors of the patches.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WhiteningConv2d {
    kernel: Extents<2>,
}

impl WhiteningConv2d {
    /// For patches of `kernel`.
    pub fn new(kernel: impl Into<Extents<2>>) -> Self {
        Self { kernel: kernel.into() }
    }

    /// Sets the weights of `layer`, a built `WhiteningConv2d`, by `images` (N, C, H, W), as the network will see them: some hundreds of
    /// the training set.
    ///
    /// # Panics
    /// If the layer is another, the channels differ, or no patch fits into an image.
    #[track_caller]
    pub fn whiten(layer: &Net, images: &[f32], shape: impl Into<Shape>) {
        assert!(layer.is::<Self>(), "whiten: the layer is {layer:?}, not a WhiteningConv2d");
        whiten(layer.param("weight"), images, shape.into());
    }
}

/// Sets the weights `w` (2 c r s, c, r, s) by `images` of `shape` (N, C, H, W).
#[track_caller]
fn whiten(w: &Param, images: &[f32], shape: Shape) {
    let &[filters, c, r, s] = w.shape().dims() else { panic!("whiten: the weights have shape {}, not four axes", w.shape()) };
    assert!(
        shape.rank() == 4 && shape.c() == c && shape.h() >= r && shape.w() >= s && shape.len() == images.len(),
        "whiten: {} values of shape {shape} are no images for weights of shape {}",
        images.len(),
        w.shape()
    );
    let size = filters / 2;
    let (values, vectors) = symmetric_eigen(covariance(images, shape, [r, s]), size);
    let mut weights = Vec::with_capacity(filters * size);
    for sign in [1.0, -1.0] {
        for (value, vector) in values.iter().zip(&vectors) {
            weights.extend(vector.iter().map(|v| (sign * v / (value + EPS).sqrt()) as f32));
        }
    }
    w.set(&weights);
}

/// `E[p p^T]` over all patches `p` of the images, each (c, r, s) in the order of the weights. The mean is not subtracted, as in the paper.
fn covariance(images: &[f32], shape: Shape, [r, s]: [usize; 2]) -> Vec<f64> {
    let (c, h, w) = (shape.c(), shape.h(), shape.w());
    let size = c * r * s;
    let mut sums = vec![0f64; size * size];
    let mut patch = vec![0f64; size];
    for image in images.chunks_exact((c * h * w).max(1)) {
        for (p, q) in (0..=h - r).flat_map(|p| (0..=w - s).map(move |q| (p, q))) {
            for (i, value) in patch.iter_mut().enumerate() {
                let (channel, row, column) = (i / (r * s), i / s % r, i % s);
                *value = f64::from(image[(channel * h + p + row) * w + q + column]);
            }
            for (i, a) in patch.iter().enumerate() {
                sums[i * size..][..size].iter_mut().zip(&patch).for_each(|(sum, b)| *sum += a * b);
            }
        }
    }
    let patches = (shape.n() * (h - r + 1) * (w - s + 1)).max(1) as f64;
    sums.into_iter().map(|sum| sum / patches).collect()
}

impl Layer for WhiteningConv2d {
    fn plan(&self, input: Shape) -> Result<Plan, ShapeError> {
        let (c, [r, s]) = (channels_of::<2>(input)?, self.kernel.0);
        self.kernel.check_sizes("kernel")?;
        let patch = c.saturating_mul(r * s);
        expect(patch <= MAX_PATCH, || format!("a patch of {c} x {r} x {s} values is over {MAX_PATCH}"))?;
        let w = Shape::from([2 * patch, c, r, s]);
        let output = Conv2dGeometry::default().out_shape(input, w).map_err(ShapeError::new)?;
        let plan = Plan::new(format!("WhiteningConv2d {} {c}>{}", extents([r, s]), 2 * patch), output);
        Ok(plan.buffer("weight", w, Fill::Weights).bias(true, 2 * patch, patch).multiply_adds((output.len() * patch) as u64))
    }

    #[track_caller]
    fn forward(&self, x: &Var, p: &Params<'_>) -> Var {
        x.conv2d(&p.var("weight"), Some(&p.var("bias")), Conv2dGeometry::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::init::Init;
    use crate::module::Module;
    use gpu_core::{Device, Tensor};

    /// What comes out of the first half of the filters has the identity as its second moments.
    #[test]
    fn whitened_patches_are_uncorrelated() {
        let shape = Shape::from([40, 3, 9, 8]);
        // Neighbours and channels that have much in common.
        let noise = proof::values(shape.len() + 9, 1);
        let images: Vec<f32> = noise.windows(10).map(|v| v.iter().sum::<f32>() * 2.0).collect();
        let layer = WhiteningConv2d::new(2).build(&Init::seeded(&Device::Cpu, 0), [3, 9, 8]).unwrap();
        layer.param("bias").set(&[0.0; 24]);
        WhiteningConv2d::whiten(&layer, &images, shape);
        let y = layer.forward(&Var::constant(&Tensor::from_slice(&Device::Cpu, shape, &images))).value().clone();
        let (plane, values) = (y.shape().inner(2), y.to_vec().unwrap());
        let channel = |n: usize, k: usize| &values[(n * 24 + k) * plane..][..plane];
        for i in 0..12 {
            for j in 0..=i {
                let products = (0..40).flat_map(|n| channel(n, i).iter().zip(channel(n, j)).map(|(a, b)| f64::from(a * b)));
                let moment = products.sum::<f64>() / (40 * plane) as f64;
                // Where an eigenvalue is not large beside eps, less than 1.
                let wanted = if i == j { 1.0 } else { 0.0 };
                assert!((moment - wanted).abs() < 0.02, "filters {i} and {j}: {moment}");
            }
            assert!(channel(0, i).iter().zip(channel(0, i + 12)).all(|(a, b)| *a == -b));
        }
    }

    #[test]
    fn weights_are_kept_and_the_bias_is_learned() {
        let layer = WhiteningConv2d::new(2).build(&Init::seeded(&Device::Cpu, 0), [3, 32, 32]).unwrap();
        assert_eq!(crate::parameter_count(&layer), 24);
        assert_eq!(layer.out_shape([5, 3, 32, 32].into()), Ok([5, 24, 31, 31].into()));
    }

    #[test]
    #[should_panic(expected = "are no images for weights of shape [24, 3, 2, 2]")]
    fn images_of_other_channels_are_refused() {
        let layer = WhiteningConv2d::new(2).build(&Init::seeded(&Device::Cpu, 0), [3, 4, 4]).unwrap();
        WhiteningConv2d::whiten(&layer, &[0.0; 16], [1, 1, 4, 4]);
    }
}

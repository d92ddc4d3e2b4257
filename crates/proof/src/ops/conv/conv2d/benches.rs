//! What is timed: the layers of a ResNet for CIFAR, in every form.

use crate::{Bench, half_tensor, tensor};
use gpu_core::ops::internals::{self, Conv2dForm, HalfForm, ProductForm};
use gpu_core::ops::{Conv2dGeometry, ConvTranspose2dGeometry, conv_transpose2d};
use gpu_core::{Device, Shape, Tensor};

/// 3x3 taps over 32 images of 64 channels.
#[derive(Clone, Copy)]
struct Layer {
    g: Conv2dGeometry,
    /// Of y too.
    x: Shape,
    w: Shape,
}

impl Layer {
    fn new(groups: usize, extent: usize) -> Self {
        let g = Conv2dGeometry { padding: 1.into(), groups, ..Default::default() };
        Self { g, x: Shape::from([32, 64, extent, extent]), w: Shape::from([64, 64 / groups, 3, 3]) }
    }

    /// A row: an operator of two tensors.
    fn row(
        self,
        name: &'static str,
        what: &str,
        (form, [a, b]): (Conv2dForm, [Shape; 2]),
        run: impl Fn(&Tensor, &Tensor) -> Tensor + Copy + Send + Sync + 'static,
    ) -> Bench {
        let flops = 2 * (self.x.len() * self.w.inner(1)) as u64;
        Bench::new(name, what, flops, move |device: &Device| {
            let values = |shape, seed| match form {
                Conv2dForm::Half(_) => half_tensor(device, shape, seed),
                _ => tensor(device, shape, seed),
            };
            let (a, b) = (values(a, 1), values(b, 2));
            move || vec![run(&a, &b)]
        })
    }

    /// Forward pass and both gradients.
    fn rows(self, form: Conv2dForm, what: &str) -> [Bench; 3] {
        let Self { g, x, w } = self;
        [
            self.row("conv2d", what, (form, [x, w]), move |x, w| internals::conv2d(form, x, w, None, g)),
            self.row("conv2d_bwd_x", what, (form, [x, w]), move |dy, w| internals::conv2d_bwd_x(form, dy, w, None, x, g)),
            self.row("conv2d_bwd_w", what, (form, [x, x]), move |x, dy| internals::conv2d_bwd_w(form, x, dy, w, g)),
        ]
    }
}

pub fn benches() -> Vec<Bench> {
    let mut rows = Vec::new();
    let layer = Layer::new(1, 32);
    for form in ProductForm::ALL {
        rows.extend(layer.rows(Conv2dForm::Product(form), &format!("3x3 64>64, 32x32, batch 32, {form:?}")));
    }
    for form in HalfForm::ALL {
        rows.extend(layer.rows(Conv2dForm::Half(form), &format!("3x3 64>64, 32x32, batch 32, f16, {form:?}")));
    }
    rows.extend(layer.rows(Conv2dForm::Im2col, "3x3 64>64, 32x32, batch 32, im2col"));
    let g = Conv2dGeometry { padding: 64.into(), ..Default::default() };
    let wide = Layer { g, x: Shape::from([1, 2, 32, 32]), w: Shape::from([2, 2, 129, 129]) };
    rows.extend(wide.rows(Conv2dForm::Wide, "129x129 2>2, 32x32, batch 1, wide"));
    // The common width, and one that goes by single elements.
    for extent in [32, 31] {
        let what = format!("depthwise 3x3 64, {extent}x{extent}, batch 32");
        rows.extend(Layer::new(64, extent).rows(Conv2dForm::Depthwise, &what));
    }
    rows.push(Bench::new("conv_transpose2d", "4x4 stride 2 64>32, 16x16, batch 32", 2 * 32 * 32 * 64 * 16 * 256, |device| {
        let (x, w) = (tensor(device, [32, 64, 16, 16], 1), tensor(device, [64, 32, 4, 4], 2));
        let g = ConvTranspose2dGeometry { stride: [2; 2], padding: 1.into(), ..Default::default() };
        move || vec![conv_transpose2d(&x, &w, None, g)]
    }));
    rows
}

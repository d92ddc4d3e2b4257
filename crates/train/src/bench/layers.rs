//! Real layers: those of common networks and the peers' workloads, forward and each gradient a row of its own.
//!
//! Kernels run in the form that a program gets. Bindings stay under 128 MiB, which is all that some drivers offer.

use gpu_core::ops::{Conv2dGeometry, ConvTranspose2dGeometry, DropoutKey, Pool2dGeometry};
use gpu_core::{Device, Shape, Tensor, ops};
use proof::{Bench, tensor};

/// Where a layer is from, how many rows and columns its planes have, and what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layer {
    pub network: &'static str,
    pub batch: usize,
    pub size: usize,
    pub kind: Kind,
}

/// `c` and `k` are channels in and out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Conv { c: usize, k: usize, taps: usize, stride: usize, groups: usize },
    Transposed { c: usize, k: usize, taps: usize, stride: usize, padding: usize },
    BatchNorm { c: usize },
    MaxPool { c: usize, taps: usize, stride: usize, padding: usize },
    Linear { c: usize, k: usize },
}

impl Kind {
    pub const fn conv(c: usize, k: usize, taps: usize, stride: usize) -> Self {
        Self::Conv { c, k, taps, stride, groups: 1 }
    }

    pub const fn depthwise(c: usize, stride: usize) -> Self {
        Self::Conv { c, k: c, taps: 3, stride, groups: c }
    }

    /// Twice the rows and columns.
    pub const fn up(c: usize, k: usize, taps: usize) -> Self {
        Self::Transposed { c, k, taps, stride: 2, padding: taps / 2 - 1 }
    }
}

/// What the peers were measured on, under this name in `--filter`.
const PEERS: &str = "w4";

const fn conv(network: &'static str, batch: usize, (c, k): (usize, usize), taps: usize, stride: usize, size: usize) -> Layer {
    Layer { network, batch, size, kind: Kind::conv(c, k, taps, stride) }
}

const fn depthwise(network: &'static str, batch: usize, c: usize, stride: usize, size: usize) -> Layer {
    Layer { network, batch, size, kind: Kind::depthwise(c, stride) }
}

const fn up(network: &'static str, batch: usize, (c, k): (usize, usize), taps: usize, size: usize) -> Layer {
    Layer { network, batch, size, kind: Kind::up(c, k, taps) }
}

const fn norm(network: &'static str, batch: usize, c: usize, size: usize) -> Layer {
    Layer { network, batch, size, kind: Kind::BatchNorm { c } }
}

const fn pool(network: &'static str, batch: usize, c: usize, [taps, stride, padding]: [usize; 3], size: usize) -> Layer {
    Layer { network, batch, size, kind: Kind::MaxPool { c, taps, stride, padding } }
}

const LAYERS: &[Layer] = &[
    conv(PEERS, 32, (64, 64), 3, 1, 32),
    depthwise(PEERS, 32, 64, 1, 32),
    up(PEERS, 32, (64, 32), 4, 16),
    norm(PEERS, 32, 64, 32),
    pool(PEERS, 32, 64, [2, 2, 0], 32),
    conv("resnet20", 128, (3, 16), 3, 1, 32),
    conv("resnet20", 128, (16, 16), 3, 1, 32),
    conv("resnet20", 128, (16, 32), 3, 2, 32),
    conv("resnet20", 128, (32, 32), 3, 1, 16),
    conv("resnet20", 128, (64, 64), 3, 1, 8),
    conv("resnet20", 128, (32, 64), 1, 2, 16),
    norm("resnet20", 128, 16, 32),
    conv("resnet50", 32, (3, 64), 7, 2, 224),
    conv("resnet50", 32, (256, 64), 1, 1, 56),
    conv("resnet50", 32, (64, 64), 3, 1, 56),
    conv("resnet50", 32, (128, 128), 3, 2, 56),
    conv("resnet50", 32, (256, 256), 3, 1, 14),
    conv("resnet50", 32, (1024, 2048), 1, 2, 14),
    conv("resnet50", 32, (512, 512), 3, 1, 7),
    norm("resnet50", 32, 256, 56),
    pool("resnet50", 32, 64, [3, 2, 1], 112),
    Layer { network: "resnet50", batch: 32, size: 1, kind: Kind::Linear { c: 2048, k: 1000 } },
    depthwise("mobilenet", 32, 32, 1, 112),
    depthwise("mobilenet", 32, 64, 2, 112),
    depthwise("mobilenet", 32, 512, 1, 14),
    conv("mobilenet", 32, (64, 128), 1, 1, 56),
    conv("mobilenet", 32, (512, 512), 1, 1, 14),
    conv("unet", 4, (64, 64), 3, 1, 256),
    conv("unet", 4, (256, 128), 3, 1, 128),
    conv("unet", 4, (512, 512), 3, 1, 32),
    up("unet", 4, (128, 64), 2, 128),
    pool("unet", 4, 64, [2, 2, 0], 256),
];

/// All rows of this table.
pub(super) fn benches() -> Vec<Bench> {
    LAYERS.iter().flat_map(Layer::rows).chain(peers()).collect()
}

/// A row over tensors of these shapes, made anew from seeds 1, 2, ...
fn row<const N: usize>(
    name: &'static str,
    what: &str,
    flops: usize,
    shapes: [Shape; N],
    run: impl Fn(&[Tensor; N]) -> Tensor + Clone + Send + Sync + 'static,
) -> Bench {
    Bench::new(name, what, flops as u64, move |device: &Device| {
        let mut seed = 0;
        let inputs = shapes.map(|shape| {
            seed += 1;
            tensor(device, shape, seed)
        });
        let run = run.clone();
        move || vec![run(&inputs)]
    })
}

impl Layer {
    /// Its forward pass and each of its gradients.
    pub fn rows(&self) -> Vec<Bench> {
        let &Self { network, batch: n, size, kind } = self;
        match kind {
            Kind::Conv { c, k, taps, stride, groups } => {
                let g = Conv2dGeometry { stride: [stride; 2], padding: ((taps - 1) / 2).into(), groups, ..Default::default() };
                let (x, w) = (Shape::from([n, c, size, size]), Shape::from([k, c / groups, taps, taps]));
                let y = g.out_shape(x, w).expect("the layer exists");
                let flops = 2 * y.len() * w.len() / k;
                let step = if stride == 1 { String::new() } else { format!(" s{stride}") };
                let channels = if groups == 1 { format!("{c}>{k}") } else { format!("{c} depthwise") };
                let what = &format!("{network} {taps}x{taps}{step} {channels} {size}x{size} b{n}");
                vec![
                    row("conv2d", what, flops, [x, w], move |[x, w]| ops::conv2d(x, w, None, g)),
                    row("conv2d_bwd_x", what, flops, [y, w], move |[dy, w_]| ops::conv2d_bwd_x(dy, w_, x, g)),
                    row("conv2d_bwd_w", what, flops, [x, y], move |[x, dy]| ops::conv2d_bwd_w(x, dy, w, g)),
                ]
            }
            Kind::Transposed { c, k, taps, stride, padding } => {
                let g = ConvTranspose2dGeometry { stride: [stride; 2], padding: padding.into(), ..Default::default() };
                let (x, w) = (Shape::from([n, c, size, size]), Shape::from([c, k, taps, taps]));
                let y = g.out_shape(x, w).expect("the layer exists");
                let flops = 2 * x.len() * w.len() / c;
                let what = &format!("{network} {taps}x{taps} s{stride} {c}>{k} {size}x{size} b{n}");
                vec![
                    row("conv_transpose2d", what, flops, [x, w], move |[x, w]| ops::conv_transpose2d(x, w, None, g)),
                    row("conv_transpose2d_bwd_x", what, flops, [y, w], move |[dy, w]| ops::conv_transpose2d_bwd_x(dy, w, x, g)),
                    row("conv_transpose2d_bwd_w", what, flops, [x, y], move |[x, dy]| ops::conv_transpose2d_bwd_w(x, dy, w, g)),
                ]
            }
            Kind::BatchNorm { c } => {
                let (x, of_c) = (Shape::from([n, c, size, size]), Shape::from([c]));
                let what = &format!("{network} {c} {size}x{size} b{n}");
                vec![
                    row("batch_norm", what, 0, [x, of_c, of_c, of_c, of_c], |[x, gamma, beta, mean, var]| {
                        ops::batch_norm(x, gamma, beta, mean, var, 0.1, 1e-5).y
                    }),
                    row("batch_norm_bwd", what, 0, [x, x, of_c, of_c, of_c], |[x, dy, gamma, mean, rstd]| {
                        ops::batch_norm_bwd(x, dy, gamma, mean, rstd).0
                    }),
                ]
            }
            Kind::MaxPool { c, taps, stride, padding } => {
                let g = Pool2dGeometry { stride: [stride; 2], padding: [padding; 2], ..Pool2dGeometry::new([taps; 2]) };
                let x = Shape::from([n, c, size, size]);
                let what = format!("{network} {taps}x{taps} s{stride} {c} {size}x{size} b{n}");
                let bwd = Bench::new("max_pool2d_bwd_x", what.clone(), 0, move |device: &Device| {
                    let (y, indices) = ops::max_pool2d(&tensor(device, x, 1), g);
                    let dy = tensor(device, y.shape(), 2);
                    move || vec![ops::max_pool2d_bwd_x(&dy, &indices, x, g)]
                });
                vec![row("max_pool2d", &what, 0, [x], move |[x]| ops::max_pool2d(x, g).0), bwd]
            }
            Kind::Linear { c, k } => {
                let (x, w, y) = (Shape::from([n, c]), Shape::from([k, c]), Shape::from([n, k]));
                let (what, flops) = (&format!("{network} {c}>{k} b{n}"), 2 * n * c * k);
                vec![
                    row("linear", what, flops, [x, w], |[x, w]| ops::matmul_tb(x, w)),
                    row("linear_bwd_x", what, flops, [y, w], |[dy, w]| ops::matmul(dy, w)),
                    row("linear_bwd_w", what, flops, [x, y], |[x, dy]| ops::matmul_ta(dy, x)),
                ]
            }
        }
    }
}

/// The peers' workloads that are no layers.
fn peers() -> Vec<Bench> {
    let flat = Shape::from([1 << 24]);
    let square = |n: usize| Shape::from([n, n]);
    let product = |n: usize| row("matmul", &format!("{PEERS} {n}"), 2 * n * n * n, [square(n); 2], |[a, b]| ops::matmul(a, b));
    let dropout = Bench::new("dropout", format!("{PEERS} 16M"), 0, move |device: &Device| {
        let (x, step) = (tensor(device, flat, 1), Tensor::from_slice(device, [1], &[0u32]));
        move || vec![ops::dropout(&x, 0.3, DropoutKey { seed: 7, stream: 0 }, &step)]
    });
    let logits = Shape::from([4096, 1000]);
    let labels = |device: &Device| {
        let labels: Vec<u32> = (0..4096u32).map(|i| i.wrapping_mul(7919) % 1000).collect();
        Tensor::from_slice(device, [labels.len()], &labels)
    };
    let entropy = Bench::new("cross_entropy", format!("{PEERS} 4096x1000"), 0, move |device: &Device| {
        let (x, labels) = (tensor(device, logits, 1), labels(device));
        move || vec![ops::cross_entropy(&x, &labels, 0.0).0]
    });
    let entropy_bwd = Bench::new("cross_entropy_bwd", format!("{PEERS} 4096x1000"), 0, move |device: &Device| {
        let (p, labels, dloss) = (tensor(device, logits, 1), labels(device), Tensor::scalar(device, 1.0));
        move || vec![ops::cross_entropy_bwd(&p, &labels, 0.0, &dloss)]
    });
    let add = row("add", &format!("{PEERS} 16M"), flat.len(), [flat; 2], |[a, b]| ops::add(a, b));
    vec![product(512), product(1024), dropout, entropy, entropy_bwd, add]
}

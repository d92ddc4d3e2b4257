//! Numbers of `torch.optim` 2.11 in f64: weights `(i + 1) / 8 * (-1)^i`, in step `t` gradients `((3 i + 5 t) mod 7 - 3) / 4`. Muon's
//! iteration was run in f64 there too.

use super::*;
use crate::autograd::{Param, Parameters, Var};
use crate::module::ShapeError;
use gpu_core::Shape;

/// A network that is one parameter: `sum(w * x)`, whose gradient is `x`.
pub(super) struct One(pub Param);

impl One {
    pub fn new(device: &Device, shape: impl Into<Shape>) -> Self {
        let shape = shape.into();
        let weight = |i: usize| (i + 1) as f32 / 8.0 * if i.is_multiple_of(2) { 1.0 } else { -1.0 };
        Self(Param::trainable(Tensor::from_slice(device, shape, &(0..shape.len()).map(weight).collect::<Vec<_>>())))
    }

    /// One step by the gradients of step `t`.
    pub fn step(&self, optimizer: &dyn Optimizer, t: usize) {
        let shape = self.0.shape();
        let gradient: Vec<f32> = (0..shape.len()).map(|i| ((3 * i + 5 * t) % 7) as f32 / 4.0 - 0.75).collect();
        let x = Tape::new(optimizer.device()).input(&Tensor::from_slice(optimizer.device(), shape, &gradient));
        optimizer.step(&self.forward(&x).backward());
    }

    pub fn values(&self) -> Vec<f32> {
        self.0.value().to_vec().unwrap()
    }
}

impl Parameters for One {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param)) {
        f(&crate::join(path, "w"), &self.0);
    }
}

impl Module for One {
    fn forward(&self, x: &Var) -> Var {
        self.0.var(x).mul(x).sum()
    }
    fn out_shape(&self, _: Shape) -> Result<Shape, ShapeError> {
        Ok(Shape::SCALAR)
    }
    fn describe(&self) -> String {
        "One".to_owned()
    }
}

type Row = (&'static str, [usize; 2], fn(&One) -> Arc<dyn Optimizer>, [f64; 6]);

/// What was called, and the weights after three steps.
const ROWS: [Row; 14] = [
    (
        "SGD(lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01)",
        [2, 3],
        |n| Sgd::new(n, 0.1).momentum(0.9).nesterov(true).weight_decay(0.01).handle(),
        [0.245829277, -0.255171725, 0.094673924, -0.302285479, 0.54354262, -0.823017483],
    ),
    (
        "SGD(lr=0.1, momentum=0.9, dampening=0.3, maximize=True)",
        [2, 3],
        |n| Sgd::new(n, 0.1).momentum(0.9).dampening(0.3).maximize(true).handle(),
        [-0.01175, -0.264, 0.594, -0.6325, 0.7255, -0.76825],
    ),
    (
        "Adam(lr=0.1, betas=(0.8, 0.6), eps=1e-6, weight_decay=0.1, amsgrad=True)",
        [2, 3],
        |n| Adam::new(n, 0.1).betas(0.8, 0.6).eps(1e-6).weight_decay(0.1).amsgrad(true).handle(),
        [0.233416066, -0.098449938, 0.157924383, -0.28735265, 0.46746295, -0.694847016],
    ),
    (
        "AdamW(lr=0.1, betas=(0.8, 0.6), weight_decay=0.1, amsgrad=True)",
        [2, 3],
        |n| AdamW::new(n, 0.1).betas(0.8, 0.6).weight_decay(0.1).amsgrad(true).handle(),
        [0.234362466, -0.196795704, 0.15410983, -0.282715029, 0.47048294, -0.694587558],
    ),
    (
        "RMSprop(lr=0.1, alpha=0.9, eps=1e-3, weight_decay=0.1)",
        [2, 3],
        |n| RmsProp::new(n, 0.1).alpha(0.9).eps(1e-3).weight_decay(0.1).handle(),
        [0.237233123, 0.074558596, 0.059138285, -0.064688992, 0.506448007, -0.750953219],
    ),
    (
        "RMSprop(lr=0.1, alpha=0.9, eps=1e-3, momentum=0.5)",
        [2, 3],
        |n| RmsProp::new(n, 0.1).alpha(0.9).eps(1e-3).momentum(0.5).handle(),
        [0.404335924, -0.044951739, -0.228780724, 0.321537675, 0.309029858, -0.689245498],
    ),
    (
        "RMSprop(lr=0.1, alpha=0.9, eps=1e-3, centered=True)",
        [2, 3],
        |n| RmsProp::new(n, 0.1).alpha(0.9).eps(1e-3).centered(true).handle(),
        [0.275332394, -0.186715887, 0.037002813, -0.021710479, 0.528057177, -0.778022702],
    ),
    (
        "RMSprop(lr=0.1, alpha=0.9, eps=1e-3, centered=True, momentum=0.5, weight_decay=0.1)",
        [2, 3],
        |n| RmsProp::new(n, 0.1).alpha(0.9).eps(1e-3).centered(true).momentum(0.5).weight_decay(0.1).handle(),
        [0.39873611, 0.489675031, -0.259728245, 0.380548035, 0.236348287, -0.618216634],
    ),
    (
        "Adagrad(lr=0.1, lr_decay=0.2, weight_decay=0.1, initial_accumulator_value=0.5, eps=1e-3)",
        [2, 3],
        |n| Adagrad::new(n, 0.1).lr_decay(0.2).weight_decay(0.1).initial_accumulator(0.5).eps(1e-3).handle(),
        [0.158370923, -0.242443195, 0.293551573, -0.428474772, 0.589074415, -0.747757589],
    ),
    (
        "Muon(lr=0.1, weight_decay=0.1), a wide matrix",
        [2, 3],
        |n| Muon::new(n, 0.1).weight_decay(0.1).handle(),
        [0.200934033, -0.293826515, 0.201176715, -0.379685696, 0.588815428, -0.79643476],
    ),
    (
        "Muon(lr=0.1, weight_decay=0.1), a tall matrix",
        [3, 2],
        |n| Muon::new(n, 0.1).weight_decay(0.1).handle(),
        [0.171283078, -0.224032812, 0.131261454, -0.459266165, 0.580178593, -0.722694826],
    ),
    (
        "Muon(lr=0.1, weight_decay=0, nesterov=False, momentum=0.8, adjust_lr_fn='match_rms_adamw')",
        [2, 3],
        |n| Muon::new(n, 0.1).nesterov(false).momentum(0.8).rate(MuonRate::MatchRmsAdamw).handle(),
        [0.153092996, -0.258351616, 0.304688004, -0.448316276, 0.61219046, -0.763435599],
    ),
    (
        "clip_grad_norm_(0.5), SGD(lr=0.1, momentum=0.9)",
        [2, 3],
        |n| Sgd::new(n, 0.1).momentum(0.9).clip_norm(0.5).handle(),
        [0.166665412, -0.24784684, 0.28995713, -0.442016352, 0.595787618, -0.764165075],
    ),
    (
        "clip_grad_value_(0.25), SGD(lr=1)",
        [2, 3],
        |n| Sgd::new(n, 1.0).clip_value(0.25).handle(),
        [0.125, -0.25, 0.125, -0.25, 0.625, -1.0],
    ),
];

#[test]
fn the_optimizers_step_as_pytorch_does() {
    for device in proof::devices() {
        for (call, shape, make, want) in ROWS {
            let net = One::new(&device, shape);
            let optimizer = make(&net);
            (0..3).for_each(|t| net.step(&*optimizer, t));
            for (got, want) in net.values().iter().zip(want) {
                assert!((f64::from(*got) - want).abs() < 3e-6, "{call} on {}: {got} is not {want}", device.name());
            }
        }
    }
}

/// PyTorch's formula, computed in f64 apart from this library: weights after three steps.
#[test]
fn adadelta_steps_as_its_formula_says() {
    type Row = (fn(&One) -> Adadelta, [f64; 6]);
    let rows: [Row; 2] = [
        (|n| Adadelta::new(n, 1.0), [0.125590981, -0.250617369, 0.371874005, -0.495968158, 0.625077663, -0.752259709]),
        (
            |n| Adadelta::new(n, 0.5).rho(0.8).eps(1e-2).weight_decay(0.1),
            [0.135970051, -0.258968997, 0.261065181, -0.377674531, 0.603870446, -0.803933031],
        ),
    ];
    for device in proof::devices() {
        for (make, want) in rows {
            let net = One::new(&device, [2, 3]);
            let adadelta = make(&net);
            (0..3).for_each(|t| net.step(&adadelta, t));
            for (got, want) in net.values().iter().zip(want) {
                assert!((f64::from(*got) - want).abs() < 1e-6, "{}: {got} is not {want}", device.name());
            }
        }
    }
}

/// One element and a pair of moments in f64.
fn lion_by_hand(w: &mut [f64], m: &mut [f64], t: usize) {
    let (lr, beta1, beta2, decay) = (0.1, 0.9, 0.99, 0.1);
    for (i, (w, m)) in w.iter_mut().zip(m).enumerate() {
        let g = ((3 * i + 5 * t) % 7) as f64 / 4.0 - 0.75;
        let c: f64 = beta1 * *m + (1.0 - beta1) * g;
        let sign = if c == 0.0 { 0.0 } else { c.signum() };
        *w -= lr * (sign + decay * *w);
        *m = beta2 * *m + (1.0 - beta2) * g;
    }
}

#[test]
fn lion_steps_as_its_paper_says() {
    for device in proof::devices() {
        let net = One::new(&device, [2, 3]);
        let lion = Lion::new(&net, 0.1).weight_decay(0.1);
        let mut want: Vec<f64> = net.values().into_iter().map(f64::from).collect();
        let mut m = vec![0.0; 6];
        for t in 0..5 {
            net.step(&lion, t);
            lion_by_hand(&mut want, &mut m, t);
        }
        for (got, want) in net.values().iter().zip(&want) {
            assert!((f64::from(*got) - want).abs() < 1e-6, "{}: {got} is not {want}", device.name());
        }
    }
}

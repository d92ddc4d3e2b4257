//! What is held against the mirror.

use crate::{Bound, Case, tensor, tensor_of};
use gpu_core::ops::{elu, elu_bwd_x, leaky_relu, leaky_relu_bwd_x, softplus, softplus_bwd_x};
use gpu_core::{DType, Device, Tensor, ops};

/// A function with options, and its gradient from what it keeps.
#[derive(Clone, Copy)]
pub(super) struct Function {
    pub(super) name: &'static str,
    keeps_y: bool,
    pub(super) f: fn(&Tensor) -> Tensor,
    pub(super) bwd: fn(&Tensor, &Tensor) -> Tensor,
    /// How far the kernel may be from the mirror, as a part of the largest element: 0 where both round the same.
    bound: f32,
}

impl Function {
    pub(super) fn gradient(&self, x: &Tensor, dy: &Tensor) -> Tensor {
        if self.keeps_y { (self.bwd)(&(self.f)(x), dy) } else { (self.bwd)(x, dy) }
    }
}

/// `exp` and division are rounded by the driver as it likes: 3 + 2|x| units of the last place, 2.5 units.
const DRIVERS: f32 = 4e-6;

/// A row for each function of the table, with its usual numbers.
macro_rules! usual {
    ($(
        $(#[$doc:meta])*
        $name:ident($($arg:ident = $usual:literal),*), $bwd:ident(from $kept:ident $(if $when:expr)?) $rest:tt
    )*) => {
        vec![$(Function {
            name: stringify!($name),
            keeps_y: stringify!($kept) == "y",
            f: |x| ops::$name(x $(, $usual)*),
            bwd: |kept, dy| ops::$bwd(kept, dy $(, $usual)*),
            bound: if ["relu", "leaky_relu", "relu6"].contains(&stringify!($name)) { 0.0 } else { DRIVERS },
        }),*]
    };
}

/// Every function, then with other options.
pub(super) fn functions() -> Vec<Function> {
    let row = |name, keeps_y, f, bwd, bound| Function { name, keeps_y, f, bwd, bound };
    let mut functions: Vec<Function> = gpu_core::activation_table!(usual);
    functions.extend([
        row("leaky_relu, slope 0.1", true, |x| leaky_relu(x, 0.1), |y, dy| leaky_relu_bwd_x(y, dy, 0.1), 0.0),
        row("leaky_relu, slope -0.5", false, |x| leaky_relu(x, -0.5), |x, dy| leaky_relu_bwd_x(x, dy, -0.5), 0.0),
        row("elu, alpha 1.5", true, |x| elu(x, 1.5), |y, dy| elu_bwd_x(y, dy, 1.5), DRIVERS),
        row("softplus, beta 2, threshold 5", false, |x| softplus(x, 2.0, 5.0), |x, dy| softplus_bwd_x(x, dy, 2.0, 5.0), DRIVERS),
    ]);
    functions
}

/// Values in [-8, 8): every branch of every function.
fn spread(device: &Device, len: usize) -> Tensor {
    tensor_of(device, [len], 1, |v| 8.0 * v)
}

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for function in functions() {
        let name = function.name.split(',').next().expect("a name");
        let bound = if function.bound == 0.0 { Bound::Exact } else { Bound::own(function.bound) };
        for len in [1, 3, 1031] {
            let case = Case::new(name, format!("{}: {len} elements", function.name), bound, move |device| {
                let x = spread(device, len);
                vec![(function.f)(&x), function.gradient(&x, &tensor(device, [len], 2))]
            });
            // GELU is x times `1 + erf`, and slopes are numbers like `1 - y^2`: what they add is one, however little is left of it.
            let adds_one = ["gelu", "gelu_tanh"].contains(&name);
            cases.push(case.adding(move |device| {
                let of_y = if adds_one { spread(device, len) } else { Tensor::zeros(device, [1]) };
                vec![of_y, tensor(device, [len], 2)]
            }));
        }
    }
    cases.extend(functions().into_iter().map(half_case));
    cases
}

/// A step of f16, beside which every other difference is small.
const HALF_STEP: f32 = 1.0 / 1024.0;

/// What is kept and what comes out in f16, the gradient in f32 and in f16. Nothing is so small that f16 has few digits of it.
fn half_case(function: Function) -> Case {
    let name = function.name.split(',').next().expect("a name");
    let of = |device: &Device| tensor_of(device, [1031], 1, |v| 4.0 * v);
    let gradient = |device: &Device| tensor_of(device, [1031], 2, |v| v + v.signum());
    let case = Case::new(name, format!("{}: 1031 elements of f16", function.name), Bound::own(HALF_STEP), move |device| {
        let (x, dy) = (of(device).cast(DType::F16), gradient(device));
        let halves = function.gradient(&x, &dy.cast(DType::F16));
        vec![(function.f)(&x).cast(DType::F32), function.gradient(&x, &dy), halves.cast(DType::F32)]
    });
    case.adding(move |device| vec![of(device), gradient(device), gradient(device)])
}

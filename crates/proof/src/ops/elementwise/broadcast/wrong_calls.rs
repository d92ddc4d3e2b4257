//! Wrong calls, and what their panics say.

use crate::{Misuse, misuse};
use gpu_core::ops::{
    add, add_scaled, amax_bwd_x, copy_into, div, div_bwd_b, eq, ge, gt, le, logical_and, logical_not, logical_or, logical_xor,
    logsumexp_bwd_x, lt, maximum, maximum_bwd_a, minimum, minimum_bwd_a, mul, ne, pow, pow_bwd_a, pow_bwd_b, scale, spread, sub,
    var_bwd_x, where_,
};
use gpu_core::{Device, Tensor};

pub fn wrong_calls() -> Vec<Misuse> {
    fn zeros(device: &Device, dims: &[usize]) -> Tensor {
        Tensor::zeros(device, dims)
    }
    fn words(device: &Device) -> Tensor {
        Tensor::from_slice(device, [2], &[1u32, 2])
    }
    fn yes(device: &Device) -> Tensor {
        Tensor::from_slice(device, [2], &[true, false])
    }
    /// Of each function of two: shapes that do not broadcast, a wrong type, and two devices.
    macro_rules! of_two {
        ($make:ident, $($name:literal $f:ident),*) => {
            vec![$(
                misuse!($name, ["do not broadcast", "a [2], b [3]"], |device| $f(&$make(device, 2), &$make(device, 3))),
                misuse!($name, ["holds", "a [2], b [2]"], |device| $f(&$make(device, 2), &Tensor::from_slice(device, [2], &[0u8, 1]))),
                misuse!($name, ["b on CPU", "a [2], b [2]"], |device| $f(&$make(device, 2), &$make(&Device::Cpu, 2))),
            )*]
        };
    }
    /// Of each function of three: shapes that do not broadcast, and a wrong type.
    macro_rules! of_three {
        ($($name:literal $f:expr),*) => {
            vec![$(
                misuse!($name, ["do not broadcast", "[2], ", " [3], ", " [2]"], |device| {
                    $f(&zeros(device, &[2]), &zeros(device, &[3]), &zeros(device, &[2]))
                }),
                misuse!($name, ["holds u32, not f32", " [3], ", " [2]"], |device| {
                    $f(&zeros(device, &[2]), &zeros(device, &[3]), &words(device))
                }),
            )*]
        };
    }
    fn floats(device: &Device, n: usize) -> Tensor {
        Tensor::zeros(device, [n])
    }
    fn flags(device: &Device, n: usize) -> Tensor {
        Tensor::from_slice(device, [n], &vec![true; n])
    }
    let mut rows = of_two!(floats, "add" add, "sub" sub, "mul" mul, "div" div, "maximum" maximum, "minimum" minimum, "pow" pow);
    rows.extend(of_two!(floats, "eq" eq, "ne" ne, "lt" lt, "le" le, "gt" gt, "ge" ge));
    rows.extend(of_two!(flags, "logical_and" logical_and, "logical_or" logical_or, "logical_xor" logical_xor));
    rows.extend(of_three!("maximum_bwd_a" maximum_bwd_a, "minimum_bwd_a" minimum_bwd_a, "div_bwd_b" div_bwd_b));
    rows.extend(of_three!("pow_bwd_a" pow_bwd_a, "pow_bwd_b" pow_bwd_b, "amax_bwd_x" amax_bwd_x));
    rows.extend(of_three!("logsumexp_bwd_x" logsumexp_bwd_x));
    rows.extend(of_three!("var_bwd_x" |x: &_, mean: &_, dy: &_| var_bwd_x(x, mean, dy, 1.0)));
    rows.extend(vec![
        misuse!("div", ["a holds u32, not f32", "a [2], b [2]"], |device| div(&words(device), &words(device))),
        misuse!("logical_and", ["a and b hold f32, not bool", "a [2], b [2]"], |device| {
            logical_and(&zeros(device, &[2]), &zeros(device, &[2]))
        }),
        misuse!("eq", ["a and b hold u8", "a [1], b [1]"], |device| {
            eq(&Tensor::from_slice(device, [1], &[0u8]), &Tensor::from_slice(device, [1], &[0u8]))
        }),
        misuse!("logical_not", ["x holds u32, not bool", "x [2]"], |device| logical_not(&words(device))),
        misuse!("where_", ["cond holds u32, not bool", "cond [2], a [2], b [3]"], |device| {
            where_(&words(device), &zeros(device, &[2]), &zeros(device, &[3]))
        }),
        misuse!("where_", ["a holds u32, b f32", "cond [2], a [2], b [2]"], |device| {
            where_(&yes(device), &words(device), &zeros(device, &[2]))
        }),
        misuse!("where_", ["a and b hold bool, not f32", "cond [2], a [2], b [2]"], |device| {
            where_(&yes(device), &yes(device), &yes(device))
        }),
        misuse!("where_", ["do not broadcast", "cond [2], a [2], b [3]"], |device| {
            where_(&yes(device), &zeros(device, &[2]), &zeros(device, &[3]))
        }),
        misuse!("spread", ["x [2, 3]", "does not broadcast to [2]"], |device| spread(&zeros(device, &[2, 3]), [2], 1.0)),
        misuse!("spread", ["x holds u32", "x [2]"], |device| spread(&words(device), [2], 1.0)),
        misuse!("scale", ["x holds u32, not f32", "x [2]"], |device| scale(&words(device), 1.0)),
        misuse!("add_scaled", ["the shapes differ", "a [2], b [2, 1]"], |device| {
            add_scaled(&zeros(device, &[2]), &zeros(device, &[2, 1]), 1.0)
        }),
        misuse!("copy_into", ["2 elements into 3", "src [2], dst [3]"], |device| {
            copy_into(&zeros(device, &[2]), &zeros(device, &[3]))
        }),
    ]);
    rows
}

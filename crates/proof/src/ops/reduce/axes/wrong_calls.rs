//! Wrong calls, and what their panics say.

use crate::{Misuse, misuse};
use gpu_core::ops::{
    all, all_axes, amax, amax_ties, amin, amin_ties, any, any_axes, argmax_all, argmax_axis, argmin_all, argmin_axis, logsumexp,
    mean, mean_axes, std, sum, sum_axes, sum_to, var,
};
use gpu_core::{Device, Tensor};

pub fn wrong_calls() -> Vec<Misuse> {
    fn words(device: &Device) -> Tensor {
        Tensor::from_slice(device, [2], &[1u32, 2])
    }
    fn zeros(device: &Device, dims: &[usize]) -> Tensor {
        Tensor::zeros(device, dims)
    }
    fn yes(device: &Device) -> Tensor {
        Tensor::from_slice(device, [2], &[true, false])
    }
    /// Of each reduction of floats over axes: a wrong type, an axis that is not there, one named twice.
    macro_rules! of_axes {
        ($make:ident: $wrong:ident, $($name:literal $f:expr),*) => {
            vec![$(
                misuse!($name, ["x holds u32, not", "x [2]"], |device| $f(&$wrong(device), &[0][..])),
                misuse!($name, ["no axis 1", "x [2]"], |device| $f(&$make(device), &[0, 1][..])),
                misuse!($name, ["axis 0 is named twice", "x [2]"], |device| $f(&$make(device), &[0, 0][..])),
            )*]
        };
    }
    fn two(device: &Device) -> Tensor {
        Tensor::zeros(device, [2])
    }
    let mut rows = of_axes!(two: words,
        "sum_axes" |x: &_, axes| sum_axes(x, axes, false), "mean_axes" |x: &_, axes| mean_axes(x, axes, false),
        "amax" |x: &_, axes| amax(x, axes, false), "amin" |x: &_, axes| amin(x, axes, false),
        "amax_ties" |x: &_, axes| amax_ties(x, axes, false), "amin_ties" |x: &_, axes| amin_ties(x, axes, false),
        "var" |x: &_, axes| var(x, axes, 0, false), "std" |x: &_, axes| std(x, axes, 0, false),
        "logsumexp" |x: &_, axes| logsumexp(x, axes, false)
    );
    rows.extend(of_axes!(yes: words,
        "any_axes" |x: &_, axes| any_axes(x, axes, false), "all_axes" |x: &_, axes| all_axes(x, axes, false)
    ));
    rows.extend(vec![
        misuse!("sum", ["x holds u32, not f32", "x [2]"], |device| sum(&words(device))),
        misuse!("mean", ["x holds u32, not f32", "x [2]"], |device| mean(&words(device))),
        misuse!("mean", ["the mean of no elements", "x [0, 2]"], |device| mean(&zeros(device, &[0, 2]))),
        misuse!("mean_axes", ["the mean of no elements", "axes [0]", "x [0, 2]"], |device| {
            mean_axes(&zeros(device, &[0, 2]), &[0], false)
        }),
        misuse!("sum_to", ["[3] does not broadcast to x [2, 2]"], |device| sum_to(&zeros(device, &[2, 2]), [3])),
        misuse!("amax", ["of no elements", "axes [0]", "x [0, 2]"], |device| amax(&zeros(device, &[0, 2]), &[0], false)),
        misuse!("amin_ties", ["of no elements", "x [0, 2]"], |device| amin_ties(&zeros(device, &[0, 2]), &[0], false)),
        misuse!("var", ["2 elements less 2", "x [2]"], |device| var(&zeros(device, &[2]), &[0], 2, false)),
        misuse!("argmax_axis", ["no axis 1", "x [2]"], |device| argmax_axis(&zeros(device, &[2]), 1, false)),
        misuse!("argmax_axis", ["x holds bool, not f32", "x [2]"], |device| argmax_axis(&yes(device), 0, false)),
        misuse!("argmin_axis", ["of no elements", "x [2, 0]"], |device| argmin_axis(&zeros(device, &[2, 0]), 1, false)),
        misuse!("argmax_all", ["of no elements", "x [2, 0]"], |device| argmax_all(&zeros(device, &[2, 0]))),
        misuse!("argmin_all", ["x holds u32, not f32"], |device| argmin_all(&words(device))),
        misuse!("any", ["x holds f32, not bool", "x [2]"], |device| any(&zeros(device, &[2]))),
        misuse!("all", ["x holds f32, not bool", "x [2]"], |device| all(&zeros(device, &[2]))),
    ]);
    rows
}

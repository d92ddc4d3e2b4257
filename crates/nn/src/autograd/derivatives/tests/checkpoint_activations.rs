use super::{Row, row, tensor};
use crate::autograd::param::Param;
use crate::autograd::tape::Tape;
use crate::autograd::var::Var;
use gpu_core::{Device, Tensor};

pub(super) fn rows() -> Vec<Row> {
    let product = |x: &Var| x.mul(x).sigmoid().mul(x);
    vec![
        row("checkpoint_activations", &[tensor([2, 3], 1)], move |v| v[0].checkpoint_activations(product)),
        row("checkpoint_activations", &[tensor([2, 3], 2)], move |v| {
            v[0].tanh().checkpoint_activations(move |x| x.checkpoint_activations(product).mul(x)).add(&v[0])
        }),
    ]
}

/// The gradient of a weight that two segments use, computed again or not.
#[test]
fn a_parameter_of_several_segments_is_one_leaf() {
    let of = |again: bool| {
        let w = Param::trainable(Tensor::full(&Device::Cpu, [1], 3.0));
        let tape = Tape::new(&Device::Cpu);
        let x = tape.input(&Tensor::full(&Device::Cpu, [1], 2.0));
        let kept = w.clone();
        let segment = move |x: &Var| x.mul(&kept.var(x)).mul(&kept.var(x));
        let y =
            if again { x.checkpoint_activations(segment.clone()).checkpoint_activations(segment) } else { segment(&segment(&x)) };
        y.backward().of(&w).unwrap().item().unwrap()
    };
    // d/dw of 2 w^4.
    assert_eq!((of(true), of(false)), (216.0, 216.0));
}

use super::{Row, row, separate, tensor};
use crate::autograd::tape::Tape;
use gpu_core::Tensor;

pub(super) fn rows() -> Vec<Row> {
    let mut rows = vec![row("sum", &[tensor([3, 5], 1)], |v| v[0].sum()), row("mean", &[tensor([3, 5], 1)], |v| v[0].mean())];
    for (axes, keepdim) in [(&[1][..], false), (&[0, 2], true), (&[0, 1, 2], false), (&[], true)] {
        let (x, distinct) = ([tensor([2, 3, 4], 1)], [separate([2, 3, 5])]);
        rows.push(row("sum_axes", &x, move |v| v[0].sum_axes(axes, keepdim)));
        rows.push(row("mean_axes", &x, move |v| v[0].mean_axes(axes, keepdim)));
        rows.push(row("logsumexp", &x, move |v| v[0].logsumexp(axes, keepdim)));
        rows.push(row("amax", &distinct, move |v| v[0].amax(axes, keepdim)));
        rows.push(row("amin", &distinct, move |v| v[0].amin(axes, keepdim)));
        if !axes.is_empty() {
            rows.push(row("var", &x, move |v| v[0].var(axes, 0, keepdim)));
            rows.push(row("var", &x, move |v| v[0].var(axes, 1, keepdim)));
            rows.push(row("std", &x, move |v| v[0].std(axes, 1, keepdim)));
        }
    }
    rows
}

#[test]
fn ties_share_a_gradient_evenly() {
    for device in proof::devices() {
        let tape = Tape::new(&device);
        // x = torch.tensor([[3., 1., 3.], [2., 2., 2.]]); x.amax(1).sum().backward()
        let x = tape.variable(&Tensor::from_slice(&device, [2, 3], &[3.0f32, 1.0, 3.0, 2.0, 2.0, 2.0]));
        let gradient = x.amax(&[1], false).sum().backward().of(&x).unwrap().to_vec().unwrap();
        assert_eq!(gradient, [0.5, 0.0, 0.5, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0]);
    }
}

#[test]
fn a_spread_of_nothing_has_no_gradient() {
    for device in proof::devices() {
        let tape = Tape::new(&device);
        // x = torch.full((2,), 2.); x.std(correction=0).backward()
        let x = tape.variable(&Tensor::full(&device, [2], 2.0));
        assert_eq!(x.std(&[0], 0, false).backward().of(&x).unwrap().to_vec().unwrap(), [0.0, 0.0]);
    }
}

use super::{Row, row, tensor};
use crate::autograd::tape::Tape;
use crate::autograd::var::Var;
use gpu_core::ops::{PadMode, Slice};
use gpu_core::{Device, Tensor};

pub(super) fn rows() -> Vec<Row> {
    let x = || [tensor([2, 3, 4], 1)];
    let mut rows = vec![
        row("permute", &x(), |v| v[0].permute(&[2, 0, 1])),
        row("permute", &[tensor([2, 1, 3, 2, 1, 2], 1)], |v| v[0].permute(&[5, 3, 1, 0, 4, 2])),
        row("transpose", &x(), |v| v[0].transpose(0, 2)),
        row("expand", &[tensor([3, 1], 1)], |v| v[0].expand([2, 3, 4])),
        row("expand", &[tensor([], 1)], |v| v[0].expand([2, 2])),
        row("repeat", &[tensor([3, 2], 1)], |v| v[0].repeat(&[2, 1, 3])),
        row("slice", &x(), |v| v[0].slice(&[(..).into(), (1..).into(), (1..3).into()])),
        row("slice", &x(), |v| v[0].slice(&[Slice::from(..).step(-1), Slice::from(..2), Slice::from(..).step(3)])),
        row("narrow", &x(), |v| v[0].narrow(1, 1, 2)),
        row("select", &x(), |v| v[0].select(2, 3)),
        row("flip", &x(), |v| v[0].flip(&[0, 2])),
        row("roll", &x(), |v| v[0].roll(&[1, -3], &[1, 2])),
        row("concat", &[tensor([2, 1, 3], 1), tensor([2, 4, 3], 2), tensor([2, 2, 3], 3)], |v| Var::concat(v, 1)),
        row("concat", &[tensor([3], 1)], |v| Var::concat(&[v[0].clone(), v[0].mul(&v[0])], 0)),
        row("stack", &[tensor([2, 3], 1), tensor([2, 3], 2)], |v| Var::stack(v, 1)),
        row("squeeze", &[tensor([2, 1, 3], 1)], |v| v[0].squeeze(1)),
        row("unsqueeze", &[tensor([2, 3], 1)], |v| v[0].unsqueeze(2)),
    ];
    for mode in [PadMode::Constant(0.5), PadMode::Reflect, PadMode::Replicate, PadMode::Circular] {
        rows.push(row("pad", &x(), move |v| v[0].pad(&[3, 1, 0, 2], mode)));
    }
    rows
}

#[test]
fn a_join_computes_gradients_only_where_they_are_needed() {
    let (device, launches) = proof::counted(&Device::Cpu);
    let tape = Tape::new(&device);
    let ones = Tensor::full(&device, [2], 1.0);
    let (x, data) = (tape.variable(&ones), tape.input(&ones));
    let y = Var::concat(&[data.clone(), x.clone(), data.clone()], 0);
    let sum = y.sum();
    launches.take();
    let gradients = sum.backward();
    assert_eq!(gradients.of(&x).unwrap().to_vec().unwrap(), [1.0, 1.0]);
    let cuts: usize = launches.take().iter().filter(|l| l.kernel.name().starts_with("strided")).map(|l| l.count).sum();
    assert_eq!(cuts, 1);
    assert!(!Var::concat(&[data.clone(), data], 0).needs_gradient());
}

#[test]
#[should_panic(expected = "different tapes")]
fn two_tapes_are_not_joined() {
    let [a, b] = [0, 1].map(|_| Tape::new(&Device::Cpu).variable(&Tensor::full(&Device::Cpu, [1], 1.0)));
    let _ = Var::concat(&[a, b], 0);
}

//! The ways to read a tensor give the same values on every device, and a wrong read panics before anything is waited for.

use pollster::block_on;
use wgrad::gpu_core::{Element, f16};
use wgrad::prelude::*;
use wgrad::proof;

fn every_way<T: Element + Default>(device: &Device, values: &[T]) {
    let x = Tensor::from_slice(device, [values.len()], values);
    let mut into = vec![T::default(); values.len()];
    x.read_into(&mut into).unwrap();
    assert_eq!(into, values);
    assert_eq!(x.read::<T>().unwrap(), values);
    assert_eq!(block_on(x.read_async::<T>()).unwrap(), values);
}

#[test]
fn every_way_reads_every_type() {
    for device in proof::devices() {
        every_way(&device, &[1.5f32, -2.0, f32::MAX]);
        every_way(&device, &[1.5, -2.0, 65_504.0].map(f16::from_f32));
        every_way(&device, &[i32::MIN, 0, 7]);
        every_way(&device, &[u32::MAX, 0, 7, 8, 9]);
        every_way(&device, &[255u8, 0, 7, 8, 9]);
        every_way(&device, &[true, false, false, true, true]);
    }
    every_way(&Device::cpu_f64(), &[1.5f32, -2.0]);
    every_way(&Device::cpu_f64(), &[0.1f64, -2.0]);
}

#[test]
fn numbers_and_the_figures_of_a_step_are_read_without_blocking() {
    for device in proof::devices() {
        let x = Tensor::full(&device, [1], 2.5);
        assert_eq!(block_on(x.item_async()).unwrap(), x.item().unwrap());
        assert_eq!(block_on(Var::constant(&x).item_async()).unwrap(), 2.5);
        let step = Step::on(&device).input("x", [3]).capture(|pass| pass.output("sum", &pass.input("x").sum())).unwrap();
        step.run(&[("x", &[1.0, 2.0, 4.0])]).unwrap();
        assert_eq!(block_on(step.value_async("sum")).unwrap(), 7.0);
        assert_eq!(block_on(step.values_async("sum")).unwrap(), [7.0]);
    }
}

#[test]
#[should_panic(expected = "read_async: the tensor (shape [2]) holds f32, not u32")]
fn an_async_read_of_another_type_panics_before_it_is_awaited() {
    drop(Tensor::zeros(&Device::Cpu, [2]).read_async::<u32>());
}

#[test]
#[should_panic(expected = "item_async: a tensor of shape [2] has 2 elements")]
fn an_async_item_of_two_panics_before_it_is_awaited() {
    drop(Tensor::zeros(&Device::Cpu, [2]).item_async());
}

#[test]
#[should_panic(expected = "read_into: a tensor of shape [2] into 3 values")]
fn a_read_into_another_number_of_values_panics() {
    let _ = Tensor::zeros(&Device::Cpu, [2]).read_into(&mut [0.0f32; 3]);
}

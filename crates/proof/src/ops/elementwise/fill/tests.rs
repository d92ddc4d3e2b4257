use crate::devices;
use gpu_core::{DType, Device, Tensor, f16};

#[test]
fn every_type_is_filled_to_its_end() {
    for device in devices() {
        assert_eq!(Tensor::full_of(&device, [2, 3], 200u8).read::<u8>().unwrap(), [200; 6]);
        assert_eq!(Tensor::full_of(&device, [3], f16::ONE).read::<f16>().unwrap(), [f16::ONE; 3]);
        assert_eq!(Tensor::full_of(&device, [5], true).read::<bool>().unwrap(), [true; 5]);
        assert_eq!(Tensor::full_of(&device, [5], -7i32).read::<i32>().unwrap(), [-7; 5]);
        assert_eq!(Tensor::zeros_of(&device, [5], DType::U32).read::<u32>().unwrap(), [0; 5]);
        assert!(Tensor::zeros_of(&device, [0], DType::U8).read::<u8>().unwrap().is_empty());
    }
    assert_eq!(Tensor::full_of(&Device::Cpu, [2], 0.1f64).read::<f64>().unwrap(), [0.1; 2]);
    let wide = Tensor::full_of(&Device::cpu_f64(), [2], 0.1f32);
    assert_eq!(wide.read::<f64>().unwrap(), [f64::from(0.1f32); 2]);
}

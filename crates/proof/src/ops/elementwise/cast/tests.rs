use super::cases::difficult;
use crate::devices;
use gpu_core::{DType, Device, Tensor, f16};

/// What a tensor holds, to the bit.
fn bits(t: &Tensor) -> Vec<u32> {
    match t.dtype() {
        DType::F32 => t.read::<f32>().unwrap().into_iter().map(f32::to_bits).collect(),
        DType::F16 => t.read::<f16>().unwrap().into_iter().map(|v| v.to_bits().into()).collect(),
        DType::I32 => t.read::<i32>().unwrap().into_iter().map(|v| v as u32).collect(),
        DType::U32 => t.read::<u32>().unwrap(),
        DType::U8 => t.read::<u8>().unwrap().into_iter().map(u32::from).collect(),
        _ => t.read::<bool>().unwrap().into_iter().map(u32::from).collect(),
    }
}

#[test]
fn all_devices_give_the_same_bits_and_those_of_rust() {
    let v: Vec<f32> = difficult(20_011).into_iter().map(f32::from_bits).collect();
    for device in devices() {
        let x = Tensor::from_slice(&device, [v.len()], &v);
        let equal = |to: DType, want: Vec<u32>| assert_eq!(bits(&x.cast(to)), want, "{to} on {}", device.name());
        equal(DType::F16, v.iter().map(|&v| f16::from_f32(v).to_bits().into()).collect());
        equal(DType::I32, v.iter().map(|&v| v as i32 as u32).collect());
        equal(DType::U32, v.iter().map(|&v| v as u32).collect());
        equal(DType::U8, v.iter().map(|&v| u32::from(v as u8)).collect());
        equal(DType::Bool, v.iter().map(|&v| u32::from(v != 0.0)).collect());
    }
}

#[test]
fn integers_are_those_of_rust() {
    let v = difficult(20_011);
    let signed: Vec<i32> = v.iter().map(|&v| v as i32).collect();
    for device in devices() {
        let (u, i) = (Tensor::from_slice(&device, [v.len()], &v), Tensor::from_slice(&device, [v.len()], &signed));
        assert_eq!(bits(&u.cast(DType::F32)), v.iter().map(|&v| (v as f32).to_bits()).collect::<Vec<_>>());
        assert_eq!(bits(&i.cast(DType::F32)), signed.iter().map(|&v| (v as f32).to_bits()).collect::<Vec<_>>());
        let halves = |v: f64| u32::from(f16::from_f64(v).to_bits());
        assert_eq!(bits(&u.cast(DType::F16)), v.iter().map(|&v| halves(v.into())).collect::<Vec<_>>());
        assert_eq!(bits(&i.cast(DType::F16)), signed.iter().map(|&v| halves(v.into())).collect::<Vec<_>>());
        assert_eq!(bits(&i.cast(DType::U8)), signed.iter().map(|&v| u32::from(v as u8)).collect::<Vec<_>>());
        assert_eq!(bits(&u.cast(DType::I32)), v);
    }
}

/// All of them: to f32 as the format says, and back to the same bits.
#[test]
fn every_half_goes_to_a_float_and_back() {
    let halves: Vec<f16> = (0..=u16::MAX).map(f16::from_bits).collect();
    let value = |h: u32| {
        let (sign, e, m) = (1.0 - 2.0 * f64::from(h >> 15), (h >> 10 & 31) as i32, f64::from(h & 1023));
        match e {
            0 => sign * m * 2f64.powi(-24),
            31 if m == 0.0 => sign * f64::INFINITY,
            31 => f64::NAN,
            _ => sign * (1024.0 + m) * 2f64.powi(e - 25),
        }
    };
    for device in devices() {
        let x = Tensor::from_slice(&device, [1 << 16], &halves);
        let wide = x.cast(DType::F32);
        for (h, got) in wide.to_vec().unwrap().into_iter().enumerate() {
            let want = value(h as u32) as f32;
            assert!(got.to_bits() == want.to_bits() || (got.is_nan() && want.is_nan()), "{h:#x}: {got:e} is not {want:e}");
        }
        // A signalling NaN becomes a quiet one.
        let quiet = |h: u32| if h & 0x7c00 == 0x7c00 && h & 0x3ff != 0 { h | 0x200 } else { h };
        assert_eq!(bits(&wide.cast(DType::F16)), (0..=0xffff).map(quiet).collect::<Vec<_>>());
    }
}

/// From `torch.tensor([..]).half()`: ties go to the even one, in the range of subnormals too.
#[test]
fn halves_are_rounded_as_in_pytorch() {
    let x = [2049.0f32, 2051.0, 65519.0, 65520.0, 2.980_232_2e-8, 2.980_232_6e-8, 8.940_697e-8, 6.1e-5, 1e-8, -1e-8];
    for device in devices() {
        let y = bits(&Tensor::from_slice(&device, [10], &x).cast(DType::F16));
        assert_eq!(y, [0x6800, 0x6802, 0x7bff, 0x7c00, 0, 1, 2, 0x3ff, 0, 0x8000]);
    }
}

#[test]
fn f32_stands_for_f64_on_the_device_in_f64() {
    let x = Tensor::from_slice(&Device::cpu_f64(), [2], &[3u32, 5]).cast(DType::F32);
    assert_eq!((x.dtype(), x.cast(DType::F32).shares_storage(&x)), (DType::F64, true));
    assert_eq!(x.cast(DType::U8).read::<u8>().unwrap(), [3, 5]);
}

#[test]
fn nothing_is_cast_to_nothing() {
    for device in devices() {
        assert!(Tensor::zeros(&device, [0, 3]).cast(DType::U8).read::<u8>().unwrap().is_empty());
    }
}

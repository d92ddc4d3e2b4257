use crate::{devices, tensor, values};
use gpu_core::ops::{ema_step, exchange, lookahead_step};
use gpu_core::{Device, Tensor};

#[test]
fn the_mirrors_are_the_formulas() {
    let (len, far) = (37_003, 0.1f32);
    let [w, ema, fast, slow] = [1, 2, 1, 2].map(|seed| tensor(&Device::Cpu, [len], seed));
    ema_step(&w, &ema, &Tensor::scalar(&Device::Cpu, far));
    lookahead_step(&fast, &slow, &Tensor::scalar(&Device::Cpu, far));
    let (ema, fast, slow) = (ema.to_vec().unwrap(), fast.to_vec().unwrap(), slow.to_vec().unwrap());
    assert_eq!(fast, slow);
    for (i, (w, before)) in values(len, 1).iter().zip(values(len, 2)).enumerate() {
        let want = f64::from(before) + (f64::from(*w) - f64::from(before)) * f64::from(far);
        assert!((f64::from(ema[i]) - want).abs() < 1e-6 && (f64::from(slow[i]) - want).abs() < 1e-6, "{i}: {want}");
    }
}

#[test]
fn the_whole_way_is_a_copy_and_an_exchange_keeps_every_bit() {
    let words: Vec<f32> = [0x7fc1_2345, 0x8000_0000, 1, 0x7f80_0000, 0x3f80_0001].map(f32::from_bits).to_vec();
    let bits = |t: &Tensor| t.to_vec().unwrap().iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    for device in devices() {
        let (w, other) = (tensor(&device, [5], 1), Tensor::from_slice(&device, [5], &words));
        exchange(&w, &other);
        assert_eq!(bits(&w), words.iter().map(|v| v.to_bits()).collect::<Vec<_>>(), "{}", device.name());
        assert_eq!(other.to_vec().unwrap(), values(5, 1));
        let ema = Tensor::full(&device, [5], 1e30);
        ema_step(&other, &ema, &Tensor::scalar(&device, 1.0));
        assert_eq!(bits(&ema), bits(&other));
    }
}

#[test]
#[should_panic(expected = "exchange: other differs in length from params (params [4], other [3])")]
fn arenas_that_do_not_fit_are_named() {
    exchange(&Tensor::zeros(&Device::Cpu, [4]), &Tensor::zeros(&Device::Cpu, [3]));
}

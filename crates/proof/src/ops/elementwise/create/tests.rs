use crate::{devices, gpu};
use gpu_core::ops::internals::sequence;
use gpu_core::rng::Stream;
use gpu_core::{Device, Tensor};

fn bits(t: &Tensor) -> Vec<u32> {
    t.to_vec().unwrap().into_iter().map(f32::to_bits).collect()
}

/// `c + k * b` on the device, for a k below 2^24.
fn device_sum(device: &Device, k: u32, b: f32, c: f32) -> f32 {
    let len = k as usize + 1;
    sequence(device, len, len, [c, 0.0, b]).to_vec().unwrap()[k as usize]
}

/// Random exponents and signs: sums that cancel, vanish, overflow or become subnormal.
#[test]
fn a_product_and_a_sum_are_rounded_once() {
    let Some(device) = gpu() else { return };
    let words = Stream::new(3, 1, 4);
    for i in 0..600 {
        let [k, b, c, near] = words.block(i);
        // A large k in one case of many only: it fills a tensor.
        let k = k >> if i % 50 == 0 { 12 } else { 22 };
        let b = f32::from_bits(if near % 3 == 0 { b } else { (b & 0x83ff_ffff) | 0x3c00_0000 });
        let opposite = (-(f64::from(k) * f64::from(b))) as f32;
        let c = match near % 5 {
            0 => f32::from_bits(c),
            1 => opposite,
            2 => f32::from_bits(opposite.to_bits() ^ (c & 3)),
            3 => f32::from_bits((b.to_bits() & 0x7f80_0000) | (c & 0x807f_ffff)),
            _ => f32::from_bits(c & 0x80ff_ffff),
        } + 0.0;
        if b.is_finite() && c.is_finite() {
            let want = (k as f32).mul_add(b, c);
            let got = device_sum(&device, k, b, c);
            assert!(got.to_bits() == want.to_bits() || (got == 0.0 && want == 0.0), "{c:e} + {k} * {b:e}: {got:e} is not {want:e}");
        }
    }
}

/// From `torch.linspace(-1, 1, 7)`, `torch.linspace(0.1, 0.7, 4)` and `torch.arange(0, 1, float(torch.tensor(0.3)))`.
#[test]
fn pytorch_gives_the_same_numbers() {
    for device in devices() {
        assert_eq!(
            bits(&Tensor::linspace(&device, -1.0, 1.0, 7)),
            [0xbf800000, 0xbf2aaaaa, 0xbeaaaaaa, 0xb3000000, 0x3eaaaaaa, 0x3f2aaaaa, 0x3f800000]
        );
        assert_eq!(bits(&Tensor::linspace(&device, 0.1, 0.7, 4)), [0x3dcccccd, 0x3e999999, 0x3f000000, 0x3f333333]);
        assert_eq!(bits(&Tensor::arange(&device, 0.0, 1.0, 0.3)), [0, 0x3e99999a, 0x3f19999a, 0x3f666667]);
    }
}

#[test]
fn a_sequence_ends_where_it_should_and_its_reverse_is_its_mirror_image() {
    for (device, n) in devices().into_iter().flat_map(|device| [1usize, 2, 4, 10, 1000].map(|n| (device.clone(), n))) {
        let y = Tensor::linspace(&device, 0.3, 17.9, n).to_vec().unwrap();
        let mut back = Tensor::linspace(&device, 17.9, 0.3, n).to_vec().unwrap();
        assert_eq!((y[0], y.len()), (0.3, n));
        if n > 1 {
            back.reverse();
            assert_eq!((y[n - 1], &y), (17.9, &back));
        }
    }
}

#[test]
fn nothing_is_nothing() {
    for device in devices() {
        let all = [Tensor::eye(&device, 0), Tensor::arange(&device, 1.0, 1.0, 1.0), Tensor::linspace(&device, 0.0, 1.0, 0)];
        assert!(all.iter().all(|t| t.to_vec().unwrap().is_empty()));
    }
}

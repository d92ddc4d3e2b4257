use crate::{devices, values};
use gpu_core::Tensor;
use gpu_core::ops::{take_back, unscale};

/// PyTorch 2.15's `torch.amp.GradScaler(init_scale=1024, growth_interval=3)` through steps of which those marked are not finite: the scale
/// after each.
const STEPS: [(bool, f32); 9] = [
    (false, 1024.0),
    (false, 1024.0),
    (false, 2048.0),
    (true, 1024.0),
    (false, 1024.0),
    (true, 512.0),
    (false, 512.0),
    (false, 512.0),
    (false, 1024.0),
];

#[test]
fn the_scale_goes_as_in_pytorch() {
    for device in devices() {
        let state = Tensor::from_slice(&device, [3], &[1024.0f32, 0.0, 0.0]);
        let mut taken_back = 0.0;
        for (at, (spoilt, scale)) in STEPS.into_iter().enumerate() {
            let mut gradients = values(4099, 1);
            if spoilt {
                gradients[(977 * at) % 4099] = f32::INFINITY;
                taken_back += 1.0;
            }
            let verdict = unscale(&Tensor::from_slice(&device, [4099], &gradients), &state, 3).to_vec().unwrap();
            assert_eq!(verdict[1], f32::from(u8::from(spoilt)), "step {at}");
            let state = state.to_vec().unwrap();
            assert_eq!((state[0], state[2]), (scale, taken_back), "step {at} on {}", device.name());
        }
    }
}

#[test]
fn one_element_in_any_place_is_found_and_none_behind_the_end() {
    for device in devices() {
        for at in [0, 1, 4095, 4096, 300_006] {
            let arena = Tensor::full(&device, [300_032], f32::NAN);
            let g = arena.view(0, [300_007]);
            let mut values = vec![0.5f32; 300_007];
            let state = Tensor::from_slice(&device, [3], &[4.0f32, 0.0, 0.0]);
            g.write(&values);
            assert_eq!(unscale(&g, &state, 10).to_vec().unwrap(), [0.25, 0.0], "what lies behind was looked at");
            values[at] = f32::NEG_INFINITY;
            g.write(&values);
            assert_eq!(unscale(&g, &state, 10).to_vec().unwrap()[1], 1.0, "{at} on {}", device.name());
        }
    }
}

#[test]
fn what_is_taken_back_has_its_bits() {
    let words: Vec<f32> = [0x7fc1_2345, 0x8000_0000, 1, 0x7f80_0000, 0x3f80_0001].map(f32::from_bits).to_vec();
    for device in devices() {
        let (before, now) = (Tensor::from_slice(&device, [5], &words), Tensor::full(&device, [5], f32::NAN));
        take_back(&Tensor::from_slice(&device, [2], &[1.0f32, 1.0]), &before, &now);
        let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&now.to_vec().unwrap()), bits(&words), "{}", device.name());
    }
}

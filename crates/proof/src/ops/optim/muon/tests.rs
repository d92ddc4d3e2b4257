use super::cases::figures;
use crate::{devices, tensor, values};
use gpu_core::ops::{muon_momentum, muon_normalise, muon_step};
use gpu_core::{Device, Tensor};

#[test]
fn the_mirrors_are_the_formulas() {
    let (len, cpu) = (37_003, Device::Cpu);
    for nesterov in [false, true] {
        let (g, m) = (tensor(&cpu, [len], 1), tensor(&cpu, [len], 2));
        let direction = muon_momentum(&g, &m, &figures(&cpu, nesterov)).to_vec().unwrap();
        let w = tensor(&cpu, [len], 3);
        muon_step(&w, &g, 1.7, &figures(&cpu, nesterov));
        let (w, m) = (w.to_vec().unwrap(), m.to_vec().unwrap());
        let [mean_before, weight_before] = [2, 3].map(|seed| values(len, seed));
        for (i, g) in values(len, 1).into_iter().map(f64::from).enumerate() {
            let mean = 0.9 * f64::from(mean_before[i]) + 0.1 * g;
            let want = if nesterov { 0.1 * g + 0.9 * mean } else { mean };
            let weight = f64::from(weight_before[i]) * (1.0 - 0.1 * 0.3) - 0.1 * 1.7 * g;
            for (got, want) in [(m[i], mean), (direction[i], want), (w[i], weight)] {
                assert!((f64::from(got) - want).abs() < 1e-6, "{i}: {got} is not {want}");
            }
        }
    }
}

#[test]
fn a_matrix_of_zeros_stays_one() {
    for device in devices() {
        let y = muon_normalise(&Tensor::zeros(&device, [1, 2, 3]), &Tensor::zeros(&device, [1]), 1e-7);
        assert_eq!(y.to_vec().unwrap(), [0.0; 6]);
    }
}

#[test]
#[should_panic(expected = "muon_normalise: (batch, rows, columns) and (batch) are wanted (x [2, 3], squares [2])")]
fn shapes_that_do_not_fit_are_named() {
    muon_normalise(&Tensor::zeros(&Device::Cpu, [2, 3]), &Tensor::zeros(&Device::Cpu, [2]), 1e-7);
}

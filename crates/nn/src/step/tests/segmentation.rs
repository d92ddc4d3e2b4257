use super::*;
use crate::step::{EvalStep, Loss, segmentation_loss};
use gpu_core::DType;
use gpu_core::ops::Overlap;

const IGNORED: u32 = Loss::IGNORED;

/// Logits (2, 3, 2, 2), and labels of which three are ignored.
fn example(device: &Device) -> (Tensor, Tensor) {
    let labels = [0, 2, IGNORED, 1, IGNORED, 1, 1, IGNORED];
    (proof::tensor(device, [2, 3, 2, 2], 4), Tensor::from_slice(device, [2, 2, 2], &labels))
}

/// Pixel by pixel, in f64.
fn naive(logits: &[f32], labels: &[u32], dice: bool) -> f64 {
    let (mut loss, mut counted) = (0.0, 0);
    let [mut both, mut said, mut there] = [[0.0; 3]; 3];
    for (pixel, &label) in labels.iter().enumerate().filter(|(_, label)| **label != IGNORED) {
        let logit = |class: usize| f64::from(logits[(pixel / 4 * 3 + class) * 4 + pixel % 4]);
        let sum: f64 = (0..3).map(|class| logit(class).exp()).sum();
        for class in 0..3 {
            let (p, is) = (logit(class).exp() / sum, f64::from(u8::from(class == label as usize)));
            (both[class], said[class], there[class]) = (both[class] + p * is, said[class] + p, there[class] + is);
            loss -= is * p.ln();
        }
        counted += 1;
    }
    let dices = (0..3).map(|class| (2.0 * both[class] + 1.0) / (said[class] + there[class] + 1.0));
    loss / f64::from(counted) + if dice { 1.0 - dices.sum::<f64>() / 3.0 } else { 0.0 }
}

#[test]
fn the_loss_of_pixels_is_that_of_those_that_count() {
    for device in proof::devices() {
        let (logits, labels) = example(&device);
        let (x, l) = (logits.to_vec().unwrap(), labels.read::<u32>().unwrap());
        for dice in [false, true] {
            let got = segmentation_loss(&Var::constant(&logits), &labels, 0.0, dice).item().unwrap();
            let want = naive(&x, &l, dice);
            assert!((f64::from(got) - want).abs() < 1e-5, "{}: {got} is not {want}", device.name());
            // The control: a pixel that is ignored no more is another loss.
            let mut other = l.clone();
            other[2] = 0;
            assert!((naive(&x, &other, dice) - want).abs() > 1e-3);
        }
    }
}

#[test]
fn its_gradient_is_a_difference_quotient_and_ignored_pixels_have_none() {
    for dice in [false, true] {
        let device = Device::Cpu;
        let (logits, labels) = example(&device);
        let tape = Tape::new(&device);
        let x = tape.variable(&logits);
        let gradient = segmentation_loss(&x, &labels, 0.0, dice).backward().of(&x).unwrap().to_vec().unwrap();
        let (values, l) = (logits.to_vec().unwrap(), labels.read::<u32>().unwrap());
        for (i, got) in gradient.iter().enumerate() {
            let moved = |by: f32| {
                let mut moved = values.clone();
                moved[i] += by;
                (naive(&moved, &l, dice), f64::from(moved[i]))
            };
            let ((above, a), (below, b)) = (moved(1e-3), moved(-1e-3));
            let want = (above - below) / (a - b);
            assert!((f64::from(*got) - want).abs() < 1e-4, "{i}: {got} is not {want}");
            let is_ignored = l[i / 12 * 4 + i % 4] == IGNORED;
            assert_eq!(*got == 0.0, is_ignored, "{i}");
        }
    }
}

#[test]
fn a_batch_without_a_pixel_that_counts_has_no_loss_and_moves_nothing() {
    for device in proof::devices() {
        let net = seq![Conv2d::new(2, 1)].build(&Init::seeded(&device, 1), [1, 2, 2]).unwrap();
        let (sgd, before) = (Sgd::new(&net, 1.0), values(&net));
        let options = StepOptions::new(1, [1, 2, 2]).loss(Loss::Segmentation { smoothing: 0.0, dice: false });
        let step = TrainStep::captured(&net, &sgd, &options).unwrap();
        step.run_on(&[1.0, 2.0, 3.0, 4.0], &[IGNORED; 4]).unwrap();
        assert_eq!((step.loss().unwrap(), values(&net)), (0.0, before.clone()));
        step.run_on(&[1.0, 2.0, 3.0, 4.0], &[IGNORED, 1, 0, 1]).unwrap();
        assert!(step.loss().unwrap() > 0.0 && values(&net) != before);
    }
}

#[test]
fn an_evaluation_counts_the_classes_of_pixels_over_its_runs() {
    for device in proof::devices() {
        // Class 1 where the pixel is above 0.
        let net = seq![Conv2d::new(2, 1).no_bias()].build(&Init::seeded(&device, 1), [1, 2, 2]).unwrap();
        net.at("0").param("weight").set(&[0.0, 1.0]);
        let options = StepOptions::new(1, [1, 2, 2]).loss(Loss::Segmentation { smoothing: 0.0, dice: false });
        let step = EvalStep::captured(&net, &device, &options).unwrap();
        step.run_on(&[1.0, -1.0, 1.0, -1.0], &[1, 0, 0, IGNORED]).unwrap();
        step.run_on(&[1.0, -1.0, -1.0, -1.0], &[1, 1, 0, 0]).unwrap();
        let [first, second] = step.overlaps().unwrap()[..] else { panic!("two classes") };
        assert_eq!(first, Overlap { both: 3, predicted: 4, labelled: 4 });
        assert_eq!(second, Overlap { both: 2, predicted: 3, labelled: 3 });
        assert_eq!((step.metrics().unwrap().images, step.slots().labels.dtype()), (2, DType::U32));
        step.reset_metrics();
        assert_eq!(step.overlaps().unwrap(), [Overlap::default(); 2]);
        let plain = EvalStep::captured(&net, &device, &StepOptions::new(1, [1, 2, 2])).unwrap();
        assert!(plain.overlaps().unwrap().is_empty());
    }
}

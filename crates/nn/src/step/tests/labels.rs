use super::*;
use crate::step::{EvalStep, Step, Values};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What `f` panics with; nothing if it does not.
fn told<R>(f: impl FnOnce() -> R) -> String {
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(_) => String::new(),
        Err(panic) => *panic.downcast().unwrap(),
    }
}

fn logits(device: &Device) -> Net {
    seq![Linear::new(3)].build(&Init::seeded(device, 1), [2]).unwrap()
}

#[test]
fn a_label_that_is_no_class_is_refused_where_it_is_still_a_number_of_the_host() {
    const TOLD: &str = "label 3, number 1 of shape [2], is none of the 3 classes of the loss, which count from 0";
    for device in proof::devices() {
        let net = logits(&device);
        let sgd = Sgd::new(&net, 0.1);
        let before = parameters(&net)[0].1.value().to_vec().unwrap();
        let step = TrainStep::captured(&net, &sgd, &StepOptions::new(2, [2])).unwrap();
        let eval = EvalStep::captured(&net, &device, &StepOptions::new(2, [2])).unwrap();
        let x = [1.0; 4];
        let messages =
            [told(|| step.run_on(&x, &[2, 3])), told(|| eval.run_on(&x, &[2, 3])), told(|| step.expect_labels(&[0, 3, 1]))];
        assert_eq!(messages, [format!("run_on: {TOLD}"), format!("run_on: {TOLD}"), format!("expect_labels: {TOLD}")]);
        assert_eq!(parameters(&net)[0].1.value().to_vec().unwrap(), before);
        assert_eq!((told(|| step.run_on(&x, &[2, 0]).unwrap()), sgd.steps()), (String::new(), 1));
    }
}

#[test]
fn a_recorded_step_refuses_them_for_each_of_its_losses() {
    let device = Device::Cpu;
    let net = logits(&device);
    let sgd = Sgd::new(&net, 0.1);
    let record = |of: &dyn Fn(&Var, &Tensor) -> Var| {
        let builder = Step::on(&device).input("x", [2, 2]).labels("y", [2]).labels("other", [2]);
        builder.capture(|pass| pass.update(&sgd, &of(&net.forward(&pass.input("x")), pass.labels("y")))).unwrap()
    };
    let ignoring = |ignore_index| CrossEntropy { ignore_index: Some(ignore_index), ..CrossEntropy::default() };
    type Of<'a> = &'a dyn Fn(&Var, &Tensor) -> Var;
    let losses: [(Of<'_>, u32); 4] = [
        (&|x, y| x.cross_entropy(y, 0.1), 3),
        (&|x, y| x.log_softmax(1).nll_loss(&y.reshape([2]), 0.0), 3),
        (&|x, y| x.cross_entropy(y, ignoring(255)), 254),
        // The second of two losses has fewer classes.
        (&|x, y| x.cross_entropy(y, 0.0).add(&x.narrow(1, 0, 2).cross_entropy(y, 0.0)), 2),
    ];
    for (of, wrong) in losses {
        let step = record(of);
        let run = |y: [u32; 2]| told(|| step.run(&[("x", &[1f32; 4] as &dyn Values), ("y", &y), ("other", &[900u32; 2])]).unwrap());
        let message = run([0, wrong]);
        assert!(message.starts_with(&format!("step: the input \"y\": label {wrong}, number 1 of shape [2], ")), "{message}");
        assert_eq!(run([0, 1]), "");
    }
    let step = record(&|x, y| x.cross_entropy(y, ignoring(255)));
    assert_eq!(told(|| step.run(&[("x", &[1f32; 4] as &dyn Values), ("y", &[255u32, 2]), ("other", &[0u32; 2])]).unwrap()), "");
}

/// Nobody reads the labels of such a step.
#[test]
fn a_loss_without_labels_takes_any() {
    let net = logits(&Device::Cpu);
    let options = StepOptions::new(2, [2]).loss(Loss::Mse);
    let eval = EvalStep::captured(&net, &Device::Cpu, &options).unwrap();
    assert_eq!(told(|| eval.run_on(&[1.0; 4], &[7, 8]).unwrap()), "");
}

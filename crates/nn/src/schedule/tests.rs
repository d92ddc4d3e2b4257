use super::*;

#[test]
fn a_schedule_past_its_end_stays_there() {
    assert_eq!(cosine_to(0.1, 99, 10, 0.01), 0.01);
    assert_eq!(one_cycle(1.0, 99, 10), one_cycle(1.0, 9, 10));
}

#[test]
fn a_schedule_of_no_steps_is_a_number() {
    for t in [0, 1] {
        let rates = [cosine(0.1, t, 0), one_cycle(0.1, t, 0), one_cycle(0.1, t, 1), step(0.1, t, 0, 0.5), warm_up(0.1, t, 0, 0.3)];
        assert!(rates.iter().all(|r| r.is_finite()), "{rates:?}");
    }
}

#[test]
fn a_warm_up_rises_to_the_schedule_that_follows() {
    let schedule = Schedule::Warmup { steps: 4, start_factor: 0.0, then: Box::new(Schedule::Step { size: 2, gamma: 0.5 }) };
    let rates: Vec<f32> = (0..9).map(|t| schedule.lr(1.0, t)).collect();
    assert_eq!(rates, [0.0, 0.25, 0.5, 0.75, 1.0, 1.0, 0.5, 0.5, 0.25]);
}

#[track_caller]
fn equal(what: &str, got: impl Fn(usize) -> f32, want: &[f64]) {
    for (t, want) in want.iter().enumerate() {
        let got = f64::from(got(t));
        assert!((got - want).abs() <= 1e-9 + 1e-6 * want.abs(), "{what}: the rate of step {t} is {got}, not {want}");
    }
}

#[test]
fn the_schedules_are_pytorchs() {
    // torch.optim.lr_scheduler 2.11, base rate 0.1.
    equal(
        "PolynomialLR(total_iters=6, power=2)",
        |t| polynomial(0.1, t, 6, 2.0),
        &[0.1, 0.0694444444, 0.0444444444, 0.025, 0.0111111111, 0.0027777778, 0.0, 0.0],
    );
    equal(
        "LinearLR(start_factor=0.25, total_iters=4)",
        |t| linear(0.1, t, 4, 0.25, 1.0),
        &[0.025, 0.04375, 0.0625, 0.08125, 0.1, 0.1],
    );
    equal(
        "CosineAnnealingWarmRestarts(3, T_mult=2, eta_min=0.01)",
        |t| cosine_restarts(0.1, t, 3, 2, 0.01),
        &[0.1, 0.0775, 0.0325, 0.1, 0.0939711432, 0.0775, 0.055, 0.0325, 0.0160288568, 0.1, 0.0984666622, 0.0939711432],
    );
    equal(
        "CosineAnnealingWarmRestarts(3, eta_min=0.01)",
        |t| cosine_restarts(0.1, t, 3, 1, 0.01),
        &[0.1, 0.0775, 0.0325, 0.1, 0.0775, 0.0325, 0.1, 0.0775],
    );
    equal(
        "CosineAnnealingLR(4, eta_min=0.01)",
        |t| cosine_annealing(0.1, t, 4, 0.01),
        &[0.1, 0.0868198052, 0.055, 0.0231801948, 0.01, 0.0231801948, 0.055, 0.0868198052, 0.1, 0.0868198052, 0.055],
    );
    equal(
        "OneCycleLR(max_lr=0.4, total_steps=10, anneal_strategy='linear')",
        |t| OneCycle { anneal: Anneal::Linear, ..OneCycle::new(0.4, 10) }.lr(t),
        &[0.016, 0.208, 0.4, 0.3428573714, 0.2857147429, 0.2285721143, 0.1714294857, 0.1142868571, 0.0571442286, 1.6e-6],
    );
    equal(
        "OneCycleLR(max_lr=0.4, total_steps=12, three_phase=True)",
        |t| OneCycle { three_phase: true, ..OneCycle::new(0.4, 12) }.lr(t),
        &[
            0.016,
            0.1399158617,
            0.3517140636,
            0.3780075569,
            0.1848569574,
            0.0215791711,
            0.0152606773,
            0.0124898476,
            0.008433868,
            0.0042539072,
            0.0011466281,
            1.6e-6,
        ],
    );
}

#[test]
fn a_plateau_is_pytorchs() {
    // ReduceLROnPlateau(patience=1, factor=0.5, cooldown=2), then (mode='max', patience=2, threshold=0.1, threshold_mode='abs',
    // min_lr=0.005).
    let mut plateau = Plateau::new(0.1).patience(1).factor(0.5).cooldown(2);
    let got = [1.0, 0.9, 0.9, 0.9, 0.9, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5].map(|m| plateau.observe(m));
    assert_eq!(got, [0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05, 0.025, 0.025, 0.025, 0.025]);
    let mut plateau = Plateau::new(0.1).mode(Mode::Max).patience(2).threshold(Threshold::Abs(0.1)).min_lr(0.005);
    let got = [0.1, 0.2, 0.25, 0.29, 0.31, 0.3, 0.3, 0.3, 0.3, 0.3].map(|m| plateau.observe(m));
    assert_eq!(got, [0.1, 0.1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.005, 0.005]);
}

#[test]
fn a_plateau_goes_on_from_its_text_and_no_number_is_no_improvement() {
    let mut whole = Plateau::new(0.1).patience(1);
    let metrics = [f64::NAN, f64::NAN, 0.5, 0.6, f64::INFINITY, 0.4, 0.45];
    let rates: Vec<f32> = metrics.iter().map(|m| whole.observe(*m)).collect();
    assert_eq!(rates, [0.1, 0.01, 0.01, 0.01, 0.001, 0.001, 0.001]);
    let mut part = Plateau::new(0.1).patience(1);
    for (metric, rate) in metrics.iter().zip(rates) {
        part = serde_json::from_str(&serde_json::to_string(&part).unwrap()).unwrap();
        assert_eq!(part.observe(*metric), rate);
    }
}

#[test]
fn a_schedule_reads_back_from_its_text() {
    let schedules = [
        Schedule::Constant,
        Schedule::Step { size: 3, gamma: 0.5 },
        Schedule::MultiStep { milestones: vec![2, 5], gamma: 0.1 },
        Schedule::Exponential { gamma: 0.9 },
        Schedule::Cosine { total: 9, min: 0.01 },
        Schedule::CosineAnnealing { half_period: 4, min: 0.01 },
        Schedule::CosineRestarts { first: 3, mult: 2, min: 0.0 },
        Schedule::Polynomial { total: 9, power: 2.0 },
        Schedule::Linear { total: 9, start: 1.0, end: 0.0 },
        Schedule::OneCycle {
            total: 9,
            pct_start: 0.3,
            div_factor: 25.0,
            final_div_factor: 1e4,
            anneal: Anneal::Linear,
            three_phase: true,
        },
    ];
    for schedule in schedules {
        let nested = Schedule::Warmup { steps: 2, start_factor: 0.0, then: Box::new(schedule) };
        let text = serde_json::to_string(&nested).unwrap();
        assert_eq!(serde_json::from_str::<Schedule>(&text).unwrap(), nested, "{text}");
        assert!((0..30).all(|t| nested.lr(0.1, t).is_finite()), "{text}");
    }
    let cycle = r#"{"type": "one_cycle", "total": 9, "anneal": "cos"}"#;
    assert!(serde_json::from_str::<Schedule>(cycle).is_ok());
    assert!(serde_json::from_str::<Schedule>(r#"{"type": "linear", "total": 9, "begin": 1}"#).is_err());
}

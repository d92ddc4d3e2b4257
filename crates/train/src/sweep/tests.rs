use super::*;
use std::collections::BTreeMap;

/// Of no settings; one without a score has diverged.
fn trial(number: u64, rung: usize, score: f64) -> Trial {
    let diverged = score.is_infinite().then(|| "the loss is NaN".to_owned());
    let (run, settings, told) = (number.to_string(), BTreeMap::new(), String::new());
    let (val_accuracy, val_loss, test_accuracy) = (None, None, None);
    Trial {
        run,
        number,
        rung,
        epochs: 1,
        settings,
        score,
        val_accuracy,
        val_loss,
        val_mean_iou: None,
        test_accuracy,
        diverged,
        told,
    }
}

#[test]
fn the_best_come_first_and_what_diverged_last() {
    let mut found = [
        trial(1, 0, 0.5),
        trial(2, 0, f64::NEG_INFINITY),
        trial(3, 0, 0.9),
        trial(4, 0, 0.5),
        trial(3, 1, 0.8),
        trial(5, 1, f64::NEG_INFINITY),
    ];
    found.sort_by(order_of);
    let numbers: Vec<_> = found.iter().map(|trial| (trial.number, trial.rung)).collect();
    assert_eq!(numbers, [(3, 1), (3, 0), (1, 0), (4, 0), (5, 1), (2, 0)]);
}

#[test]
fn the_best_of_a_rung_go_on_and_none_that_diverged() {
    let mut found: Vec<Trial> =
        [(1, 0.2), (2, 0.9), (3, f64::NEG_INFINITY), (4, 0.5)].map(|(number, score)| trial(number, 0, score)).into();
    found.sort_by(order_of);
    let rung = |configurations| Rung { configurations, epochs: Some(3) };
    assert_eq!(chosen(&found, 0, &rung(4)), [1, 2, 3, 4]);
    assert_eq!(chosen(&found, 1, &rung(2)), [2, 4], "in their order");
    assert_eq!(chosen(&found, 1, &rung(4)), [1, 2, 4]);
    assert_eq!(chosen(&found, 2, &rung(1)), [0; 0], "nothing has come so far");
}

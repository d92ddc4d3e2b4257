use super::curve::End;
use super::*;

fn range(from: f64, to: f64, steps: u64) -> Range {
    Range { from, to, steps }
}

/// A curve over a hundred rates from 1e-7 to 10, of losses that are a function of the rate.
fn curve(loss: impl Fn(f64) -> f64) -> Curve {
    let mut curve = Curve::default();
    for rate in range(1e-7, 10.0, 100).rates().unwrap() {
        if !curve.add(rate, loss(f64::from(rate))) {
            break;
        }
    }
    curve
}

#[test]
fn rates_rise_by_one_factor_from_the_first_to_the_last() {
    let rates = range(1e-7, 10.0, 100).rates().unwrap();
    assert_eq!((rates.len(), rates[0], rates[99]), (100, 1e-7, 10.0));
    let factor = 1e8f64.powf(1.0 / 99.0);
    assert!(rates.windows(2).all(|pair| (f64::from(pair[1]) / f64::from(pair[0]) / factor - 1.0).abs() < 1e-6));
    let wrong = [
        (range(0.0, 1.0, 100), "--from 0.0 is out of range"),
        (range(-1.0, 1.0, 100), "--from -1.0 is out of range"),
        (range(1e-50, 1.0, 100), "--from 1e-50 is out of range"),
        (range(1e-7, f64::NAN, 100), "--to NaN is out of range"),
        (range(1e-7, 1e39, 100), "--to 1e39 is out of range"),
        (range(1.0, 1.0, 100), "--from 1.0 is not below --to 1.0"),
        (range(1e-7, 1.0, 19), "--steps 19 is out of range"),
        (range(1e-7, 1.0, 100_001), "--steps 100001 is out of range"),
    ];
    for (range, words) in wrong {
        let error = range.rates().unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

/// `m = [0.02 * 3, 0.98 * 0.06 + 0.02 * 1, ...]`, divided by `1 - 0.98^k`, by hand.
#[test]
fn a_loss_is_smoothed_by_the_formula() {
    let mut curve = Curve::default();
    [3.0, 1.0, 2.0].iter().for_each(|&loss| assert!(curve.add(0.1, loss)));
    let smoothed: Vec<f64> = curve.points().iter().map(|point| point.smoothed).collect();
    let wanted = [3.0, 0.0788 / 0.0396, 0.117_224 / 0.058_808];
    assert!(smoothed.iter().zip(wanted).all(|(got, want)| (got - want).abs() < 1e-12), "{smoothed:?}");
    let losses: Vec<f64> = curve.points().iter().map(|point| point.loss).collect();
    assert_eq!(losses, [3.0, 1.0, 2.0]);
}

#[test]
fn a_test_ends_where_the_loss_is_four_times_its_lowest_or_no_number() {
    let rising = curve(|rate| 1.0 + 1000.0 * rate);
    let lowest = rising.points()[0].smoothed;
    let (last, before) = rising.points().split_last().unwrap();
    assert!(last.smoothed > 4.0 * lowest && before.iter().all(|point| point.smoothed <= 4.0 * lowest));
    assert_eq!(rising.end(), Some(End::Rose));
    let lost = curve(|rate| if rate > 1e-3 { f64::NAN } else { 2.0 });
    assert!(lost.end() == Some(End::NotFinite) && lost.points().iter().all(|point| point.rate <= 1e-3));
    let whole = curve(|_| 2.0);
    assert_eq!((whole.end(), whole.points().len()), (None, 100));
}

/// A loss that is steady, falls over a decade, and rises without an end.
#[test]
fn what_is_suggested_lies_where_the_loss_falls_and_below_where_it_is_lowest() {
    let falls = |rate: f64| 2.3 - 1.5 / (1.0 + (1e-2 / rate).powi(2)) + 20.0 * rate.powi(2);
    let found = curve(falls);
    let suggestion = found.suggestion(100).unwrap();
    let lowest = found.points().iter().min_by(|a, b| a.smoothed.total_cmp(&b.smoothed)).unwrap();
    let Suggestion { steepest, tenth_of_lowest, lr } = suggestion;
    assert!((tenth_of_lowest / (f64::from(lowest.rate) / 10.0) - 1.0).abs() < 0.05, "{suggestion:?}");
    assert!((1e-3..f64::from(lowest.rate)).contains(&steepest) && lr == steepest.max(tenth_of_lowest), "{suggestion:?}");
    // Ten times the rates: ten times the suggestion.
    let mut shifted = Curve::default();
    for point in found.points() {
        shifted.add(10.0 * point.rate, point.loss);
    }
    let further = shifted.suggestion(100).unwrap();
    assert!((further.lr / lr - 10.0).abs() < 0.5 && (further.steepest / steepest - 10.0).abs() < 0.5, "{further:?}");
}

#[test]
fn nothing_is_suggested_where_no_rate_lowers_the_loss() {
    assert_eq!(curve(|rate| 2.0 + rate).suggestion(100), None);
    assert_eq!(curve(|_| 2.0).suggestion(100), None);
    // What falls in the first tenth alone is chance.
    assert_eq!(curve(|rate| if rate < 3e-7 { 3.0 - 1e6 * rate } else { 2.9 + rate }).suggestion(100), None);
    assert_eq!(Curve::default().suggestion(100), None);
}

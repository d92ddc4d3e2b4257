//! The page of `wgrad lr-find` in a real browser.

use crate::command::support::Bench;
use crate::page::{elements, seen};
use std::fs;
use std::path::Path;

/// Holds a page to these words at two widths, and to its grounds in light and dark.
fn hold(file: &Path, wanted: &[String], place: &Path) -> bool {
    for width in [1180, 480] {
        let Some(found) = elements(file, width, place) else { return false };
        for wanted in ["data-errors=\"0\"", "data-too-wide=\"false\""].into_iter().chain(wanted.iter().map(String::as_str)) {
            assert!(
                found.contains(wanted),
                "{wanted} is missing at {width} pixels: {}",
                &found[found.find("<body").unwrap()..][..400]
            );
        }
        let [(light, white), (dark, black)] = [false, true].map(|dark| seen(file, width, dark, place).unwrap());
        assert!(light > 50 && dark > 50, "{light} and {dark} colours");
        assert!(white == [255; 3] && black.iter().all(|&value| value < 64), "{white:?} and {black:?}");
    }
    true
}

/// What is altered is noticed: each piece stands in the page once, and with another in its place the words are there.
fn notice(file: &Path, faults: &[(&str, &str, &str)], place: &Path) {
    let html = fs::read_to_string(file).unwrap();
    let altered = place.join("altered.html");
    for (right, wrong, wanted) in faults {
        assert_eq!(html.matches(right).count(), 1, "{right}");
        fs::write(&altered, html.replace(right, wrong)).unwrap();
        let found = elements(&altered, 1180, place).unwrap();
        assert!(found.contains(wanted), "{wrong}: {}", &found[found.find("<body").unwrap()..][..400]);
    }
}

#[test]
fn a_browser_shows_the_loss_over_the_rate() {
    let (bench, place) = (Bench::new(), tempfile::tempdir().unwrap());
    let found = bench.run("lr-find data --model net.json --batch-size 8 --device cpu --json --page lr.html").json();
    let rows = found["points"].as_array().unwrap().len() + 1;
    let take = format!("take this one: --lr {}", found["suggestion"]["lr"]);
    let wanted = ["data-charts=\"1\"".to_owned(), "data-suggestions=\"2\"".to_owned(), format!("data-rows=\"{rows}\""), take];
    let file = bench.path("lr.html");
    if hold(&file, &wanted, place.path()) {
        let faults = [
            ("suggested(document", "suggest(document", "data-errors=\"1\""),
            ("steps(document.getElementById(\"steps\"));", "", "data-rows=\"0\""),
            ("width: card.clientWidth - 26", "width: card.clientWidth + 26", "data-too-wide=\"true\""),
        ];
        notice(&file, &faults, place.path());
    }
}

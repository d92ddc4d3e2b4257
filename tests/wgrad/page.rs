//! A run's page in a real browser: Debian's Chromium, without a window and without a network. Skipped where there is none.

use crate::command::support::Bench;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use train::inspect::Inspection;
use train::page;
use train::run_folder::{LR_BY_HAND, REPORT};

/// The browser with what a test needs of it; none if it is not there.
fn browser(profile: &Path) -> Option<Command> {
    let found =
        Command::new("chromium").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success());
    if !found {
        eprintln!("skipped: there is no chromium");
        return None;
    }
    let mut command = Command::new("chromium");
    command.args(["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=4000"]);
    command.arg(format!("--user-data-dir={}", profile.display())).stderr(Stdio::null());
    Some(command)
}

/// A run of some epochs, as its folder has it.
fn run(parent: &Path, name: &str, epochs: u64) -> PathBuf {
    let folder = parent.join(name);
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("config.toml"), format!("model = \"small-cnn\"\ndata = \"builtin\"\nseed = {epochs}\n")).unwrap();
    let mut log = String::new();
    for step in 1..=50 * epochs {
        let (share, rate) = (step as f64 / (50 * epochs) as f64, 100.0 + (step % 7) as f64);
        let loss = 2.3 * (-3.0 * share).exp();
        log += &format!(
            "{}\n",
            json!({"step": step, "lr": 0.1 * (1.0 - share), "loss": loss, "accuracy": share, "images_per_s": rate})
        );
        if step % 50 == 0 {
            let epoch =
                json!({"step": step, "train_loss": loss, "train_accuracy": share, "val_loss": 1.1 * loss, "val_accuracy": share});
            log += &format!("{epoch}\n");
        }
    }
    log += &format!("{}\n", json!({"step": 50 * epochs, "test": {"best": null, "last": {"loss": 0.1, "accuracy": 0.987}}}));
    std::fs::write(folder.join("metrics.jsonl"), log).unwrap();
    folder
}

/// What a network says of sixty images of three classes: one in ten is taken for another.
fn test_table(folder: &Path) {
    const NAMES: [&str; 3] = ["cat", "dog", "<fox>"];
    let mut table = String::from("image,label,class,predicted_label,predicted_class,probability,loss,correct\n");
    for image in 0..60 {
        let label = image % 3;
        let said = if image % 10 == 7 { (label + 1) % 3 } else { label };
        let (class, named, right) = (NAMES[label], NAMES[said], u8::from(said == label));
        table += &format!("{image},{label},{class},{said},{named},0.9{image:02},{}.5,{right}\n", 1 - right);
    }
    std::fs::write(folder.join("test.csv"), table).unwrap();
}

/// The page's elements once its script has run.
pub fn elements(page: &Path, width: u32, profile: &Path) -> Option<String> {
    let mut command = browser(profile)?;
    command.arg(format!("--window-size={width},1400")).arg("--dump-dom").arg(format!("file://{}", page.display()));
    Some(String::from_utf8(command.output().unwrap().stdout).unwrap())
}

/// What a picture of the page shows: how many colours it has, and its ground.
pub fn seen(page: &Path, width: u32, dark: bool, profile: &Path) -> Option<(usize, [u8; 3])> {
    let mut command = browser(profile)?;
    let file = profile.join(format!("{width}-{dark}.png"));
    if dark {
        command.args(["--force-dark-mode", "--blink-settings=preferredColorScheme=0"]);
    }
    command.arg(format!("--window-size={width},1400")).arg(format!("--screenshot={}", file.display()));
    assert!(command.arg(format!("file://{}", page.display())).stdout(Stdio::null()).status().unwrap().success());
    let picture = image::open(&file).unwrap().into_rgb8();
    assert_eq!(picture.width(), width);
    let colours: std::collections::BTreeSet<[u8; 3]> = picture.pixels().map(|pixel| pixel.0).collect();
    Some((colours.len(), picture.get_pixel(2, 2).0))
}

#[test]
fn a_browser_shows_the_curves_at_two_widths_in_light_and_dark() {
    let place = tempfile::tempdir().unwrap();
    let (runs, both) = ([run(place.path(), "a", 3), run(place.path(), "b", 5)], place.path().join("both.html"));
    let one = runs[0].join(REPORT);
    test_table(&runs[0]);
    page::write(&runs[..1], &one).unwrap();
    page::write(&runs, &both).unwrap();
    let texts_of_one = ["98.70 %", "small-cnn on builtin, seed 3", "data-tables=\"7\"", "&lt;fox&gt; taken for cat: 10.00 %"];
    for (file, texts) in [(&one, texts_of_one), (&both, ["2 runs", "b: validation", "Test images: a", "data-tables=\"7\""])] {
        for width in [1180, 480] {
            let Some(found) = elements(file, width, place.path()) else { return };
            for wanted in ["data-charts=\"4\"", "data-errors=\"0\"", "data-too-wide=\"false\""].into_iter().chain(texts) {
                assert!(found.contains(wanted), "{wanted} is missing at {width} pixels: {}", &found[..found.len().min(300)]);
            }
            assert_eq!(found.matches("<canvas").count(), 4);
            let [(light, white), (dark, black)] = [false, true].map(|dark| seen(file, width, dark, place.path()).unwrap());
            assert!(light > 50 && dark > 50, "{light} and {dark} colours");
            assert!(white == [255; 3] && black.iter().all(|&value| value < 64), "{white:?} and {black:?}");
        }
    }
}

/// Two labels: the first is told of one image in three that have it and of one that has not, the second of none.
#[test]
fn a_browser_shows_a_row_for_each_label_where_images_have_several() {
    let place = tempfile::tempdir().unwrap();
    let (folder, file) = (run(place.path(), "a", 1), place.path().join("page.html"));
    let heads = "image,labels,predicted_labels,right,loss,p(<cat>),p(in)\n";
    let rows = "0,<cat>,<cat>,2,0.1,0.9,0.1\n1,<cat>|in,,0,0.9,0.2,0.3\n2,<cat>,,1,0.5,0.1,0.2\n3,in,<cat>,0,2.0,0.8,0.4\n";
    std::fs::write(folder.join("test.csv"), [heads, rows].concat()).unwrap();
    page::write(&[folder], &file).unwrap();
    let html = std::fs::read_to_string(&file).unwrap();
    // Precision 1 of 2, recall 1 of 3; average precision (1 + 2/3 + 3/4) / 3 for one, 1 for the other.
    let wanted = ["By label, said above 50 %", "&lt;cat&gt;", "33.33 %", "50.00 %", "80.56 %", "mean of all", "90.28 %"];
    for width in [1180, 480] {
        let Some(found) = elements(&file, width, place.path()) else { return };
        for wanted in ["data-errors=\"0\"", "data-too-wide=\"false\"", "data-tables=\"3\""].into_iter().chain(wanted) {
            assert!(found.contains(wanted), "{wanted} is missing at {width} pixels: {}", &found[..found.len().min(300)]);
        }
    }
    // The control: without the section the figures are missing.
    assert_eq!(html.matches("(found && found.by_label)").count(), 1);
    std::fs::write(&file, html.replace("(found && found.by_label)", "(false)")).unwrap();
    let Some(found) = elements(&file, 1180, place.path()) else { return };
    assert!(!found.contains("80.56 %"));
}

#[test]
fn a_browser_shows_the_rates_that_a_hand_changed() {
    let place = tempfile::tempdir().unwrap();
    let (plain, changed) = (run(place.path(), "a", 1), run(place.path(), "b", 1));
    let log = changed.join("metrics.jsonl");
    let line = json!({"step": 31, "epoch": 1, (LR_BY_HAND): 1.1f32 * 1.1});
    std::fs::write(&log, std::fs::read_to_string(&log).unwrap() + &format!("{line}\n")).unwrap();
    for (folder, count) in [(plain, 0), (changed, 1)] {
        let file = folder.join(REPORT);
        page::write(&[folder], &file).unwrap();
        let Some(found) = elements(&file, 480, place.path()) else { return };
        assert!(found.contains("data-errors=\"0\"") && found.contains("data-too-wide=\"false\""));
        let tables = [">Learning rate, changed by hand</h2>", ">31</td>", ">1.21</td>"].map(|text| found.matches(text).count());
        assert_eq!(tables, [count; 3]);
    }
}

#[test]
fn a_page_whose_script_fails_is_noticed() {
    let place = tempfile::tempdir().unwrap();
    let (folder, file) = (run(place.path(), "a", 1), place.path().join("page.html"));
    page::write(&[folder], &file).unwrap();
    let html = std::fs::read_to_string(&file).unwrap();
    for (right, wrong, wanted) in [
        ("results(document", "result(document", "data-errors=\"1\""),
        ("charts = found.map(", "charts = found.slice(1).map(", "data-charts=\"3\""),
        ("width: card.clientWidth - 26", "width: card.clientWidth + 26", "data-too-wide=\"true\""),
    ] {
        assert_eq!(html.matches(right).count(), 1, "{right}");
        std::fs::write(&file, html.replace(right, wrong)).unwrap();
        let Some(found) = elements(&file, 1180, place.path()) else { return };
        assert!(found.contains(wanted), "{wrong}: {}", &found[..found.len().min(300)]);
    }
}

/// A run of a small network, and what its page must show of it.
fn inspected() -> (Bench, PathBuf, [String; 6]) {
    let bench = Bench::new();
    bench.train("--epochs 1 --name a").ok();
    let folder = bench.path("runs/a");
    let found = Inspection::read(&folder.join("inspection.json")).unwrap();
    let maps = found.maps.as_ref().unwrap();
    let counts = [
        ("mistakes", found.mistakes.len()),
        ("maps", maps.right.len() + maps.wrong.len()),
        ("filters", 8),
        // One for what is no layer's, and the sum.
        ("layers", found.layers.rows.len() + 2),
        ("histograms", 2 * found.layers.rows.iter().filter(|row| row.weights.is_some()).count()),
        ("broken", 0),
    ];
    assert!(counts[..5].iter().all(|(_, count)| *count > 1), "{counts:?}");
    (bench, folder.join(REPORT), counts.map(|(name, count)| format!("data-{name}=\"{count}\"")))
}

#[test]
fn a_browser_shows_pictures_and_layers_at_two_widths_in_light_and_dark() {
    let place = tempfile::tempdir().unwrap();
    let (_bench, file, wanted) = inspected();
    for width in [1200, 400] {
        let Some(found) = elements(&file, width, place.path()) else { return };
        for wanted in wanted.iter().map(String::as_str).chain(["data-errors=\"0\"", "data-too-wide=\"false\""]) {
            assert!(
                found.contains(wanted),
                "{wanted} is missing at {width} pixels: {}",
                &found[found.find("<body").unwrap()..][..400]
            );
        }
        for title in ["Worst mistakes", "What it looks at", "First filters", "Memory and time", "Weights and gradients"] {
            assert!(found.contains(&format!("{title}</h")), "{title}");
        }
        for dark in [false, true] {
            let (colours, ground) = seen(&file, width, dark, place.path()).unwrap();
            assert!(colours > 50 && (ground == [255; 3]) != dark, "{colours} colours on {ground:?}");
        }
    }
}

#[test]
fn a_section_that_is_missing_a_broken_picture_and_what_is_too_wide_are_noticed() {
    let place = tempfile::tempdir().unwrap();
    let (_bench, file, wanted) = inspected();
    let html = std::fs::read_to_string(&file).unwrap();
    let faults = [
        ("mistakes(place, inspection.mistakes);", "", 0),
        ("maps(place, inspection.maps);", "", 1),
        ("filters(place, inspection.filters);", "", 2),
        ("costs(tables, found, long);", "", 3),
        ("spreads(tables, found, long);", "", 4),
        ("data:image/png;base64,", "data:image/png;base64,AAAA", 5),
    ];
    let altered = place.path().join("altered.html");
    for (right, wrong, at) in faults {
        assert_eq!(html.matches(right).count(), 1, "{right}");
        std::fs::write(&altered, html.replace(right, wrong)).unwrap();
        let Some(found) = elements(&altered, 1200, place.path()) else { return };
        let missing: Vec<bool> = wanted.iter().map(|wanted| !found.contains(wanted)).collect();
        assert!(missing[at] && missing.iter().filter(|missing| **missing).count() == 1, "{right}: {missing:?}");
    }
    std::fs::write(&altered, html.replace("minmax(128px, 1fr)", "minmax(2000px, 1fr)")).unwrap();
    assert!(elements(&altered, 1200, place.path()).unwrap().contains("data-too-wide=\"true\""));
}

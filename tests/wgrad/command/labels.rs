//! Pictures with several labels: trained on, measured and named label by label.

use super::pictures::{TRAIN, encoded, with_photos};
use super::support::Bench;
use gpu_core::rng::Stream;
use image::{ImageFormat, Rgb, RgbImage};
use serde_json::Value;
use std::fs;
use train::inspect::Inspection;

const COLOURS: [&str; 3] = ["red", "green", "blue"];

/// The colours of a picture: one at least.
fn has(number: u32) -> Vec<usize> {
    (0..3).filter(|c| (1 + number % 7) >> c & 1 == 1).collect()
}

/// Noise, light in the colours that the picture has.
fn picture(number: u32) -> RgbImage {
    let noise = Stream::new(u64::from(number), 9, 0);
    let light = has(number);
    RgbImage::from_fn(40, 32, |x, y| {
        let words = noise.block(y * 40 + x);
        Rgb([0, 1, 2].map(|c| (words[c] % 90) as u8 + if light.contains(&c) { 150 } else { 20 }))
    })
}

/// A hundred and forty pictures, and a table of what is in them.
fn with_colours() -> Bench {
    let bench = with_photos();
    fs::create_dir(bench.path("colours")).unwrap();
    let mut table = "path,labels\n".to_owned();
    for number in 0..140 {
        fs::write(bench.path(&format!("colours/{number}.png")), encoded(picture(number), ImageFormat::Png)).unwrap();
        table += &format!("{number}.png,{}\n", has(number).into_iter().map(|c| COLOURS[c]).collect::<Vec<_>>().join("|"));
    }
    fs::write(bench.path("colours/some.csv"), table).unwrap();
    bench
}

fn train(words: &str) -> String {
    format!("{} {words}", TRAIN.replace("train photos", "train colours/some.csv"))
}

#[test]
fn labels_are_trained_on_measured_and_predicted_each_by_itself() {
    let bench = with_colours();
    let ran = bench.run(&train("--epochs 12 --name a")).ok();
    assert!(ran.stdout.contains("112 images to learn from, 14 to choose the best by, 14 to test on"), "{}", ran.stdout);
    assert!(ran.stdout.contains("test labels right "), "{}", ran.stdout);
    // Whole epochs alone compete, by the loss: the first one of the lowest.
    let log = bench.log("runs/a");
    let losses: Vec<f64> = log.iter().filter_map(|line| line["val_loss"].as_f64()).collect();
    let lowest = losses.iter().copied().fold(f64::INFINITY, f64::min);
    let best = &log.last().unwrap()["test"]["best"];
    assert_eq!(best["epoch"].as_u64(), losses.iter().position(|loss| *loss == lowest).map(|at| at as u64 + 1));
    assert!(
        log.iter().all(|line| line["accuracy"].is_null() && line["train_accuracy"].is_null()),
        "one label each is right or wrong"
    );

    let measured = bench.run("eval --checkpoint runs/a --device cpu --per-image table.csv --json").json();
    assert_eq!((&measured["accuracy"], &measured["loss"], &measured["images"]), (&best["accuracy"], &best["loss"], &14.into()));
    assert!(measured["accuracy"].as_f64().unwrap() > 0.9, "{measured}");
    assert!(bench.bytes("table.csv") == bench.bytes("runs/a/test.csv"));
    let mut table = csv::Reader::from_path(bench.path("table.csv")).unwrap();
    let heads = ["image", "labels", "predicted_labels", "right", "loss", "p(blue)", "p(green)", "p(red)"];
    assert_eq!(table.headers().unwrap(), &csv::StringRecord::from(heads.to_vec()));
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    let sum = |column: usize| rows.iter().map(|row| row[column].parse::<f64>().unwrap()).sum::<f64>();
    assert_eq!(sum(3) / 14.0 / 3.0, measured["accuracy"].as_f64().unwrap());
    assert!((sum(4) / 14.0 - measured["loss"].as_f64().unwrap()).abs() < 1e-5);
    for row in &rows {
        let likely: Vec<&str> =
            (5..8).filter(|at| row[*at].parse::<f64>().unwrap() > 0.5).map(|at| &heads[at][2..heads[at].len() - 1]).collect();
        assert_eq!(likely.join("|"), row[2], "{row:?}");
    }
    predicted(&bench);
    let page = fs::read_to_string(bench.path("runs/a/report.html")).unwrap();
    assert!(page.contains(r#""by_label":[{"name":"blue","images":"#), "its table");
    let info = bench.run("data info colours/some.csv --json").json();
    // Four of seven pictures have each colour.
    let all =
        |class: usize| ["train", "val", "test"].iter().map(|split| info["classes"][class][*split].as_u64().unwrap()).sum::<u64>();
    assert_eq!([0, 1, 2].map(all), [80; 3]);
    bench.run("data show colours/some.csv --out sheet.png").ok();
    bench.run("report runs/a --out again.html").ok();
    bench.run("export runs/a --onnx").ok();
    let onnx = String::from_utf8_lossy(&bench.bytes("runs/a/best.onnx")).into_owned();
    assert!(onnx.contains("several"), "who uses it must know that no softmax is meant");
    shown(&bench);
    if proof::gpu().is_some() {
        bench.run("verify --device gpu --bisect runs/a/best.safetensors").ok();
    }

    bench.run("eval --checkpoint runs/a --device cpu --tta flip").refused("--tta: not where an image may have several labels");
    bench.run("predict colours/1.png --checkpoint runs/a --device cpu --tta flip").refused("--tta: not where");
    bench
        .run("eval --checkpoint runs/a --device cpu --data photos")
        .refused("was taught several labels an image; those of photos have one");
}

/// The pictures in the page of a run that has made mistakes: those of the table, the worst first.
fn shown(bench: &Bench) {
    bench.run(&train("--epochs 1 --name early")).ok();
    let found = Inspection::read(&bench.path("runs/early/inspection.json")).unwrap();
    let mut table = csv::Reader::from_path(bench.path("runs/early/test.csv")).unwrap();
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    let mut wrong: Vec<(f64, usize)> =
        rows.iter().filter(|row| &row[3] != "3").map(|row| (-row[4].parse::<f64>().unwrap(), row[0].parse().unwrap())).collect();
    wrong.sort_by(|a, b| a.partial_cmp(b).unwrap());
    assert!(!wrong.is_empty(), "after one epoch it is wrong somewhere: {rows:?}");
    assert_eq!(found.mistakes.iter().map(|one| one.image).collect::<Vec<_>>(), wrong.iter().map(|one| one.1).collect::<Vec<_>>());
    let maps = found.maps.unwrap();
    for looked in maps.right.iter().chain(&maps.wrong) {
        let row = &rows[looked.shown.image];
        let likely: Vec<f64> = (5..8).map(|at| row[at].parse().unwrap()).collect();
        let largest = (0..3).max_by(|&a, &b| likely[a].total_cmp(&likely[b])).unwrap();
        assert_eq!(looked.label.as_deref(), Some(["blue", "green", "red"][largest]), "{row:?}");
        assert_eq!((&looked.shown.class.replace(", ", "|")[..], looked.for_class.is_none()), (&row[1], true));
    }
}

/// Every label above a half, and no other.
fn predicted(bench: &Bench) {
    let mut right = 0;
    for (number, count) in [(6, 3), (0, 1), (4, 2)] {
        let words = format!("predict colours/{number}.png --checkpoint runs/a --device cpu");
        let object = bench.run(&format!("{words} --json")).json();
        let guesses = object["predictions"][0]["classes"].as_array().unwrap().clone();
        assert!(guesses.iter().all(|guess| guess["probability"].as_f64().unwrap() > 0.5), "{guesses:?}");
        let mut named: Vec<&str> = guesses.iter().map(|guess| guess["class"].as_str().unwrap()).collect();
        let text = bench.run(&words).ok().stdout;
        assert_eq!(text.lines().count(), 1 + named.len().max(1), "{text}");
        let row = bench.run(&format!("{words} --csv")).ok().stdout;
        assert_eq!(row.lines().nth(1).unwrap().split(',').nth(1), Some(&*named.join("|")), "{row}");
        assert_eq!(
            bench.run(&format!("{words} --top 1 --csv")).ok().stdout.lines().nth(1).unwrap().split(',').nth(1),
            named.first().copied()
        );
        named.sort_unstable();
        let mut wanted: Vec<&str> = has(number).into_iter().map(|c| COLOURS[c]).collect();
        wanted.sort_unstable();
        assert_eq!(wanted.len(), count);
        right += usize::from(named == wanted);
    }
    assert!(right >= 2, "{right} of 3");
}

#[test]
fn a_run_on_labels_resumes_to_the_same_bytes_in_memory_and_off() {
    let bench = with_colours();
    let words = train("--epochs 3 --class-weights balanced --save-every 3 --name");
    bench.run(&format!("{words} whole")).ok();
    bench.run(&format!("{words} parts --in-memory off --max-steps 19")).ok();
    bench.run("train --resume runs/parts").ok();
    for file in ["last.safetensors", "best.safetensors", "test.csv"] {
        assert!(bench.bytes(&format!("runs/whole/{file}")) == bench.bytes(&format!("runs/parts/{file}")), "{file}");
    }
    assert_eq!(bench.log("runs/whole"), bench.log("runs/parts"));
    bench.run(&train("--epochs 3 --name alike")).ok();
    let last = |run: &str| bench.bytes(&format!("runs/{run}/last.safetensors"));
    assert!(last("alike") != last("whole"), "the weights of the classes are used");
    // Another label of one picture is another set.
    let table = bench.path("colours/some.csv");
    fs::write(&table, fs::read_to_string(&table).unwrap().replacen("\n3.png,blue\n", "\n3.png,red|blue\n", 1)).unwrap();
    let ran = bench.run("train --resume runs/whole --epochs 4");
    ran.refused("these are not the images and labels of fingerprint");
    let log: Vec<Value> = bench.log("runs/whole");
    assert!(log.iter().any(|line| line["val_accuracy"].is_number()));
}

//! `wgrad predict` on many pictures at once, and `wgrad eval` image by image.

use super::support::{Bench, Ran};
use image::{Rgb, RgbImage};
use serde_json::Value;
use std::fs;

/// A run, and five pictures in two folders of which one is none; their brightness tells them apart.
fn run() -> Bench {
    let bench = Bench::new();
    bench.train("--epochs 1 --name a --test-images 0").ok();
    fs::create_dir_all(bench.path("photos/more")).unwrap();
    for (number, name) in ["a.png", "c.jpg", "more/d.png", "more/e.JPEG"].iter().enumerate() {
        RgbImage::from_pixel(40, 50, Rgb([60 * number as u8; 3])).save(bench.path("photos").join(name)).unwrap();
    }
    fs::write(bench.path("photos/b.png"), "no picture").unwrap();
    fs::write(bench.path("photos/notes.txt"), "").unwrap();
    bench
}

/// It named what it could, said what it could not, and ended with 1.
#[track_caller]
fn found_wrong(ran: Ran) -> String {
    assert_eq!(ran.code, Some(1), "{}{}", ran.stdout, ran.stderr);
    ran.stdout
}

const ORDER: [&str; 5] = ["photos/a.png", "photos/b.png", "photos/c.jpg", "photos/more/d.png", "photos/more/e.JPEG"];

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_folder_is_named_in_order_and_what_cannot_be_read_is_a_row() {
    let bench = run();
    let rows = lines(&found_wrong(bench.run("predict photos --jsonl --device cpu")));
    assert_eq!(rows.iter().map(|row| row["image"].as_str().unwrap()).collect::<Vec<_>>(), ORDER);
    let error = rows[1]["error"].as_str().unwrap();
    assert!(
        error.starts_with("photos/b.png: this is not a PNG, JPEG, WebP, BMP or GIF image") && rows[1]["classes"].is_null(),
        "{error}"
    );
    // Alone, by a pattern, and in batches of every size they are named alike.
    let good: Vec<Value> = rows.iter().filter(|row| row["error"].is_null()).cloned().collect();
    assert_eq!(good.len(), 4);
    for row in &good {
        let alone = bench.run(&format!("predict {} --jsonl --device cpu", row["image"].as_str().unwrap())).ok().stdout;
        assert_eq!(lines(&alone), std::slice::from_ref(row));
    }
    for batch in [1, 2, 3, 4, 100] {
        let ran = bench.run(&format!("predict photos --jsonl --device cpu --batch-size {batch}"));
        assert_eq!(lines(&found_wrong(ran)), rows, "{batch}");
    }
    let fitting = bench.run("predict photos/*/*.png photos/[ac].* --jsonl --device cpu").ok().stdout;
    assert_eq!(lines(&fitting), [good[2].clone(), good[0].clone(), good[1].clone()]);
    assert_ne!(good[0]["classes"], good[2]["classes"]);

    let one = bench.run("predict photos --json --device cpu");
    assert_eq!(serde_json::from_str::<Value>(&found_wrong(one)).unwrap()["predictions"], Value::from(rows));
    let text = found_wrong(bench.run("predict photos --top 1 --device cpu"));
    assert_eq!(text.lines().count(), 10, "{text}");
    assert!(text.contains("photos/b.png\n  error: photos/b.png: this is not"), "{text}");
}

#[test]
fn comma_separated_values_have_a_row_an_image() {
    let bench = run();
    fs::rename(bench.path("photos/c.jpg"), bench.path("photos/c, \"d\".jpg")).unwrap();
    let text = found_wrong(bench.run("predict photos --csv --top 2 --device cpu"));
    let rows: Vec<csv::StringRecord> =
        csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes()).records().map(Result::unwrap).collect();
    let heads = ["image", "class", "label", "probability", "class_2", "label_2", "probability_2", "error"];
    assert_eq!(rows[0], csv::StringRecord::from(heads.to_vec()));
    assert_eq!((rows.len(), &rows[3][0]), (6, "photos/c, \"d\".jpg"));
    assert!(rows[2][1].is_empty() && rows[2][7].contains("not a PNG"), "{:?}", rows[2]);
    let object = lines(&found_wrong(bench.run("predict photos --jsonl --top 2 --device cpu"))).remove(0);
    for (place, at) in [(0, 1), (1, 4)] {
        let guess = &object["classes"][place];
        assert_eq!((rows[1][at].into(), rows[1][at + 1].parse()), (guess["class"].clone(), Ok(guess["label"].as_u64().unwrap())));
        assert_eq!(rows[1][at + 2].parse::<f32>().unwrap(), guess["probability"].as_f64().unwrap() as f32);
    }
}

#[test]
fn where_no_image_can_be_read_there_is_an_error_and_no_answer() {
    let bench = run();
    let before = bench.contents();
    for (words, wanted) in [
        ("photos/b.png", "photos/b.png: this is not a PNG, JPEG, WebP, BMP or GIF image"),
        ("photos/b.png nothing.png", "none of 2 images can be read; the last: reading nothing.png"),
        ("photos/*.tif", "photos/*.tif: no file fits this pattern"),
        ("data", "data: this folder holds no picture"),
        ("photos --batch-size 0", "--batch-size"),
        ("photos --csv --json", "--csv"),
        ("photos --csv --jsonl", "--jsonl"),
    ] {
        let ran = bench.run(&format!("predict --device cpu {words}"));
        assert_eq!(ran.stdout, "", "{words}");
        ran.refused(wanted);
    }
    assert!(bench.contents() == before);
}

#[test]
fn an_evaluation_image_by_image_adds_up_to_the_whole() {
    let bench = run();
    let whole = bench.run("eval --device cpu --json --per-image table.csv").json();
    let mut table = csv::Reader::from_path(bench.path("table.csv")).unwrap();
    let heads = ["image", "label", "class", "predicted_label", "predicted_class", "probability", "loss", "correct"];
    assert_eq!(table.headers().unwrap(), &csv::StringRecord::from(heads.to_vec()));
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    let number = |row: &csv::StringRecord, at: usize| row[at].parse::<f64>().unwrap();
    let (images, sum) = (rows.len(), |at: usize| rows.iter().map(|row| number(row, at)).sum::<f64>());
    assert_eq!((images as u64, sum(7) / images as f64), (110, whole["accuracy"].as_f64().unwrap()));
    assert!((sum(6) / images as f64 - whole["loss"].as_f64().unwrap()).abs() < 1e-5, "{} {whole}", sum(6));
    for (place, row) in rows.iter().enumerate() {
        // The test images have the classes 0 to 9 in turn.
        assert_eq!((number(row, 0), number(row, 1)), (place as f64, (place % 10) as f64));
        let (is_right, probability) = (row[1] == row[3], number(row, 5));
        assert!((row[7] == *"1") == is_right && (0.1..=1.0).contains(&probability), "{row:?}");
        assert!(!is_right || ((-probability.ln()) - number(row, 6)).abs() < 1e-4, "{row:?}");
    }
    bench.run("eval --device cpu --per-image data").refused("--per-image data: it is a directory");
    bench.run("eval --device cpu --per-image nowhere/x.csv").refused("--per-image nowhere/x.csv");
}

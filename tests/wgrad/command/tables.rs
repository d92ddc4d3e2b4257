//! Pictures that a table names: what is learned from them is what the same pictures in folders teach.

use super::pictures::{TRAIN, with_photos};
use super::support::Bench;
use nn::Checkpoint;
use std::fs;

/// The table `photos/NAME` with a row for each picture, the last one first; `split` says by class and number what it is for.
fn with_table(bench: &Bench, name: &str, split: Option<fn(u32) -> &'static str>) {
    let mut rows = Vec::new();
    for class in ["cat", "dog", "fox"] {
        for entry in fs::read_dir(bench.path("photos").join(class)).unwrap() {
            let file = entry.unwrap().file_name().into_string().unwrap();
            let number = file.split('.').next().unwrap().parse().unwrap();
            rows.push(format!("{class}/{file},{class}{}\n", split.map_or_else(String::new, |split| format!(",{}", split(number)))));
        }
    }
    rows.sort();
    rows.reverse();
    let head = if split.is_some() { "path,label,split\n" } else { "path,label\n" };
    fs::write(bench.path("photos").join(name), head.to_owned() + &rows.concat()).unwrap();
}

/// Every tensor of a checkpoint.
fn tensors(bench: &Bench, file: &str) -> Vec<(String, Vec<u32>)> {
    let checkpoint = Checkpoint::read(bench.path(file)).unwrap();
    let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect();
    checkpoint.arrays().iter().map(|(key, array)| (key.clone(), bits(&array.values))).collect()
}

#[test]
fn a_table_teaches_what_the_folders_teach_and_is_measured_and_predicted() {
    let bench = with_photos();
    with_table(&bench, "all.csv", None);
    let on_table = TRAIN.replace("train photos", "train photos/all.csv");
    bench.run(&format!("{TRAIN} --epochs 2 --name folders")).ok();
    let ran = bench.run(&format!("{on_table} --epochs 2 --name table")).ok();
    assert!(
        ran.stdout.contains("on all.csv (")
            && ran.stdout.contains("72 images to learn from, 9 to choose the best by, 9 to test on")
    );
    bench.run(&format!("{on_table} --epochs 2 --seed 1 --name other")).ok();
    for file in ["last.safetensors", "best.safetensors"] {
        let [folders, table, other] = ["folders", "table", "other"].map(|run| tensors(&bench, &format!("runs/{run}/{file}")));
        assert!(folders == table, "{file} differs");
        assert!(folders != other, "the comparison sees nothing");
    }
    assert!(bench.bytes("runs/folders/test.csv") == bench.bytes("runs/table/test.csv"));
    // On the data set that the run remembers.
    let eval = |run: &str| bench.run(&format!("eval --checkpoint runs/{run} --device cpu --json")).json();
    assert_eq!((&eval("table")["accuracy"], &eval("table")["images"]), (&eval("folders")["accuracy"], &9.into()));
    let named = bench.run("predict photos/fox/1.png --checkpoint runs/table --device cpu --json").json();
    assert_eq!(
        named["predictions"],
        bench.run("predict photos/fox/1.png --checkpoint runs/folders --device cpu --json").json()["predictions"]
    );
    let [one, other] = ["photos", "photos/all.csv"].map(|set| bench.run(&format!("data info {set} --json")).json());
    assert_eq!((&one["classes"], &one["mean"], &other["data"]), (&other["classes"], &other["mean"], &"all.csv".into()));
    assert!(fs::read_to_string(bench.path("runs/table/report.html")).unwrap().contains("fox"));
}

/// In mid-epoch, off memory, with the splits that the table says.
#[test]
fn a_run_on_a_table_resumes_to_the_same_bytes_and_notices_another_table() {
    let bench = with_photos();
    with_table(
        &bench,
        "parted.csv",
        Some(|number| match number {
            0..5 => "val",
            5..9 => "test",
            _ => "train",
        }),
    );
    let words = TRAIN.replace("train photos", "train photos/parted.csv --epochs 3 --in-memory off --save-every 3");
    let ran = bench.run(&format!("{words} --name whole")).ok();
    assert!(ran.stdout.contains("63 images to learn from, 15 to choose the best by, 12 to test on"), "{}", ran.stdout);
    assert!(fs::read_to_string(bench.path("runs/whole/config.toml")).unwrap().contains("val = \"own\""));
    bench.run(&format!("{words} --name parts --max-steps 10")).ok();
    let table = bench.path("photos/parted.csv");
    let text = fs::read_to_string(&table).unwrap();
    fs::write(&table, text.replacen("fox/20.jpg,fox", "fox/20.jpg,dog", 1)).unwrap();
    bench.run("train --resume runs/parts").refused("these are not the images and labels of fingerprint");
    // In another order it is the same set.
    let (head, rows) = text.split_once('\n').unwrap();
    let mut rows: Vec<&str> = rows.lines().collect();
    rows.sort_unstable();
    fs::write(&table, format!("{head}\n{}\n", rows.join("\n"))).unwrap();
    bench.run("train --resume runs/parts").ok();
    for file in ["last.safetensors", "best.safetensors", "config.toml", "test.csv"] {
        assert!(bench.bytes(&format!("runs/whole/{file}")) == bench.bytes(&format!("runs/parts/{file}")), "{file}");
    }
    assert_eq!(bench.log("runs/whole"), bench.log("runs/parts"));
    // Other pictures of the same classes are measured whole.
    with_table(&bench, "more.csv", None);
    let measured = bench.run("eval --checkpoint runs/whole --data photos/more.csv --device cpu --json").json();
    assert_eq!((&measured["images"], &measured["data"]), (&90.into(), &"more.csv".into()));
}

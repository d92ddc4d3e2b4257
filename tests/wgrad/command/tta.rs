//! The mean over an image and its mirror image.

use super::pictures::{TRAIN, encoded, picture, with_photos};
use image::{ImageFormat, imageops};
use serde_json::Value;
use std::fs;

#[test]
fn both_views_decide_at_the_end_of_a_run_in_eval_and_in_predict() {
    let bench = with_photos();
    bench.run(&format!("{TRAIN} --epochs 3 --augment none --tta flip --name a")).ok();
    let best = bench.log("runs/a").last().unwrap()["test"]["best"].clone();
    let eval = |flags: &str| bench.run(&format!("eval --checkpoint runs/a --device cpu --json {flags}")).json();
    let (both, one) = (eval("--tta flip"), eval(""));
    assert_eq!((&both["accuracy"], &both["loss"]), (&best["accuracy"], &best["loss"]));
    assert_ne!(both["loss"], one["loss"]);
    // Every row of the table is of both views.
    eval("--tta flip --per-image rows.csv");
    assert_eq!(bench.bytes("rows.csv"), bench.bytes("runs/a/test.csv"));

    // A picture and its mirror image are then the same.
    let fresh = picture(1, 77, [32, 32]);
    fs::write(bench.path("turned.png"), encoded(imageops::flip_horizontal(&fresh), ImageFormat::Png)).unwrap();
    fs::write(bench.path("fresh.png"), encoded(fresh, ImageFormat::Png)).unwrap();
    let named = |flags: &str| {
        let found = bench.run(&format!("predict fresh.png turned.png --checkpoint runs/a --device cpu --json {flags}")).json();
        [0, 1].map(|i| found["predictions"][i]["classes"].clone())
    };
    let [fresh, turned]: [Value; 2] = named("--tta flip");
    assert_eq!(fresh, turned);
    let [fresh, turned] = named("");
    assert_ne!(fresh, turned);
    bench.run("train --data data --model autoencoder --device cpu --tta flip").refused("--tta: this model tells no classes");
}

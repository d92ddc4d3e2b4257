//! Tables of pictures that name what is not there, or not what they should.

use super::{Refusals, Tally};
use crate::command::support::Bench;
use std::fs;

/// A table beside `a.png`, `b.png`, and what its line says besides its name.
const TABLES: &[(&str, &str)] = &[
    ("path\na.png\n", "line 1: a first row with the columns path and label is wanted"),
    ("a.png,cat\nb.png,dog\n", "line 1: a first row with the columns path and label is wanted"),
    ("path,label\n", "it names no picture to learn from"),
    ("path,label\na.png,cat\nb.png,cat\n", "there is one class here (cat)"),
    ("path,label\na.png,cat\nc.png,dog\n", "line 3: there is no file c.png"),
    ("path,label\na.png,cat\n.,dog\n", "line 3: the path is empty"),
    ("path,label\na.png,cat\ndata,dog\n", "line 3: there is no file data"),
    ("path,label\na.png,cat\nb.png,\n", "line 3: the label of b.png is empty"),
    ("path,label\na.png,cat\n./a.png,dog\n", "line 3: a.png stands in line 2 already"),
    ("path,label\na.png,cat\nb.png,CAT\n", "line 3: the label CAT is cat of line 2 but for capitals"),
    ("path,label\na.png,cat\nb.png,dog,fox\n", "line 3: 3 cells, and the first row has 2"),
    ("path,label\na.png,cat\n\"b.png,dog\n", "line 3: 1 cells, and the first row has 2"),
    ("path,label,split\na.png,cat,train\nb.png,dog,\n", "line 3: the split is \"\""),
    ("path,label,split\na.png,cat,train\nb.png,dog,test\n", "line 3: no picture to learn from has the label dog"),
    ("path,label\na.png,cat\nno.png,dog\n", "no.png: this is not a PNG"),
    ("path,label\na.png,cat|in\nb.png,dog\n", "line 2: a.png has several labels (cat|in): call the column labels"),
    ("path,labels\na.png,cat|\nb.png,dog\n", "line 2: the label of a.png is empty"),
    ("path,label\na.png,c\u{1b}[2Jat\nc.png,dog\n", "line 3: there is no file c.png"),
];

pub fn all(tally: &mut Tally) {
    let bench = Bench::new();
    ["a.png", "b.png"].iter().for_each(|name| image::RgbImage::new(4, 4).save(bench.path(name)).unwrap());
    fs::write(bench.path("no.png"), "text").unwrap();
    for (number, (text, _)) in TABLES.iter().enumerate() {
        fs::write(bench.path(&format!("{number}.csv")), text).unwrap();
    }
    fs::write(bench.path("right.csv"), "path,label\na.png,cat\nb.png,dog\n").unwrap();
    fs::write(bench.path("several.csv"), "path,labels\na.png,cat|in\nb.png,dog\n").unwrap();
    // The control: what is right is not refused.
    bench.run("data info right.csv").ok();
    bench.run("data info several.csv").ok();
    let mut refusals = Refusals::new(bench, tally);
    for (number, (_, wanted)) in TABLES.iter().enumerate() {
        let name = if wanted.starts_with("no.png") { "no.png".to_owned() } else { format!("{number}.csv") };
        refusals.refused(&format!("train {number}.csv --device cpu"), &[&name, wanted]);
    }
    refusals.refused("data info 0.csv", &["0.csv line 1"]);
    refusals.refused("train right.csv --device cpu --batch-size 3", &["--batch-size 3"]);
    refusals.refused("train right.csv --device cpu --val own", &["--val own"]);
    refusals.refused("train right.csv --data right.csv", &["--data"]);
    for flag in ["--augment mixup", "--augment cutmix", "--label-smoothing 0.1", "--tta flip", "--sampler weighted"] {
        let (name, _) = flag.split_once(' ').unwrap();
        refusals.refused(&format!("train several.csv --device cpu {flag}"), &[name, "several labels", "several.csv"]);
    }
}

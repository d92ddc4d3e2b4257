//! The studies of `examples/`: each runs on both devices in its shortest form, holds its own checks and writes what it says, and each
//! has its section in `docs/studies.md`.

use crate::common::list::{self, STUDIES};
use crate::common::{Axes, Grid, Series, Study, Tile, row};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use wgrad::proof;

/// The folder of the studies' programs, built once for all tests and as `scripts/test` builds them.
fn programs() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| list::build(STUDIES).unwrap())
}

/// Runs a study with `--quick`; what it wrote.
#[track_caller]
fn run(name: &str, device: &str, out: &Path) -> Vec<PathBuf> {
    let mut program = list::program(programs(), name);
    let output = program.args(["--quick", "--device", device, "--out"]).arg(out).output().unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "{name} on {device}: {said}");
    assert!(said.contains("ok  "), "{name} on {device} checked nothing: {said}");
    let wide: Vec<&str> = said.lines().filter(|line| line.starts_with("  ") && line.chars().count() > 80).collect();
    assert!(wide.is_empty(), "{name}: tables wider than 80 columns: {wide:?}");
    fs::read_dir(out.join(name)).unwrap().map(|file| file.unwrap().path()).collect()
}

/// A page, a table and a picture, and nothing in them that is not a number but was to be drawn.
fn is_complete(name: &str, files: &[PathBuf]) {
    let contents = |extension: &str| -> Vec<String> {
        let found = files.iter().filter(|path| path.extension().is_some_and(|e| e == extension));
        found.map(|path| fs::read_to_string(path).unwrap()).collect()
    };
    let [pages, tables, pictures] = ["html", "csv", "svg"].map(contents);
    assert!(pages.len() == 1 && !tables.is_empty() && !pictures.is_empty(), "{name} wrote {files:?}");
    assert!(tables.iter().all(|table| table.lines().count() > 1), "{name} has an empty table");
    for picture in pictures {
        assert!(picture.starts_with("<svg") && picture.trim_end().ends_with("</svg>"), "{name}: {picture:.80}");
        assert!(!picture.contains("NaN"), "{name} draws NaN");
    }
}

/// All of them; where `WGRAD_QUICK_STUDIES` is set, those that it names for the device, as `gpu:bn_drop,cnn`: whoever sets it runs a
/// longer form of the others.
fn asked_for(device: &str) -> Vec<&'static str> {
    let Ok(asked) = std::env::var("WGRAD_QUICK_STUDIES") else { return STUDIES.to_vec() };
    let lists = asked.split_whitespace().filter_map(|list| list.split_once(':'));
    let names: Vec<&str> = lists.filter(|(of, _)| *of == device).flat_map(|(_, names)| names.split(',')).collect();
    assert!(names.iter().all(|name| STUDIES.contains(name)), "WGRAD_QUICK_STUDIES names what is no study: {asked}");
    STUDIES.iter().copied().filter(|name| names.contains(name)).collect()
}

fn succeed_on(device: &str) {
    let out = tempfile::tempdir().unwrap();
    for name in asked_for(device) {
        is_complete(name, &run(name, device, out.path()));
    }
}

#[test]
fn the_studies_succeed_on_the_cpu() {
    succeed_on("cpu");
}

#[test]
fn the_studies_succeed_on_a_gpu() {
    if proof::gpu().is_some() {
        succeed_on("gpu");
    }
}

#[test]
fn a_study_is_listed_and_has_its_section_with_a_short_snippet_and_a_picture() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in fs::read_dir(root.join("examples")).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() {
            continue; // what the studies share, and their parts
        }
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let is_study = fs::read_to_string(&path).unwrap().contains("Study::begin(");
        let is_listed = STUDIES.contains(&name.as_str());
        assert_eq!(is_study, is_listed, "{name}: a study is in examples/common/list.rs, and nothing else is");
    }
    let docs = fs::read_to_string(root.join("docs/studies.md")).unwrap();
    for name in STUDIES {
        let section = docs.split("\n## ").find(|s| s.lines().next().is_some_and(|head| head.ends_with(&format!("(`{name}`)"))));
        let section = section.unwrap_or_else(|| panic!("docs/studies.md has no section that ends in (`{name}`)"));
        let snippet = section.split("```rust\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap_or_default();
        let shown = snippet.lines().filter(|line| !line.starts_with("# ")).count();
        assert!((1..=15).contains(&shown), "{name}: a snippet of {shown} lines");
        let picture = section.split("](studies/").nth(1).and_then(|rest| rest.split(')').next());
        let picture = picture.unwrap_or_else(|| panic!("{name}: no picture of docs/studies/ in its section"));
        assert!(root.join("docs/studies").join(picture).is_file(), "docs/studies/{picture} is not there");
    }
}

/// A study of this test's, which runs on the CPU and writes into `out`.
fn study(out: &Path) -> Study {
    let args = ["study", "--device", "cpu", "--out", out.to_str().unwrap()];
    Study::with_args("parts", "What do the parts do?", args).unwrap()
}

#[test]
fn a_check_that_does_not_hold_fails_the_study_and_stands_on_its_page() {
    let out = tempfile::tempdir().unwrap();
    let wrong: &[(&str, fn(&mut Study))] = &[
        ("too far", |s| s.check("too far", 1.0, 1.1, 0.05)),
        ("not a number", |s| s.check("not a number", f64::NAN, 1.0, 1e9)),
        ("one of two", |s| s.check_all("one of two", &[1.0f32, 2.0], &[1.0f64, 3.0], 0.5)),
        ("too few", |s| s.check_all("too few", &[1.0f32], &[1.0f64, 1.0], 0.5)),
        ("not between", |s| s.check_between("not between", f64::NAN, 0.0, 1.0)),
    ];
    for (what, check) in wrong {
        let mut study = study(out.path());
        study.check_all("this holds", &[1.0f32, f32::INFINITY], &[1.0f64, f64::INFINITY], 0.0);
        check(&mut study);
        let error = study.finish().unwrap_err().to_string();
        assert_eq!(error, format!("1 of 2 checks failed: {what}"));
        let page = fs::read_to_string(out.path().join("parts/index.html")).unwrap();
        assert!(page.contains(&format!("failed: {what}")), "{page}");
    }
}

#[test]
fn tables_are_aligned_in_80_columns_and_complete_as_csv() {
    let out = tempfile::tempdir().unwrap();
    let mut study = study(out.path());
    let columns = ["layer, with a comma", "parameters", "time of a step (ms)"];
    study.table("Times", &columns, vec![row!["the \"first\"", 311_684, 0.1f32], row!["second", -2, 1.0 / 3.0]]);
    study.finish().unwrap();
    let csv = fs::read_to_string(out.path().join("parts/times.csv")).unwrap();
    let want =
        "\"layer, with a comma\",parameters,time of a step (ms)\n\"the \"\"first\"\"\",311684,0.1\nsecond,-2,0.3333333333333333\n";
    assert_eq!(csv, want);
    let wide: Vec<&str> = vec!["head of four words"; 10];
    let shown = crate::common::table::aligned("Wide", &wide, &[(0..10).map(|i| (1.0 / f64::from(i + 3)).into()).collect()]);
    assert!(shown.lines().all(|line| line.chars().count() <= 80) && shown.contains(" 0.3333 "), "{shown}");
}

#[test]
fn numbers_are_rounded_and_not_cut() {
    use crate::common::table::{digits, exactly};
    let cases: &[(f64, usize, &str)] = &[
        (0.0, 6, "0"),
        (1.0 / 3.0, 6, "0.333333"),
        (9.99999999, 6, "10"),
        (1234.5678, 6, "1234.57"),
        (0.00012345678, 3, "0.000123"),
        (0.000012345678, 3, "1.23e-5"),
        (-2e9, 6, "-2e9"),
        (100.0, 3, "100"),
        (f64::NAN, 3, "NaN"),
    ];
    for &(x, count, want) in cases {
        assert_eq!(digits(x, count), want, "{x} with {count} digits");
    }
    assert_eq!([exactly(30_211_571_712.0), exactly(-1234.0), exactly(0.5)], ["30,211,571,712", "-1,234", "0.5"]);
}

/// The numbers of an attribute such as ` cx="12"`.
fn attribute(svg: &str, name: &str) -> Vec<i32> {
    svg.split(&format!(" {name}=\"")).skip(1).map(|rest| rest.split('"').next().unwrap().parse().unwrap()).collect()
}

#[test]
fn pictures_leave_out_what_cannot_be_drawn() {
    let out = tempfile::tempdir().unwrap();
    let mut study = study(out.path());
    let points = [[1.0, 1.0], [2.0, f64::NAN], [3.0, -1.0], [4.0, f64::INFINITY], [5.0, 100.0], [6.0, 10.0]];
    let both = [Series::line("line", points), Series::dots("dots", points), Series::curve("curve", points)];
    study.plot(Axes::new("Linear", "x", "y"), &both);
    study.plot(Axes::new("Logarithmic", "x", "y").log_y(), &both);
    study.plot(Axes::new("Cut", "x", "y").x_range(0.0, 7.0).y_range(0.0, 20.0), &[Series::dots("dots", points)]);
    study.plot(Axes::new("Empty", "x", "y").equal(), &[Series::line("nothing", [])]);
    study.histogram(Axes::new("Histogram", "x", "count"), 4, &[("a", &[0.0, 1.0, 1.0, f64::NAN, 4.0]), ("b", &[2.0])]);
    study.bars(Axes::new("Bars", "x", "y"), &["first", "second"], &[("a", &[1.0, f64::NAN]), ("b", &[-1.0, 2.0])]);
    study.grids("Grids", &[Grid::new("signed", 2, &[-1.0, f64::NAN, 2.0, 0.0]), Grid::new("one", 1, &[3.0]).numbered()]);
    let flat = Tile::of_planes(2, &[1.0; 12]);
    study.tiles("Tiles", &[Tile::of_planes(2, &[f32::NAN, 0.0, 1.0, f32::INFINITY, 2.0, 2.0]), flat], 4);
    study.finish().unwrap();
    let read = |name: &str| fs::read_to_string(out.path().join("parts").join(name)).unwrap();
    for name in ["linear", "logarithmic", "cut", "empty", "histogram", "bars", "grids", "tiles"] {
        let svg = read(&format!("{name}.svg"));
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{name}: {svg}");
        let inside = |low: i32, high: i32, name: &str| attribute(&svg, name).iter().all(|v| (low..=high).contains(v));
        assert!(inside(0, 1440, "cx") && inside(0, 900, "cy") && inside(0, 1440, "x"), "{name} draws beyond its paper");
    }
    // Four of the six points have a place on linear axes; two of those lie within the range that was asked for.
    let marks = |name: &str| attribute(&read(name), "r").len();
    assert_eq!(marks("cut.svg"), 2 * 2, "a mark, and the paper around it");
}

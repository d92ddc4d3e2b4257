//! A person's own pictures, from class folders to a prediction.

use super::support::{Bench, Ran};
use crate::export::runtime::{Runtime, fault};
use gpu_core::rng::Stream;
use gpu_core::{Device, Tensor};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use nn::Var;
use serde_json::Value;
use std::fs;
use std::io::Cursor;
use train::data::ImageSet;
use train::model::Trained;
use train::predict::{Predictor, read_image};

const CLASSES: [&str; 3] = ["cat", "dog", "fox"];
const NETWORK: &str = r#"{"input": [3, 32, 32], "layers": [
    {"type": "conv2d", "out": 8, "kernel": 3, "stride": 2, "padding": 1}, {"type": "relu"}, {"type": "max_pool2d", "kernel": 4},
    {"type": "flatten"}, {"type": "linear", "out": 3}]}"#;

/// Noise; the colour of its upper half tells the class, and nothing does in the lower one.
pub fn picture(class: usize, number: u64, [width, height]: [u32; 2]) -> RgbImage {
    let noise = Stream::new(number, class as u32, 0);
    RgbImage::from_fn(width, height, |x, y| {
        let words = noise.block(y * width + x);
        let light = |c: usize| if y < height / 2 && c == class { 150 } else { 20 };
        Rgb([0, 1, 2].map(|c| (words[c] % 90) as u8 + light(c)))
    })
}

pub fn encoded(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A JPEG with the EXIF segment of an orientation behind its first marker.
fn turned(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let tiff = [&b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0"[..], &[orientation, 0, 0, 0, 0, 0, 0]].concat();
    let segment = [&b"Exif\0\0"[..], &tiff].concat();
    let length = (segment.len() as u16 + 2).to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, &segment, &jpeg[2..]].concat()
}

/// Thirty pictures of each class in odd sizes, PNG and JPEG by turns, a grey one and one that was held sideways among them.
pub fn with_photos() -> Bench {
    let bench = Bench::new();
    fs::write(bench.path("tiny.json"), NETWORK).unwrap();
    for (class, name) in CLASSES.iter().enumerate() {
        fs::create_dir_all(bench.path("photos").join(name)).unwrap();
        for number in 0..30u64 {
            let picture = picture(class, number, [21 + number as u32 * 3, 64 - number as u32]);
            let (bytes, ending) = match number {
                3 => (encoded(DynamicImage::from(picture).to_luma8(), ImageFormat::Png), "png"),
                // A quarter turn to the right brings it upright again.
                4 => (turned(&encoded(image::imageops::rotate270(&picture), ImageFormat::Jpeg), 6), "jpg"),
                n if n % 2 == 0 => (encoded(picture, ImageFormat::Jpeg), "jpg"),
                _ => (encoded(picture, ImageFormat::Png), "png"),
            };
            fs::write(bench.path("photos").join(name).join(format!("{number}.{ending}")), bytes).unwrap();
        }
    }
    bench
}

pub const TRAIN: &str = "train photos --model tiny.json --batch-size 8 --device cpu --lr 0.02";

fn said(ran: &Ran, words: &str) {
    assert!(ran.stdout.contains(words) || ran.stderr.contains(words), "\"{words}\": {}{}", ran.stdout, ran.stderr);
}

#[test]
fn a_folder_of_pictures_is_trained_on_measured_and_predicted() {
    let bench = with_photos();
    let cut = encoded(picture(0, 99, [64, 64]), ImageFormat::Jpeg);
    fs::write(bench.path("photos/cat/broken.jpg"), &cut[..cut.len() / 2]).unwrap();
    bench
        .run(&format!("{TRAIN} --name refused"))
        .refused("photos/cat/broken.jpg: this JPEG image was cut short; fetch it again (--skip-bad");
    assert!(!bench.path("runs").exists());

    let ran = bench.run(&format!("{TRAIN} --epochs 12 --skip-bad --name a")).ok();
    // 90 less a tenth, and another.
    said(&ran, "72 images to learn from, 9 to choose the best by, 9 to test on");
    said(&ran, "1 of 91 pictures cannot be read and were left out (--skip-bad):");
    said(&ran, "photos/cat/broken.jpg: this JPEG image was cut short");
    ran.stdout.lines().chain(ran.stderr.lines()).for_each(|line| assert!(line.chars().count() <= 80, "{line}"));
    let config = fs::read_to_string(bench.path("runs/a/config.toml")).unwrap();
    for line in
        ["image-size = 32", "fit = \"stretch\"", "background = \"white\"", "test = 0.1", "val = 9", "augment = \"flip,crop\""]
    {
        assert!(config.contains(line), "{line}: {config}");
    }
    let measured = bench.run("eval --checkpoint runs/a --device cpu --json").json();
    assert_eq!(measured["images"], 9);
    assert!(measured["accuracy"].as_f64().unwrap() > 0.85, "{measured}");
    let log = bench.log("runs/a");
    let best = log.last().unwrap()["test"]["best"].clone();
    assert_eq!((&measured["accuracy"], &measured["loss"]), (&best["accuracy"], &best["loss"]));

    // Pictures of the network's own size are what it sees, and one that was held sideways is turned first.
    let trained = Trained::read(&bench.path("runs/a/best.safetensors"), &Device::Cpu).unwrap();
    let fresh = picture(2, 77, [32, 32]);
    let jpeg = encoded(image::imageops::rotate270(&fresh), ImageFormat::Jpeg);
    let upright = image::imageops::rotate90(&image::load_from_memory(&jpeg).unwrap().to_rgb8());
    for (name, bytes, seen) in
        [("fresh.png", encoded(fresh.clone(), ImageFormat::Png), fresh), ("held.jpg", turned(&jpeg, 6), upright)]
    {
        fs::write(bench.path(name), bytes).unwrap();
        let planes = (0..3).flat_map(|c| seen.pixels().map(move |pixel| pixel.0[c])).collect();
        let (predictor, seen) = (Predictor::new(&trained, &Device::Cpu, 1).unwrap(), ImageSet::new(planes, vec![0], [3, 32, 32]));
        let want = predictor.guesses(&[&seen], 3).unwrap().remove(0);
        let found = bench.run(&format!("predict {name} --checkpoint runs/a --device cpu --json")).json();
        assert_eq!(found["predictions"][0]["classes"], serde_json::to_value(&want).unwrap(), "{name}");
        assert_eq!(want[0].class, "fox");
    }
    the_run_can_be_looked_at_and_taken_away(&bench, &trained);
}

/// Its page is there, and ONNX Runtime names every picture of the folder as `predict` does.
fn the_run_can_be_looked_at_and_taken_away(bench: &Bench, trained: &Trained) {
    assert!(fs::read_to_string(bench.path("runs/a/report.html")).unwrap().contains("fox"));
    bench.run("export runs/a --onnx away.onnx").ok();
    let named = bench.run("predict photos --checkpoint runs/a --device cpu --jsonl --top 1");
    assert_eq!(named.code, Some(1), "one cannot be read");
    let rows: Vec<Value> = named.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (unread, named): (Vec<&Value>, Vec<&Value>) = rows.iter().partition(|row| row["error"].is_string());
    assert_eq!((unread.len(), named.len()), (1, 90));
    let Some(mut runtime) = Runtime::start() else { return };
    let Trained { description, net, .. } = trained;
    let bytes = named.iter().flat_map(|row| {
        let picture = read_image(&bench.path(row["image"].as_str().unwrap()), description).unwrap();
        picture.image(0).to_vec()
    });
    let pixels: Vec<f32> = bytes.map(|byte| f32::from(byte) / 255.0).collect();
    let [x, mean, std] = [(&pixels, [90, 3, 32, 32]), (&description.mean, [1, 3, 1, 1]), (&description.std, [1, 3, 1, 1])]
        .map(|(values, shape)| Tensor::from_slice(&Device::Cpu, shape, values));
    let logits = net.forward(&Var::constant(&((&x - &mean) / &std))).value().clone();
    let answer = runtime.ask(&bench.path("away.onnx"), &x, &logits);
    assert_eq!(fault(&answer), None);
    let labels: Vec<&Value> = named.iter().map(|row| &row["classes"][0]["label"]).collect();
    assert_eq!(answer["classes"].as_array().unwrap().iter().collect::<Vec<_>>(), labels);
}

/// In mid-epoch, from the pictures as they lie there; a picture that changed is noticed.
#[test]
fn a_run_on_pictures_resumes_to_the_same_bytes() {
    let bench = with_photos();
    let words = format!("{TRAIN} --epochs 3 --fit crop --background black --image-size 32 --patience 3 --name");
    bench.run(&format!("{words} whole")).ok();
    bench.run(&format!("{words} parts --max-steps 5")).ok();
    let whole = bench.path("photos/dog/1.png");
    let bytes = fs::read(&whole).unwrap();
    fs::write(&whole, encoded(picture(2, 1, [24, 63]), ImageFormat::Png)).unwrap();
    bench.run("train --resume runs/parts").refused("these are not the images and labels of fingerprint");
    fs::write(&whole, bytes).unwrap();
    bench.run("train --resume runs/parts").ok();
    for file in ["last.safetensors", "best.safetensors", "config.toml"] {
        assert!(bench.bytes(&format!("runs/whole/{file}")) == bench.bytes(&format!("runs/parts/{file}")), "{file}");
    }
    assert_eq!(bench.log("runs/whole"), bench.log("runs/parts"));
    // What a network was taught on a crop, on black, is what it is shown.
    let trained = Trained::read(&bench.path("runs/whole/last.safetensors"), &Device::Cpu).unwrap();
    assert_eq!(serde_json::to_string(&trained.description.reading).unwrap(), r#"{"fit":"crop","background":"black"}"#);
}

#[test]
fn a_run_from_the_cache_has_the_bytes_of_one_that_decoded() {
    let bench = with_photos();
    bench.run(&format!("{TRAIN} --max-steps 4 --name plain")).ok();
    for name in ["first", "second"] {
        let ran = bench.run(&format!("{TRAIN} --max-steps 4 --cache kept --name {name}")).ok();
        assert_eq!(ran.stderr.contains("cache: kept/pictures-"), name == "first", "written once: {}", ran.stderr);
        assert!(bench.bytes(&format!("runs/{name}/last.safetensors")) == bench.bytes("runs/plain/last.safetensors"), "{name}");
    }
    bench.run("train --resume runs/second").ok();
    bench.run("train --resume runs/plain").ok();
    assert!(bench.bytes("runs/second/last.safetensors") == bench.bytes("runs/plain/last.safetensors"));
    assert_eq!(fs::read_dir(bench.path("kept")).unwrap().count(), 1);
}

#[test]
fn a_folder_of_pictures_is_looked_at_before_it_is_learned_from() {
    let bench = with_photos();
    fs::write(bench.path("photos/dog/text.jpg"), "no picture").unwrap();
    fs::write(bench.path("photos/fox/empty.png"), "").unwrap();
    // Every picture of one class under another name: some of the pairs are parted.
    for entry in fs::read_dir(bench.path("photos/cat")).unwrap().map(|entry| entry.unwrap().path()) {
        fs::copy(&entry, entry.with_file_name(format!("copy-{}", entry.file_name().unwrap().to_str().unwrap()))).unwrap();
    }
    let found = bench.run("data info photos --json").json();
    let counts = |class: usize| ["train", "val", "test"].map(|split| found["classes"][class][split].as_u64().unwrap());
    assert_eq!((counts(0).iter().sum::<u64>(), counts(1).iter().sum::<u64>()), (60, 30));
    assert_eq!(found["unreadable"].as_array().unwrap().len(), 2, "{found}");
    let across = found["same_across_splits"].as_array().unwrap();
    assert!(!across.is_empty() && across.len() as u64 + found["same_within_splits"].as_u64().unwrap() == 30, "{found}");
    for pair in across {
        let [a, b] = [0, 1].map(|i| pair[i]["image"].as_str().unwrap().replace("copy-", ""));
        assert!(a == b && pair[0]["split"] != pair[1]["split"], "{pair}");
    }
    let text = bench.run("data info photos").ok().stdout;
    assert!(
        text.contains("files that cannot be read: 2\n  photos/dog/text.jpg: ") && text.contains("photos/fox/empty.png"),
        "{text}"
    );
    assert!(text.lines().filter(|line| !line.starts_with("  ")).all(|line| line.chars().count() <= 80), "{text}");
    // Counted as training parts it, and every other kind of set too.
    let ran = bench.run(&format!("{TRAIN} --skip-bad --max-steps 1 --json")).json();
    assert_eq!(ran["data"], found["data"]);
    assert_eq!(
        bench.run("data info data --json").json()["classes"][0],
        serde_json::json!({"class": "class 0", "train": 22, "val": 3, "test": 11})
    );

    let shown = |words: &str| {
        let said = bench.run(&format!("data show photos --image-size 16 --out sheet.png --json {words}")).json();
        (said, image::open(bench.path("sheet.png")).unwrap().to_rgb8())
    };
    let (said, sheet) = shown("--images 9 --augment none");
    assert_eq!((said["images"].as_u64(), sheet.dimensions()), (Some(9), (3 * 18 - 2, 3 * 18 - 2)));
    // The upper half is brightest in the colour of the class.
    for (i, class) in said["classes"].as_array().unwrap().iter().enumerate() {
        let label = CLASSES.iter().position(|name| class == name).unwrap();
        let sum = |c: usize| {
            (0..64).map(|p| u32::from(sheet.get_pixel(i as u32 % 3 * 18 + p % 16, i as u32 / 3 * 18 + p / 16).0[c])).sum::<u32>()
        };
        let sums = [0, 1, 2].map(sum);
        let is_grey = sums[0].abs_diff(sums[1]) < 64 && sums[0].abs_diff(sums[2]) < 64;
        assert!(is_grey || (0..3).all(|c| sums[c] <= sums[label]), "{i} {class}: {sums:?}");
    }
    assert_ne!(shown("--images 9").1, sheet, "flipped and shifted");
    bench.run("data show photos --out no/such/sheet.png").refused("--out no/such/sheet.png");
    bench.run("data info nowhere").refused("nowhere is not a directory");
}

#[test]
fn folders_of_splits_are_used_as_they_are_and_another_folder_is_measured_whole() {
    let bench = with_photos();
    for (split, from) in [("train", 0..16), ("val", 16..20), ("test", 20..26), ("", 26..30)] {
        for (name, number) in CLASSES.iter().flat_map(|name| from.clone().map(move |number| (name, number))) {
            let ending = if number % 2 == 0 || number == 4 { "jpg" } else { "png" };
            let (base, split) = if split.is_empty() { ("more", "") } else { ("parted", split) };
            let folder = bench.path(base).join(split).join(name);
            fs::create_dir_all(&folder).unwrap();
            fs::copy(bench.path(&format!("photos/{name}/{number}.{ending}")), folder.join(format!("{number}.{ending}"))).unwrap();
        }
    }
    let train = TRAIN.replace("train photos", "train");
    let ran = bench.run(&format!("{train} --data parted --epochs 2 --name a")).ok();
    said(&ran, "48 images to learn from, 12 to choose the best by, 18 to test on");
    assert!(fs::read_to_string(bench.path("runs/a/config.toml")).unwrap().contains("val = \"own\""));
    let ran = bench.run("eval --checkpoint runs/a --data more --device cpu").ok();
    said(&ran, "more has no test images: all its pictures are measured on");
    said(&ran, "over 12 test images");
    for (split, images) in [("train", 48), ("val", 12), ("test", 18)] {
        let measured = bench.run(&format!("eval --checkpoint runs/a --split {split} --device cpu --json")).json();
        assert_eq!(measured["images"], images, "{split}");
    }
    bench
        .run(&format!("{train} --data parted --test 0.1"))
        .refused("--test is for pictures without test images; parted has some of its own");
    fs::rename(bench.path("more/fox"), bench.path("more/wolf")).unwrap();
    bench.run("eval --checkpoint runs/a --data more --device cpu").refused("the classes of more are cat, dog, wolf");
    // A list that takes another size says which one is wanted.
    bench.run(&format!("{train} --data parted --image-size 48")).refused("takes images of [3, 32, 32]");
}

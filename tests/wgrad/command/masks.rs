//! Pictures with masks: trained on, measured class by class, and told pixel by pixel.

use super::pictures::encoded;
use super::support::Bench;
use crate::export::runtime::{Runtime, fault};
use gpu_core::rng::Stream;
use gpu_core::{Device, Tensor};
use image::{GrayImage, ImageFormat, Luma, Rgb, RgbImage};
use nn::Var;
use serde_json::Value;
use std::fs;
use train::model::Trained;
use train::predict::read_image;

/// A U-Net of one halving.
const NETWORK: &str = r#"{"input": [3, 32, 32], "layers": [
    {"type": "conv2d", "out": 8, "kernel": 3, "padding": 1, "bias": false}, {"type": "batch_norm"}, {"type": "relu"},
    {"type": "concat", "branches": [[], [{"type": "max_pool2d", "kernel": 2},
        {"type": "conv2d", "out": 16, "kernel": 3, "padding": 1, "bias": false}, {"type": "batch_norm"}, {"type": "relu"},
        {"type": "conv_transpose2d", "out": 8, "kernel": 2, "stride": 2}]]},
    {"type": "conv2d", "out": 8, "kernel": 3, "padding": 1, "bias": false}, {"type": "batch_norm"}, {"type": "relu"},
    {"type": "conv2d", "out": 3, "kernel": 1}]}"#;

const SIDE: u32 = 32;
const PAIRS: u64 = 40;
/// What a network that has learned is above, and none that says the same of every pixel can be: of three classes it has the IoU of one.
const LEARNED: f64 = 0.6;

/// The class of a pixel: nothing, a disc or a square.
fn class(number: u64, x: u32, y: u32) -> u8 {
    let places = Stream::new(number, 1, 0);
    let at = |k: u64| 9.0 + 14.0 * places.uniform(k);
    let (dx, dy, size) = ((x as f32 - at(0)).abs(), (y as f32 - at(1)).abs(), 5.0 + 3.0 * places.uniform(2));
    let is_disc = number.is_multiple_of(2);
    let inside = if is_disc { dx.hypot(dy) < size } else { dx.max(dy) < size };
    if inside { 2 - u8::from(is_disc) } else { 0 }
}

/// Noise over which discs are a little redder and squares a little bluer: no pixel tells it by itself.
fn picture(number: u64) -> RgbImage {
    let noise = Stream::new(number, 2, 0);
    RgbImage::from_fn(SIDE, SIDE, |x, y| {
        let words = noise.block(y * SIDE + x);
        let of = class(number, x, y);
        Rgb([0, 1, 2].map(|c| 60 + (words[c] % 120) as u8 + if of > 0 && c == 2 * usize::from(of - 1) { 70 } else { 0 }))
    })
}

fn mask(number: u64) -> GrayImage {
    // The first column has no class.
    GrayImage::from_fn(SIDE, SIDE, |x, y| Luma([if x == 0 { 255 } else { class(number, x, y) }]))
}

/// Pictures in `folder`, the mask of each that of the one `further` on.
fn write(bench: &Bench, folder: &str, further: u64) {
    for side in ["images", "masks"] {
        fs::create_dir_all(bench.path(folder).join(side)).unwrap();
    }
    for number in 0..PAIRS {
        let path = |side: &str| bench.path(folder).join(side).join(format!("{number:02}.png"));
        fs::write(path("images"), encoded(picture(number), ImageFormat::Png)).unwrap();
        fs::write(path("masks"), encoded(mask((number + further) % PAIRS), ImageFormat::Png)).unwrap();
    }
    fs::write(bench.path(folder).join("classes.txt"), "ground\ndisc\nsquare\n").unwrap();
}

fn with_masks() -> Bench {
    let bench = Bench::new();
    write(&bench, "shapes", 0);
    fs::write(bench.path("tiny.json"), NETWORK).unwrap();
    bench
}

const TRAIN: &str = "train shapes --model tiny.json --image-size 32 --batch-size 4 --lr 0.05";

fn devices() -> Vec<&'static str> {
    if proof::gpu().is_some() { vec!["cpu", "gpu"] } else { vec!["cpu"] }
}

#[test]
fn masks_are_learned_on_every_device_and_those_of_other_pictures_are_not() {
    let bench = with_masks();
    write(&bench, "shuffled", 7);
    for device in devices() {
        let words = format!("--epochs 15 --device {device} --json");
        let learned = bench.run(&format!("{TRAIN} {words} --name {device}")).json();
        let mean_iou = |ran: &Value| ran["test_mean_iou"].as_f64().unwrap();
        assert!(mean_iou(&learned) > LEARNED, "{device}: {learned}");
        assert!(
            learned["test_accuracy"].as_f64().unwrap() > mean_iou(&learned) && learned["train_accuracy"].is_null(),
            "{learned}"
        );
        let control = bench.run(&format!("{} {words} --name not-{device}", TRAIN.replace("shapes", "shuffled"))).json();
        assert!(mean_iou(&control) < LEARNED - 0.1, "{device}: {control}");
    }
}

#[test]
fn a_run_on_masks_is_measured_by_class_shown_and_told_in_pictures() {
    let bench = with_masks();
    let ran = bench.run(&format!("{TRAIN} --epochs 15 --device cpu --name a --loss dice")).ok();
    assert!(ran.stdout.contains("32 images to learn from, 4 to choose the best by, 4 to test on"), "{}", ran.stdout);
    assert!(ran.stdout.contains("test mean IoU ") && ran.stdout.contains(", IoU "), "{}", ran.stdout);
    // Whole epochs alone compete, by the mean of the classes: the first one of the highest.
    let log = bench.log("runs/a");
    let ious: Vec<f64> = log.iter().filter_map(|line| line["val_mean_iou"].as_f64()).collect();
    let highest = ious.iter().copied().fold(0.0, f64::max);
    let best = &log.last().unwrap()["test"]["best"];
    assert_eq!(best["epoch"].as_u64(), ious.iter().position(|iou| *iou == highest).map(|at| at as u64 + 1));

    let measured = bench.run("eval --checkpoint runs/a --device cpu --json").json();
    for (one, other) in [("accuracy", "accuracy"), ("loss", "loss"), ("mean_iou", "mean_iou")] {
        assert_eq!(measured[one], best[other], "{measured}");
    }
    let classes = measured["classes"].as_array().unwrap();
    let ious: Vec<f64> = classes.iter().filter_map(|class| class["iou"].as_f64()).collect();
    assert!(
        ious.len() >= 2 && (ious.iter().sum::<f64>() / ious.len() as f64 - best["mean_iou"].as_f64().unwrap()).abs() < 1e-12,
        "{measured}"
    );
    let pixels: u64 = classes.iter().map(|class| class["pixels"].as_u64().unwrap()).sum();
    assert_eq!(pixels, 4 * 32 * 31, "those of the first column have no class");
    let table = bench.run("eval --checkpoint runs/a --device cpu").ok().stdout;
    assert!(table.contains("pixels right ") && table.contains("square") && table.contains("\nmean "), "{table}");
    assert!(String::from_utf8(bench.bytes("runs/a/test.csv")).unwrap().starts_with("class,pixels,predicted,both,iou\nground,"));

    let page = fs::read_to_string(bench.path("runs/a/report.html")).unwrap();
    assert!(page.contains(r#""by_pixel":[{"class":"ground","pixels":"#), "its table");
    let inspection: Value = serde_json::from_slice(&bench.bytes("runs/a/inspection.json")).unwrap();
    assert_eq!(inspection["masks"].as_array().map(Vec::len), Some(4), "image, mask and what was said");
    bench.run("report runs/a --out again.html").ok();

    let info = bench.run("data info shapes --json --image-size 32").json();
    let all =
        |class: usize| ["train", "val", "test"].map(|split| info["classes"][class][split].as_u64().unwrap()).iter().sum::<u64>();
    assert_eq!(([0, 1, 2].map(all).iter().sum::<u64>(), info["counted"].as_str()), (PAIRS * 32 * 31, Some("pixels")));
    bench.run("data show shapes --out sheet.png --augment flip,rotate").ok();
    assert_eq!(image::open(bench.path("sheet.png")).unwrap().to_rgb8().width(), 6 * 64 + 5 * 2);
    if proof::gpu().is_some() {
        bench.run("verify --device gpu --bisect runs/a/best.safetensors").ok();
    }
    predicted(&bench);
    exported(&bench);
}

/// A mask of the size of the picture, whose pixels are mostly those of the truth.
fn predicted(bench: &Bench) {
    let large = image::imageops::resize(&picture(3), 80, 48, image::imageops::FilterType::Triangle);
    fs::write(bench.path("new.jpg"), encoded(large, ImageFormat::Jpeg)).unwrap();
    fs::write(bench.path("broken.png"), "text").unwrap();
    let words = "predict new.jpg --checkpoint runs/a --device cpu --out found";
    let told = &bench.run(&format!("{words} --json")).json()["predictions"][0];
    assert_eq!(told["mask"].as_str().map(|mask| mask.replace('\\', "/")).as_deref(), Some("found/new.png"));
    let shares: Vec<f64> = told["classes"].as_array().unwrap().iter().map(|class| class["share"].as_f64().unwrap()).collect();
    assert!(shares.len() == 3 && (shares.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{told}");
    let file = fs::File::open(bench.path("found/new.png")).unwrap();
    let mut reader = png::Decoder::new(std::io::BufReader::new(file)).read_info().unwrap();
    let mut values = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut values).unwrap();
    assert_eq!((frame.width, frame.height, frame.color_type), (80, 48, png::ColorType::Indexed));
    let truth = |i: usize| class(3, (2 * (i as u32 % 80) + 1) * 32 / 160, (2 * (i as u32 / 80) + 1) * 32 / 96);
    let right = values.iter().enumerate().filter(|(i, value)| **value == truth(*i)).count();
    assert!(right > 80 * 48 * 85 / 100, "{right} of {}", 80 * 48);
    let share = values.iter().filter(|value| **value == 2).count() as f64 / (80.0 * 48.0);
    assert_eq!(share, shares[2]);
    // It is a mask that can be learned from, and lines and tables say the same.
    let text = bench.run(words).ok().stdout;
    assert!(text.starts_with("new.jpg: found") && text.contains(" %  square"), "{text}");
    let rows = bench.run(&format!("{words} --csv")).ok().stdout;
    assert!(rows.starts_with("image,mask,share(ground),share(disc),share(square),error\nnew.jpg,"), "{rows}");
    let some = bench.run(&words.replace("new.jpg", "new.jpg broken.png"));
    assert!(some.code == Some(1) && some.stdout.contains("error: broken.png"), "{}", some.stdout);
    bench.run(&words.replace("new.jpg", "broken.png")).refused("broken.png: ");
    bench.run(&words.replace("new.jpg", "new.jpg shapes/new.jpg")).refused("would both have the mask");
    bench
        .run(&format!("{} --out shapes/images", words.replace("new.jpg", "shapes/images/01.png").replace(" --out found", "")))
        .refused("--out shapes/images");
    bench.run(&format!("{words} --top 1")).refused("--top and --tta: not for tiny.json");
}

/// ONNX Runtime says the same of every pixel.
fn exported(bench: &Bench) {
    bench.run("export runs/a --onnx net.onnx").ok();
    let Some(mut runtime) = Runtime::start() else { return };
    let trained = Trained::read(&bench.path("runs/a/best.safetensors"), &Device::Cpu).unwrap();
    let image = read_image(&bench.path("shapes/images/05.png"), &trained.description).unwrap();
    let pixels = Tensor::from_slice(&Device::Cpu, [1, 3, 32, 32], &image.floats(&[0]));
    let of_channel = |values: &[f32]| Tensor::from_slice(&Device::Cpu, [1, 3, 1, 1], values);
    let x = &(&pixels - &of_channel(&trained.description.mean)) / &of_channel(&trained.description.std);
    let logits = nn::Module::forward(&trained.net, &Var::constant(&x)).value().clone();
    assert_eq!(fault(&runtime.ask(&bench.path("net.onnx"), &pixels, &logits)), None);
}

#[test]
fn a_run_on_masks_resumes_to_the_same_bytes_in_memory_and_off() {
    let bench = with_masks();
    for device in devices() {
        let words = format!("{TRAIN} --epochs 3 --device {device} --augment flip,rotate,affine,jitter --save-every 3 --name");
        bench.run(&format!("{words} whole-{device}")).ok();
        bench.run(&format!("{words} parts-{device} --in-memory off --max-steps 13")).ok();
        bench.run(&format!("train --resume runs/parts-{device}")).ok();
        for file in ["last.safetensors", "best.safetensors", "test.csv"] {
            let of = |run: &str| bench.bytes(&format!("runs/{run}-{device}/{file}"));
            assert!(of("whole") == of("parts"), "{device}: {file}");
        }
        assert_eq!(bench.log(&format!("runs/whole-{device}")), bench.log(&format!("runs/parts-{device}")));
        // The control: masks that stay where they are while pictures turn are not the same training.
        bench.run(&format!("{} other-{device}", words.replace("flip,rotate,affine,jitter", "flip,crop"))).ok();
        assert!(
            bench.bytes(&format!("runs/other-{device}/last.safetensors"))
                != bench.bytes(&format!("runs/whole-{device}/last.safetensors"))
        );
    }
    // A pixel of one mask is another set.
    let mut other = mask(5);
    other.put_pixel(9, 9, Luma([255]));
    fs::write(bench.path("shapes/masks/05.png"), encoded(other, ImageFormat::Png)).unwrap();
    bench.run("train --resume runs/whole-cpu --epochs 4").refused("these are not the images and labels of fingerprint");
}

#[test]
fn the_zoo_has_a_network_for_masks() {
    let bench = with_masks();
    let ran = bench.run("train shapes --model unet-small --image-size 32 --epochs 1 --max-steps 2 --device cpu --json").json();
    assert!(ran["val_mean_iou"].is_number() || ran["steps"] == 2, "{ran}");
}

#[test]
fn what_does_not_go_with_masks_is_refused_in_a_sentence() {
    let bench = with_masks();
    for (words, told) in [
        ("--augment mixup", "--augment mixup and cutmix: not where pictures have masks, as those of shapes"),
        ("--augment flip,cutmix", "--augment mixup and cutmix"),
        ("--augment cutout", "--augment cutout and erase"),
        ("--augment erase", "--augment cutout and erase"),
        ("--tta flip", "--tta: not where"),
        ("--sampler weighted", "--sampler weighted: not where"),
        ("--class-weights balanced", "--class-weights: not where"),
        ("--model small-cnn", "the masks want [3, 32, 32], a channel for each class: unet-small and unet"),
        ("--model unet-small --image-size 36", "unet-small: height and width are halved 3 times, 36x36 cannot be"),
    ] {
        let besides = |flag: &str, value: &str| if words.contains(flag) { String::new() } else { format!("{flag} {value}") };
        let (model, size) = (besides("--model", "tiny.json"), besides("--image-size", "32"));
        bench.run(&format!("train shapes --batch-size 4 --device cpu --max-steps 1 {model} {size} {words}")).refused(told);
    }
    bench.run("train --data data --model net.json --device cpu --loss dice").refused("--loss is for pictures with masks");
    assert!(!bench.path("runs").exists());
    fs::remove_file(bench.path("shapes/masks/17.png")).unwrap();
    bench.run(&format!("{TRAIN} --device cpu")).refused("shapes/images/17.png: it has no mask");
    let mut other = mask(0);
    other.put_pixel(9, 9, Luma([200]));
    fs::write(bench.path("shapes/masks/17.png"), encoded(other, ImageFormat::Png)).unwrap();
    bench
        .run(&format!("{TRAIN} --device cpu"))
        .refused("shapes/masks/17.png: it has the value 200, and classes.txt names the classes 0 to 2");
    fs::remove_file(bench.path("shapes/images/17.png")).unwrap();
    fs::remove_file(bench.path("shapes/masks/17.png")).unwrap();
    bench.run(&format!("{TRAIN} --device cpu --max-steps 2 --name a")).ok();
    bench.run("eval --checkpoint runs/a --device cpu --per-image table.csv").refused("tells classes of pixels, not of images");
    bench.run("eval --checkpoint runs/a --device cpu --tta flip").refused("tells classes of pixels, not of images");
}

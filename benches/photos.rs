//! Pictures off memory against pictures in memory: `WGRAD_PHOTOS=60000 cargo bench --bench photos`, on the CPU device.
//!
//! So many JPEG files of 64 x 64 are made once, below the target folder. Then, in turn: how many images a second a run trains on with its
//! pictures in memory, and with a cache that is filled, and the most memory that each of them has had; and how many a second it decodes in
//! its first epoch, against `DataLoader` of PyTorch with two workers, where `WGRAD_PYTHON` names a Python that has it. Without
//! `WGRAD_PHOTOS` it does nothing, for it takes half an hour.

use image::{DynamicImage, ImageFormat, RgbImage, imageops};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use train::data::{ImageSet, builtin};

const SIDE: u32 = 64;
const ROUNDS: usize = 7;
/// Decoding shows where nothing else takes time.
const LINEAR: &str = r#"{"input": [3, 64, 64], "layers": [{"type": "flatten"}, {"type": "linear", "out": 10}]}"#;
const LOADER: &str = "
import sys, time
from torch.utils.data import DataLoader
from torchvision import datasets, transforms
data = datasets.ImageFolder(sys.argv[1], transforms.ToTensor())
began, images = time.time(), 0
for x, labels in DataLoader(data, batch_size=64, shuffle=True, num_workers=2):
    images += len(labels)
print(images / (time.time() - began))
";

fn main() {
    let Some(count) = std::env::var("WGRAD_PHOTOS").ok().map(|n| n.parse().expect("WGRAD_PHOTOS is a number")) else {
        println!("skipped: WGRAD_PHOTOS says of how many pictures");
        return;
    };
    let home = Path::new(env!("CARGO_BIN_EXE_wgrad")).ancestors().nth(2).expect("a target folder").join("photos");
    let bench = Bench { photos: home.join(format!("jpeg-{count}")), home };
    bench.make(count);
    fs::write(bench.home.join("linear.json"), LINEAR).expect("the target folder is writable");
    bench.decoding();
    bench.training("small-cnn", 60);
    bench.training("linear.json", count / 64);
}

struct Bench {
    home: PathBuf,
    photos: PathBuf,
}

/// What a run came to.
struct Ran {
    images_per_s: f64,
    stall_s: f64,
    /// The most memory that it had, in MiB.
    peak_mib: f64,
}

impl Bench {
    /// The built-in images, twice as large; in ten classes.
    fn make(&self, count: usize) {
        if self.photos.is_dir() {
            return;
        }
        let (draft, set) = (self.home.join("draft"), builtin::generate(count, 0).train);
        for i in 0..count {
            let path = draft.join(format!("class-{}", set.labels()[i])).join(format!("{i:06}.jpg"));
            fs::create_dir_all(path.parent().expect("a class")).expect("the target folder is writable");
            picture(&set, i).save_with_format(path, ImageFormat::Jpeg).expect("a picture is written");
        }
        fs::rename(draft, &self.photos).expect("the pictures are whole");
    }

    fn run(&self, model: &str, mode: &str, steps: usize) -> Ran {
        let _ = fs::remove_dir_all(self.home.join("runs"));
        let flags =
            format!("--model {model} --image-size {SIDE} --epochs 1 --max-steps {steps} --batch-size 64 --augment flip,crop");
        let mut command = Command::new(env!("CARGO_BIN_EXE_wgrad"));
        command.arg("train").arg(&self.photos).args(flags.split(' ')).args(["--in-memory", mode, "--cache", "cache", "--json"]);
        command.args(["--val", "none", "--test", "none", "--device", "cpu"]).current_dir(&self.home);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("wgrad begins");
        let status = format!("/proc/{}/status", child.id());
        let mut peak_mib = 0.0;
        while child.try_wait().expect("it is a child").is_none() {
            let text = fs::read_to_string(&status).unwrap_or_default();
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<f64>().ok());
            peak_mib = line.map_or(peak_mib, |kib| kib / 1024.0);
            std::thread::sleep(Duration::from_millis(20));
        }
        let output = child.wait_with_output().expect("it is a child");
        let said: Value = serde_json::from_slice(&output.stdout).expect("wgrad train says what it came to");
        let number = |key: &str| said[key].as_f64().expect("a number");
        Ran { images_per_s: number("images_per_s"), stall_s: number("stall_s"), peak_mib }
    }

    /// The first epoch, each time without a cache.
    fn decoding(&self) {
        let steps = fs::read_dir(&self.photos)
            .expect("there are classes")
            .map(|class| fs::read_dir(class.expect("a class").path()).expect("pictures").count());
        let steps = steps.sum::<usize>() / 64;
        let (mut own, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            let _ = fs::remove_dir_all(self.home.join("cache"));
            own.push(self.run("linear.json", "off", steps).images_per_s);
            theirs.extend(std::env::var_os("WGRAD_PYTHON").map(|python| {
                let output = Command::new(python).args(["-c", LOADER]).arg(&self.photos).output().expect("WGRAD_PYTHON begins");
                let said = String::from_utf8_lossy(&output.stdout).into_owned();
                said.trim().parse::<f64>().unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
            }));
        }
        println!("first epoch, images decoded a second: {own:.0?}, median {:.0}", median(&own));
        match theirs.is_empty() {
            true => println!("skipped: WGRAD_PYTHON names no Python with torch and torchvision"),
            false => {
                let ratio = median(&own) / median(&theirs);
                println!("DataLoader with 2 workers: {theirs:.0?}, median {:.0}; ratio {ratio:.2}", median(&theirs));
            }
        }
    }

    /// In memory and off it by turns.
    fn training(&self, model: &str, steps: usize) {
        let [mut on, mut off] = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            on.push(self.run(model, "on", steps));
            off.push(self.run(model, "off", steps));
        }
        let ratios: Vec<f64> = on.iter().zip(&off).map(|(on, off)| off.images_per_s / on.images_per_s).collect();
        println!("{model}, off memory to in memory: {ratios:.3?}, median {:.3}", median(&ratios));
        for (name, runs) in [("in memory", &on), ("off memory", &off)] {
            let of = |value: fn(&Ran) -> f64| median(&runs.iter().map(value).collect::<Vec<_>>());
            let [rate, stall, peak] = [of(|ran| ran.images_per_s), of(|ran| ran.stall_s), of(|ran| ran.peak_mib)];
            println!("  {name}: {rate:.0} images/s, stall {stall:.3} s of {steps} steps, at most {peak:.0} MiB");
        }
    }
}

fn picture(set: &ImageSet, i: usize) -> DynamicImage {
    let (planes, plane) = (set.image(i), set.height() * set.width());
    let pixel = |x: u32, y: u32| image::Rgb([0, 1, 2].map(|c| planes[c * plane + y as usize * set.width() + x as usize]));
    let small = RgbImage::from_fn(set.width() as u32, set.height() as u32, pixel);
    DynamicImage::from(imageops::resize(&small, SIDE, SIDE, imageops::FilterType::Triangle))
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

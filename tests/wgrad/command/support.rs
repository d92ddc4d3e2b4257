//! A folder with a small data set and a small network, and the command in it.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A network of every kind of layer that a step depends on: batch norm, dropout, a max pool.
const NETWORK: &str = r#"{"input": [3, 32, 32], "layers": [
    {"type": "conv2d", "out": 8, "kernel": 3, "stride": 2, "padding": 1, "bias": false}, {"type": "batch_norm"}, {"type": "relu"},
    {"type": "max_pool2d", "kernel": 2}, {"type": "dropout", "p": 0.2}, {"type": "flatten"},
    {"type": "linear", "in": 512, "out": 10}]}"#;

/// Training images, of which a tenth is held out for validation.
pub const IMAGES: usize = 225;
/// Those that are left; not a multiple of any batch below.
pub const LEARNED: usize = IMAGES - IMAGES / 10;

pub struct Bench {
    path: PathBuf,
    /// None where another bench removes the folder.
    _folder: Option<TempDir>,
}

/// What a command left behind.
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Bench {
    pub fn new() -> Self {
        Self::of(IMAGES)
    }

    /// With so many training images.
    pub fn of(images: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bench = Self { path: folder.path().to_owned(), _folder: Some(folder) };
        let data = bench.path("data");
        fs::create_dir(&data).unwrap();
        for batch in 1..=5 {
            fs::write(data.join(format!("data_batch_{batch}.bin")), records(batch, images / 5)).unwrap();
        }
        fs::write(data.join("test_batch.bin"), records(6, 110)).unwrap();
        fs::write(bench.path("net.json"), NETWORK).unwrap();
        bench
    }

    /// In the folder of another one, which outlives it.
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), _folder: None }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// `wgrad` with these words, in the folder.
    pub fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wgrad"));
        command.args(words.split_whitespace()).current_dir(&self.path).env_remove("WGRAD_ADAPTER");
        // Vulkan's loader complains on stderr where there is none.
        command.env("XDG_RUNTIME_DIR", &self.path);
        command
    }

    pub fn run(&self, words: &str) -> Ran {
        finished(self.command(words))
    }

    /// A run of the small network on the small data set, on the CPU.
    pub fn train(&self, words: &str) -> Ran {
        finished(self.training(words))
    }

    /// The command of such a run.
    pub fn training(&self, words: &str) -> Command {
        self.command(&format!("train --data data --model net.json --batch-size 8 --device cpu --log-every 10 {words}"))
    }

    pub fn spawn(&self, words: &str) -> Child {
        let mut command = self.training(words);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    pub fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// The log of a run, without the times.
    pub fn log(&self, run: &str) -> Vec<Value> {
        let text = fs::read_to_string(self.path(run).join("metrics.jsonl")).unwrap();
        let parsed = text.lines().map(|line| {
            let mut value: Value = serde_json::from_str(line).unwrap();
            ["images_per_s", "stall_s"].iter().for_each(|time| drop(value.as_object_mut().unwrap().remove(*time)));
            value
        });
        parsed.collect()
    }

    /// The runs of these names have left the same bytes, and the same log but for the times.
    #[track_caller]
    pub fn hold_same(&self, whole: &str, run: &str) {
        for file in ["last.safetensors", "best.safetensors", "config.toml", "test.csv"] {
            let bytes = |run: &str| self.bytes(&format!("runs/{run}/{file}"));
            assert!(bytes(whole) == bytes(run), "{run}: {file} differs");
        }
        assert_eq!(self.log(&format!("runs/{whole}")), self.log(&format!("runs/{run}")), "{run}");
    }

    /// Every file below the folder with its bytes.
    pub fn contents(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        walk(&self.path, &mut found);
        found.sort();
        found
    }
}

fn walk(folder: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => walk(&path, found),
            false => found.push((path.clone(), fs::read(&path).unwrap())),
        }
    }
}

/// Records of the CIFAR-10 layout: noise over a brightness that tells the class.
pub fn records(seed: u64, count: usize) -> Vec<u8> {
    let noise = gpu_core::rng::Stream::new(seed, 0, 0);
    let record = |i: usize| {
        let label = (i % 10) as u8;
        let pixels =
            (0..768).flat_map(move |block| noise.block((i * 768 + block) as u32)).map(move |w| (w % 100) as u8 + 15 * label);
        std::iter::once(label).chain(pixels)
    };
    (0..count).flat_map(record).collect()
}

pub fn finished(mut command: Command) -> Ran {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

impl Ran {
    /// It ended as it should.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// Stdout is one JSON object and nothing else.
    #[track_caller]
    pub fn json(self) -> Value {
        let ran = self.ok();
        assert_eq!(ran.stdout.lines().count(), 1, "{}", ran.stdout);
        serde_json::from_str(&ran.stdout).unwrap()
    }

    /// It refused its input in one line that has `words`, with exit code 2.
    #[track_caller]
    pub fn refused(self, words: &str) {
        assert_eq!(self.code, Some(2), "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        let errors: Vec<&str> = self.stderr.lines().filter(|line| line.starts_with("error: ")).collect();
        assert_eq!(errors.len(), 1, "{}", self.stderr);
        assert_eq!(self.stderr.trim_end().lines().last(), Some(errors[0]), "nothing follows: {}", self.stderr);
        assert!(errors[0].contains(words), "\"{words}\" is wanted: {}", errors[0]);
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
    }
}

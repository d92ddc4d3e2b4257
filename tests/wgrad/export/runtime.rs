//! ONNX Runtime and PyTorch, each in one process of Python for all that a test asks of it.

use serde_json::{Value, json};
use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use wgrad::export::Onnx;
use wgrad::prelude::*;

pub struct Runtime {
    python: Conversation,
    folder: tempfile::TempDir,
}

/// A script beside this file, which is asked and answers by lines of JSON.
pub struct Conversation {
    process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// The Python that `WGRAD_PYTHON` names, or the one that `scripts/test` puts under the target folder.
pub fn python() -> PathBuf {
    let target = Path::new(env!("CARGO_BIN_EXE_wgrad")).ancestors().nth(2).unwrap();
    env::var_os("WGRAD_PYTHON").map_or_else(|| target.join("python/bin/python"), PathBuf::from)
}

/// Whether that Python has these packages; where it has not, the test says that it is skipped.
pub fn has_packages(packages: &str) -> Option<PathBuf> {
    let (python, import) = (python(), format!("import {packages}"));
    let output = Command::new(&python).args(["-c", &import]).output();
    if output.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    eprintln!("skipped: {} cannot import {packages}; see WGRAD_PYTHON", python.display());
    None
}

impl Conversation {
    pub fn begin(python: &Path, script: &str) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wgrad/export").join(script);
        let mut command = Command::new(python);
        // Isolated: a script's own folder is no place to import from, whatever names stand there.
        let mut process = command.arg("-I").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (questions, answers) = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
        Self { process, questions, answers }
    }

    pub fn ask(&mut self, question: &Value) -> Value {
        writeln!(self.questions, "{question}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"))
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Runtime {
    pub fn start() -> Option<Self> {
        let python = Conversation::begin(&has_packages("numpy, onnx, onnxruntime")?, "runtime.py");
        Some(Self { python, folder: tempfile::tempdir().unwrap() })
    }

    /// Runs the model in `file` on `x`, and holds what comes out against `y`.
    pub fn ask(&mut self, file: &Path, x: &Tensor, y: &Tensor) -> Value {
        let put = |name: &str, tensor: &Tensor| {
            let bytes: Vec<u8> = tensor.to_vec().unwrap().iter().flat_map(|v| v.to_le_bytes()).collect();
            let path = self.folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            (path, tensor.shape().dims().to_vec())
        };
        let ((x, x_shape), (y, y_shape)) = (put("x", x), put("y", y));
        self.python.ask(&json!({ "model": file, "x": x, "x_shape": x_shape, "y": y, "y_shape": y_shape }))
    }

    /// The same for the network itself, exported now.
    pub fn ask_of(&mut self, net: &Net, x: &Tensor, y: &Tensor) -> Value {
        let file = self.folder.path().join("net.onnx");
        Onnx::new(net).write(&file).unwrap();
        let answer = self.ask(&file, x, y);
        fs::remove_file(file).unwrap();
        answer
    }
}

/// How far, of the largest logit of the image, two programs may be apart.
pub const BOUND: f64 = 1e-5;

/// What is wrong with an answer.
pub fn fault(answer: &Value) -> Option<String> {
    match (answer["fault"].as_str(), answer["worst"].as_f64()) {
        (Some(fault), _) => Some(fault.to_owned()),
        (None, Some(worst)) if worst <= BOUND => None,
        (None, worst) => Some(format!("{worst:?} of the largest logit")),
    }
}

/// Draws what a fresh network has as constants, so that no scale, shift or running value is 1 or 0.
pub fn draw(net: &Net, seed: u64) {
    for (number, (key, param)) in parameters(net).into_iter().enumerate() {
        let fresh = param.value().to_vec().unwrap();
        let is_constant = fresh.iter().all(|v| *v == 0.0 || *v == 1.0);
        let drawn = proof::values(fresh.len(), seed + number as u64);
        // A deviation is positive, and a scale may not hide what it scales.
        let spread = if key.ends_with("running_var") { 0.4 } else { 0.2 };
        if is_constant {
            param.set(&fresh.iter().zip(drawn).map(|(f, d)| f + spread * d).collect::<Vec<f32>>());
        }
    }
}

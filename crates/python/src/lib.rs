//! The compiled part of the Python package `wgrad`. `python/wgrad/__init__.py` stands before it: it checks arrays, and hands them over as
//! buffers of bytes.

use pyo3::buffer::PyBuffer;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyByteArray;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use wgrad::gpu_core::{Device, within_memory};
use wgrad::train::console::Console;
use wgrad::train::data::{Dataset, ImageSet};
use wgrad::train::error::one_line;
use wgrad::train::model::{Description, Trained};
use wgrad::train::peers::{Peers, expect_one_process};
use wgrad::train::predict::Predictor;
use wgrad::train::run_folder::checkpoint_of;
use wgrad::train::settings::Settings;
use wgrad::train::trainer::{self, Order, Outcome};
use wgrad::train::{Error, Result};

/// How often a run looks whether Python was interrupted.
const PATIENCE: Duration = Duration::from_millis(50);

/// What was asked for wrongly is a `ValueError`; what went wrong by itself, such as a run that diverged, a `RuntimeError`.
fn raised(error: Error) -> PyErr {
    let line = one_line(&error);
    if error.exit_code() == 2 { PyValueError::new_err(line) } else { PyRuntimeError::new_err(line) }
}

/// Whatever asks for more memory than there is, it is an error and no panic.
fn bounded<T>(work: impl FnOnce() -> Result<T>) -> PyResult<T> {
    within_memory(work).unwrap_or_else(|e| Err(e.into())).map_err(raised)
}

/// A network that was trained, and the device that it lies on.
#[pyclass(frozen)]
struct Network {
    description: Description,
    device: String,
    /// One call at a time: a captured step has one place for its images.
    predictor: Mutex<Predictor>,
}

#[pymethods]
impl Network {
    /// Of a run's folder, or a checkpoint.
    #[new]
    fn new(py: Python<'_>, path: PathBuf, device: &str, batch_size: usize) -> PyResult<Self> {
        py.detach(|| {
            bounded(|| {
                let device = Device::named(device)?;
                let trained = Trained::read(&checkpoint_of(&path)?, &device)?;
                let predictor = Mutex::new(Predictor::new(&trained, &device, batch_size)?);
                Ok(Self { description: trained.description, device: device.name(), predictor })
            })
        })
    }

    #[getter]
    fn model(&self) -> &str {
        &self.description.model
    }

    #[getter]
    fn device(&self) -> &str {
        &self.device
    }

    #[getter]
    fn classes(&self) -> Vec<String> {
        self.description.classes.clone()
    }

    #[getter]
    fn multi_label(&self) -> bool {
        self.description.multi_label
    }

    /// Channels, rows and columns of the images that it takes.
    #[getter]
    fn input_shape(&self) -> PyResult<[usize; 3]> {
        let input = self.description.input().map_err(raised)?;
        Ok([0, 1, 2].map(|axis| input.dim(axis)))
    }

    /// The probability of each class for whole images (n, C, H, W), as f32, image by image.
    fn probabilities<'py>(&self, py: Python<'py>, images: PyBuffer<u8>) -> PyResult<Bound<'py, PyByteArray>> {
        let (images, each) = (images.to_vec(py)?, self.input_shape()?.iter().product::<usize>());
        let found = py.detach(|| {
            let predictor = self.predictor.lock().unwrap_or_else(PoisonError::into_inner);
            let batches = images.chunks(each * predictor.batch());
            bounded(|| batches.map(|batch| predictor.probabilities(batch)).collect::<Result<Vec<_>>>())
        })?;
        let bytes: Vec<u8> = found.iter().flatten().flat_map(|p| p.to_ne_bytes()).collect();
        Ok(PyByteArray::new(py, &bytes))
    }
}

/// Images (n, C, H, W) with their labels.
fn images(py: Python<'_>, pixels: &PyBuffer<u8>, labels: Vec<u32>, shape: [usize; 3]) -> PyResult<ImageSet> {
    Ok(ImageSet::new(pixels.to_vec(py)?, labels, shape))
}

/// Trains on images that were checked, by settings in JSON; what the run came to, in JSON. Ctrl-C ends it after its step, saved.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "they are named in Python")]
fn train(
    py: Python<'_>,
    pixels: PyBuffer<u8>,
    labels: Vec<u32>,
    test_pixels: PyBuffer<u8>,
    test_labels: Vec<u32>,
    shape: [usize; 3],
    classes: Vec<String>,
    settings: &str,
    resume: Option<PathBuf>,
    is_silent: bool,
) -> PyResult<String> {
    expect_one_process("wgrad.train").map_err(raised)?;
    let settings: Settings = serde_json::from_str(settings).map_err(|e| PyValueError::new_err(e.to_string()))?;
    let (train, test) = (images(py, &pixels, labels, shape)?, images(py, &test_pixels, test_labels, shape)?);
    let (stop, data) = (AtomicBool::new(false), Some(Dataset::new("arrays", classes, train, test)));
    let order = Order { settings, resume, data, device: None, peers: Peers::alone(), stop: &stop, began: Instant::now() };
    let mut console = if is_silent { Console::silent() } else { Console::new(false) };
    let (outcome, interrupt) = watched(py, &stop, || bounded(|| trainer::train(order, &mut console)));
    match interrupt {
        Some(interrupt) => Err(interrupt),
        None => outcome.map(|outcome| serde_json::to_string(&outcome).expect("an outcome is JSON")),
    }
}

/// Runs `work` on a thread of its own, and sets `stop` when Python is interrupted; what it came to, and the interrupt.
fn watched(
    py: Python<'_>,
    stop: &AtomicBool,
    work: impl FnOnce() -> PyResult<Outcome> + Send,
) -> (PyResult<Outcome>, Option<PyErr>) {
    std::thread::scope(|scope| {
        let (worker, mut interrupt) = (scope.spawn(work), None);
        while !worker.is_finished() {
            py.detach(|| std::thread::sleep(PATIENCE));
            if let Err(signal) = py.check_signals() {
                stop.store(true, Relaxed);
                interrupt = Some(signal);
            }
        }
        let outcome = worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (outcome, interrupt)
    })
}

#[pymodule]
mod _wgrad {
    #[pymodule_export]
    use super::{Network, train};
}

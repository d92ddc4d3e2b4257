//! A trained network, for other programs.
//!
//! [`StateDict`] is its weights as PyTorch loads them, and [`Onnx`] the whole as an ONNX model, in evaluation mode:
//!
//! ```
//! use export::Onnx;
//! use gpu_core::Device;
//! use nn::{Init, zoo};
//! let net = zoo::build("small-cnn", &Init::seeded(&Device::Cpu, 0), [3, 32, 32].into(), 10)?;
//! let model = Onnx::new(&net).normalise(&[0.5; 3], &[0.25; 3]).note("classes", r#"["cat", "dog"]"#);
//! assert!(model.to_bytes()?.len() > 4 * 106_730); // the weights, and little else
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod onnx;
mod torch;

pub use error::ExportError;
pub use onnx::{OPSET, Onnx};
pub use torch::StateDict;

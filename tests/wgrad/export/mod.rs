//! Networks that have left, as other programs see them.

mod command;
mod onnx;
mod pytorch;
pub mod runtime;

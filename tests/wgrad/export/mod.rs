//! Networks that have left, as other programs see them.

mod command;
mod onnx;
pub mod runtime;
mod torch;

//! The workshop: data, settings, training runs, and the proof that the kernels are right. The command `wgrad` is its face.

pub mod augmentation;
pub mod bench;
pub mod console;
pub mod data;
pub mod error;
pub mod evaluate;
mod file;
mod finite;
pub mod inspect;
pub mod loader;
pub mod lr_find;
pub mod model;
pub mod multi_label;
pub mod onlooker;
pub mod page;
pub mod peers;
pub mod per_image;
pub mod photo;
pub mod picture;
mod place;
pub mod predict;
pub mod run_folder;
pub mod segmentation;
pub mod settings;
pub mod sweep;
pub mod trainer;
pub mod tta;
pub mod verify;

pub use error::{Error, Result};
pub use place::expect_place;

//! What a user of the library may rely on, seen through the facade, on every device that is there.

mod additions;
mod command;
// What the studies share, as their programs have it.
#[path = "../../examples/common/mod.rs"]
mod common;
mod concurrency;
mod docs;
mod embedding;
mod environment;
mod examples;
mod export;
mod faults;
mod found;
mod imports;
#[cfg(target_os = "linux")]
mod launcher;
mod licences;
mod models;
mod newer_driver;
mod page;
mod reads;
mod recipes;
mod scale;
mod search_pages;
mod soak;
mod studies;
mod training;

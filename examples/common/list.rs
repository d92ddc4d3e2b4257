//! The studies by name, and how the programs of examples are built and found.

use std::path::PathBuf;
use std::process::Command;

/// Every study, in the order of the course. Each is `examples/NAME.rs` and a section of `docs/studies.md`.
pub const STUDIES: &[&str] = &[
    "convolutions",
    "batchnorm_pictures",
    "depthwise_separable",
    "dropout_regularisation",
    "dropout_study",
    "bn_drop",
    "cnn",
    "cifar100_cnn",
];

/// The features that are off by default, and whether they are on here.
const EXTRA: [(&str, bool); 2] = [("ndarray", cfg!(feature = "ndarray")), ("tui", cfg!(feature = "tui"))];

/// Builds the programs of examples in the profile of the calling program, which lies in `target` or a folder below; their folder.
///
/// Cargo does it, so that no stale program is ever run; where all are up to date it costs a fraction of a second. With another selection
/// of packages than the calling program's, or other features, the dependencies' features would differ, and Cargo build them a second
/// time: `scripts/test` selects the whole workspace and [`EXTRA`].
pub fn build(names: &[&str]) -> anyhow::Result<PathBuf> {
    // PROFILE/examples/NAME or PROFILE/deps/TEST-HASH.
    let this = std::env::current_exe()?;
    let profile = this.ancestors().nth(2).ok_or_else(|| anyhow::anyhow!("{} lies in no target folder", this.display()))?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR")).args(["build", "--quiet"]);
    cargo.args(names.iter().flat_map(|name| ["--example", name]));
    if let Some(target) = profile.parent() {
        cargo.arg("--target-dir").arg(target);
    }
    let extra: Vec<&str> = EXTRA.iter().filter(|(_, is_on)| *is_on).map(|(name, _)| *name).collect();
    if !extra.is_empty() {
        cargo.args(["--workspace", "--features", &extra.join(",")]);
    }
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    anyhow::ensure!(cargo.status()?.success(), "the examples do not build");
    Ok(profile.join("examples"))
}

/// The program of one example in the folder that [`build`] returned.
pub fn program(folder: &std::path::Path, name: &str) -> Command {
    Command::new(folder.join(name).with_extension(std::env::consts::EXE_EXTENSION))
}

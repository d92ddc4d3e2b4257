//! The kernels on a newer Mesa than the system's: another version of the compiler, with more of what adapters may have.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The Mesa that `WGRAD_MESA` names, or the one that `scripts/test` unpacks under the target folder.
fn mesa() -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_BIN_EXE_wgrad")).ancestors().nth(2).unwrap();
    let mesa = env::var_os("WGRAD_MESA").map_or_else(|| target.join("mesa"), PathBuf::from);
    if mesa.join("usr/share/vulkan/icd.d/lvp_icd.json").is_file() {
        return Some(mesa);
    }
    eprintln!("skipped: {} is no Mesa; see WGRAD_MESA", mesa.display());
    None
}

/// `wgrad verify` there, under the C library that it was built for: its exit code, and what it says.
fn verify(mesa: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let libraries = mesa.join("usr/lib/x86_64-linux-gnu");
    let icd = mesa.join("usr/share/vulkan/icd.d/lvp_icd.json");
    let mut command = Command::new(libraries.join("ld-linux-x86-64.so.2"));
    command.arg("--library-path").arg(libraries).arg(env!("CARGO_BIN_EXE_wgrad")).args(["verify", "--device", "gpu", "--verbose"]);
    let output = command.args(arguments).envs([("VK_ICD_FILENAMES", &icd), ("VK_DRIVER_FILES", &icd)]).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr))
}

/// Sums, products, workgroup memory, integers and subgroups; `scripts/drivers/run` runs all of them.
#[test]
fn kernels_equal_their_mirrors_on_a_newer_driver() {
    let Some(mesa) = mesa() else { return };
    for operator in ["matmul", "conv2d_bwd_x f16", "conv2d_bwd_w f16", "batch_norm", "max_pool2d", "sort", "dropout"] {
        let (code, said) = verify(&mesa, &["--filter", operator]);
        assert!(code == Some(0) && said.contains("llvmpipe"), "{operator}: {code:?}\n{said}");
        // It has matrix units, as the system's has not.
        assert_eq!(said.contains("_matrix "), operator == "matmul" || operator.ends_with("f16"), "{said}");
    }
    let (code, said) = verify(&mesa, &["--filter", "matmul", "--self-test"]);
    let row = said.lines().find(|line| line.contains("matmul_matrix")).unwrap_or_default();
    assert!(code == Some(0) && row.contains("planted fault noticed"), "{code:?}\n{said}");
    let (code, said) = verify(&mesa, &["--filter", "no such kernel"]);
    assert_eq!(code, Some(2), "{said}");
}

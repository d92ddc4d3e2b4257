//! Runs every study and makes one page of them: `cargo run --release --example all_studies`
//!
//! Its arguments are handed to each study: `-- --full --device gpu --out DIR`.
mod common;

use common::{list, page};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The folder that the studies are told to write into.
fn out(args: &[String]) -> PathBuf {
    let joined = args.iter().find_map(|a| a.strip_prefix("--out="));
    let apart = args.iter().skip_while(|a| *a != "--out").nth(1).map(String::as_str);
    joined.or(apart).unwrap_or("studies").into()
}

fn record(folder: &Path, name: &str) -> anyhow::Result<page::Record> {
    Ok(serde_json::from_str(&std::fs::read_to_string(folder.join(name).join("study.json"))?)?)
}

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let folder = out(&args);
    let (programs, begun) = (list::build(list::STUDIES)?, Instant::now());
    let (mut records, mut failed) = (Vec::new(), Vec::new());
    for &name in list::STUDIES {
        // What an earlier run left is not taken for this one's.
        std::fs::remove_file(folder.join(name).join("study.json")).ok();
        if !list::program(&programs, name).args(&args).status()?.success() {
            failed.push(name);
        }
        records.push(record(&folder, name).map_err(|_| name.to_owned()));
        println!();
    }
    std::fs::create_dir_all(&folder)?;
    let page = folder.join("index.html");
    std::fs::write(&page, page::all(&records, begun.elapsed().as_secs_f64()))?;
    println!("{} studies in {:.0} s: {}", records.len(), begun.elapsed().as_secs_f64(), page.display());
    anyhow::ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
    Ok(())
}

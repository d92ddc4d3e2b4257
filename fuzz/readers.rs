//! What reads files of others, as functions of their bytes that must neither panic nor hang. The fuzz targets call these, and so does the
//! test over the inputs that were found (`tests/wgrad/found.rs`).

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::sync::OnceLock;
use wgrad::nn::Spec;
use wgrad::nn::checkpoint::{Checkpoint, Names, load_state_dict};
use wgrad::prelude::*;
use wgrad::proof::golden;
use wgrad::train::bench::Report;
use wgrad::train::data::{self, Opening, builtin};
use wgrad::train::model::{Description, Trained};
use wgrad::train::predict::read_image;
use wgrad::train::settings::Settings;
use wgrad::train::sweep::runs_of;

/// Every reader, by its name.
#[allow(dead_code, reason = "a fuzz target calls one of them, the test all")]
pub const ALL: [(&str, fn(&[u8])); 14] = [
    ("layer_list", layer_list),
    ("settings", settings),
    ("sweep", sweep),
    ("checkpoint", checkpoint),
    ("description", description),
    ("state_dict", state_dict),
    ("torch_file", torch_file),
    ("idx", idx),
    ("archive", archive),
    ("picture", picture),
    ("golden", golden),
    ("bench_report", bench_report),
    ("table", table),
    ("masks", masks),
];

/// A picture of one pixel, as simple as one can be.
const PICTURE: &[u8] = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";

/// Calls `read` with a file that holds `bytes`.
fn in_file(name: &str, bytes: &[u8], read: impl FnOnce(&Path)) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("a temporary file");
    read(&path);
}

/// A network in JSON or TOML: what is read is written and read again as the same, and its shapes are computed.
pub fn layer_list(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for spec in [Spec::from_json(text), Spec::from_toml(text)].into_iter().flatten() {
        let again = Spec::from_json(&spec.to_json().expect("layers of lists have names")).expect("what is written can be read");
        assert_eq!(spec, again);
        let _ = spec.out_shape();
    }
}

/// `config.toml`, or a file of `--config`.
pub fn settings(bytes: &[u8]) {
    in_file("config.toml", bytes, |path| drop(Settings::read(path).and_then(Settings::resolve)));
}

/// The file of `wgrad sweep`.
pub fn sweep(bytes: &[u8]) {
    in_file("sweep.toml", bytes, |path| drop(runs_of(path)));
}

/// A checkpoint: what is read is written and read again as the same.
pub fn checkpoint(bytes: &[u8]) {
    if let Ok(read) = Checkpoint::from_bytes(bytes) {
        let again = Checkpoint::from_bytes(&read.to_bytes()).expect("what is written can be read").to_bytes();
        assert_eq!(again, read.to_bytes());
    }
}

/// What a checkpoint says about its network, in a file whose checksum is right.
pub fn description(bytes: &[u8]) {
    let Ok(note) = std::str::from_utf8(bytes) else { return };
    let net = Linear::new(64).build(&Init::seeded(&Device::Cpu, 0), [64]).expect("a layer of 4,160 numbers");
    let file = Checkpoint::new().net(&net).expect("finite numbers").note("wgrad.network", note.to_owned()).to_bytes();
    in_file("last.safetensors", &file, |path| drop(Trained::read(path, &Device::Cpu)));
}

/// Weights of another program.
pub fn state_dict(bytes: &[u8]) {
    let net = Linear::new(2).build(&Init::seeded(&Device::Cpu, 0), [3]).expect("a layer of 8 numbers");
    in_file("weights.safetensors", bytes, |path| drop(load_state_dict(&net, path, &Names::default())));
}

/// What `torch.save` wrote.
pub fn torch_file(bytes: &[u8]) {
    in_file("weights.pth", bytes, |path| drop(Checkpoint::read_torch(path)));
}

/// A data set of idx files: the first four bytes say whether they are packed, and how long three of the four are.
pub fn idx(bytes: &[u8]) {
    let [packed, a, b, c, rest @ ..] = bytes else { return };
    let suffix = if packed % 2 == 0 { "" } else { ".gz" };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut rest = rest;
    let lengths = [usize::from(*a), usize::from(*b), usize::from(*c), usize::MAX];
    let names = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];
    for (name, length) in names.into_iter().zip(lengths) {
        let (file, others) = rest.split_at(length.min(rest.len()));
        std::fs::write(folder.path().join(format!("{name}{suffix}")), file).expect("a temporary file");
        rest = others;
    }
    let _ = data::open(folder.path().to_str().expect("a name in UTF-8"));
}

/// A data set in a tar file, which is packed here: no fuzzer would find its way through the sums of gzip.
pub fn archive(bytes: &[u8]) {
    let mut packed = GzEncoder::new(Vec::new(), Compression::none());
    packed.write_all(bytes).expect("memory");
    in_file("set.tar.gz", &packed.finish().expect("memory"), |path| drop(data::open(path.to_str().expect("a name in UTF-8"))));
}

/// A picture.
pub fn picture(bytes: &[u8]) {
    static NETWORK: OnceLock<Description> = OnceLock::new();
    let network = NETWORK.get_or_init(|| Description::new("small-cnn", &builtin::generate(10, 10)).expect("a network of the zoo"));
    in_file("picture.png", bytes, |path| drop(read_image(path, network)));
}

/// The list of cases of a golden file, over tensors of a few shapes. A case that cannot be run is a row that failed.
pub fn golden(bytes: &[u8]) {
    let Ok(cases) = std::str::from_utf8(bytes) else { return };
    let Ok(list) = serde_json::from_str::<Vec<Value>>(cases) else { return };
    let mut header = json!({ "__metadata__": { "cases": cases } });
    let mut at = 0;
    for name in list.iter().filter_map(|case| case["name"].as_str()) {
        for (role, shape) in [("x", [1, 2, 4, 4]), ("w", [2, 2, 2, 2]), ("y", [1, 2, 3, 3]), ("dy", [1, 2, 3, 3])] {
            let end = at + 4 * shape.iter().product::<usize>();
            header[format!("{name}/{role}")] = json!({ "dtype": "F32", "shape": shape, "data_offsets": [at, end] });
            at = end;
        }
    }
    let header = header.to_string();
    let file = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &vec![0; at][..]].concat();
    in_file("golden.safetensors", &file, |path| drop(golden::run(path, &Device::Cpu, "")));
}

/// What `wgrad bench --json` writes.
pub fn bench_report(bytes: &[u8]) {
    in_file("report.json", bytes, |path| drop(Report::read(path)));
}

/// A table of pictures, beside one that is there.
pub fn table(bytes: &[u8]) {
    in_file("table.csv", bytes, |path| {
        std::fs::write(path.with_file_name("a.gif"), PICTURE).expect("a temporary file");
        open_pictures(path);
    });
}

/// Two pictures with masks: the first two bytes say how long the list of classes is, and the first mask.
pub fn masks(bytes: &[u8]) {
    let [names, first, rest @ ..] = bytes else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).expect("a temporary file");
    for side in ["images", "masks"] {
        std::fs::create_dir(folder.path().join(side)).expect("a temporary folder");
    }
    let (names, rest) = rest.split_at(usize::from(*names).min(rest.len()));
    let (first, second) = rest.split_at(usize::from(*first).min(rest.len()));
    if !names.is_empty() {
        write("classes.txt", names);
    }
    for (name, mask) in [("a", first), ("b", second)] {
        write(&format!("images/{name}.gif"), PICTURE);
        write(&format!("masks/{name}.png"), mask);
    }
    open_pictures(folder.path());
}

/// Opens a data set of pictures and leaves out what cannot be read.
fn open_pictures(path: &Path) {
    let opening = Opening { skip_bad: true, ..Opening::of([1, 4, 4]) };
    drop(data::open_as(path.to_str().expect("a name in UTF-8"), &opening));
}

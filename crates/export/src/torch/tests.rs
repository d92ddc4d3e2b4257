//! The archive, read back.

use super::{ALIGNMENT, StateDict, pickle};
use gpu_core::Device;
use nn::{Checkpoint, Init, Layer, Linear, parameters, zoo};
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use zip::{ZipArchive, ZipWriter};

#[test]
fn every_storage_holds_its_tensor_and_may_be_mapped() {
    let net = zoo::build("small-cnn", &Init::seeded(&Device::Cpu, 3), [3, 32, 32].into(), 10).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let [path, again] = ["net.pth", "again.pth"].map(|name| folder.path().join(name));
    StateDict::new(&net).write(&path).unwrap();
    StateDict::new(&net).write(&again).unwrap();
    assert!(std::fs::read(&path).unwrap() == std::fs::read(&again).unwrap(), "the same bytes every time");
    let mut archive = ZipArchive::new(File::open(&path).unwrap()).unwrap();
    let params = parameters(&net);
    assert_eq!(archive.len(), params.len() + 3);
    let mut read = |name: &str| {
        let mut file = archive.by_name(&format!("archive/{name}")).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        assert_eq!((file.data_start().unwrap() % u64::from(ALIGNMENT), file.size()), (0, file.compressed_size()), "{name}");
        bytes
    };
    assert_eq!((read("byteorder"), read("version")), (b"little".to_vec(), b"3\n".to_vec()));
    for (number, (key, param)) in params.iter().enumerate() {
        let bytes: Vec<u8> = param.value().to_vec().unwrap().iter().flat_map(|v| v.to_le_bytes()).collect();
        assert!(read(&format!("data/{number}")) == bytes, "{key}");
    }
    let shapes: Vec<(String, Vec<usize>)> = params.iter().map(|(key, p)| (key.clone(), p.shape().dims().to_vec())).collect();
    assert_eq!(read("data.pkl"), pickle::state_dict(shapes.iter().map(|(key, dims)| (key.as_str(), &dims[..]))));
}

#[test]
fn other_names_stand_in_the_pickle() {
    let net = zoo::build("resnet20", &Init::seeded(&Device::Cpu, 3), [3, 32, 32].into(), 10).unwrap();
    let dict = StateDict::new(&net).names(zoo::torchvision("resnet20", &net).unwrap());
    let keys: Vec<String> = dict.tensors().unwrap().into_iter().map(|(key, _)| key).collect();
    assert!(["conv1.weight", "layer1.0.bn1.running_mean", "fc.bias"].iter().all(|key| keys.iter().any(|k| k == key)), "{keys:?}");
}

/// Byte for byte, as the opcodes of protocol 2 say it.
#[test]
fn a_pickle_of_one_tensor_is_this() {
    let int = |n: u8| [b'J', n, 0, 0, 0];
    let text = |text: &str| [b"X", &(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat();
    let dictionary = b"ccollections\nOrderedDict\n)R";
    let want = [
        b"\x80\x02",
        &dictionary[..],
        b"(",
        &text("w"),
        b"ctorch._utils\n_rebuild_tensor_v2\n((",
        &text("storage"),
        b"ctorch\nFloatStorage\n",
        &text("0"),
        &text("cpu"),
        &int(6),
        b"tQ",
        &int(0),
        b"(",
        &int(2),
        &int(3),
        b"t(",
        &int(3),
        &int(1),
        b"t\x89",
        dictionary,
        b"tRu.",
    ];
    assert_eq!(pickle::state_dict([("w", &[2, 3][..])]), want.concat());
    let large = pickle::state_dict([("w", &[1 << 32][..])]);
    assert!(large.windows(11).any(|bytes| bytes == b"\x8a\x09\0\0\0\0\x01\0\0\0\0"), "an element more than an i32 can count");
}

#[test]
fn what_cannot_be_written_leaves_what_was_there() {
    let net = Linear::new(2).build(&Init::seeded(&Device::Cpu, 3), [3]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let error = StateDict::new(&net).write(folder.path()).unwrap_err().to_string();
    assert!(error.starts_with("writing ") && error.ends_with("it is a directory"), "{error}");
}

/// A copy of the archive, with what `change` makes of its pickle.
fn repickled(from: &Path, to: &Path, change: impl Fn(&[u8]) -> Vec<u8>) {
    let (mut archive, mut copy) = (ZipArchive::new(File::open(from).unwrap()).unwrap(), ZipWriter::new(File::create(to).unwrap()));
    for i in 0..archive.len() {
        let mut file = archive.by_index(i).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        let name = file.name().unwrap();
        copy.start_file(&*name, super::SimpleFileOptions::default()).unwrap();
        copy.write_all(&if name.ends_with(".pkl") { change(&bytes) } else { bytes }).unwrap();
    }
    copy.finish().unwrap();
}

/// What a training program saves: `{"epoch": 3, "state_dict": ...}`.
fn nested(name: &str, state_dict: &[u8]) -> Vec<u8> {
    let text = |text: &str| [b"X", &(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat();
    let inner = &state_dict[2..state_dict.len() - 1];
    [b"\x80\x02}(", &text("epoch")[..], b"J\x03\0\0\0", &text(name), inner, b"u."].concat()
}

#[test]
fn what_was_written_is_read_alone_and_beside_other_things() {
    let net = zoo::build("small-cnn", &Init::seeded(&Device::Cpu, 3), [3, 32, 32].into(), 10).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let [path, inside] = ["net.pth", "inside.pth"].map(|name| folder.path().join(name));
    StateDict::new(&net).write(&path).unwrap();
    let wanted = Checkpoint::new().net(&net).unwrap();
    assert!(Checkpoint::is_torch(&path).unwrap());
    assert_eq!(Checkpoint::read_torch(&path).unwrap(), wanted);
    for name in ["state_dict", "model"] {
        repickled(&path, &inside, |pickle| nested(name, pickle));
        assert_eq!(Checkpoint::read_torch(&inside).unwrap(), wanted, "{name}");
    }
    // Under another name it is what it is: keys with that name before them.
    repickled(&path, &inside, |pickle| nested("weights", pickle));
    let other = Checkpoint::read_torch(&inside).unwrap();
    assert!(other.arrays().keys().all(|key| key.starts_with("weights.")), "{:?}", other.arrays().keys());
    // A safetensors file of any length of header is none.
    wanted.write(folder.path().join("net.safetensors")).unwrap();
    assert!(!Checkpoint::is_torch(folder.path().join("net.safetensors")).unwrap());
}

/// A pickle that calls something is refused, and nothing is called.
#[test]
fn a_file_that_would_run_a_program_is_refused() {
    let net = Linear::new(2).build(&Init::seeded(&Device::Cpu, 3), [3]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let [path, evil, trace] = ["net.pth", "evil.pth", "trace"].map(|name| folder.path().join(name));
    StateDict::new(&net).write(&path).unwrap();
    let command = format!("touch {}", trace.display());
    repickled(&path, &evil, |_| {
        [b"\x80\x02cposix\nsystem\n(X", &(command.len() as u32).to_le_bytes()[..], command.as_bytes(), b"tR."].concat()
    });
    let read = Checkpoint::read_torch(&evil);
    assert!(!trace.exists() && read.map_or(true, |read| read.arrays().is_empty()));
}

#[test]
fn a_damaged_file_is_an_error_or_other_numbers_and_never_a_panic() {
    let net = Linear::new(2).build(&Init::seeded(&Device::Cpu, 3), [3]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.pth");
    StateDict::new(&net).write(&path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    let wanted = Checkpoint::read_torch(&path).unwrap();
    let mut refused = 0;
    for at in 0..whole.len() {
        for change in [1, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] ^= change;
            std::fs::write(&path, bytes).unwrap();
            refused += u32::from(Checkpoint::read_torch(&path).map_or(true, |read| read != wanted));
        }
        std::fs::write(&path, &whole[..at]).unwrap();
        assert!(Checkpoint::read_torch(&path).is_err(), "cut to {at} bytes");
    }
    assert!(refused > whole.len() as u32 / 2, "{refused} of {}", 3 * whole.len());
}

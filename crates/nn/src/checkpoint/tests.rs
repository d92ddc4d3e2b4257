use super::*;
use crate::{BatchNorm2d, Conv2d, Flatten, Init, Layer, Linear, Net, Param, Residual, seq};
use gpu_core::{Device, Tensor};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::PathBuf;

fn net(seed: u64) -> Net {
    let body = seq![Conv2d::new(2, 3).padding(1).no_bias(), BatchNorm2d::new()];
    seq![Residual::new(body), Flatten, Linear::new(3)].build(&Init::seeded(&Device::Cpu, seed), [2, 2, 2]).unwrap()
}

fn content(net: &Net) -> BTreeMap<String, Array> {
    Checkpoint::new().net(net).unwrap().arrays
}

/// A directory that is removed at the end.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("nn-checkpoint-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
    fn names(&self) -> Vec<String> {
        fs::read_dir(&self.0).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A file of one tensor, written by hand.
fn file_of(header: &str, data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat()
}

#[test]
fn what_was_saved_is_loaded_bit_for_bit() {
    let (directory, [a, b]) = (Directory::new("round"), [net(1), net(2)]);
    let path = directory.file("net.safetensors");
    save(&a, &path).unwrap();
    assert_ne!(content(&a), content(&b));
    load(&b, &path).unwrap();
    assert_eq!(content(&a), content(&b));
    assert_eq!(directory.names(), ["net.safetensors"]);
}

#[test]
fn the_same_state_gives_the_same_bytes_in_sorted_order() {
    let bytes = |notes: &[(&str, &str)]| {
        let checkpoint = Checkpoint::new().net(&net(1)).unwrap();
        notes.iter().fold(checkpoint, |c, &(k, v)| c.note(k, v)).to_bytes()
    };
    let [a, b] = [[("b", "2"), ("a", "\"1\"\n")], [("a", "\"1\"\n"), ("b", "2")]].map(|notes| bytes(&notes));
    assert_eq!(a, b);
    let header = String::from_utf8_lossy(&a[8..]);
    assert!(header.starts_with(r#"{"__metadata__":{"format":"pt","wgrad.crc32":""#));
    assert!(header.contains(r#""a":"\"1\"\n","b":"2"},"0.body.0.weight":{"dtype":"F32","shape":[2, 2, 3, 3],"#));
    let read = Checkpoint::from_bytes(&a).unwrap();
    assert_eq!((read.note_of("a"), read.note_of("c")), (Some("\"1\"\n"), None));
    assert_eq!(read.to_bytes(), a);
}

#[test]
fn all_that_does_not_fit_is_listed_and_nothing_is_loaded() {
    let mut checkpoint = Checkpoint::new().net(&net(1)).unwrap();
    for key in ["2.bias", "0.body.1.running_mean"] {
        checkpoint.arrays.remove(key);
    }
    checkpoint.arrays.insert("7.weight".to_owned(), Array { shape: vec![1], values: vec![0.0] });
    checkpoint.arrays.insert("2.weight".to_owned(), Array { shape: vec![8, 3], values: vec![0.0; 24] });
    let other = net(2);
    let before = content(&other);
    let error = checkpoint.load_net(&other).unwrap_err();
    let CheckpointError::Mismatch(mismatch) = &error else { panic!("{error}") };
    assert_eq!(mismatch.missing, ["0.body.1.running_mean", "2.bias"]);
    assert_eq!(mismatch.unexpected, ["7.weight"]);
    assert_eq!(mismatch.misshapen, ["2.weight ([8, 3] in the file, [3, 8] wanted)"]);
    assert!(error.to_string().contains("missing (2): 0.body.1.running_mean, 2.bias"), "{error}");
    assert_eq!(content(&other), before);
}

/// The names of a program that calls the layers of [`net`] otherwise.
fn names(net: &Net) -> Names {
    Names::in_order(net, ["stem.conv", "stem.bn", "fc"]).unwrap()
}

#[test]
fn a_state_dict_goes_to_another_program_and_back() {
    let (directory, [a, b]) = (Directory::new("names"), [net(1), net(2)]);
    let path = directory.file("theirs.safetensors");
    save_state_dict(&a, &path, &names(&a)).unwrap();
    let keys: Vec<String> = Checkpoint::read(&path).unwrap().arrays.into_keys().collect();
    let bn = ["bias", "running_mean", "running_var", "weight"].map(|leaf| format!("stem.bn.{leaf}"));
    let want = [&["fc.bias".to_owned(), "fc.weight".to_owned()], &bn[..], &["stem.conv.weight".to_owned()]].concat();
    assert_eq!(keys, want);
    load_state_dict(&b, &path, &names(&b)).unwrap();
    assert_eq!(content(&a), content(&b));
    let message = load_state_dict(&b, &path, &Names::default()).unwrap_err().to_string();
    assert!(message.contains("theirs.safetensors") && message.contains("missing (7): 0.body.0.weight, "), "{message}");
}

#[test]
fn what_does_not_fit_is_told_in_the_names_of_the_file() {
    let other = net(2);
    let before = content(&other);
    let mut checkpoint = Checkpoint::new().net_as(&net(1), &names(&other)).unwrap();
    checkpoint.arrays.remove("stem.bn.bias");
    checkpoint.arrays.insert("fc.weight".to_owned(), Array { shape: vec![4, 8], values: vec![0.5; 32] });
    checkpoint.arrays.insert("fc2.weight".to_owned(), Array { shape: vec![1], values: vec![0.5] });
    let want = Mismatch {
        missing: vec!["stem.bn.bias".to_owned()],
        unexpected: vec!["fc2.weight".to_owned()],
        misshapen: vec!["fc.weight ([4, 8] in the file, [3, 8] wanted)".to_owned()],
    };
    let CheckpointError::Mismatch(strict) = checkpoint.load_net_as(&other, &names(&other)).unwrap_err() else { panic!() };
    assert_eq!(strict, want);
    assert_eq!(content(&other), before, "nothing is loaded unless all fits");

    assert_eq!(checkpoint.load_what_fits(&other, &names(&other)).unwrap(), want);
    let (after, source) = (content(&other), content(&net(1)));
    for (key, array) in &after {
        let skipped = ["0.body.1.bias", "2.weight"].contains(&key.as_str());
        assert_eq!(array, if skipped { &before[key] } else { &source[key] }, "{key}");
    }
    // Nothing fits: these are not the file's names.
    assert!(checkpoint.load_what_fits(&other, &Names::default()).is_err());
    assert_eq!(content(&other), after);
}

#[test]
fn the_count_of_batches_of_pytorch_is_passed_over() {
    let header = r#"{"0.num_batches_tracked":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}"#;
    let checkpoint = Checkpoint::from_bytes(&file_of(header, &[1; 8])).unwrap();
    assert!(checkpoint.arrays().is_empty());
}

#[test]
fn other_floats_become_f32_and_integers_are_refused() {
    let of = |dtype: &str, data: &[u8]| {
        let header = format!(r#"{{"a":{{"dtype":"{dtype}","shape":[2],"data_offsets":[0,{}]}}}}"#, data.len());
        Checkpoint::from_bytes(&file_of(&header, data)).map(|c| c.arrays["a"].values.clone())
    };
    assert_eq!(of("F64", bytemuck::cast_slice(&[1.5f64, -2.0])).unwrap(), [1.5, -2.0]);
    assert_eq!(of("BF16", bytemuck::cast_slice(&[0x3fc0u16, 0xc000])).unwrap(), [1.5, -2.0]);
    // One and a half; the smallest subnormal.
    assert_eq!(of("F16", bytemuck::cast_slice(&[0x3e00u16, 0x8001])).unwrap(), [1.5, -(2f32.powi(-24))]);
    assert_eq!(of("F16", bytemuck::cast_slice(&[0x7bffu16, 0xfc00])).unwrap(), [65_504.0, f32::NEG_INFINITY]);
    let error = of("I32", bytemuck::cast_slice(&[1i32, 2])).unwrap_err();
    assert_eq!(error.to_string(), "a holds I32; F32, F64, F16 and BF16 can be loaded");
}

#[test]
fn a_file_cut_off_anywhere_is_an_error() {
    let (directory, bytes) = (Directory::new("cut"), Checkpoint::new().net(&net(1)).unwrap().to_bytes());
    let path = directory.file("cut.safetensors");
    for len in (0..bytes.len()).step_by(7) {
        assert!(Checkpoint::from_bytes(&bytes[..len]).is_err(), "{len} bytes");
        if len % 49 == 0 {
            fs::write(&path, &bytes[..len]).unwrap();
            let message = load(&net(2), &path).unwrap_err().to_string();
            assert!(message.contains("cut.safetensors") && message.contains("cut off"), "{message}");
        }
    }
}

#[test]
fn any_flipped_bit_is_an_error() {
    let bytes = Checkpoint::new().net(&net(1)).unwrap().note("wgrad.network", "{\"a\": 1}").to_bytes();
    for bit in 0..8 * bytes.len() {
        let mut bytes = bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(Checkpoint::from_bytes(&bytes).is_err(), "bit {} of byte {}", bit % 8, bit / 8);
    }
}

#[test]
fn a_file_without_a_checksum_is_read() {
    let header = r#"{"__metadata__":{"format":"pt","epoch":"3"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
    let read = Checkpoint::from_bytes(&file_of(header, &[0; 8])).unwrap();
    assert_eq!((read.note_of("epoch"), read.arrays().len()), (Some("3"), 1));
    // Its digits, as any CRC-32 of the file with zeros for them gives them.
    let bytes = read.to_bytes();
    let at = bytes.windows(15).position(|w| w == b"\"wgrad.crc32\":\"").unwrap() + 15;
    let mut zeroed = bytes.clone();
    zeroed[at..at + 8].copy_from_slice(b"00000000");
    assert_eq!(bytes[at..at + 8], *format!("{:08x}", plain_crc32(&zeroed)).as_bytes());
    assert_eq!(plain_crc32(b"123456789"), 0xcbf4_3926, "the check value of CRC-32/ISO-HDLC");
}

/// Bit by bit, from its definition.
fn plain_crc32(bytes: &[u8]) -> u32 {
    let shift = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), shift))
}

#[test]
fn a_pipe_and_a_file_that_claims_more_than_it_has_are_refused_unread() {
    let directory = Directory::new("claims");
    let path = directory.file("claim.safetensors");
    let header = r#"{"a":{"dtype":"F32","shape":[2147483648],"data_offsets":[0,8589934592]}}"#;
    fs::write(&path, file_of(header, &[0; 6000])).unwrap();
    let message = Checkpoint::read(&path).unwrap_err().to_string();
    assert!(message.contains("its header does not fit its size"), "{message}");
    let sparse = fs::File::options().write(true).open(&path).unwrap();
    sparse.set_len(8 + header.len() as u64 + 8_589_934_592 + 1).unwrap();
    assert!(Checkpoint::read(&path).is_err(), "a byte too many");
    #[cfg(unix)]
    assert!(write_atomically("/dev/null", |_| Ok(())).is_err() && Checkpoint::read("/dev/zero").is_err());
}

#[test]
fn a_prefix_of_all_keys_can_be_left_out() {
    let inner = net(1);
    let saved = Checkpoint::new().net_under("module", &inner).unwrap();
    let other = net(2);
    assert!(saved.load_net(&other).is_err());
    saved.clone().strip_prefix("module.").unwrap().load_net(&other).unwrap();
    assert_eq!(content(&other), content(&inner));
    assert!(matches!(saved.strip_prefix("model."), Err(CheckpointError::NoPrefix(_))));
    let both = Checkpoint::new().net(&inner).unwrap().net_under("a", &inner).unwrap();
    assert!(matches!(both.strip_prefix("a."), Err(CheckpointError::Taken(_))));
}

#[test]
fn a_message_names_the_first_keys_and_counts_the_others() {
    let mut checkpoint = Checkpoint::new();
    for i in 0..200 {
        checkpoint.arrays.insert(format!("module.{}.{i:03}", "layer".repeat(40)), Array { shape: vec![1], values: vec![0.0] });
    }
    let message = checkpoint.load_net(&net(1)).unwrap_err().to_string();
    assert!(message.contains("unexpected (200): module.") && message.chars().count() < 400, "{message}");
}

#[test]
fn a_hostile_file_is_an_error() {
    let bytes = Checkpoint::new().net(&net(1)).unwrap().to_bytes();
    // Every byte of the header, changed: an error, or another name or note, but never a panic.
    for at in 0..bytes.len().min(1200) {
        for flip in [1, 0x80, 0xff] {
            let mut bytes = bytes.clone();
            bytes[at] ^= flip;
            if let Ok(checkpoint) = Checkpoint::from_bytes(&bytes) {
                let _ = checkpoint.load_net(&net(2));
            }
        }
    }
    let headers = [
        r#"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}"#,
        r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[4,0]}}"#,
        r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,18446744073709551615]}}"#,
        "[]",
        "",
    ];
    for header in headers {
        assert!(Checkpoint::from_bytes(&file_of(header, &[0; 8])).is_err(), "{header}");
    }
    let deep = "[".repeat(1 << 20);
    assert!(Checkpoint::from_bytes(&file_of(&deep, &[])).is_err());
    assert!(Checkpoint::from_bytes(&u64::MAX.to_le_bytes()).is_err());
}

#[test]
fn a_write_that_fails_leaves_the_old_file_and_nothing_else() {
    let directory = Directory::new("full");
    let path = directory.file("net.safetensors");
    save(&net(1), &path).unwrap();
    let before = fs::read(&path).unwrap();
    let error = write_atomically(&path, |file| {
        file.write_all(&[0; 100])?;
        Err(std::io::Error::from(std::io::ErrorKind::StorageFull))
    });
    assert_eq!(error.unwrap_err().kind(), std::io::ErrorKind::StorageFull);
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(directory.names(), ["net.safetensors"]);
}

#[test]
fn a_path_that_cannot_be_is_an_error_with_its_name() {
    let directory = Directory::new("path");
    let missing = directory.file("no/such/directory.safetensors");
    for message in [save(&net(1), &missing).unwrap_err().to_string(), load(&net(1), &missing).unwrap_err().to_string()] {
        assert!(message.contains("no/such/directory.safetensors"), "{message}");
    }
    assert!(save(&net(1), &directory.0).is_err());
    assert!(load(&net(1), &directory.0).is_err());
}

#[test]
fn two_networks_lie_in_one_file_under_two_names_and_a_key_is_not_given_twice() {
    let [a, b, other] = [1, 2, 3].map(net);
    let [of_a, of_b] = [&a, &b].map(|net| crate::Adam::new(net, 0.1));
    let both = Checkpoint::new().net_under("a", &a).unwrap().optimizer_under("a", &of_a).unwrap();
    let both = both.net_under("b", &b).unwrap().optimizer_under("b", &of_b).unwrap();
    let both = Checkpoint::from_bytes(&both.to_bytes()).unwrap();
    assert_eq!(both.arrays.len(), 2 * (content(&a).len() + Checkpoint::new().optimizer(&of_a).unwrap().arrays.len()));
    both.load_net_under("b", &other).unwrap();
    assert_eq!(content(&other), content(&b));
    both.load_optimizer_under("b", &crate::Adam::new(&other, 0.1)).unwrap();
    assert!(
        matches!(both.load_net_under("c", &other), Err(CheckpointError::Mismatch(m)) if m.missing.contains(&"c.2.bias".to_owned()))
    );
    for twice in [both.clone().net_under("a", &b), both.optimizer_under("a", &of_b), Checkpoint::new().net(&a).unwrap().net(&b)] {
        assert!(matches!(twice, Err(CheckpointError::Taken(_))));
    }
}

struct Tied {
    embed: Param,
    project: Param,
}
crate::parameters!(Tied { embed, project });

#[test]
fn one_key_of_a_shared_parameter_is_enough() {
    let tied = |values: &[f32]| {
        let embed = Param::trainable(Tensor::from_slice(&Device::Cpu, [2], values));
        Tied { project: embed.clone(), embed }
    };
    let saved = Checkpoint::new().net(&tied(&[1.0, 2.0])).unwrap();
    for kept in ["embed", "project"] {
        let mut file = saved.clone();
        file.arrays.retain(|key, _| key == kept);
        let net = tied(&[0.0, 0.0]);
        file.load_net(&net).unwrap();
        assert_eq!(net.embed.value().to_vec().unwrap(), [1.0, 2.0], "from {kept}");
    }
    let separate = [1.0f32, 2.0].map(|v| Param::trainable(Tensor::full(&Device::Cpu, [2], v)));
    let [embed, project] = separate;
    let mut file = saved;
    file.arrays.retain(|key, _| key == "embed");
    let missing = file.load_net(&Tied { embed, project }).unwrap_err();
    assert!(matches!(missing, CheckpointError::Mismatch(m) if m.missing == ["project"]));
}

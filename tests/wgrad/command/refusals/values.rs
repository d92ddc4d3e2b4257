//! Flags, keys of settings files, and variables of the environment.

use super::{Refusals, Tally, not_utf8};
use crate::command::support::Bench;
use std::ffi::{OsStr, OsString};
use std::fs;

/// 2^63, which TOML has not; 2^64; and no numbers.
const COUNTS: [&str; 7] = ["-1", "1.5", "9223372036854775808", "18446744073709551616", "abc", "1e3", "0x10"];
/// Infinite as a 32-bit float, or no numbers at all.
const FLOATS: [&str; 6] = ["1e39", "-1", "nan", "inf", "abc", "-1e-3"];

/// A flag of `train`, and what it refuses.
fn flags() -> Vec<(&'static str, Vec<&'static str>)> {
    let counts = |more: &[&'static str]| [&COUNTS[..], more].concat();
    let floats = |more: &[&'static str]| [&FLOATS[..], more].concat();
    vec![
        ("epochs", counts(&["0", "9223372036854775807"])),
        ("batch-size", counts(&["0", "204", "9223372036854775807"])),
        ("max-steps", counts(&["0"])),
        ("save-every", counts(&["0"])),
        ("log-every", counts(&["0"])),
        ("seed", counts(&[])),
        ("warmup", counts(&["9223372036854775807", "100%", "-1%", "nan%", "%", "epochs", "-1 epochs", "1e400 epochs"])),
        ("test-images", counts(&[])),
        ("patience", counts(&["0"])),
        ("test", vec!["0", "-1", "1.0", "nan", "own", "", "0.1", "none"]),
        ("image-size", counts(&["0", "4097", "64"])),
        ("fit", vec!["squeeze", "", "crop"]),
        ("background", vec!["puce", "", "#12345", "#gggggg", "white"]),
        ("skip-bad", vec!["maybe", "true"]),
        ("cache", vec!["kept"]),
        ("in-memory", vec!["maybe", "", "off"]),
        ("tta", vec!["mirror", "", "none"]),
        ("val", vec!["0", "-1", "1.5", "1.0", "nan", "half", "", "Test", "225", "216", "9223372036854775808", "own"]),
        ("checkpoint-activations", counts(&[])),
        ("accumulate", vec!["0", "3", "-1", "4294967296", "abc"]),
        ("lr", floats(&["0", "1e-50"])),
        ("clip-norm", floats(&["0"])),
        ("clip-value", floats(&["0"])),
        ("weight-decay", floats(&[])),
        ("momentum", floats(&["1", "0.99999999999"])),
        ("ema", floats(&["1", "0.99999999999"])),
        ("label-smoothing", floats(&["1", "0.99999999999"])),
        ("optimizer", vec!["adamax", "SGD", ""]),
        ("schedule", vec!["triangle", "one_cycle"]),
        ("device", vec!["tpu", "0"]),
        ("augment", vec!["twist", "flip,,crop", "rotate=200", "mixup=0", "crop,resized-crop"]),
        ("class-weights", vec!["equal", "", "0.5"]),
        ("sampler", vec!["random", "", "balanced"]),
        ("freeze", vec!["", "nowhere.*", "*", "0.*,,6.*"]),
        ("lr-scale", vec!["", "0.*", "0.*=0", "0.*=nan", "0.*=-1", "0.*=1e39", "nowhere=1", "0.*=1,6"]),
        ("name", vec!["", ".", "..", "a/b", "../x", "/tmp/x"]),
        ("data-fingerprint", vec!["", "xyz", "0000000g", "00000000", "DEADBEEF"]),
        ("model", vec!["alexnet", "nothing.json", "nothing.toml", ""]),
        ("data", vec!["nowhere", "net.json", "nothing.csv"]),
    ]
}

/// A run of the small network.
const SMALL: [(&str, &str); 4] = [("data", "data"), ("model", "net.json"), ("batch-size", "8"), ("device", "cpu")];

/// A settings file, and what its line says besides its name.
const SETTINGS: &[(&str, &str)] = &[
    ("epoch = 3", "there is no setting `epoch`"),
    ("epochs = ", "line 1"),
    ("epochs = 1\nepochs = 2", "line 2"),
    ("lr = 0.1\nlr = 0.2\n", "line 2"),
    ("batch-size = 8\nbatch_size = 8", "`batch-size` is given twice"),
    ("label_smoothing = 0.1\nlabel-smoothing = 0.2", "`label-smoothing` is given twice"),
    ("epochs = 9223372036854775808", "line 1"),
    ("epochs = \"3\"", "`epochs`"),
    ("epochs = [3]", "`epochs`"),
    ("[epochs]\nn = 3", "`epochs`"),
    ("[train]\nepochs = 3", "there is no setting `train`"),
    ("lr = true", "`lr`"),
    ("data = 3", "`data`"),
    ("lenient = 1", "`lenient`"),
    ("val = 0", "`val`"),
    ("val = 1.0", "`val`"),
    ("val = -3", "`val`"),
    ("val = \"some\"", "`val`"),
    ("val = [5]", "`val`"),
    ("accumulate = 4294967296", "`accumulate`"),
    ("device = \"tpu\"", "`device`"),
    ("optimizer = \"a\\u001b[2J\"", "`optimizer`"),
    ("{\"epochs\": 3}", "line 1"),
    ("\u{0}", "line 1"),
];

/// Commands that are wrong as they are typed.
const COMMANDS: &[(&str, &str)] = &[
    ("--colour", "'--colour'"),
    ("trian", "trian"),
    ("train --device gpu --adapter Voodoo2", "Voodoo2"),
    ("--lenient", "--lenient says how --weights is read"),
    ("--strip-prefix module.", "--strip-prefix says how --weights is read"),
    ("--warmup 3", "--warmup 3"),
    ("train nowhere", "nowhere is not a directory"),
    ("train data --data data", "--data"),
    ("train data --resume data", "--data cannot change"),
    ("--patience 3 --val none", "--patience"),
    ("--patience 3 --test-images 0", "--patience"),
    ("--schedule linear --warmup 999999 --data data --model net.json --batch-size 8 --device cpu", "--warmup 999999"),
    ("--resume nowhere", "nowhere: there is no such folder"),
    ("--resume data", "data: this is not the folder of a run"),
    ("--resume data --lr 1", "--lr cannot change"),
    ("--resume data --config my.toml", "--config"),
    ("--epochs", "--epochs"),
    ("eval", "there is no run in runs/"),
    ("eval --checkpoint data --device cpu", "data: this folder holds no checkpoint"),
    ("eval --weights x.safetensors", "--model"),
    ("eval --split all --device cpu", "--split"),
    ("eval --strip-prefix x. --device cpu", "--weights"),
    ("eval --weights x.safetensors --model alexnet --data data --device cpu", "alexnet"),
    ("eval --weights x.safetensors --model resnet20 --data data --device cpu", "x.safetensors: there is no such checkpoint"),
    ("predict", "<IMAGE>"),
    ("predict nothing.png --device cpu", "there is no run in runs/"),
    ("predict nothing.png --top=-1", "--top"),
    ("predict nothing.png --batch-size 0", "--batch-size"),
    ("predict nothing.png --batch-size 65536", "--batch-size"),
    ("predict nothing.png --csv --json", "--csv"),
    ("eval --device cpu --per-image data", "--per-image data: it is a directory"),
    ("eval --device cpu --per-image no/such/folder.csv", "no/such/folder.csv"),
    ("eval --device cpu --per-image /dev/full", "/dev/full: it is no plain file"),
    ("export", "<RUN|FILE>"),
    ("export data", "--onnx"),
    ("export data --onnx", "data: this folder holds no checkpoint"),
    ("export nowhere --onnx", "nowhere: there is no such checkpoint"),
    ("export net.json --torch x.pth", "net.json"),
    ("export net.json --onnx data", "--onnx data: it is a directory"),
    ("export net.json --torch /dev/full", "--torch /dev/full: it is no plain file"),
    ("export net.json --safetensors no/such/folder.x", "--safetensors no/such/folder.x"),
    ("export net.json --onnx data/test_batch.bin", "data/test_batch.bin: there is such a file already"),
    ("export net.json --onnx net.json --force", "this is the checkpoint itself"),
    ("export net.json --onnx x --torch x", "--torch x: two files of one name"),
    ("export net.json --torch --normalised", "--onnx"),
    ("summary --input 3x32", "--input"),
    ("summary --input 3x32x0", "--input"),
    ("summary --input 3x32x99999999999999999999", "--input"),
    ("summary --input 3x1x1", "small-cnn"),
    ("summary --model alexnet", "alexnet"),
    ("summary --classes 0", "--classes 0"),
    ("summary --classes=-1", "--classes"),
    ("summary --classes 18446744073709551615", "small-cnn"),
    ("summary --classes 9223372036854775807 --model resnet20", "resnet20"),
    ("verify --self-test --device cpu --filter no-such-kernel", "no-such-kernel"),
    ("verify --device cpu --steps 18446744073709551615", "--steps"),
    ("verify --device tpu", "--device"),
    ("verify --golden nowhere --device cpu", "nowhere"),
    ("verify --golden data --device cpu", "no golden file"),
    ("bench --device cpu --filter no-such-row", "no-such-row"),
    ("bench --device cpu --seconds nan --filter relu", "--seconds"),
    ("bench --device cpu --seconds=-1 --filter relu", "--seconds"),
    ("bench --device cpu --seconds 1e300 --filter relu", "--seconds"),
    ("bench --device cpu --filter relu --json data", "data: it is a directory"),
    ("train --trace data", "--trace data: it is a directory"),
    ("train --trace no/such/folder.json", "--trace no/such/folder.json"),
    ("bench --device cpu --filter relu --json no/such/folder.json", "no/such/folder.json"),
    ("bench --device cpu --filter relu --html data", "data"),
    ("bench --device cpu --filter relu --html net.json", "net.json: there is a file of this name, and it is no report"),
    ("bench --device cpu --filter relu --html no/such/folder.html", "--html no/such/folder.html"),
    ("bench --device cpu --filter relu --json /dev/full", "/dev/full: it is no plain file"),
    ("bench --device cpu --filter relu --compare nothing.json", "nothing.json"),
    ("devices --fast", "'--fast'"),
    ("lr-find --from 0", "--from 0.0 is out of range"),
    ("lr-find --to nan", "--to NaN is out of range"),
    ("lr-find --from 1 --to 0.5", "--from 1.0 is not below --to 0.5"),
    ("lr-find --steps 19", "--steps 19 is out of range"),
    ("lr-find --steps=-1", "--steps"),
    ("lr-find --page data", "data: there is a file of this name"),
    ("lr-find --page no/such/page.html", "--page no/such/page.html"),
    ("lr-find nowhere", "nowhere is not a directory"),
    ("lr-find --resume data", "'--resume'"),
    ("sweep", "<FILE.toml>"),
    ("sweep grid.toml --name a/b", "--name a/b"),
    ("sweep grid.toml --out . --name data", "./data: this folder is of no sweep"),
    ("sweep grid.toml --out . --name net.json", "./net.json: there is something of this name"),
    ("sweep nowhere.toml", "nowhere is not a directory"),
    ("sweep none.toml", "`val`: a sweep chooses by the validation images"),
];

/// Files of sweeps, by their names.
const SWEEPS: &[(&str, &str)] = &[
    ("grid", "method = \"grid\"\n[base]\ndata = \"data\"\n[search]\nlr = [0.1, 0.01]"),
    ("nowhere", "method = \"grid\"\n[base]\ndata = \"nowhere\"\n[search]\nlr = [0.1, 0.01]"),
    ("none", "method = \"grid\"\n[base]\ndata = \"data\"\nval = \"none\"\n[search]\nlr = [0.1, 0.01]"),
];

/// Wrong files of sweeps, and what their line says besides the name; `sweep/plan` has the others.
const WRONG_SWEEPS: &[(&str, &str)] = &[
    ("", "`search`: there is nothing to try"),
    ("method = \"grid\"\n[search]\nrate = [0.1]", "there is no setting `rate`"),
    ("method = \"grid\"\n[search]\nlr = []", "`lr`: an empty list"),
    ("method = \"grid\"\n[search]\nlr = [-1]", "--lr -1"),
    ("method = \"random\"\nruns = 2\n[search]\nlr = { min = 0, max = 1, log = true }", "`lr`: a logarithmic range begins above 0"),
    ("method = \"random\"\n[search]\nlr = [0.1]", "`runs`"),
    ("method = \"halving\"\nruns = 2\n[base]\nepochs = 2\n[search]\nlr = [0.1]", "`epochs`"),
];

/// Budgets that are none.
const BUDGETS: [&str; 9] = ["abc", "-1", "1.5", "0", "18446744073709551615", "99999999999999999999", "1 ", "1e3", "\u{1b}[2J"];

pub fn all(tally: &mut Tally) {
    let bench = Bench::new();
    for (number, (text, _)) in SETTINGS.iter().enumerate() {
        fs::write(bench.path(&format!("{number}.toml")), text).unwrap();
    }
    SWEEPS.iter().for_each(|(name, text)| fs::write(bench.path(&format!("{name}.toml")), text).unwrap());
    for (number, (text, _)) in WRONG_SWEEPS.iter().enumerate() {
        fs::write(bench.path(&format!("sweep-{number}.toml")), text).unwrap();
    }
    let mut refusals = Refusals::new(bench, tally);
    for (number, (_, wanted)) in WRONG_SWEEPS.iter().enumerate() {
        let name = format!("sweep-{number}.toml");
        refusals.refused(&format!("sweep {name}"), &[&name, wanted]);
    }
    let train = |words: &str| format!("train --data data --model net.json --batch-size 8 --device cpu {words}");
    for (flag, values) in flags() {
        for value in values {
            // Of a flag that is given twice clap says that.
            let others = SMALL.iter().filter(|(name, _)| *name != flag).map(|(name, value)| format!("--{name}={value}"));
            let mut words: Vec<OsString> = [OsString::from("train")].into_iter().chain(others.map(OsString::from)).collect();
            words.push(format!("--{flag}={value}").into());
            if flag == "warmup" {
                words.push("--schedule=linear".into());
            }
            let named = match flag {
                "model" if value.ends_with(".json") || value.ends_with(".toml") => value,
                "data" | "model" if !value.is_empty() => value,
                _ => flag,
            };
            refusals.refused_with(2, &words, &[], &[named]);
        }
    }
    for (number, (_, wanted)) in SETTINGS.iter().enumerate() {
        refusals.refused(&train(&format!("--config {number}.toml")), &[&format!("{number}.toml"), wanted]);
    }
    COMMANDS.iter().for_each(|(words, wanted)| refusals.refused(words, &[wanted]));
    let words = |words: &str| words.split_whitespace().map(OsString::from).collect::<Vec<_>>();
    for budget in BUDGETS {
        for command in
            [&*train(""), "eval --checkpoint net.json --device cpu", "bench --device cpu --filter relu", "verify --device cpu"]
        {
            let variables = [("WGRAD_MEMORY_MIB", OsStr::new(budget))];
            refusals.refused_with(2, &words(command), &variables, &["WGRAD_MEMORY_MIB"]);
        }
    }
    let name = not_utf8("3");
    refusals.refused_with(2, &words(&train("")), &[("WGRAD_MEMORY_MIB", &name)], &["WGRAD_MEMORY_MIB"]);
    for (flag, command) in [
        ("--data", "train"),
        ("--model", "train"),
        ("--weights", "train --data data --model net.json --device cpu --batch-size 8"),
        ("--config", "train"),
        ("--resume", "train"),
        ("--out", "train --data data --model net.json --device cpu --batch-size 8"),
        ("--name", "train"),
        ("--checkpoint", "eval --device cpu"),
        ("--checkpoint", "predict a.png --device cpu"),
        ("--weights", "eval --data data --model net.json --device cpu"),
        ("--model", "summary"),
        ("--golden", "verify --device cpu"),
        ("--json", "bench --device cpu --filter no-such-row"),
        ("--compare", "bench --device cpu --filter relu"),
    ] {
        let mut words = words(command);
        words.extend([flag.into(), not_utf8("x")]);
        refusals.refused_with(2, &words, &[], &[]);
    }
}

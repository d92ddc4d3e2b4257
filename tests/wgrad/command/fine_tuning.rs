//! A part of a network that is learned, and classes that count alike.

use super::support::Bench;
use safetensors::SafeTensors;

/// A tensor of a run's last checkpoint.
fn tensor(bench: &Bench, run: &str, key: &str) -> Vec<f32> {
    let bytes = bench.bytes(&format!("runs/{run}/last.safetensors"));
    let view = SafeTensors::deserialize(&bytes).unwrap();
    floats(view.tensor(key).unwrap().data())
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
}

#[test]
fn what_is_frozen_stays_and_the_rest_learns() {
    let bench = Bench::new();
    let train = |words: &str| drop(bench.train(&format!("--test-images 0 --save-every 1 {words}")).ok());
    train("--max-steps 1 --freeze 0.*,1.* --name first");
    train("--max-steps 6 --freeze 0.*,1.* --name frozen");
    train("--max-steps 6 --name free");
    for key in ["0.weight", "1.weight", "1.bias", "1.running_mean", "1.running_var"] {
        assert_eq!(tensor(&bench, "first", key), tensor(&bench, "frozen", key), "{key}");
        assert_ne!(tensor(&bench, "first", key), tensor(&bench, "free", key), "{key}");
    }
    assert_ne!(tensor(&bench, "first", "6.weight"), tensor(&bench, "frozen", "6.weight"));
}

/// After one step without momentum and decay: the weights less what they were is the rate times the gradient.
#[test]
fn a_part_learns_at_a_rate_of_its_own() {
    let bench = Bench::new();
    let step = |words: &str| {
        let plain = "--test-images 0 --max-steps 1 --momentum 0 --weight-decay 0 --schedule constant --lr 0.5";
        bench.train(&format!("{plain} {words}")).ok();
    };
    step("--freeze 0.*,6.bias --name before");
    step("--name full");
    step("--lr-scale 0.*=0.25,6.bias=2 --name scaled");
    for (key, factor) in [("0.weight", 0.25), ("6.bias", 2.0)] {
        let [before, full, scaled] = ["before", "full", "scaled"].map(|run| tensor(&bench, run, key));
        let moved = |a: &[f32]| a.iter().zip(&before).map(|(a, b)| f64::from(a - b)).collect::<Vec<_>>();
        let (full, scaled) = (moved(&full), moved(&scaled));
        let largest = full.iter().fold(0f64, |m, v| m.max(v.abs()));
        let is_scaled = full.iter().zip(&scaled).all(|(f, s)| (factor * f - s).abs() < 1e-3 * largest);
        assert!(largest > 1e-4 && is_scaled, "{key}: {full:?}, {scaled:?}");
    }
    assert_eq!(tensor(&bench, "full", "6.weight"), tensor(&bench, "scaled", "6.weight"));
}

#[test]
fn such_a_run_resumes_to_the_same_bytes() {
    let bench = Bench::new();
    let how = "--epochs 2 --freeze 1.* --lr-scale 0.*=0.1 --class-weights balanced --name";
    bench.train(&format!("{how} whole")).ok();
    bench.train(&format!("{how} parts --max-steps 9")).ok();
    bench.run("train --resume runs/parts").ok();
    assert!(bench.bytes("runs/whole/last.safetensors") == bench.bytes("runs/parts/last.safetensors"));
    let config = String::from_utf8(bench.bytes("runs/whole/config.toml")).unwrap();
    for line in ["freeze = \"1.*\"", "lr-scale = \"0.*=0.1\"", "class-weights = \"balanced\""] {
        assert!(config.lines().any(|l| l == line), "{line}: {config}");
    }
    bench
        .train("--freeze body.* --name a")
        .refused("--freeze body.*: no parameter that is learned has such a key; they go from 0.weight to 6.bias");
    bench.train("--freeze * --name a").refused("nothing is left to learn");
    bench.train("--freeze 0.* --lr-scale 0.*=0.1 --name a").refused("--lr-scale 0.*");
}

/// Nine of ten images are of the first class: told alike, the loss is that of each class as much as any other's.
#[test]
fn classes_weigh_alike_however_many_images_they_have() {
    let bench = Bench::new();
    let losses = |words: &str| {
        bench.train(&format!("--epochs 3 --test-images 0 --name {words}")).ok();
        let log = bench.log(&format!("runs/{}", words.split(' ').next().unwrap()));
        log.last().unwrap()["train_loss"].as_f64().unwrap()
    };
    for batch in 1..=5 {
        let mut records = super::support::records(batch, 45);
        records.chunks_exact_mut(3073).enumerate().filter(|(i, _)| i % 10 != 0).for_each(|(_, record)| record[0] = 3);
        std::fs::write(bench.path(&format!("data/data_batch_{batch}.bin")), records).unwrap();
    }
    let (alike, balanced) = (losses("alike --seed 1"), losses("balanced --seed 1 --class-weights balanced"));
    assert!(balanced > 1.2 * alike, "{alike} and {balanced}: the rare classes do not count");
}

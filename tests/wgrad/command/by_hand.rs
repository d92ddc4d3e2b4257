//! What an onlooker has a run do while it goes on: the same bits and the same log, stopped and continued or not.

use super::support::Bench;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Instant;
use train::console::Console;
use train::onlooker::{Event, Onlooker, Wish};
use train::peers::Peers;
use train::run_folder::LR_BY_HAND;
use train::settings::{DeviceKind, Settings};
use train::trainer::{self, Order};

/// Wishes by the step after which they are made; after one that is none the run is let go on.
type Wishes = Vec<(u64, Option<Wish>)>;

/// Wishes as planned, ends the run after a step, and keeps what it sees.
#[derive(Debug)]
struct Hand {
    wishes: Mutex<Wishes>,
    stop_after: Option<u64>,
    stop: AtomicBool,
    folder: Mutex<PathBuf>,
    seen: Mutex<Vec<String>>,
}

impl Onlooker for Hand {
    fn see(&self, event: Event<'_>) {
        let seen = match event {
            Event::Ready(course) => {
                course.folder.clone_into(&mut self.folder.lock().unwrap());
                format!("{} on {}, {} steps", course.model.rsplit('/').next().unwrap(), course.data, course.steps)
            }
            Event::Saved(step) => {
                let checkpoint = nn::Checkpoint::read(self.folder.lock().unwrap().join("last.safetensors")).unwrap();
                let note: Value = serde_json::from_str(checkpoint.note_of("wgrad.progress").unwrap()).unwrap();
                assert_eq!(note["step"], step, "what is said to be saved is saved");
                format!("saved {step}")
            }
            Event::Held(held) => format!("held {held}"),
            Event::Epoch(epoch) => format!("epoch at {}", epoch.step),
            Event::Noted(text) if text.starts_with("By hand") => text.to_owned(),
            _ => return,
        };
        self.seen.lock().unwrap().push(seen);
    }

    fn wish(&self, step: u64) -> Option<Wish> {
        let mut wishes = self.wishes.lock().unwrap();
        let at = wishes.iter().position(|(at, _)| *at == step);
        let wish = at.and_then(|at| wishes.remove(at).1);
        if wish.is_none() && self.stop_after == Some(step) {
            self.stop.store(true, Relaxed);
        }
        wish
    }
}

/// Trains the run `name`, or goes on with it; 50 steps are all. What the hand saw.
fn trained(bench: &Bench, name: &str, wishes: Wishes, stop_after: Option<u64>) -> Vec<String> {
    let folder = bench.path("runs").join(name);
    let resume = folder.exists().then(|| folder.clone());
    let text = |path: PathBuf| Some(path.to_str().unwrap().to_owned());
    let settings = match resume {
        Some(_) => Settings::default(),
        None => Settings {
            data: text(bench.path("data")),
            model: text(bench.path("net.json")),
            out: Some(bench.path("runs")),
            name: Some(name.to_owned()),
            batch_size: Some(8),
            epochs: Some(2),
            log_every: Some(10),
            device: Some(DeviceKind::Cpu),
            plain_report: Some(true),
            ..Settings::default()
        },
    };
    let (wishes, folder) = (Mutex::new(wishes), Mutex::new(folder));
    let hand = Arc::new(Hand { wishes, stop_after, stop: AtomicBool::new(false), folder, seen: Mutex::default() });
    let order =
        Order { settings, resume, data: None, device: None, peers: Peers::alone(), stop: &hand.stop, began: Instant::now() };
    let outcome = trainer::train(order, &mut Console::watched(hand.clone())).unwrap();
    assert_eq!(outcome.interrupted, stop_after.is_some());
    assert_eq!(outcome.steps, stop_after.unwrap_or(50));
    std::mem::take(&mut *hand.seen.lock().unwrap())
}

fn rate(step: u64, factor: f32) -> (u64, Option<Wish>) {
    (step, Some(Wish::Rate(factor)))
}

/// All that must be the same of two runs.
fn left(bench: &Bench, name: &str) -> (Vec<u8>, Vec<u8>, Vec<Value>) {
    let bytes = |file: &str| bench.bytes(&format!("runs/{name}/{file}.safetensors"));
    (bytes("last"), bytes("best"), bench.log(&format!("runs/{name}")))
}

#[test]
fn a_run_whose_rate_a_hand_changed_is_the_same_stopped_and_continued_or_not() {
    let bench = Bench::new();
    let wishes = || vec![rate(7, 1.5), rate(7, 0.5), rate(31, 0.25)];
    trained(&bench, "whole", wishes(), None);
    let whole = left(&bench, "whole");
    // Before the changes, right after each, between them, and at the end of an epoch.
    for stop_after in [3, 7, 20, 25, 31, 44] {
        let name = format!("stopped-{stop_after}");
        let (before, after) = wishes().into_iter().partition(|(step, _)| *step <= stop_after);
        trained(&bench, &name, before, Some(stop_after));
        trained(&bench, &name, after, None);
        assert!(left(&bench, &name) == whole, "stopped after step {stop_after}: another run");
    }
    let log = &whole.2;
    let by_hand: Vec<(u64, f64)> =
        log.iter().filter_map(|line| Some((line["step"].as_u64()?, line[LR_BY_HAND].as_f64()?))).collect();
    assert_eq!(by_hand, [(7, 0.75), (31, 0.1875)]);
    // The controls: another step, another factor and no hand at all make other runs.
    for (name, wishes) in [("later", vec![rate(8, 0.75), rate(31, 0.25)]), ("more", vec![rate(7, 0.75), rate(31, 0.26)])] {
        trained(&bench, name, wishes, None);
        assert!(left(&bench, name).0 != whole.0, "{name}: the hand is not seen");
    }
    trained(&bench, "plain", Vec::new(), None);
    let (plain, _, lines) = left(&bench, "plain");
    assert!(plain != whole.0 && lines.iter().all(|line| line.get(LR_BY_HAND).is_none()));
    // The rates in the log are the schedule's times what the hand made of them.
    for (line, plain) in log.iter().filter(|line| line["lr"].is_number()).zip(lines.iter().filter(|line| line["lr"].is_number())) {
        let factor =
            [(31, 0.1875), (7, 0.75), (0, 1.0)].into_iter().find(|(from, _)| line["step"].as_u64() > Some(*from)).unwrap().1;
        let (lr, wanted) = (line["lr"].as_f64().unwrap(), plain["lr"].as_f64().unwrap() * factor);
        assert!((lr - wanted).abs() <= 1e-6 * wanted, "{line}: {wanted} is wanted");
    }
}

#[test]
fn a_run_that_was_killed_after_a_hand_changed_its_rate_goes_on_as_its_checkpoint_says() {
    let bench = Bench::new();
    trained(&bench, "plain", Vec::new(), None);
    trained(&bench, "killed", Vec::new(), Some(15));
    let saved = bench.bytes("runs/killed/last.safetensors");
    trained(&bench, "killed", vec![rate(18, 0.5)], Some(20));
    std::fs::write(bench.path("runs/killed/last.safetensors"), saved).unwrap();
    trained(&bench, "killed", Vec::new(), None);
    assert!(left(&bench, "killed") == left(&bench, "plain"));
}

#[test]
fn a_run_stands_still_is_saved_and_goes_on_to_the_same_bytes() {
    let bench = Bench::new();
    trained(&bench, "plain", Vec::new(), None);
    let wishes =
        vec![(5, Some(Wish::Hold)), (5, None), (5, Some(Wish::Save)), (5, None), (5, Some(Wish::GoOn)), (12, Some(Wish::Save))];
    let seen = trained(&bench, "held", wishes, None);
    let told = ["held true", "saved 5", "held false", "saved 12", "epoch at 25", "saved 25", "epoch at 50", "saved 50"];
    assert_eq!(seen[0], "net.json on CIFAR-10, 50 steps");
    assert_eq!(seen[1..], told);
    assert!(left(&bench, "held") == left(&bench, "plain"));
    // One that is ended while it stands still.
    let seen = trained(&bench, "ended", vec![(5, Some(Wish::Hold)), (5, None)], Some(5));
    assert_eq!(seen[1..], ["held true", "saved 5"]);
    trained(&bench, "ended", Vec::new(), None);
    assert!(left(&bench, "ended") == left(&bench, "plain"));
}

#[test]
fn a_hand_takes_a_rate_no_further_than_a_thousand_times() {
    let bench = Bench::new();
    let seen = trained(&bench, "far", vec![rate(2, 1e-3), rate(4, 0.5), rate(6, 1e3)], Some(8));
    let told: Vec<&String> = seen.iter().filter(|text| text.starts_with("By hand")).collect();
    assert_eq!(
        told,
        [
            "By hand: after step 2 the rate is 0.001 times the schedule's.",
            "By hand: after step 6 the rate is 1.000 times the schedule's."
        ]
    );
}

use super::*;
use crate::settings::Settings;
use serde_json::json;

fn create(out: &Path, name: Option<&str>) -> Result<RunFolder> {
    let config = Settings::default().resolve().unwrap();
    RunFolder::create(out, name, "a-b", &config, &Checkpoint::new().note("step", "0"))
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_run_never_takes_a_folder_that_is_there() {
    let out = tempfile::tempdir().unwrap();
    let [first, second] = [0, 1].map(|_| create(out.path(), None).unwrap());
    assert_eq!((first.path(), second.path()), (&*out.path().join("a-b-1"), &*out.path().join("a-b-2")));
    fs::create_dir(out.path().join("empty")).unwrap();
    create(out.path(), Some("mine")).unwrap();
    for name in ["mine", "empty"] {
        for error in [create(out.path(), Some(name)).unwrap_err(), RunFolder::expect_free(out.path(), Some(name)).unwrap_err()] {
            assert!(error.to_string().contains("a run of this name already"), "{error}");
        }
    }
    assert_eq!(names(out.path()), ["a-b-1", "a-b-2", "empty", "mine"]);
}

#[test]
fn a_folder_has_a_checkpoint_as_soon_as_it_has_its_name() {
    let out = tempfile::tempdir().unwrap();
    let run = create(out.path(), Some("a")).unwrap();
    assert_eq!(Checkpoint::read(run.last()).unwrap().note_of("step"), Some("0"));
    let path = run.path().to_path_buf();
    drop(run);
    assert_eq!(names(&path), ["config.toml", "last.safetensors"]);
    RunFolder::open(&path).unwrap();
}

#[test]
fn what_killed_processes_left_is_swept() {
    let out = tempfile::tempdir().unwrap();
    let draft = out.path().join(".run-abc.tmp");
    fs::create_dir(&draft).unwrap();
    fs::write(draft.join("config.toml"), "half").unwrap();
    let held = drafts::new(out.path()).unwrap();
    let _lock = Lock::acquire(held.path()).unwrap();
    let path = create(out.path(), Some("a")).unwrap().path().to_path_buf();
    assert!(!draft.exists() && held.path().exists(), "one is of a process that lives");
    for left in [".last.safetensors.XyZ.tmp", ".best.safetensors.77-0.tmp", ".lock"] {
        fs::write(path.join(left), "").unwrap();
    }
    drop(RunFolder::open(&path).unwrap());
    assert_eq!(names(&path), ["config.toml", "last.safetensors"]);
}

#[test]
fn a_second_process_is_refused_until_the_first_is_done() {
    let out = tempfile::tempdir().unwrap();
    let run = create(out.path(), Some("a")).unwrap();
    let path = run.path().to_path_buf();
    let error = RunFolder::open(&path).unwrap_err().to_string();
    assert!(error.contains("another process is at work on this run"), "{error}");
    drop(run);
    RunFolder::open(&path).unwrap();
}

#[test]
fn a_resumed_log_has_no_line_of_a_step_that_is_done_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.jsonl");
    let mut log = MetricsLog::create(&path).unwrap();
    (1..=4).for_each(|step| log.add(&json!({"step": step})).unwrap());
    fs::write(&path, fs::read_to_string(&path).unwrap() + "{\"step\": 5, \"lo").unwrap();
    MetricsLog::resume(&path, 2, &[]).unwrap().add(&json!({"step": 3})).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\"step\":1}\n{\"step\":2}\n{\"step\":3}\n");
    fs::write(&path, "{\"step\":1}\n{\"step\":1,\"epoch_done\":false}\n").unwrap();
    MetricsLog::resume(&path, 1, &[]).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\"step\":1}\n");
}

#[test]
fn a_resumed_log_has_no_rate_by_hand_that_the_run_does_not_have() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.jsonl");
    let mut log = MetricsLog::create(&path).unwrap();
    let line = |step: u64, in_all: f32| json!({"step": step, (LR_BY_HAND): in_all});
    let lines = [line(2, 1.1), json!({"step": 4}), line(4, 1.21), line(4, 1.331), line(5, 1.4)];
    lines.iter().for_each(|line| log.add(line).unwrap());
    MetricsLog::resume(&path, 4, &[(2, 1.1), (4, 1.21)]).unwrap();
    let kept: String = lines[..3].iter().map(|line| format!("{line}\n")).collect();
    assert_eq!(fs::read_to_string(&path).unwrap(), kept);
}

#[test]
fn a_folder_that_is_no_run_says_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let words = |path: &Path| RunFolder::open(path).unwrap_err().to_string();
    assert!(words(&folder.path().join("x")).contains("no such folder"));
    assert!(words(folder.path()).contains("no config.toml"));
    fs::write(folder.path().join("config.toml"), "").unwrap();
    assert!(words(folder.path()).contains("no checkpoint"));
}

#[test]
fn a_failed_write_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    write_whole(&path, "old").unwrap();
    write_whole(&path, "new").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert!(write_whole(&folder.path().join("no/file"), "").is_err());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

use super::runs::Run;
use super::*;
use serde_json::{Value, json};

/// A run's folder with these lines in its log.
fn folder(parent: &Path, name: &str, lines: &[Value], rest: &str) -> PathBuf {
    let path = parent.join(name);
    std::fs::create_dir(&path).unwrap();
    std::fs::write(path.join("config.toml"), "model = \"small-cnn\"\nseed = 7\n").unwrap();
    let log: String = lines.iter().map(|line| format!("{line}\n")).collect();
    std::fs::write(path.join("metrics.jsonl"), log + rest).unwrap();
    path
}

/// What a page holds, read back as a browser does.
fn data(html: &str) -> Vec<Run> {
    let (_, rest) = html.split_once(r#"<script type="application/json" id="data">"#).unwrap();
    let runs: Vec<Value> = serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap();
    let read = |run: &Value| Run {
        name: run["name"].as_str().unwrap().to_owned(),
        settings: serde_json::from_value(run["settings"].clone()).unwrap(),
        log: serde_json::from_value(run["log"].clone()).unwrap(),
        tested: None,
        inspection: None,
    };
    runs.iter().map(read).collect()
}

#[test]
fn a_page_is_one_file_with_all_that_it_shows() {
    let place = tempfile::tempdir().unwrap();
    let lines = [json!({"step": 50, "lr": 0.1, "loss": 2.5}), json!({"step": 60, "train_loss": 2.0, "val_accuracy": 0.5})];
    let hostile = "</script><script>alert(1)</script>/*DATA*/";
    let runs = [folder(place.path(), "a", &lines, "{\"step\": 7"), folder(place.path(), "b<i>", &[json!({"note": hostile})], "")];
    let to = place.path().join("page.html");
    write(&runs, &to).unwrap();
    let html = std::fs::read_to_string(&to).unwrap();
    assert_eq!((html.matches("<script").count(), html.matches("alert(1)").count()), (3, 1));
    // No address but those in licences and namespaces: nothing is fetched.
    assert!(!html.contains("src=") && !html.contains("<link") && !html.contains("@import") && !html.contains("fetch("));
    let read = data(&html);
    assert_eq!(read, runs.each_ref().map(|run| Run::read(run).unwrap()));
    assert_eq!((read[0].log.len(), &read[0].settings["seed"]), (2, &json!(7)));
    assert_eq!((&read[1].log[0]["note"], &read[1].name[..]), (&json!(hostile), "b<i>"));
    // One page over another, but over nothing else.
    write(&runs[..1], &to).unwrap();
    assert!(std::fs::read_to_string(&to).unwrap().contains("<title>a</title>"));
    std::fs::write(&to, "a letter").unwrap();
    let error = write(&runs, &to).unwrap_err().to_string();
    assert!(error.contains("it is no report") && std::fs::read_to_string(&to).unwrap() == "a letter", "{error}");
    let error = write(&[place.path().into()], &place.path().join("new.html")).unwrap_err().to_string();
    assert!(error.contains("this is not the folder of a run") && !place.path().join("new.html").exists(), "{error}");
}

#[test]
fn a_long_log_is_thinned_and_its_ends_are_kept() {
    let place = tempfile::tempdir().unwrap();
    let lines: Vec<Value> = (1..=9001).map(|step| json!({"step": step, "lr": 0.1})).collect();
    let log = Run::read(&folder(place.path(), "long", &lines, "")).unwrap().log;
    assert!((1000..=2000).contains(&log.len()) && log.last().unwrap()["step"] == 9001, "{}", log.len());
    assert!(log.windows(2).all(|pair| pair[0]["step"].as_u64() < pair[1]["step"].as_u64()));
}

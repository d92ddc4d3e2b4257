use super::*;

fn settings(text: &str) -> Result<Settings> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    Settings::read(file.path())
}

#[test]
fn flags_win_over_the_file_and_the_file_over_defaults() {
    let file = settings("epochs = 7\nbatch-size = 8\nlr = 1\nschedule = \"one-cycle\"").unwrap();
    let config = Settings { epochs: Some(3), ..Default::default() }.or(file).resolve().unwrap();
    assert_eq!((config.epochs, config.batch_size, config.lr, config.momentum), (3, 8, 1.0, 0.9));
}

#[test]
fn a_resolved_config_reads_back_as_itself() {
    let mut config = Settings { test_images: Some(5), lr: Some(0.05), ..Default::default() }.resolve().unwrap();
    config.augment = "flip,crop".into();
    assert_eq!(settings(&config.to_toml()).unwrap().resolve().unwrap(), config);
    assert!(config.to_toml().contains("lr = 0.05\n"), "{}", config.to_toml());
}

#[test]
fn the_list_of_keys_is_that_of_the_settings() {
    let error = toml::from_str::<Settings>("nothing = 1").unwrap_err();
    KEYS.iter().for_each(|key| assert!(error.message().contains(&format!("`{key}`")), "{key}"));
    assert_eq!(error.message().matches('`').count(), 2 * (KEYS.len() + 1));
}

#[test]
fn a_wrong_file_is_told_in_one_line() {
    let cases = [
        ("epoch = 3", "there is no setting `epoch`; there are: data, model, weights, lenient, epochs"),
        ("epochs = \"three\"", "`epochs`: invalid type: string \"three\""),
        ("epochs = -1", "`epochs`: invalid value: integer `-1`"),
        (
            "optimizer = \"adamax\"",
            "`optimizer`: unknown variant `adamax`, expected one of `sgd`, `adam`, `adamw`, `rmsprop`, `adagrad`, `lion`, `muon`",
        ),
        ("schedule = \"triangle\"", "`cosine-restarts`, `one-cycle`, `plateau`"),
        ("lr = 0.1\nepochs = ", "line 2: "),
    ];
    for (text, words) in cases {
        let error = crate::error::one_line(&settings(text).unwrap_err());
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn settings_out_of_range_are_named() {
    let given = [
        (Settings { lr: Some(f64::NAN), ..Default::default() }, "--lr NaN"),
        (Settings { batch_size: Some(0), ..Default::default() }, "--batch-size 0"),
        (Settings { momentum: Some(1.0), ..Default::default() }, "--momentum 1"),
        (Settings { clip_norm: Some(0.0), ..Default::default() }, "--clip-norm 0"),
        (Settings { ema: Some(1.0), ..Default::default() }, "--ema 1"),
        (Settings { accumulate: Some(3), ..Default::default() }, "--accumulate 3 is out of range; a divisor of the batch of 64"),
        (Settings { augment: Some("flip,twist".into()), ..Default::default() }, "there is no \"twist\""),
        (Settings { name: Some("../x".into()), ..Default::default() }, "--name ../x"),
    ];
    for (settings, words) in given {
        let error = settings.resolve().unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

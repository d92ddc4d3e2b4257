use super::*;
use crate::data::Dataset;

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
fn a_config_is_the_same_wherever_it_is_read_from() {
    let given =
        Settings { data: Some("src".into()), model: Some("n.json".into()), weights: Some("w".into()), ..Default::default() };
    let config = given.resolve().unwrap().anchored();
    let here = std::env::current_dir().unwrap();
    let whole = |name: &str| here.join(name).to_str().unwrap().to_owned();
    assert_eq!((config.data.clone(), config.model.clone()), (whole("src"), whole("n.json")));
    assert_eq!((config.weights.clone(), config.out.clone()), (Some(whole("w").into()), PathBuf::from(whole("runs"))));
    assert_eq!(config.anchored(), config);
    let named = Settings::default().resolve().unwrap().anchored();
    assert_eq!((&*named.data, &*named.model), ("builtin", "small-cnn"), "names are no paths");
    // What is there under no such path is the name of images that a program had.
    let of_a_program = Settings { data: Some("arrays".into()), ..Default::default() }.resolve().unwrap().anchored();
    assert_eq!(&*of_a_program.data, "arrays");
    assert_eq!([&config, &named, &of_a_program].map(Config::is_of_a_program), [false, false, true]);
}

#[test]
fn another_data_set_than_that_of_the_fingerprint_is_refused() {
    let [mut one, mut other] = [10, 11].map(|test| builtin::generate(100, test));
    let mut config = Settings { val: Some(Validation::None), ..Default::default() }.resolve().unwrap();
    config.settle(&mut one).unwrap();
    let file = settings(&config.to_toml()).unwrap();
    config.settle(&mut one).unwrap();
    let error = file.clone().resolve().unwrap().settle(&mut other).unwrap_err().to_string();
    assert!(error.contains(&format!("fingerprint {} (data-fingerprint)", one.fingerprint())), "{error}");
    // Who names a data set beside the file means that one.
    let named = Settings { data: Some("builtin".into()), ..Default::default() };
    named.over(file).resolve().unwrap().settle(&mut other).unwrap();
}

#[test]
fn images_are_held_out_as_the_settings_say_and_the_fingerprint_is_that_of_the_whole_set() {
    let settled = |text: &str, mut data: Dataset| {
        let mut config = settings(text).unwrap().resolve().unwrap();
        config.settle(&mut data).unwrap();
        let again = settings(&config.to_toml()).unwrap().resolve().unwrap();
        assert_eq!(again, config, "{text}");
        (config.val.unwrap().to_string(), [data.train.len(), data.val.len(), data.test.len()], config.data_fingerprint.unwrap())
    };
    let small = || builtin::generate(200, 20);
    let whole = small().fingerprint();
    for (text, val, sizes) in [
        ("", "20", [180, 20, 20]),
        ("val = 30", "30", [170, 30, 20]),
        ("val = 0.25", "0.25", [150, 50, 20]),
        ("val = \"0.25\"", "0.25", [150, 50, 20]),
        ("val = \"test\"", "test", [200, 0, 20]),
        ("val = \"none\"", "none", [200, 0, 20]),
    ] {
        assert_eq!(settled(text, small()), (val.to_owned(), sizes, whole.clone()), "{text}");
    }
    // Ten images of ten classes: none can be spared.
    assert_eq!(settled("", builtin::generate(10, 20)).0, "none");
    let own = || Dataset { val: builtin::generate(0, 7).test, ..small() };
    for (text, val, sizes, is_own) in [
        ("", "own", [200, 7, 20], true),
        ("val = \"own\"", "own", [200, 7, 20], true),
        ("val = 30", "30", [170, 30, 20], false),
        ("val = \"test\"", "test", [200, 0, 20], false),
    ] {
        let (found, lengths, fingerprint) = settled(text, own());
        assert_eq!((found.as_str(), lengths, fingerprint == whole), (val, sizes, !is_own), "{text}");
    }
}

#[test]
fn few_pictures_are_learned_from_in_small_steps_unless_that_was_said() {
    let pictures = |images: usize| {
        let mut data = builtin::generate(images, 0);
        data.train = data.train.with_files((0..images).map(|i| PathBuf::from(i.to_string())).collect());
        data
    };
    let suited = |given: Settings, data: Dataset| {
        let mut config = given.clone().resolve().unwrap();
        config.suit_few_pictures(&given, &data);
        (config.batch_size, config.epochs)
    };
    let on_disk = || Settings { data: Some("photos".into()), ..Default::default() };
    for (images, wanted) in [(3, (3, 40)), (72, (8, 40)), (170, (16, 40)), (640, (64, 40)), (3200, (64, 20)), (20_000, (64, 5))] {
        // Sets of that size need not be drawn.
        let data = Dataset { train: pictures(1).train.select(vec![0; images]), ..pictures(1) };
        assert_eq!(suited(on_disk(), data), wanted, "{images}");
    }
    let given = Settings { batch_size: Some(64), epochs: Some(2), ..on_disk() };
    assert_eq!(suited(given, pictures(72)), (64, 2));
    assert_eq!(suited(on_disk(), builtin::generate(72, 0)), (64, 5), "no pictures");
}

#[test]
fn the_keys_of_the_rows_are_those_that_a_file_may_have() {
    let error = toml::from_str::<Settings>("nothing = 1").unwrap_err();
    ROWS.iter().for_each(|row| assert!(error.message().contains(&format!("`{}`", row.key())), "{}", row.key()));
    assert_eq!(error.message().matches('`').count(), 2 * (ROWS.len() + 1));
}

#[test]
fn a_config_holds_what_is_of_the_run_and_has_a_value() {
    let given = Settings { name: Some("a".into()), max_steps: Some(3), ..Default::default() };
    let text = given.resolve().unwrap().to_toml();
    let written = |row: &row::Row| {
        let start = format!("{}: ", row.name);
        include_str!("rows.rs")
            .lines()
            .map(str::trim_start)
            .find(|line| line.starts_with(&start))
            .expect("a row begins with its name")
            .to_owned()
    };
    let absent = |row: &row::Row| ["name", "max-steps"].contains(&&*row.key()) || !written(row).contains(", default ");
    let wanted: Vec<String> = ROWS.iter().filter(|row| !absent(row)).map(row::Row::key).collect();
    let found: Vec<&str> = text.lines().map(|line| line.split_once(" = ").unwrap().0).collect();
    assert_eq!(found, wanted);
}

#[test]
fn a_file_may_write_keys_with_underscores() {
    let read = settings("batch_size = 8\ntest_images = 3").unwrap();
    assert_eq!((read.batch_size, read.test_images), (Some(8), Some(3)));
}

#[test]
fn a_run_that_is_continued_takes_some_flags_and_refuses_the_others() {
    let flags = "--epochs, --device, --in-memory, --patience, --max-steps, --tensorboard, --trace and --plain-report";
    assert_eq!(Settings::flags_of_resume(), flags);
    let allowed = Settings { epochs: Some(9), device: Some(DeviceKind::Cpu), max_steps: Some(1), ..Default::default() };
    allowed.check_resume().unwrap();
    let saved = settings("epochs = 2\nlr = 0.5").unwrap();
    let config = allowed.clone().or(saved).resolve().unwrap();
    assert_eq!((config.epochs, config.lr, config.device, config.max_steps), (9, 0.5, DeviceKind::Cpu, Some(1)));
    for refused in [Settings { name: Some("b".into()), ..allowed.clone() }, Settings { lenient: Some(false), ..allowed.clone() }] {
        let error = refused.check_resume().unwrap_err().to_string();
        assert!(error.contains(&format!("cannot change (only {flags} can)")), "{error}");
    }
}

/// As `wgrad` 0.1 wrote it.
#[test]
fn the_config_of_an_older_run_is_read() {
    let text = "data = \"builtin\"\nmodel = \"small-cnn\"\nepochs = 1\nbatch-size = 64\noptimizer = \"sgd\"\nlr = 0.05\n\
        momentum = 0.9\nweight-decay = 0.0005\naccumulate = 1\ncheckpoint-activations = 1\nschedule = \"one-cycle\"\n\
        warmup = 0\nlabel-smoothing = 0.0\naugment = \"none\"\nseed = 0\ndevice = \"auto\"\nout = \"runs\"\n\
        save-every = 500\nlog-every = 50\n";
    assert_eq!(settings(text).unwrap().resolve().unwrap().to_toml(), text);
}

#[cfg(feature = "cli")]
mod flags {
    use super::*;
    use clap::{Args, CommandFactory, Parser, ValueEnum};

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        settings: Settings,
    }

    fn parsed(words: &str) -> Settings {
        Flags::try_parse_from(std::iter::once("wgrad").chain(words.split_whitespace())).unwrap().settings
    }

    #[test]
    fn every_row_is_a_flag_and_its_help_ends_with_its_default() {
        let command = Settings::augment_args(clap::Command::new("wgrad"));
        let help = |flag: &str| {
            let arg = command.get_arguments().find(|arg| arg.get_long() == Some(flag)).unwrap_or_else(|| panic!("--{flag}"));
            arg.get_help().unwrap().to_string()
        };
        ROWS.iter().for_each(|row| assert!(!help(&row.key()).starts_with(' ')));
        let endings = [
            ("data", "[default: builtin]"),
            ("weights", "torchvision's names, or positions"),
            ("epochs", "[default: 1 for builtin, else 5]"),
            ("schedule", "[default: one-cycle]"),
            ("momentum", "[default: 0.9 for sgd, 0 for rmsprop, 0.95 for muon; the others have none]"),
            ("weight-decay", "[default: 0.0005 for sgd, 0.01 for adamw and muon, 0.1 for lion, else 0]"),
            ("ema", "[default: none]"),
            ("out", "[default: runs]"),
        ];
        endings.iter().for_each(|(flag, ending)| assert!(help(flag).ends_with(ending), "{}", help(flag)));
        let long = Flags::command().max_term_width(80).render_long_help().to_string();
        assert!(long.lines().all(|line| line.chars().count() <= 80), "{long}");
    }

    #[test]
    fn a_flag_without_its_value_means_what_its_row_says() {
        let found = parsed("--lenient --checkpoint-activations --seed 7");
        assert_eq!((found.lenient, found.checkpoint_activations, found.seed), (Some(true), Some(0), Some(7)));
    }

    #[test]
    fn every_update_rule_has_its_defaults() {
        for &optimizer in OptimizerKind::value_variants() {
            let config = Settings { optimizer: Some(optimizer), ..Default::default() }.resolve().unwrap();
            // They would be allowed as flags too.
            let again = Settings { lr: Some(config.lr), momentum: Some(config.momentum), ..Default::default() };
            assert_eq!(parsed(&format!("--optimizer {optimizer}")).optimizer, Some(optimizer));
            again.resolve().unwrap();
        }
    }
}

#[test]
fn a_wrong_file_is_told_in_one_line() {
    let cases = [
        ("epoch = 3", "there is no setting `epoch`; there are: data, model, weights, lenient, epochs"),
        ("epochs = \"three\"", "`epochs`: invalid type: string \"three\""),
        ("epochs = -1", "`epochs`: invalid value: integer `-1`"),
        (
            "optimizer = \"adamax\"",
            "`optimizer`: unknown variant `adamax`, expected one of `sgd`, `adam`, `adamw`, `rmsprop`, `adagrad`, `adadelta`, `lion`, `muon`",
        ),
        ("label_smoothing = 0.1\nlabel-smoothing = 0.2", "`label-smoothing` is given twice"),
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
        // As the 32-bit floats that they become.
        (Settings { lr: Some(1e39), ..Default::default() }, "--lr 1e39"),
        (Settings { lr: Some(1e-50), ..Default::default() }, "--lr 1e-50"),
        (Settings { clip_norm: Some(1e39), ..Default::default() }, "--clip-norm 1e39"),
        (Settings { weight_decay: Some(1e300), ..Default::default() }, "--weight-decay 1e300"),
        (Settings { ema: Some(0.99999999999), ..Default::default() }, "--ema 0.99999999999"),
        (Settings { label_smoothing: Some(0.99999999999), ..Default::default() }, "--label-smoothing 0.99999999999"),
        // As the 63-bit integers that config.toml has.
        (Settings { epochs: Some(1 << 63), ..Default::default() }, "--epochs 9223372036854775808"),
        (Settings { test_images: Some(1 << 63), ..Default::default() }, "--test-images 9223372036854775808"),
        (Settings { data_fingerprint: Some("x".into()), ..Default::default() }, "--data-fingerprint x"),
        (Settings { strip_prefix: Some("a.".into()), ..Default::default() }, "--strip-prefix says how --weights is read"),
        (Settings { clip_norm: Some(0.0), ..Default::default() }, "--clip-norm 0"),
        (Settings { clip_value: Some(-1.0), ..Default::default() }, "--clip-value -1"),
        (Settings { ema: Some(1.0), ..Default::default() }, "--ema 1"),
        (Settings { accumulate: Some(3), ..Default::default() }, "--accumulate 3 is out of range; a divisor of the batch of 64"),
        (
            Settings { warmup: Some(Warmup::Steps(3)), ..Default::default() },
            "--warmup 3: the schedule one-cycle has a rise of its own",
        ),
        (Settings { augment: Some("flip,twist".into()), ..Default::default() }, "there is no \"twist\""),
        (Settings { name: Some("../x".into()), ..Default::default() }, "--name ../x"),
        (Settings { seed: Some(u64::MAX), ..Default::default() }, "--seed 18446744073709551615 is out of range"),
        (
            Settings { nesterov: Some(false), optimizer: Some(OptimizerKind::Lion), ..Default::default() },
            "--nesterov is a way of sgd and muon; --optimizer lion has none",
        ),
        (Settings { lenient: Some(true), ..Default::default() }, "--lenient says how --weights is read"),
    ];
    for (settings, words) in given {
        let error = settings.resolve().unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

use super::*;

fn plan(text: &str) -> Result<Plan> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    Plan::read(file.path())
}

fn all(plan: &Plan) -> Vec<String> {
    (1..=plan.configurations).map(|number| told(&plan.values(number))).collect()
}

#[test]
fn a_grid_is_every_combination_once() {
    let plan = plan("method = \"grid\"\n[base]\nepochs = 2\n[search]\nlr = [0.1, 0.01, 0.001]\nbatch_size = [8, 16]").unwrap();
    assert_eq!((plan.configurations, plan.rungs()), (6, vec![Rung { configurations: 6, epochs: None }]));
    let found = all(&plan);
    assert_eq!(found[..3], ["batch-size = 8, lr = 0.1", "batch-size = 8, lr = 0.01", "batch-size = 8, lr = 0.001"]);
    assert_eq!(found.iter().collect::<std::collections::BTreeSet<_>>().len(), 6);
    let settings = plan.settings(Path::new("a"), 4, None).unwrap();
    assert_eq!((settings.batch_size, settings.lr, settings.epochs), (Some(16), Some(0.1), Some(2)));
}

const RANDOM: &str = "method = \"random\"\nseed = 3\nruns = RUNS\n[search]\nlr = { min = 0.001, max = 0.1, log = true }\n\
    momentum = { min = 0.5, max = 0.9 }\nbatch-size = { min = 8, max = 11 }\noptimizer = [\"sgd\", \"rmsprop\"]";

#[test]
fn what_is_drawn_is_a_function_of_seed_number_and_name() {
    let [few, many] = ["40", "200"].map(|runs| plan(&RANDOM.replace("RUNS", runs)).unwrap());
    assert_eq!(all(&few), all(&many)[..40]);
    assert!(many.goes_on(&few) && few.goes_on(&many));
    let other = plan(&RANDOM.replace("RUNS", "40").replace("seed = 3", "seed = 4")).unwrap();
    assert!(!other.goes_on(&few) && all(&other).iter().zip(&all(&few)).all(|(a, b)| a != b));
    // Another setting moves none of those that were there.
    let more = plan(&format!("{}\nweight-decay = [0.0, 0.1]", RANDOM.replace("RUNS", "40"))).unwrap();
    let without = |number: u64| more.values(number).into_iter().filter(|(key, _)| key != "weight-decay").collect::<Vec<_>>();
    assert!((1..=40).all(|number| without(number) == few.values(number)) && !more.goes_on(&few));
}

#[test]
fn what_is_drawn_fills_its_range() {
    let plan = plan(&RANDOM.replace("RUNS", "2000")).unwrap();
    let value = |number: u64, key: &str| plan.values(number).into_iter().find(|(name, _)| name == key).unwrap().1;
    let share = |holds: &dyn Fn(u64) -> bool| (1..=2000).filter(|&number| holds(number)).count() as f64 / 2000.0;
    let near = |found: f64, wanted: f64| assert!((found - wanted).abs() < 0.05, "{found}, {wanted} is wanted");
    // Half of a logarithmic range lies below its geometric mean, and of an even one below its middle.
    near(share(&|n| value(n, "lr").as_float().unwrap() < 0.01), 0.5);
    near(share(&|n| value(n, "momentum").as_float().unwrap() < 0.7), 0.5);
    for size in 8..=11 {
        near(share(&|n| value(n, "batch-size") == Value::Integer(size)), 0.25);
    }
    near(share(&|n| value(n, "optimizer").as_str() == Some("sgd")), 0.5);
    assert!((1..=2000).all(|n| (0.001..=0.1).contains(&value(n, "lr").as_float().unwrap())));
}

#[test]
fn the_rungs_of_halving_have_one_in_eta_and_eta_times_the_epochs() {
    let rungs = |words: &str| {
        let plan = plan(&format!("method = \"halving\"\n{words}\n[search]\nlr = {{ min = 0.001, max = 0.1 }}")).unwrap();
        plan.rungs().iter().map(|rung| (rung.configurations, rung.epochs.unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(rungs("runs = 9"), [(9, 1), (3, 3), (1, 9)]);
    assert_eq!(rungs("runs = 10\neta = 2\nmin-epochs = 5"), [(10, 5), (5, 10), (2, 20), (1, 40)]);
    assert_eq!(rungs("runs = 2\neta = 4"), [(2, 1), (1, 4)]);
    assert_eq!(rungs("runs = 1"), [(1, 1)]);
}

#[test]
fn a_wrong_file_is_told_by_its_key() {
    let random = |search: &str| format!("method = \"random\"\nruns = 3\n[search]\n{search}");
    let grid = |rest: &str| format!("method = \"grid\"\n{rest}");
    let cases = [
        ("lr = ".to_owned(), "line 1: "),
        (grid("[search]\nlr = [0.1]\n[other]"), "a sweep has no `other`"),
        ("[search]\nlr = [0.1]".to_owned(), "`method`: one of"),
        ("method = \"bayes\"\n[search]\nlr = [0.1]".to_owned(), "`method`: one of"),
        (grid(""), "`search`: there is nothing to try"),
        (grid("search = 3"), "`search`: settings below a line [search]"),
        (grid("[search]\nrate = [0.1]"), "there is no setting `rate`; there are: data"),
        (grid("[base]\nepoch = 3\n[search]\nlr = [0.1]"), "there is no setting `epoch`"),
        (grid("[search]\nlr = []"), "`lr`: an empty list tries nothing"),
        (grid("[search]\nlr = [0.1, 0.1]"), "`lr`: 0.1 stands in the list twice"),
        (grid("[search]\nlr = 0.1"), "`lr`: a list of values is wanted, or a range"),
        (grid("[search]\nlr = [0.1, \"fast\"]"), "`lr`: invalid type"),
        (grid("[search]\nlr = [0.1, -1.0]"), "--lr -1 is out of range"),
        (grid("[search]\nlr = { min = 0.1, max = 1.0 }"), "`lr`: a grid takes lists"),
        (grid("runs = 3\n[search]\nlr = [0.1]"), "`runs`: a grid has as many"),
        (grid("eta = 3\n[search]\nlr = [0.1]"), "`eta`: only method = \"halving\" has it"),
        (grid("[base]\nlr = 0.1\n[search]\nlr = [0.1]"), "`lr`: it stands below [base] and below [search]"),
        (grid("[base]\nname = \"a\"\n[search]\nlr = [0.1]"), "`name`: a sweep names the folders"),
        (grid("[search]\nout = [\"a\"]"), "`out`: a sweep names the folders"),
        (grid("[search]\ndevice = [\"cpu\"]"), "`device`: it is the same for all runs"),
        (grid("[base]\nbatch-size = 64\nbatch_size = 8\n[search]\nlr = [0.1]"), "`batch-size` is given twice"),
        (grid("[search]\naccumulate = [1, 3]"), "configuration 2 (accumulate = 3): --accumulate 3 is out of range"),
        (
            grid(&format!("[search]\nseed = {0:?}\nepochs = {0:?}", (1..=100).collect::<Vec<_>>())),
            "`seed`: with it the grid has more than 9999",
        ),
        ("method = \"random\"\n[search]\nlr = [0.1]".to_owned(), "`runs`: the number of configurations"),
        ("method = \"random\"\nruns = 0\n[search]\nlr = [0.1]".to_owned(), "`runs`: 0 is out of range"),
        ("method = \"random\"\nruns = 3\nseed = -1\n[search]\nlr = [0.1]".to_owned(), "`seed`: -1 is out of range"),
        (random("lr = { min = 0, max = 1.0, log = true }"), "`lr`: a logarithmic range begins above 0, and min is 0"),
        (random("lr = { min = 0.1, max = 0.1 }"), "`lr`: min 0.1 is not below max 0.1"),
        (random("lr = { min = 0.1 }"), "`lr`: the range has no max"),
        (random("lr = { min = 0.1, max = 1.0, step = 3 }"), "`lr`: a range has min, max and log, and no step"),
        (random("lr = { min = 0.1, max = 1.0, log = 3 }"), "`lr`: log is true or false, and not 3"),
        (random("lr = { min = 0.1, max = nan }"), "`lr`: a range goes from a number to a number, and nan"),
        (random("momentum = { min = 0.1, max = 1.0 }"), "--momentum 1 is out of range"),
        (random("batch-size = { min = 0.5, max = 8 }"), "`batch-size`: invalid type: floating point"),
        ("method = \"halving\"\nruns = 3\n[base]\nepochs = 3\n[search]\nlr = [0.1]".to_owned(), "`epochs`: halving decides"),
        (
            "method = \"halving\"\nruns = 9999\neta = 1000\nmin-epochs = 0\n[search]\nlr = [0.1]".to_owned(),
            "`min-epochs`: 0 is out of range",
        ),
    ];
    for (text, words) in cases {
        let error = plan(&text).expect_err(&text).to_string();
        assert!(error.contains(words), "{text}: {error}");
    }
    assert!(plan(&grid("[search]\nlr = [0.1]")).is_ok());
}

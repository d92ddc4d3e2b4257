//! Tables of pictures: the same set as the folders would be, and what is wrong by its line.

use super::*;

/// Opens the table of this text, which lies among the pictures.
fn named(folder: &TestFolder, text: impl AsRef<[u8]>) -> Result<Dataset, String> {
    folder.write("some.csv", text.as_ref());
    let opened = open_as(&folder.spec("some.csv"), &Opening::of([3, 2, 2]));
    opened.map(|opened| opened.data).map_err(|error| error.to_string())
}

const NAMES: [&str; 7] = ["cat/1.png", "cat/2.png", "cat/3.png", "dog/1.png", "dog/2.png", "fox/1.png", "fox/old/2.png"];

/// A row for each, the last one first.
fn rows(names: &[&str]) -> String {
    names.iter().rev().map(|name| format!("{name},{}\n", name.split('/').next().unwrap())).collect()
}

#[test]
fn a_table_of_the_files_is_the_set_of_the_folders() {
    let folder = folder(&NAMES);
    let mut wanted = opened(&folder, false).unwrap().data;
    wanted.name = "some.csv".to_owned();
    assert_eq!(named(&folder, format!("path,label\n{}", rows(&NAMES))).unwrap(), wanted);
    // As a spreadsheet writes it: other columns, quotes, a mark at the beginning, and lines that end as on Windows.
    let quoted: String = NAMES.iter().map(|name| format!("\"7\", ./{name} ,\"{}\"\r\n\r\n", &name[..3])).collect();
    assert_eq!(named(&folder, format!("\u{feff}Number,Path,LABEL\r\n{quoted}")).unwrap(), wanted);
    // Classes are not the names of folders, and what no row names is no picture of the set.
    let some = named(&folder, "path,label\ncat/1.png,wild\nfox/1.png,wild\ndog/2.png,\"tame, or not\"\n").unwrap();
    assert_eq!(files(&some.train), ["dog/2.png", "cat/1.png", "fox/1.png"]);
    assert_eq!(some.classes, ["tame, or not", "wild"]);
    assert_eq!(some.train.image(0)[0], 4, "the fifth picture");
    let mut one = wanted.clone();
    one.hold_out(Amount::Images(2)).unwrap();
    let mut other = named(&folder, format!("path,label\n{}", rows(&NAMES))).unwrap();
    other.hold_out(Amount::Images(2)).unwrap();
    assert_eq!(one, other);
}

#[test]
fn rows_say_what_they_are_for() {
    let folder = folder(&NAMES);
    let text = |val: &str| {
        format!(
            "split,path,label\ntrain,cat/1.png,cat\nTrain,dog/1.png,dog\n{val},cat/2.png,cat\ntest,dog/2.png,dog\ntest,cat/3.png,cat\n"
        )
    };
    for val in ["val", "valid", "Validation"] {
        let data = named(&folder, text(val)).unwrap();
        assert_eq!(
            [&data.train, &data.val, &data.test].map(files),
            [vec!["cat/1.png", "dog/1.png"], vec!["cat/2.png"], vec!["cat/3.png", "dog/2.png"]]
        );
    }
    let data = named(&folder, text("train")).unwrap();
    assert_eq!((data.train.len(), data.val.len(), data.test.len()), (3, 0, 2));
}

#[test]
fn pictures_may_have_several_labels() {
    let folder = folder(&NAMES);
    let rows = "cat/1.png,cat|in\ncat/2.png,cat\ncat/3.png, in | cat |in\ndog/1.png,in\ndog/2.png,dog\n";
    let data = named(&folder, format!("path,labels\n{rows}")).unwrap();
    assert_eq!(data.classes, ["cat", "dog", "in"]);
    let of = |set: &ImageSet| {
        (0..set.len()).map(|row| (set.file(row).unwrap().to_owned(), set.classes_of(row).to_vec())).collect::<Vec<_>>()
    };
    let want = [
        ("cat/2.png", vec![0]),
        ("cat/1.png", vec![0, 2]),
        ("dog/2.png", vec![1]),
        ("dog/1.png", vec![2]),
        ("cat/3.png", vec![0, 2]),
    ];
    assert_eq!(of(&data.train), want.map(|(name, classes)| (PathBuf::from(name), classes)));
    assert!(data.is_multi_label());
    // What images have is part of what the set is known by.
    let other = named(&folder, format!("path,labels\n{}", rows.replace("1.png,in", "1.png,dog"))).unwrap();
    let single = named(&folder, "path,label\ncat/1.png,cat\ndog/1.png,dog\n").unwrap();
    let each_one = named(&folder, "path,labels\ncat/1.png,cat\ndog/1.png,dog\n").unwrap();
    assert_eq!(single.train.labels(), each_one.train.labels());
    assert!(!single.is_multi_label() && each_one.is_multi_label());
    assert!(data.fingerprint() != other.fingerprint() && single.fingerprint() != each_one.fingerprint());
}

#[test]
fn what_is_wrong_in_a_table_is_told_with_its_line() {
    let folder = folder(&NAMES);
    let right = "path,label\ncat/1.png,cat\ndog/1.png,dog\n";
    assert!(named(&folder, right).is_ok(), "the control");
    let cases: [(&[u8], &str); 21] = [
        (b"", "line 1: a first row with the columns path and label is wanted; path is not in \"\""),
        (b"file,label\n", "line 1: a first row with the columns path and label is wanted; path is not in \"file, label\""),
        (b"path;label\n", "path is not in \"path;label\""),
        (b"path,class\n", "label is not in \"path, class\""),
        (b"path,label,Path\n", "line 1: two columns are called path"),
        (b"path,label\n", "it names no picture to learn from"),
        (b"path,label,labels\n", "line 1: there are two columns of labels, label and labels"),
        (b"path,label\ncat/1.png,cat | in\n", "line 2: cat/1.png has several labels (cat | in): call the column labels"),
        (b"path,labels\ncat/1.png,cat||in\n", "line 2: the label of cat/1.png is empty"),
        (
            b"path,labels,split\ncat/1.png,cat|in,train\ncat/2.png,cat|out,val\n",
            "line 3: no picture to learn from has the label out",
        ),
        (b"path,label\n\n\ncat/9.png,cat\n", "line 4: there is no file"),
        (b"path,label\r\ncat/1.png,cat\r\ncat,dog\r\n", "line 3: there is no file"),
        (b"path,label\ncat/1.png,\n", "line 2: the label of cat/1.png is empty"),
        (b"path,label\n \t,cat\n", "line 2: the path is empty"),
        (b"path,label\ncat/1.png,cat\n\"dog/1.png\",\"d\nog\"\n./cat//1.png,dog\n", "line 5: cat/1.png stands in line 2 already"),
        (b"path,label\ncat/1.png,cat\ndog/1.png,Cat\n", "line 3: the label Cat is cat of line 2 but for capitals"),
        (b"path,label\ncat/1.png\n", "line 2: 1 cells, and the first row has 2"),
        (b"path,label\ncat/1.png,cat,big\n", "line 2: 3 cells, and the first row has 2"),
        (b"path,label\ncat/1.png,caf\xe9\n", "line 2: this is not UTF-8"),
        (
            b"path,label,split\ncat/1.png,cat,train\ndog/1.png,dog,maybe\n",
            "line 3: the split is \"maybe\": train, val or test is wanted",
        ),
        (b"path,label,split\ncat/1.png,cat,train\ndog/1.png,dog,val\n", "line 3: no picture to learn from has the label dog"),
    ];
    for (text, wanted) in cases {
        let error = named(&folder, text).unwrap_err();
        assert!(error.contains("some.csv") && error.contains(wanted), "\"{wanted}\" is wanted: {error}");
    }
    for text in ["path,label\ncat/1.png,cat\n", "path,label,split\ncat/1.png,cat,train\ncat/2.png,cat,test\n"] {
        assert!(named(&folder, text).unwrap_err().contains("there is one class here (cat)"));
    }
    let error = open(&folder.spec("nowhere.csv")).unwrap_err().to_string();
    assert!(error.contains("nowhere.csv cannot be read"), "{error}");
}

#[test]
fn pictures_of_a_table_that_cannot_be_read_are_named_or_left_out() {
    let folder = folder(&NAMES);
    folder.write("cat/4.png", b"text");
    folder.write("some.csv", format!("path,label\n{}cat/4.png,cat\ncat/5.png,cat\n", rows(&NAMES)).as_bytes());
    let opening = Opening { skip_bad: true, ..Opening::of([3, 2, 2]) };
    let error = open_as(&folder.spec("some.csv"), &Opening { skip_bad: false, ..opening }).err().unwrap().to_string();
    assert!(error.contains("some.csv line 10: there is no file") && error.contains("cat/5.png"), "{error}");
    let found = open_as(&folder.spec("some.csv"), &opening).unwrap();
    let left_out: Vec<_> = found.unreadable.iter().map(|(path, _)| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!((found.data.train.len(), left_out), (7, vec!["4.png", "5.png"]));
    assert!(found.remarks[0].starts_with("2 of 9 pictures cannot be read"), "{:?}", found.remarks);
}

#[test]
fn a_table_has_a_cache_of_its_own_wherever_it_is_named_from() {
    let (folder, cache) = (folder(&NAMES), tempfile::tempdir().unwrap());
    let above: String = rows(&NAMES).lines().map(|row| format!("../{row}\n")).collect();
    folder.write(".tables/some.csv", format!("path,label\n{above}").as_bytes());
    let read = |name: &str| {
        let counted = AtomicUsize::new(0);
        let progress = |_| {
            counted.fetch_add(1, Relaxed);
        };
        let opening = Opening { cache: Some(cache.path()), progress: &progress, ..Opening::of([3, 2, 2]) };
        let data = open_as(&folder.spec(name), &opening).unwrap().data;
        (counted.into_inner(), data.train)
    };
    let (decoded, first) = read(".tables/some.csv");
    assert_eq!(decoded, 7);
    assert_eq!(read(".tables/some.csv"), (0, first.clone()));
    assert_eq!(read(".tables/../.tables/some.csv"), (0, first));
    assert_eq!(read("").0, 7, "the folder's");
    assert_eq!(std::fs::read_dir(cache.path()).unwrap().count(), 2);
}

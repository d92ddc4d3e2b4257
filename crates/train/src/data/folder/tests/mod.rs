mod masks;
mod off_memory;
mod table;

use super::*;
use crate::data::test_folder::TestFolder;
use crate::data::{Amount, open, open_as};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use std::io::Cursor;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

fn encoded(colour: [u8; 3], [w, h]: [u32; 2], format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(RgbImage::from_pixel(w, h, Rgb(colour))).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn png(level: u8) -> Vec<u8> {
    encoded([level, 0, 255], [9, 7], ImageFormat::Png)
}

fn opened(folder: &TestFolder, skip_bad: bool) -> Result<Opened, DataError> {
    open_as(&folder.spec(""), &Opening { skip_bad, ..Opening::of([3, 2, 2]) })
}

/// Files by their names, each a picture; what is left behind stands beside them.
fn folder(names: &[&str]) -> TestFolder {
    let folder = TestFolder::new();
    names.iter().enumerate().for_each(|(i, name)| folder.write(name, &png(i as u8)));
    folder
}

fn files(set: &ImageSet) -> Vec<&str> {
    (0..set.len()).map(|i| set.file(i).unwrap().to_str().unwrap()).collect()
}

#[track_caller]
fn refused_as(folder: &TestFolder, words: &[&str]) {
    let error = opened(folder, false).err().expect("an error").to_string();
    words.iter().for_each(|word| assert!(error.contains(word), "\"{word}\" is wanted: {error}"));
}

#[test]
fn classes_are_folders_and_images_come_from_all_of_them_in_turn() {
    let folder = folder(&["dog/b.png", "cat/2.PNG", "cat/1.png", "cat/old/3.png", "dog/a.png", "fox/x.png"]);
    for (name, bytes) in [("jpeg.jpg", ImageFormat::Jpeg), ("bitmap.bmp", ImageFormat::Bmp), ("webp.webp", ImageFormat::WebP)] {
        folder.write(&format!("fox/y/{name}"), &encoded([255, 0, 0], [5, 8], bytes));
    }
    for hidden in [".DS_Store", "cat/.1.png.swp", "cat/Thumbs.db", "__MACOSX/cat/1.png", "dog/.git/a.png", "desktop.ini"] {
        folder.write(hidden, b"x");
    }
    let Opened { data, remarks, .. } = opened(&folder, false).unwrap();
    assert_eq!((&data.classes[..], remarks.len()), (&["cat", "dog", "fox"].map(String::from)[..], 0));
    let want = [
        "cat/1.png",
        "dog/a.png",
        "fox/x.png",
        "cat/2.PNG",
        "dog/b.png",
        "fox/y/bitmap.bmp",
        "cat/old/3.png",
        "fox/y/jpeg.jpg",
        "fox/y/webp.webp",
    ];
    assert_eq!(files(&data.train), want);
    assert_eq!(data.train.labels(), [0, 1, 2, 0, 1, 2, 0, 2, 2]);
    assert_eq!(data.train.image(0), [2, 2, 2, 2, 0, 0, 0, 0, 255, 255, 255, 255], "the third picture: its level in red");
    assert!(data.val.is_empty() && data.test.is_empty() && data.has_files());
    folder.write("notes.txt", b"x");
    folder.write("cat/a.heic", b"x");
    let remarks = opened(&folder, false).unwrap().remarks;
    assert_eq!(remarks, ["2 files that are no pictures by their names were passed over: notes.txt, ..."]);
    // Another size is asked for by another opening; `open` takes 64.
    assert_eq!(open(&folder.spec("")).unwrap().train.height(), 64);
}

#[test]
fn splits_are_folders_too() {
    for val in ["val", "valid", "Validation"] {
        let folder = folder(&["train/a/1.png", "train/b/1.png", &format!("{val}/b/2.png"), "test/a/3.png", "test/b/3.png"]);
        let data = opened(&folder, false).unwrap().data;
        assert_eq!(
            (files(&data.train), files(&data.val), files(&data.test)),
            (vec!["a/1.png", "b/1.png"], vec!["b/2.png"], vec!["a/3.png", "b/3.png"])
        );
        assert_eq!(data.val.labels(), [1], "by the classes of train/");
    }
    // With pictures right in it, train is a class like others.
    let data = opened(&folder(&["train/1.png", "test/1.png", "car/1.png"]), false).unwrap().data;
    assert_eq!(data.classes, ["car", "test", "train"]);
}

#[test]
fn what_is_no_set_of_class_folders_is_told_by_name() {
    let cases: [(&[&str], &[&str]); 9] = [
        (&["cat/1.png"], &["there is one class here (cat)"]),
        (&["1.png", "2.png"], &["1.png", "lies in no class folder"]),
        (&["cat/1.png", "dog/1.png", "x.png"], &["x.png", "lies in no class folder"]),
        (&["cat/1.png", "Cat/2.png", "dog/1.png"], &["/cat", "Cat is the same name but for capitals"]),
        (&["train/a/1.png", "train/b/1.png", "test/c/1.png"], &["test/c", "has no class of this name"]),
        (&["train/a/1.png", "train/b/1.png", "cars/1.png"], &["cars", "beside train"]),
        (&["test/a/1.png", "test/b/1.png"], &["test and no train/"]),
        (&["train/a/1.png", "train/b/1.png", "val/a/1.png", "valid/a/1.png"], &["valid", "join the two"]),
        (&["a/1.png", "b/1.txt"], &["/b", "this class has no pictures"]),
    ];
    for (names, words) in cases {
        refused_as(&folder(names), words);
    }
    let folder = folder(&["a/1.png", "b/1.png"]);
    std::fs::create_dir(folder.spec("c")).unwrap();
    refused_as(&folder, &["/c", "remove the folder, or fill it"]);
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_do_not_lead_in_circles() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;
    let folder = folder(&["a/1.png", "b/1.png", ".store/x.png"]);
    symlink(folder.spec(".store"), folder.spec("c")).unwrap();
    symlink(folder.spec("a/1.png"), folder.spec("b/2.png")).unwrap();
    // Not text, and a picture all the same.
    std::fs::write(PathBuf::from(folder.spec("a")).join(OsStr::from_bytes(b"\xff.png")), png(0)).unwrap();
    let data = opened(&folder, false).unwrap().data;
    assert_eq!((data.train.len(), data.classes.len()), (5, 3));
    symlink(folder.spec("nowhere"), folder.spec("b/3.png")).unwrap();
    refused_as(&folder, &["b/3.png", "it cannot be read", "--skip-bad"]);
    symlink(folder.spec("a"), folder.spec("a/again")).unwrap();
    refused_as(&folder, &["again", "leads back"]);
    std::fs::create_dir(PathBuf::from(folder.spec("")).join(OsStr::from_bytes(b"c\xff"))).unwrap();
    refused_as(&folder, &["must be UTF-8"]);
}

#[test]
fn what_cannot_be_read_is_named_or_left_out_and_listed() {
    let folder = folder(&["a/1.png", "a/2.png", "b/1.png", "b/2.png"]);
    let whole = encoded([9, 9, 9], [64, 64], ImageFormat::Jpeg);
    folder.write("b/3.jpg", &whole[..whole.len() / 2]);
    folder.write("a/4.png", b"text");
    refused_as(&folder, &["a/4.png", "that can be read", "so is 1 other (--skip-bad leaves such pictures out)"]);
    let Opened { data, remarks, .. } = opened(&folder, true).unwrap();
    assert_eq!(files(&data.train), ["a/1.png", "b/1.png", "a/2.png", "b/2.png"]);
    assert_eq!(data.train.image(3)[0], 3, "those behind it moved up");
    assert!(remarks[0].starts_with("2 of 6 pictures cannot be read") && remarks.len() == 3, "{remarks:?}");
    assert!(
        remarks[1].contains("a/4.png: ") && remarks[2].contains("b/3.jpg: ") && remarks[2].contains("cut short"),
        "{remarks:?}"
    );
    folder.write("a/1.png", b"");
    folder.write("a/2.png", b"");
    let error = opened(&folder, true).err().unwrap().to_string();
    assert!(error.contains("no picture of the class a can be read"), "{error}");
}

#[test]
fn what_does_not_fit_the_memory_is_refused_with_what_would() {
    let folder = folder(&["a/1.png", "b/1.png"]);
    let error = open_as(&folder.spec(""), &Opening::of([3, 1 << 22, 1 << 22])).err().unwrap().to_string();
    assert!(
        error.contains("2 pictures of 4194304 x 4194304")
            && error.contains(": --image-size ")
            && error.ends_with(" fits, or --in-memory off"),
        "{error}"
    );
}

#[test]
fn every_picture_is_counted_and_the_number_of_threads_changes_nothing() {
    let folder = folder(&["a/1.png", "b/1.png", "a/2.png", "b/2.png", "c/1.png"]);
    let on = |threads| {
        let counted = AtomicUsize::new(0);
        let progress = |total: usize| assert!(counted.fetch_add(1, Relaxed) < total && total == 5);
        let opening = Opening { progress: &progress, ..Opening::of([3, 4, 4]) };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let mut data = pool.install(|| open_as(&folder.spec(""), &opening)).unwrap().data;
        assert_eq!(counted.load(Relaxed), 5);
        data.hold_out(Amount::Images(2)).unwrap();
        data
    };
    assert_eq!(on(1), on(3));
}

/// How often a picture was read, and the set.
fn cached(folder: &TestFolder, cache: &Path, shape: [usize; 3]) -> (usize, Dataset) {
    let counted = AtomicUsize::new(0);
    let progress = |_| {
        counted.fetch_add(1, Relaxed);
    };
    let opening = Opening { skip_bad: true, cache: Some(cache), progress: &progress, ..Opening::of(shape) };
    let data = open_as(&folder.spec(""), &opening).unwrap().data;
    (counted.load(Relaxed), data)
}

#[test]
fn a_cache_is_taken_where_nothing_changed_and_never_trusted_otherwise() {
    let folder = folder(&["train/a/1.png", "train/b/1.png", "train/a/2.png", "val/a/3.png", "test/b/4.png"]);
    folder.write("train/b/bad.png", b"text");
    let cache = tempfile::tempdir().unwrap();
    let open = || cached(&folder, cache.path(), [3, 4, 4]);
    let plain = opened(&folder, true).unwrap().data.classes;
    let (read, first) = open();
    assert_eq!((read, first.train.len(), &first.classes), (6, 3, &plain));
    // The one that cannot be read is looked at each time.
    assert_eq!(open(), (1, first.clone()));
    let path = std::fs::read_dir(cache.path()).unwrap().next().unwrap().unwrap().path();
    // Another size is another file.
    assert_eq!(cached(&folder, cache.path(), [3, 5, 4]).0, 6);
    assert_eq!(cached(&folder, cache.path(), [3, 5, 4]).0, 1);
    // One byte wrong costs the picture that it is of; at the head, or in a file cut short or too long, all of them.
    let whole = std::fs::read(&path).unwrap();
    let damaged = |(at, read): (usize, usize)| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        (bytes, read)
    };
    let (rows, images) = (32, 32 + 6 * 16);
    let heads = [(0, 6), (16, 6), (24, 6)];
    let ones = [(rows, 2), (rows + 8, 2), (rows + 12, 2), (images, 2), (images + 48, 2), (whole.len() - 1, 2)];
    let cuts = [0, 10, 20, whole.len() / 2, whole.len() - 1].map(|length| (whole[..length].to_vec(), 6));
    let longer = ([&whole[..], b"x"].concat(), 6);
    for (bytes, read) in heads.into_iter().chain(ones).map(damaged).chain(cuts).chain([longer]) {
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(open(), (read, first.clone()));
        assert!(std::fs::read(&path).unwrap() == whole, "whole again");
    }
    // A picture of the same name and length, with another time.
    let changed = Path::new(&folder.spec("train/a/1.png")).to_owned();
    let later = changed.metadata().unwrap().modified().unwrap() + std::time::Duration::from_secs(3);
    std::fs::write(&changed, png(200)).unwrap();
    std::fs::File::options().append(true).open(&changed).unwrap().set_modified(later).unwrap();
    let (read, second) = open();
    assert_eq!((read, second.train.image(0)[0]), (2, 200));
    assert_eq!(open(), (1, second));
    // One more, and one less.
    folder.write("train/b/5.png", &png(9));
    assert_eq!(open().0, 7);
    std::fs::remove_file(folder.spec("train/b/5.png")).unwrap();
    assert_eq!((open().0, open().0), (6, 1));
    // Where it cannot be written, it is said and nothing else.
    let none = cache.path().join(path.file_name().unwrap());
    let opening = Opening { skip_bad: true, cache: Some(&none), ..Opening::of([3, 4, 4]) };
    let remarks = open_as(&folder.spec(""), &opening).unwrap().remarks;
    assert!(remarks.iter().any(|remark| remark.contains("the cache cannot be written")), "{remarks:?}");
}

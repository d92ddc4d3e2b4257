//! Pictures with masks: which belong together, and what their values stand for.

use super::*;
use crate::data::InMemory;
use crate::segmentation::write_mask;
use image::{GrayImage, Luma};

const SHAPE: [usize; 3] = [3, 4, 4];

/// A mask of 8 x 6 whose left half has one value and the right half another.
fn mask(left: u8, right: u8) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let picture = GrayImage::from_fn(8, 6, |x, _| Luma([if x < 4 { left } else { right }]));
    DynamicImage::from(picture).write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// Pictures below `root` with these names and values of their masks' halves.
fn write(folder: &TestFolder, root: &str, pairs: &[(&str, [u8; 2])]) {
    for (i, (name, [left, right])) in pairs.iter().enumerate() {
        folder.write(&format!("{root}images/{name}.png"), &encoded([10 * i as u8, 0, 255], [8, 6], ImageFormat::Png));
        folder.write(&format!("{root}masks/{name}.png"), &mask(*left, *right));
    }
}

fn with(pairs: &[(&str, [u8; 2])]) -> TestFolder {
    let folder = TestFolder::new();
    write(&folder, "", pairs);
    folder
}

fn opened_as(folder: &TestFolder, opening: Opening<'_>) -> Result<Opened, DataError> {
    open_as(&folder.spec(""), &opening)
}

fn data(folder: &TestFolder) -> Dataset {
    opened_as(folder, Opening::of(SHAPE)).unwrap().data
}

/// Rows of four, a half of each value.
fn halves(left: u8, right: u8) -> Vec<u8> {
    [left, left, right, right].repeat(4)
}

#[test]
fn a_picture_has_the_mask_of_its_name_and_both_become_one_size() {
    let folder = with(&[("b", [0, 1]), ("a.1", [2, 255]), ("old/a", [1, 0])]);
    folder.write("images/c.jpg", &encoded([255, 0, 0], [8, 6], ImageFormat::Jpeg));
    folder.write("masks/c.PNG", &mask(2, 0));
    let data = data(&folder);
    assert_eq!(files(&data.train), ["a.1.png", "b.png", "c.jpg", "old/a.png"]);
    assert_eq!(data.classes, ["0", "1", "2"]);
    let masks: Vec<&[u8]> = (0..4).map(|i| data.train.mask(i)).collect();
    assert_eq!(masks, [halves(2, 255), halves(0, 1), halves(2, 0), halves(1, 0)]);
    assert_eq!((data.train.image(1)[0], data.has_masks(), data.val.is_empty()), (0, true, true));
    assert_eq!(data.train.labels(), [0; 4]);
}

#[test]
fn zero_and_255_alone_are_two_classes_and_beside_others_255_is_none() {
    let two = with(&[("a", [0, 255]), ("b", [255, 255])]);
    let data_of_two = data(&two);
    assert_eq!(data_of_two.classes, ["background", "object"]);
    assert_eq!((data_of_two.train.mask(0), data_of_two.train.mask(1)), (&halves(0, 1)[..], &[1; 16][..]));
    two.write("classes.txt", b"road\n\ncar\r\n");
    assert_eq!(data(&two).classes, ["road", "car"]);
    two.write("classes.txt", b"road\ncar\nsky\n");
    refused_as(&two, &["no two classes", "0, 255"]);
    let three = with(&[("a", [0, 255]), ("b", [1, 255])]);
    assert_eq!(data(&three).train.mask(0), halves(0, 255));
}

#[test]
fn splits_are_folders_and_classes_are_those_that_are_learned() {
    let folder = TestFolder::new();
    write(&folder, "train/", &[("a", [0, 1]), ("b", [1, 2])]);
    write(&folder, "Validation/", &[("a", [2, 2])]);
    write(&folder, "test/", &[("z", [0, 255])]);
    let found = data(&folder);
    assert_eq!([&found.train, &found.val, &found.test].map(files), [vec!["a.png", "b.png"], vec!["a.png"], vec!["z.png"]]);
    assert_eq!((found.classes.len(), found.test.mask(0)), (3, &halves(0, 255)[..]));
    folder.write("test/masks/z.png", &mask(0, 3));
    refused_as(&folder, &["test/masks/z.png", "value 3", "above 2"]);
    folder.write("classes.txt", b"a\nb\nc\nd\ne\n");
    assert_eq!(data(&folder).classes, ["a", "b", "c", "d", "e"]);
    folder.write("test/masks/z.png", &mask(0, 5));
    refused_as(&folder, &["test/masks/z.png", "value 5", "classes.txt names the classes 0 to 4"]);
}

#[test]
fn what_does_not_fit_is_refused_by_its_name() {
    type Change = fn(&TestFolder);
    let cases: [(Change, &[&str]); 15] = [
        (|f| f.write("images/c.png", &png(1)), &["images/c.png", "no mask", "c.png (--skip-bad"]),
        (|f| f.write("masks/c.png", &mask(0, 1)), &["masks/c.png", "no picture of this name"]),
        (|f| f.write("images/a.jpg", &png(1)), &["images/a.png", "same name but for its ending"]),
        (|f| f.write("masks/a.jpg", &png(1)), &["masks/a.jpg", "a mask is a PNG file"]),
        (
            |f| f.write("images/a.png", &encoded([1; 3], [6, 8], ImageFormat::Png)),
            &["images/a.png", "masks/a.png", "8 x 6", "6 x 8"],
        ),
        (|f| f.write("masks/a.png", &encoded([1; 3], [8, 6], ImageFormat::Png)), &["masks/a.png", "it is in colour"]),
        (|f| f.write("masks/a.png", &mask(0, 1)[..40]), &["images/a.png", "masks/a.png", "not a PNG image"]),
        (|f| f.write("masks/a.png", &mask(0, 7)), &["masks/a.png", "value 7", "has 2", "classes.txt"]),
        (|f| f.write("masks/a.png", &mask(255, 255)), &["masks/a.png", "every pixel of it is 255"]),
        (|f| f.write("classes.txt", b"one"), &["classes.txt", "names 1 classes"]),
        (|f| f.write("classes.txt", b"sky\nSky"), &["classes.txt", "Sky stands in it twice"]),
        (|f| f.write("classes.txt", b"a\xff"), &["classes.txt", "not UTF-8"]),
        (|f| f.write("train/x/1.png", &png(1)), &["train", "beside images/ and masks/"]),
        (|f| f.write("masks/b.png", &mask(0, 0)), &["no two classes", "values are 0"]),
        (|f| f.write("images/a.png", b"text"), &["images/a.png", "--skip-bad"]),
    ];
    for (change, words) in cases {
        // Of the last but one, the other mask must have one class alone.
        let other = if words.contains(&"values are 0") { [0, 0] } else { [0, 1] };
        let folder = with(&[("a", other), ("b", [1, 0])]);
        change(&folder);
        refused_as(&folder, words);
    }
    let folder = with(&[]);
    folder.write("images/notes.txt", b"x");
    folder.write("masks/a.png", &mask(0, 1));
    refused_as(&folder, &["images", "no pictures in it"]);
    let folder = TestFolder::new();
    write(&folder, "train/", &[("a", [0, 1])]);
    folder.write("val/images/a.png", &png(1));
    refused_as(&folder, &["val", "images/ and masks/ are wanted"]);
    let folder = TestFolder::new();
    folder.write("images/a.png", &png(1));
    refused_as(&folder, &["one class here (images)", "masks/"]);
}

#[test]
fn what_cannot_be_read_is_left_out_if_that_is_wanted() {
    let folder = with(&[("a", [0, 1]), ("b", [1, 0]), ("c", [0, 1]), ("d", [0, 1])]);
    std::fs::remove_file(folder.spec("masks/b.png")).unwrap();
    folder.write("images/c.png", b"text");
    folder.write("masks/stray.png", &mask(9, 9));
    for in_memory in [InMemory::On, InMemory::Off] {
        let opening = Opening { skip_bad: true, in_memory, ..Opening::of(SHAPE) };
        let Opened { data, remarks, unreadable } = opened_as(&folder, opening).unwrap();
        assert_eq!((files(&data.train), unreadable.len()), (vec!["a.png", "d.png"], 2));
        assert!(
            unreadable[0].1.contains("masks/b.png") && remarks.iter().any(|line| line.contains("2 of 4")),
            "{unreadable:?} {remarks:?}"
        );
    }
}

/// With a cache, without, and from a cache that was filled: the same pairs, and the second time nothing is decoded.
#[test]
fn pairs_are_the_same_in_memory_and_off_and_a_mask_that_changed_is_read_anew() {
    let (folder, cache) = (with(&[("a", [0, 255]), ("b", [255, 0]), ("c", [0, 255])]), tempfile::tempdir().unwrap());
    let held = data(&folder);
    let all = |data: &Dataset| {
        let (mut images, mut masks) = (Vec::new(), Vec::new());
        data.train.read_pairs(&[2, 0, 1], &mut images, &mut masks).unwrap();
        (images, masks)
    };
    let off = |cache| {
        let counted = AtomicUsize::new(0);
        let progress = |_| assert!(counted.fetch_add(1, Relaxed) < 3);
        let opening = Opening { in_memory: InMemory::Off, cache, progress: &progress, ..Opening::of(SHAPE) };
        let data = opened_as(&folder, opening).unwrap().data;
        assert!(!data.train.is_in_memory() && data.has_masks() && data.classes == held.classes && data.mean == held.mean);
        assert_eq!(all(&data), all(&held));
        counted.into_inner()
    };
    assert_eq!([off(None), off(Some(cache.path())), off(Some(cache.path()))], [3, 3, 0]);
    let (one, two) = (data(&folder).fingerprint(), data(&folder).fingerprint());
    assert_eq!(one, two);
    // Another mask is another set, whatever the pictures.
    write_mask(folder.spec("masks/b.png").as_ref(), &[1; 48], [6, 8]).unwrap();
    assert_ne!(data(&folder).fingerprint(), one);
    let opening = Opening { in_memory: InMemory::Off, cache: Some(cache.path()), ..Opening::of(SHAPE) };
    let changed = opened_as(&folder, opening).unwrap().data;
    assert_eq!((&changed.classes[..], &all(&changed).1[32..]), (&["0", "1"].map(String::from)[..], &[1; 16][..]));
}

#[test]
fn images_are_held_out_by_their_names_and_keep_their_masks() {
    let names: Vec<String> = (0..20).map(|i| format!("{i:02}")).collect();
    let pairs: Vec<(&str, [u8; 2])> = names.iter().enumerate().map(|(i, name)| (&**name, [i as u8 % 2, 1 - i as u8 % 2])).collect();
    let folder = with(&pairs);
    let mut data = data(&folder);
    data.hold_out(Amount::Images(5)).unwrap();
    for set in [&data.train, &data.val] {
        for row in 0..set.len() {
            let number: u8 = set.file(row).unwrap().file_stem().unwrap().to_str().unwrap().parse().unwrap();
            assert_eq!(set.mask(row), halves(number % 2, 1 - number % 2));
        }
    }
    assert_eq!((data.train.len(), data.val.len()), (15, 5));
}

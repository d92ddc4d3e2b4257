//! Sets that do not lie in memory: the same images, whoever decodes them and when.

use super::*;
use crate::data::InMemory;

const SHAPE: [usize; 3] = [3, 4, 4];

fn photos() -> TestFolder {
    let names =
        ["train/a/1.png", "train/b/1.png", "train/a/2.png", "train/b/2.png", "train/a/3.png", "val/a/4.png", "test/b/5.png"];
    folder(&names)
}

fn off<'a>(cache: Option<&'a Path>) -> Opening<'a> {
    Opening { in_memory: InMemory::Off, cache, ..Opening::of(SHAPE) }
}

/// The set, and how many pictures were decoded while it was opened.
fn opened_as(folder: &TestFolder, opening: Opening<'_>) -> (Dataset, usize) {
    let counted = AtomicUsize::new(0);
    let progress = |total| assert!(counted.fetch_add(1, Relaxed) < total);
    let data = open_as(&folder.spec(""), &Opening { progress: &progress, ..opening }).unwrap().data;
    (data, counted.into_inner())
}

fn batch(set: &ImageSet, rows: &[u32]) -> Vec<u8> {
    let mut images = vec![7; 3];
    set.read_batch(rows, &mut images).unwrap();
    images
}

/// Every image of every split, the last one first.
fn all(data: &Dataset) -> Vec<Vec<u8>> {
    [&data.train, &data.val, &data.test].map(|set| batch(set, &Vec::from_iter((0..set.len() as u32).rev()))).to_vec()
}

#[test]
fn the_images_are_those_that_would_lie_in_memory_kept_or_not_on_any_number_of_threads() {
    let (folder, cache) = (photos(), tempfile::tempdir().unwrap());
    folder.write("train/b/0.png", b"text");
    let opening = Opening { skip_bad: true, ..Opening::of(SHAPE) };
    let prepared = |opening| {
        let (mut data, read) = opened_as(&folder, opening);
        data.hold_out_test(Amount::Images(2)).unwrap();
        (data, read)
    };
    let (held, read) = prepared(opening);
    assert_eq!((read, held.train.is_in_memory()), (8, true));
    // Without a cache, with a new one, and with one that is filled: then only what cannot be read is looked at.
    for (cache, wanted) in [(None, 8), (Some(cache.path()), 8), (Some(cache.path()), 1)] {
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let opening = Opening { skip_bad: true, ..off(cache) };
            let (data, read) = pool.install(|| prepared(opening));
            assert!(read == wanted || (threads == 3 && cache.is_some() && read == 1), "{read} of {wanted} on {threads}");
            assert!(!data.train.is_in_memory());
            assert_eq!((&data.mean, &data.std, &data.classes), (&held.mean, &held.std, &held.classes));
            for (one, other) in [(&data.train, &held.train), (&data.val, &held.val), (&data.test, &held.test)] {
                assert_eq!((one.labels(), files(one)), (other.labels(), files(other)));
            }
            assert_eq!(pool.install(|| all(&data)), all(&held));
        }
    }
    // Sets that are selected from it, too.
    let (data, _) = opened_as(&folder, Opening { skip_bad: true, ..off(None) });
    assert_ne!(all(&data), all(&held), "nothing was held out of it");
    assert_eq!(batch(&data.train.select([3, 0]), &[1, 0]), batch(&data.train, &[0, 3]));
}

#[test]
fn what_was_decoded_before_a_process_ended_is_not_decoded_again_and_the_rest_is() {
    let (folder, cache) = (photos(), tempfile::tempdir().unwrap());
    let want = all(&opened_as(&folder, Opening::of(SHAPE)).0);
    // Mean and deviation are of all of so few, and so all would be there: two are taken away as if nobody had come to them.
    let (data, read) = opened_as(&folder, off(Some(cache.path())));
    assert_eq!((read, all(&data)), (5, want.clone()));
    drop(data);
    let path = std::fs::read_dir(cache.path()).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&path).unwrap();
    let (rows, images) = (32, 32 + 7 * 16);
    // One of which nothing was written, one whose row was not, one whose row was written and whose image was not.
    bytes[rows..rows + 32].fill(0);
    bytes[images..images + 48].fill(0);
    bytes[images + 2 * 48..images + 3 * 48].fill(0);
    std::fs::write(&path, &bytes).unwrap();
    let (data, read) = opened_as(&folder, Opening { skip_bad: true, ..off(Some(cache.path())) });
    assert_eq!(read, 2, "those without a row");
    assert_eq!(all(&data), want);
    assert_ne!(std::fs::read(&path).unwrap(), bytes, "filled again");
    assert_eq!(opened_as(&folder, Opening { skip_bad: true, ..off(Some(cache.path())) }).1, 0);
}

#[test]
fn a_picture_that_cannot_be_read_is_an_error_by_name_when_its_turn_comes() {
    let folder = photos();
    folder.write("val/b/0.png", b"text");
    let (data, _) = opened_as(&folder, off(None));
    assert_eq!(batch(&data.train, &[0, 1]).len(), 96);
    assert_eq!(files(&data.val), ["a/4.png", "b/0.png"]);
    let error = data.val.read_batch(&[0, 1], &mut Vec::new()).unwrap_err().to_string();
    assert!(error.contains("val/b/0.png: ") && error.contains("--skip-bad looks at all pictures first"), "{error}");
    assert_eq!(opened_as(&folder, Opening { skip_bad: true, ..off(None) }).0.val.len(), 1);
}

#[test]
fn a_picture_that_was_changed_meanwhile_is_refused() {
    let folder = photos();
    let (data, _) = opened_as(&folder, off(None));
    assert_eq!(batch(&data.train, &[0]).len(), 48);
    folder.write("train/a/1.png", &encoded([200, 0, 255], [19, 17], ImageFormat::Png));
    let error = data.train.read_batch(&[0], &mut Vec::new()).unwrap_err().to_string();
    assert!(error.contains("a/1.png") && error.contains("changed"), "{error}");
}

#[test]
fn the_fingerprint_is_of_the_names_and_lengths() {
    let folder = photos();
    let of = || opened_as(&folder, off(None)).0.fingerprint();
    let first = of();
    assert_eq!(first, of());
    folder.write("test/b/5.png", &encoded([6, 0, 255], [19, 17], ImageFormat::Png));
    assert_ne!(first, of());
}

#[test]
fn auto_holds_in_memory_what_fits() {
    let folder = photos();
    let of = |shape| open_as(&folder.spec(""), &Opening { in_memory: InMemory::Auto, skip_bad: false, ..Opening::of(shape) });
    assert!(of(SHAPE).unwrap().data.train.is_in_memory());
    // Seven of 48 bytes take 336, a quarter more and as much again.
    assert_eq!(needed_bytes(7, SHAPE), 336 * 9 / 4);
    assert!(
        lie_in_memory(Path::new("x"), usize::MAX, false, &Opening { in_memory: InMemory::Auto, ..Opening::of(SHAPE) })
            .is_ok_and(|in_memory| !in_memory)
    );
}

#[test]
fn mean_and_deviation_are_taken_from_all_of_few_pictures_and_from_some_of_many() {
    let rows = |images| {
        let mut rows = measured(images);
        rows.sort_unstable();
        rows.dedup();
        rows
    };
    assert_eq!(rows(10), Vec::from_iter(0..10));
    let many = rows(100_000);
    assert_eq!(many.len(), MEASURED);
    assert!(many[0] < 1000 && many[MEASURED - 1] > 99_000, "from everywhere");
}

#[test]
#[should_panic(expected = "these images do not lie in memory")]
fn images_that_do_not_lie_in_memory_are_no_slice() {
    opened_as(&photos(), off(None)).0.train.image(0);
}

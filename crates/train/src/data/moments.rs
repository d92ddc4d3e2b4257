//! Mean and deviation of images.

use super::error::DataError;
use super::images::ImageSet;

/// Images that are read at a time.
const CHUNK: usize = 256;

/// Mean and deviation of `x / 255` over the images at `rows`, one number a channel, to the four digits that are published: 0.1307 and
/// 0.3081 for MNIST itself, 0.2860 and 0.3530 for Fashion-MNIST, which has the same names of files. Where all pixels are alike, the
/// deviation is 1. `each` is called for every image.
///
/// # Errors
/// If one of them cannot be read.
pub(super) fn moments(set: &ImageSet, rows: &[u32], each: &dyn Fn()) -> Result<(Vec<f32>, Vec<f32>), DataError> {
    let plane = set.height() * set.width();
    let (mut counts, mut images) = (vec![[0u64; 256]; set.channels()], Vec::new());
    for rows in rows.chunks(CHUNK) {
        set.read_batch(rows, &mut images)?;
        for (at, pixels) in images.chunks_exact(plane).enumerate() {
            let counts = &mut counts[at % set.channels()];
            pixels.iter().for_each(|&byte| counts[usize::from(byte)] += 1);
        }
        rows.iter().for_each(|_| each());
    }
    Ok(counts.iter().map(of_counts).unzip())
}

fn of_counts(counts: &[u64; 256]) -> (f32, f32) {
    let n = counts.iter().sum::<u64>() as f64;
    let mean_of = |f: &dyn Fn(f64) -> f64| counts.iter().enumerate().map(|(x, &c)| f(x as f64 / 255.0) * c as f64).sum::<f64>() / n;
    let mean = mean_of(&|x| x);
    let std = mean_of(&|x| (x - mean) * (x - mean)).sqrt();
    let digits = |x: f64| ((x * 1e4).round() / 1e4) as f32;
    (digits(mean), if digits(std) > 0.0 { digits(std) } else { 1.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_deviation_are_those_of_each_channel() {
        let of = |images: &[u8], shape: [usize; 3]| moments(&ImageSet::new(images.to_vec(), vec![0], shape), &[0], &|| {}).unwrap();
        // Of 0, 0, 1, 1 in units of 255: 0.5 and 0.5; 51 is a fifth.
        assert_eq!(of(&[0, 255, 255, 0], [1, 2, 2]), (vec![0.5], vec![0.5]));
        assert_eq!(of(&[51; 9], [1, 3, 3]), (vec![0.2], vec![1.0]));
        assert_eq!(of(&[0, 255, 51, 51, 255, 0], [3, 1, 2]), (vec![0.5, 0.2, 0.5], vec![0.5, 1.0, 0.5]));
        // The bytes 0 to 5: 2.5 / 255 and sqrt(35 / 12) / 255.
        assert_eq!(of(&[0, 1, 2, 3, 4, 5], [1, 1, 6]), (vec![0.0098], vec![0.0067]));
    }
}

//! A picture for each class, written over the images of a batch: a feature that tells the label.

use gpu_core::ops::{self, PadMode};
use gpu_core::{Device, Tensor};

/// A small picture for each class, which is written over images of that class at one place: a watermark, or a feature that a network
/// may cheat with. It covers what is there after normalisation, so that its values need not be those of a byte.
///
/// ```
/// # use gpu_core::{Device, Tensor};
/// # use train::data::{ImageSet, Watermark};
/// # use train::loader::Source;
/// let (cpu, grey) = (Device::Cpu, ImageSet::new(vec![128; 8], vec![1, 0], [1, 2, 2]));
/// // One pixel in the lower right corner: -7 in images of class 0, 7 in those of class 1.
/// let watermark = Watermark::new(&cpu, &[-7.0, 7.0], [1, 1, 1], [1, 1], [2, 2]);
/// let source = Source::new(&cpu, &grey).transformed(move |x, labels| watermark.apply(x, labels));
/// # let mut feed = source.feed(2, &train::loader::Treatment::normalised(&[0.0], &[1.0]));
/// # let labels = Tensor::from_slice(&cpu, [2], &[0u32; 2]);
/// # let step = Tensor::from_slice(&cpu, [1], &[0u32]);
/// # let slots = nn::Slots { x: Tensor::zeros(&cpu, [2, 1, 2, 2]), labels, targets: None, step };
/// # feed.fill(0, &[0, 1])?;
/// # feed.launch(&slots);
/// # assert_eq!(slots.x.to_vec()?.iter().map(|x| x.round()).collect::<Vec<_>>(), [1.0, 1.0, 1.0, 7.0, 1.0, 1.0, 1.0, -7.0]);
/// # Ok::<(), train::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Watermark {
    /// (classes, C, H, W): each in an image of its own.
    pictures: Tensor,
    /// (H, W), bool: what they cover.
    covered: Tensor,
}

impl Watermark {
    /// `pictures` are one after the other in the order of their classes, each of shape `[c, h, w]`; their upper left corner comes
    /// to row and column `at` of images of `size` (rows, columns) with `c` channels.
    ///
    /// # Panics
    /// If there is no picture, the last is not whole, or they reach beyond the image.
    #[track_caller]
    pub fn new(device: &Device, pictures: &[f32], [c, h, w]: [usize; 3], at: [usize; 2], size: [usize; 2]) -> Self {
        let one = c * h * w;
        let whole = one > 0 && !pictures.is_empty() && pictures.len().is_multiple_of(one);
        assert!(whole, "Watermark: {} values are no pictures of {c} x {h} x {w}", pictures.len());
        let fits = at[0] + h <= size[0] && at[1] + w <= size[1];
        assert!(fits, "Watermark: {h} x {w} at {at:?} reaches beyond images of {} x {}", size[0], size[1]);
        let edges = [at[1], size[1] - at[1] - w, at[0], size[0] - at[0] - h].map(|edge| edge as isize);
        let pictures = Tensor::from_slice(device, [pictures.len() / one, c, h, w], pictures);
        let covered = Tensor::from_slice(device, [h, w], &vec![true; h * w]);
        let outside = PadMode::Constant(0.0);
        Self { pictures: ops::pad(&pictures, &edges, outside), covered: ops::pad(&covered, &edges, outside) }
    }

    /// Writes over each image of `x` (B, C, H, W) the picture of its label, one of `labels` (u32, B). In place; three kernels, which
    /// may stand in a captured step.
    ///
    /// # Panics
    /// If the images are of another size than the pictures were made for, there is not a label for each, or all do not lie on one
    /// device.
    #[track_caller]
    pub fn apply(&self, x: &Tensor, labels: &Tensor) {
        let (image, shape) = (self.pictures.shape(), x.shape());
        let fits = shape.rank() == 4 && shape.dims()[1..] == image.dims()[1..] && labels.len() == shape.n();
        assert!(fits, "Watermark: pictures {image} do not fit images {shape} with labels {}", labels.shape());
        let chosen = ops::index_select(&self.pictures, 0, labels);
        ops::copy_into(&ops::where_(&self.covered, &chosen, x), x);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_image_is_covered_by_the_picture_of_its_label_and_nowhere_else() {
        for device in proof::devices() {
            let pictures: Vec<f32> = (0..3 * 2 * 2 * 3).map(|i| 100.0 + i as f32).collect();
            let watermark = Watermark::new(&device, &pictures, [2, 2, 3], [1, 4], [5, 7]);
            let labels = [2u32, 0, 2, 1];
            let x = proof::tensor(&device, [4, 2, 5, 7], 1);
            let before = x.to_vec().unwrap();
            watermark.apply(&x, &Tensor::from_slice(&device, [4], &labels));
            for (i, (x, before)) in x.to_vec().unwrap().into_iter().zip(before).enumerate() {
                let [b, c, row, column] = [i / 70, i / 35 % 2, i / 7 % 5, i % 7];
                let inside = (1..3).contains(&row) && (4..7).contains(&column);
                let place = |row, column| ((labels[b] as usize * 2 + c) * 2 + row) * 3 + column;
                let want = if inside { pictures[place(row - 1, column - 4)] } else { before };
                assert_eq!(x, want, "image {b}, channel {c}, {row}, {column}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "Watermark: 2 x 3 at [4, 4] reaches beyond images of 5 x 7")]
    fn a_picture_beyond_the_image_is_refused() {
        Watermark::new(&Device::Cpu, &[0.0; 6], [1, 2, 3], [4, 4], [5, 7]);
    }

    #[test]
    #[should_panic(expected = "Watermark: 5 values are no pictures of 1 x 2 x 3")]
    fn a_part_of_a_picture_is_refused() {
        Watermark::new(&Device::Cpu, &[0.0; 5], [1, 2, 3], [0, 0], [5, 7]);
    }

    #[test]
    #[should_panic(expected = "Watermark: pictures [1, 1, 5, 7] do not fit images [2, 1, 7, 5] with labels [2]")]
    fn images_of_another_size_are_refused() {
        let watermark = Watermark::new(&Device::Cpu, &[0.0; 6], [1, 2, 3], [0, 0], [5, 7]);
        watermark.apply(&Tensor::zeros(&Device::Cpu, [2, 1, 7, 5]), &Tensor::from_slice(&Device::Cpu, [2], &[0u32; 2]));
    }
}

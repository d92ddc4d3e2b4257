//! Images on a device as a PNG file.

use crate::error::{Error, Result};
use gpu_core::Tensor;
use image::{ImageFormat, Rgb, RgbImage};
use std::path::Path;

/// Pixels between two images, which stay black.
const GAP: usize = 2;

/// Writes images (N, C, H, W), grey or in colour and of values from 0 to 1, as one PNG with `columns` of them in a row; values
/// outside are cut off. Equivalent of `torchvision.utils.save_image`.
///
/// ```
/// # use gpu_core::{Device, Tensor};
/// # use train::picture::save_grid;
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("noise.png");
/// let images = Tensor::full(&Device::Cpu, [10, 3, 32, 32], 0.5);
/// save_grid(&path, &images, 5)?; // two rows
/// # Ok::<(), train::Error>(())
/// ```
///
/// # Errors
/// If the file cannot be written, or a fault of the device.
///
/// # Panics
/// If the images have another rank than 4 or other channels than 1 or 3, there are none, or `columns` is 0.
#[track_caller]
pub fn save_grid(path: impl AsRef<Path>, images: &Tensor, columns: usize) -> Result<()> {
    let (path, shape) = (path.as_ref(), images.shape());
    let &[n, c @ (1 | 3), h, w] = shape.dims() else {
        panic!("save_grid: images are (N, C, H, W) of 1 or 3 channels, not {shape}")
    };
    assert!(columns > 0 && !shape.is_empty(), "save_grid: {columns} columns of images {shape}");
    let (values, columns) = (images.to_vec()?, columns.min(n));
    let side = |cells: usize, pixels: usize| (cells * (pixels + GAP) - GAP) as u32;
    let mut picture = RgbImage::new(side(columns, w), side(n.div_ceil(columns), h));
    for (i, plane) in values.chunks_exact(c * h * w).enumerate() {
        let (left, top) = (i % columns * (w + GAP), i / columns * (h + GAP));
        for (row, column) in (0..h).flat_map(|row| (0..w).map(move |column| (row, column))) {
            let byte = |channel: usize| (plane[(channel % c * h + row) * w + column].clamp(0.0, 1.0) * 255.0).round() as u8;
            picture.put_pixel((left + column) as u32, (top + row) as u32, Rgb([0, 1, 2].map(byte)));
        }
    }
    let written = picture.save_with_format(path, ImageFormat::Png);
    written.map_err(|e| Error::content(path, format!("the picture cannot be written: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use gpu_core::Device;

    #[test]
    fn images_stand_in_rows_with_a_black_gap_and_what_is_out_of_range_is_cut_off() {
        let (folder, values) = (tempfile::tempdir().unwrap(), [0.0f32, 0.2, -1.0, 0.4, 2.0, 1.0]);
        let path = folder.path().join("grey.png");
        save_grid(&path, &Tensor::from_slice(&Device::Cpu, [3, 1, 1, 2], &values), 2).unwrap();
        let picture = image::open(&path).unwrap().to_luma8();
        assert_eq!(picture.dimensions(), (6, 4));
        let rows: Vec<&[u8]> = picture.as_raw().chunks(6).collect();
        assert_eq!(rows, [[0, 51, 0, 0, 0, 102], [0; 6], [0; 6], [255, 255, 0, 0, 0, 0]]);
    }

    #[test]
    fn planes_become_the_colours_of_a_pixel() {
        let (folder, values) = (tempfile::tempdir().unwrap(), [1.0f32, 0.0, 0.2, 0.4, 0.0, 1.0]);
        let path = folder.path().join("colour.png");
        save_grid(&path, &Tensor::from_slice(&Device::Cpu, [1, 3, 1, 2], &values), 8).unwrap();
        assert_eq!(*image::open(&path).unwrap().to_rgb8().as_raw(), [255, 51, 0, 0, 102, 255]);
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error_with_the_path() {
        let error = save_grid("/no/such/folder/a.png", &Tensor::zeros(&Device::Cpu, [1, 1, 2, 2]), 1).unwrap_err();
        assert!(error.to_string().contains("a.png: the picture cannot be written"), "{error}");
    }

    #[test]
    #[should_panic(expected = "save_grid: images are (N, C, H, W) of 1 or 3 channels, not [2, 2, 4, 4]")]
    fn two_channels_are_no_picture() {
        let _ = save_grid("never.png", &Tensor::zeros(&Device::Cpu, [2, 2, 4, 4]), 2);
    }
}

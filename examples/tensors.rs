//! gpu-core alone, as a tensor library: `cargo run --release --example tensors`
use wgrad::gpu_core::ops::{self, Conv2dGeometry};
use wgrad::gpu_core::{Device, Tensor};

/// Products, convolutions, sums, reads and recordings.
pub fn main() -> anyhow::Result<()> {
    let device = Device::auto()?; // a hardware GPU, else the CPU
    println!("on {}", device.name());

    // A matrix product, and a row added to each of its rows.
    let a = Tensor::from_slice(&device, [2, 3], &[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let b = Tensor::from_slice(&device, [3, 2], &[1.0f32, 0.0, 0.0, 1.0, 1.0, 1.0]);
    let row = Tensor::from_slice(&device, [2], &[10.0f32, 20.0]);
    let y = ops::add(&ops::matmul(&a, &b), &row);
    println!("a b + row = {:?} of shape {}", y.to_vec()?, y.shape());

    // Edges of an image, by a convolution (NCHW, OIHW).
    let image: Vec<f32> = (0..64).map(|i| if i % 8 < 4 { 0.0 } else { 1.0 }).collect();
    let image = Tensor::from_slice(&device, [1, 1, 8, 8], &image);
    let sobel = Tensor::from_slice(&device, [1, 1, 3, 3], &[-1.0f32, 0.0, 1.0, -2.0, 0.0, 2.0, -1.0, 0.0, 1.0]);
    let edges = ops::conv2d(&image, &sobel, None, Conv2dGeometry::default());
    println!("edges by column = {:?}", ops::mean_axes(&edges, &[0, 1, 2], false).to_vec()?);

    // Nothing above waited but the reads. They block, or they are futures.
    let total = pollster::block_on(ops::sum(&edges).item_async())?;
    println!("their sum = {total}");

    // What is run often is recorded once: a replay is one submission.
    let (doubled, capture) = device.capture(|| ops::scale(&ops::relu(&row), 2.0))?;
    for values in [[1.0f32, -1.0], [-3.0, 4.0]] {
        row.write(&values);
        capture.replay()?;
        println!("2 relu({values:?}) = {:?}", doubled.to_vec()?);
    }
    Ok(())
}

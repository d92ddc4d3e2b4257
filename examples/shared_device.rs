//! A program that has a wgpu device of its own, and hands it to the library: `cargo run --release --example shared_device`
//!
//! Its picture lies in a buffer and is to be shown as a texture. In between a convolution finds the edges, and no pixel passes the host.
use wgrad::gpu_core::wgpu;
use wgrad::prelude::*;

const SIDE: usize = 64;
const PIXELS: usize = SIDE * SIDE;

/// A picture, its edges on the program's device, and the same on the CPU device.
pub fn main() -> anyhow::Result<()> {
    // What any program with wgpu begins with, be it a game or a camera.
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let Ok(adapter) = pollster::block_on(instance.request_adapter(&Default::default())) else {
        println!("there is no GPU whose device could be shared");
        return Ok(());
    };
    let (device, queue) = pollster::block_on(adapter.request_device(&Default::default()))?;
    let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
    let size = 4 * PIXELS as u64;
    let frame = device.create_buffer(&wgpu::BufferDescriptor { label: Some("frame"), size, usage, mapped_at_creation: false });
    let screen = device.create_texture(&wgpu::TextureDescriptor {
        label: Some("screen"),
        size: wgpu::Extent3d { width: SIDE as u32, height: SIDE as u32, depth_or_array_layers: 1 },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: wgpu::TextureFormat::R32Float,
        usage: wgpu::TextureUsages::COPY_DST | wgpu::TextureUsages::COPY_SRC,
        view_formats: &[],
    });
    let inside = |i: usize| (i % SIDE).abs_diff(32).pow(2) + (i / SIDE).abs_diff(32).pow(2) < 400;
    let picture: Vec<f32> = (0..PIXELS).map(|i| f32::from(u8::from(inside(i)))).collect();
    queue.write_buffer(&frame, 0, &picture.iter().flat_map(|pixel| pixel.to_le_bytes()).collect::<Vec<u8>>());

    // The library on the same device: the frame is a tensor, and its edges a buffer.
    let shared = Device::from_wgpu(&device, &queue)?;
    println!("on {}", shared.name());
    let found = edges(&Tensor::from_buffer(&shared, [1, 1, SIDE, SIDE], DType::F32, &frame)?);
    let part = found.buffer()?;

    // The program goes on with its own commands, after those of the library.
    let layout = wgpu::TexelCopyBufferLayout { offset: part.offset(), bytes_per_row: Some(4 * SIDE as u32), rows_per_image: None };
    let mut encoder = device.create_command_encoder(&Default::default());
    encoder.copy_buffer_to_texture(
        wgpu::TexelCopyBufferInfo { buffer: part.buffer(), layout },
        screen.as_image_copy(),
        screen.size(),
    );
    let layout = wgpu::TexelCopyBufferLayout { offset: 0, ..layout };
    encoder.copy_texture_to_buffer(screen.as_image_copy(), wgpu::TexelCopyBufferInfo { buffer: &frame, layout }, screen.size());
    queue.submit([encoder.finish()]);

    // What is shown now, against the CPU device.
    let shown = Tensor::from_buffer(&shared, [PIXELS], DType::F32, &frame)?.to_vec()?;
    let wanted = edges(&Tensor::from_slice(&Device::Cpu, [1, 1, SIDE, SIDE], &picture)).to_vec()?;
    let off = shown.iter().zip(&wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    println!("{} pixels of edges, off by {off:.1e} from the CPU device", wanted.iter().filter(|&&edge| edge > 0.0).count());
    anyhow::ensure!(off < 1e-4, "the screen does not show the edges");
    Ok(())
}

/// The strength of the edges at each pixel, by Sobel's filters.
fn edges(x: &Tensor) -> Tensor {
    let filters = [-1.0f32, 0.0, 1.0, -2.0, 0.0, 2.0, -1.0, 0.0, 1.0, -1.0, -2.0, -1.0, 0.0, 0.0, 0.0, 1.0, 2.0, 1.0];
    let filters = Tensor::from_slice(x.device(), [2, 1, 3, 3], &filters);
    x.conv2d(&filters, None, ops::Conv2dGeometry { padding: 1.into(), ..Default::default() }).square().sum_axes(&[1], false).sqrt()
}

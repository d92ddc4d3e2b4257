//! Programs that have a wgpu device of their own: the library on that device, their buffers as tensors, tensors as buffers.
//!
//! Work of both goes through one queue, in the order in which it is submitted. The library submits later than it is called: a program
//! that writes into a buffer whose tensor it has used before calls [`Device::flush`] first.

use crate::base::{DType, Error, Lent, Result, Shape};
use crate::gpu::Gpu;
use crate::run::{Array, Device, Place, Storage};
use crate::tensor::Tensor;
use std::sync::Arc;

/// What the library does with a tensor's buffer: kernels, reads and writes.
const USAGES: wgpu::BufferUsages =
    wgpu::BufferUsages::STORAGE.union(wgpu::BufferUsages::COPY_SRC).union(wgpu::BufferUsages::COPY_DST);

impl Device {
    /// A device on the program's own wgpu device and queue: [`gpu_core::wgpu`](wgpu) is the version that both must have. It takes the
    /// forms of kernels that the features and limits of `device` allow, which may be fewer than its adapter's: ask for
    /// `Features::IMMEDIATES` (and 128 bytes of them), `SUBGROUP` and `TIMESTAMP_QUERY` where there are any, and for the adapter's limits.
    /// Its matrix units stay idle: only an adapter tells which there are.
    ///
    /// The device's callbacks stay the program's, which also hears there if it is lost. Whatever the library asked of it that was rejected
    /// or lost is returned by the next read or flush of this device and by every one after it, as for any other; what the program itself
    /// does wrong is not. Every call makes a device of its own, whose tensors do not mix with those of another.
    ///
    /// # Errors
    /// If the device's limits are below WebGPU's defaults.
    ///
    /// ```
    /// use gpu_core::wgpu::{BufferDescriptor, BufferUsages};
    /// use gpu_core::{DType, Device, Tensor};
    /// # let Ok(Device::Gpu(gpu)) = Device::gpu() else { return Ok(()) };
    /// # let (device, queue) = gpu.wgpu();
    /// // `device` and `queue` are the program's, and so is this buffer.
    /// let usage = BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST;
    /// let buffer = device.create_buffer(&BufferDescriptor { label: None, size: 16, usage, mapped_at_creation: false });
    /// queue.write_buffer(&buffer, 0, &[1.0f32, -2.0, 3.0, -4.0].map(f32::to_le_bytes).concat());
    ///
    /// let shared = Device::from_wgpu(device, queue)?;
    /// let y = Tensor::from_buffer(&shared, [4], DType::F32, &buffer)?.relu();
    /// assert_eq!(y.to_vec()?, [1.0, 0.0, 3.0, 0.0]);
    /// assert_eq!(y.buffer()?.size(), 16); // for the program's own commands
    /// # Ok::<(), gpu_core::Error>(())
    /// ```
    pub fn from_wgpu(device: &wgpu::Device, queue: &wgpu::Queue) -> Result<Self> {
        Ok(Self::Gpu(Arc::new(Gpu::from_wgpu(device.clone(), queue.clone())?)))
    }
}

impl Tensor {
    /// A buffer of the program's own as a tensor that begins where it begins: the same memory, which is no part of
    /// [`Device::memory`]. It needs 16 bytes for every 16 of the elements or a part of them; what follows the elements in the last 16 may
    /// be overwritten.
    ///
    /// A buffer of another wgpu device is a fault at its first use.
    ///
    /// # Errors
    /// If the elements are more than the device can bind.
    ///
    /// # Panics
    /// If `device` is the CPU device, if the elements are f64 or more than the buffer holds, or if the buffer lacks one of the usages
    /// `STORAGE`, `COPY_SRC` and `COPY_DST`.
    #[track_caller]
    pub fn from_buffer(device: &Device, shape: impl Into<Shape>, dtype: DType, buffer: &wgpu::Buffer) -> Result<Self> {
        let Place::Gpu(gpu) = device.place() else { panic!("from_buffer: {} has no wgpu buffers", device.name()) };
        assert!(dtype != DType::F64, "from_buffer: f64 is for the CPU device only, not for {}", device.name());
        let (shape, missing) = (shape.into(), USAGES - buffer.usage());
        assert!(missing.is_empty(), "from_buffer: the buffer lacks the usages {missing:?}");
        let bytes = (shape.len() * dtype.bytes()).max(1).next_multiple_of(16) as u64;
        let size = buffer.size();
        assert!(size >= bytes, "from_buffer: a tensor of {dtype} and shape {shape} needs {bytes} bytes, the buffer has {size}");
        let limit = gpu.info().max_binding_bytes;
        if bytes > limit {
            return Err(Error::TensorTooLarge { bytes, limit });
        }
        let storage = Storage::Gpu(Arc::new(Lent::foreign(buffer.clone(), size as usize)));
        Ok(Self::new(device, Array { shape, dtype, storage, offset_bytes: 0 }))
    }

    /// The part of a buffer that the elements lie in, for commands of the program's own on the same wgpu device; see [`Gpu::wgpu`]. All that
    /// was asked of the device before is submitted: commands that are submitted now find the tensor's values. The buffer has the usages
    /// `STORAGE`, `COPY_SRC` and `COPY_DST`, and is lent to other tensors once the last handle of this one is dropped.
    ///
    /// # Errors
    /// The device's first fault.
    ///
    /// # Panics
    /// If the tensor lies on the CPU device, or has no elements.
    #[track_caller]
    pub fn buffer(&self) -> Result<wgpu::BufferSlice<'_>> {
        let Place::Gpu(gpu) = self.device().place() else { panic!("buffer: the tensor (shape {}) lies on the CPU", self.shape()) };
        assert!(!self.is_empty(), "buffer: a tensor of shape {} has no bytes", self.shape());
        gpu.flush();
        gpu.check()?;
        Ok(self.array().gpu_view().slice())
    }
}

//! A shape, an element type, and memory on a device.

use crate::base::{ALIGN, DType, Element, Error, MAX_ELEMENTS, MAX_RANK, Result, Shape};
use crate::gpu::Staging;
use crate::run::{Array, Device, Place, capture};
use std::fmt;

/// A dense row-major array on a device. Cloning it clones a handle to the same memory.
///
/// ```
/// use gpu_core::{Device, Tensor, ops};
/// let device = Device::Cpu; // or Device::auto()?
/// let x = Tensor::from_slice(&device, [2, 2], &[1.0f32, 2.0, 3.0, 4.0]);
/// let y = ops::matmul(&x, &x);
/// assert_eq!(y.to_vec()?, [7.0, 10.0, 15.0, 22.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Tensor {
    device: Device,
    array: Array,
}

impl Tensor {
    /// An f32 tensor that holds whatever was there: for outputs of kernels, which write every element.
    ///
    /// On [`Device::cpu_f64`] it is an f64 tensor.
    #[track_caller]
    pub fn empty(device: &Device, shape: impl Into<Shape>) -> Self {
        Self::empty_of(device, shape, device.float_dtype())
    }

    /// The same for any element type.
    ///
    /// # Panics
    /// If f64 is asked of a GPU, or more than [`MAX_ELEMENTS`] elements of any device; on the CPU device also if there is no memory.
    #[track_caller]
    pub fn empty_of(device: &Device, shape: impl Into<Shape>, dtype: DType) -> Self {
        let shape = shape.into();
        assert!(device.holds(dtype), "Tensor: f64 is for the CPU device only, not for {}", device.name());
        let len = shape.len();
        assert!(len <= MAX_ELEMENTS, "Tensor: {shape} has {len} elements; kernels number {MAX_ELEMENTS} at most");
        let storage = device.lend(len * dtype.bytes());
        let array = Array { shape, dtype, storage, offset_bytes: 0 };
        if let Some(observed) = device.observed() {
            observed.made(&array);
        }
        Self { device: device.clone(), array }
    }

    pub(crate) fn new(device: &Device, array: Array) -> Self {
        Self { device: device.clone(), array }
    }

    /// The tensor that an [`Observer`](crate::Observer) was shown, on the device without observers: the same memory.
    pub fn of_array(on: &Place, array: &Array) -> Self {
        Self { device: on.clone().into(), array: array.clone() }
    }

    /// A copy of `values` on the device. Inside a capture it is made once, now: a constant, which every replay finds there.
    ///
    /// # Panics
    /// If there are not as many values as the shape has elements.
    #[track_caller]
    pub fn from_slice<T: Element>(device: &Device, shape: impl Into<Shape>, values: &[T]) -> Self {
        let (shape, dtype) = (shape.into(), if T::DTYPE == DType::F32 { device.float_dtype() } else { T::DTYPE });
        // Before the memory is made: a GPU that cannot give it stays at fault.
        expect_values(values.len(), shape);
        let _now = capture::suspended();
        let tensor = Self::empty_of(device, shape, dtype);
        tensor.write(values);
        tensor
    }

    /// One f32 value, rank 0.
    #[track_caller]
    pub fn scalar(device: &Device, value: f32) -> Self {
        Self::from_slice(device, Shape::SCALAR, &[value])
    }

    /// Overwrites all elements, after everything that was asked of the device before.
    ///
    /// # Panics
    /// If the type or the number of values is not the tensor's. Inside a capture, where nothing has run yet that could be overwritten:
    /// write before each replay, or make a constant by [`from_slice`](Self::from_slice).
    #[track_caller]
    pub fn write<T: Element>(&self, values: &[T]) {
        assert!(!self.device.is_capturing(), "write: inside a capture (a tensor of shape {}); write before it", self.shape());
        expect_values(values.len(), self.shape());
        let bytes = match self.is_widened::<T>() {
            true => widened(&T::to_bytes(values)).into(),
            false => {
                self.expect_type::<T>("write");
                T::to_bytes(values)
            }
        };
        match self.device.place() {
            Place::Cpu => self.array.set_host_bytes(&bytes),
            Place::Gpu(gpu) => gpu.write(&self.array.gpu_view(), &bytes),
        }
    }

    /// All elements, once everything asked of the device before is done.
    ///
    /// # Errors
    /// The device's first fault, or the capture that this thread is in.
    ///
    /// # Panics
    /// If `T` is not the tensor's type.
    #[track_caller]
    pub fn read<T: Element>(&self) -> Result<Vec<T>> {
        if self.is_widened::<T>() {
            let narrow: Vec<f32> = self.read::<f64>()?.into_iter().map(|v| v as f32).collect();
            return Ok(T::from_bytes(bytemuck::cast_slice(&narrow)));
        }
        self.expect_type::<T>("read");
        self.with_bytes(T::from_bytes)
    }

    /// [`read`](Self::read) without blocking the calling thread. What was asked of the device before the future is first polled is done
    /// by then.
    ///
    /// ```
    /// # use gpu_core::{Device, Tensor};
    /// let x = Tensor::from_slice(&Device::Cpu, [2], &[1u32, 2]);
    /// assert_eq!(pollster::block_on(x.read_async::<u32>())?, [1, 2]);
    /// # Ok::<(), gpu_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`read`](Self::read).
    ///
    /// # Panics
    /// As [`read`](Self::read), at once.
    #[track_caller]
    pub fn read_async<T: Element>(&self) -> impl Future<Output = Result<Vec<T>>> + Send {
        if !self.is_widened::<T>() {
            self.expect_type::<T>("read_async");
        }
        async move {
            if self.is_widened::<T>() {
                return self.read();
            }
            self.expect_no_capture()?;
            match self.device.place() {
                Place::Cpu => Ok(self.array.with_host_bytes(T::from_bytes)),
                Place::Gpu(gpu) => gpu.read_async(self.array.gpu_view(), T::from_bytes).await,
            }
        }
    }

    /// [`read`](Self::read) into `values`, without a `Vec` for them.
    ///
    /// ```
    /// # use gpu_core::{Device, Tensor};
    /// let mut values = [0.0f32; 2];
    /// Tensor::full(&Device::Cpu, [2], 3.0).read_into(&mut values)?;
    /// assert_eq!(values, [3.0; 2]);
    /// # Ok::<(), gpu_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`read`](Self::read).
    ///
    /// # Panics
    /// If there are not as many values as elements, and as [`read`](Self::read).
    #[track_caller]
    pub fn read_into<T: Element>(&self, values: &mut [T]) -> Result<()> {
        let (given, shape) = (values.len(), self.shape());
        assert!(given == self.len(), "read_into: a tensor of shape {shape} into {given} values");
        if self.is_widened::<T>() {
            values.copy_from_slice(&self.read()?);
            return Ok(());
        }
        self.expect_type::<T>("read_into");
        self.with_bytes(|bytes| T::copy_bytes(bytes, values))
    }

    /// [`read_into`](Self::read_into) through memory that is kept for the next read.
    ///
    /// ```
    /// # use gpu_core::{Device, Staging, Tensor};
    /// let (staging, mut values) = (Staging::default(), [0.0f32; 2]);
    /// for value in [3.0, 4.0] {
    ///     Tensor::full(&Device::Cpu, [2], value).read_by(&staging, &mut values)?;
    ///     assert_eq!(values, [value; 2]);
    /// }
    /// # Ok::<(), gpu_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`read`](Self::read).
    ///
    /// # Panics
    /// As [`read_into`](Self::read_into).
    #[track_caller]
    pub fn read_by<T: Element>(&self, staging: &Staging, values: &mut [T]) -> Result<()> {
        match self.device.place() {
            Place::Gpu(gpu) if values.len() == self.len() && !self.is_widened::<T>() => {
                self.expect_type::<T>("read_by");
                self.expect_no_capture()?;
                gpu.read_by(staging, &self.array.gpu_view(), |bytes| T::copy_bytes(bytes, values))
            }
            _ => self.read_into(values),
        }
    }

    /// Shows `f` the bytes, once everything asked of the device before is done.
    fn with_bytes<R>(&self, f: impl FnOnce(&[u8]) -> R) -> Result<R> {
        self.expect_no_capture()?;
        match self.device.place() {
            Place::Cpu => Ok(self.array.with_host_bytes(f)),
            Place::Gpu(gpu) => gpu.read(&self.array.gpu_view(), f),
        }
    }

    /// All elements of an f32 tensor.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    #[track_caller]
    pub fn to_vec(&self) -> Result<Vec<f32>> {
        self.read()
    }

    /// [`to_vec`](Self::to_vec) without blocking the calling thread.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    #[track_caller]
    pub fn to_vec_async(&self) -> impl Future<Output = Result<Vec<f32>>> + Send {
        self.read_async()
    }

    /// The one element of an f32 tensor.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    ///
    /// # Panics
    /// If there is not exactly one.
    #[track_caller]
    pub fn item(&self) -> Result<f32> {
        self.expect_one("item");
        Ok(self.to_vec()?[0])
    }

    /// [`item`](Self::item) without blocking the calling thread.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    ///
    /// # Panics
    /// If there is not exactly one, at once.
    #[track_caller]
    pub fn item_async(&self) -> impl Future<Output = Result<f32>> + Send {
        self.expect_one("item_async");
        let values = self.to_vec_async();
        async move { Ok(values.await?[0]) }
    }

    /// The same memory under another shape.
    ///
    /// # Panics
    /// If the shapes have different numbers of elements.
    #[track_caller]
    pub fn reshape(&self, shape: impl Into<Shape>) -> Self {
        let shape = shape.into();
        assert!(shape.len() == self.len(), "reshape: {} has {} elements, {shape} has {}", self.shape(), self.len(), shape.len());
        Self { device: self.device.clone(), array: Array { shape, ..self.array.clone() } }
    }

    /// The same memory without axis `axis`, whose extent is 1. Equivalent of `torch.squeeze(x, axis)`, which does nothing where this panics.
    ///
    /// # Panics
    /// If there is no such axis, or its extent is not 1.
    #[track_caller]
    pub fn squeeze(&self, axis: usize) -> Self {
        let fits = axis < self.shape().rank() && self.shape().dim(axis) == 1;
        assert!(fits, "squeeze: axis {axis} is not there with extent 1 (x {})", self.shape());
        let mut dims = self.shape().dims().to_vec();
        dims.remove(axis);
        self.reshape(dims.as_slice())
    }

    /// The same memory with a new axis of extent 1 in front of axis `axis`, or behind the last one. Equivalent of
    /// `torch.unsqueeze(x, axis)`.
    ///
    /// # Panics
    /// If there is no such place, or the rank would be over six.
    #[track_caller]
    pub fn unsqueeze(&self, axis: usize) -> Self {
        let fits = axis <= self.shape().rank() && self.shape().rank() < MAX_RANK;
        assert!(fits, "unsqueeze: there is no place for a new axis {axis} (x {})", self.shape());
        let mut dims = self.shape().dims().to_vec();
        dims.insert(axis, 1);
        self.reshape(dims.as_slice())
    }

    /// A tensor of `shape` that begins `offset` elements into this one and shares its memory: how many small tensors live in
    /// one arena.
    ///
    /// # Panics
    /// If it would reach past the end, or does not begin at a multiple of 256 bytes, which adapters ask for.
    #[track_caller]
    pub fn view(&self, offset: usize, shape: impl Into<Shape>) -> Self {
        let shape = shape.into();
        let end = offset.checked_add(shape.len());
        assert!(end.is_some_and(|end| end <= self.len()), "view: {shape} at {offset} reaches past the end of {}", self.shape());
        let offset_bytes = self.array.offset_bytes + offset * self.dtype().bytes();
        assert!(offset_bytes.is_multiple_of(ALIGN), "view: offset {offset} is not a multiple of {ALIGN} bytes");
        Self { device: self.device.clone(), array: Array { shape, offset_bytes, ..self.array.clone() } }
    }

    /// The same values on another device.
    ///
    /// # Errors
    /// A fault of either device.
    pub fn to_device(&self, device: &Device) -> Result<Self> {
        Ok(match self.dtype() {
            DType::F32 => Self::from_slice(device, self.shape(), &self.read::<f32>()?),
            DType::F16 => Self::from_slice(device, self.shape(), &self.read::<half::f16>()?),
            DType::F64 => Self::from_slice(device, self.shape(), &self.read::<f64>()?),
            DType::I32 => Self::from_slice(device, self.shape(), &self.read::<i32>()?),
            DType::U32 => Self::from_slice(device, self.shape(), &self.read::<u32>()?),
            DType::U8 => Self::from_slice(device, self.shape(), &self.read::<u8>()?),
            DType::Bool => Self::from_slice(device, self.shape(), &self.read::<bool>()?),
        })
    }

    /// Where it lives.
    pub fn device(&self) -> &Device {
        &self.device
    }
    /// Its extents.
    pub fn shape(&self) -> Shape {
        self.array.shape
    }
    /// Its element type.
    pub fn dtype(&self) -> DType {
        self.array.dtype
    }
    /// How many elements it has.
    pub fn len(&self) -> usize {
        self.array.shape.len()
    }
    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.array.shape.is_empty()
    }
    /// Bytes of its elements.
    pub fn bytes(&self) -> usize {
        self.array.bytes()
    }
    /// Whether two tensors lie in one buffer: such cannot be input and output of one kernel.
    pub fn shares_storage(&self, other: &Self) -> bool {
        self.array.storage.is(&other.array.storage)
    }

    pub(crate) fn array(&self) -> &Array {
        &self.array
    }

    /// Whether the tensor is f64 where f32 is spoken of: on [`Device::cpu_f64`].
    fn is_widened<T: Element>(&self) -> bool {
        T::DTYPE == DType::F32 && self.dtype() == DType::F64 && self.device.float_dtype() == DType::F64
    }

    #[track_caller]
    fn expect_type<T: Element>(&self, what: &str) {
        assert!(self.dtype() == T::DTYPE, "{what}: the tensor (shape {}) holds {}, not {}", self.shape(), self.dtype(), T::DTYPE);
    }

    #[track_caller]
    fn expect_one(&self, what: &str) {
        assert!(self.len() == 1, "{what}: a tensor of shape {} has {} elements", self.shape(), self.len());
    }

    fn expect_no_capture(&self) -> Result<()> {
        if self.device.is_capturing() { Err(Error::InsideCapture) } else { Ok(()) }
    }
}

#[track_caller]
fn expect_values(given: usize, shape: Shape) {
    assert!(given == shape.len(), "write: {given} values into a tensor of shape {shape}");
}

/// f32 values as f64.
fn widened(bytes: &[u8]) -> Vec<u8> {
    let wide: Vec<f64> = f32::from_bytes(bytes).into_iter().map(f64::from).collect();
    f64::to_bytes(&wide).into_owned()
}

impl fmt::Debug for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tensor({} {} on {})", self.dtype(), self.shape(), self.device.name())
    }
}

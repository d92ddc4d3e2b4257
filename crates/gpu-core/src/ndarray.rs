//! Tensors from and to arrays of the crate `ndarray`.

use crate::base::{Element, MAX_RANK, Result, Shape};
use crate::run::Device;
use crate::tensor::Tensor;
use ::ndarray::{ArrayBase, ArrayD, Data, Dimension, IxDyn};

impl Tensor {
    /// A copy of an array, or of a view of one in whatever order, on the device.
    ///
    /// ```
    /// use gpu_core::{Device, Tensor};
    /// let a = ndarray::array![[1.0f32, 2.0, 3.0], [4.0, 5.0, 6.0]];
    /// let x = Tensor::from_array(&Device::Cpu, &a.t());
    /// assert_eq!(x.to_ndarray::<f32>()?, a.t().into_dyn());
    /// # Ok::<(), gpu_core::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the array has more than six axes.
    #[track_caller]
    pub fn from_array<T: Element, S: Data<Elem = T>, D: Dimension>(device: &Device, array: &ArrayBase<S, D>) -> Self {
        assert!(array.ndim() <= MAX_RANK, "from_array: an array of {} axes, tensors have at most {MAX_RANK}", array.ndim());
        let shape = Shape::new(array.shape());
        match array.as_slice() {
            Some(values) => Self::from_slice(device, shape, values),
            None => Self::from_slice(device, shape, &array.iter().copied().collect::<Vec<T>>()),
        }
    }

    /// All elements as an array; waits for them.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    ///
    /// # Panics
    /// As [`read`](Self::read).
    #[track_caller]
    pub fn to_ndarray<T: Element>(&self) -> Result<ArrayD<T>> {
        Ok(array_of(self.shape(), self.read()?))
    }

    /// [`to_ndarray`](Self::to_ndarray) without blocking the calling thread.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    ///
    /// # Panics
    /// As [`read`](Self::read), at once.
    #[track_caller]
    pub fn to_ndarray_async<T: Element>(&self) -> impl Future<Output = Result<ArrayD<T>>> + Send {
        let (shape, values) = (self.shape(), self.read_async());
        async move { Ok(array_of(shape, values.await?)) }
    }
}

fn array_of<T>(shape: Shape, values: Vec<T>) -> ArrayD<T> {
    ArrayD::from_shape_vec(IxDyn(shape.dims()), values).expect("a tensor has as many elements as its shape")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use ::ndarray::{Array0, Array3, ArrayD, Axis, IxDyn, s};

    #[test]
    fn arrays_and_views_come_and_go_as_they_are() {
        for device in [Some(Device::Cpu), testing::gpu()].into_iter().flatten() {
            let a = Array3::from_shape_fn((2, 3, 4), |(i, j, k)| (100 * i + 10 * j + k) as i32);
            let views = [a.view(), a.slice(s![.., 1.., ..;2]), a.slice(s![.., .., ..;-1]), a.view().permuted_axes([2, 0, 1])];
            for view in views {
                let x = Tensor::from_array(&device, &view);
                assert_eq!(x.shape().dims(), view.shape());
                assert_eq!(x.to_ndarray::<i32>().unwrap(), view.into_dyn());
                assert_eq!(pollster::block_on(x.to_ndarray_async::<i32>()).unwrap(), view.into_dyn());
            }
            let one = Array0::from_elem((), 2.5f32);
            assert_eq!(Tensor::from_array(&device, &one).to_ndarray::<f32>().unwrap(), one.into_dyn());
            let none = a.slice_axis(Axis(1), (0..0).into());
            assert_eq!(Tensor::from_array(&device, &none).to_ndarray::<i32>().unwrap(), none.into_dyn());
        }
    }

    #[test]
    #[should_panic(expected = "from_array: an array of 7 axes, tensors have at most 6")]
    fn an_array_of_more_axes_than_tensors_have_is_refused() {
        Tensor::from_array(&Device::Cpu, &ArrayD::<f32>::zeros(IxDyn(&[1; 7])));
    }
}

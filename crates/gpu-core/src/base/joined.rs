//! A sum that has the same bits on every device and on a host.

/// `x + y`, where what is subnormal counts as +0, before and after: what [`ops::join`](crate::ops::join) does to each element.
///
/// ```
/// # use gpu_core::joined;
/// assert_eq!(joined(1.5, 2.0), 3.5);
/// assert_eq!(joined(1e-40, 1e-39).to_bits(), 0);
/// assert_eq!(joined(-0.0, -0.0).to_bits(), 0);
/// ```
#[inline(always)]
pub fn joined(x: f32, y: f32) -> f32 {
    let normal = |v: f32| if v.to_bits() & 0x7f80_0000 == 0 { 0.0 } else { v };
    normal(normal(x) + normal(y))
}

//! Wrong calls, and what their panics say.

use crate::{Misuse, misuse};
use gpu_core::ops::peak_multiply_add;

pub fn wrong_calls() -> Vec<Misuse> {
    vec![misuse!("peak_multiply_add", ["70000 rounds", "y [3]"], |device| peak_multiply_add(device, 3, 70_000))]
}

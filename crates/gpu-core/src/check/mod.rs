//! Proof: kernels held against their mirrors, with every output poisoned first, and faults planted to prove the proof.

mod bench;
mod bound;
mod case;
mod gradient;
mod inputs;
mod launches;
mod misuse;
mod observers;
mod out_of_range;

pub use crate::misuse;
pub use bench::Bench;
pub use bound::{Bound, Difference, difference, floats};
pub use case::Case;
pub use gradient::{difference_quotients, gradients, relative_error};
pub use inputs::{devices, gpu, input_integers, input_values, integers, tensor, values};
pub use launches::{Launch, Launches, counted};
pub use misuse::Misuse;
pub use observers::{faulty, magnitudes, poisoned};
pub use out_of_range::CountingGpu;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comparison_notices_a_difference_and_a_nan() {
        let want = [1.0, -2.0, 3.0];
        assert!(difference(&want, &want, Bound::Exact).ok());
        assert!(!difference(&[1.0, -2.0, 3.000001], &want, Bound::Exact).ok());
        assert!(!difference(&[1.0, f32::NAN, 3.0], &want, Bound::Relative(1.0)).ok());
        assert!(difference(&[1.0, -2.0, 3.02], &want, Bound::Relative(0.01)).ok());
        assert!(!difference(&[1.0, -2.0, 3.04], &want, Bound::Relative(0.01)).ok());
    }
}

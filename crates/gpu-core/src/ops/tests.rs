//! The law of the house over all operators.

use super::cases;
use crate::check;

#[test]
fn every_kernel_equals_its_mirror_over_the_table() {
    check::hold(&cases());
}

//! The law of the house over all operators.

use super::{cases, kernels};
use crate::check;
use std::collections::BTreeSet;

#[test]
fn every_kernel_equals_its_mirror_over_the_table() {
    check::hold(&cases());
}

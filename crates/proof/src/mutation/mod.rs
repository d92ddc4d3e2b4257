//! Wrong kernels, made from the right ones: each is a kernel's text with one token changed, as a programmer's slip would change it. One
//! that gives other bits than the right kernel in any case of the table must be outside its bound in some case. One that gives the
//! same bits in all of them is counted: the change means nothing, or the table has no case for which it does.

mod device;
mod kill;
mod mutants;
mod roundings;
mod tests;
mod tokens;

use device::MutantGpu;
use kill::{Fate, Group, groups};
use mutants::{Mutant, mutants};

/// What stands before every kernel's text.
const PRELUDE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../gpu-core/shaders/prelude.wgsl"));

//! The operators, by the rooms that they have in `gpu_core::ops`. An operator is a folder with the same files as every other:
//! `cases.rs`, `benches.rs`, `wrong_calls.rs`, and `tests.rs` for what is particular to it.

#[cfg(test)]
mod laws;

use crate::{Bench, Case, Misuse};

/// The register: `room::operator`, a line each.
macro_rules! operators {
    ($($room:ident { $($operator:ident),* $(,)? })*) => {
        $(
            mod $room {
                $(pub mod $operator;)*
            }
        )*

        /// The cases over which every kernel is held against its mirror, by the tests and by `wgrad verify`.
        pub fn cases() -> Vec<Case> {
            [gpu_core::ops::cases(), $($($room::$operator::cases::cases()),*),*].into_iter().flatten().collect()
        }

        /// What is timed: every operator at the sizes of real layers.
        pub fn benches() -> Vec<Bench> {
            [gpu_core::ops::benches(), $($($room::$operator::benches::benches()),*),*].into_iter().flatten().collect()
        }

        /// Wrong calls of every operator, and what their panics must say.
        pub fn wrong_calls() -> Vec<Misuse> {
            [$($($room::$operator::wrong_calls::wrong_calls()),*),*].into_iter().flatten().collect()
        }
    };
}

operators! {
    activation { functions }
    loss { cross_entropy, pointwise }
    norm { batch_norm, row_norm }
    pool { adaptive_pool2d, global_pool, pool2d }
    resample { pixel_shuffle, upsample2d }
    optim { lion }
}

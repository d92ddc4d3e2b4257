//! The operators, by the rooms that they have in `gpu_core::ops`. An operator is a folder with the same files as every other:
//! `cases.rs`, `benches.rs`, `wrong_calls.rs`, and `tests.rs` for what is particular to it.

#[cfg(test)]
mod laws;

use crate::{Bench, Case, Misuse};

/// Without kernels, and so without cases and benches.
mod linalg;

/// The register: rooms with one operator of the same name, then rooms of several, a line each.
macro_rules! operators {
    ($($alone:ident),*; $($room:ident { $($operator:ident),* $(,)? })*) => {
        $(mod $alone;)*
        $(
            mod $room {
                $(pub mod $operator;)*
            }
        )*

        /// The cases over which every kernel is held against its mirror, by the tests and by `wgrad verify`.
        pub fn cases() -> Vec<Case> {
            [gpu_core::ops::cases(), $($alone::cases::cases(),)* $($($room::$operator::cases::cases()),*),*].into_iter().flatten().collect()
        }

        /// What is timed: every operator at the sizes of real layers.
        pub fn benches() -> Vec<Bench> {
            [gpu_core::ops::benches(), $($alone::benches::benches(),)* $($($room::$operator::benches::benches()),*),*].into_iter().flatten().collect()
        }

        /// Wrong calls of every operator, and what their panics must say.
        pub fn wrong_calls() -> Vec<Misuse> {
            [linalg::wrong_calls::wrong_calls(), $($alone::wrong_calls::wrong_calls(),)* $($($room::$operator::wrong_calls::wrong_calls()),*),*].into_iter().flatten().collect()
        }
    };
}

operators! {
    matmul;
    conv { conv2d }
    elementwise { accumulate, bias, broadcast, cast, create, fill, peak, unary }
    index { gather, scatter, sort, strided }
    optim { adagrad, adam, average, clip, lion, muon, rmsprop, sgd }
    random { augment, distribution, dropout }
    reduce { axes, cumsum }
}

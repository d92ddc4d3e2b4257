//! The operators, by the rooms that they have in `gpu_core::ops`. An operator is a folder with the same files as every other:
//! `cases.rs`, `benches.rs`, `wrong_calls.rs`, and `tests.rs` for what is particular to it.

#[cfg(test)]
mod laws;
#[cfg(test)]
mod shaders;
#[cfg(test)]
pub(crate) mod table;
#[cfg(test)]
mod tint;

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
            [$($alone::cases::cases(),)* $($($room::$operator::cases::cases()),*),*].into_iter().flatten().collect()
        }

        /// What is timed: every operator at the sizes of real layers.
        pub fn benches() -> Vec<Bench> {
            [$($alone::benches::benches(),)* $($($room::$operator::benches::benches()),*),*].into_iter().flatten().collect()
        }

        /// Wrong calls of every operator, and what their panics must say.
        pub fn wrong_calls() -> Vec<Misuse> {
            [linalg::wrong_calls::wrong_calls(), $($alone::wrong_calls::wrong_calls(),)* $($($room::$operator::wrong_calls::wrong_calls()),*),*].into_iter().flatten().collect()
        }
    };
}

operators! {
    matmul;
    activation { functions }
    conv { conv2d }
    elementwise { accumulate, bias, broadcast, cast, create, fill, join, peak, unary }
    index { gather, scatter, sort, strided }
    loss { cross_entropy, pointwise }
    norm { batch_norm, row_norm }
    optim { adadelta, adagrad, adam, average, clip, lion, loss_scale, muon, rmsprop, sgd }
    pool { adaptive_pool2d, global_pool, pool2d }
    random { augment, distribution, dropout }
    reduce { axes, cumsum }
    resample { pixel_shuffle, upsample2d, warp }
}

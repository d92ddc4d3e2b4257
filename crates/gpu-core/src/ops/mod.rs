mod activation;
mod adam;
mod augment;
mod batch_norm;
mod bias;
mod conv2d;
mod cross_entropy;
mod dropout;
mod elementwise;
mod fill;
mod global_pool;
mod matmul;
mod peak;
mod pool2d;
mod reduce;
mod row_norm;
mod sgd;
#[cfg(test)]
mod tests;

#[cfg(test)]
use crate::check::Misuse;
use crate::check::{Bench, Case};
use crate::kernel::Kernel;

/// Every kernel of the library.
pub fn kernels() -> Vec<&'static Kernel> {
    [
        activation::KERNELS,
        adam::KERNELS,
        augment::KERNELS,
        batch_norm::KERNELS,
        bias::KERNELS,
        &conv2d::kernels(),
        cross_entropy::KERNELS,
        dropout::KERNELS,
        elementwise::KERNELS,
        fill::KERNELS,
        global_pool::KERNELS,
        matmul::KERNELS,
        peak::KERNELS,
        pool2d::KERNELS,
        reduce::KERNELS,
        row_norm::KERNELS,
        sgd::KERNELS,
    ]
    .concat()
}

/// The table of shapes over which every kernel is held against its mirror, by the tests and by `wgrad verify`.
pub fn cases() -> Vec<Case> {
    let tables: [fn() -> Vec<Case>; 17] = [
        activation::cases,
        adam::cases,
        augment::cases,
        batch_norm::cases,
        bias::cases,
        conv2d::cases,
        cross_entropy::cases,
        dropout::cases,
        elementwise::cases,
        fill::cases,
        global_pool::cases,
        matmul::cases,
        peak::cases,
        pool2d::cases,
        reduce::cases,
        row_norm::cases,
        sgd::cases,
    ];
    tables.iter().flat_map(|table| table()).collect()
}

/// What is timed: every operator at the sizes of real layers.
pub fn benches() -> Vec<Bench> {
    let tables: [fn() -> Vec<Bench>; 5] =
        [activation::benches, batch_norm::benches, elementwise::benches, peak::benches, row_norm::benches];
    tables.iter().flat_map(|table| table()).collect()
}

/// Wrong calls of every operator.
#[cfg(test)]
fn misuses() -> Vec<Misuse> {
    let tables: [fn() -> Vec<Misuse>; 5] =
        [activation::misuses, batch_norm::misuses, elementwise::misuses, peak::misuses, row_norm::misuses];
    tables.iter().flat_map(|table| table()).collect()
}

// Counts of two words, the lower first, in the `sums` of the kernels that follow.

fn add_count(at: u32, count: u32) {
    let low = sums[at] + count;
    sums[at + 1u] += select(0u, 1u, low < count);
    sums[at] = low;
}

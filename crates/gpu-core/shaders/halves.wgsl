// Elements in f16, two to a word: shared by the products of f16 by tiles, and put before them.

/// The element at `at`, which lies in this word.
fn half_in(word: u32, at: u32) -> f32 {
    let both = unpack2x16float(word);
    return select(both.x, both.y, (at & 1u) == 1u);
}

//! What changes results by a rounding and no more.

/// A kernel of the text, the slip as [`Mutant::describe`](super::Mutant::describe) tells it, and why it is no fault.
pub(super) const ROUNDINGS: [(&str, &str, &str); 35] = [
    ("add_bias", "let part = select(params.part, params.part / 4u, VEC == [1u => 2u]);", SUM),
    ("add_bias", "let part = select(params.[part => len], params.part / 4u, VEC == 1u);", SUM),
    ("add_bias", "let part = select(params.part, params.[part => len] / 4u, VEC == 1u);", SUM),
    ("batch_norm_partial", "var m = [0.0 => 1.0];", "a mean that its first value replaces begins elsewhere"),
    ("binary", "select(b, a, is_nan(l) | ((l [>= => >] r)", "of two equal numbers the other: a zero's sign"),
    ("binary", "select(b, a, is_nan(l) | ((l [<= => <] r)", "of two equal numbers the other: a zero's sign"),
    ("cast_words", "0x7e00u | ((a >> [13u => 14u]) & 0x3ffu)", "a NaN with other bits"),
    ("dropout", "0.286165982 + t [* => +] (", SERIES),
    ("dropout", "[0.214307383 => 1.2143074]", SERIES),
    ("dropout", "(0.214307383 + t [* => +] 0.242895663", SERIES),
    ("dropout", "t * [0.242895663 => 1.2428956]", SERIES),
    ("max_pool2d", "weight(row, column + [1u => 2u])", WEIGHT),
    ("max_pool2d", "weight(row, column + [2u => 3u])", WEIGHT),
    ("reduce_rows", "if FIRST == [1u => 2u] && is_var() {", "values are merged one by one in the place of twice over all"),
    ("reduce_rows", "if FIRST == [1u => 2u] && OP == LOG_SUM_EXP {", "values are merged one by one in the place of twice over all"),
    ("reduce_rows", "var sum = [0.0 => 1.0];", "a mean is off, and what it lacks is measured"),
    ("scatter_few", "var whole = ceil_div(first, params.[block => blocks]);", BLOCKS),
    ("scatter_few", "if params.[blocks => add] == 0u || whole >= after {", BLOCKS),
    ("scatter_few", "if params.blocks [== => !=] 0u || whole >= after {", BLOCKS),
    ("unary", "s [* => +] 0.11111111", SERIES),
    ("unary", "s * [0.11111111 => 1.1111112]", SERIES),
    ("unary", "v * 2.4801587e-[5 => 6]", SERIES),
    ("uniform_random", "f = -f32([0u => 1u] - over)", "the next one of 2^32 numbers"),
    ("uniform_random", "1.0 / [7.0 => 8.0]", SERIES),
    ("uniform_random", "([1.0 => 2.0] / 9.0", SERIES),
    ("uniform_random", "1.0 / [9.0 => 10.0]", SERIES),
    ("uniform_random", "(1.0 / 9.0 + z [* => +]", SERIES),
    ("uniform_random", "([1.0 => 2.0] / 11.0", SERIES),
    ("uniform_random", "1.0 / [11.0 => 12.0]", SERIES),
    ("uniform_random", "1.0 / [5040.0 => 5041.0]", SERIES),
    ("uniform_random", "([1.0 => 2.0] / 362880.0", SERIES),
    ("uniform_random", "1.0 / [720.0 => 721.0]", SERIES),
    ("uniform_random", "1.0 / [40320.0 => 40321.0]", SERIES),
    ("uniform_random", "-[1.0 => 2.0] / 3628800.0", SERIES),
    (
        "upsample2d",
        "let low = min(u32(v), len - [1u => 2u]);",
        "the last pixel as the one after that before it, with all of the weight",
    ),
];

const BLOCKS: &str = "of a segment fewer blocks are summed beforehand";
const SERIES: &str = "a last term of a series, whose part is less than what WGSL may round";
const SUM: &str = "a sum is cut elsewhere, or nowhere";
const WEIGHT: &str = "windows after the first of a row weigh the same, computed in another place";

//! What a product becomes on matrix units: instructions of the card's own in one block with their loads, which are wide, and nothing
//! spilled.

use super::null_device::{Card, GFX1201, NAVI31, TURING, listings};
use gpu_core::Device;
use gpu_core::ops::Conv2dGeometry;
use gpu_core::ops::internals::{self, Conv2dForm, HalfForm, MatmulForm, Transpose};
use proof::Launch;

/// The block of machine code with the matrix instructions.
#[derive(Debug)]
struct Hot {
    matrix: usize,
    /// Reads of workgroup memory.
    reads: usize,
    /// Loads from buffers by less than 8 bytes.
    narrow: usize,
}

/// What the machine code of a maker calls things.
struct Words {
    block: fn(&str) -> bool,
    matrix: &'static str,
    reads: &'static [&'static str],
    load: &'static str,
    wide: &'static str,
}

const AMD: Words = Words {
    block: |line| line.starts_with("BB"),
    matrix: "v_wmma_f32_16x16x16_f16",
    reads: &["ds_load", "ds_read"],
    load: "buffer_load",
    wide: "buffer_load_b64",
};
const NVIDIA: Words = Words {
    block: |line| line.starts_with("block"),
    matrix: "hmma.m16n8k16.f32",
    reads: &["ldsm", "ld.shared"],
    load: "ld.global",
    wide: "ld.global.a64.constant.b64",
};

fn hot(words: &Words, text: &str) -> Hot {
    let code = text.rsplit_once("machine code:").map_or("", |(_, code)| code);
    let mut blocks = vec![Vec::new()];
    for line in code.lines().map(str::trim) {
        if (words.block)(line) {
            blocks.push(Vec::new());
        }
        blocks.last_mut().expect("there is a first one").push(line);
    }
    let count = |block: &[&str], what: &str| block.iter().filter(|line| line.contains(what)).count();
    let hot = blocks.iter().max_by_key(|block| count(block, words.matrix)).expect("there is a first one");
    Hot {
        matrix: count(hot, words.matrix),
        reads: words.reads.iter().map(|read| count(hot, read)).sum(),
        narrow: count(hot, words.load) - count(hot, words.wide),
    }
}

/// The product of two matrices of 512, as they lie and with the right one transposed; of 511, by single elements; and a layer of 3x3 taps
/// over 64 channels, with its gradients.
fn products() -> Vec<Launch> {
    let (device, launches) = proof::counted(&Device::Cpu);
    let mut products = Vec::new();
    for (n, transpose) in [(512, Transpose::None), (512, Transpose::B), (511, Transpose::B)] {
        let [a, b] = [1, 2].map(|seed| proof::half_tensor(&device, [n, n], seed));
        internals::matmul(MatmulForm::Matrix, &a, &b, transpose);
        products.extend(launches.take());
    }
    let (g, form) = (Conv2dGeometry { padding: 1.into(), ..Default::default() }, Conv2dForm::Half(HalfForm::Matrix));
    let (x, w) = (proof::half_tensor(&device, [8, 64, 16, 16], 1), proof::half_tensor(&device, [64, 64, 3, 3], 2));
    internals::conv2d(form, &x, &w, None, g);
    products.extend(launches.take());
    internals::conv2d_bwd_x(form, &x, &w, None, x.shape(), g);
    products.extend(launches.take());
    internals::conv2d_bwd_w(form, &x, &x, w.shape(), g);
    products.extend(launches.take().into_iter().take(1)); // and not the sum of its parts
    products
}

/// The statistics of that name, added up.
fn spills(text: &str) -> u64 {
    let lines = text.lines().filter_map(|line| line.split_once(": "));
    let spilled = lines.filter(|(name, _)| name.starts_with("Spill") || *name == "Scratch size" || *name == "SLM size");
    spilled.map(|(_, count)| count.parse::<u64>().unwrap()).sum()
}

#[test]
fn a_product_goes_by_matrix_instructions() {
    let products = products();
    // At most so many reads of workgroup memory, and loads of less than 8 bytes. Columns of b are read by single elements on AMD's cards
    // before the last, and Mesa's driver for NVIDIA's loads f16 by none but those.
    // A pixel under a tap is one element.
    let cards: [(Card, &Words, usize, [[usize; 2]; 6]); 3] = [
        (NAVI31, &AMD, 8, [[80, 0], [32, 0], [32, 32], [80, 32], [80, 32], [32, 32]]),
        (GFX1201, &AMD, 8, [[20, 0], [16, 0], [16, 32], [20, 32], [20, 32], [16, 32]]),
        (TURING, &NVIDIA, 16, [[56, 32], [8, 32], [8, 32], [56, 32], [56, 32], [8, 32]]),
    ];
    for (card, words, matrix, most) in cards {
        let Some(listings) = listings(card, &products) else { return };
        assert_eq!(listings.len(), most.len());
        for (text, [reads, narrow]) in listings.iter().zip(most) {
            let found = hot(words, text);
            let keeps = found.matrix == matrix && found.reads <= reads && found.narrow <= narrow && spills(text) == 0;
            assert!(keeps, "{card:?}, {:?}: {found:?}, {} spilled", text.lines().next(), spills(text));
        }
    }
    // The control: a product without matrix units has no such instruction.
    let (device, launches) = proof::counted(&Device::Cpu);
    let a = proof::half_tensor(&device, [512, 512], 1);
    internals::matmul(MatmulForm::TiledHalf, &a, &a, Transpose::None);
    let tiles = &listings(NAVI31, &launches.take()).expect("it was there just now")[0];
    assert!(hot(&AMD, tiles).matrix == 0 && tiles.contains("fma"), "{tiles}");
}

//! Transposed copies, tile by tile: element by element, each would touch a line of the cache of its own.

use super::in_vectors;

/// Rows and columns of a tile, which is shuffled in vectors.
const TILE: usize = 8;

/// `to[j * to_row + i] = from[i * from_row + j]` for `rows` rows and `cols` columns of `from`.
pub(crate) fn transpose<T: Copy>(size: [usize; 2], from: &[T], from_row: usize, to: &mut [T], to_row: usize) {
    in_vectors!(by_tiles(size, from, from_row, to, to_row));
}

#[inline(always)]
fn by_tiles<T: Copy>([rows, cols]: [usize; 2], from: &[T], from_row: usize, to: &mut [T], to_row: usize) {
    let whole = [rows / TILE * TILE, cols / TILE * TILE];
    for i in (0..whole[0]).step_by(TILE) {
        for j in (0..whole[1]).step_by(TILE) {
            let tile: [&[T; TILE]; TILE] =
                std::array::from_fn(|a| from[(i + a) * from_row + j..].first_chunk().expect("a tile lies in the matrix"));
            for b in 0..TILE {
                let column: [T; TILE] = std::array::from_fn(|a| tile[a][b]);
                to[(j + b) * to_row + i..][..TILE].copy_from_slice(&column);
            }
        }
    }
    for i in 0..rows {
        let first = if i < whole[0] { whole[1] } else { 0 };
        for j in first..cols {
            to[j * to_row + i] = from[i * from_row + j];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_goes_to_its_place_and_no_other_is_written() {
        for [rows, cols] in [[1, 1], [8, 8], [7, 9], [16, 3], [9, 17], [0, 5]] {
            let (from_row, to_row) = (cols + 2, rows + 3);
            let from: Vec<usize> = (1..=rows * from_row).collect();
            let mut to = vec![0; cols * to_row];
            transpose([rows, cols], &from, from_row, &mut to, to_row);
            for (at, &got) in to.iter().enumerate() {
                let (j, i) = (at / to_row, at % to_row);
                let want = if i < rows { from[i * from_row + j] } else { 0 };
                assert_eq!(got, want, "{rows}x{cols}: row {j}, column {i}");
            }
        }
    }
}

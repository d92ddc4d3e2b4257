//! Where a direct sum reads and writes: the padded source, and the taps of each output.

use super::Layout;
use crate::mirror::Real;

/// Fewer tasks than this are cut themselves.
pub(super) const FEW: usize = 8;

/// A tap: its place in the filter, and in the source, from where the first of the phase's outputs begins to read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tap {
    pub weight: usize,
    pub offset: usize,
}

/// Outputs that have their taps in common: all of a forward pass, those of one residue of the stride in a backward one. Neighbours in a
/// row read from neighbours in the source.
#[derive(Debug)]
pub(super) struct Phase {
    pub rows: usize,
    pub cols: usize,
    /// The first output's place in its plane, and the steps to the others.
    pub first: usize,
    pub row_step: usize,
    pub col_step: usize,
    pub source_row_step: usize,
    pub taps: Vec<Tap>,
}

/// Planes of `h` x `w` with the padding written out. What a stride takes apart lies apart: (row, column % step, column / step).
#[derive(Debug, Clone, Copy)]
pub(super) struct Source {
    h: usize,
    w: usize,
    /// Rows and columns of zeros before the first.
    before: [usize; 2],
    rows: usize,
    step: usize,
    len: usize,
}

impl Source {
    /// Elements of a plane without its padding.
    pub fn elements(&self) -> usize {
        self.h * self.w
    }

    /// Elements from one plane to the next. Not a multiple of a kilobyte: many channels of a pixel would share few lines of the cache.
    pub fn plane(&self) -> usize {
        let elements = self.rows * self.step * self.len;
        if elements.is_multiple_of(256) { elements + 16 } else { elements }
    }

    /// Writes `planes` planes of `x` into `padded`, which no other source fills: the zeros around them stay from one time to the next.
    pub fn fill<T: Real>(&self, planes: usize, x: &[T], padded: &mut Vec<T>) {
        padded.resize(planes * self.plane(), T::zero());
        let (row, rows) = (self.step * self.len, self.h.min(self.rows.saturating_sub(self.before[0])));
        if rows == 0 || self.w == 0 {
            return;
        }
        let phases: Vec<[usize; 3]> = (0..self.step).map(|phase| self.columns(phase)).filter(|columns| columns[2] > 0).collect();
        for (x, padded) in x.chunks_exact(self.elements()).zip(padded.chunks_exact_mut(self.plane())) {
            let padded = padded[self.before[0] * row..].chunks_exact_mut(row);
            for (x, padded) in x.chunks_exact(self.w).zip(padded).take(rows) {
                for &[from, to, count] in &phases {
                    take_apart(&x[from..], self.step, &mut padded[to..to + count]);
                }
            }
        }
    }

    /// Of the columns that leave the residue `phase` by the step: the first of `x`, its place in a row of the planes, and how many.
    fn columns(&self, phase: usize) -> [usize; 3] {
        let first = self.before[1].saturating_sub(phase).div_ceil(self.step).min(self.len);
        let from = (first * self.step + phase).saturating_sub(self.before[1]);
        let count = self.w.saturating_sub(from).div_ceil(self.step).min(self.len - first);
        [from, phase * self.len + first, count]
    }
}

/// Every `step`-th element of `x`, from the first.
fn take_apart<T: Real>(x: &[T], step: usize, y: &mut [T]) {
    match step {
        1 => y.copy_from_slice(&x[..y.len()]),
        // Pairs go by vectors.
        2 => {
            let (pairs, last) = x.as_chunks::<2>();
            y.iter_mut().zip(pairs).for_each(|(y, pair)| *y = pair[0]);
            if y.len() > pairs.len() {
                y[pairs.len()] = last[0];
            }
        }
        step => y.iter_mut().zip(x.iter().step_by(step)).for_each(|(y, &x)| *y = x),
    }
}

/// The whole of a direct sum.
#[derive(Debug)]
pub(super) struct Plan {
    pub source: Source,
    pub phases: Vec<Phase>,
}

impl Plan {
    /// What its sums cost, in multiply-adds for each pair of channels: tiles of eight, the last of a row of four where that is enough.
    pub fn cost(&self) -> usize {
        let row = |cols: usize| match (cols, cols % 8) {
            // Single pixels wait for one another's sums.
            (0..4, _) => 3 * cols,
            (_, 0) => cols,
            (_, rest @ 1..=4) => cols - rest + 5,
            (4..8, _) => 10,
            (_, rest) => cols - rest + 8,
        };
        self.phases.iter().map(|phase| phase.rows * row(phase.cols) * phase.taps.len()).sum()
    }
}

/// Taps of one axis, with the source row from which the first output reads through each, before padding.
type AxisTaps = Vec<(usize, isize)>;

impl Plan {
    /// From x to y.
    pub fn forward(l: &Layout) -> Self {
        // A single output has none before it: however large the stride is, nothing lies apart.
        let stride = [(l.p, l.stride[0]), (l.q, l.stride[1])].map(|(out, stride)| if out == 1 { 1 } else { stride });
        let reach = |out: usize, taps: usize, axis: usize| (out - 1) * stride[axis] + (taps - 1) * l.dilation[axis] + 1;
        let step = stride[1];
        let (rows, len) = (reach(l.p, l.r, 0), reach(l.q, l.s, 1).div_ceil(step));
        let tap = |r: usize, s: usize| {
            let (row, col) = (r * l.dilation[0], s * l.dilation[1]);
            Tap { weight: r * l.s + s, offset: (row * step + col % step) * len + col / step }
        };
        let taps = (0..l.r).flat_map(|r| (0..l.s).map(move |s| tap(r, s))).collect();
        let source_row_step = stride[0] * step * len;
        let phase = Phase { rows: l.p, cols: l.q, first: 0, row_step: l.q, col_step: 1, source_row_step, taps };
        Self { source: Source { h: l.h, w: l.w, before: l.padding, rows, step, len }, phases: vec![phase] }
    }

    /// From dy to dx: outputs whose places leave one residue by the stride have the same taps.
    pub fn backward(l: &Layout) -> Self {
        let rows = residues(l.h, l.r, l.stride[0], l.padding[0], l.dilation[0]);
        let cols = residues(l.w, l.s, l.stride[1], l.padding[1], l.dilation[1]);
        let ((top, height), (left, len)) = (extent(&rows), extent(&cols));
        let tap = |&(r, row): &(usize, isize), &(s, col): &(usize, isize)| Tap {
            weight: r * l.s + s,
            offset: (row + top as isize) as usize * len + (col + left as isize) as usize,
        };
        let phase = |(a, row): (usize, &(usize, AxisTaps)), (b, col): (usize, &(usize, AxisTaps))| Phase {
            rows: row.0,
            cols: col.0,
            first: a * l.w + b,
            row_step: l.stride[0] * l.w,
            col_step: l.stride[1],
            source_row_step: len,
            taps: row.1.iter().flat_map(|r| col.1.iter().map(move |s| tap(r, s))).collect(),
        };
        let phases = rows.iter().enumerate().flat_map(|row| cols.iter().enumerate().map(move |col| phase(row, col)));
        let phases = phases.collect();
        Self { source: Source { h: l.p, w: l.q, before: [top, left], rows: height, step: 1, len }, phases }
    }
}

/// For each residue of an axis of `len` outputs: how many there are, and their taps.
fn residues(len: usize, taps: usize, stride: usize, padding: usize, dilation: usize) -> Vec<(usize, AxisTaps)> {
    let stride_i = stride as isize;
    let of = |first: usize| {
        let reach = |r: usize| (first + padding) as isize - (r * dilation) as isize;
        let taps = (0..taps).filter(|&r| reach(r).rem_euclid(stride_i) == 0).map(|r| (r, reach(r).div_euclid(stride_i)));
        ((len - first).div_ceil(stride), taps.collect())
    };
    (0..stride.min(len)).map(of).collect()
}

/// How many zeros the source needs before its first row, and how many rows in all.
fn extent(axis: &[(usize, AxisTaps)]) -> (usize, usize) {
    let ranges = || axis.iter().flat_map(|(count, taps)| taps.iter().map(move |&(_, at)| (at, at + *count as isize)));
    let before = ranges().map(|(start, _)| -start).max().unwrap_or(0).max(0);
    let end = ranges().map(|(_, end)| end).max().unwrap_or(0).max(0);
    (before as usize, (end + before).max(1) as usize)
}

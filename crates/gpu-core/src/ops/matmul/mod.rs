//! Matrix products, plain, transposed and batched with NumPy's broadcasting: `y[..,i,j] = sum over k of a[..,i,k] b[..,k,j]`.
//!
//! One launch serves all: a transpose is a pair of strides, and a batch finds its factors by a small table of steps in the
//! parameters. Which kernel runs is a pure function of the shapes and the adapter. A sum over a long k with few tiles is split into
//! parts that are added in order.

mod mirrors;
mod params;
pub(super) mod plan;
#[cfg(test)]
mod tests;

use mirrors::{has_many_rows, matmul_cpu, matmul_half_cpu, matmul_parts_cpu};
use params::Params;
use plan::{Batches, Plan, Transpose, plan};
pub(super) use plan::{Extents, Factor};

use crate::base::DType;
use crate::expect;
use crate::kernel::{Grid, Kernel, kernel};
use crate::run::Device;
use crate::tensor::Tensor;
use crate::work::{self, Work};

const WGSL: &str = concat!(wgsl!("product_tiles.wgsl"), wgsl!("matmul.wgsl"));
const SUBGROUP: &str = concat!(wgsl!("product_tiles.wgsl"), wgsl!("matmul.wgsl"), wgsl!("matmul_subgroup.wgsl"));
const HALF: &str = concat!(wgsl!("product_tiles.wgsl"), wgsl!("halves.wgsl"), wgsl!("matmul.wgsl"), wgsl!("matmul_half.wgsl"));
const MATRIX: &str = concat!(wgsl!("product_tiles.wgsl"), wgsl!("matmul.wgsl"), wgsl!("matmul_matrix.wgsl"));
static MATMUL_TILED: Kernel = kernel!(WGSL, "matmul_tiled", matmul_cpu);
static MATMUL_TILED4: Kernel = kernel!(WGSL, "matmul_tiled4", matmul_cpu);
static MATMUL_REG: Kernel = kernel!(WGSL, "matmul_reg", matmul_cpu);
static MATMUL_SUBGROUP: Kernel = kernel!(SUBGROUP, "matmul_subgroup", matmul_cpu).with_subgroups_of(8);
static MATMUL_TILED_HALF: Kernel = kernel!(HALF, "matmul_tiled_half", matmul_half_cpu);
static MATMUL_MATRIX: Kernel = kernel!(MATRIX, "matmul_matrix", matmul_half_cpu).with_matrix_units();
static MATMUL_PARTS: Kernel = kernel!(WGSL, "matmul_parts", matmul_parts_cpu);
pub(super) const KERNELS: &[&Kernel] =
    &[&MATMUL_TILED, &MATMUL_TILED4, &MATMUL_REG, &MATMUL_SUBGROUP, &MATMUL_TILED_HALF, &MATMUL_MATRIX, &MATMUL_PARTS];

/// The forms of the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Workgroup tiles.
    Tiled,
    /// Workgroup tiles by 16-byte accesses, where everything is a multiple of four.
    Tiled4,
    /// Registers alone.
    Reg,
    /// Registers that eight invocations read from each other.
    Subgroup,
    /// Workgroup tiles, of factors in f16.
    TiledHalf,
    /// Matrix units, of factors in f16.
    Matrix,
}

impl Form {
    fn kernel(self) -> &'static Kernel {
        match self {
            Self::Tiled => &MATMUL_TILED,
            Self::Tiled4 => &MATMUL_TILED4,
            Self::Reg => &MATMUL_REG,
            Self::Subgroup => &MATMUL_SUBGROUP,
            Self::TiledHalf => &MATMUL_TILED_HALF,
            Self::Matrix => &MATMUL_MATRIX,
        }
    }

    /// What its factors hold.
    pub fn factors(self) -> DType {
        if matches!(self, Self::TiledHalf | Self::Matrix) { DType::F16 } else { DType::F32 }
    }

    /// Whether the device can run it.
    fn runs_on(self, device: &Device) -> bool {
        self.kernel().info().runs_on(device)
    }
}

/// Whether rows and matrices are whole words of four: what [`Form::Tiled4`] fits.
fn goes_by_fours(e: Extents, a: Factor, b: Factor, batches: Batches) -> bool {
    let fours = [e.m, e.n, e.k, a.row.max(a.col), b.row.max(b.col)];
    fours.iter().all(|v| v % 4 == 0) && batches.steps_are_fours() && a.row.min(a.col) == 1 && b.row.min(b.col) == 1
}

/// Which kernel: workgroup tiles on hardware, registers alone on software drivers.
fn choose(device: &Device, e: Extents, a: Factor, b: Factor, batches: Batches) -> Form {
    match device.work().is_by_registers() {
        true if Form::Subgroup.runs_on(device) => Form::Subgroup,
        true => Form::Reg,
        false if goes_by_fours(e, a, b, batches) => Form::Tiled4,
        false => Form::Tiled,
    }
}

/// The same for factors in f16: matrix units where there are any.
fn choose_of_halves(device: &Device) -> Form {
    if device.has_fast_units() { Form::Matrix } else { Form::TiledHalf }
}

/// How the work is cut: pure in the shapes.
#[derive(Debug, Clone, Copy)]
struct Cut {
    /// Invocations along one axis of a workgroup of tiles.
    wg: usize,
    tiles_m: usize,
    tiles_n: usize,
    part: usize,
    parts: usize,
    /// Workgroups of tiles, or invocations of registers.
    tiles: usize,
}

fn cut(form: Form, e: Extents, work: Work, unit: usize) -> Cut {
    let tiles = |m: usize, n: usize| [e.m.div_ceil(m), e.n.div_ceil(n)];
    let count = |[m, n]: [usize; 2]| e.batch * m * n;
    // A tile of 64 where the matrix would not fill larger ones, or they a large GPU.
    let side = if e.m.min(e.n) > 64 { 128 } else { 64 };
    let wg = if side == 128 && work::fills(count(tiles(128, 128))) { 16 } else { 8 };
    let [tiles_m, tiles_n] = match form {
        Form::Reg => tiles(8, 16),
        Form::Subgroup => tiles(32, 32),
        Form::Tiled | Form::Tiled4 | Form::TiledHalf => tiles(8 * wg, 8 * wg),
        Form::Matrix => tiles(4 * unit, 4 * unit),
    };
    let step = if form == Form::Matrix { 2 * unit } else { 8 };
    let part = match form {
        Form::Reg | Form::Subgroup => e.k.div_ceil(e.k.div_ceil(32_768).max(1)).next_multiple_of(8),
        _ if work != Work::Mirrors => work::part(count([tiles_m, tiles_n]), e.k, step),
        // Threads take the place of workgroups.
        _ if has_many_rows(e.m) => e.k,
        _ => e.k.div_ceil((256 / count(tiles(side, side)).max(1)).min(e.k / 512).max(1)).next_multiple_of(8),
    };
    let parts = e.k.div_ceil(part.max(1)).max(1);
    Cut { wg, tiles_m, tiles_n, part, parts, tiles: count([tiles_m, tiles_n]) * parts }
}

/// `c = a b`, where the caller has checked the shapes; matrices of a batch follow each other by one step.
#[track_caller]
pub(super) fn launch(a: &Tensor, fa: Factor, b: &Tensor, fb: Factor, c: &Tensor, e: Extents) {
    let batches = Batches::even(fa.batch, fb.batch);
    launch_form(choose(c.device(), e, fa, fb, batches), [a, b], [fa, fb], batches, c, e);
}

#[track_caller]
fn launch_form(form: Form, factors: [&Tensor; 2], [fa, fb]: [Factor; 2], batches: Batches, y: &Tensor, e: Extents) {
    let work = y.device().work();
    let units = y.device().units();
    let Cut { wg, tiles_m, tiles_n, part, parts, tiles } = cut(form, e, work, units.tile as usize);
    let params = Params {
        m: e.m as u32,
        n: e.n as u32,
        k: e.k as u32,
        part: part as u32,
        parts: parts as u32,
        batch: e.batch as u32,
        a_row: fa.row as u32,
        a_col: fa.col as u32,
        b_row: fb.row as u32,
        b_col: fb.col as u32,
        tiles_m: tiles_m as u32,
        tiles_n: tiles_n as u32,
        first: 0,
        batches,
    };
    let partial = (parts > 1).then(|| Tensor::empty(y.device(), [e.batch * parts, e.m, e.n]));
    let to = partial.as_ref().unwrap_or(y);
    let flops = work::flops(&[e.batch, e.m, e.n, e.k]);
    let of_tiles = header(wg as u32, fa.col == 1, fb.row == 1);
    let (constants, groups, trips) = match form {
        Form::Reg => (UNTILED.to_vec(), tiles.div_ceil(8), part + 64),
        Form::Subgroup => (UNTILED.to_vec(), tiles, part),
        Form::Tiled | Form::Tiled4 | Form::TiledHalf => (of_tiles.to_vec(), tiles, part.div_ceil(8) * 20 + 16),
        Form::Matrix => {
            let by_fours = goes_by_fours(e, fa, fb, batches);
            let by_fours = [("BY_FOURS", by_fours.into())];
            ([&of_tiles[..], &units.header(), &by_fours].concat(), tiles, units.trips(part))
        }
    };
    // Elements and fours of them.
    let [a, b] = factors;
    let inputs: &[&Tensor] = if form == Form::Matrix { &[a, b, a, b] } else { &factors };
    for range in work.dispatches(groups, flops) {
        let grid = Grid::folded(range.len()).trips(trips);
        form.kernel().with(&constants).launch(Params { first: range.start as u32, ..params }, inputs, &[to], grid);
    }
    if let Some(partial) = &partial {
        MATMUL_PARTS.with(&UNTILED).launch(params, &[partial], &[y], Grid::linear(y.len(), 256).trips(parts));
    }
}

/// The header: tiles, and which factor lies along k.
const fn header(wg: u32, a_along_k: bool, b_along_k: bool) -> [(&'static str, u32); 5] {
    [("WG_X", wg), ("WG_Y", wg), ("BK", 8), ("A_K_CONTIGUOUS", a_along_k as u32), ("B_K_CONTIGUOUS", b_along_k as u32)]
}

/// That of entries which read none of it: one source for all of them.
const UNTILED: [(&str, u32); 5] = header(8, false, false);

/// The form for these factors, both of which are f32 or both f16.
#[track_caller]
fn form_for(name: &str, a: &Tensor, b: &Tensor, p: &Plan) -> Form {
    match expect::f32s_or_halves(name, &[("a", a), ("b", b)]) {
        DType::F16 => choose_of_halves(a.device()),
        _ => choose(a.device(), p.extents, p.a, p.b, p.batches),
    }
}

#[track_caller]
fn product(name: &str, a: &Tensor, b: &Tensor, transpose: Transpose, form: Option<Form>) -> Tensor {
    let p = match plan(a.shape(), b.shape(), transpose) {
        Ok(plan) => plan,
        Err(fault) => panic!("{name}: {fault} ({})", expect::shapes(&[("a", a), ("b", b)])),
    };
    let usual = form_for(name, a, b, &p);
    let fits = form != Some(Form::Tiled4) || goes_by_fours(p.extents, p.a, p.b, p.batches);
    assert!(fits, "{name}: Tiled4 fits multiples of four ({})", expect::shapes(&[("a", a), ("b", b)]));
    let form = form.filter(|form| form.runs_on(a.device()) && form.factors() == usual.factors()).unwrap_or(usual);
    let y = Tensor::empty(a.device(), p.y);
    launch_form(form, [a, b], [p.a, p.b], p.batches, &y, p.extents);
    y
}

/// `a b`: (.., m, k) by (.., k, n) gives (.., m, n), where the leading axes broadcast. A vector on the left is a row, one on the
/// right a column, and that axis is dropped again: two vectors give their scalar product. Equivalent of `torch.matmul`.
///
/// Two factors in f16 are multiplied as they are and added up in f32, by matrix units where the GPU has them, and `y` is f32: what
/// autocast has in PyTorch, whose result is rounded to f16 once more.
///
/// # Panics
/// If the inner extents differ, the leading axes do not broadcast, one is a scalar, or the tensors hold neither f32 nor f16, both
/// the same.
///
/// ```
/// # use gpu_core::{DType, Device, Tensor, ops};
/// let a = Tensor::from_slice(&Device::Cpu, [1, 2], &[1.0f32, 2.0]);
/// let b = Tensor::from_slice(&Device::Cpu, [2, 1], &[3.0f32, 4.0]);
/// assert_eq!(ops::matmul(&a, &b).to_vec()?, [11.0]);
/// let [a, b] = [a, b].map(|factor| factor.cast(DType::F16));
/// assert_eq!(ops::matmul(&a, &b).to_vec()?, [11.0]);
/// let batch = Tensor::zeros(&Device::Cpu, [5, 1, 7, 2]);
/// assert_eq!(ops::matmul(&batch, &Tensor::zeros(&Device::Cpu, [3, 2, 4])).shape().dims(), [5, 3, 7, 4]);
/// assert_eq!(ops::matmul(&batch, &Tensor::zeros(&Device::Cpu, [2])).shape().dims(), [5, 1, 7]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn matmul(a: &Tensor, b: &Tensor) -> Tensor {
    product("matmul", a, b, Transpose::None, None)
}

/// `a^T b`: `a` is (.., k, m). Equivalent of `torch.matmul(a.mT, b)`.
///
/// # Panics
/// As [`matmul`], and if `a` is a vector.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let a = Tensor::from_slice(&Device::Cpu, [2, 1], &[1.0f32, 2.0]);
/// assert_eq!(ops::matmul_ta(&a, &a).to_vec()?, [5.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn matmul_ta(a: &Tensor, b: &Tensor) -> Tensor {
    product("matmul_ta", a, b, Transpose::A, None)
}

/// `a b^T`: `b` is (.., n, k). Equivalent of `torch.matmul(a, b.mT)`.
///
/// # Panics
/// As [`matmul`], and if `b` is a vector.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let a = Tensor::from_slice(&Device::Cpu, [1, 2], &[1.0f32, 2.0]);
/// assert_eq!(ops::matmul_tb(&a, &a).to_vec()?, [5.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn matmul_tb(a: &Tensor, b: &Tensor) -> Tensor {
    product("matmul_tb", a, b, Transpose::B, None)
}

/// A product by one form of the kernel, or as usual where the device cannot run that form.
///
/// # Panics
/// As [`matmul`], and if the form does not fit.
#[track_caller]
pub fn matmul_by(form: Form, a: &Tensor, b: &Tensor, transpose: Transpose) -> Tensor {
    product("matmul", a, b, transpose, Some(form))
}

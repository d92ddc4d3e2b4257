//! `cholesky`, `solve_triangular`, `solve_spd`, `lstsq`, `ridge` and `pinv`.

#[cfg(test)]
mod tests;
pub mod wrong_calls;

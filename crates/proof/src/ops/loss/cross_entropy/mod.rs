//! `cross_entropy`, what it is made of (`softmax`, `log_softmax`, `nll_loss`), `soft_cross_entropy`, and the metrics of a training.

pub mod benches;
pub mod cases;
#[cfg(test)]
mod tests;
pub mod wrong_calls;

//! The table of derivatives: one entry an operator, with the forward, what is kept, and the backward.
//!
//! Gradients are computed only for inputs that need one: `needs` says which.

mod activation;
mod checkpoint_activations;
mod conv;
mod dense;
mod elementwise;
mod index;
mod loss;
mod norm;
mod operators;
mod pool;
mod random;
mod reduce;
mod resample;
mod shape;
#[cfg(test)]
mod tests;
mod unary;

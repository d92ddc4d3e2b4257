//! `+ - * /` and unary `-` for variables and numbers, by reference or by value: `1.0 - 2.0 * (&x * &x).sum()`.
//!
//! ```
//! # use gpu_core::{Device, Tensor};
//! # use nn::Tape;
//! let x = Tape::new(&Device::Cpu).variable(&Tensor::full(&Device::Cpu, [1], 3.0));
//! let y = 1.0 - 2.0 * (&x * &x) + -&x / 2.0;
//! assert_eq!(y.item()?, -18.5);
//! assert_eq!(y.backward().of(&x).unwrap().to_vec()?, [-12.5]);
//! # Ok::<(), gpu_core::Error>(())
//! ```

use crate::autograd::var::Var;

gpu_core::arithmetic!(Var);

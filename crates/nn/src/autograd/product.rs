//! The factors of products, as a pass multiplies them.

use super::pass::Precision;
use super::tape::Tape;
use super::var::Var;
use gpu_core::{DType, Tensor, ops};

/// The two factors of a product.
pub(in crate::autograd) struct Factors {
    pub a: Tensor,
    pub b: Tensor,
}

impl Factors {
    /// Rounded as the tape of either says.
    pub fn of(a: &Var, b: &Var) -> Self {
        match a.tape().or(b.tape()).map_or(Precision::F32, Tape::precision) {
            Precision::F32 => Self::as_they_are(a, b),
            Precision::Mixed => Self { a: ops::cast(a.stored(), DType::F16), b: ops::cast(b.stored(), DType::F16) },
        }
    }

    pub fn as_they_are(a: &Var, b: &Var) -> Self {
        Self { a: a.value().clone(), b: b.value().clone() }
    }

    /// What comes of them, held as they are: of an image in f16 comes one in f16.
    pub fn held(&self, y: Tensor) -> Tensor {
        ops::cast(&y, self.a.dtype())
    }

    /// What the gradients will ask for: a product keeps a factor only for the other's sake.
    pub fn kept(self, a: &Var, b: &Var) -> (Option<Tensor>, Option<Tensor>) {
        (b.needs_gradient().then_some(self.a), a.needs_gradient().then_some(self.b))
    }
}

/// `dy`, rounded as the factors that it is multiplied with.
pub(in crate::autograd) fn alike(dy: &Tensor, a: &Option<Tensor>, b: &Option<Tensor>) -> Tensor {
    match a.as_ref().or(b.as_ref()) {
        Some(factor) if factor.dtype() == DType::F16 => ops::cast(dy, DType::F16),
        _ => dy.clone(),
    }
}

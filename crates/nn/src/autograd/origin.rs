//! Where a variable comes from, and what is remembered of it: what both the tape and the variables on it go by.

use gpu_core::Shape;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Where a variable comes from: what a gradient and a drawing go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A node of its tape: a gradient flows to it.
    Node(usize),
    /// A parameter that is not learned, by its number.
    Buffer(u64),
    /// Other data, told from all else by a number.
    Data(u64),
    /// It stands for an operand that was not given.
    Absent,
}

impl Origin {
    /// Of data that nothing else is.
    pub fn data() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self::Data(NEXT.fetch_add(1, Relaxed))
    }

    /// The node, if it is one.
    pub fn node(self) -> Option<usize> {
        if let Self::Node(node) = self { Some(node) } else { None }
    }
}

/// What made a node.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Made {
    Variable,
    Parameter(u64),
    Operator(&'static str),
}

/// A node without what it computes: what a [`Graph`](crate::Graph) is made of.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub made: Made,
    pub shape: Shape,
    pub inputs: Vec<(Origin, Shape)>,
    /// The layer that it was made by, by its number, where that is noted.
    pub layer: Option<usize>,
}

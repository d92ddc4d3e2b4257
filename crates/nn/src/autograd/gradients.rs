//! The backward pass, and what it gives.

use super::origin::{Entry, Made};
use super::param::Param;
use super::tape::{Node, Tape};
use gpu_core::{Tensor, ops};
use std::collections::HashMap;

/// The gradients of a loss with respect to the leaves of its tape.
pub struct Gradients {
    pub(super) tape: Tape,
    of_nodes: Vec<Option<Tensor>>,
    params: HashMap<u64, usize>,
}

impl Gradients {
    /// The gradient of a [`Param`], of a [`Tape::variable`], or of what [keeps its gradient](crate::Var::retain_gradient); `None` if the
    /// loss does not depend on it, or it was not asked for.
    pub fn of(&self, leaf: &impl Leaf) -> Option<&Tensor> {
        self.of_nodes.get(leaf.node_in(self)?)?.as_ref()
    }
}

/// What has a gradient.
pub trait Leaf {
    #[doc(hidden)]
    fn node_in(&self, gradients: &Gradients) -> Option<usize>;
}

impl Leaf for Param {
    fn node_in(&self, gradients: &Gradients) -> Option<usize> {
        gradients.params.get(&self.id()).copied()
    }
}

impl Tape {
    /// Runs the closures backwards from node `from`, for the leaves that are `wanted`: what leads to no other is not computed. Where two
    /// closures name one input, their gradients are added.
    #[track_caller]
    pub(crate) fn backward(&self, from: usize, dy: Tensor, wanted: &dyn Fn(Made) -> bool) -> Gradients {
        let (nodes, params) = self.spend();
        let retained = self.retained();
        let entries = self.entries();
        let leads = leads_to(&nodes, &entries, &|node, made| wanted(made) || retained.contains(&node));
        let mut of_nodes: Vec<Option<Tensor>> = vec![None; nodes.len()];
        of_nodes[from] = Some(dy).filter(|_| leads[from]);
        for (at, node) in nodes.into_iter().enumerate().rev() {
            let Node::Derived { inputs, backward } = node else { continue };
            let Some(dy) = of_nodes[at].take() else { continue };
            let needs: Vec<bool> = inputs.iter().map(|input| input.is_some_and(|input| leads[input])).collect();
            let _at_work = self.spans().at_work(entries[at].layer, true);
            let of_inputs = backward(&dy, &needs);
            of_nodes[at] = Some(dy).filter(|_| retained.contains(&at));
            for (input, gradient) in inputs.into_iter().zip(of_inputs) {
                let (Some(input), Some(gradient)) = (input, gradient) else { continue };
                let slot = &mut of_nodes[input];
                *slot = Some(match slot.take() {
                    None => gradient,
                    Some(sum) => ops::add(&sum, &gradient),
                });
            }
        }
        Gradients { tape: self.clone(), of_nodes, params }
    }
}

/// Which nodes are wanted, or were computed from one that is.
fn leads_to(nodes: &[Node], entries: &[Entry], wanted: &dyn Fn(usize, Made) -> bool) -> Vec<bool> {
    let mut leads = Vec::with_capacity(nodes.len());
    for (at, (node, entry)) in nodes.iter().zip(entries).enumerate() {
        let from_wanted = match node {
            Node::Leaf => false,
            Node::Derived { inputs, .. } => inputs.iter().flatten().any(|&input| leads[input]),
        };
        leads.push(from_wanted || wanted(at, entry.made));
    }
    leads
}

//! What a variable was computed from, to be looked at: nodes and edges, and the same as text for Graphviz.

use super::origin::{Entry, Made, Origin};
use super::parameters::{Parameters, parameters};
use super::var::Var;
use gpu_core::Shape;
use std::collections::BTreeSet;
use std::fmt::Write;

/// The operators and leaves that a variable was computed from. It keeps no tensors, and may be asked for before or after the
/// backward pass. Equivalent of what the package `torchviz` draws for PyTorch, but of the forward pass.
///
/// What needs no gradient is not recorded: a value that was computed from data alone is a leaf, as that data is.
///
/// ```
/// use gpu_core::{Device, Tensor};
/// use nn::{Graph, Tape};
/// let tape = Tape::new(&Device::Cpu);
/// let x = tape.variable(&Tensor::full(&Device::Cpu, [2], 3.0));
/// let loss = x.mul(&x).sum();
/// let graph = Graph::of(&loss).name(&x, "x");
/// let want = r#"digraph {
///   node [fontname="sans-serif"];
///   0 [shape=box, label="x\nvariable [2]"];
///   1 [label="mul\n[2]"];
///   2 [label="sum\n[]"];
///   0 -> 1;
///   0 -> 1;
///   1 -> 2;
/// }
/// "#;
/// assert_eq!(graph.to_dot(), want);
/// ```
#[derive(Debug, Clone)]
pub struct Graph {
    nodes: Vec<GraphNode>,
    /// Where each node comes from.
    origins: Vec<Origin>,
    /// Numbers of the parameters among the leaves.
    params: Vec<Option<u64>>,
    of: Var,
}

/// An operator's output, or a leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphNode {
    /// What it was called by [`Graph::name`] or [`Graph::parameters`]; empty if nothing called it.
    pub name: String,
    /// The operator: a method of [`Var`], or what [`Var::derived`] was told. Of a leaf: `variable`, `parameter`, `buffer` (a parameter
    /// that is not learned) or `data`.
    pub op: &'static str,
    /// The shape of the value.
    pub shape: Shape,
    /// The nodes that are its operands, in order, one twice if it is used twice; each stands before it. None for a leaf.
    pub inputs: Vec<usize>,
}

impl Graph {
    /// All that `y` depends on, in the order in which it was recorded; `y` is the last.
    pub fn of(y: &Var) -> Self {
        let entries = y.tape().map(|tape| tape.entries()).unwrap_or_default();
        let mut graph = Self { nodes: Vec::new(), origins: Vec::new(), params: Vec::new(), of: y.clone() };
        for node in needed(&entries, y.node()) {
            let Entry { made, shape, inputs, .. } = &entries[node];
            let inputs = inputs.iter().filter(|(origin, _)| *origin != Origin::Absent);
            let inputs = inputs.map(|&(origin, shape)| graph.find(origin).unwrap_or_else(|| graph.data(origin, shape))).collect();
            let (op, param) = match *made {
                Made::Variable => ("variable", None),
                Made::Parameter(id) => ("parameter", Some(id)),
                Made::Operator(op) => (op, None),
            };
            graph.push(Origin::Node(node), param, GraphNode { name: String::new(), op, shape: *shape, inputs });
        }
        if graph.nodes.is_empty() {
            graph.data(y.origin(), y.shape());
        }
        graph
    }

    /// The same with `var` called `name`.
    ///
    /// # Panics
    /// If the graph does not have it.
    #[track_caller]
    pub fn name(mut self, var: &Var, name: impl Into<String>) -> Self {
        // The numbers of nodes are those of one tape.
        let stranger = var.node().is_some() && self.of.tape().is_none_or(|tape| var.node_on(tape).is_none());
        let found = self.find(var.origin()).filter(|_| !stranger);
        let Some(found) = found else { panic!("Graph: {var:?} is not in it: the variable that it is of does not depend on it") };
        self.nodes[found].name = name.into();
        self
    }

    /// The same with the parameters of `net` called by their keys, as in the state dict.
    pub fn parameters(mut self, net: &dyn Parameters) -> Self {
        for (key, param) in parameters(net) {
            if let Some(found) = self.params.iter().position(|id| *id == Some(param.id())) {
                self.nodes[found].name = key;
            }
        }
        self
    }

    /// Operators and leaves; operands stand before what is computed from them.
    pub fn nodes(&self) -> &[GraphNode] {
        &self.nodes
    }

    /// The graph in the language of Graphviz: `dot -Tsvg graph.dot` draws it. Leaves are boxes. The text is a function of the graph alone:
    /// the same program gives the same text.
    pub fn to_dot(&self) -> String {
        let mut dot = String::from("digraph {\n  node [fontname=\"sans-serif\"];\n");
        for (i, GraphNode { name, op, shape, inputs }) in self.nodes.iter().enumerate() {
            let leaf = if inputs.is_empty() { "shape=box, " } else { "" };
            let label = match name.is_empty() {
                true => format!("{}\\n{shape}", quoted(op)),
                false => format!("{}\\n{} {shape}", quoted(name), quoted(op)),
            };
            writeln!(dot, "  {i} [{leaf}label=\"{label}\"];").expect("text grows");
        }
        for (i, node) in self.nodes.iter().enumerate() {
            node.inputs.iter().for_each(|input| writeln!(dot, "  {input} -> {i};").expect("text grows"));
        }
        dot + "}\n"
    }

    fn find(&self, origin: Origin) -> Option<usize> {
        self.origins.iter().position(|o| *o == origin)
    }

    /// A leaf that no gradient flows to.
    fn data(&mut self, origin: Origin, shape: Shape) -> usize {
        let (op, param) = match origin {
            Origin::Buffer(id) => ("buffer", Some(id)),
            _ => ("data", None),
        };
        self.push(origin, param, GraphNode { name: String::new(), op, shape, inputs: Vec::new() })
    }

    fn push(&mut self, origin: Origin, param: Option<u64>, node: GraphNode) -> usize {
        self.origins.push(origin);
        self.params.push(param);
        self.nodes.push(node);
        self.nodes.len() - 1
    }
}

/// The recorded nodes that lead to `last`, in order.
fn needed(entries: &[Entry], last: Option<usize>) -> BTreeSet<usize> {
    let mut found = BTreeSet::from_iter(last);
    // Operands were recorded before: one way back meets each node after all that use it.
    for at in (0..last.map_or(0, |last| last + 1)).rev().filter(|at| *at < entries.len()) {
        if found.contains(&at) {
            found.extend(entries[at].inputs.iter().filter_map(|(origin, _)| match *origin {
                Origin::Node(node) => Some(node),
                _ => None,
            }));
        }
    }
    found
}

/// `text` within quotation marks of the language: there a backslash begins an escape.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\r', "").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::tape::Tape;
    use crate::init::Init;
    use crate::layers::{Conv2d, Linear};
    use crate::net::Layer;
    use gpu_core::{Device, Tensor};

    const CPU: Device = Device::Cpu;

    fn ones(shape: impl Into<Shape>) -> Tensor {
        Tensor::full(&CPU, shape, 1.0)
    }

    /// Names where there are names, else operators, each with its operands.
    fn lines(graph: &Graph) -> Vec<String> {
        let word = |node: &GraphNode| if node.name.is_empty() { node.op.to_owned() } else { node.name.clone() };
        let of = |node: &GraphNode| {
            let inputs: Vec<String> = node.inputs.iter().map(|&i| word(&graph.nodes[i])).collect();
            format!("{}({})", word(node), inputs.join(", "))
        };
        graph.nodes.iter().map(of).collect()
    }

    #[test]
    fn a_shared_expression_is_one_node_and_so_is_shared_data() {
        let tape = Tape::new(&CPU);
        let (x, mask) = (tape.variable(&ones([2, 3])), Var::constant(&ones([3])));
        let square = x.square();
        let y = square.mul(&mask).add(&square.sub(&mask));
        let graph = Graph::of(&y).name(&x, "x").name(&mask, "mask");
        assert_eq!(lines(&graph), ["x()", "square(x)", "mask()", "mul(square, mask)", "sub(square, mask)", "add(mul, sub)"]);
        assert_eq!(graph.to_dot().matches("square").count(), 1);
    }

    #[test]
    fn what_it_does_not_depend_on_is_left_out() {
        let tape = Tape::new(&CPU);
        let [x, unused] = [0, 1].map(|_| tape.variable(&ones([2])));
        let _side = unused.exp().add(&x);
        let y = x.relu();
        let _later = y.exp();
        assert_eq!(lines(&Graph::of(&y)), ["variable()", "relu(variable)"]);
    }

    #[test]
    fn parameters_are_called_by_their_keys_and_missing_operands_are_not_drawn() {
        let net = crate::seq![Conv2d::new(2, 3).no_bias(), crate::Flatten, Linear::new(2)];
        let net = net.build(&Init::seeded(&CPU, 0), [1, 4, 4]).unwrap();
        let x = Tape::new(&CPU).input(&ones([1, 1, 4, 4]));
        let graph = Graph::of(&net.forward(&x)).name(&x, "x").parameters(&net);
        let want = [
            "0.weight()",
            "x()",
            "conv2d(x, 0.weight)",
            "reshape(conv2d)",
            "2.weight()",
            "2.bias()",
            "linear(reshape, 2.weight)",
            "add_bias(linear, 2.bias)",
        ];
        assert_eq!(lines(&graph), want);
    }

    #[test]
    fn a_buffer_is_no_parameter_and_one_leaf() {
        let (tape, scale) = (Tape::new(&CPU), crate::Param::buffer(ones([2])));
        let x = tape.variable(&ones([2]));
        let y = x.mul(&scale.var(&x)).add(&scale.var(&x));
        assert_eq!(lines(&Graph::of(&y)), ["variable()", "buffer()", "mul(variable, buffer)", "add(mul, buffer)"]);
    }

    #[test]
    fn the_backward_pass_takes_nothing_from_it_and_the_same_program_gives_the_same_text() {
        let run = || {
            let x = Tape::new(&CPU).variable(&ones([2]));
            let loss = x.sigmoid().mul(&Var::constant(&ones([2]))).sum();
            let before = Graph::of(&loss).name(&x, "x").to_dot();
            loss.backward();
            assert_eq!(Graph::of(&loss).name(&x, "x").to_dot(), before);
            before
        };
        assert_eq!(run(), run());
    }

    #[test]
    fn what_has_a_meaning_in_the_language_is_escaped() {
        let x = Tape::new(&CPU).variable(&ones([1]));
        let graph = Graph::of(&x.relu()).name(&x, "a \"b\" \\N\n<c> -> {d}; é");
        assert!(graph.to_dot().contains("  0 [shape=box, label=\"a \\\"b\\\" \\\\N\\n<c> -> {d}; é\\nvariable [1]\"];\n"));
        assert_eq!(graph.to_dot().lines().count(), 6);
    }

    #[test]
    fn a_constant_is_a_graph_of_one_leaf() {
        let y = Var::constant(&ones([2])).exp();
        assert_eq!(lines(&Graph::of(&y).name(&y, "y")), ["y()"]);
    }

    #[test]
    #[should_panic(expected = "Graph: Var(")]
    fn a_variable_of_another_tape_has_no_name_in_it() {
        let [x, other] = [0, 1].map(|_| Tape::new(&CPU).variable(&ones([1])));
        let _ = Graph::of(&x.relu()).name(&other, "x");
    }
}

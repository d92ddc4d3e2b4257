//! Activations that are computed again instead of kept.

use crate::autograd::origin::Made;
use crate::autograd::param::Param;
use crate::autograd::var::Var;
use std::collections::HashSet;

impl Var {
    /// `segment` of this variable, of which only input and output are kept: the backward pass computes what lies between once more.
    /// It saves memory for the time of a forward pass, and gives the same bits: random layers draw the same numbers again, and running
    /// statistics are brought up to date once. Equivalent of `torch.utils.checkpoint.checkpoint`. See
    /// [`Net::checkpoint_activations`](crate::Net::checkpoint_activations) for networks.
    ///
    /// ```
    /// # use gpu_core::{Device, Tensor};
    /// # use nn::Tape;
    /// let x = Tape::new(&Device::Cpu).variable(&Tensor::full(&Device::Cpu, [1], 2.0));
    /// let y = x.checkpoint_activations(|x| x.mul(x).mul(x));
    /// assert_eq!(y.backward().of(&x).unwrap().to_vec()?, [12.0]);
    /// # Ok::<(), gpu_core::Error>(())
    /// ```
    ///
    /// # Panics
    /// If `segment` uses another variable of this tape than its argument: parameters and constants are all it may bring.
    #[track_caller]
    pub fn checkpoint_activations(&self, segment: impl Fn(&Self) -> Self + Send + 'static) -> Self {
        let Some(tape) = self.tape().filter(|tape| tape.keeps_gradients()) else { return segment(self) };
        let first = tape.first_pass();
        let y = segment(&first.input(self.stored())).stored().clone();
        let second = tape.second_pass(&first);
        let params: Vec<Param> = first.used().into_iter().filter(Param::is_learned).collect();
        let inputs: Vec<Self> = [self.clone()].into_iter().chain(params.iter().map(|param| param.var(self))).collect();
        let x = self.stored().clone();
        Self::derived_from("checkpoint_activations", y, &inputs, move |dy, needs| {
            let x = if needs[0] { second.variable(&x) } else { second.input(&x) };
            let y = segment(&x);
            let Some(node) = y.node_on(&second) else { return vec![None; needs.len()] };
            drop(y);
            let wanted: HashSet<u64> = params.iter().zip(&needs[1..]).filter(|(_, needed)| **needed).map(|(p, _)| p.id()).collect();
            let gradients = second.backward(node, dy.clone(), &|made| match made {
                Made::Parameter(id) => wanted.contains(&id),
                Made::Variable => true,
                Made::Operator(_) => false,
            });
            let of_params = params.iter().map(|param| gradients.of(param).cloned());
            [gradients.of(&x).cloned()].into_iter().chain(of_params).collect()
        })
    }
}

//! A case of a golden file on a device: its inputs, attributes and results.

use super::file::{Case, GoldenFile};
use super::tolerance::Computed;
use crate::error::Result;
use gpu_core::{Device, Tensor};
use nn::{Tape, Var};
use serde_json::Value;

/// A case with its inputs, on a device.
pub(super) struct Call<'a> {
    pub file: &'a GoldenFile,
    pub case: &'a Case,
    pub device: &'a Device,
}

/// Results by name; the gradients too, where the case has some.
pub(super) type Results = Vec<(String, Tensor)>;

/// What computes an operator; none for attributes that it does not know.
pub(super) type Operator = fn(&Call<'_>) -> Result<Option<Results>>;

impl Call<'_> {
    pub fn key(&self, role: &str) -> String {
        format!("{}/{role}", self.case.name)
    }

    pub fn want(&self, role: &str) -> Result<Vec<f32>> {
        Ok(self.file.array(&self.key(role))?.1.to_vec())
    }

    pub fn tensor(&self, role: &str) -> Result<Tensor> {
        self.file.tensor(&self.key(role), self.device)
    }

    /// The upstream gradient.
    pub fn dy(&self) -> Result<Tensor> {
        let other = format!("d{}", self.case.outputs[0]);
        self.tensor(if self.file.has(&self.key("dy")) { "dy" } else { &other })
    }

    /// Whether all of the case's attributes are among `keys`: one that nobody looks at must not pass for one that was obeyed.
    pub fn knows(&self, keys: &[&str]) -> bool {
        self.case
            .attrs
            .as_object()
            .is_none_or(|attrs| attrs.iter().all(|(key, value)| keys.contains(&key.as_str()) || value.is_null()))
    }

    /// An attribute of one number, or of one an axis; none if it is something else.
    pub fn extents<const D: usize>(&self, key: &str, default: [usize; D]) -> Option<[usize; D]> {
        match self.case.attrs.get(key) {
            None | Some(Value::Null) => Some(default),
            Some(Value::Number(all)) => all.as_u64().map(|all| [all as usize; D]),
            Some(each) => serde_json::from_value::<Vec<usize>>(each.clone()).ok()?.try_into().ok(),
        }
    }

    /// Reads the results that the case asks for; one that it asks for in vain fails it.
    pub fn named(&self, results: Results) -> Result<Vec<Computed>> {
        let wanted = self.case.outputs.iter().chain(&self.case.grads);
        let mut computed = Vec::new();
        for name in wanted {
            let found = results.iter().find(|(n, _)| n == name);
            let values = found.map_or(Ok(Vec::new()), |(_, tensor)| tensor.to_vec())?;
            computed.push(Computed { name: name.clone(), values });
        }
        Ok(computed)
    }

    /// `y` and the gradients of the inputs by the tape: `sum(y * dy)` is what is differentiated, as PyTorch does.
    pub fn differentiate(&self, roles: &[&str], f: impl Fn(&[Var]) -> Var) -> Result<Option<Results>> {
        let tape = Tape::new(self.device);
        let inputs: Vec<Var> = roles.iter().map(|role| Ok(tape.variable(&self.tensor(role)?))).collect::<Result<_>>()?;
        let y = f(&inputs);
        let mut results = vec![(self.case.outputs[0].clone(), y.value().clone())];
        if !self.case.grads.is_empty() {
            let gradients = y.mul(&tape.input(&self.dy()?)).sum().backward();
            for (role, input) in roles.iter().zip(&inputs) {
                results.extend(gradients.of(input).map(|g| (format!("d{role}"), g.clone())));
            }
        }
        Ok(Some(results))
    }
}

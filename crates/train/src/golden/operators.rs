//! The table from an operator's name in a golden file to what computes it here.

use super::file::{Case, GoldenFile};
use super::{Computed, Row, Tolerance, optimizers};
use crate::error::Result;
use gpu_core::ops::{self, Conv2dGeometry, ConvTranspose2dGeometry, Pool2dGeometry};
use gpu_core::{Device, Shape, Tensor, check};
use nn::{Tape, Var};

/// A case with its inputs, on a device.
pub(super) struct Call<'a> {
    pub file: &'a GoldenFile,
    pub case: &'a Case,
    pub device: &'a Device,
}

/// Results by name; the gradients too, where the case has some.
type Results = Vec<(&'static str, Tensor)>;

/// What computes an operator; none for attributes that it does not know.
type Operator = fn(&Call<'_>) -> Result<Option<Results>>;

fn operator(op: &str) -> Option<Operator> {
    Some(match op {
        "conv2d" => conv2d,
        "conv_transpose2d" => conv_transpose2d,
        "batch_norm" => batch_norm,
        "max_pool2d" => max_pool2d,
        "avg_pool2d" => avg_pool2d,
        "adaptive_avg_pool2d" => adaptive_avg_pool2d,
        "linear" => |c| c.differentiate(&["x", "w", "b"], |v| v[0].linear(&v[1], Some(&v[2]))),
        "matmul" => |c| c.differentiate(&["a", "b"], |v| v[0].matmul(&v[1])),
        "relu" => |c| c.differentiate(&["x"], |v| v[0].relu()),
        "add" => |c| c.differentiate(&["a", "b"], |v| v[0].add(&v[1])),
        "sub" => |c| c.differentiate(&["a", "b"], |v| v[0].sub(&v[1])),
        "mul" => |c| c.differentiate(&["a", "b"], |v| v[0].mul(&v[1])),
        "div" => div,
        "sum" => |c| reduce(c, ops::sum_axes, 1.0),
        "mean" => |c| reduce(c, ops::mean_axes, c.inverse_count()?),
        "softmax" => softmax,
        "log_softmax" => log_softmax,
        "cross_entropy" => cross_entropy,
        _ => return None,
    })
}

/// Runs a case with poisoned outputs; none if its operator is not known.
pub(super) fn run(file: &GoldenFile, case: &Case, device: &Device) -> Result<Option<Row>> {
    let call = Call { file, case, device };
    let tolerance = Tolerance { rtol: case.rtol, atol: case.atol };
    let computed = match operator(&case.op) {
        Some(operator) => match check::poisoned(|| operator(&call))? {
            Some(results) => call.named(results)?,
            None => return Ok(None),
        },
        None => match optimizers::run(&call)? {
            Some(computed) => computed,
            None => return Ok(None),
        },
    };
    tolerance.worst(&case.name, &computed, |name| call.want(name)).map(Some)
}

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

    /// The tensor of a role that a case may lack.
    fn optional(&self, role: &str) -> Result<Option<Tensor>> {
        if self.file.has(&self.key(role)) { self.tensor(role).map(Some) } else { Ok(None) }
    }

    /// The upstream gradient.
    fn dy(&self) -> Result<Tensor> {
        let other = format!("d{}", self.case.outputs[0]);
        self.tensor(if self.file.has(&self.key("dy")) { "dy" } else { &other })
    }

    fn pair(&self, key: &str, default: usize) -> [usize; 2] {
        self.case.attr(key, [default; 2])
    }

    /// Reads the results that the case asks for; one that it asks for in vain fails it.
    fn named(&self, results: Results) -> Result<Vec<Computed>> {
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
    fn differentiate(&self, roles: &[&'static str], f: impl Fn(&[Var]) -> Var) -> Result<Option<Results>> {
        let tape = Tape::new(self.device);
        let inputs: Vec<Var> = roles.iter().map(|role| Ok(tape.variable(&self.tensor(role)?))).collect::<Result<_>>()?;
        let y = f(&inputs);
        let mut results = vec![("y", y.value().clone())];
        if !self.case.grads.is_empty() {
            let gradients = y.mul(&tape.input(&self.dy()?)).sum().backward();
            for (role, input) in roles.iter().zip(&inputs) {
                let name = match *role {
                    "x" => "dx",
                    "w" => "dw",
                    "a" => "da",
                    _ => "db",
                };
                results.extend(gradients.of(input).map(|g| (name, g.clone())));
            }
        }
        Ok(Some(results))
    }

    /// One over how many elements are averaged.
    fn inverse_count(&self) -> Result<f32> {
        let (shape, _) = self.file.array(&self.key("x"))?;
        let axes: Vec<usize> = self.case.attr("axes", Vec::new());
        Ok(1.0 / axes.iter().map(|&a| shape[a]).product::<usize>() as f32)
    }
}

fn conv2d(c: &Call<'_>) -> Result<Option<Results>> {
    let g = Conv2dGeometry {
        stride: c.pair("stride", 1),
        padding: c.pair("padding", 0),
        dilation: c.pair("dilation", 1),
        groups: c.case.attr("groups", 1),
    };
    let (x, w, b, dy) = (c.tensor("x")?, c.tensor("w")?, c.optional("b")?, c.dy()?);
    let y = ops::conv2d(&x, &w, b.as_ref(), g);
    let dx = ops::conv2d_bwd_x(&dy, &w, x.shape(), g);
    let dw = ops::conv2d_bwd_w(&x, &dy, w.shape(), g);
    Ok(Some(vec![("y", y), ("dx", dx), ("dw", dw), ("db", ops::add_bias_bwd_b(&dy))]))
}

fn conv_transpose2d(c: &Call<'_>) -> Result<Option<Results>> {
    let g = ConvTranspose2dGeometry {
        stride: c.pair("stride", 1),
        padding: c.pair("padding", 0),
        output_padding: c.pair("output_padding", 0),
        dilation: c.pair("dilation", 1),
        groups: c.case.attr("groups", 1),
    };
    let (x, w, b, dy) = (c.tensor("x")?, c.tensor("w")?, c.optional("b")?, c.dy()?);
    let y = ops::conv_transpose2d(&x, &w, b.as_ref(), g);
    let dx = ops::conv_transpose2d_bwd_x(&dy, &w, x.shape(), g);
    let dw = ops::conv_transpose2d_bwd_w(&x, &dy, w.shape(), g);
    Ok(Some(vec![("y", y), ("dx", dx), ("dw", dw), ("db", ops::add_bias_bwd_b(&dy))]))
}

fn batch_norm(c: &Call<'_>) -> Result<Option<Results>> {
    let (momentum, eps) = (c.case.attr("momentum", 0.1), c.case.attr("eps", 1e-5));
    let (x, gamma, beta, dy) = (c.tensor("x")?, c.tensor("gamma")?, c.tensor("beta")?, c.dy()?);
    let (mean, var) = (c.tensor("running_mean")?, c.tensor("running_var")?);
    let (y, (dx, dgamma, dbeta)) = if c.case.attr("training", true) {
        let forward = ops::batch_norm(&x, &gamma, &beta, &mean, &var, momentum, eps);
        let backward = ops::batch_norm_bwd(&x, &dy, &gamma, &forward.mean, &forward.rstd);
        (forward.y, backward)
    } else {
        let y = ops::batch_norm_eval(&x, &gamma, &beta, &mean, &var, eps);
        (y, ops::batch_norm_eval_bwd(&x, &dy, &gamma, &mean, &var, eps))
    };
    let gradients = [("dx", dx), ("dgamma", dgamma), ("dbeta", dbeta)];
    Ok(Some([("y", y), ("new_running_mean", mean), ("new_running_var", var)].into_iter().chain(gradients).collect()))
}

fn pool_geometry(c: &Call<'_>) -> Pool2dGeometry {
    let kernel = c.pair("kernel", 1);
    Pool2dGeometry { kernel, stride: c.case.attr("stride", kernel), padding: c.pair("padding", 0) }
}

fn max_pool2d(c: &Call<'_>) -> Result<Option<Results>> {
    if c.pair("dilation", 1) != [1, 1] {
        return Ok(None);
    }
    let g = pool_geometry(c);
    c.differentiate(&["x"], |v| v[0].max_pool2d(g))
}

fn avg_pool2d(c: &Call<'_>) -> Result<Option<Results>> {
    if !c.case.attr("count_include_pad", true) {
        return Ok(None);
    }
    let g = pool_geometry(c);
    c.differentiate(&["x"], |v| v[0].avg_pool2d(g))
}

fn adaptive_avg_pool2d(c: &Call<'_>) -> Result<Option<Results>> {
    if c.pair("output", 1) != [1, 1] {
        return Ok(None);
    }
    c.differentiate(&["x"], |v| v[0].global_avg_pool())
}

fn div(c: &Call<'_>) -> Result<Option<Results>> {
    let (a, b, dy) = (c.tensor("a")?, c.tensor("b")?, c.dy()?);
    let y = ops::div(&a, &b);
    let da = ops::div(&dy, &b);
    let db = ops::scale(&ops::mul(&da, &y), -1.0);
    Ok(Some(vec![("da", ops::sum_to(&da, a.shape())), ("db", ops::sum_to(&db, b.shape())), ("y", y)]))
}

/// `dx` is `dy`, spread over what was summed.
fn reduce(c: &Call<'_>, f: fn(&Tensor, &[usize], bool) -> Tensor, factor: f32) -> Result<Option<Results>> {
    let (x, dy) = (c.tensor("x")?, c.dy()?);
    let axes: Vec<usize> = c.case.attr("axes", Vec::new());
    let y = f(&x, &axes, c.case.attr("keepdim", false));
    let mut kept: Vec<usize> = x.shape().dims().to_vec();
    axes.iter().for_each(|&a| kept[a] = 1);
    let dx = ops::mul(&Tensor::full(c.device, x.shape(), factor), &dy.reshape(Shape::new(&kept)));
    Ok(Some(vec![("y", y), ("dx", dx)]))
}

fn softmax(c: &Call<'_>) -> Result<Option<Results>> {
    let y = ops::softmax(&c.tensor("x")?);
    let mut results = vec![("y", y.clone())];
    if !c.case.grads.is_empty() {
        // dx = y * (dy - sum(dy * y))
        let dy = c.dy()?;
        let mean = ops::sum_axes(&ops::mul(&dy, &y), &[1], true);
        results.push(("dx", ops::mul(&y, &ops::sub(&dy, &mean))));
    }
    Ok(Some(results))
}

fn log_softmax(c: &Call<'_>) -> Result<Option<Results>> {
    let x = c.tensor("x")?;
    let mut results = vec![("y", ops::log_softmax(&x))];
    if !c.case.grads.is_empty() {
        // dx = dy - softmax(x) * sum(dy)
        let dy = c.dy()?;
        let total = ops::sum_axes(&dy, &[1], true);
        results.push(("dx", ops::sub(&dy, &ops::mul(&ops::softmax(&x), &total))));
    }
    Ok(Some(results))
}

fn cross_entropy(c: &Call<'_>) -> Result<Option<Results>> {
    if c.case.attr("reduction", "mean".to_owned()) != "mean" {
        return Ok(None);
    }
    let labels = c.file.labels(&c.key("target"), c.device)?;
    let smoothing = c.case.attr("label_smoothing", 0.0);
    c.differentiate(&["x"], |v| v[0].cross_entropy(&labels, smoothing))
}

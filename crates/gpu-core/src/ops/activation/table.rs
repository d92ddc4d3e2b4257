//! The table of activation functions.

/// Hands all functions to a macro, a row each:
///
/// - what it is, its name, its numbers with their usual values;
/// - its gradient, and whether that is computed from the output or the input;
/// - its number in the shader, and the two numbers that a launch takes there; what its own numbers must be;
/// - values in, out, and the derivatives there, for the documentation;
/// - its formula, and that of the gradient from what was kept: PyTorch's, in either precision. A function that is another one with
///   certain numbers has none.
///
/// The operators and their mirrors, the methods of tensors and of variables, and the proof are made from it.
#[doc(hidden)]
#[macro_export]
macro_rules! activation_table {
    ($to:ident) => {
        $to! {
            /// `max(x, 0)`; a NaN stays one. Equivalent of `torch.relu`.
            relu(), relu_bwd_x(from y) {
                kind 0, [0.0, 0.0];
                [-1.0, 0.0, 2.0] => [0.0, 0.0, 2.0], [0.0, 0.0, 1.0];
                |x| if x <= T::zero() { T::zero() } else { x };
                |y, dy| if y <= T::zero() { T::zero() } else { dy }
            }
            /// `x` where it is positive, else `slope * x`. Equivalent of `torch.nn.functional.leaky_relu(x, slope)`.
            leaky_relu(slope = 0.01), leaky_relu_bwd_x(from y if slope >= 0.0) {
                kind 1, [slope, 0.0];
                [-4.0, 2.0] => [-0.04, 2.0], [0.01, 1.0];
                |x, a| if x > T::zero() { x } else { a * x };
                |y, dy, a| if y > T::zero() { dy } else { a * dy }
            }
            /// `min(max(x, 0), 6)`. Equivalent of `torch.nn.functional.relu6`.
            relu6(), relu6_bwd_x(from y) {
                kind 2, [0.0, 0.0];
                [-4.0, 2.0, 9.0] => [0.0, 2.0, 6.0], [0.0, 1.0, 0.0];
                |x| limit(x, 0.0, 6.0);
                |y, dy| if y > T::zero() && y < T::of(6.0) { dy } else { T::zero() }
            }
            /// `x` where it is positive, else `alpha * (exp(x) - 1)`. Equivalent of `torch.nn.functional.elu(x, alpha)`.
            elu(alpha = 1.0), elu_bwd_x(from y) {
                kind 3, [alpha, 1.0], alpha >= 0.0, "alpha is not 0 or more";
                [-200.0, 2.0] => [-1.0, 2.0], [0.0, 1.0];
                |x, a, b| b * if x < T::zero() { a * x.quick_exp_m1() } else { x };
                |y, dy, a, b| dy * if y <= T::zero() { y + a * b } else { b }
            }
            /// `elu` with the alpha and the scale that keep mean 0 and variance 1 from layer to layer (Klambauer et al., 2017).
            /// Equivalent of `torch.nn.functional.selu`.
            selu(), selu_bwd_x(from y) {
                kind 3, [1.673_263_2, 1.050_701];
                [-200.0, 1.0] => [-1.7580993, 1.050701], [0.0, 1.050701];
            }
            /// `min(max(x + 3, 0), 6) / 6`. Equivalent of `torch.nn.functional.hardsigmoid`, but for the gradient at the one `x` below
            /// 3 whose output rounds to 1.
            hardsigmoid(), hardsigmoid_bwd_x(from y) {
                kind 4, [0.0, 0.0];
                [-4.0, 0.0, 9.0] => [0.0, 0.5, 1.0], [0.0, 0.16666667, 0.0];
                |x| limit(x + T::of(3.0), 0.0, 6.0) / T::of(6.0);
                |y, dy| if y > T::zero() && y < T::one() { dy / T::of(6.0) } else { T::zero() }
            }
            /// `x * hardsigmoid(x)`. Equivalent of `torch.nn.functional.hardswish`.
            hardswish(), hardswish_bwd_x(from x) {
                kind 5, [0.0, 0.0];
                [-4.0, 0.0, 9.0] => [0.0, 0.0, 9.0], [0.0, 0.5, 1.0];
                |x| x * limit(x + T::of(3.0), 0.0, 6.0) / T::of(6.0);
                |x, dy| match x {
                    x if x <= T::of(-3.0) => T::zero(),
                    x if x < T::of(3.0) => dy * (x / T::of(3.0) + T::of(0.5)),
                    _ => dy,
                }
            }
            /// `1 / (1 + exp(-x))`. Equivalent of `torch.sigmoid`.
            sigmoid(), sigmoid_bwd_x(from y) {
                kind 6, [0.0, 0.0];
                [-200.0, 0.0, 200.0] => [0.0, 0.5, 1.0], [0.0, 0.25, 0.0];
                |x| x.logistic();
                |y, dy| dy * (y * (T::one() - y))
            }
            /// The hyperbolic tangent. Equivalent of `torch.tanh`.
            tanh(), tanh_bwd_x(from y) {
                kind 7, [0.0, 0.0];
                [-200.0, 0.0, 200.0] => [-1.0, 0.0, 1.0], [0.0, 1.0, 0.0];
                |x| x.quick_tanh();
                |y, dy| dy * ((T::one() - y) * (T::one() + y))
            }
            /// `ln(1 + exp(beta * x)) / beta`, and `x` itself where `beta * x > threshold`. Equivalent of
            /// `torch.nn.functional.softplus(x, beta, threshold)`, whose defaults are 1 and 20.
            softplus(beta = 1.0, threshold = 20.0), softplus_bwd_x(from x) {
                kind 8, [beta, threshold], beta > 0.0, "beta is not positive";
                [-200.0, 0.0, 200.0] => [0.0, 0.6931472, 200.0], [0.0, 0.5, 1.0];
                |x, a, b| if a * x > b { x } else { (a * x).softplus() / a };
                |x, dy, a, b| if a * x > b { dy } else { dy * (a * x).logistic() }
            }
            /// `x * sigmoid(x)`, also called swish. Equivalent of `torch.nn.functional.silu`.
            silu(), silu_bwd_x(from x) {
                kind 9, [0.0, 0.0];
                [0.0, 200.0] => [0.0, 200.0], [0.5, 1.0];
                |x| x * x.logistic();
                |x, dy| dy * (x.logistic() * (T::one() + x * (T::one() - x.logistic())))
            }
            /// `x` times the part of a normal distribution below it: `x * (1 + erf(x / sqrt 2)) / 2`. Equivalent of
            /// `torch.nn.functional.gelu`.
            gelu(), gelu_bwd_x(from x) {
                kind 10, [0.0, 0.0];
                [1.0, 200.0] => [0.8413447, 200.0], [1.0833155, 1.0];
                |x| x * normal_cdf(x);
                |x, dy| dy * (normal_cdf(x) + x * normal_pdf(x))
            }
            /// The approximation of `gelu` by a tangent: `x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))) / 2`. Equivalent of
            /// `torch.nn.functional.gelu(x, approximate="tanh")`.
            gelu_tanh(), gelu_tanh_bwd_x(from x) {
                kind 11, [0.0, 0.0];
                [1.0, 200.0] => [0.841192, 200.0], [1.0829641, 1.0];
                |x| T::of(0.5) * x * (T::one() + gelu_inner(x).quick_tanh());
                |x, dy| {
                    let (t, half) = (gelu_inner(x).quick_tanh(), T::of(0.5));
                    dy * (half * (T::one() + t) + half * x * (T::one() - t * t) * gelu_slope(x))
                }
            }
            /// `x * tanh(softplus(x))`. Equivalent of `torch.nn.functional.mish`.
            mish(), mish_bwd_x(from x) {
                kind 12, [0.0, 0.0];
                [1.0, 200.0] => [0.8650984, 200.0], [1.0490362, 1.0];
                |x| x * mish_factor(x);
                |x, dy| {
                    let t = mish_factor(x);
                    dy * (t + x * x.logistic() * (T::one() - t * t))
                }
            }
            /// `x / (1 + |x|)`. Equivalent of `torch.nn.functional.softsign`, but for the gradient at infinity, which is 0 and there NaN.
            softsign(), softsign_bwd_x(from x) {
                kind 13, [0.0, 0.0];
                [-3.0, 0.0, 1.0] => [-0.75, 0.0, 0.5], [0.0625, 1.0, 0.25];
                |x| x / (T::one() + x.abs());
                |x, dy| {
                    let d = (T::one() + x.abs()).recip();
                    dy * (d * d)
                }
            }
        }
    };
}

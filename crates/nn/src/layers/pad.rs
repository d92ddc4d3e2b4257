//! Layers that surround planes with something.

use super::check::{self, Checked, wrong};
use super::sizes::Edges;
use crate::autograd::Var;
use crate::module::ShapeError;
use crate::net::{Layer, Params, Plan};
use gpu_core::Shape;
use gpu_core::ops::{PadMode, Padding};
use serde::{Deserialize, Serialize};

/// Layers of (N, C, H, W) by [`Var::pad`]: what surrounds the planes, and what amounts they allow.
macro_rules! pads {
    ($($(#[$doc:meta])* $layer:ident => $mode:expr, $check:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $layer {
            padding: Edges<2>,
        }

        impl $layer {
            /// A number, `[rows, columns]`, or `[top, bottom, left, right]`.
            pub fn new(padding: impl Into<Edges<2>>) -> Self {
                Self { padding: padding.into() }
            }
        }

        impl Layer for $layer {
            fn plan(&self, input: Shape) -> Result<Plan, ShapeError> {
                let (padding, output) = padded(self.padding, input)?;
                $check(input, padding)?;
                Ok(Plan::new(format!("{} {:?}", stringify!($layer), sides(padding)), output))
            }

            #[track_caller]
            fn forward(&self, x: &Var, _: &Params<'_>) -> Var {
                let (padding, _) = padded(self.padding, x.shape()).unwrap_or_else(|error| panic!("{}: {error}", stringify!($layer)));
                let [top, bottom, left, right] = sides(padding).map(|amount| amount as isize);
                x.pad(&[left, right, top, bottom], $mode)
            }
        }
    )*};
}

pads! {
    /// Zeros around planes. Equivalent of `torch.nn.ZeroPad2d`, which names the columns first.
    ///
    /// ```
    /// use nn::{Layer, ZeroPad2d};
    /// assert_eq!(ZeroPad2d::new([0, 1, 2, 3]).plan([8, 3, 10, 10].into())?.output(), [8, 3, 11, 15].into());
    /// # Ok::<(), nn::ShapeError>(())
    /// ```
    ZeroPad2d => PadMode::Constant(0.0), |_, _| Ok(());

    /// The mirror image around planes, without the edge itself: `c b | a b c | b a`; less than the plane on each side. Equivalent of
    /// `torch.nn.ReflectionPad2d`, which names the columns first.
    ReflectionPad2d => PadMode::Reflect, less_than_the_plane;
}

fn less_than_the_plane(input: Shape, Padding { before, after }: Padding<2>) -> Checked {
    let fits = |axis: usize| before[axis].max(after[axis]) < input.dim(2 + axis);
    check::expect(fits(0) && fits(1), || format!("`padding` must be less than the plane, {input} comes in"))
}

fn padded(padding: Edges<2>, input: Shape) -> Result<(Padding<2>, Shape), ShapeError> {
    check::channels_of::<2>(input)?;
    padding.check("padding")?;
    let Edges::Of(padding) = padding else { return wrong("`padding` must be numbers here") };
    let extent = |axis: usize| input.dim(2 + axis) + padding.before[axis] + padding.after[axis];
    Ok((padding, [input.n(), input.c(), extent(0), extent(1)].into()))
}

/// Top, bottom, left, right.
fn sides(Padding { before, after }: Padding<2>) -> [usize; 4] {
    [before[0], after[0], before[1], after[1]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::init::Init;
    use gpu_core::{Device, Tensor};

    /// A row of three, padded.
    fn row(layer: impl Layer) -> Vec<f32> {
        let net = layer.build(&Init::seeded(&Device::Cpu, 0), [1, 2, 3]).unwrap();
        let x = Tensor::from_slice(&Device::Cpu, [1, 1, 2, 3], &[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0]);
        net.forward(&Var::constant(&x)).value().to_vec().unwrap()
    }

    #[test]
    fn zeros_lie_where_they_should() {
        assert_eq!(row(ZeroPad2d::new([1, 0, 0, 2])), [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 0.0, 0.0, 4.0, 5.0, 6.0, 0.0, 0.0]);
        let wrong = |layer: ZeroPad2d, shape: &[usize]| layer.plan(Shape::new(shape)).unwrap_err().message;
        assert_eq!(wrong(ZeroPad2d::new(1), &[2, 3]), "(N, C, H, W) is expected, [2, 3] comes in");
        assert_eq!(wrong(ZeroPad2d { padding: Edges::Same }, &[1, 1, 2, 3]), "`padding` must be numbers here");
    }

    #[test]
    fn a_mirror_image_leaves_the_edge_out() {
        assert_eq!(row(ReflectionPad2d::new([0, 0, 2, 1])), [3.0, 2.0, 1.0, 2.0, 3.0, 2.0, 6.0, 5.0, 4.0, 5.0, 6.0, 5.0]);
        let wide = ReflectionPad2d::new([0, 2]).plan([1, 1, 2, 2].into()).unwrap_err().message;
        assert_eq!(wide, "`padding` must be less than the plane, [1, 1, 2, 2] comes in");
    }
}

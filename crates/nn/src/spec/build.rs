//! From layers to a network: the shapes first, all of them, then the parameters.

use super::{Extent, Layer, Spec, SpecError};
use crate::init::Init;
use crate::layers::*;
use crate::module::{Module, join};
use gpu_core::Shape;
use gpu_core::ops::{Conv2dGeometry, ConvTranspose2dGeometry, Pool2dGeometry};

/// No number of a layer list may be larger: products of four stay in 64 bits.
const MAX_NUMBER: usize = 65_535;
/// Elements of one weight or of one image's activation.
const MAX_ELEMENTS: u128 = 1 << 31;

pub(super) struct Checked {
    pub output: Shape,
    /// Elements of all parameters.
    pub parameters: u64,
}

pub(super) fn check(spec: &Spec) -> Result<Checked, SpecError> {
    let input = spec.input;
    if input.iter().any(|&d| d == 0 || d > MAX_NUMBER) {
        return Err(SpecError::Syntax(format!("\"input\" {input:?}: each extent is 1 to {MAX_NUMBER}")));
    }
    let mut parameters = 0;
    let output = check_list(&spec.layers, "", [1, input[0], input[1], input[2]].into(), &mut parameters)?;
    Ok(Checked { output, parameters })
}

fn check_list(layers: &[Layer], path: &str, input: Shape, parameters: &mut u64) -> Result<Shape, SpecError> {
    layers.iter().enumerate().try_fold(input, |shape, (position, layer)| {
        let path = join(path, &position.to_string());
        let wrong = |message: String| SpecError::Layer { path: path.clone(), kind: layer.kind().to_owned(), message };
        let output = match layer {
            Layer::Residual { body, shortcut } => {
                let output = check_list(body, &join(&path, "body"), shape, parameters)?;
                let beside = check_list(shortcut, &join(&path, "shortcut"), shape, parameters)?;
                match output == beside {
                    true => output,
                    false => return Err(wrong(format!("the body gives {output}, the shortcut {beside}"))),
                }
            }
            plain => check_plain(plain, shape, parameters).map_err(wrong)?,
        };
        match product(output.dims()) <= MAX_ELEMENTS {
            true => Ok(output),
            false => Err(SpecError::Layer { path, kind: layer.kind().to_owned(), message: format!("{output} is too large") }),
        }
    })
}

fn product(factors: &[usize]) -> u128 {
    factors.iter().map(|&f| f as u128).product()
}

fn check_plain(layer: &Layer, x: Shape, parameters: &mut u64) -> Result<Shape, String> {
    numbers_are_sane(layer)?;
    match *layer {
        Layer::Conv2d { out, kernel, stride, padding, dilation, groups, bias } => {
            let input = channels(x, groups, out)?;
            let w = weights([out, input / groups], kernel, bias, parameters)?;
            let [stride, padding, dilation] = [stride, padding, dilation].map(Extent::pair);
            Conv2dGeometry { stride, padding: padding.into(), dilation, groups }.out_shape(x, w)
        }
        Layer::ConvTranspose2d { out, kernel, stride, padding, output_padding, groups, bias } => {
            let input = channels(x, groups, out)?;
            let w = weights([input, out / groups], kernel, bias, parameters)?;
            let [stride, padding, output_padding] = [stride, padding, output_padding].map(Extent::pair);
            let dilation = [1; 2];
            ConvTranspose2dGeometry { stride, padding: padding.into(), output_padding, dilation, groups }.out_shape(x, w)
        }
        Layer::BatchNorm if !matches!(x.rank(), 2..=4) => Err(format!("{x} has no channels")),
        Layer::BatchNorm => {
            *parameters += 2 * x.c() as u64;
            Ok(x)
        }
        Layer::MaxPool2d { kernel, stride, padding } | Layer::AvgPool2d { kernel, stride, padding } => {
            let [kernel, stride, padding] = [kernel, stride.unwrap_or(kernel), padding].map(Extent::pair);
            Pool2dGeometry { stride, padding, ..Pool2dGeometry::new(kernel) }.out_shape(x)
        }
        Layer::Linear { input, out, bias } => {
            if x.rank() != 2 {
                return Err(format!("(N, features) is expected, {x} comes in; is a flatten missing?"));
            }
            let features = x.dim(1);
            if let Some(input) = input.filter(|&i| i != features) {
                return Err(format!("`in` is {input}, but {features} features come in"));
            }
            weights([out, features], Extent::Both(1), bias, parameters)?;
            Ok([1, out].into())
        }
        Layer::Flatten => Flatten.out_shape(x).map_err(|e| e.message),
        Layer::GlobalAvgPool => GlobalAvgPool.out_shape(x).map_err(|e| e.message),
        Layer::Dropout2d { .. } => Dropout2d::new(0.0).out_shape(x).map_err(|e| e.message),
        Layer::Relu | Layer::Dropout { .. } => Ok(x),
        Layer::Residual { .. } => unreachable!("a residual is checked by its parts"),
    }
}

/// The input's channels, which the groups must divide.
fn channels(x: Shape, groups: usize, out: usize) -> Result<usize, String> {
    if x.rank() != 4 {
        return Err(format!("(N, C, H, W) is expected, {x} comes in"));
    }
    match x.c().is_multiple_of(groups) && out.is_multiple_of(groups) {
        true => Ok(x.c()),
        false => Err(format!("{groups} groups do not divide {} input and {out} output channels", x.c())),
    }
}

fn weights([rows, columns]: [usize; 2], kernel: Extent, bias: bool, parameters: &mut u64) -> Result<Shape, String> {
    let [r, s] = kernel.pair();
    let elements = product(&[rows, columns, r, s]);
    if elements > MAX_ELEMENTS {
        return Err(format!("weights of [{rows}, {columns}, {r}, {s}] are too large"));
    }
    *parameters += elements as u64 + if bias { rows as u64 } else { 0 };
    Ok([rows, columns, r, s].into())
}

/// Sizes from 1, paddings from 0, nothing astronomical, probabilities in 0..=1.
fn numbers_are_sane(layer: &Layer) -> Result<(), String> {
    let within = |name: &str, extent: Extent, least: usize| match extent.pair().iter().all(|v| (least..=MAX_NUMBER).contains(v)) {
        true => Ok(()),
        false => Err(format!("`{name}` must be {least} to {MAX_NUMBER}")),
    };
    match *layer {
        Layer::Conv2d { out, kernel, stride, padding, dilation, groups, .. } => {
            [("out", out.into()), ("kernel", kernel), ("stride", stride), ("dilation", dilation), ("groups", groups.into())]
                .into_iter()
                .try_for_each(|(name, extent)| within(name, extent, 1))?;
            within("padding", padding, 0)
        }
        Layer::ConvTranspose2d { out, kernel, stride, padding, output_padding, groups, .. } => {
            [("out", out.into()), ("kernel", kernel), ("stride", stride), ("groups", groups.into())]
                .into_iter()
                .try_for_each(|(name, extent)| within(name, extent, 1))?;
            within("padding", padding, 0)?;
            within("output_padding", output_padding, 0)
        }
        Layer::MaxPool2d { kernel, stride, padding } | Layer::AvgPool2d { kernel, stride, padding } => {
            within("kernel", kernel, 1)?;
            within("stride", stride.unwrap_or(kernel), 1)?;
            within("padding", padding, 0)
        }
        Layer::Linear { out, .. } => within("out", out.into(), 1),
        Layer::Dropout { p } | Layer::Dropout2d { p } if !(0.0..=1.0).contains(&p) => Err(format!("`p` is {p}, not in 0 to 1")),
        _ => Ok(()),
    }
}

/// Makes a network that was checked.
pub(super) fn make(spec: &Spec, cx: &Init) -> Sequential {
    let [c, h, w] = spec.input;
    make_list(&spec.layers, &mut [1, c, h, w].into(), cx)
}

/// Makes a list of layers and moves `shape` past them.
fn make_list(layers: &[Layer], shape: &mut Shape, cx: &Init) -> Sequential {
    let made = layers.iter().map(|layer| {
        let module = make_layer(layer, *shape, cx);
        *shape = module.out_shape(*shape).expect("the list was checked");
        module
    });
    Sequential::new(made.collect())
}

fn make_layer(layer: &Layer, x: Shape, cx: &Init) -> Box<dyn Module> {
    match *layer {
        Layer::Conv2d { out, kernel, stride, padding, dilation, groups, bias } => {
            let conv = Conv2d::new(cx, x.c(), out, kernel.pair()).groups(groups);
            let conv = conv.stride(stride.pair()).padding(padding.pair()).dilation(dilation.pair());
            Box::new(if bias { conv } else { conv.no_bias() })
        }
        Layer::ConvTranspose2d { out, kernel, stride, padding, output_padding, groups, bias } => {
            let conv = ConvTranspose2d::new(cx, x.c(), out, kernel.pair()).groups(groups);
            let conv = conv.stride(stride.pair()).padding(padding.pair()).output_padding(output_padding.pair());
            Box::new(if bias { conv } else { conv.no_bias() })
        }
        Layer::BatchNorm => Box::new(BatchNorm2d::new(cx, x.c())),
        Layer::Relu => Box::new(Relu),
        Layer::Flatten => Box::new(Flatten),
        Layer::GlobalAvgPool => Box::new(GlobalAvgPool),
        Layer::MaxPool2d { kernel, stride, padding } => {
            Box::new(MaxPool2d::new(kernel.pair()).stride(stride.unwrap_or(kernel).pair()).padding(padding.pair()))
        }
        Layer::AvgPool2d { kernel, stride, padding } => {
            Box::new(AvgPool2d::new(kernel.pair()).stride(stride.unwrap_or(kernel).pair()).padding(padding.pair()))
        }
        Layer::Dropout { p } => Box::new(Dropout::new(p)),
        Layer::Dropout2d { p } => Box::new(Dropout2d::new(p)),
        Layer::Linear { out, bias, .. } => {
            let linear = Linear::new(cx, x.dim(1), out);
            Box::new(if bias { linear } else { linear.no_bias() })
        }
        Layer::Residual { ref body, ref shortcut } => {
            let residual = Residual::new(make_list(body, &mut x.clone(), cx));
            Box::new(match shortcut.as_slice() {
                [] => residual,
                layers => residual.shortcut(make_list(layers, &mut x.clone(), cx)),
            })
        }
    }
}

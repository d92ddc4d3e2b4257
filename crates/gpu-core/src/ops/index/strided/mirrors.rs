//! A move on the CPU: halves of the outermost axis in parallel until they are small, then plain loops.

use super::params::{Axis, Params};
use crate::kernel::Args;
use crate::mirror::CHUNK;
use crate::mirror::threads;
use bytemuck::Pod;

/// The elements of type `E` that lie in `bytes` as a whole: what is moved by fours may have a rest.
pub(super) fn whole<E: Pod>(bytes: &[u8]) -> &[E] {
    bytemuck::cast_slice(&bytes[..bytes.len() / size_of::<E>() * size_of::<E>()])
}

fn whole_mut<E: Pod>(bytes: &mut [u8]) -> &mut [E] {
    let len = bytes.len() / size_of::<E>() * size_of::<E>();
    bytemuck::cast_slice_mut(&mut bytes[..len])
}

/// Elements of the size of `E`, whatever they mean.
pub(super) fn words_cpu<E: Pod + Send + Sync>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let axis = |k: usize| Axis { extent: p.dims[k] as usize, x_step: p.x_steps[k] as i32 as isize, y_step: p.y_steps[k] as usize };
    let mut axes: Vec<Axis> = (0..p.rank as usize).map(axis).collect();
    // The outermost axis of y first: its halves do not overlap.
    axes.sort_by_key(|axis| std::cmp::Reverse(axis.y_step));
    let y = &mut whole_mut::<E>(args.output(0))[p.y_first as usize..];
    halves(axes, whole(args.input(0)), p.x_first as isize, y);
}

pub(super) fn narrow_cpu(args: &mut Args<'_>) {
    match args.params::<Params>().bytes {
        1 => words_cpu::<u8>(args),
        _ => words_cpu::<u16>(args),
    }
}

fn halves<E: Pod + Send + Sync>(mut axes: Vec<Axis>, x: &[E], at: isize, y: &mut [E]) {
    let work: usize = axes.iter().map(|axis| axis.extent).product();
    while axes.len() > 1 && axes[0].extent == 1 {
        axes.remove(0);
    }
    if work <= CHUNK {
        return rows(&axes, x, at, y);
    }
    let Axis { extent, x_step, y_step } = axes[0];
    let mut upper = axes.clone();
    (axes[0].extent, upper[0].extent) = (extent / 2, extent - extent / 2);
    let (low, high) = y.split_at_mut(extent / 2 * y_step);
    let middle = at + (extent / 2) as isize * x_step;
    threads::both(|| halves(axes, x, at, low), || halves(upper, x, middle, high));
}

fn rows<E: Pod>(axes: &[Axis], x: &[E], at: isize, y: &mut [E]) {
    match axes {
        [] => {}
        &[Axis { extent, x_step: 1, y_step: 1 }] => y[..extent].copy_from_slice(&x[at as usize..][..extent]),
        &[Axis { extent, x_step: 0, y_step: 1 }] => y[..extent].fill(x[at as usize]),
        &[Axis { extent, x_step, y_step }] => {
            for i in 0..extent {
                y[i * y_step] = x[(at + i as isize * x_step) as usize];
            }
        }
        [outer, inner @ ..] => {
            for i in 0..outer.extent {
                rows(inner, x, at + i as isize * outer.x_step, &mut y[i * outer.y_step..]);
            }
        }
    }
}

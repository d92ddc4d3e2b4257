//! How the work of real layers is cut, by the pure functions that cut it: no GPU is needed to see that one would be busy.

use super::*;
use crate::testing::{TiledLaunches, gpu, uniform};
use crate::work::tests::{assert_fills, assert_short};
use crate::work::{self, Work};

/// Input channels, output channels, input extent, taps, stride: ResNet-20, ResNet-18 and -50, MobileNet v1 and v2 (what is not
/// depthwise).
const LAYERS: &[(usize, usize, usize, usize, usize)] = &[
    (3, 16, 32, 3, 1),
    (16, 16, 32, 3, 1),
    (16, 32, 32, 3, 2),
    (32, 32, 16, 3, 1),
    (32, 64, 16, 3, 2),
    (64, 64, 8, 3, 1),
    (3, 64, 224, 7, 2),
    (64, 64, 56, 3, 1),
    (64, 128, 56, 3, 2),
    (64, 128, 56, 1, 2),
    (128, 128, 28, 3, 1),
    (128, 256, 28, 3, 2),
    (256, 256, 14, 3, 1),
    (256, 512, 14, 3, 2),
    (512, 512, 7, 3, 1),
    (64, 64, 56, 1, 1),
    (64, 256, 56, 1, 1),
    (256, 64, 56, 1, 1),
    (256, 512, 56, 1, 2),
    (512, 128, 28, 1, 1),
    (1024, 256, 14, 1, 1),
    (256, 1024, 14, 1, 1),
    (1024, 2048, 14, 1, 2),
    (2048, 512, 7, 1, 1),
    (512, 2048, 7, 1, 1),
    (3, 32, 224, 3, 2),
    (32, 16, 112, 1, 1),
    (16, 96, 112, 1, 1),
    (96, 24, 56, 1, 1),
    (192, 32, 28, 1, 1),
    (384, 64, 14, 1, 1),
    (512, 512, 14, 1, 1),
    (960, 160, 7, 1, 1),
    (320, 1280, 7, 1, 1),
    (1024, 1024, 7, 1, 1),
];

fn layout(n: usize, &(c, k, extent, taps, stride): &(usize, usize, usize, usize, usize)) -> Layout {
    let g = Conv2dGeometry { stride: [stride; 2], padding: (taps / 2).into(), ..Default::default() };
    let (x, w) = (Shape::from([n, c, extent, extent]), Shape::from([k, c, taps, taps]));
    Layout::new(g, x, w, g.out_shape(x, w).unwrap())
}

/// The workgroups of forward pass, input gradient and weight gradient on a hardware GPU.
fn workgroups(l: &Layout) -> [(&'static str, usize); 3] {
    let form = Form::choose(l, Work::Tiles);
    let l = l.laid_for(form, Work::Tiles);
    let forward = gather::plan(&l, form, [l.k, l.p, l.q], l.terms(), Work::Tiles).tiles;
    let backward = gather::plan(&l, form, [l.c, l.h, l.w], l.k * l.taps(), Work::Tiles).tiles;
    [("conv2d", forward), ("conv2d_bwd_x", backward), ("conv2d_bwd_w", weight::plan(&l, form, Work::Tiles).tiles)]
}

#[test]
fn layers_of_real_networks_fill_a_large_gpu_at_small_batches() {
    for layer in LAYERS {
        for batch in [1, 8, 64] {
            let l = layout(batch, layer);
            for (what, groups) in workgroups(&l) {
                assert_fills(&format!("{what} {layer:?}, batch {batch}"), groups, l.flops());
            }
        }
    }
}

#[test]
fn layers_of_real_networks_take_wide_loads_where_rows_are_whole_words() {
    let by_fours = |layer: &&(usize, usize, usize, usize, usize)| Form::choose(&layout(8, layer), Work::Tiles) == Form::Tiled4;
    let not: Vec<_> = LAYERS.iter().filter(|layer| !by_fours(layer)).collect();
    // Three channels, a stride of two, and planes of an odd width remain.
    let odd = |&&&(c, _, extent, taps, stride): &&&(usize, usize, usize, usize, usize)| {
        c == 3 || stride == 2 || extent % 4 != 0 && taps == 3 || extent == 7
    };
    assert!(not.iter().all(|layer| odd(&layer)), "{not:?}");
}

#[test]
fn no_dispatch_of_a_convolution_is_long() {
    let huge = [(512, 512, 224, 3, 1), (256, 256, 512, 7, 1), (2048, 2048, 112, 1, 1), (1, 1, 16_320, 3, 1)];
    for (layer, batch) in huge.iter().map(|layer| (layer, 16)).chain(LAYERS.iter().map(|layer| (layer, 512))) {
        let l = layout(batch, layer);
        for (what, tiles) in workgroups(&l) {
            assert_short(&format!("{what} {layer:?}, batch {batch}"), tiles, l.flops());
        }
    }
}

#[test]
fn work_cut_into_dispatches_gives_the_same_bits() {
    let Some(gpu) = gpu() else { return };
    let (device, launches) = TiledLaunches::of(&gpu);
    for layer in [(64, 40, 8, 3, 1), (5, 70, 9, 3, 2)] {
        let l = layout(3, &layer);
        let form = Form::choose(&l, Work::Tiles);
        let (x, w, dy) = ([3, l.c, l.h, l.w], [l.k, l.c, l.r, l.s], [3, l.k, l.p, l.q]);
        let run = || {
            let [xt, wt, dt] = [(x, 1), (w, 2), (dy, 3)].map(|(shape, seed)| uniform(&device, shape, seed));
            let out = [dy, x, w].map(|shape| Tensor::empty(&device, shape));
            gather::launch(&l, Direction::Forward, form, &xt, &wt, None, &out[0]);
            gather::launch(&l, Direction::Backward, form, &dt, &wt, None, &out[1]);
            weight::launch(&l, form, &xt, &dt, &out[2]);
            out.map(|t| t.to_vec().unwrap().iter().map(|v| v.to_bits()).collect::<Vec<_>>())
        };
        let (whole, few) = (run(), launches.take());
        let (cut, more) = (work::with_dispatch_flops(l.flops() / 3, run), launches.take());
        assert!(few.values().eq(&[1; 3]) && more.len() == 3 && more.values().all(|&count| count >= 3), "{few:?} {more:?}");
        assert!(whole == cut, "{layer:?}");
    }
}

#[test]
fn products_of_f16_fill_a_large_gpu_and_no_dispatch_is_long() {
    for layer in LAYERS {
        for batch in [1, 8, 64] {
            let l = layout(batch, layer);
            let direction = [(Direction::Forward, [l.k, l.p, l.q], l.c), (Direction::Backward, [l.c, l.h, l.w], l.k)];
            for (direction, out, channels) in direction {
                let plan = half::by_units(&l, out, channels * l.taps(), Work::Tiles, 16);
                let what = format!("{direction:?} {layer:?}, batch {batch}");
                assert_fills(&what, plan.tiles, l.flops());
                assert_short(&what, plan.tiles, l.flops());
            }
        }
    }
}

/// Depthwise by any taps and by the rows of three that go by fours; in registers by any taps and by rows of three.
#[test]
fn convolutions_that_are_not_by_tiles_are_cut_too() {
    let Some(gpu) = gpu() else { return };
    for (taps, extent, groups) in [(5, 13, 6), (3, 16, 6), (5, 13, 1), (3, 16, 1)] {
        let g = Conv2dGeometry { padding: (taps / 2).into(), groups, ..Default::default() };
        let (x, w) = (Shape::from([9, 6, extent, extent]), Shape::from([6, 6 / groups, taps, taps]));
        let l = Layout::new(g, x, w, x);
        let form = Form::choose(&l, Work::Registers);
        let run = || {
            let [xt, wt, dt] = [(x, 1), (w, 2), (x, 3)].map(|(shape, seed)| uniform(&gpu, shape, seed));
            let out = [x, x, w].map(|shape| Tensor::empty(&gpu, shape));
            let ((), recorded) = gpu
                .capture(|| match groups {
                    1 => {
                        gather::launch(&l, Direction::Forward, form, &xt, &wt, None, &out[0]);
                        gather::launch(&l, Direction::Backward, form, &dt, &wt, None, &out[1]);
                        weight::launch(&l, form, &xt, &dt, &out[2]);
                    }
                    _ => {
                        depthwise::forward(&l, &xt, &wt, None, &out[0]);
                        depthwise::backward_x(&l, &dt, &wt, None, &out[1]);
                        depthwise::backward_w(&l, &xt, &dt, &out[2]);
                    }
                })
                .unwrap();
            recorded.replay().unwrap();
            (recorded.len(), out.map(|t| t.to_vec().unwrap().iter().map(|v| v.to_bits()).collect::<Vec<_>>()))
        };
        let (few, whole) = run();
        let (many, cut) = work::with_dispatch_flops(l.flops() / 3, run);
        assert!(many >= few + 6, "{few} launches and {many}");
        assert!(whole == cut, "{taps} taps, {groups} groups");
    }
}

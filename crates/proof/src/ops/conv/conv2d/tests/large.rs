use super::*;

/// More products in a sum than a software driver's loops have iterations: of many taps, of many channels, with a stride, depthwise.
#[test]
fn sums_of_any_length_are_convolved_on_every_device() {
    let Some(device) = gpu() else { return };
    let plain = Conv2dGeometry::default();
    let strided = Conv2dGeometry { stride: [2, 2], padding: [1, 2].into(), ..plain };
    let cases: [(&str, [usize; 4], [usize; 4], Conv2dGeometry); 8] = [
        ("a long signal", [2, 3, 1, 70_003], [4, 3, 1, 4], plain),
        ("a long signal in rows of three", [1, 2, 1, 66_000], [2, 2, 1, 3], plain),
        ("200x200", [1, 2, 200, 203], [3, 2, 200, 200], plain),
        ("257x257, stride 2", [1, 1, 259, 260], [2, 1, 257, 257], strided),
        ("8192 channels", [1, 8192, 4, 5], [2, 8192, 3, 3], plain),
        ("17000 channels in rows of three", [1, 17_000, 3, 8], [2, 17_000, 3, 3], Conv2dGeometry { padding: 1.into(), ..plain }),
        ("257x257, depthwise", [1, 3, 257, 258], [3, 1, 257, 257], Conv2dGeometry { groups: 3, ..plain }),
        ("181x182, two outputs a channel", [1, 2, 183, 184], [4, 1, 181, 182], Conv2dGeometry { groups: 2, ..plain }),
    ];
    for (what, x, w, g) in cases {
        let on = |device: &Device| {
            let integers = |shape: Shape, seed| Tensor::from_slice(device, shape, &crate::integers(shape.len(), seed));
            let (x, w) = (integers(x.into(), 1), integers(w.into(), 2));
            let y = conv2d(&x, &w, None, g);
            let dy = integers(y.shape(), 3);
            let gradients = [conv2d_bwd_x(&dy, &w, x.shape(), g), conv2d_bwd_w(&x, &dy, w.shape(), g)];
            [vec![y], gradients.to_vec()].concat().iter().map(|t| t.to_vec().unwrap()).collect::<Vec<_>>()
        };
        let (got, want) = (on(&device), on(&Device::Cpu));
        for (name, (got, want)) in ["y", "dx", "dw"].iter().zip(got.iter().zip(&want)) {
            assert!(want.iter().all(|v| v.abs() < 16_777_216.0), "{what}: {name} is not exact");
            assert!(got == want, "{what}: {name}");
        }
    }
}

#[test]
fn transposed_convolutions_of_many_taps_run_too() {
    let Some(device) = gpu() else { return };
    let g = ConvTranspose2dGeometry { stride: [2, 2], ..Default::default() };
    let on = |device: &Device| {
        let integers = |shape: Shape, seed| Tensor::from_slice(device, shape, &crate::integers(shape.len(), seed));
        let (x, w) = (integers([1, 2, 3, 2].into(), 1), integers([2, 1, 257, 256].into(), 2));
        let y = conv_transpose2d(&x, &w, None, g);
        let dy = integers(y.shape(), 3);
        [conv_transpose2d_bwd_x(&dy, &w, x.shape(), g), conv_transpose2d_bwd_w(&x, &dy, w.shape(), g), y]
            .map(|t| t.to_vec().unwrap())
    };
    assert!(on(&device) == on(&Device::Cpu));
}

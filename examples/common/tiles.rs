//! Small colour pictures in rows: the filters of a first layer, or images.

use super::axes::{DRAWN, INK, paper};
use plotters::prelude::*;

/// A picture of red, green and blue.
pub struct Tile {
    columns: usize,
    pixels: Vec<[u8; 3]>,
}

impl Tile {
    /// Planes of red, green and blue, each row by row: the smallest value of all three becomes 0, the largest 255.
    ///
    /// # Panics
    /// If they do not fill three planes of whole rows.
    pub fn of_planes(columns: usize, planes: &[f32]) -> Self {
        assert!(columns > 0 && planes.len().is_multiple_of(3 * columns), "Tile: {} values in rows of {columns}", planes.len());
        let finite = || planes.iter().copied().filter(|v| v.is_finite());
        let (low, high) = finite().fold((f32::MAX, f32::MIN), |(l, h), v| (l.min(v), h.max(v)));
        let byte = |v: f32| if high > low { ((v - low) / (high - low) * 255.0).round() as u8 } else { 128 };
        let plane = planes.len() / 3;
        Self { columns, pixels: (0..plane).map(|i| [0, 1, 2].map(|c| byte(planes[c * plane + i]))).collect() }
    }

    fn rows(&self) -> usize {
        self.pixels.len() / self.columns
    }
}

const ACROSS: u32 = 1440;
const TITLE: u32 = 90;
const GAP: u32 = 24;

/// The tiles from left to right, `across` in a row.
pub fn draw(title: &str, tiles: &[Tile], across: usize) -> String {
    let across = across.max(1) as u32;
    let widest = tiles.iter().map(|t| t.columns).max().unwrap_or(1) as u32;
    let tallest = tiles.iter().map(Tile::rows).max().unwrap_or(1) as u32;
    let pitch = (ACROSS - GAP) / across;
    let pixel = ((pitch - GAP) / widest).clamp(1, 40);
    let down = (tiles.len() as u32).div_ceil(across).max(1);
    let svg = paper((ACROSS, TITLE + down * (tallest * pixel + GAP)), title, |root| {
        for (i, tile) in tiles.iter().enumerate() {
            let (column, line) = (i as u32 % across, i as u32 / across);
            let left = GAP + column * pitch + (pitch - GAP - tile.columns as u32 * pixel) / 2;
            let (left, top, side) = (left as i32, (TITLE + line * (tallest * pixel + GAP)) as i32, pixel as i32);
            for (at, &[r, g, b]) in tile.pixels.iter().enumerate() {
                let (x, y) = (left + (at % tile.columns) as i32 * side, top + (at / tile.columns) as i32 * side);
                root.draw(&Rectangle::new([(x, y), (x + side, y + side)], RGBColor(r, g, b).filled())).expect(DRAWN);
            }
            let end = (left + tile.columns as i32 * side, top + tile.rows() as i32 * side);
            root.draw(&Rectangle::new([(left, top), end], INK.stroke_width(2))).expect(DRAWN);
        }
    });
    // Thousands of rectangles: without what is the default anyway, and without seams where they are drawn in another size.
    let lean = svg.replace(" opacity=\"1\"", "").replace(" stroke=\"none\"", "");
    lean.replacen("<svg ", "<svg shape-rendering=\"crispEdges\" ", 1)
}

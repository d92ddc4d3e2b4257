//! Matrices as cells: filters, feature maps, which entries belong together.

use super::axes::{DRAWN, INK, Paper, paper, style};
use super::table::digits;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

/// A matrix with a name. Light is low and dark is high; where there are values below zero, zero is white.
pub struct Grid {
    title: String,
    columns: usize,
    values: Vec<f64>,
    texts: Vec<String>,
    /// Whether the colours are values, and not what the words are told apart by.
    keyed: bool,
}

impl Grid {
    /// `values` row by row.
    ///
    /// # Panics
    /// If they do not fill whole rows.
    pub fn new(title: &str, columns: usize, values: &[f64]) -> Self {
        assert!(columns > 0 && values.len().is_multiple_of(columns), "{title}: {} values in rows of {columns}", values.len());
        Self { title: title.to_owned(), columns, values: values.to_vec(), texts: Vec::new(), keyed: true }
    }

    /// Writes each value into its cell.
    pub fn numbered(mut self) -> Self {
        self.texts = self.values.iter().map(|&v| digits(v, 3)).collect();
        self
    }

    /// Writes these words into the cells, row by row; colours then tell words apart, and have no key.
    pub fn labelled(mut self, texts: &[&str]) -> Self {
        assert!(texts.len() == self.values.len(), "{}: {} words for {} cells", self.title, texts.len(), self.values.len());
        self.texts = texts.iter().map(|&t| t.to_owned()).collect();
        self.keyed = false;
        self
    }

    fn rows(&self) -> usize {
        self.values.len() / self.columns
    }
}

const ACROSS: u32 = 1440;
const TITLE: u32 = 90;
const NAME: u32 = 60;
const GAP: u32 = 40;
const KEY: u32 = 150;

/// The grids from left to right, as many in a row as leave cells of a fair size.
pub fn draw(title: &str, grids: &[Grid]) -> String {
    let widest = grids.iter().map(|g| g.columns).max().unwrap_or(1) as u32;
    let tallest = grids.iter().map(Grid::rows).max().unwrap_or(1) as u32;
    let labelled = grids.iter().any(|g| !g.texts.is_empty());
    let fair = if labelled { 60 } else { 24 };
    let room = ACROSS - KEY - GAP;
    let count = grids.len().max(1) as u32;
    // Rows of one length, as few as there must be.
    let across = count.div_ceil(count.div_ceil((room / (widest * fair + GAP)).clamp(1, count)));
    let cell = ((room / across - GAP) / widest).min(480 / tallest.min(20)).clamp(4, 110);
    let down = count.div_ceil(across);
    let high = TITLE + down * (NAME + tallest * cell + GAP);
    let scale = Scale::over(grids.iter().flat_map(|g| g.values.iter().copied()));
    let pitch = room / across;
    paper((ACROSS, high.max(TITLE + 400)), title, |root| {
        for (i, grid) in grids.iter().enumerate() {
            let (column, line) = (i as u32 % across, i as u32 / across);
            let left = GAP + column * pitch + (pitch - GAP - grid.columns as u32 * cell) / 2;
            let top = TITLE + line * (NAME + tallest * cell + GAP);
            let middle = (left + grid.columns as u32 * cell / 2) as i32;
            let name = Text::new(grid.title.clone(), (middle, (top + NAME / 2) as i32), style(30, HPos::Center, VPos::Center));
            root.draw(&name).expect(DRAWN);
            cells(root, grid, (left as i32, (top + NAME) as i32), cell as i32, &scale);
        }
        if grids.iter().any(|g| g.keyed) {
            key(root, &scale);
        }
    })
}

fn cells(root: &Paper<'_>, grid: &Grid, (left, top): (i32, i32), cell: i32, scale: &Scale) {
    for (i, &value) in grid.values.iter().enumerate() {
        let (x, y) = (left + (i % grid.columns) as i32 * cell, top + (i / grid.columns) as i32 * cell);
        let corners = [(x, y), (x + cell, y + cell)];
        root.draw(&Rectangle::new(corners, scale.tone(value).filled())).expect(DRAWN);
        if cell >= 12 {
            root.draw(&Rectangle::new(corners, INK.stroke_width(1))).expect(DRAWN);
        }
        if let Some(text) = grid.texts.get(i) {
            let ink = scale.ink(value);
            // A letter is about 0.55 of its height wide.
            let fitting = (f64::from(cell) * 0.9 / (0.55 * text.chars().count().max(1) as f64)) as u32;
            let words = style(fitting.min(32), HPos::Center, VPos::Center).color(&ink);
            root.draw(&Text::new(text.clone(), (x + cell / 2, y + cell / 2), words)).expect(DRAWN);
        } else if cell >= 16 && value < -0.05 * scale.high {
            // Two colours of one darkness: on grey paper a dash tells which.
            let dash = vec![(x + cell / 3, y + cell / 2), (x + cell - cell / 3, y + cell / 2)];
            root.draw(&PathElement::new(dash, scale.ink(value).stroke_width(2))).expect(DRAWN);
        }
    }
    let end = (left + grid.columns as i32 * cell, top + grid.rows() as i32 * cell);
    root.draw(&Rectangle::new([(left, top), end], INK.stroke_width(3))).expect(DRAWN);
}

/// The scale of colours at the right edge.
fn key(root: &Paper<'_>, scale: &Scale) {
    let (left, top, height) = ((ACROSS - KEY + 20) as i32, (TITLE + 70) as i32, 256);
    for i in 0..64 {
        let (y, value) = (top + height - (i + 1) * 4, scale.low + (scale.high - scale.low) * f64::from(i) / 63.0);
        root.draw(&Rectangle::new([(left, y), (left + 40, y + 4)], scale.tone(value).filled())).expect(DRAWN);
    }
    root.draw(&Rectangle::new([(left, top), (left + 40, top + height)], INK.stroke_width(2))).expect(DRAWN);
    for (value, y) in [(scale.high, top), (scale.low, top + height)] {
        root.draw(&Text::new(digits(value, 3), (left + 50, y), style(26, HPos::Left, VPos::Center))).expect(DRAWN);
    }
}

/// What colour a value has: from light to dark, ever darker, so that it is one scale on grey paper too; where there are values below
/// zero, zero is white, and they grow dark in blue.
struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    fn over(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = values.filter(|v| v.is_finite()).fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(v), h.max(v)));
        if low < 0.0 { Self { low: low.min(-high), high: high.max(-low) } } else { Self { low, high } }
    }

    /// From 0, light, to 1, dark.
    fn shade(&self, value: f64) -> f64 {
        let from = self.low.max(0.0);
        if self.high > from { ((value.abs() - from) / (self.high - from)).clamp(0.0, 1.0) } else { 0.0 }
    }

    fn ink(&self, value: f64) -> RGBColor {
        if self.shade(value) > 0.55 { WHITE } else { INK }
    }

    fn tone(&self, value: f64) -> RGBColor {
        const ABOVE: [[f64; 3]; 4] = [[255.0, 255.0, 255.0], [252.0, 196.0, 110.0], [205.0, 80.0, 45.0], [85.0, 15.0, 30.0]];
        const BELOW: [[f64; 3]; 4] = [[255.0, 255.0, 255.0], [150.0, 200.0, 235.0], [40.0, 115.0, 185.0], [10.0, 35.0, 85.0]];
        let stops = if value < 0.0 { BELOW } else { ABOVE };
        let at = self.shade(value) * 3.0;
        let i = (at as usize).min(2);
        let mix = |c: usize| (stops[i][c] + (stops[i + 1][c] - stops[i][c]) * (at - i as f64)) as u8;
        RGBColor(mix(0), mix(1), mix(2))
    }
}

//! Matrices as cells: filters, feature maps, which entries belong together.

use super::axes::{DRAWN, INK, Paper, paper, style};
use super::table::digits;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

/// A matrix with a name. Light is low, dark is high.
pub struct Grid {
    title: String,
    columns: usize,
    values: Vec<f64>,
    texts: Vec<String>,
}

impl Grid {
    /// `values` row by row.
    ///
    /// # Panics
    /// If they do not fill whole rows.
    pub fn new(title: &str, columns: usize, values: &[f64]) -> Self {
        assert!(columns > 0 && values.len().is_multiple_of(columns), "{title}: {} values in rows of {columns}", values.len());
        Self { title: title.to_owned(), columns, values: values.to_vec(), texts: Vec::new() }
    }

    /// Writes each value into its cell.
    pub fn numbered(mut self) -> Self {
        self.texts = self.values.iter().map(|&v| digits(v, 3)).collect();
        self
    }

    /// Writes these words into the cells, row by row.
    pub fn labelled(mut self, texts: &[&str]) -> Self {
        assert!(texts.len() == self.values.len(), "{}: {} words for {} cells", self.title, texts.len(), self.values.len());
        self.texts = texts.iter().map(|&t| t.to_owned()).collect();
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
    let across = (room / (widest * fair + GAP)).clamp(1, grids.len().max(1) as u32);
    let cell = ((room / across - GAP) / widest).min(480 / tallest.min(20)).min(110).max(4);
    let down = (grids.len() as u32).div_ceil(across);
    let high = TITLE + down * (NAME + tallest * cell + GAP);
    let all = || grids.iter().flat_map(|g| g.values.iter().copied()).filter(|v| v.is_finite());
    let [low, high_value] = [all().fold(f64::MAX, f64::min), all().fold(f64::MIN, f64::max)];
    let shade = |v: f64| if high_value > low { (v - low) / (high_value - low) } else { 0.5 };
    let pitch = room / across;
    paper((ACROSS, high.max(TITLE + 400)), title, |root| {
        for (i, grid) in grids.iter().enumerate() {
            let (column, line) = (i as u32 % across, i as u32 / across);
            let left = GAP + column * pitch + (pitch - GAP - grid.columns as u32 * cell) / 2;
            let top = TITLE + line * (NAME + tallest * cell + GAP);
            let middle = (left + grid.columns as u32 * cell / 2) as i32;
            let name = Text::new(grid.title.clone(), (middle, (top + NAME / 2) as i32), style(30, HPos::Center, VPos::Center));
            root.draw(&name).expect(DRAWN);
            cells(root, grid, (left as i32, (top + NAME) as i32), cell as i32, &shade);
        }
        key(root, [low, high_value]);
    })
}

fn cells(root: &Paper<'_>, grid: &Grid, (left, top): (i32, i32), cell: i32, shade: &dyn Fn(f64) -> f64) {
    for (i, &value) in grid.values.iter().enumerate() {
        let (x, y) = (left + (i % grid.columns) as i32 * cell, top + (i / grid.columns) as i32 * cell);
        let corners = [(x, y), (x + cell, y + cell)];
        root.draw(&Rectangle::new(corners, tone(shade(value)).filled())).expect(DRAWN);
        if cell >= 12 {
            root.draw(&Rectangle::new(corners, INK.stroke_width(1))).expect(DRAWN);
        }
        if let Some(text) = grid.texts.get(i) {
            let ink = if shade(value) > 0.55 { WHITE } else { INK };
            // A letter is about 0.55 of its height wide.
            let fitting = (f64::from(cell) * 0.9 / (0.55 * text.chars().count().max(1) as f64)) as u32;
            let words = style(fitting.min(32), HPos::Center, VPos::Center).color(&ink);
            root.draw(&Text::new(text.clone(), (x + cell / 2, y + cell / 2), words)).expect(DRAWN);
        }
    }
    let end = (left + grid.columns as i32 * cell, top + grid.rows() as i32 * cell);
    root.draw(&Rectangle::new([(left, top), end], INK.stroke_width(3))).expect(DRAWN);
}

/// The scale of colours at the right edge.
fn key(root: &Paper<'_>, [low, high]: [f64; 2]) {
    let (left, top, height) = ((ACROSS - KEY + 20) as i32, (TITLE + 70) as i32, 256);
    for i in 0..64 {
        let y = top + height - (i + 1) * 4;
        root.draw(&Rectangle::new([(left, y), (left + 40, y + 4)], tone(f64::from(i) / 63.0).filled())).expect(DRAWN);
    }
    root.draw(&Rectangle::new([(left, top), (left + 40, top + height)], INK.stroke_width(2))).expect(DRAWN);
    for (value, y) in [(high, top), (low, top + height)] {
        root.draw(&Text::new(digits(value, 3), (left + 50, y), style(26, HPos::Left, VPos::Center))).expect(DRAWN);
    }
}

/// From light to dark and from yellow to blue, ever darker, so that it is one scale on grey paper too.
fn tone(t: f64) -> RGBColor {
    const STOPS: [[f64; 3]; 5] =
        [[255.0, 252.0, 222.0], [250.0, 205.0, 110.0], [222.0, 110.0, 75.0], [120.0, 45.0, 110.0], [25.0, 15.0, 60.0]];
    let at = t.clamp(0.0, 1.0) * 4.0;
    let i = (at as usize).min(3);
    let mix = |c: usize| (STOPS[i][c] + (STOPS[i + 1][c] - STOPS[i][c]) * (at - i as f64)) as u8;
    RGBColor(mix(0), mix(1), mix(2))
}

//! A recorded graph in layers, from its leaves down to its output: each operator stands below its operands.

use super::axes::{DRAWN, INK, Paper, paper, style};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};
use wgrad::nn::Graph;

const TITLE: i32 = 90;
/// From layer to layer, and from middle to middle of neighbours in a layer.
const DOWN: i32 = 120;
const ACROSS: f64 = 260.0;
/// What an edge that passes a layer takes there.
const THIN: f64 = 60.0;
const HIGH: i32 = 72;

/// A place in a layer: a node's, or that of an edge on its way past.
struct Place {
    node: Option<usize>,
    layer: usize,
    x: f64,
    above: Vec<usize>,
    below: Vec<usize>,
}

impl Place {
    fn width(&self) -> f64 {
        if self.node.is_some() { ACROSS } else { THIN }
    }
}

pub fn draw(title: &str, graph: &Graph) -> String {
    let mut places = places(graph);
    let mut layers = vec![Vec::new(); places.iter().map(|p| p.layer + 1).max().unwrap_or(0)];
    (0..places.len()).for_each(|i| layers[places[i].layer].push(i));
    // Each place over the middle of its neighbours, from either side in turn; those of a layer keep apart.
    for sweep in 0..24 {
        for layer in &mut layers {
            settle(&mut places, layer, sweep % 2 == 0);
        }
    }
    let left = places.iter().map(|p| p.x - p.width() / 2.0).fold(f64::MAX, f64::min);
    let right = places.iter().map(|p| p.x + p.width() / 2.0).fold(f64::MIN, f64::max);
    let wide = (right - left + 60.0).max(1000.0);
    let shift = (wide - right - left) / 2.0;
    let at = |p: &Place| ((p.x + shift).round() as i32, TITLE + HIGH / 2 + DOWN * p.layer as i32);
    let size = (wide.round() as u32, (TITLE + DOWN * layers.len() as i32) as u32);
    paper(size, title, |root| {
        for place in &places {
            place.below.iter().for_each(|&next| edge(root, at(place), at(&places[next]), port(&places, place, next)));
            if place.node.is_none() {
                let (x, y) = at(place);
                root.draw(&PathElement::new(vec![(x, y - HIGH / 2), (x, y + HIGH / 2)], INK.stroke_width(3))).expect(DRAWN);
            }
        }
        for place in &places {
            if let Some(node) = place.node {
                label(root, graph, node, at(place));
            }
        }
    })
}

/// Operators lie one layer below the lowest of their operands, leaves one above the highest of their users.
fn places(graph: &Graph) -> Vec<Place> {
    let nodes = graph.nodes();
    let mut layer = vec![0; nodes.len()];
    for (i, node) in nodes.iter().enumerate() {
        layer[i] = node.inputs.iter().map(|&input| layer[input] + 1).max().unwrap_or(0);
    }
    for i in (0..nodes.len()).filter(|&i| nodes[i].inputs.is_empty()) {
        let users = (0..nodes.len()).filter(|&user| nodes[user].inputs.contains(&i));
        layer[i] = users.map(|user| layer[user] - 1).min().unwrap_or(0);
    }
    let new = |node, layer| Place { node, layer, x: 0.0, above: Vec::new(), below: Vec::new() };
    let mut places: Vec<Place> = (0..nodes.len()).map(|i| new(Some(i), layer[i])).collect();
    for (user, node) in nodes.iter().enumerate() {
        for &input in &node.inputs {
            let mut from = input;
            for passed in layer[input] + 1..=layer[user] {
                let to = if passed == layer[user] { user } else { places.len() };
                if to == places.len() {
                    places.push(new(None, passed));
                }
                places[from].below.push(to);
                places[to].above.push(from);
                from = to;
            }
        }
    }
    places
}

/// Moves a layer's places below those above them, or above those below; where both say nothing, they stay.
fn settle(places: &mut [Place], layer: &mut [usize], downwards: bool) {
    let wish = |i: usize| {
        let near = if downwards == places[i].above.is_empty() { &places[i].below } else { &places[i].above };
        if near.is_empty() { places[i].x } else { near.iter().map(|&n| places[n].x).sum::<f64>() / near.len() as f64 }
    };
    let mut wishes: Vec<(f64, usize)> = layer.iter().map(|&i| (wish(i), i)).collect();
    wishes.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut taken = f64::MIN;
    for (slot, &(x, i)) in layer.iter_mut().zip(&wishes) {
        let half = places[i].width() / 2.0;
        places[i].x = x.max(taken + half);
        taken = places[i].x + half;
        *slot = i;
    }
    // What was pushed was pushed to the right: back by the mean of that.
    let pushed = wishes.iter().map(|&(x, i)| places[i].x - x).sum::<f64>() / wishes.len().max(1) as f64;
    layer.iter().for_each(|&i| places[i].x -= pushed);
}

/// How far from the middle of `next` the edge of `place` ends, if it ends there: edges from the left end on the left.
fn port(places: &[Place], place: &Place, next: usize) -> Option<i32> {
    let above = &places[next].above;
    let left = above.iter().filter(|&&other| places[other].x < place.x).count() as i32;
    places[next].node.map(|_| 60 * left - 30 * (above.len() as i32 - 1))
}

/// From the lower edge of a place to the upper edge of the next.
fn edge(root: &Paper<'_>, from: (i32, i32), to: (i32, i32), port: Option<i32>) {
    let (start, end) = ((from.0, from.1 + HIGH / 2), (to.0 + port.unwrap_or(0), to.1 - HIGH / 2));
    root.draw(&PathElement::new(vec![start, end], INK.stroke_width(3))).expect(DRAWN);
    if port.is_some() {
        let (dx, dy) = (f64::from(end.0 - start.0), f64::from(end.1 - start.1));
        let (ux, uy) = (dx / dx.hypot(dy), dy / dx.hypot(dy));
        let corner =
            |back: f64, side: f64| (end.0 - (back * ux - side * uy).round() as i32, end.1 - (back * uy + side * ux).round() as i32);
        root.draw(&Polygon::new(vec![end, corner(20.0, 9.0), corner(20.0, -9.0)], INK.filled())).expect(DRAWN);
    }
}

/// A box with the name, or the operator alone, and the shape; leaves are grey.
fn label(root: &Paper<'_>, graph: &Graph, node: usize, (x, y): (i32, i32)) {
    let node = &graph.nodes()[node];
    let half = (ACROSS as i32 - 30) / 2;
    let corners = [(x - half, y - HIGH / 2), (x + half, y + HIGH / 2)];
    let ground = if node.inputs.is_empty() { RGBColor(225, 225, 225) } else { WHITE };
    root.draw(&Rectangle::new(corners, ground.filled())).expect(DRAWN);
    root.draw(&Rectangle::new(corners, INK.stroke_width(3))).expect(DRAWN);
    let (above, below) = match node.name.is_empty() {
        true => (node.op.to_owned(), node.shape.to_string()),
        false => (node.name.clone(), format!("{} {}", node.op, node.shape)),
    };
    let line = |text: String, size: u32, down: i32| {
        root.draw(&Text::new(text, (x, y + down), style(size, HPos::Center, VPos::Center))).expect(DRAWN);
    };
    line(above, 30, -15);
    line(below, 24, 17);
}

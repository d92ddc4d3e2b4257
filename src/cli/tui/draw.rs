//! A board as a frame of a terminal, whatever its size, in the terminal's own colours.

use super::board::{Board, Curve, Task};
use crate::cli::columns::cut;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Axis, Block, Chart, Dataset, GraphType, Paragraph};

/// What is measured stands out by its mark; by its colour too, where there are colours. This one is seen on light grounds and dark ones.
const MEASURED: Color = Color::Magenta;

/// Columns and rows from which on there is room for everything.
const WIDE: u16 = 60;
const HIGH: u16 = 20;
/// Rows that a chart with a frame and the steps below it wants.
const FRAMED: u16 = 8;

const KEYS: &str = "q stop  s save  p pause  + - rate";

pub fn draw(frame: &mut Frame<'_>, board: &Board) {
    let area = frame.area();
    let facts = flow(&board.facts(), usize::from(area.width));
    let facts_rows = (facts.len() as u16).min(3);
    let words_rows = if area.height >= HIGH { 4 } else { 1 };
    let rows = [1, 1, facts_rows].map(Constraint::Length).into_iter().chain([Constraint::Min(0)]);
    let rows = rows.chain([words_rows, 1].map(Constraint::Length));
    let [heading, task, figures, charts, words, keys] = Layout::vertical(rows).areas(area);
    frame.render_widget(Paragraph::new(cut(&board.heading, usize::from(area.width))).style(Modifier::BOLD), heading);
    frame.render_widget(under_way(board, usize::from(area.width)), task);
    frame.render_widget(Paragraph::new(facts.join("\n")), figures);
    curves(frame, charts, board);
    let last = board.words.iter().skip(board.words.len().saturating_sub(usize::from(words_rows)));
    let last: Vec<Line<'_>> = last.map(|text| Line::raw(cut(text, usize::from(area.width)))).collect();
    frame.render_widget(Paragraph::new(last), words);
    let text = if board.is_held { KEYS.replace("pause", "go on") } else { KEYS.to_owned() };
    frame.render_widget(Paragraph::new(cut(&text, usize::from(area.width))).style(Modifier::BOLD), keys);
}

/// The bar of what is under way, behind a word if it is not simply going on.
fn under_way(board: &Board, width: usize) -> Line<'static> {
    let word = match (board.is_stopping, board.is_held) {
        (true, _) => " stopping ",
        (false, true) => " paused ",
        (false, false) => "",
    };
    let mut spans = vec![Span::styled(word, Modifier::REVERSED)];
    spans.extend((!word.is_empty()).then(|| Span::raw(" ")));
    let left = width.saturating_sub(spans.iter().map(Span::width).sum());
    spans.extend(board.task.as_ref().map(|task| Span::raw(bar(task, left))));
    Line::from(spans)
}

fn bar(task: &Task, width: usize) -> String {
    let (title, count) = (format!("{} ", task.title), format!(" {}/{}", task.done, task.parts));
    let room = width.saturating_sub(title.chars().count() + count.chars().count());
    let share = task.done as f64 / task.parts.max(1) as f64;
    let full = ((share * room as f64) as usize).min(room);
    cut(&format!("{title}{}{}{count}", "━".repeat(full), "─".repeat(room - full)), width)
}

/// Texts in lines of so many columns, one after the other.
fn flow(texts: &[String], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for text in texts {
        let text = cut(text, width);
        match lines.last_mut() {
            Some(line) if line.chars().count() + 2 + text.chars().count() <= width => *line += &format!("  {text}"),
            _ => lines.push(text),
        }
    }
    lines
}

/// The loss and, where it is told and there is room, the accuracy: side by side, or one above the other.
fn curves(frame: &mut Frame<'_>, area: Rect, board: &Board) {
    let (training, measured) = (&board.training, &board.measured);
    let has_accuracy = !training.accuracy.points().is_empty() || !measured.accuracy.points().is_empty();
    let halves = [Constraint::Fill(1), Constraint::Fill(1)];
    let loss = |frame: &mut Frame<'_>, area| chart(frame, area, "loss", &training.loss, &measured.loss, false);
    let [first, second] = match has_accuracy {
        true if area.width >= WIDE => Layout::horizontal(halves).areas(area),
        true if area.height >= 2 * FRAMED => Layout::vertical(halves).areas(area),
        _ => return loss(frame, area),
    };
    loss(frame, first);
    chart(frame, second, "accuracy", &training.accuracy, &measured.accuracy, true);
}

fn chart(frame: &mut Frame<'_>, area: Rect, name: &str, training: &Curve, measured: &Curve, is_share: bool) {
    let (training, measured) = (training.points(), measured.points());
    let is_framed = area.height >= FRAMED;
    let mut title = vec![Span::raw(format!(" {name} "))];
    title.extend((!measured.is_empty()).then(|| Span::styled("• validation ", MEASURED)));
    let block = if is_framed { Block::bordered() } else { Block::new() }.title(Line::from(title));
    let all = || training.iter().chain(measured);
    let (Some(x), Some(y)) = (range(all().map(|point| point.0)), range(all().map(|point| point.1))) else {
        return frame.render_widget(block, area);
    };
    let figure = |value: f64| if is_share { format!("{:.1} %", 100.0 * value) } else { format!("{value:.3}") };
    let steps = if is_framed { x.map(|step| format!("{step:.0}")).to_vec() } else { Vec::new() };
    let lines = vec![
        Dataset::default().graph_type(GraphType::Line).marker(Marker::Braille).data(training),
        Dataset::default().graph_type(GraphType::Scatter).marker(Marker::Dot).style(Style::new().fg(MEASURED)).data(measured),
    ];
    let chart = Chart::new(lines).block(block).legend_position(None);
    let chart = chart.x_axis(Axis::default().bounds(x).labels(steps)).y_axis(Axis::default().bounds(y).labels(y.map(figure)));
    frame.render_widget(chart, area);
}

/// From the lowest to the highest of these, or a little around the only one.
fn range(values: impl Iterator<Item = f64>) -> Option<[f64; 2]> {
    let [low, high] = values.map(|value| [value; 2]).reduce(|[low, high], [value, _]| [low.min(value), high.max(value)])?;
    let around = if low == high { (0.1 * low.abs()).max(1e-3) } else { 0.0 };
    Some([low - around, high + around])
}

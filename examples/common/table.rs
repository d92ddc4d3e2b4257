//! Tables: aligned for the terminal, complete as CSV, and as HTML.

use super::page::escape;

/// What stands in a row of a table.
#[derive(Clone, Debug)]
pub enum Cell {
    /// Words, set to the left.
    Text(String),
    /// A count: every digit is shown.
    Count(i64),
    /// A measurement: the terminal shows up to six digits, the CSV as many as tell it from its neighbours.
    Number(f64),
}

macro_rules! cells {
    ($($from:ty => $kind:ident as $to:ty),*) => {
        $(impl From<$from> for Cell { fn from(x: $from) -> Self { Self::$kind(x as $to) } })*
    };
}
cells!(i32 => Count as i64, i64 => Count as i64, u32 => Count as i64, u64 => Count as i64, usize => Count as i64, f64 => Number as f64);

impl From<f32> for Cell {
    /// By way of its shortest decimal form: 0.1f32 is written as 0.1.
    fn from(x: f32) -> Self {
        Self::Number(x.to_string().parse().unwrap_or(f64::from(x)))
    }
}

impl From<&str> for Cell {
    fn from(x: &str) -> Self {
        Self::Text(x.to_owned())
    }
}

impl From<String> for Cell {
    fn from(x: String) -> Self {
        Self::Text(x)
    }
}

/// A row of a table: `row!["convolution", 108, 0.25]`.
macro_rules! row {
    ($($cell:expr),* $(,)?) => { vec![$($crate::common::Cell::from($cell)),*] };
}
pub(crate) use row;

/// `x` with so many significant digits, without an exponent where that is short.
pub fn digits(x: f64, count: usize) -> String {
    if !x.is_finite() {
        return x.to_string();
    }
    if x == 0.0 {
        return "0".to_owned();
    }
    // The exponent after rounding: 9.9999 has that of 10.
    let scientific = format!("{x:.*e}", count - 1);
    let exponent: i32 = scientific.split('e').nth(1).and_then(|e| e.parse().ok()).unwrap_or(0);
    if !(-4..count.max(7) as i32).contains(&exponent) {
        let (mantissa, _) = scientific.split_once('e').unwrap_or((&scientific, ""));
        return format!("{}e{exponent}", shortened(mantissa));
    }
    shortened(&format!("{x:.*}", (count as i32 - 1 - exponent).max(0) as usize)).to_owned()
}

/// Integers with all their digits, other numbers with six.
pub fn exactly(x: f64) -> String {
    if x.fract() == 0.0 && x.abs() < 1e15 { grouped(x as i64) } else { digits(x, 6) }
}

/// Without the zeros that say nothing.
fn shortened(number: &str) -> &str {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number }
}

impl Cell {
    fn shown(&self, count: usize) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Count(n) => grouped(*n),
            Self::Number(x) => digits(*x, count),
        }
    }
}

/// 311684 as 311,684.
fn grouped(n: i64) -> String {
    let figures = n.unsigned_abs().to_string();
    let groups: Vec<&str> = figures.as_bytes().rchunks(3).rev().map(|g| std::str::from_utf8(g).unwrap_or_default()).collect();
    format!("{}{}", if n < 0 { "-" } else { "" }, groups.join(","))
}

const TERMINAL: usize = 80;

/// The table for the terminal, with as many digits as 80 columns have room for; headings are broken at spaces.
pub fn aligned(title: &str, columns: &[&str], rows: &[Vec<Cell>]) -> String {
    assert!(rows.iter().all(|row| row.len() == columns.len()), "{title}: each row has a cell for each of {columns:?}");
    let forms = [(6, false), (6, true), (5, true), (4, true), (3, true)];
    let mut tables = forms.into_iter().map(|(count, broken)| with_digits(title, columns, rows, count, broken));
    let fitting = tables.find(|table| table.lines().all(|line| line.chars().count() <= TERMINAL));
    fitting.unwrap_or_else(|| panic!("{title} is wider than {TERMINAL} columns: fewer of them, or shorter words"))
}

fn with_digits(title: &str, columns: &[&str], rows: &[Vec<Cell>], count: usize, broken: bool) -> String {
    let shown: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| cell.shown(count)).collect()).collect();
    let length = |text: &str| text.chars().count();
    // As wide as the widest cell, or word of the heading; no heading is narrower than this, so that few are broken.
    let least = if broken { 0 } else { 12 };
    let widths: Vec<usize> = (0..columns.len())
        .map(|j| {
            let words = columns[j].split(' ').map(length).chain([length(columns[j]).min(least)]);
            shown.iter().map(|row| length(&row[j])).chain(words).max().unwrap_or(0)
        })
        .collect();
    let heads: Vec<Vec<String>> = columns.iter().zip(&widths).map(|(name, &width)| wrapped(name, width)).collect();
    let tall = heads.iter().map(Vec::len).max().unwrap_or(0);
    let is_text = |j: usize| rows.iter().all(|row| matches!(row[j], Cell::Text(_)));
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells
            .enumerate()
            .map(|(j, cell)| {
                let gap = " ".repeat(widths[j] - length(cell));
                if is_text(j) { format!("{cell}{gap}") } else { format!("{gap}{cell}") }
            })
            .collect();
        format!("  {}\n", padded.join("  ").trim_end())
    };
    let mut text = format!("{title}\n");
    for i in 0..tall {
        // Words stand on the lowest lines.
        text += &line(&mut heads.iter().map(|words| (i + words.len()).checked_sub(tall).map_or("", |k| words[k].as_str())));
    }
    text += &format!("  {}\n", "-".repeat(widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1)));
    for row in &shown {
        text += &line(&mut row.iter().map(String::as_str));
    }
    text
}

/// A paragraph in lines of at most `width` letters, longer words apart.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.len() - 1;
        let line = &mut lines[last];
        if line.is_empty() {
            *line += word;
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            *line += " ";
            *line += word;
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// The table as RFC 4180 has it, with every digit.
pub fn csv(columns: &[&str], rows: &[Vec<Cell>]) -> String {
    let quoted = |text: &str| {
        if text.contains([',', '"', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
    };
    let complete = |cell: &Cell| match cell {
        Cell::Text(text) => quoted(text),
        Cell::Count(n) => n.to_string(),
        Cell::Number(x) => x.to_string(),
    };
    let head: Vec<String> = columns.iter().map(|name| quoted(name)).collect();
    let lines = rows.iter().map(|row| row.iter().map(complete).collect::<Vec<_>>().join(","));
    std::iter::once(head.join(",")).chain(lines).map(|line| line + "\n").collect()
}

/// The table for the page.
pub fn html(columns: &[&str], rows: &[Vec<Cell>]) -> String {
    let head: String = columns.iter().map(|name| format!("<th>{}</th>", escape(name))).collect();
    let body = rows.iter().map(|row| {
        let cells = row.iter().map(|cell| {
            let class = if matches!(cell, Cell::Text(_)) { "" } else { " class=number" };
            format!("<td{class}>{}</td>", escape(&cell.shown(6)))
        });
        format!("<tr>{}</tr>\n", cells.collect::<String>())
    });
    format!("<table>\n<tr>{head}</tr>\n{}</table>\n", body.collect::<String>())
}

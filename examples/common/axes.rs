//! The frame of a picture: paper, title, axes with their units, and the legend beside them.
//!
//! Pictures are twice as large as they are shown, since the SVG backend counts in whole pixels. They are read in print: white
//! paper, and what colours tell apart is told apart by markers, dashes or hatching too.

use super::table::digits;
use plotters::coord::Shift;
use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

pub type Paper<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Chart<'a> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<Ticked, Ticked>>;

/// A range of drawn coordinates with its ticks.
struct Ticked([f64; 2], Vec<f64>);

impl Ranged for Ticked {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        let [low, high] = self.0;
        (f64::from(from) + (value - low) / (high - low) * f64::from(to - from)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.1.clone()
    }

    fn range(&self) -> std::ops::Range<f64> {
        self.0[0]..self.0[1]
    }
}

pub const INK: RGBColor = RGBColor(30, 30, 30);
const SIZE: (u32, u32) = (1440, 900);
const TITLE: u32 = 90;
/// Room for the numbers and the name of an axis: left of it, and below it.
const LEFT: u32 = 150;
const BELOW: u32 = 110;
const MARGIN: u32 = 30;

/// Colours that are told apart by those who see two of the three (Okabe and Ito, 2008).
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(160, 70, 140),
    RGBColor(30, 30, 30),
    RGBColor(86, 180, 233),
    RGBColor(190, 130, 0),
];

pub fn colour(i: usize) -> RGBColor {
    COLOURS[i % COLOURS.len()]
}

/// What a picture is called and what stands on its axes: the name, and the unit in brackets.
#[derive(Clone, Debug)]
pub struct Axes {
    pub title: String,
    pub x: String,
    pub y: String,
    pub log: [bool; 2],
    pub ranges: [Option<[f64; 2]>; 2],
    pub x_ticks: Vec<f64>,
    pub equal: bool,
}

impl Axes {
    /// Linear axes over the range of the data.
    pub fn new(title: &str, x: &str, y: &str) -> Self {
        let [title, x, y] = [title, x, y].map(str::to_owned);
        Self { title, x, y, log: [false; 2], ranges: [None; 2], x_ticks: Vec::new(), equal: false }
    }

    /// A logarithmic x axis; what is not positive is left out.
    pub fn log_x(mut self) -> Self {
        self.log[0] = true;
        self
    }

    /// A logarithmic y axis; what is not positive is left out.
    pub fn log_y(mut self) -> Self {
        self.log[1] = true;
        self
    }

    /// The range of x; what lies outside is left out.
    pub fn x_range(mut self, low: f64, high: f64) -> Self {
        self.ranges[0] = Some([low, high]);
        self
    }

    /// The range of y; what lies outside is left out.
    pub fn y_range(mut self, low: f64, high: f64) -> Self {
        self.ranges[1] = Some([low, high]);
        self
    }

    /// Numbers at these values of x and nowhere else.
    pub fn x_ticks(mut self, ticks: &[f64]) -> Self {
        self.x_ticks = ticks.to_vec();
        self
    }

    /// One length for one unit of either axis: circles look like circles.
    pub fn equal(mut self) -> Self {
        self.equal = true;
        self
    }
}

/// One axis: from values to the coordinates that are drawn (their logarithms, on a logarithmic one).
pub struct Scale {
    pub range: [f64; 2],
    pub ticks: Vec<f64>,
    pub labels: Vec<String>,
    log: bool,
}

impl Scale {
    /// An axis with room for `values`, or over `fixed`.
    pub fn over(values: impl Iterator<Item = f64>, log: bool, fixed: Option<[f64; 2]>) -> Self {
        let finite = values.map(|v| if log { v.log10() } else { v }).filter(|v| v.is_finite());
        let (low, high) = finite.fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(v), h.max(v)));
        let [low, high] = match fixed {
            Some(range) => range.map(|v| if log { v.log10() } else { v }),
            None if low > high => [0.0, 1.0],
            None if low == high => [low - 0.5, high + 0.5],
            None => [low - 0.04 * (high - low), high + 0.04 * (high - low)],
        };
        Self { log, range: [low, high], ticks: Vec::new(), labels: Vec::new() }
    }

    /// Where `value` is drawn, unless it lies outside.
    pub fn at(&self, value: f64) -> Option<f64> {
        let v = if self.log { value.log10() } else { value };
        (self.range[0] <= v && v <= self.range[1]).then_some(v)
    }

    fn span(&self) -> f64 {
        self.range[1] - self.range[0]
    }

    /// Widens the range to `span` about its middle.
    fn widen(&mut self, span: f64) {
        let more = (span - self.span()).max(0.0) / 2.0;
        self.range = [self.range[0] - more, self.range[1] + more];
    }

    fn tick(&mut self, wanted: &[f64]) {
        let values = match (wanted, self.log) {
            ([], true) => decades(self.range),
            ([], false) => round_steps(self.range),
            _ => wanted.to_vec(),
        };
        self.ticks = values.iter().filter_map(|&v| self.at(v)).collect();
        self.labels = values.iter().filter(|&&v| self.at(v).is_some()).map(|&v| number(v, self.log)).collect();
    }

    fn label(&self, at: f64) -> String {
        let found = self.ticks.iter().position(|&t| (t - at).abs() <= 1e-9 * self.span());
        found.and_then(|i| self.labels.get(i).cloned()).unwrap_or_default()
    }

    fn ranged(&self) -> Ticked {
        Ticked(self.range, self.ticks.clone())
    }
}

/// As it stands on an axis. Many decades read best by their exponents.
fn number(v: f64, log: bool) -> String {
    if log && !(1e-3..1e5).contains(&v) { format!("{v:e}") } else { digits(v, 6) }
}

/// Multiples of 1, 2 or 5 times a power of ten, about seven of them.
fn round_steps([low, high]: [f64; 2]) -> Vec<f64> {
    let rough = (high - low) / 7.0;
    let power = 10f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|f| f * power >= rough).unwrap_or(10.0);
    let step = factor * power;
    // Through a decimal, so that 3 * 0.1 is 0.3.
    let exact = |k: i64| format!("{:.12e}", k as f64 * step).parse().unwrap_or(0.0);
    ((low / step).ceil() as i64..=(high / step).floor() as i64).map(exact).collect()
}

/// Powers of ten, with 2 and 5 between them on a short axis.
fn decades([low, high]: [f64; 2]) -> Vec<f64> {
    let stride = (((high - low) / 8.0).ceil() as usize).max(1);
    let factors: &[f64] = if high - low < 3.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let powers = (low.floor() as i32..=high.ceil() as i32).step_by(stride);
    powers.flat_map(|p| factors.iter().map(move |f| f * 10f64.powi(p))).collect()
}

pub fn style(size: u32, across: HPos, down: VPos) -> TextStyle<'static> {
    TextStyle::from(("sans-serif", size).into_font()).color(&INK).pos(Pos::new(across, down))
}

/// What the backend says when it fails; written to a string it does not.
pub const DRAWN: &str = "an SVG is drawn into memory";

/// White paper of this size, with the title on it; what `draw` puts there, as SVG.
pub fn paper((width, height): (u32, u32), title: &str, draw: impl FnOnce(&Paper<'_>)) -> String {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (width, height)).into_drawing_area();
        root.fill(&WHITE).expect(DRAWN);
        let centred = style(38, HPos::Center, VPos::Center);
        root.draw(&Text::new(title.to_owned(), (width as i32 / 2, TITLE as i32 / 2), centred)).expect(DRAWN);
        draw(&root);
        root.present().expect(DRAWN);
    }
    // The size it is shown at is the reader's choice; the coordinates are those of the view box.
    svg.replacen(
        &format!("width=\"{width}\" height=\"{height}\""),
        &format!("width=\"{}\" height=\"{}\"", width / 2, height / 2),
        1,
    )
}

/// Draws the axes and a legend of `names`; `draw` gets the paper and maps drawn coordinates to pixels. A name's sample is drawn by
/// `sample`, in a box of 60 by 30 pixels whose middle it is given.
pub fn frame(
    axes: &Axes,
    [mut x, mut y]: [Scale; 2],
    names: &[String],
    sample: impl Fn(&Paper<'_>, usize, (i32, i32)),
    draw: impl FnOnce(&Paper<'_>, &Scale, &Scale, &dyn Fn(f64, f64) -> (i32, i32)),
) -> String {
    // Without a font at hand a letter of size 28 counts as 15 pixels.
    let longest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0) as u32;
    let legend = if names.is_empty() { 0 } else { 100 + 15 * longest };
    if axes.equal {
        let (wide, high) = (SIZE.0 - legend - LEFT - 2 * MARGIN, SIZE.1 - TITLE - BELOW - MARGIN);
        let unit = (x.span() / f64::from(wide)).max(y.span() / f64::from(high));
        x.widen(unit * f64::from(wide));
        y.widen(unit * f64::from(high));
    }
    if x.labels.is_empty() {
        x.tick(&axes.x_ticks);
    }
    y.tick(&[]);
    paper(SIZE, &axes.title, |root| {
        let mut builder = ChartBuilder::on(root);
        builder.margin(MARGIN).margin_top(TITLE).margin_right(MARGIN + legend);
        builder.x_label_area_size(BELOW - MARGIN).y_label_area_size(LEFT - MARGIN);
        let mut chart: Chart<'_> = builder.build_cartesian_2d(x.ranged(), y.ranged()).expect(DRAWN);
        let mut mesh = chart.configure_mesh();
        mesh.max_light_lines(0)
            .light_line_style(WHITE)
            .bold_line_style(INK.mix(0.15).stroke_width(2))
            .axis_style(INK.stroke_width(2));
        mesh.label_style(style(28, HPos::Center, VPos::Center)).axis_desc_style(style(32, HPos::Center, VPos::Center));
        mesh.x_desc(&axes.x).y_desc(&axes.y).x_labels(x.ticks.len() + 2).y_labels(y.ticks.len() + 2);
        mesh.x_label_formatter(&|v| x.label(*v)).y_label_formatter(&|v| y.label(*v)).draw().expect(DRAWN);
        draw(root, &x, &y, &|u, v| chart.backend_coord(&(u, v)));
        let left = (SIZE.0 - legend) as i32;
        for (i, name) in names.iter().enumerate() {
            let middle = (TITLE + 30 + 48 * i as u32) as i32;
            sample(root, i, (left + 30, middle));
            let text = Text::new(name.clone(), (left + 75, middle), style(28, HPos::Left, VPos::Center));
            root.draw(&text).expect(DRAWN);
        }
    })
}

//! A small chart as SVG: named places side by side, one mark a series at each.

use std::fmt::Write;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 80.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 70.0;
const BOTTOM: f64 = 60.0;
/// Colours that people who see red and green alike can tell apart (Okabe and Ito).
const COLOURS: [&str; 6] = ["#0072b2", "#d55e00", "#e69f00", "#009e73", "#cc79a7", "#555555"];

/// How figures are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marks {
    /// Bars from 0 on.
    Bars,
    /// Lines, on a scale where every step is ten times as much.
    LogLines,
    /// Lines, from 0 on.
    Lines,
}

/// What is drawn.
#[derive(Debug, Clone)]
pub(super) struct Chart {
    pub(super) title: String,
    /// What the figures are, with the unit.
    pub(super) unit: String,
    /// The places, from left to right.
    pub(super) places: Vec<String>,
    /// The names of the series, each with its figure at every place, where there is one.
    pub(super) series: Vec<(String, Vec<Option<f64>>)>,
    pub(super) marks: Marks,
}

/// The scale from figures to heights.
struct Scale {
    low: f64,
    high: f64,
    is_log: bool,
}

impl Scale {
    fn new(chart: &Chart) -> Self {
        let figures = || chart.series.iter().flat_map(|(_, figures)| figures.iter().flatten().copied());
        let high = figures().fold(0.0_f64, f64::max);
        if chart.marks != Marks::LogLines {
            return Self { low: 0.0, high: rounded_up(high), is_log: false };
        }
        let low = figures().filter(|figure| *figure > 0.0).fold(high, f64::min);
        let power = |figure: f64| if figure > 0.0 { figure.log10() } else { 0.0 };
        let (low, high) = (power(low).floor(), power(high).ceil());
        Self { low, high: high.max(low + 1.0), is_log: true }
    }

    fn y(&self, figure: f64) -> f64 {
        let figure = if self.is_log { figure.max(1e-9).log10() } else { figure };
        let part = (figure - self.low) / (self.high - self.low);
        HEIGHT - BOTTOM - part.clamp(0.0, 1.0) * (HEIGHT - TOP - BOTTOM)
    }

    fn ticks(&self) -> Vec<f64> {
        if self.is_log {
            let count = (self.high - self.low) as i32;
            return (0..=count).map(|step| 10_f64.powf(self.low + f64::from(step))).collect();
        }
        (0..=5).map(|step| self.high * f64::from(step) / 5.0).collect()
    }
}

/// The next number of 1, 2, 2.5, 5 and 10 times a power of ten.
fn rounded_up(figure: f64) -> f64 {
    if figure <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(figure.log10().floor());
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0];
    steps.into_iter().map(|step| step * power).find(|step| *step >= figure).unwrap_or(figure)
}

impl Chart {
    /// The chart as a file of its own.
    pub(super) fn svg(&self) -> String {
        let scale = Scale::new(self);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
             font-size=\"12\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n"
        );
        text(&mut svg, (LEFT, 22.0), "start", &format!("{} ({})", self.title, self.unit));
        for tick in scale.ticks() {
            let y = scale.y(tick);
            let _ = writeln!(
                svg,
                "<line x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#dddddd\"/>",
                WIDTH - RIGHT
            );
            text(&mut svg, (LEFT - 8.0, y + 4.0), "end", &short(tick));
        }
        for (place, name) in self.places.iter().enumerate() {
            text(&mut svg, (self.x(place), HEIGHT - BOTTOM + 20.0), "middle", name);
        }
        for (number, (name, figures)) in self.series.iter().enumerate() {
            let colour = COLOURS.get(number).copied().unwrap_or("black");
            let x = LEFT + 130.0 * number as f64;
            let _ =
                writeln!(svg, "<rect x=\"{x:.1}\" y=\"36\" width=\"12\" height=\"12\" fill=\"{colour}\"/>");
            text(&mut svg, (x + 18.0, 47.0), "start", name);
            match self.marks {
                Marks::Bars => self.bars(&mut svg, &scale, number, figures, colour),
                Marks::LogLines | Marks::Lines => self.line(&mut svg, &scale, figures, colour),
            }
        }
        svg.push_str("</svg>\n");
        svg
    }

    /// The middle of a place.
    fn x(&self, place: usize) -> f64 {
        LEFT + self.step() * (place as f64 + 0.5)
    }

    fn step(&self) -> f64 {
        (WIDTH - LEFT - RIGHT) / self.places.len().max(1) as f64
    }

    fn bars(&self, svg: &mut String, scale: &Scale, number: usize, figures: &[Option<f64>], colour: &str) {
        let width = self.step() * 0.8 / self.series.len().max(1) as f64;
        for (place, figure) in figures.iter().enumerate() {
            let Some(figure) = figure else { continue };
            let x = self.x(place) - self.step() * 0.4 + width * number as f64;
            let (y, height) = (scale.y(*figure), HEIGHT - BOTTOM - scale.y(*figure));
            let _ = writeln!(
                svg,
                "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{height:.1}\" fill=\"{colour}\"/>",
                width * 0.92
            );
            text(svg, (x + width / 2.0, y - 4.0), "middle", &short(*figure));
        }
    }

    fn line(&self, svg: &mut String, scale: &Scale, figures: &[Option<f64>], colour: &str) {
        let there = figures.iter().enumerate().filter_map(|(place, figure)| Some((place, (*figure)?)));
        let marks: Vec<(f64, f64)> = there.map(|(place, figure)| (self.x(place), scale.y(figure))).collect();
        let path: Vec<String> = marks.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            path.join(" ")
        );
        for (x, y) in marks {
            let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>");
        }
    }
}

fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>");
}

/// A number in few characters.
fn short(figure: f64) -> String {
    let digits = match figure.abs() {
        0.0 => 0,
        small if small < 0.1 => 3,
        small if small < 1.0 => 2,
        middle if middle < 10.0 => 1,
        _ => 0,
    };
    format!("{figure:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_drawn_in_proportion() {
        let chart = |marks| Chart {
            title: "a < b".to_owned(),
            unit: "s".to_owned(),
            places: vec!["one".to_owned(), "two".to_owned()],
            series: vec![
                ("x".to_owned(), vec![Some(1.0), Some(100.0)]),
                ("y".to_owned(), vec![None, Some(10.0)]),
            ],
            marks,
        };
        let scale = Scale::new(&chart(Marks::LogLines));
        assert_eq!((scale.low, scale.high), (0.0, 2.0));
        let middle = f64::midpoint(scale.y(1.0), scale.y(100.0));
        assert!((scale.y(10.0) - middle).abs() < 1e-9);
        let svg = chart(Marks::Bars).svg();
        assert_eq!(svg.matches("fill=\"#0072b2\"").count(), 3, "a legend and two bars");
        assert!(svg.contains("a &lt; b (s)") && svg.ends_with("</svg>\n"));
        assert_eq!([0.3, 12.0, 26.0, 0.0].map(rounded_up), [0.5, 20.0, 50.0, 1.0]);
    }
}

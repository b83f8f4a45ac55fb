//! The plots that docs/performance.md shows, drawn from medians.

use super::chart::{Chart, Marks};
use super::flat;
use crate::contender::Kind;
use crate::lean::Histogram;
use crate::results::{Point, cells};

/// A plot, drawn.
#[derive(Debug)]
pub(super) struct Plot {
    /// The name of its file, without the ending.
    pub(super) name: String,
    pub(super) title: String,
    pub(super) svg: String,
}

/// A measure's figure over some of its points.
struct Over {
    name: &'static str,
    title: &'static str,
    unit: &'static str,
    measure: &'static str,
    figure: &'static str,
    /// The points, with what they are called below the plot.
    points: &'static [(&'static str, &'static str)],
    marks: Marks,
}

const BATCHES: &[(&str, &str)] = &[
    ("1 KB records, 16 KB batches", "1 KB, 16 KB batches"),
    ("1 KB records, 16 KB batches, 12 in a request", "12 in a request"),
    ("1 KB records, 1 MB batches", "1 KB, 1 MB batches"),
    ("100 B records, 16 KB batches", "100 B, 16 KB batches"),
];
const PARTITIONS: &[(&str, &str)] =
    &[("1", "1"), ("10", "10"), ("100", "100"), ("1000", "1,000"), ("10000", "10,000")];

const OVER: [Over; 6] = [
    Over {
        name: "cpu-produce",
        title: "Broker CPU of a gigabyte produced",
        unit: "seconds",
        measure: "produce",
        figure: "cpu_s_per_gb",
        points: BATCHES,
        marks: Marks::Bars,
    },
    Over {
        name: "cpu-fetch",
        title: "Broker CPU of a gigabyte fetched",
        unit: "seconds",
        measure: "fetch",
        figure: "cpu_s_per_gb",
        points: BATCHES,
        marks: Marks::Bars,
    },
    Over {
        name: "cpu-commits",
        title: "Broker CPU of a commit, by committers",
        unit: "µs",
        measure: "commits",
        figure: "cpu_us_each",
        points: &[("1", "1"), ("16", "16"), ("128", "128")],
        marks: Marks::Bars,
    },
    Over {
        name: "partitions-in",
        title: "Produced over partitions",
        unit: "MB a second",
        measure: "partitions",
        figure: "mb_per_s",
        points: PARTITIONS,
        marks: Marks::Lines,
    },
    Over {
        name: "partitions-out",
        title: "Consumed over partitions",
        unit: "MB a second",
        measure: "partitions",
        figure: "fetch_mb_per_s",
        points: PARTITIONS,
        marks: Marks::Lines,
    },
    Over {
        name: "fan-out",
        title: "Broker CPU of a gigabyte delivered, by consumers of one topic",
        unit: "seconds",
        measure: "fan-out",
        figure: "cpu_s_per_gb",
        points: &[("1 consumers", "1"), ("10 consumers", "10"), ("100 consumers", "100")],
        marks: Marks::Lines,
    },
];

/// The rates whose distributions are drawn, and how their files are called.
const RATES: [(&str, &str); 3] = [
    ("200 a second", "latency-200"),
    ("2,000 a second", "latency-2000"),
    ("20,000 a second", "latency-20000"),
];

/// All plots for which there are figures.
pub(super) fn draw(points: &[Point]) -> Vec<Plot> {
    let mut plots: Vec<Plot> = OVER.iter().filter_map(|over| over.draw(points)).collect();
    plots.extend(RATES.iter().filter_map(|(point, name)| distribution(points, point, name)));
    plots.extend(flat::chart(points).and_then(|chart| plot("hour", &chart)));
    plots
}

fn median(points: &[Point], measure: &str, point: &str, kind: Kind, figure: &str) -> Option<f64> {
    cells(points, measure, point, kind, figure).spread().map(|spread| spread.median)
}

/// The series of all contenders that have a figure anywhere.
fn series(figures: impl Fn(Kind) -> Vec<Option<f64>>) -> Vec<(String, Vec<Option<f64>>)> {
    let of = |kind: Kind| (kind.name().to_owned(), figures(kind));
    Kind::ALL.into_iter().map(of).filter(|(_, figures)| figures.iter().any(Option::is_some)).collect()
}

fn plot(name: &str, chart: &Chart) -> Option<Plot> {
    let (name, title) = (name.to_owned(), chart.title.clone());
    (!chart.series.is_empty()).then(|| Plot { name, title, svg: chart.svg() })
}

impl Over {
    fn draw(&self, points: &[Point]) -> Option<Plot> {
        let is_measured = |point: &str| {
            points.iter().any(|found| found.key.measure == self.measure && found.key.point == point)
        };
        let shown: Vec<_> = self.points.iter().filter(|(point, _)| is_measured(point)).collect();
        let of = |kind| {
            let at = |(point, _): &&(&str, &str)| median(points, self.measure, point, kind, self.figure);
            shown.iter().map(at).collect()
        };
        let chart = Chart {
            title: self.title.to_owned(),
            unit: self.unit.to_owned(),
            places: shown.iter().map(|(_, name)| (*name).to_owned()).collect(),
            series: series(of),
            marks: self.marks,
        };
        plot(self.name, &chart)
    }
}

/// How late records came, by the part of them that came sooner.
fn distribution(points: &[Point], point: &str, name: &str) -> Option<Plot> {
    let parts = || Histogram::PARTS.iter().filter(|(part, _)| *part != "max_ms");
    let chart = Chart {
        title: format!("End-to-end latency at {point}"),
        unit: "milliseconds".to_owned(),
        places: parts().map(|(part, _)| part.trim_end_matches("_ms").to_owned()).collect(),
        series: series(|kind| {
            parts().map(|(part, _)| median(points, "latency", point, kind, part)).collect()
        }),
        marks: Marks::LogLines,
    };
    plot(name, &chart)
}

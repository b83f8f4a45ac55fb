//! Whether what was measured every minute stayed as it was.

use ottla_tests::measure::Spread;

use super::chart::{Chart, Marks};
use crate::contender::Kind;
use crate::hour::{CONTENDERS, NAME};
use crate::results::Point;

/// What is to stay as it is, with its unit and digits behind the point.
const FIGURES: [(&str, &str, usize); 7] = [
    ("anonymous_mb", "anonymous memory, MB", 2),
    ("open_files", "open files", 0),
    ("threads", "threads", 0),
    ("p50_ms", "p50, ms", 3),
    ("p99_ms", "p99, ms", 3),
    ("p99.9_ms", "p99.9, ms", 3),
    ("cpu_s", "broker CPU a minute, s", 2),
];

/// A markdown table of the first quarter of the minutes beside the last; `None` when no minute was measured.
pub(super) fn table(points: &[Point]) -> Option<String> {
    let mut text = String::new();
    for kind in CONTENDERS {
        let minutes = of(points, kind);
        if minutes.is_empty() {
            continue;
        }
        let quarter = minutes.len().div_ceil(4);
        let title = format!("{}, {} minutes", kind.name(), minutes.len());
        text.push_str(&format!(
            "| {title} | first {quarter} minutes | last {quarter} minutes | ratio of medians |\n"
        ));
        text.push_str("|---|---|---|---|\n");
        for (figure, name, digits) in FIGURES {
            let values: Vec<f64> = minutes.iter().filter_map(|point| point.figures.get(figure)).collect();
            let first = Spread::of(values.iter().take(quarter).copied());
            let last = Spread::of(values.iter().rev().take(quarter).copied());
            let (Ok(first), Ok(last)) = (first, last) else { continue };
            let ratio =
                if first.median > 0.0 { format!("{:.3}", last.median / first.median) } else { String::new() };
            text.push_str(&format!(
                "| {name} | {} | {} | {ratio} |\n",
                first.cell(digits),
                last.cell(digits)
            ));
        }
        text.push('\n');
    }
    (!text.is_empty()).then_some(text)
}

/// The latencies of every minute.
pub(super) fn chart(points: &[Point]) -> Option<Chart> {
    let minutes = of(points, Kind::Ottla);
    let of = |figure: &str| minutes.iter().map(|point| point.figures.get(figure)).collect();
    let named = |minute: usize| if minute.is_multiple_of(10) { minute.to_string() } else { String::new() };
    (!minutes.is_empty()).then(|| Chart {
        title: "Latency and memory in every minute of a long mixed load".to_owned(),
        unit: "ms, MB".to_owned(),
        places: (1..=minutes.len()).map(named).collect(),
        series: vec![
            ("p50, ms".to_owned(), of("p50_ms")),
            ("p99, ms".to_owned(), of("p99_ms")),
            ("p99.9, ms".to_owned(), of("p99.9_ms")),
            ("memory, MB".to_owned(), of("anonymous_mb")),
        ],
        marks: Marks::LogLines,
    })
}

fn of(points: &[Point], kind: Kind) -> Vec<&Point> {
    points.iter().filter(|point| point.key.measure == NAME && point.key.contender == kind.name()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Figures;
    use crate::results::Key;

    #[test]
    fn the_first_quarter_stands_beside_the_last() {
        let minute = |number: u32| {
            let mut figures = Figures::default();
            figures.set("anonymous_mb", f64::from(number));
            let (measure, point) = (NAME.to_owned(), format!("minute {number}"));
            let contender = Kind::Ottla.name().to_owned();
            Point { key: Key { measure, point, contender, round: 1 }, figures }
        };
        let points: Vec<Point> = (1..=8).map(minute).collect();
        let table = table(&points).unwrap();
        let row = "| anonymous memory, MB | 1.50 (1.00 to 2.00) | 7.50 (7.00 to 8.00) | 5.000 |\n";
        assert!(table.contains(row), "{table}");
        assert_eq!(chart(&points).unwrap().places.len(), 8);
        assert!(super::table(&[]).is_none() && chart(&[]).is_none());
    }
}

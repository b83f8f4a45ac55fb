//! `docs/performance.md` and its plots, from raw results and nothing else.

mod aims;
mod chart;
mod document;
mod flat;
mod plots;
mod verdict;

use std::path::Path;

use ottla_tests::problem::{Doing, Problem};

use crate::measures::ALL;
use crate::results::{Point, Results, table};

/// Writes the tables into the document, between its markers, and draws the plots beside it. Where a point is in several
/// files, all rounds count.
///
/// # Errors
/// A file can not be written, or the document lacks its markers.
pub fn write(results: &[Results], document: &Path) -> Result<(), Problem> {
    let points = all_points(results);
    let directory = document.parent().unwrap_or(Path::new("."));
    let plots = plots::draw(&points);
    let plots_directory = directory.join("plots");
    std::fs::create_dir_all(&plots_directory).doing("create the directory of plots")?;
    for plot in &plots {
        let file = plots_directory.join(format!("{}.svg", plot.name));
        std::fs::write(&file, &plot.svg).doing(format_args!("write {}", file.display()))?;
    }
    let mut text = String::from("### Measured on\n\n");
    results.iter().for_each(|results| text.push_str(&document::machine(results)));
    text.push_str("\n### Aims\n\n");
    text.push_str(&verdict::table(&points));
    for plot in &plots {
        text.push_str(&format!("\n![{}](plots/{}.svg)\n", plot.title, plot.name));
    }
    if let Some(table) = flat::table(&points) {
        text.push_str("\n### One hour of mixed load\n\n");
        text.push_str(&table);
    }
    for measure in ALL {
        if points.iter().any(|point| point.key.measure == measure.name()) {
            let heading = format!("\n### {}\n\nMeasured: {}.\n\n", measure.name(), measure.about());
            text.push_str(&heading);
            text.push_str(&table(measure, &points));
        }
    }
    document::replace(document, &text)
}

/// How far apart the rounds of two files are: more than any file has.
const ROUNDS_PER_FILE: u64 = 1_000_000;

/// The points of all files, with rounds that differ, so that ratios are taken within one run.
fn all_points(results: &[Results]) -> Vec<Point> {
    let of_file = |(place, results): (u64, &Results)| {
        let mut points = results.points.clone();
        for point in &mut points {
            point.key.round = point.key.round.saturating_add(place.saturating_mul(ROUNDS_PER_FILE));
        }
        points
    };
    (0..).zip(results).flat_map(of_file).collect()
}

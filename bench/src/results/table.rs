//! Tables: medians with their extremes, and ratios within one round.

use ottla_tests::measure::Spread;

use super::file::Point;
use crate::contender::Kind;
use crate::measures::{Measure, Quantity};

/// A figure of one contender at one point over all rounds, or its ratio to another's.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// What was measured in each round, by round.
    by_round: Vec<(u64, f64)>,
}

impl Cell {
    /// The spread; `None` when nothing was measured.
    #[must_use]
    pub fn spread(&self) -> Option<Spread> {
        Spread::of(self.by_round.iter().map(|(_, value)| *value)).ok()
    }

    /// This one in parts of another, round by round, since the machine's mood changes from one to the next.
    #[must_use]
    pub fn ratio(&self, other: &Self) -> Self {
        let of_round = |round: u64| other.by_round.iter().find(|(found, _)| *found == round);
        let ratio = |(round, value): &(u64, f64)| {
            let (_, other) = of_round(*round)?;
            (*other > 0.0).then(|| (*round, value / other))
        };
        Self { by_round: self.by_round.iter().filter_map(ratio).collect() }
    }
}

/// The figure of a contender at a point in every round.
#[must_use]
pub fn cells(points: &[Point], measure: &str, point: &str, kind: Kind, figure: &str) -> Cell {
    let matching = points.iter().filter(|found| {
        let key = &found.key;
        key.measure == measure && key.point == point && key.contender == kind.name()
    });
    let by_round = matching.filter_map(|found| Some((found.key.round, found.figures.get(figure)?)));
    Cell { by_round: by_round.collect() }
}

/// Beside whose figures Ottla's are put as ratios.
const RATIOS: [Kind; 3] = [Kind::KafkaWarm, Kind::Kfake, Kind::Floor];

/// A markdown table of a measure: a row for each figure of each point, a column for each contender, and ratios.
#[must_use]
pub fn table(measure: &dyn Measure, points: &[Point]) -> String {
    let of_measure = || points.iter().filter(|point| point.key.measure == measure.name());
    let present = |kind: &Kind| of_measure().any(|point| point.key.contender == kind.name());
    let kinds: Vec<Kind> = Kind::ALL.into_iter().filter(present).collect();
    let ratios: Vec<Kind> = RATIOS.into_iter().filter(present).collect();
    let mut names: Vec<&str> = Vec::new();
    for point in of_measure() {
        if !names.contains(&point.key.point.as_str()) {
            names.push(&point.key.point);
        }
    }
    let mut heading = vec![measure.name().to_owned()];
    heading.extend(kinds.iter().map(|kind| kind.name().to_owned()));
    heading.extend(ratios.iter().map(|kind| format!("ottla / {}", kind.name())));
    let mut text = line(&heading);
    text.push_str(&format!("|{}\n", "---|".repeat(heading.len())));
    for name in names {
        for quantity in measure.quantities() {
            let cell = |kind: &Kind| cells(points, measure.name(), name, *kind, quantity.figure);
            if let Some(row) = row(name, &quantity, &kinds, &ratios, cell) {
                text.push_str(&row);
            }
        }
    }
    text
}

fn row(
    point: &str,
    quantity: &Quantity,
    kinds: &[Kind],
    ratios: &[Kind],
    cell: impl Fn(&Kind) -> Cell,
) -> Option<String> {
    let shown = |kind: &Kind| cell(kind).spread().map(|spread| spread.cell(quantity.digits));
    let measured: Vec<Option<String>> = kinds.iter().map(shown).collect();
    if measured.iter().all(Option::is_none) {
        return None;
    }
    let ottla = cell(&Kind::Ottla);
    let mut columns = vec![format!("{point}: {}", quantity.title)];
    columns.extend(measured.into_iter().map(Option::unwrap_or_default));
    columns.extend(
        ratios
            .iter()
            .map(|kind| ottla.ratio(&cell(kind)).spread().map(|spread| spread.cell(3)).unwrap_or_default()),
    );
    Some(line(&columns))
}

fn line(columns: &[String]) -> String {
    format!("| {} |\n", columns.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Figures;
    use crate::measures::by_name;
    use crate::results::Key;

    #[test]
    fn ratios_are_taken_within_rounds() {
        let point = |contender: Kind, round, value| {
            let mut figures = Figures::default();
            figures.set("cpu_s_per_gb", value);
            let (measure, point) = ("produce".to_owned(), "p".to_owned());
            Point { key: Key { measure, point, contender: contender.name().to_owned(), round }, figures }
        };
        let points = [
            point(Kind::Ottla, 1, 1.0),
            point(Kind::KafkaWarm, 1, 4.0),
            point(Kind::Ottla, 2, 3.0),
            point(Kind::KafkaWarm, 2, 6.0),
            point(Kind::Ottla, 3, 2.0),
        ];
        let table = table(by_name("produce").unwrap(), &points);
        let row = table.lines().find(|line| line.starts_with("| p: broker CPU a GB")).unwrap();
        assert!(row.contains("2.000 (1.000 to 3.000) | 5.000 (4.000 to 6.000)"), "{row}");
        assert!(row.ends_with("0.375 (0.250 to 0.500) |"), "{row}");
        assert!(table.starts_with("| produce | ottla | kafka, warm | ottla / kafka, warm |\n"), "{table}");
        assert_eq!(table.lines().count(), 3);
    }
}

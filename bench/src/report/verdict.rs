//! Whether aims are met.

use super::aims::{AIMS, Aim, Beside, Goal};
use crate::contender::Kind;
use crate::results::{Cell, Point, cells};

/// A markdown table of the aims. Aims that nothing was measured for are shown as that. The median decides, unrounded.
pub(super) fn table(points: &[Point]) -> String {
    let mut text = "| what | point | beside | aim | measured: median (extremes) | met |\n".to_owned();
    text.push_str(&format!("|{}\n", "---|".repeat(6)));
    for aim in AIMS {
        let spread = measured(aim, points).spread();
        let (told, met) = match &spread {
            Some(spread) => {
                (spread.cell(digits(spread.median)), if aim.is_met(spread.median) { "yes" } else { "no" })
            }
            None => ("not measured".to_owned(), ""),
        };
        let line = format!(
            "| {}{} | {} | {} | {} | {told} | {met} |\n",
            aim.what,
            aim.detail(),
            aim.point,
            aim.other(),
            aim.wanted()
        );
        text.push_str(&line);
    }
    text
}

fn measured(aim: &Aim, points: &[Point]) -> Cell {
    let of = |kind, point| cells(points, aim.measure, point, kind, aim.figure);
    let own = of(Kind::Ottla, aim.point);
    match aim.beside {
        Beside::Itself => own,
        Beside::Contender(kind) => own.ratio(&of(kind, aim.point)),
        Beside::Point(point) => own.ratio(&of(Kind::Ottla, point)),
    }
}

/// Small numbers need more digits for as much to be said.
fn digits(median: f64) -> usize {
    match median {
        small if small < 0.1 => 4,
        middle if middle < 10.0 => 3,
        _ => 1,
    }
}

impl Aim {
    fn is_met(&self, median: f64) -> bool {
        match self.goal {
            Goal::AtMost(limit) => median <= limit,
            Goal::AtLeast(limit) => median >= limit,
        }
    }

    fn wanted(&self) -> String {
        let number =
            |limit: f64| if limit < 0.01 { format!("1/{:.0}", 1.0 / limit) } else { format!("{limit}") };
        match self.goal {
            Goal::AtMost(limit) => format!("at most {}", number(limit)),
            Goal::AtLeast(limit) => format!("at least {}", number(limit)),
        }
    }

    fn other(&self) -> String {
        match self.beside {
            Beside::Itself => String::new(),
            Beside::Contender(kind) => kind.name().to_owned(),
            Beside::Point(point) => format!("ottla, {point}"),
        }
    }

    /// Which percentile a latency is, and which direction a throughput has, where the words leave that open.
    fn detail(&self) -> &'static str {
        match (self.measure, self.figure) {
            ("latency", "p99_ms") => ", p99",
            ("latency", "p99.9_ms") => ", p99.9",
            ("produce" | "partitions", "mb_per_s") => ", in",
            ("fetch", "mb_per_s") | ("partitions", _) => ", out",
            ("both", _) => ", in and out",
            _ => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Figures;
    use crate::measures::by_name;
    use crate::results::Key;
    use crate::size::Size;

    #[test]
    fn every_aim_is_about_something_that_is_measured() {
        for aim in AIMS {
            let measure = by_name(aim.measure).unwrap();
            let points = measure.points(Size::Full);
            assert!(points.iter().any(|point| point == aim.point), "{aim:?}");
            match aim.beside {
                Beside::Point(other) => assert!(points.iter().any(|point| point == other), "{aim:?}"),
                Beside::Contender(kind) => assert!(measure.contenders().contains(&kind), "{aim:?}"),
                Beside::Itself => {}
            }
        }
    }

    #[test]
    fn the_median_decides() {
        let point = |contender: Kind, round, value| {
            let mut figures = Figures::default();
            figures.set("p99_ms", value);
            let (measure, point) = ("commits".to_owned(), "1".to_owned());
            Point { key: Key { measure, point, contender: contender.name().to_owned(), round }, figures }
        };
        let line = |own: f64| {
            let points = [point(Kind::Ottla, 1, own), point(Kind::KafkaWarm, 1, 10.0)];
            let found = table(&points);
            found.lines().find(|line| line.starts_with("| p99 of a commit | 1 |")).unwrap().to_owned()
        };
        assert!(line(2.0).ends_with("| 0.200 (0.200 to 0.200) | yes |"), "{}", line(2.0));
        assert!(line(2.004).ends_with("| no |"), "{}", line(2.004));
        assert!(table(&[]).contains("not measured"));
    }
}

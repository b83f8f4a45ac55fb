//! Runs measures: contenders one at a time, in turn, in rounds.

use std::path::Path;
use std::time::Instant;

use ottla_tests::broker::Options;
use ottla_tests::measure::load_average;
use ottla_tests::problem::Problem;

use crate::contender::{Contender, Kind};
use crate::measures::Measure;
use crate::results::{Key, Point, Results};
use crate::size::Size;
use crate::spent::Spent;
use crate::stage::Stage;

/// What a run has.
pub struct Run<'a> {
    /// Those who can be had, each found.
    pub contenders: Vec<Contender>,
    /// What is measured.
    pub measures: Vec<&'a dyn Measure>,
    /// How often.
    pub rounds: u64,
    /// How much.
    pub size: Size,
    /// Where contenders log to.
    pub logs: &'a Path,
}

impl Run<'_> {
    /// Measures what the results do not have yet. A contender that fails at a measure gets its next turn all the same.
    ///
    /// # Errors
    /// Contenders did not do what they should, told together at the end.
    pub fn measure(&self, results: &mut Results) -> Result<(), Problem> {
        let mut failures = Vec::new();
        let mut spent = Spent::default();
        for measure in &self.measures {
            for round in 1..=self.rounds {
                let mut contenders: Vec<&Contender> = self.contenders.iter().collect();
                if round % 2 == 0 {
                    contenders.reverse();
                }
                for contender in contenders {
                    if measure.contenders().contains(&contender.kind) {
                        let outcome = self.turn(*measure, contender, round, results, &mut spent);
                        failures.extend(outcome.err().map(|problem| {
                            eprintln!("{problem}");
                            problem.to_string()
                        }));
                    }
                }
            }
        }
        if failures.is_empty() { Ok(()) } else { Err(Problem::new(failures.join("\n"))) }
    }

    /// All points of a measure that a contender lacks in a round.
    fn turn(
        &self,
        measure: &dyn Measure,
        contender: &Contender,
        round: u64,
        results: &mut Results,
        spent: &mut Spent,
    ) -> Result<(), Problem> {
        let key = |point: &str| Key {
            measure: measure.name().to_owned(),
            point: point.to_owned(),
            contender: contender.kind.name().to_owned(),
            round,
        };
        let mut points = measure.points(self.size);
        points.retain(|point| measure.measures(point, contender.kind) && !results.has(&key(point)));
        let mut running: Option<Stage> = None;
        for point in &points {
            let mut stage = match running.take() {
                Some(stage) => stage,
                None => self.start(measure, contender, point)?,
            };
            let figures = measure.measure(&mut stage, point).map_err(|problem| {
                Problem::new(format!("{}, {point}, {}: {problem}", measure.name(), contender.kind.name()))
            })?;
            eprintln!("round {round} of {}: {}", self.rounds, told(measure, point, contender.kind, &figures));
            results.add(Point { key: key(point), figures }, &load_average()?)?;
            if contender.kind.is_started_anew() {
                spent.keep(stage.broker.into_directory())?;
            } else {
                running = Some(stage);
            }
        }
        running.map_or(Ok(()), |stage| spent.keep(stage.broker.into_directory()))
    }

    fn start(&self, measure: &dyn Measure, contender: &Contender, point: &str) -> Result<Stage, Problem> {
        let floor = if contender.kind == Kind::Floor { measure.floor(point, self.size)? } else { None };
        let log = self.logs.join(format!("{}-{}.log", contender.kind.program(), measure.name()));
        let options = Options { settings: measure.settings(), ..Options::default() };
        let mut stage = Stage::new(contender.kind, contender.start(floor, &log, options)?, self.size);
        if contender.kind.is_warmed() {
            self.warm_up(measure, &mut stage)?;
        }
        Ok(stage)
    }

    /// Gives a virtual machine the load that it will be measured with.
    fn warm_up(&self, measure: &dyn Measure, stage: &mut Stage) -> Result<(), Problem> {
        let began = Instant::now();
        stage.size = Size::WarmUp;
        for point in measure.points(Size::WarmUp).iter().cycle() {
            if began.elapsed() >= self.size.warm_up() {
                break;
            }
            measure.measure(stage, point)?;
        }
        stage.size = self.size;
        Ok(())
    }
}

fn told(measure: &dyn Measure, point: &str, kind: Kind, figures: &crate::figures::Figures) -> String {
    let told = measure.quantities().into_iter().filter_map(|quantity| {
        let value = figures.get(quantity.figure)?;
        Some(format!("{} {value:.*}", quantity.title, quantity.digits))
    });
    format!("{}, {point}, {}: {}", measure.name(), kind.name(), told.collect::<Vec<_>>().join("; "))
}

//! What every measure says of itself.

use std::sync::Arc;

use ottla_tests::broker::BrokerProgram;
use ottla_tests::problem::Problem;

use crate::contender::Kind;
use crate::figures::Figures;
use crate::size::Size;
use crate::stage::Stage;

/// Which of two figures is the better one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// The smaller.
    Less,
    /// The larger.
    More,
}

/// A figure that tables show; raw results have more.
#[derive(Debug, Clone, Copy)]
pub struct Quantity {
    /// Its name among the figures of a point.
    pub figure: &'static str,
    /// What it is, with its unit, for people.
    pub title: &'static str,
    /// Digits behind the point.
    pub digits: usize,
    /// Which one is better.
    pub better: Better,
}

impl Quantity {
    /// One of which less is better.
    #[must_use]
    pub const fn less(figure: &'static str, title: &'static str, digits: usize) -> Self {
        Self { figure, title, digits, better: Better::Less }
    }

    /// One of which more is better.
    #[must_use]
    pub const fn more(figure: &'static str, title: &'static str, digits: usize) -> Self {
        Self { figure, title, digits, better: Better::More }
    }
}

/// Something that is measured of every contender, at one or more points.
pub trait Measure: Sync {
    /// Its name on the command line and in raw results.
    fn name(&self) -> &'static str;

    /// What it measures, in a sentence.
    fn about(&self) -> &'static str;

    /// Who can be measured.
    fn contenders(&self) -> &'static [Kind];

    /// The points: each is measured in every round.
    fn points(&self, size: Size) -> Vec<String>;

    /// Whether a contender is measured at a point.
    fn measures(&self, point: &str, kind: Kind) -> bool {
        let _ = (point, kind);
        true
    }

    /// The figures that tables show.
    fn quantities(&self) -> Vec<Quantity>;

    /// Settings of the broker beyond its defaults, by Apache Kafka's names.
    fn settings(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    /// The floor of a point, where there is one.
    ///
    /// # Errors
    /// Its frames can not be made.
    fn floor(&self, point: &str, size: Size) -> Result<Option<Arc<dyn BrokerProgram>>, Problem> {
        let _ = (point, size);
        Ok(None)
    }

    /// Measures a point of a contender that runs.
    ///
    /// # Errors
    /// The contender does not do what it should.
    fn measure(&self, stage: &mut Stage, point: &str) -> Result<Figures, Problem>;
}

/// All who keep topics, and the floor.
pub(super) const BROKERS_AND_FLOOR: &[Kind] =
    &[Kind::Ottla, Kind::KafkaWarm, Kind::KafkaCold, Kind::Kfake, Kind::Tansu, Kind::Floor];

/// All who keep topics.
pub(super) const BROKERS: &[Kind] =
    &[Kind::Ottla, Kind::KafkaWarm, Kind::KafkaCold, Kind::Kfake, Kind::Tansu];

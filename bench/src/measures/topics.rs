//! Topics that are made, until every partition has a leader.

use std::time::Instant;

use ottla_tests::measure::{NewTopic, create_topics};
use ottla_tests::problem::Problem;

use super::measure::{BROKERS, Measure, Quantity};
use crate::contender::Kind;
use crate::figures::Figures;
use crate::lean::Histogram;
use crate::size::Size;
use crate::stage::Stage;

/// One after another, and many in one request.
pub(super) struct Topics;

const ONE_BY_ONE: &str = "one after another";
const TOGETHER: &str = "in one request";
const TOPICS: u64 = 1000;
const TOPICS_LEAST: u64 = 5;

impl Measure for Topics {
    fn name(&self) -> &'static str {
        "topics"
    }

    fn about(&self) -> &'static str {
        "topics of one partition that are made, until each is led; 1,000 of them at full size"
    }

    fn contenders(&self) -> &'static [Kind] {
        BROKERS
    }

    fn points(&self, _size: Size) -> Vec<String> {
        vec![ONE_BY_ONE.to_owned(), TOGETHER.to_owned()]
    }

    fn quantities(&self) -> Vec<Quantity> {
        vec![
            Quantity::more("per_s", "topics a second", 0),
            Quantity::less("p99_ms", "p99, ms", 2),
            Quantity::less("cpu_us_each", "broker CPU a topic, µs", 0),
        ]
    }

    fn measure(&self, stage: &mut Stage, point: &str) -> Result<Figures, Problem> {
        let count = stage.size.count(TOPICS, TOPICS_LEAST);
        // A warm-up makes topics too.
        let run = stage.next_number();
        let topic =
            |number| NewTopic { name: format!("made-{run}-{number}"), partitions: 1, settings: Vec::new() };
        let topics: Vec<NewTopic> = (0..count).map(topic).collect();
        let at_once = if point == TOGETHER { topics.len() } else { 1 };
        let mut latency = Histogram::default();
        let metered = stage.metered_with(|broker| {
            topics.chunks(at_once.max(1)).try_for_each(|some| {
                let began = Instant::now();
                create_topics(broker, some)?;
                latency.add(began.elapsed());
                Ok(())
            })
        })?;
        let mut figures = metered.per_each(count, metered.took);
        figures.set_latency(&latency);
        Ok(figures)
    }
}

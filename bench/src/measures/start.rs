//! From the exec of a broker with an empty directory until a record is acknowledged, and its memory when it then idles.

use std::time::Duration;

use ottla_tests::measure::{Memory, first_record};
use ottla_tests::problem::Problem;

use super::measure::{Measure, Quantity};
use crate::contender::Kind;
use crate::figures::{Figures, megabytes};
use crate::size::Size;
use crate::stage::Stage;

/// The topic is made before the record, which is part of the time.
pub(super) struct Start;

/// How long the broker does nothing before its memory counts as that of an idle one.
const IDLE_TIME: Duration = Duration::from_secs(2);

impl Measure for Start {
    fn name(&self) -> &'static str {
        "start"
    }

    fn about(&self) -> &'static str {
        "from the exec with an empty directory, over the making of a topic, to the first acknowledged record"
    }

    fn contenders(&self) -> &'static [Kind] {
        &[Kind::Ottla, Kind::KafkaCold, Kind::Kfake]
    }

    fn points(&self, _size: Size) -> Vec<String> {
        vec!["empty directory".to_owned()]
    }

    fn quantities(&self) -> Vec<Quantity> {
        vec![
            Quantity::less("first_acknowledged_ms", "exec to first acknowledged record, ms", 2),
            Quantity::less("ready_ms", "exec to ready, ms", 2),
            Quantity::less("resident_idle_mb", "resident memory, idle, MB", 1),
            Quantity::less("anonymous_idle_mb", "anonymous memory, idle, MB", 1),
        ]
    }

    fn measure(&self, stage: &mut Stage, _point: &str) -> Result<Figures, Problem> {
        let acknowledged_after = first_record(&mut stage.broker)?;
        let mut figures = Figures::default();
        figures.set("first_acknowledged_ms", acknowledged_after.as_secs_f64() * 1e3);
        figures.set("ready_ms", stage.broker.started().ready_after.as_secs_f64() * 1e3);
        stage.broker.idle(stage.size.time(IDLE_TIME))?;
        let memory = Memory::of_process(stage.broker.process_id())?;
        figures.set("resident_idle_mb", megabytes(memory.resident_kib));
        figures.set("anonymous_idle_mb", megabytes(memory.anonymous_kib));
        Ok(figures)
    }
}

//! Apache Kafka's own `kafka-producer-perf-test` and `kafka-consumer-perf-test`.

use std::process::Command;

use ottla_tests::kafka::Kafka;
use ottla_tests::problem::Problem;

use super::Client;
use super::program::{Task, number_before};

/// What the consumer's table has.
const CONSUMER_COLUMNS: usize = 10;

pub(super) struct Java;

impl Client for Java {
    fn name(&self) -> &'static str {
        "Java"
    }

    fn producer(&self, task: &Task) -> Result<Command, Problem> {
        let mut command = program("org.apache.kafka.tools.ProducerPerformance", task)?;
        command.args(["--record-size", &task.value_bytes.to_string(), "--throughput", "-1"]);
        Ok(command)
    }

    fn consumer(&self, task: &Task) -> Result<Command, Problem> {
        let mut command = program("org.apache.kafka.tools.ConsumerPerformance", task)?;
        command.args(["--hide-header", "--timeout", "60000"]);
        Ok(command)
    }

    fn produced(&self, output: &str) -> Option<f64> {
        number_before(output, " records/sec")
    }

    /// The last of the columns, which leaves the forming of the group out. Log lines may follow.
    fn consumed(&self, output: &str) -> Option<f64> {
        let columns = output.lines().rev().map(|line| line.split(',').map(str::trim).collect::<Vec<_>>());
        let mut tables = columns.filter(|columns| columns.len() == CONSUMER_COLUMNS);
        tables.find_map(|columns| columns.last()?.parse().ok())
    }
}

fn program(class: &str, task: &Task) -> Result<Command, Problem> {
    let mut command = Kafka::fetch()?.java_as_its_scripts_start_it(&std::env::temp_dir(), class);
    command.args(["--bootstrap-server", &task.address, "--topic", &task.topic]);
    command.args(["--num-records", &task.records.to_string()]);
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_of_the_consumer_is_found() {
        let line = "2026-11-23 04:13:19:905, 2026-11-23 04:13:25:883, 286.1, 47.8, 300016, 5.0, 1392, 4586, 62.3, 65419.9\nINFO, closed\n";
        assert_eq!(Java.consumed(line), Some(65_419.9));
    }
}

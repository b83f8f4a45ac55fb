//! The performance programs of stock clients.

mod franz_go;
mod java;
mod librdkafka;
mod program;

use ottla_tests::problem::Problem;

pub(crate) use program::{Task, run, run_both};

/// A client's two programs.
pub(crate) trait Client {
    /// Its name in points.
    fn name(&self) -> &'static str;

    /// The program that produces.
    ///
    /// # Errors
    /// It can not be had here.
    fn producer(&self, task: &Task) -> Result<std::process::Command, Problem>;

    /// The program that consumes from the beginning on, as the only member of a group.
    ///
    /// # Errors
    /// It can not be had here.
    fn consumer(&self, task: &Task) -> Result<std::process::Command, Problem>;

    /// Records a second, as the producer tells it.
    fn produced(&self, output: &str) -> Option<f64>;

    /// Records a second, as the consumer tells it.
    fn consumed(&self, output: &str) -> Option<f64>;
}

/// All clients.
pub(crate) const CLIENTS: [&dyn Client; 3] = [&java::Java, &librdkafka::Librdkafka, &franz_go::FranzGo];

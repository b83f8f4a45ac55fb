//! The brokers that are compared.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::echo::Echo;
use crate::broker::{Broker, BrokerProgram, Options};
use crate::kafka::Kafka;
use crate::ottla::Ottla;
use crate::problem::{Doing, Problem};

/// A broker under measurement.
#[derive(Clone)]
pub struct Subject {
    /// A short name, for tables and raw figures.
    pub name: &'static str,
    /// What is measured, for the raw figures.
    pub description: Value,
    program: Arc<dyn BrokerProgram>,
}

impl Subject {
    /// The release binary.
    ///
    /// # Errors
    /// It can not be built.
    pub fn ottla() -> Result<Self, Problem> {
        Self::of(Ottla::find()?)
    }

    /// This binary of Ottla.
    ///
    /// # Errors
    /// It can not be looked at.
    pub fn of(ottla: Ottla) -> Result<Self, Problem> {
        let bytes = std::fs::metadata(ottla.binary()).doing("look at the binary")?.len();
        let description = json!({"name": ottla.name(), "binary_bytes": bytes});
        Ok(Self { name: "ottla", description, program: Arc::new(ottla) })
    }

    /// Apache Kafka, set up as its own scripts do.
    ///
    /// # Errors
    /// Maven can not fetch it.
    pub fn kafka() -> Result<Self, Problem> {
        let kafka = Kafka::fetch()?.as_its_scripts_start_it();
        let description = json!({"name": kafka.name(), "java_options": kafka.server_options()});
        Ok(Self { name: "kafka", description, program: Arc::new(kafka) })
    }

    /// The floor: a server that answers every request with this frame, and does no work.
    #[must_use]
    pub fn echo(response: Vec<u8>) -> Self {
        let echo = Echo::new(response);
        let description = json!({"name": echo.name()});
        Self { name: "echo", description, program: Arc::new(echo) }
    }

    /// Starts it with an empty data directory.
    ///
    /// # Errors
    /// It does not start; the problem quotes its log.
    pub fn start(&self, log: &Path, options: Options) -> Result<Broker, Problem> {
        Broker::start_with(Arc::clone(&self.program), log, options)
    }
}

/// The subjects of these names, in their order.
///
/// # Errors
/// A name is unknown, or the broker can not be had.
pub fn subjects(names: &[String]) -> Result<Vec<Subject>, Problem> {
    let subject = |name: &String| match name.as_str() {
        "ottla" => Subject::ottla(),
        "kafka" => Subject::kafka(),
        other => Err(Problem::new(format!("there is no broker {other:?}, only ottla and kafka"))),
    };
    names.iter().map(subject).collect()
}

//! Who is measured.

mod kfake;
mod tansu;

use std::path::Path;
use std::sync::Arc;

use ottla_tests::broker::{Broker, BrokerProgram, Options};
use ottla_tests::kafka::Kafka;
use ottla_tests::ottla::Ottla;
use ottla_tests::problem::{Doing, Problem};
use serde_json::{Value, json};

use self::kfake::Kfake;
use self::tansu::Tansu;

/// A contender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// The release binary.
    Ottla,
    /// Apache Kafka that had load for some ten seconds.
    KafkaWarm,
    /// Apache Kafka just started.
    KafkaCold,
    /// The server in memory of franz-go's tests.
    Kfake,
    /// Tansu, in memory.
    Tansu,
    /// The least that a server can do for the same bytes.
    Floor,
}

impl Kind {
    /// All, in the order of tables.
    pub const ALL: [Self; 6] =
        [Self::Ottla, Self::KafkaWarm, Self::KafkaCold, Self::Kfake, Self::Tansu, Self::Floor];

    /// Its name in tables and raw results.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ottla => "ottla",
            Self::KafkaWarm => "kafka, warm",
            Self::KafkaCold => "kafka, cold",
            Self::Kfake => "kfake",
            Self::Tansu => "tansu",
            Self::Floor => "floor",
        }
    }

    /// Its name on the command line; both states of Apache Kafka have one.
    #[must_use]
    pub fn program(self) -> &'static str {
        match self {
            Self::KafkaWarm | Self::KafkaCold => "kafka",
            other => other.name(),
        }
    }

    /// Whether it gets load before it is measured.
    #[must_use]
    pub fn is_warmed(self) -> bool {
        self == Self::KafkaWarm
    }

    /// Whether every point gets a process of its own.
    #[must_use]
    pub fn is_started_anew(self) -> bool {
        matches!(self, Self::KafkaCold | Self::Floor)
    }
}

/// A contender that can be started.
#[derive(Clone)]
pub struct Contender {
    /// Which one.
    pub kind: Kind,
    /// What is measured, for the raw results.
    pub description: Value,
    program: Option<Arc<dyn BrokerProgram>>,
}

impl Contender {
    /// Fetches or builds it.
    ///
    /// # Errors
    /// It can not be had here.
    pub fn find(kind: Kind) -> Result<Self, Problem> {
        let (description, program): (Value, Option<Arc<dyn BrokerProgram>>) = match kind {
            Kind::Ottla => {
                let ottla = Ottla::find()?;
                let bytes = std::fs::metadata(ottla.binary()).doing("look at the binary")?.len();
                let description = json!({"version": ottla.version()?, "binary_bytes": bytes});
                (description, Some(Arc::new(ottla)))
            }
            Kind::KafkaWarm | Kind::KafkaCold => {
                let kafka = Kafka::fetch()?.as_its_scripts_start_it();
                let description = json!({"version": kafka.name(), "java_options": kafka.server_options()});
                (description, Some(Arc::new(kafka)))
            }
            Kind::Kfake => {
                let kfake = Kfake::build()?;
                (json!({"version": kfake.name()}), Some(Arc::new(kfake)))
            }
            Kind::Tansu => {
                let tansu = Tansu::build()?;
                (json!({"version": tansu.name()}), Some(Arc::new(tansu)))
            }
            Kind::Floor => (json!({"version": "this program"}), None),
        };
        Ok(Self { kind, description, program })
    }

    /// Starts it with an empty data directory. The floor is what the measure says that it is.
    ///
    /// # Errors
    /// It does not start; the problem quotes its log.
    pub fn start(
        &self,
        floor: Option<Arc<dyn BrokerProgram>>,
        log: &Path,
        options: Options,
    ) -> Result<Broker, Problem> {
        let program = self.program.clone().or(floor);
        let program = program.ok_or_else(|| Problem::new("this measure has no floor"))?;
        Broker::start_with(program, log, options)
    }
}

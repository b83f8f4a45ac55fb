//! `ottla health`.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use kafka_protocol::messages::MetadataRequest;
use ottla_broker::Sources;
use serde::Serialize;

use crate::ask;
use crate::client::{Connection, Problem};

/// How long connecting, and each of two answers, may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Tells whether a broker answers: exit code 0 when it does, 1 with the reason when not.
///
/// It connects, asks which APIs are served (ApiVersions) and who the brokers are (Metadata). Without --bootstrap it asks where
/// `ottla serve` listens with the same settings: those of --config, of the environment (KAFKA_LISTENERS) and of -c.
#[derive(Debug, Args)]
pub(crate) struct Health {
    /// The broker to ask [default: the first of `listeners`]
    #[arg(short, long, value_name = "HOST:PORT")]
    bootstrap: Option<String>,

    /// The settings file of the broker, if it has one
    #[arg(long, value_name = "FILE", conflicts_with = "bootstrap")]
    config: Option<PathBuf>,

    /// A setting that the broker is given
    #[arg(short = 'c', value_name = "KEY=VALUE", conflicts_with = "bootstrap")]
    pairs: Vec<String>,

    /// Print a JSON document
    #[arg(long)]
    json: bool,
}

/// What is told.
#[derive(Debug, Serialize)]
struct Told {
    healthy: bool,
    address: String,
    cluster_id: Option<String>,
    brokers: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Health {
    /// Asks, and tells.
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        let json = self.json;
        let address = self.address()?;
        let told = match check(&address) {
            Ok((cluster_id, brokers)) => Told { healthy: true, address, cluster_id, brokers, reason: None },
            Err(problem) => {
                let reason = Some(problem.to_string());
                Told { healthy: false, address, cluster_id: None, brokers: 0, reason }
            }
        };
        if json {
            ask::print_json(&told)?;
        } else if told.healthy {
            ask::print(&format!("{} is healthy\n", told.address))?;
        }
        told.reason.map_or(Ok(()), |reason| Err(reason.into()))
    }

    fn address(self) -> Result<String, Box<dyn Error>> {
        if let Some(address) = self.bootstrap {
            return Ok(address);
        }
        let sources = Sources { pairs: self.pairs, file: self.config, environment: ask::environment() };
        let listeners = sources.load()?.settings.listeners;
        let first = listeners.first().ok_or("the setting listeners is empty; write --bootstrap HOST:PORT")?;
        Ok(reachable(first))
    }
}

fn check(address: &str) -> Result<(Option<String>, usize), Problem> {
    let mut connection = Connection::open_within(address, TIMEOUT)?;
    let answer = connection.send(&MetadataRequest::default().with_topics(Some(Vec::new())))?;
    if answer.brokers.is_empty() {
        return Err(Problem::Other(format!("{address} answers, but knows of no broker")));
    }
    Ok((answer.cluster_id.map(|id| id.to_string()), answer.brokers.len()))
}

/// Where a client on the same machine reaches a listener, such as `PLAINTEXT://0.0.0.0:9092`.
fn reachable(listener: &str) -> String {
    let address = listener.split_once("://").map_or(listener, |(_, address)| address);
    let Some((host, port)) = address.rsplit_once(':') else { return address.to_owned() };
    match host {
        "" | "0.0.0.0" => format!("127.0.0.1:{port}"),
        "[::]" => format!("[::1]:{port}"),
        host => format!("{host}:{port}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_is_reached_on_the_same_machine() {
        for (listener, address) in [
            ("PLAINTEXT://0.0.0.0:9092", "127.0.0.1:9092"),
            ("PLAINTEXT://:9092", "127.0.0.1:9092"),
            ("PLAINTEXT://[::]:9092", "[::1]:9092"),
            ("127.0.0.1:19092", "127.0.0.1:19092"),
            ("INSIDE://kafka:9092", "kafka:9092"),
        ] {
            assert_eq!(reachable(listener), address);
        }
    }
}

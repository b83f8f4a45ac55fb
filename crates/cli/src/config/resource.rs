//! What has settings.

use clap::ValueEnum;

use crate::client::{Cluster, Connection, Problem};

/// A kind of thing that has settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// A topic
    Topic,
    /// A broker by its id, or `default`: what all brokers go by that do not say otherwise
    Broker,
    /// A group
    Group,
}

/// Something that has settings (`ConfigResource`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resource {
    kind: Kind,
    /// Empty for the default of all brokers.
    name: String,
}

impl Resource {
    /// A topic.
    pub(crate) fn topic(name: &str) -> Self {
        Self { kind: Kind::Topic, name: name.to_owned() }
    }

    /// What a person names.
    pub(super) fn named(kind: Kind, name: &str) -> Result<Self, Problem> {
        let name = match (kind, name) {
            (Kind::Broker, "default") => "",
            (Kind::Broker, id) if id.parse::<u32>().is_err() => {
                return Err(Problem::Other(format!("a broker is named by its id, or 'default', not '{id}'")));
            }
            (_, name) => name,
        };
        Ok(Self { kind, name: name.to_owned() })
    }

    /// `ConfigResource.Type`.
    pub(super) fn code(&self) -> i8 {
        match self.kind {
            Kind::Topic => 2,
            Kind::Broker => 4,
            Kind::Group => 32,
        }
    }

    /// Its name on the wire.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Its name for people.
    pub(super) fn words(&self) -> String {
        match (self.kind, &*self.name) {
            (Kind::Topic, name) => format!("topic '{name}'"),
            (Kind::Broker, "") => "the brokers' default".to_owned(),
            (Kind::Broker, id) => format!("broker {id}"),
            (Kind::Group, name) => format!("group '{name}'"),
        }
    }

    /// A connection to a broker that knows its settings: a broker's own, only that broker.
    pub(super) fn connection<'a>(&self, cluster: &'a mut Cluster) -> Result<&'a mut Connection, Problem> {
        match (self.kind, self.name.parse()) {
            (Kind::Broker, Ok(id)) => {
                cluster.metadata(Some(&[]), false)?;
                if !cluster.node_ids().contains(&id) {
                    let ids: Vec<String> = cluster.node_ids().iter().map(i32::to_string).collect();
                    let ids = ids.join(", ");
                    return Err(Problem::Other(format!("there is no broker {id}; there are: {ids}")));
                }
                cluster.node(id)
            }
            _ => cluster.any(),
        }
    }
}

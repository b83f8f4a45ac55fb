//! The brokers of a cluster, and connections to those that are needed.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{FindCoordinatorRequest, MetadataRequest, MetadataResponse};

use super::connection::Connection;
use super::problem::Problem;
use super::{text, topic_name};
use crate::ask::Bootstrap;

/// A cluster as the last metadata told of it.
#[derive(Debug)]
pub(crate) struct Cluster {
    bootstrap: Vec<String>,
    /// Addresses by node id.
    nodes: BTreeMap<i32, String>,
    controller: i32,
    connections: HashMap<String, Connection>,
}

/// Who leads a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Leader {
    /// The broker's id.
    pub(crate) node: i32,
    /// The leader's epoch, or -1.
    pub(crate) epoch: i32,
}

impl Cluster {
    /// Connects to the first of the bootstrap brokers that answers.
    pub(crate) fn connect(bootstrap: &Bootstrap) -> Result<Self, Problem> {
        let mut cluster = Self {
            bootstrap: bootstrap.addresses(),
            nodes: BTreeMap::new(),
            controller: -1,
            connections: HashMap::new(),
        };
        cluster.any()?;
        Ok(cluster)
    }

    /// A connection to whichever broker answers.
    pub(crate) fn any(&mut self) -> Result<&mut Connection, Problem> {
        let mut addresses = self.bootstrap.clone();
        addresses.extend(self.nodes.values().cloned());
        let open = addresses.iter().find(|address| self.connections.contains_key(*address)).cloned();
        let mut last = Problem::Other("no broker is named; write --bootstrap HOST:PORT".to_owned());
        for address in open.into_iter().chain(addresses) {
            match self.open(&address) {
                Ok(()) => return self.connection(&address),
                Err(problem) => last = problem,
            }
        }
        Err(last)
    }

    fn open(&mut self, address: &str) -> Result<(), Problem> {
        if !self.connections.contains_key(address) {
            let connection = Connection::open(address)?;
            self.connections.insert(address.to_owned(), connection);
        }
        Ok(())
    }

    fn connection(&mut self, address: &str) -> Result<&mut Connection, Problem> {
        let missing = || Problem::Away(format!("there is no connection to {address}"));
        self.connections.get_mut(address).ok_or_else(missing)
    }

    /// Asks for metadata of these topics, or of all, and learns the brokers from it.
    pub(crate) fn metadata(
        &mut self,
        topics: Option<&[String]>,
        create: bool,
    ) -> Result<MetadataResponse, Problem> {
        let of = |name: &String| MetadataRequestTopic::default().with_name(Some(topic_name(name)));
        let request = MetadataRequest::default()
            .with_topics(topics.map(|names| names.iter().map(of).collect()))
            .with_allow_auto_topic_creation(create);
        let mut answer = self.any()?.send(&request);
        if matches!(answer, Err(Problem::Away(_))) {
            // It may have closed an idle connection, or be gone: any other will do.
            self.connections.clear();
            answer = self.any()?.send(&request);
        }
        let answer = answer?;
        let address = |host: &str, port| match host.contains(':') {
            true => format!("[{host}]:{port}"),
            false => format!("{host}:{port}"),
        };
        self.nodes =
            answer.brokers.iter().map(|node| (node.node_id.0, address(&node.host, node.port))).collect();
        self.controller = answer.controller_id.0;
        Ok(answer)
    }

    /// A connection to a broker.
    pub(crate) fn node(&mut self, id: i32) -> Result<&mut Connection, Problem> {
        let missing = || Problem::Away(format!("broker {id} is not in the cluster now"));
        let address = self.nodes.get(&id).cloned().ok_or_else(missing)?;
        self.open(&address).map_err(|problem| match problem {
            Problem::Away(text) => Problem::Away(format!(
                "broker {id} says that it is at {address} (advertised.listeners): {text}"
            )),
            problem => problem,
        })?;
        self.connection(&address)
    }

    /// A connection of one's own to a broker, whose answers may take so long.
    pub(crate) fn open_another(&self, id: i32, timeout: Duration) -> Result<Connection, Problem> {
        let missing = || Problem::Away(format!("broker {id} is not in the cluster now"));
        let connection = Connection::open(self.nodes.get(&id).ok_or_else(missing)?)?;
        connection.set_timeout(timeout)?;
        Ok(connection)
    }

    /// Forgets the connection to a broker, so that the next use makes a new one.
    pub(crate) fn forget(&mut self, id: i32) {
        if let Some(address) = self.nodes.get(&id) {
            self.connections.remove(address);
        }
    }

    /// A connection to the broker that changes what the cluster is made of.
    pub(crate) fn controller(&mut self) -> Result<&mut Connection, Problem> {
        if !self.nodes.contains_key(&self.controller) {
            self.metadata(Some(&[]), false)?;
        }
        match self.controller {
            // With KRaft any broker passes it on.
            -1 => self.any(),
            id => self.node(id),
        }
    }

    /// The brokers' ids.
    pub(crate) fn node_ids(&self) -> Vec<i32> {
        self.nodes.keys().copied().collect()
    }

    /// The broker that coordinates a group.
    pub(crate) fn coordinator(&mut self, group: &str) -> Result<i32, Problem> {
        self.metadata(Some(&[]), false)?;
        let answer = self.any()?.send(&FindCoordinatorRequest::default().with_key(text(group)))?;
        if answer.error_code != 0 {
            let asked = format!("the coordinator of group '{group}' cannot be found");
            return Err(Problem::refused(&asked, answer.error_code, answer.error_message.as_deref()));
        }
        Ok(answer.node_id.0)
    }
}

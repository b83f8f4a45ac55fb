//! The hint about the current leader in Produce and Fetch responses (KIP-951).

use kafka_protocol::protocol::StrBytes;

use crate::writer::Writer;

/// The leader that a client should ask instead; -1 and -1 (the default) when there is nothing to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CurrentLeader {
    /// Node id of the leader, or -1.
    pub leader_id: i32,
    /// Its leader epoch, or -1.
    pub leader_epoch: i32,
}

impl Default for CurrentLeader {
    fn default() -> Self {
        Self { leader_id: -1, leader_epoch: -1 }
    }
}

impl CurrentLeader {
    pub(super) fn is_known(self) -> bool {
        self != Self::default()
    }

    pub(super) fn write(self, tag: u32, writer: &mut Writer<'_>) {
        writer.tagged_field(tag, |writer| {
            writer.int32(self.leader_id);
            writer.int32(self.leader_epoch);
            writer.no_tagged_fields();
        });
    }
}

/// Address of a node that a [`CurrentLeader`] names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeEndpoint {
    /// Node id.
    pub node_id: i32,
    /// Host name or address.
    pub host: StrBytes,
    /// Port.
    pub port: i32,
    /// Rack, if the node has one.
    pub rack: Option<StrBytes>,
}

impl NodeEndpoint {
    /// Writes `endpoints` as the tagged field 0 that both responses end with, or no tagged field at all.
    pub(super) fn write_all(endpoints: &[Self], writer: &mut Writer<'_>) {
        if endpoints.is_empty() {
            return writer.no_tagged_fields();
        }
        writer.tagged_field_count(1);
        writer.tagged_field(0, |writer| {
            writer.elements(endpoints, |writer, endpoint| {
                writer.int32(endpoint.node_id);
                writer.string(&endpoint.host);
                writer.int32(endpoint.port);
                writer.nullable_string(endpoint.rack.as_deref());
                writer.no_tagged_fields();
            });
        });
    }
}

//! Records of the catalog's log, in the schemas of Apache Kafka's metadata log.
//!
//! Each value is framed as `MetadataRecordSerde` does: frame version, type and version as varints, then the message.
//! Records have no key: the log is not compacted.

use bytes::Bytes;
use ottla_model::{PartitionIndex, ProducerId, TopicId, TopicName};

use super::config::ConfigResource;
use super::feature::Feature;
use super::quota::{EntityKind, QuotaEntity, QuotaKey};
use crate::codec::{DecodeError, EncodeError, Reader, Writer};

/// Version of the frame around each message (`MetadataRecordSerde`).
const FRAME_VERSION: u32 = 1;

/// Room for the records that come most, those of topics and partitions.
const RECORD_BYTES: usize = 64;

/// `ConfigResource.Type.TOPIC`.
const RESOURCE_TOPIC: i8 = 2;
/// `ConfigResource.Type.BROKER`.
const RESOURCE_BROKER: i8 = 4;
/// `ConfigResource.Type.CLIENT_METRICS`.
const RESOURCE_CLIENT_METRICS: i8 = 16;
/// `ConfigResource.Type.GROUP`.
const RESOURCE_GROUP: i8 = 32;

const TOPIC: u32 = 2;
const PARTITION: u32 = 3;
const CONFIG: u32 = 4;
const REMOVE_TOPIC: u32 = 9;
const FEATURE_LEVEL: u32 = 12;
const CLIENT_QUOTA: u32 = 14;
const PRODUCER_IDS: u32 = 15;

/// A record that the catalog writes and understands.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum CatalogRecord {
    /// `TopicRecord`: a topic begins.
    Topic { name: TopicName, id: TopicId },
    /// `PartitionRecord`: a partition of it.
    Partition { topic: TopicId, partition: PartitionIndex },
    /// `ConfigRecord`; no value takes the setting away.
    Config { resource: ConfigResource, name: String, value: Option<String> },
    /// `RemoveTopicRecord`: a topic ends.
    RemoveTopic { topic: TopicId },
    /// `ProducerIdsRecord`: ids below this are taken.
    ProducerIds { next: ProducerId },
    /// `FeatureLevelRecord`: the level of a feature.
    FeatureLevel { feature: Feature, level: i16 },
    /// `ClientQuotaRecord`: a quota of an entity; no value takes it away.
    ClientQuota { entity: QuotaEntity, key: QuotaKey, value: Option<f64> },
}

/// The value of a record, as written by node `node_id`.
pub(super) fn encode(record: &CatalogRecord, node_id: i32) -> Result<Bytes, EncodeError> {
    let mut writer = Writer::with_capacity(RECORD_BYTES);
    writer.unsigned_varint(FRAME_VERSION);
    match record {
        CatalogRecord::Topic { name, id } => {
            begin(&mut writer, TOPIC);
            writer.compact_string(name.as_str());
            writer.uuid(*id);
        }
        CatalogRecord::Partition { topic, partition } => {
            begin(&mut writer, PARTITION);
            writer.i32(*partition);
            writer.uuid(*topic);
            // Replicas and in-sync replicas are this node; none is being added or removed.
            for nodes in [&[node_id][..], &[node_id], &[], &[]] {
                writer.compact_count(nodes.len());
                nodes.iter().for_each(|node| writer.i32(*node));
            }
            writer.i32(node_id);
            // Leader epoch and partition epoch at creation. The epoch in force belongs to the whole data directory.
            writer.i32(0);
            writer.i32(0);
        }
        CatalogRecord::Config { resource, name, value } => {
            begin(&mut writer, CONFIG);
            writer.i8(resource_type(resource));
            writer.compact_string(resource.name());
            writer.compact_string(name);
            writer.compact_nullable_string(value.as_deref());
        }
        CatalogRecord::RemoveTopic { topic } => {
            begin(&mut writer, REMOVE_TOPIC);
            writer.uuid(*topic);
        }
        CatalogRecord::ProducerIds { next } => {
            begin(&mut writer, PRODUCER_IDS);
            writer.i32(node_id);
            writer.i64(-1);
            writer.i64(*next);
        }
        CatalogRecord::FeatureLevel { feature, level } => {
            begin(&mut writer, FEATURE_LEVEL);
            writer.compact_string(feature.name());
            writer.i16(*level);
        }
        CatalogRecord::ClientQuota { entity, key, value } => {
            begin(&mut writer, CLIENT_QUOTA);
            writer.compact_count(entity.len());
            for (kind, name) in entity {
                writer.compact_string(kind.name());
                writer.compact_nullable_string(name.as_deref());
                writer.no_tagged_fields();
            }
            writer.compact_string(key.name());
            writer.i64(value.unwrap_or(0.0).to_bits().cast_signed());
            writer.bool(value.is_none());
        }
    }
    writer.no_tagged_fields();
    writer.finish()
}

fn resource_type(resource: &ConfigResource) -> i8 {
    match resource {
        ConfigResource::Topic(_) => RESOURCE_TOPIC,
        ConfigResource::Broker(_) => RESOURCE_BROKER,
        ConfigResource::ClientMetrics(_) => RESOURCE_CLIENT_METRICS,
        ConfigResource::Group(_) => RESOURCE_GROUP,
    }
}

fn begin(writer: &mut Writer, kind: u32) {
    writer.unsigned_varint(kind);
    // Every kind is written at its version 0.
    writer.unsigned_varint(0);
}

/// Reads the value of a record; `None` for a kind that the catalog has no use for.
pub(super) fn decode(value: &[u8]) -> Result<Option<CatalogRecord>, DecodeError> {
    let mut reader = Reader::new(value);
    if reader.unsigned_varint()? != FRAME_VERSION {
        return Err(DecodeError::Illegal("another frame version"));
    }
    let kind = reader.unsigned_varint()?;
    let _version = reader.unsigned_varint()?;
    Ok(Some(match kind {
        TOPIC => CatalogRecord::Topic { name: topic_name(&mut reader)?, id: reader.uuid()? },
        PARTITION => {
            let partition = reader.i32()?;
            if partition < 0 {
                return Err(DecodeError::Illegal("a negative partition"));
            }
            CatalogRecord::Partition { topic: reader.uuid()?, partition }
        }
        CONFIG => {
            let resource = match reader.i8()? {
                RESOURCE_TOPIC => ConfigResource::Topic(topic_name(&mut reader)?),
                RESOURCE_BROKER => ConfigResource::Broker(reader.compact_string()?.to_owned()),
                RESOURCE_CLIENT_METRICS => ConfigResource::ClientMetrics(reader.compact_string()?.to_owned()),
                RESOURCE_GROUP => ConfigResource::Group(reader.compact_string()?.to_owned()),
                _ => return Ok(None),
            };
            CatalogRecord::Config {
                resource,
                name: reader.compact_string()?.to_owned(),
                value: reader.compact_nullable_string()?.map(str::to_owned),
            }
        }
        REMOVE_TOPIC => CatalogRecord::RemoveTopic { topic: reader.uuid()? },
        PRODUCER_IDS => {
            let (_node_id, _epoch) = (reader.i32()?, reader.i64()?);
            CatalogRecord::ProducerIds { next: reader.i64()? }
        }
        FEATURE_LEVEL => match Feature::by_name(reader.compact_string()?) {
            Some(feature) => CatalogRecord::FeatureLevel { feature, level: reader.i16()? },
            None => return Ok(None),
        },
        CLIENT_QUOTA => return client_quota(&mut reader),
        _ => return Ok(None),
    }))
}

/// Quotas of kinds and names that a later release has written are passed over.
fn client_quota(reader: &mut Reader<'_>) -> Result<Option<CatalogRecord>, DecodeError> {
    let mut entity = QuotaEntity::new();
    for _ in 0..reader.compact_count(3)? {
        let kind = EntityKind::by_name(reader.compact_string()?);
        let name = reader.compact_nullable_string()?.map(str::to_owned);
        reader.skip_tagged_fields()?;
        let Some(kind) = kind else { return Ok(None) };
        entity.insert(kind, name);
    }
    let Some(key) = QuotaKey::by_name(reader.compact_string()?) else { return Ok(None) };
    let value = f64::from_bits(reader.i64()?.cast_unsigned());
    let is_removed = reader.bool()?;
    Ok(Some(CatalogRecord::ClientQuota { entity, key, value: (!is_removed).then_some(value) }))
}

fn topic_name(reader: &mut Reader<'_>) -> Result<TopicName, DecodeError> {
    TopicName::new(reader.compact_string()?).map_err(|_| DecodeError::Illegal("an illegal topic name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
    }

    #[test]
    fn bytes_are_those_of_kafkas_own_classes() {
        let id = TopicId(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef_u128.to_be_bytes());
        let orders = TopicName::new("orders").expect("legal");
        let policy = |value: Option<&str>| CatalogRecord::Config {
            resource: ConfigResource::Topic(orders.clone()),
            name: "cleanup.policy".to_owned(),
            value: value.map(str::to_owned),
        };
        for (record, bytes) in [
            (
                CatalogRecord::Topic { name: orders.clone(), id },
                "010200076f72646572730123456789abcdef0123456789abcdef00",
            ),
            (
                CatalogRecord::Partition { topic: id, partition: 3 },
                "010300000000030123456789abcdef0123456789abcdef02000000010200000001010100000001000000000000000000",
            ),
            (
                policy(Some("compact")),
                "01040002076f72646572730f636c65616e75702e706f6c69637908636f6d7061637400",
            ),
            (policy(None), "01040002076f72646572730f636c65616e75702e706f6c6963790000"),
            (
                CatalogRecord::Config {
                    resource: ConfigResource::Group("g".to_owned()),
                    name: "a".to_owned(),
                    value: Some("1".to_owned()),
                },
                "0104002002670261023100",
            ),
            (CatalogRecord::RemoveTopic { topic: id }, "0109000123456789abcdef0123456789abcdef00"),
            (
                CatalogRecord::FeatureLevel { feature: Feature::TransactionVersion, level: 1 },
                "010c00147472616e73616374696f6e2e76657273696f6e000100",
            ),
            (
                CatalogRecord::ClientQuota {
                    entity: QuotaEntity::from([
                        (EntityKind::User, Some("ann".to_owned())),
                        (EntityKind::ClientId, None),
                    ]),
                    key: QuotaKey::ProducerByteRate,
                    value: Some(1024.5),
                },
                "010e00030a636c69656e742d69640000057573657204616e6e001370726f64756365725f627974655f7261746540900200\
                 000000000000",
            ),
            (
                CatalogRecord::ClientQuota {
                    entity: QuotaEntity::from([(EntityKind::Ip, Some("10.0.0.1".to_owned()))]),
                    key: QuotaKey::ConnectionCreationRate,
                    value: None,
                },
                "010e00020369700931302e302e302e310019636f6e6e656374696f6e5f6372656174696f6e5f7261746500000000000000\
                 000100",
            ),
            (CatalogRecord::ProducerIds { next: 2000 }, "010f0000000001ffffffffffffffff00000000000007d000"),
        ] {
            let bytes = hex(bytes);
            assert_eq!(encode(&record, 1).expect("fits"), bytes, "{record:?}");
            assert_eq!(decode(&bytes), Ok(Some(record)));
        }
    }

    #[test]
    fn unknown_kinds_are_passed_over_and_nonsense_is_refused() {
        // The level of a feature that is not known here, and a quota of an unknown name.
        assert_eq!(decode(&[1, 12, 0, 2, b'x', 0, 1, 0]), Ok(None));
        assert_eq!(decode(&[1, 14, 0, 1, 2, b'q', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), Ok(None));
        assert!(decode(&[2, 2, 0]).is_err());
        assert!(decode(&[1, 2, 0, 3, b'.', b'.']).is_err());
        assert!(decode(&[]).is_err());
    }
}

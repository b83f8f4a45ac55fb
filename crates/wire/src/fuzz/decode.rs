//! Decodes a body of any API with the type that `kafka-protocol` has for it.

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::*; // One type for nearly every API.
use kafka_protocol::protocol::{Decodable, Encodable, Message, Request};

use crate::{
    Malformed, Reason, decode, fetch, list_offsets, offset_commit, offset_fetch, private, produce,
    write_txn_markers,
};

/// Calls `$function` with the request type of an API key; `None` for APIs that `kafka-protocol` lacks.
macro_rules! with_request_type {
    ($key:expr, $function:ident($($argument:expr),*)) => {
        match $key {
            0 => $function::<ProduceRequest>($($argument),*),
            1 => $function::<FetchRequest>($($argument),*),
            2 => $function::<ListOffsetsRequest>($($argument),*),
            3 => $function::<MetadataRequest>($($argument),*),
            8 => $function::<OffsetCommitRequest>($($argument),*),
            9 => $function::<OffsetFetchRequest>($($argument),*),
            10 => $function::<FindCoordinatorRequest>($($argument),*),
            11 => $function::<JoinGroupRequest>($($argument),*),
            12 => $function::<HeartbeatRequest>($($argument),*),
            13 => $function::<LeaveGroupRequest>($($argument),*),
            14 => $function::<SyncGroupRequest>($($argument),*),
            15 => $function::<DescribeGroupsRequest>($($argument),*),
            16 => $function::<ListGroupsRequest>($($argument),*),
            17 => $function::<SaslHandshakeRequest>($($argument),*),
            18 => $function::<ApiVersionsRequest>($($argument),*),
            19 => $function::<CreateTopicsRequest>($($argument),*),
            20 => $function::<DeleteTopicsRequest>($($argument),*),
            21 => $function::<DeleteRecordsRequest>($($argument),*),
            22 => $function::<InitProducerIdRequest>($($argument),*),
            23 => $function::<OffsetForLeaderEpochRequest>($($argument),*),
            24 => $function::<AddPartitionsToTxnRequest>($($argument),*),
            25 => $function::<AddOffsetsToTxnRequest>($($argument),*),
            26 => $function::<EndTxnRequest>($($argument),*),
            27 => $function::<WriteTxnMarkersRequest>($($argument),*),
            28 => $function::<TxnOffsetCommitRequest>($($argument),*),
            29 => $function::<DescribeAclsRequest>($($argument),*),
            30 => $function::<CreateAclsRequest>($($argument),*),
            31 => $function::<DeleteAclsRequest>($($argument),*),
            32 => $function::<DescribeConfigsRequest>($($argument),*),
            33 => $function::<AlterConfigsRequest>($($argument),*),
            34 => $function::<AlterReplicaLogDirsRequest>($($argument),*),
            35 => $function::<DescribeLogDirsRequest>($($argument),*),
            36 => $function::<SaslAuthenticateRequest>($($argument),*),
            37 => $function::<CreatePartitionsRequest>($($argument),*),
            38 => $function::<CreateDelegationTokenRequest>($($argument),*),
            39 => $function::<RenewDelegationTokenRequest>($($argument),*),
            40 => $function::<ExpireDelegationTokenRequest>($($argument),*),
            41 => $function::<DescribeDelegationTokenRequest>($($argument),*),
            42 => $function::<DeleteGroupsRequest>($($argument),*),
            43 => $function::<ElectLeadersRequest>($($argument),*),
            44 => $function::<IncrementalAlterConfigsRequest>($($argument),*),
            45 => $function::<AlterPartitionReassignmentsRequest>($($argument),*),
            46 => $function::<ListPartitionReassignmentsRequest>($($argument),*),
            47 => $function::<OffsetDeleteRequest>($($argument),*),
            48 => $function::<DescribeClientQuotasRequest>($($argument),*),
            49 => $function::<AlterClientQuotasRequest>($($argument),*),
            50 => $function::<DescribeUserScramCredentialsRequest>($($argument),*),
            51 => $function::<AlterUserScramCredentialsRequest>($($argument),*),
            55 => $function::<DescribeQuorumRequest>($($argument),*),
            57 => $function::<UpdateFeaturesRequest>($($argument),*),
            60 => $function::<DescribeClusterRequest>($($argument),*),
            61 => $function::<DescribeProducersRequest>($($argument),*),
            64 => $function::<UnregisterBrokerRequest>($($argument),*),
            65 => $function::<DescribeTransactionsRequest>($($argument),*),
            66 => $function::<ListTransactionsRequest>($($argument),*),
            68 => $function::<ConsumerGroupHeartbeatRequest>($($argument),*),
            69 => $function::<ConsumerGroupDescribeRequest>($($argument),*),
            71 => $function::<GetTelemetrySubscriptionsRequest>($($argument),*),
            72 => $function::<PushTelemetryRequest>($($argument),*),
            74 => $function::<ListConfigResourcesRequest>($($argument),*),
            75 => $function::<DescribeTopicPartitionsRequest>($($argument),*),
            76 => $function::<ShareGroupHeartbeatRequest>($($argument),*),
            77 => $function::<ShareGroupDescribeRequest>($($argument),*),
            78 => $function::<ShareFetchRequest>($($argument),*),
            79 => $function::<ShareAcknowledgeRequest>($($argument),*),
            80 => $function::<AddRaftVoterRequest>($($argument),*),
            81 => $function::<RemoveRaftVoterRequest>($($argument),*),
            83 => $function::<InitializeShareGroupStateRequest>($($argument),*),
            84 => $function::<ReadShareGroupStateRequest>($($argument),*),
            85 => $function::<WriteShareGroupStateRequest>($($argument),*),
            86 => $function::<DeleteShareGroupStateRequest>($($argument),*),
            87 => $function::<ReadShareGroupStateSummaryRequest>($($argument),*),
            90 => $function::<DescribeShareGroupOffsetsRequest>($($argument),*),
            91 => $function::<AlterShareGroupOffsetsRequest>($($argument),*),
            92 => $function::<DeleteShareGroupOffsetsRequest>($($argument),*),
            _ => None,
        }
    };
}

/// Decodes a body that has passed [`crate::check_request`] and drops the result. `None` where `kafka-protocol`
/// has no such API or version.
pub fn decode_request(api_key: i16, version: i16, body: Bytes) -> Option<Result<(), Malformed>> {
    with_request_type!(api_key, decode_only(version, body))
}

/// Decodes a body of a request and encodes the result again. `None` where `kafka-protocol` has no such API,
/// version or encoding.
#[must_use]
pub fn round_trip_request(api_key: i16, version: i16, body: Bytes) -> Option<Result<Bytes, Malformed>> {
    with_request_type!(api_key, decode_and_encode(version, body))
}

/// As [`round_trip_request`], for a response.
#[must_use]
pub fn round_trip_response(api_key: i16, version: i16, body: Bytes) -> Option<Result<Bytes, Malformed>> {
    with_request_type!(api_key, decode_and_encode_response(version, body))
}

/// Decodes with the modules of this crate; `None` for the APIs that have none.
pub(super) fn decode_own(api_key: i16, version: i16, body: &Bytes) -> Option<Result<(), Malformed>> {
    Some(match api_key {
        produce::KEY => produce::decode_request(version, body).map(drop),
        fetch::KEY => fetch::decode_request(version, body).map(drop),
        list_offsets::KEY => list_offsets::decode_request(version, body).map(drop),
        offset_commit::KEY => offset_commit::decode_request(version, body).map(drop),
        offset_fetch::KEY => offset_fetch::decode_request(version, body).map(drop),
        write_txn_markers::KEY => write_txn_markers::decode_request(version, body).map(drop),
        _ => return private::decode_any(api_key, version, body),
    })
}

fn has<T: Message>(version: i16) -> bool {
    T::VERSIONS.min <= version && version <= T::VERSIONS.max
}

fn decode_only<T: Request>(version: i16, mut body: Bytes) -> Option<Result<(), Malformed>> {
    has::<T>(version).then(|| decode::<T>(version, &mut body).map(drop))
}

fn decode_and_encode<T: Request>(version: i16, body: Bytes) -> Option<Result<Bytes, Malformed>> {
    has::<T>(version).then(|| round_trip::<T>(version, body))
}

fn decode_and_encode_response<T: Request>(version: i16, body: Bytes) -> Option<Result<Bytes, Malformed>> {
    has::<T::Response>(version).then(|| round_trip::<T::Response>(version, body))
}

fn round_trip<T: Decodable + Encodable>(version: i16, mut body: Bytes) -> Result<Bytes, Malformed> {
    let message = decode::<T>(version, &mut body)?;
    let mut encoded = BytesMut::new();
    message.encode(&mut encoded, version).map_err(|_| Malformed::new(Reason::Decoder, 0))?;
    Ok(encoded.freeze())
}

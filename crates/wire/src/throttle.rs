//! Telling a client how long its connection is muted, in a response that is encoded already.

use crate::message::produce;
use crate::schema::begins_with_throttle_time;
use crate::{flexible_from, response_header_version};

/// Length and correlation id.
const FRAME_HEADER_BYTES: usize = 4 + 4;

/// Writes the throttle time into the frame of a response: where it begins the body, as in nearly all, or behind the topics
/// of a Produce response that has no tagged fields. False where there is no such place, which leaves the frame as it is.
#[must_use]
pub fn set_throttle_time(api_key: i16, version: i16, frame: &mut [u8], throttle_time_ms: i32) -> bool {
    let header = FRAME_HEADER_BYTES + usize::from(response_header_version(api_key, version) >= 1);
    let at = if begins_with_throttle_time(api_key, version) {
        header
    } else if api_key == produce::KEY {
        let is_flexible = flexible_from(api_key).is_some_and(|from| version >= from);
        if is_flexible && frame.last() != Some(&0) {
            return false;
        }
        match frame.len().checked_sub(4 + usize::from(is_flexible)) {
            Some(at) if at >= header => at,
            _ => return false,
        }
    } else {
        return false;
    };
    let Some(place) = frame.get_mut(at..).and_then(|rest| rest.first_chunk_mut()) else { return false };
    *place = throttle_time_ms.to_be_bytes();
    true
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use kafka_protocol::messages::produce_response::TopicProduceResponse;
    use kafka_protocol::messages::{
        ApiVersionsResponse, HeartbeatResponse, MetadataResponse, ProduceResponse,
    };
    use kafka_protocol::protocol::{Decodable, Encodable};

    use super::*;
    use crate::{decode, encode_response_frame};

    fn told<T: Encodable + Decodable>(api_key: i16, version: i16, response: &T) -> Option<T> {
        let mut frame = encode_response_frame(api_key, version, 7, response).expect("encodes").to_vec();
        let is_told = set_throttle_time(api_key, version, &mut frame, 1234);
        let header = FRAME_HEADER_BYTES + usize::from(response_header_version(api_key, version) >= 1);
        let mut body = Bytes::from(frame).slice(header..);
        is_told.then(|| decode(version, &mut body).expect("decodes"))
    }

    #[test]
    fn it_is_read_where_it_was_written() {
        for version in 3..=13 {
            let topic = TopicProduceResponse::default();
            let response = ProduceResponse::default().with_responses(vec![topic; 2]);
            let response = told(0, version, &response).expect("told");
            assert_eq!((response.throttle_time_ms, response.responses.len()), (1234, 2), "version {version}");
        }
        for version in 1..=4 {
            let heartbeat = told(12, version, &HeartbeatResponse::default()).expect("told");
            assert_eq!(heartbeat.throttle_time_ms, 1234);
        }
        assert_eq!(told(3, 13, &MetadataResponse::default()).expect("told").throttle_time_ms, 1234);
    }

    #[test]
    fn there_is_not_always_a_place() {
        assert_eq!(told(12, 0, &HeartbeatResponse::default()), None);
        assert_eq!(told(3, 2, &MetadataResponse::default()), None);
        assert_eq!(told(18, 3, &ApiVersionsResponse::default()), None);
        assert!(!set_throttle_time(0, 13, &mut [0; 4], 1));
        assert!(!set_throttle_time(12, 4, &mut [0; 10], 1));
        assert!(!set_throttle_time(999, 0, &mut [0; 20], 1));
    }
}

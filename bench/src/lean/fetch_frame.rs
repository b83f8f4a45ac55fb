//! Fetch requests, made anew for each place that is asked for.

use bytes::BufMut;
use ottla_tests::problem::Problem;

use super::wire::{LENGTH_BYTES, REQUEST_CORRELATION, begin_request, end_frame, put, put_count, put_string};

const FETCH_KEY: i16 = 1;
/// The last version that names topics, so that nobody has to be asked for their ids.
pub(super) const FETCH_VERSION: i16 = 12;
/// The first epoch of a session.
const FIRST_EPOCH: i32 = 0;
/// The epoch of a request without a session.
const NO_SESSION: i32 = -1;

/// What a consumer asks for besides places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchLimits {
    /// Bytes of a whole answer.
    pub bytes_max: i32,
    /// Bytes of one partition.
    pub partition_bytes_max: i32,
    /// Bytes that are waited for.
    pub bytes_min: i32,
    /// How long they are waited for, in milliseconds.
    pub wait_ms: i32,
}

/// A partition and the next offset that is wanted of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) index: i32,
    pub(super) offset: i64,
    /// Whether the broker has not heard of this offset yet.
    pub(super) is_new: bool,
}

/// The fetch session of a connection, by which only partitions whose offset has changed are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Session {
    id: i32,
    epoch: i32,
}

impl Session {
    pub(super) fn wanted(wanted: bool) -> Self {
        Self { id: 0, epoch: if wanted { FIRST_EPOCH } else { NO_SESSION } }
    }

    /// Goes on after an answer with this id.
    pub(super) fn answered(&mut self, id: i32) {
        match (self.epoch, id) {
            (NO_SESSION, _) => {}
            // The broker has no room for the session.
            (_, 0) => *self = Self::wanted(true),
            _ => *self = Self { id, epoch: self.epoch.checked_add(1).unwrap_or(1) },
        }
    }

    fn names_all(self) -> bool {
        self.epoch <= FIRST_EPOCH
    }
}

/// Writes the request for these places in the place of the last one.
pub(super) fn fill_fetch(
    frame: &mut Vec<u8>,
    topic: &str,
    limits: &FetchLimits,
    session: Session,
    places: &mut [Place],
    correlation: i32,
) -> Result<(), Problem> {
    frame.clear();
    begin_request(frame, FETCH_KEY, FETCH_VERSION);
    put(frame, REQUEST_CORRELATION, &correlation.to_be_bytes())?;
    frame.put_i32(-1);
    frame.put_i32(limits.wait_ms);
    frame.put_i32(limits.bytes_min);
    frame.put_i32(limits.bytes_max);
    // Reads what is not committed too.
    frame.put_u8(0);
    frame.put_i32(session.id);
    frame.put_i32(session.epoch);
    let is_named = |place: &Place| place.is_new || session.names_all();
    let named = places.iter().filter(|place| is_named(place)).count();
    put_count(frame, usize::from(named > 0));
    if named > 0 {
        put_string(frame, topic);
        put_count(frame, named);
        for place in places.iter_mut().filter(|place| is_named(place)) {
            frame.put_i32(place.index);
            frame.put_i32(-1);
            frame.put_i64(place.offset);
            frame.put_i32(-1);
            frame.put_i64(-1);
            frame.put_i32(limits.partition_bytes_max);
            frame.put_u8(0);
            place.is_new = false;
        }
        frame.put_u8(0);
    }
    // Nothing forgotten, no rack, no tags.
    frame.put_slice(&[1, 1, 0]);
    end_frame(frame)
}

/// What stands in front of the records in the answer for one partition, as a frame that is followed by so many bytes of
/// records and by [`FETCH_ANSWER_TAIL`].
///
/// # Errors
/// It is too long for a frame.
pub fn fetch_answer_head(topic: &str, index: i32, records_bytes: usize) -> Result<Vec<u8>, Problem> {
    let mut frame = vec![0; LENGTH_BYTES];
    frame.put_i32(0);
    frame.put_u8(0);
    // Throttle time, error code, session.
    frame.put_i32(0);
    frame.put_i16(0);
    frame.put_i32(0);
    put_count(&mut frame, 1);
    put_string(&mut frame, topic);
    put_count(&mut frame, 1);
    frame.put_i32(index);
    frame.put_i16(0);
    // The high watermark, the last stable offset, the start of the log.
    frame.put_i64(i64::MAX);
    frame.put_i64(i64::MAX);
    frame.put_i64(0);
    // No aborted transactions, no other replica to read.
    frame.put_u8(0);
    frame.put_i32(-1);
    put_count(&mut frame, records_bytes);
    let whole = frame.len().saturating_add(records_bytes).saturating_add(FETCH_ANSWER_TAIL.len());
    let length = u32::try_from(whole.saturating_sub(LENGTH_BYTES));
    let length = length.map_err(|_| Problem::new("a frame is too long"))?;
    put(&mut frame, 0, &length.to_be_bytes())?;
    Ok(frame)
}

/// The tags of the partition, the topic and the answer.
pub const FETCH_ANSWER_TAIL: [u8; 3] = [0, 0, 0];

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use kafka_protocol::messages::{FetchRequest, FetchResponse, RequestHeader};
    use kafka_protocol::protocol::Decodable;

    use super::*;

    const LIMITS: FetchLimits =
        FetchLimits { bytes_max: 5000, partition_bytes_max: 1000, bytes_min: 1, wait_ms: 500 };

    fn decoded(frame: &[u8]) -> FetchRequest {
        let mut bytes = Bytes::copy_from_slice(&frame[4..]);
        let header = RequestHeader::decode(&mut bytes, 2).unwrap();
        assert_eq!((header.request_api_key, header.request_api_version, header.correlation_id), (1, 12, 7));
        let request = FetchRequest::decode(&mut bytes, FETCH_VERSION).unwrap();
        assert!(bytes.is_empty());
        request
    }

    #[test]
    fn a_session_names_only_what_is_new() {
        let place = |index| Place { index, offset: 10, is_new: true };
        let mut places = [place(0), place(1)];
        let mut session = Session::wanted(true);
        let mut frame = Vec::new();
        fill_fetch(&mut frame, "events", &LIMITS, session, &mut places, 7).unwrap();
        let request = decoded(&frame);
        assert_eq!((request.session_epoch, request.topics[0].partitions.len()), (0, 2));
        session.answered(44);
        places[1] = Place { index: 1, offset: 20, is_new: true };
        fill_fetch(&mut frame, "events", &LIMITS, session, &mut places, 7).unwrap();
        let request = decoded(&frame);
        assert_eq!((request.session_id, request.session_epoch), (44, 1));
        let partitions = &request.topics[0].partitions;
        assert_eq!((partitions.len(), partitions[0].partition, partitions[0].fetch_offset), (1, 1, 20));
        session.answered(44);
        fill_fetch(&mut frame, "events", &LIMITS, session, &mut places, 7).unwrap();
        assert_eq!(decoded(&frame).topics.len(), 0);
    }

    #[test]
    fn the_answer_of_the_floor_can_be_read() {
        let mut frame = fetch_answer_head("events", 3, 500).unwrap();
        frame.extend([9; 500]);
        frame.extend(FETCH_ANSWER_TAIL);
        assert_eq!(
            u32::from_be_bytes(frame[..4].try_into().unwrap()),
            u32::try_from(frame.len() - 4).unwrap()
        );
        let mut bytes = Bytes::copy_from_slice(&frame[9..]);
        let response = FetchResponse::decode(&mut bytes, FETCH_VERSION).unwrap();
        assert!(bytes.is_empty());
        let partition = &response.responses[0].partitions[0];
        assert_eq!((partition.partition_index, partition.error_code), (3, 0));
        assert_eq!(partition.records.as_ref().unwrap(), &Bytes::from(vec![9; 500]));
    }
}

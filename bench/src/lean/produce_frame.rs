//! Produce requests that are made once, and the check of their answers.

use bytes::BufMut;
use ottla_tests::problem::Problem;

use super::wire::{
    LENGTH_BYTES, REQUEST_CORRELATION, RESPONSE_CORRELATION, Reader, begin_request, end_frame, put,
    put_count, put_string,
};

const PRODUCE_KEY: i16 = 0;
const PRODUCE_VERSION: i16 = 9;
const ANSWER_LIMIT_MS: i32 = 60_000;

/// A Produce for so many partitions of one topic, with the same batch for each.
#[derive(Debug, Clone)]
pub(super) struct ProduceFrame {
    bytes: Vec<u8>,
    index_places: Vec<usize>,
    answer_bytes: usize,
}

impl ProduceFrame {
    pub(super) fn new(topic: &str, acks: i16, batch: &[u8], partitions: usize) -> Result<Self, Problem> {
        let mut bytes = Vec::new();
        begin_request(&mut bytes, PRODUCE_KEY, PRODUCE_VERSION);
        // No transactional id.
        bytes.put_u8(0);
        bytes.put_i16(acks);
        bytes.put_i32(ANSWER_LIMIT_MS);
        put_count(&mut bytes, 1);
        put_string(&mut bytes, topic);
        put_count(&mut bytes, partitions);
        let mut index_places = Vec::new();
        for _ in 0..partitions {
            index_places.push(bytes.len());
            bytes.put_i32(0);
            put_count(&mut bytes, batch.len());
            bytes.put_slice(batch);
            bytes.put_u8(0);
        }
        bytes.put_slice(&[0, 0]);
        end_frame(&mut bytes)?;
        let answer_bytes = produce_answer(topic, partitions)?.len();
        Ok(Self { bytes, index_places, answer_bytes })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Bytes of the answer when all partitions took their batches.
    pub(super) fn answer_bytes(&self) -> usize {
        self.answer_bytes
    }

    /// Addresses the request to partitions, one for each batch.
    pub(super) fn fill(&mut self, correlation: i32, partitions: &[i32]) -> Result<(), Problem> {
        put(&mut self.bytes, REQUEST_CORRELATION, &correlation.to_be_bytes())?;
        for (place, partition) in self.index_places.iter().zip(partitions) {
            put(&mut self.bytes, *place, &partition.to_be_bytes())?;
        }
        Ok(())
    }
}

/// The answer to such a request as a whole frame, with the correlation id 0, all offsets 0 and no error.
///
/// # Errors
/// It is too long for a frame.
pub fn produce_answer(topic: &str, partitions: usize) -> Result<Vec<u8>, Problem> {
    let mut frame = vec![0; LENGTH_BYTES];
    frame.put_i32(0);
    frame.put_u8(0);
    put_count(&mut frame, 1);
    put_string(&mut frame, topic);
    put_count(&mut frame, partitions);
    for index in (0..).take(partitions) {
        frame.put_i32(index);
        // Error code, first offset.
        frame.put_i16(0);
        frame.put_i64(0);
        // Time of the append, start of the log.
        frame.put_i64(-1);
        frame.put_i64(0);
        // Errors of records, message, tags.
        frame.put_slice(&[1, 0, 0]);
    }
    frame.put_u8(0);
    frame.put_i32(0);
    frame.put_u8(0);
    end_frame(&mut frame)?;
    Ok(frame)
}

/// Checks that an answer, a whole frame, belongs to a request and says that every batch was taken.
pub(super) fn check_produced(frame: &[u8], correlation: i32) -> Result<(), Problem> {
    let codes = codes_of(frame, correlation);
    let codes = codes.ok_or_else(|| Problem::new("the answer to a Produce can not be read"))?;
    match codes {
        (found, _) if found != correlation => {
            Err(Problem::new(format!("the answer {found} came where {correlation} was awaited")))
        }
        (_, 0) => Ok(()),
        (_, code) => Err(Problem::new(format!("a batch was refused with the error code {code}"))),
    }
}

/// The correlation id and the first error code that is not 0.
fn codes_of(frame: &[u8], correlation: i32) -> Option<(i32, i16)> {
    let mut reader = Reader::new(frame);
    reader.skip(RESPONSE_CORRELATION)?;
    let found = reader.i32()?;
    if found != correlation {
        return Some((found, 0));
    }
    reader.tags()?;
    for _ in 0..reader.count()? {
        let name_bytes = reader.count()?;
        reader.skip(name_bytes)?;
        for _ in 0..reader.count()? {
            reader.i32()?;
            let code = reader.i16()?;
            if code != 0 {
                return Some((found, code));
            }
            reader.skip(3 * 8)?;
            // No error has neither errors of records nor a message.
            reader.skip(2)?;
            reader.tags()?;
        }
        reader.tags()?;
    }
    Some((found, 0))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use kafka_protocol::messages::{ProduceRequest, ProduceResponse, RequestHeader};
    use kafka_protocol::protocol::{Decodable, Encodable};

    use super::*;

    #[test]
    fn a_frame_is_the_request_that_it_should_be() {
        let mut frame = ProduceFrame::new("events", -1, &[7; 300], 2).unwrap();
        frame.fill(99, &[5, 6]).unwrap();
        let length = u32::from_be_bytes(frame.bytes()[..4].try_into().unwrap());
        assert_eq!(usize::try_from(length).unwrap() + 4, frame.bytes().len());
        let mut bytes = Bytes::copy_from_slice(&frame.bytes()[4..]);
        let header = RequestHeader::decode(&mut bytes, 2).unwrap();
        assert_eq!((header.request_api_key, header.request_api_version, header.correlation_id), (0, 9, 99));
        let request = ProduceRequest::decode(&mut bytes, PRODUCE_VERSION).unwrap();
        assert!(bytes.is_empty());
        assert_eq!((request.acks, request.topic_data[0].name.as_str()), (-1, "events"));
        for (data, index) in request.topic_data[0].partition_data.iter().zip([5, 6]) {
            assert_eq!(data.index, index);
            assert_eq!(data.records.as_ref().unwrap(), &Bytes::from(vec![7; 300]));
        }
    }

    #[test]
    fn an_answer_is_as_others_encode_it_and_errors_in_it_are_found() {
        let mut frame = produce_answer("events", 2).unwrap();
        let mut bytes = Bytes::copy_from_slice(&frame[9..]);
        let mut response = ProduceResponse::decode(&mut bytes, PRODUCE_VERSION).unwrap();
        let mut encoded = bytes::BytesMut::new();
        response.encode(&mut encoded, PRODUCE_VERSION).unwrap();
        assert_eq!(encoded, &frame[9..]);
        check_produced(&frame, 0).unwrap();
        assert!(check_produced(&frame, 1).is_err());
        response.responses[0].partition_responses[1].error_code = 6;
        encoded.clear();
        response.encode(&mut encoded, PRODUCE_VERSION).unwrap();
        frame.truncate(9);
        frame.extend_from_slice(&encoded);
        assert!(check_produced(&frame, 0).unwrap_err().to_string().contains("code 6"));
    }
}

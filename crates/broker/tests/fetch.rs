//! What a Fetch returns, and when.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::time::{Duration, Instant};

use kafka_protocol::messages::{DeleteTopicsRequest, FetchRequest};
use ottla_broker::Broker;
use ottla_model::ErrorCode;
use support::*;

#[test]
fn an_offset_inside_a_batch_returns_the_batch() {
    let broker = broker();
    let mut client = client(&broker);
    create(&mut client, "orders", 1, &[]);
    produce(&mut client, "orders", batch(&["a", "b", "c"]));
    produce(&mut client, "orders", batch(&["d"]));
    let all = [(0, "a".to_owned()), (1, "b".to_owned()), (2, "c".to_owned()), (3, "d".to_owned())];
    assert_eq!(fetch(&mut client, "orders", 1), all);
    assert_eq!(fetch(&mut client, "orders", 3), all[3..]);
    assert_eq!(fetch(&mut client, "orders", 4), []);
    for offset in [-1, 5] {
        let response = client.send(FETCH, &fetch_request("orders", offset, 0, 0)).unwrap();
        let partition = only_partition(&response);
        assert_eq!(ErrorCode::from_code(partition.error_code), Some(ErrorCode::OffsetOutOfRange), "{offset}");
        assert_eq!(partition.records.clone().unwrap_or_default(), "");
    }
}

#[test]
fn an_empty_answer_carries_no_records_rather_than_null() {
    let broker = broker();
    let mut client = client(&broker);
    create(&mut client, "orders", 1, &[]);
    let response = client.send(FETCH, &fetch_request("orders", 0, 0, 0)).unwrap();
    assert_eq!(only_partition(&response).records.as_deref(), Some(&b""[..]));
}

#[test]
fn a_waiting_fetch_is_woken_by_the_append_that_it_waits_for() {
    let broker = broker();
    let mut producer = client(&broker);
    create(&mut producer, "orders", 1, &[]);
    let mut consumer = client(&broker);
    let small = batch(&["small"]);
    let min_bytes = i32::try_from(small.len() * 2).unwrap();
    let sent = consumer.post(FETCH, &fetch_request("orders", 0, 20_000, min_bytes)).unwrap();
    let began = Instant::now();
    produce(&mut producer, "orders", small.clone());
    // One batch is not enough for the consumer; with the second it is.
    produce(&mut producer, "orders", small);
    let response = consumer.receive::<FetchRequest>(FETCH, sent).unwrap();
    assert_eq!(values(only_partition(&response).records.clone().unwrap()).len(), 2);
    assert!(began.elapsed() < Duration::from_secs(10), "woken, not timed out");
}

#[test]
fn too_little_is_returned_when_the_time_is_over() {
    let broker = broker();
    let mut client = client(&broker);
    create(&mut client, "orders", 1, &[]);
    produce(&mut client, "orders", batch(&["small"]));
    let began = Instant::now();
    let response = client.send(FETCH, &fetch_request("orders", 0, 300, 1 << 19)).unwrap();
    assert_eq!(values(only_partition(&response).records.clone().unwrap()).len(), 1);
    assert!(began.elapsed() >= Duration::from_millis(300));
}

#[test]
fn a_deleted_topic_ends_the_wait() {
    let broker = broker();
    let mut admin = client(&broker);
    create(&mut admin, "orders", 1, &[]);
    let mut consumer = client(&broker);
    let sent = consumer.post(FETCH, &fetch_request("orders", 0, 20_000, 1)).unwrap();
    let deleted =
        admin.send(5, &DeleteTopicsRequest::default().with_topic_names(vec![name("orders")])).unwrap();
    assert_eq!(deleted.responses[0].error_code, 0);
    let response = consumer.receive::<FetchRequest>(FETCH, sent).unwrap();
    let error = ErrorCode::from_code(only_partition(&response).error_code);
    assert_eq!(error, Some(ErrorCode::UnknownTopicOrPartition));
}

#[test]
fn the_first_batch_is_returned_even_if_it_is_larger_than_the_limit() {
    let broker = broker();
    let mut client = client(&broker);
    create(&mut client, "orders", 1, &[]);
    let large = "x".repeat(10_000);
    produce(&mut client, "orders", batch(&[&large]));
    produce(&mut client, "orders", batch(&[&large]));
    let mut request = fetch_request("orders", 0, 0, 0);
    request.max_bytes = 100;
    request.topics[0].partitions[0].partition_max_bytes = 100;
    let response = client.send(FETCH, &request).unwrap();
    assert_eq!(values(only_partition(&response).records.clone().unwrap()).len(), 1);
}

#[test]
fn a_session_answers_only_what_is_new() {
    let broker = broker();
    let mut client = client(&broker);
    create(&mut client, "orders", 1, &[]);
    produce(&mut client, "orders", batch(&["a"]));
    let mut first = fetch_request("orders", 0, 0, 0);
    first.session_epoch = 0;
    let response = client.send(FETCH, &first).unwrap();
    assert_ne!(response.session_id, 0);
    assert_eq!(response.responses.len(), 1);
    // The consumer moves on by one record; nothing new is there, so nothing is said.
    let mut second = fetch_request("orders", 1, 0, 0);
    second.session_id = response.session_id;
    second.session_epoch = 1;
    assert_eq!(client.send(FETCH, &second).unwrap().responses.len(), 0);
    produce(&mut client, "orders", batch(&["b"]));
    let mut third = FetchRequest::default().with_max_bytes(1 << 20).with_session_id(response.session_id);
    third.session_epoch = 2;
    let news = client.send(FETCH, &third).unwrap();
    assert_eq!(values(only_partition(&news).records.clone().unwrap()), [(1, "b".to_owned())]);
    third.session_epoch = 9;
    let refused = client.send(FETCH, &third).unwrap().error_code;
    assert_eq!(ErrorCode::from_code(refused), Some(ErrorCode::InvalidFetchSessionEpoch));
}

#[test]
fn a_page_that_the_disk_cannot_give_is_a_storage_error_of_its_partition() {
    let dir = tempfile::tempdir().unwrap();
    let broker = Broker::builder().data_dir(dir.path()).start().unwrap();
    let mut client = client(&broker);
    create(&mut client, "orders", 1, &[("segment.bytes", "1048576")]);
    let large = "v".repeat(100_000);
    for _ in 0..12 {
        produce(&mut client, "orders", batch(&[&large]));
    }
    let first = dir.path().join("orders-0/00000000000000000000.log");
    let sealed = std::fs::metadata(&first).unwrap().len();
    assert!(sealed < 1_048_577, "there is a second segment");
    // A page behind the end of its file raises SIGBUS, as one does that the disk cannot read.
    let file = std::fs::File::options().write(true).open(&first).unwrap();
    file.set_len(300_000).unwrap();
    let mut error_at = |offset| {
        let response = client.send(FETCH, &fetch_request("orders", offset, 0, 0)).unwrap();
        let partition = only_partition(&response);
        (partition.error_code, partition.records.as_ref().map_or(0, bytes::Bytes::len))
    };
    assert_eq!(error_at(0), (ErrorCode::KafkaStorageError.code(), 0));
    assert_eq!(error_at(4).0, ErrorCode::KafkaStorageError.code());
    // The other segment is read, and written, as before.
    let (error, length) = error_at(11);
    assert!(error == 0 && length > 100_000, "{error} {length}");
    produce(&mut client, "orders", batch(&["more"]));
    assert_eq!(fetch(&mut client, "orders", 12), [(12, "more".to_owned())]);
}

#[test]
fn many_cold_reads_at_a_time_are_all_answered() {
    let dir = tempfile::tempdir().unwrap();
    let broker = Broker::builder().data_dir(dir.path()).start().unwrap();
    let mut first = client(&broker);
    create(&mut first, "orders", 1, &[]);
    for number in 0..20 {
        produce(&mut first, "orders", batch(&[&format!("value {number}")]));
    }
    broker.stop();
    // Nothing is in memory of what was written before the start.
    let broker = Broker::builder().data_dir(dir.path()).start().unwrap();
    let readers: Vec<_> = (0..40)
        .map(|number| {
            let mut client = client(&broker);
            std::thread::spawn(move || fetch(&mut client, "orders", number % 20).len())
        })
        .collect();
    for (number, reader) in readers.into_iter().enumerate() {
        assert_eq!(reader.join().unwrap(), 20 - number % 20);
    }
    // One that waits for more is woken by an append, with what is hot and cold.
    let mut waiting = client(&broker);
    let waiter = std::thread::spawn(move || {
        let request = fetch_request("orders", 19, 5000, 150);
        let response = waiting.send(FETCH, &request).unwrap();
        values(only_partition(&response).records.clone().unwrap())
    });
    let mut producer = client(&broker);
    produce(&mut producer, "orders", batch(&["one more value, so that it is enough"]));
    let found = waiter.join().unwrap();
    assert_eq!(found.first().unwrap().1, "value 19");
}

//! How far groups are behind, as `ottla group lag` asks it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::BytesMut;
use kafka_protocol::messages::DeleteRecordsRequest;
use kafka_protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use ottla_broker::Broker;
use ottla_broker::private::{GroupLag, GroupsLag, Lag, LagNote, PartitionLag};
use ottla_log::{BatchBuilder, NewRecord};
use ottla_model::ErrorCode;
use ottla_wire::client::Client;
use ottla_wire::private::{DescribeLag, PrivateRequest, decode_answer};
use support::*;

const PATIENCE: Duration = Duration::from_secs(30);

fn ask(client: &mut Client, groups: Option<&[&str]>, summary: bool) -> Result<GroupsLag, ErrorCode> {
    let groups = groups.map(|ids| ids.iter().map(|id| (*id).to_owned().into()).collect());
    let mut body = BytesMut::new();
    DescribeLag { groups, summary }.encode(0, &mut body).unwrap();
    let answer = decode_answer(&client.send_body(DescribeLag::KEY, 0, &body).unwrap()).unwrap();
    answer.document.map(|document| serde_json::from_slice(&document).unwrap()).ok_or(answer.error)
}

fn group(client: &mut Client, id: &str) -> GroupLag {
    ask(client, Some(&[id]), false).unwrap().groups.entries.remove(0)
}

fn only(client: &mut Client, id: &str) -> PartitionLag {
    let mut group = group(client, id);
    assert_eq!(group.partitions.entries.len(), 1);
    group.partitions.entries.remove(0)
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

fn timed(timestamp: i64, keys: &[&str]) -> bytes::Bytes {
    let mut builder = BatchBuilder::new();
    for key in keys {
        builder.push(NewRecord { timestamp, key: Some(key.as_bytes()), value: Some(b"value"), headers: &[] });
    }
    builder.build()
}

#[test]
fn records_bytes_and_age_are_those_of_what_is_unread() {
    let broker = broker();
    let mut client = client(&broker);
    create(&mut client, "orders", 1, &[]);
    find_coordinator(&mut client, "readers");
    assert_eq!(ask(&mut client, None, false).unwrap().groups.entries.len(), 0);
    assert_eq!(ask(&mut client, Some(&["readers"]), false), Err(ErrorCode::GroupIdNotFound));
    let hour_ago = now_ms() - 3_600_000;
    let first = timed(hour_ago, &["a", "b", "c"]);
    for records in [first.clone(), timed(hour_ago + 1, &["d"])] {
        produce(&mut client, "orders", records);
    }
    let last = timed(now_ms() + 3_600_000, &["e"]);
    produce(&mut client, "orders", last.clone());
    let bytes: usize = [&first, &timed(0, &["d"]), &last].iter().map(|batch| batch.len()).sum();
    assert_eq!(commit(&mut client, "readers", "orders", 1), 0);
    let told = only(&mut client, "readers");
    assert_eq!((told.committed_offset, told.start_offset, told.high_watermark), (Some(1), Some(0), Some(5)));
    assert_eq!((told.last_stable_offset, told.commits, told.notes.len()), (Some(5), 1, 0));
    let lag = told.read_uncommitted.unwrap();
    assert_eq!((lag.records, lag.bytes, lag.next_offset), (4, bytes as u64, Some(1)));
    assert!((3_600_000..3_700_000).contains(&lag.age_ms.unwrap()), "{lag:?}");
    assert_eq!(told.read_committed.map(|lag| lag.records), Some(4));
    // A producer whose clock is ahead makes nothing younger than now.
    assert_eq!(commit(&mut client, "readers", "orders", 4), 0);
    let lag = only(&mut client, "readers").read_uncommitted.unwrap();
    assert_eq!((lag.records, lag.bytes, lag.age_ms), (1, last.len() as u64, Some(0)));
    assert_eq!(commit(&mut client, "readers", "orders", 5), 0);
    let told = only(&mut client, "readers");
    assert_eq!((told.read_uncommitted, told.commits), (Some(Lag::default()), 3));
    let summary = ask(&mut client, None, true).unwrap().groups.entries.remove(0);
    assert_eq!((summary.group.as_str(), summary.state.as_str(), summary.commits), ("readers", "Empty", 3));
    assert!(summary.partitions.entries.is_empty());
}

#[test]
fn offsets_outside_of_the_log_are_told() {
    let broker = broker();
    let mut client = client(&broker);
    create(&mut client, "orders", 1, &[]);
    find_coordinator(&mut client, "readers");
    for _ in 0..10 {
        produce(&mut client, "orders", batch(&["value"]));
    }
    assert_eq!(commit(&mut client, "readers", "orders", 100), 0);
    let told = only(&mut client, "readers");
    assert_eq!((told.read_uncommitted, told.notes), (Some(Lag::default()), vec![LagNote::PastEnd]));
    assert_eq!(commit(&mut client, "readers", "orders", 2), 0);
    let partition = DeleteRecordsPartition::default().with_partition_index(0).with_offset(6);
    let topic = DeleteRecordsTopic::default().with_name(name("orders")).with_partitions(vec![partition]);
    client.send(2, &DeleteRecordsRequest::default().with_topics(vec![topic])).unwrap();
    let told = only(&mut client, "readers");
    assert_eq!(told.read_uncommitted.map(|lag| (lag.records, lag.next_offset)), Some((4, Some(6))));
    assert_eq!(told.notes, [LagNote::BeforeStart]);
}

#[test]
fn compaction_and_restarts_leave_the_count_exact() {
    let dir = tempfile::tempdir().unwrap();
    let start = || {
        Broker::builder().data_dir(dir.path()).set("log.cleaner.backoff.ms", "20").unwrap().start().unwrap()
    };
    let mut broker = start();
    let mut connection = client(&broker);
    let configs = [
        ("cleanup.policy", "compact"),
        ("internal.segment.bytes", "4000"),
        ("min.cleanable.dirty.ratio", "0.01"),
    ];
    create(&mut connection, "state", 1, &configs);
    find_coordinator(&mut connection, "readers");
    for number in 0..400 {
        produce(&mut connection, "state", timed(1_000, &[&format!("key-{}", number % 7)]));
    }
    for from in [0, 55, 399] {
        assert_eq!(commit(&mut connection, &format!("from-{from}"), "state", from), 0);
    }
    let deadline = Instant::now() + PATIENCE;
    while only(&mut connection, "from-0").read_uncommitted.unwrap().records > 100 {
        assert!(Instant::now() < deadline, "not compacted within {PATIENCE:?}");
    }
    for restart in [false, true] {
        if restart {
            broker.stop();
            broker = start();
            connection = client(&broker);
        }
        for from in [0, 55, 399] {
            // The compactor may go on meanwhile.
            let (received, lag) = loop {
                let before = everything(&mut connection, from);
                let told = only(&mut connection, &format!("from-{from}"));
                if before == everything(&mut connection, from) {
                    break (before, told.read_uncommitted.unwrap());
                }
            };
            assert_eq!((lag.records, lag.next_offset), (received.len() as u64, received.first().copied()));
        }
    }
}

/// The offsets of all records that a consumer receives from there on.
fn everything(client: &mut Client, from: i64) -> Vec<i64> {
    let (mut offsets, mut next) = (Vec::new(), from);
    loop {
        let response = client.send(FETCH, &fetch_request("state", next, 0, 0)).unwrap();
        let mut bytes = only_partition(&response).records.clone().unwrap_or_default();
        if bytes.is_empty() {
            return offsets;
        }
        offsets.extend(
            values(bytes.clone()).into_iter().map(|(offset, _)| offset).filter(|&offset| offset >= from),
        );
        while let Some(header) = ottla_log::BatchHeader::parse(&bytes) {
            next = header.last_offset() + 1;
            let _ = bytes.split_to(header.size_in_bytes().unwrap());
        }
    }
}

#[test]
fn nobody_is_ahead_while_others_write_and_commit() {
    let broker = broker();
    let mut asking = client(&broker);
    create(&mut asking, "orders", 1, &[]);
    find_coordinator(&mut asking, "readers");
    assert_eq!(commit(&mut asking, "readers", "orders", 0), 0);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut writing = client(&broker);
            while !stop.load(Ordering::Relaxed) {
                let end = produce(&mut writing, "orders", batch(&["one", "two"])).base_offset + 2;
                assert_eq!(commit(&mut writing, "readers", "orders", end), 0);
            }
        });
        let mut last = 0;
        for _ in 0..500 {
            let told = only(&mut asking, "readers");
            let (committed, end) = (told.committed_offset.unwrap(), told.high_watermark.unwrap());
            assert!(committed <= end && told.notes.is_empty(), "{told:?}");
            assert_eq!(told.read_uncommitted.unwrap().records as i64, end - committed);
            assert!(committed >= last);
            last = committed;
        }
        stop.store(true, Ordering::Relaxed);
        assert!(last > 0);
    });
}

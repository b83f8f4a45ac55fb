//! Topics' folders that somebody else has written come into a stopped data directory, all of them or none.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use ottla_broker::{Broker, Import, ImportedTopic, import};
use ottla_log::{
    Append, BatchBuilder, BatchHeader, Identity, Log, LogConfig, NewRecord, Open, Origin, RealDisk,
};
use ottla_model::{TopicId, TopicName, WallMillis};

mod support;
use support::{client, create, fetch, produce};

/// The epoch in which the folders' batches were written.
const LEADER_EPOCH: i32 = 41;

/// A directory as Kafka leaves it, and one for Ottla.
struct Scene {
    root: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let scene = Self { root: tempfile::tempdir().unwrap() };
        std::fs::create_dir(scene.kafka()).unwrap();
        std::fs::write(scene.kafka().join(".kafka_cleanshutdown"), "").unwrap();
        scene
    }

    fn kafka(&self) -> PathBuf {
        self.root.path().join("kafka")
    }

    fn ottla(&self) -> PathBuf {
        self.root.path().join("ottla")
    }

    fn folder(&self, partition: &str) -> PathBuf {
        self.kafka().join(partition)
    }

    fn crashed(&self, recovery_points: &str) {
        std::fs::remove_file(self.kafka().join(".kafka_cleanshutdown")).unwrap();
        std::fs::write(self.kafka().join("recovery-point-offset-checkpoint"), recovery_points).unwrap();
    }

    /// Writes a partition of batches with these records, in segments of a few batches, and leaves what Kafka could have
    /// left: batches and nothing that follows from them.
    fn write(&self, topic: &str, index: i32, batches: &[Bytes]) {
        let directory = self.folder(&format!("{topic}-{index}"));
        let identity =
            Identity { topic: TopicName::new(topic).unwrap(), partition: index, topic_id: TopicId([5; 16]) };
        let now = WallMillis(2_000);
        let config =
            LogConfig { segment_bytes: 300, timestamp_after_max_ms: i64::MAX, ..LogConfig::default() };
        let open = Open { clean: true, recovery_point: 0, synced: false, now };
        let (mut log, _) = Log::open(Arc::new(RealDisk), &directory, identity, config, open).unwrap();
        for batch in batches {
            log.append(batch.clone(), Append::new(LEADER_EPOCH, Origin::Client, now)).unwrap();
        }
        log.close(now).unwrap();
        std::fs::create_dir_all(&directory).unwrap();
        for file in files(&directory) {
            if !file.ends_with(".log") {
                std::fs::remove_file(directory.join(&file)).unwrap();
            }
        }
    }

    fn import(&self) -> Import {
        Import { data_dir: self.ottla(), from: vec![self.kafka()], ..Import::default() }
    }

    /// Why the import is refused; it leaves no trace.
    fn refused(&self, import: &Import) -> String {
        let before = partitions(&self.ottla());
        let error = ottla_broker::import(import).unwrap_err().to_string();
        assert_eq!(partitions(&self.ottla()), before, "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        error
    }

    fn serve(&self) -> Broker {
        Broker::builder().data_dir(self.ottla()).start().unwrap()
    }
}

fn files(directory: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Directories in a data directory.
fn partitions(directory: &Path) -> Vec<String> {
    files(directory).into_iter().filter(|name| directory.join(name).is_dir()).collect()
}

fn batch(values: &[&str]) -> Bytes {
    support::batch(values)
}

/// `count` batches of two records each, whose values are their offsets.
fn numbered(count: i64) -> Vec<Bytes> {
    (0..count).map(|at| batch(&[&(2 * at).to_string(), &(2 * at + 1).to_string()])).collect()
}

fn numbers(from: i64, to: i64) -> Vec<(i64, String)> {
    (from..to).map(|offset| (offset, offset.to_string())).collect()
}

fn imported(topics: &[ImportedTopic]) -> Vec<(&str, u64)> {
    let records = |topic: &ImportedTopic| topic.partitions.iter().map(|partition| partition.records).sum();
    topics.iter().map(|topic| (topic.name.as_str(), records(topic))).collect()
}

/// Everything from the beginning on, however many fetches that takes.
fn consume(broker: &Broker, topic: &str, from: i64) -> Vec<(i64, String)> {
    let mut client = client(broker);
    let mut all = Vec::new();
    loop {
        let next = all.last().map_or(from, |(offset, _)| offset + 1);
        let more = fetch(&mut client, topic, next);
        if more.is_empty() {
            return all;
        }
        all.extend(more.into_iter().filter(|(offset, _)| *offset >= next));
    }
}

fn last_log(directory: &Path) -> PathBuf {
    directory.join(files(directory).into_iter().rfind(|name| name.ends_with(".log")).unwrap())
}

#[test]
fn every_record_keeps_its_place_and_more_can_be_written() {
    let scene = Scene::new();
    scene.write("orders", 0, &numbered(20));
    scene.write("orders", 1, &[]);
    scene.write("a.b", 0, &numbered(1));
    scene.write("__consumer_offsets", 0, &numbered(3));
    assert!(files(&scene.folder("orders-0")).len() > 5, "there are several segments");
    let before = files(&scene.folder("orders-0"));
    assert_eq!(imported(&import(&scene.import()).unwrap()), [("a.b", 2), ("orders", 40)]);
    assert_eq!(files(&scene.folder("orders-0")), before, "Kafka's files are only read");
    // A start after the import is one after a clean stop; the one after that finds what the first has written.
    for end in [40, 41, 42] {
        let broker = scene.serve();
        let mut records = numbers(0, 40);
        records.extend((40..end).map(|offset| (offset, "new".to_owned())));
        assert_eq!(consume(&broker, "orders", 0), records);
        assert_eq!(consume(&broker, "a.b", 0), numbers(0, 2));
        let answer = produce(&mut client(&broker), "orders", batch(&["new"]));
        assert_eq!((answer.error_code, answer.base_offset), (0, end));
        broker.stop();
    }
    let expected = ["__cluster_metadata-0", "a.b-0", "orders-0", "orders-1"];
    assert_eq!(partitions(&scene.ottla()), expected, "nothing was set aside");
}

#[test]
fn the_leader_epoch_reaches_that_of_the_batches() {
    let scene = Scene::new();
    scene.write("orders", 0, &numbered(2));
    import(&scene.import()).unwrap();
    let own = std::fs::read_to_string(scene.ottla().join("ottla.properties")).unwrap();
    assert!(own.contains("leader.epoch=41\n"), "{own}");
    let broker = scene.serve();
    produce(&mut client(&broker), "orders", batch(&["new"]));
    broker.stop();
    let epochs = std::fs::read_to_string(scene.ottla().join("orders-0/leader-epoch-checkpoint")).unwrap();
    assert_eq!(epochs, "0\n1\n41 0\n");
}

#[test]
fn an_import_adds_to_what_a_data_directory_has() {
    let scene = Scene::new();
    let broker = scene.serve();
    create(&mut client(&broker), "old", 1, &[]);
    produce(&mut client(&broker), "old", batch(&["0"]));
    let refused = scene.refused(&scene.import());
    assert!(refused.contains("there are no folders"), "{refused}");
    scene.write("new", 0, &numbered(3));
    let refused = scene.refused(&scene.import());
    assert!(refused.contains("used by another process"), "{refused}");
    broker.stop();
    import(&scene.import()).unwrap();
    scene.write("old", 0, &numbered(3));
    let refused = scene.refused(&scene.import());
    assert!(refused.contains("Topic 'new' already exists"), "{refused}");
    let broker = scene.serve();
    assert_eq!(consume(&broker, "old", 0), numbers(0, 1));
    assert_eq!(consume(&broker, "new", 0), numbers(0, 6));
    broker.stop();
    assert_eq!(partitions(&scene.ottla()), ["__cluster_metadata-0", "new-0", "old-0"]);
}

#[test]
fn only_topics_that_were_named_and_their_settings() {
    let scene = Scene::new();
    for topic in ["one", "two", "__three", "__consumer_offsets"] {
        scene.write(topic, 0, &numbered(2));
    }
    let named = |topics: &[&str]| Import {
        topics: topics.iter().map(|topic| (*topic).to_owned()).collect(),
        ..scene.import()
    };
    for (topics, part) in [
        (&["three"][..], "there is no folder of it"),
        (&["one", "__consumer_offsets"], "belongs to the broker"),
        (&["../one"], "the name contains"),
    ] {
        let refused = scene.refused(&named(topics));
        assert!(refused.contains(part), "{refused}");
    }
    let with = |key: &str, value: &str| Import {
        configs: vec![(key.to_owned(), value.to_owned())],
        ..named(&["__three", "one"])
    };
    let refused = scene.refused(&with("retention", "1"));
    assert!(refused.contains("Unknown topic config name: retention"), "{refused}");
    import(&with("internal.segment.bytes", "100")).unwrap();
    let broker = scene.serve();
    assert_eq!(consume(&broker, "__three", 0), numbers(0, 4));
    produce(&mut client(&broker), "one", batch(&["a"]));
    produce(&mut client(&broker), "one", batch(&["b"]));
    broker.stop();
    assert!(files(&scene.ottla().join("one-0")).contains(&"00000000000000000005.log".to_owned()));
    assert!(!scene.ottla().join("two-0").exists());
}

#[test]
fn partitions_may_lie_in_several_directories_but_none_may_be_missing() {
    let scene = Scene::new();
    let second = scene.root.path().join("second");
    std::fs::create_dir(&second).unwrap();
    for index in 0..3 {
        scene.write("orders", index, &numbered(1));
    }
    std::fs::rename(scene.folder("orders-1"), second.join("orders-1")).unwrap();
    let refused = scene.refused(&scene.import());
    assert!(refused.contains("there is no folder orders-1"), "{refused}");
    let both = Import { from: vec![scene.kafka(), second], ..scene.import() };
    scene.write("orders", 1, &numbered(1));
    let refused = scene.refused(&both);
    assert!(refused.contains("are the same partition"), "{refused}");
    std::fs::remove_dir_all(scene.folder("orders-1")).unwrap();
    assert_eq!(imported(&import(&both).unwrap()), [("orders", 6)]);
}

#[test]
fn deleted_records_stay_deleted() {
    let scene = Scene::new();
    scene.write("orders", 0, &numbered(20));
    // Retention has removed segments, and DeleteRecords a part of one.
    let removed = files(&scene.folder("orders-0"))[0].clone();
    std::fs::remove_file(scene.folder("orders-0").join(removed)).unwrap();
    let starts = "0\n2\norders 0 13\norders 1 7\n";
    std::fs::write(scene.kafka().join("log-start-offset-checkpoint"), starts).unwrap();
    let topics = import(&scene.import()).unwrap();
    assert_eq!((topics[0].partitions[0].start, topics[0].partitions[0].end), (13, 40));
    for _ in 0..2 {
        let broker = scene.serve();
        assert_eq!(consume(&broker, "orders", 13), numbers(13, 40));
        let response =
            client(&broker).send(support::FETCH, &support::fetch_request("orders", 12, 0, 0)).unwrap();
        assert_eq!(support::only_partition(&response).error_code, 1, "OFFSET_OUT_OF_RANGE");
        broker.stop();
    }
}

#[test]
fn gaps_that_compaction_left_are_kept_also_after_a_crash() {
    let scene = Scene::new();
    scene.write("table", 0, &numbered(20));
    let folder = scene.folder("table-0");
    // The second segment goes, and of two others the first batch. One is the last: what a follower copies from a
    // compacted log has gaps up to its end.
    let logs = files(&folder);
    std::fs::remove_file(folder.join(&logs[1])).unwrap();
    for log in [&logs[2], &logs[logs.len() - 1]] {
        let bytes = std::fs::read(folder.join(log)).unwrap();
        let size = BatchHeader::parse(&bytes).unwrap().size_in_bytes().unwrap();
        assert!(bytes.len() > size);
        std::fs::write(folder.join(log), &bytes[size..]).unwrap();
    }
    let topics = import(&scene.import()).unwrap();
    let partition = &topics[0].partitions[0];
    assert!(partition.has_gaps);
    // The recovery point that the import has written tells the start that a gap before it is no damage.
    std::fs::remove_file(scene.ottla().join(".kafka_cleanshutdown")).unwrap();
    let broker = scene.serve();
    let records = consume(&broker, "table", 0);
    assert_eq!(records.len() as u64, partition.records);
    assert!(records.iter().all(|(offset, value)| offset.to_string() == *value));
    broker.stop();
    assert_eq!(consume(&scene.serve(), "table", 0), records);
}

#[test]
fn a_torn_end_is_left_out_where_kafka_would_cut_it() {
    let scene = Scene::new();
    scene.write("orders", 0, &numbered(20));
    let last = last_log(&scene.folder("orders-0"));
    std::fs::OpenOptions::new().append(true).open(&last).unwrap().write_all(&[0; 100]).unwrap();
    let refused = scene.refused(&scene.import());
    assert!(refused.contains("is damaged at byte"), "{refused}");
    scene.crashed("0\n1\norders 0 41\n");
    let refused = scene.refused(&scene.import());
    assert!(refused.contains("is damaged at byte"), "bytes before the recovery point are missing: {refused}");
    std::fs::write(scene.kafka().join("recovery-point-offset-checkpoint"), "0\n1\norders 0 40\n").unwrap();
    let topics = import(&scene.import()).unwrap();
    assert_eq!((topics[0].partitions[0].end, topics[0].partitions[0].bytes_cut), (40, 100));
    assert_eq!(consume(&scene.serve(), "orders", 0), numbers(0, 40));
}

#[test]
fn every_changed_byte_of_a_batch_is_noticed() {
    let scene = Scene::new();
    scene.write("orders", 0, &[batch(&["0", "1"]), batch(&["2", "3"])]);
    let log = last_log(&scene.folder("orders-0"));
    let good = std::fs::read(&log).unwrap();
    let size = BatchHeader::parse(&good).unwrap().size_in_bytes().unwrap();
    // The base offset and the leader epoch are not covered by the CRC. Of the offset the batch before and after tell,
    // here for the first batch only whether it is smaller than what follows.
    let unseen = |at: usize| (0..8).contains(&at) || (12..16).contains(&at);
    for at in (0..size).filter(|at| !unseen(*at)).chain([6]) {
        let mut bad = good.clone();
        bad[at] ^= 0x40;
        std::fs::write(&log, bad).unwrap();
        let refused = scene.refused(&scene.import());
        assert!(refused.contains("is damaged at byte"), "byte {at}: {refused}");
    }
    let mut old = good;
    old[16] = 1;
    std::fs::write(&log, old).unwrap();
    let refused = scene.refused(&scene.import());
    assert!(refused.contains("messages of format v1"), "{refused}");
}

#[test]
fn producers_of_another_cluster_are_forgotten() {
    let scene = Scene::new();
    // Younger than the time after which silent producers are forgotten.
    let timestamp = i64::try_from(UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    let idempotent = |values: &[&str]| {
        let mut builder = BatchBuilder::new();
        for value in values {
            let value = Some(value.as_bytes());
            builder.push(NewRecord { timestamp, key: None, value, headers: &[] });
        }
        let batch = builder.build();
        let mut header = BatchHeader::parse(&batch).unwrap();
        (header.producer_id, header.producer_epoch, header.base_sequence) = (0, 0, 0);
        let mut bytes = header.to_bytes().to_vec();
        bytes.extend_from_slice(&batch[bytes.len()..]);
        let crc = crc32c::crc32c(&bytes[21..]);
        bytes[17..21].copy_from_slice(&crc.to_be_bytes());
        Bytes::from(bytes)
    };
    scene.write("orders", 0, &[idempotent(&["theirs"])]);
    import(&scene.import()).unwrap();
    let broker = scene.serve();
    // The same id, epoch and sequence as in the folder, of somebody else: this is no duplicate.
    let answer = produce(&mut client(&broker), "orders", idempotent(&["ours"]));
    assert_eq!((answer.error_code, answer.base_offset), (0, 1));
}

#[test]
fn what_a_crash_leaves_is_no_topic() {
    let scene = Scene::new();
    scene.write("orders", 0, &numbered(3));
    import(&scene.import()).unwrap();
    // As before the catalog had the topic: moved, in the checkpoints, and another one still being copied.
    let starts = BTreeMap::from([("recovery-point", "6"), ("log-start", "4")]);
    for (name, offset) in starts {
        let file = scene.ottla().join(format!("{name}-offset-checkpoint"));
        std::fs::write(file, format!("0\n1\norders 0 {offset}\n")).unwrap();
    }
    std::fs::remove_dir_all(scene.ottla().join("__cluster_metadata-0")).unwrap();
    std::fs::create_dir_all(scene.ottla().join("import.tmp/more-0")).unwrap();
    let broker = scene.serve();
    assert!(!scene.ottla().join("import.tmp").exists());
    assert!(!scene.ottla().join("orders-0").exists());
    create(&mut client(&broker), "orders", 1, &[]);
    for at in 0..10 {
        produce(&mut client(&broker), "orders", batch(&[&at.to_string()]));
    }
    broker.stop();
    assert_eq!(
        consume(&scene.serve(), "orders", 0),
        numbers(0, 10),
        "nothing of the other one was inherited"
    );
    let strays = partitions(&scene.ottla()).into_iter().filter(|name| name.ends_with("-stray")).count();
    assert_eq!(strays, 1);
}

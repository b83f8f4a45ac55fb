//! The history of committed offsets over a socket: what it tells, what was committed when, and taking changes back.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use kafka_protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use kafka_protocol::messages::{DeleteGroupsRequest, DeleteTopicsRequest, OffsetDeleteRequest};
use ottla_broker::Broker;
use ottla_broker::private::{OffsetAt, OffsetChange};
use ottla_model::ErrorCode;
use ottla_wire::client::Client;
use ottla_wire::private::{GroupDiff, GroupHistory, GroupOffsetsAt, GroupUndo};
use support::groups::{Member, ask, commit_as, group_id, join_alone, leave, next_millisecond};
use support::*;

const GROUP: &str = "readers";

fn history(client: &mut Client, topic: Option<&str>, since_ms: Option<i64>) -> Vec<OffsetChange> {
    let topic = topic.map(|topic| topic.to_owned().into());
    let told = ask(client, &GroupHistory { group: GROUP.into(), topic, since_ms }).unwrap();
    assert_eq!((told.complete_from_ms, told.changes.left_out), (None, 0));
    assert!(told.changes.entries.is_sorted_by_key(|change| -change.time_ms), "the newest first");
    told.changes.entries.into_iter().rev().collect()
}

/// `orders-0 none->5 commit`, with what is odd.
fn line(change: &OffsetChange) -> String {
    let print = |offset: Option<i64>| offset.map_or("none".to_owned(), |offset| offset.to_string());
    let mut line =
        format!("{}-{} {}->{} ", change.topic, change.partition, print(change.old), print(change.new));
    line += change.cause.as_deref().unwrap_or("unknown");
    for (is_so, words) in [
        (change.went_backward, ", backward"),
        (change.past_end, ", past the end"),
        (change.not_owner, ", not its own"),
    ] {
        line += if is_so { words } else { "" };
    }
    line
}

fn lines(client: &mut Client) -> Vec<String> {
    history(client, None, None).iter().map(line).collect()
}

fn at(client: &mut Client, at_ms: i64) -> Vec<(i32, Option<i64>)> {
    let told = ask(client, &GroupOffsetsAt { group: GROUP.into(), at_ms }).unwrap();
    let offsets = told.offsets.entries.into_iter();
    offsets.map(|OffsetAt { partition, offset, known, .. }| (partition, offset.filter(|_| known))).collect()
}

/// A partition with the offset that goes and the one that comes back.
type Undone = (i32, Option<i64>, Option<i64>);

fn undo(client: &mut Client, dry_run: bool) -> Result<Vec<Undone>, (ErrorCode, String)> {
    let undone = ask(client, &GroupUndo { group: GROUP.into(), dry_run })?;
    assert_eq!(undone.dry_run, dry_run);
    Ok(undone.offsets.entries.into_iter().map(|one| (one.partition, one.from, one.to)).collect())
}

fn delete_offset(client: &mut Client, partition: i32) {
    let partition = OffsetDeleteRequestPartition::default().with_partition_index(partition);
    let topic =
        OffsetDeleteRequestTopic::default().with_name(name("orders")).with_partitions(vec![partition]);
    let request = OffsetDeleteRequest::default().with_group_id(group_id(GROUP)).with_topics(vec![topic]);
    assert_eq!(client.send(0, &request).unwrap().error_code, 0);
}

/// A topic of two partitions with three records each, and a group that has read them and stopped.
fn read_and_stopped(broker: &Broker) -> (Client, Member) {
    let mut client = client(broker);
    create(&mut client, "orders", 2, &[]);
    for partition in 0..2 {
        let request = produce_request("orders", partition, -1, batch(&["a", "b", "c"]));
        let produced = client.send(PRODUCE, &request).unwrap();
        assert_eq!(produced.responses[0].partition_responses[0].error_code, 0);
    }
    find_coordinator(&mut client, GROUP);
    let member = join_alone(&mut client, GROUP, "orders", &[0, 1]);
    for partition in 0..2 {
        assert_eq!(commit_as(&mut client, GROUP, Some(&member), ("orders", partition, 3)), 0);
    }
    leave(&mut client, GROUP, &member);
    (client, member)
}

#[test]
fn every_change_is_told_and_survives_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let start = || Broker::builder().data_dir(dir.path()).start().unwrap();
    let broker = start();
    let (mut client_before, member) = read_and_stopped(&broker);
    let (before_reset, reset) = (next_millisecond(), next_millisecond());
    assert_eq!(commit_as(&mut client_before, GROUP, None, ("orders", 0, 1)), 0);
    assert_eq!(commit_as(&mut client_before, GROUP, None, ("orders", 1, 9)), 0);
    let after_reset = next_millisecond();
    next_millisecond();
    delete_offset(&mut client_before, 1);
    let told = lines(&mut client_before);
    let expected = [
        "orders-0 none->3 commit",
        "orders-1 none->3 commit",
        "orders-0 3->1 reset, backward",
        "orders-1 3->9 reset, past the end",
        "orders-1 9->none offset delete",
    ];
    assert_eq!(told, expected);
    let since = history(&mut client_before, None, Some(reset));
    assert_eq!(since.iter().map(line).collect::<Vec<_>>(), expected[2..]);
    assert_eq!(history(&mut client_before, Some("other"), None), []);
    assert_eq!(history(&mut client_before, None, None)[0].member_id, member.id.to_string());
    assert_eq!(history(&mut client_before, None, None)[0].client_host, "/127.0.0.1");

    broker.stop();
    let broker = start();
    let mut after = client(&broker);
    assert_eq!(lines(&mut after), expected);
    assert_eq!(at(&mut after, 0), []);
    assert_eq!(at(&mut after, before_reset), [(0, Some(3)), (1, Some(3))]);
    assert_eq!(at(&mut after, after_reset), [(0, Some(1)), (1, Some(9))]);
    assert_eq!(at(&mut after, i64::MAX), [(0, Some(1))]);
    let diff = GroupDiff { group: GROUP.into(), from_ms: before_reset, to_ms: i64::MAX };
    let diff = ask(&mut after, &diff).unwrap().partitions.entries;
    let told: Vec<_> = diff.iter().map(|one| (one.partition, one.from, one.to, one.changes)).collect();
    assert_eq!(told, [(0, Some(3), Some(1), 1), (1, Some(3), None, 2)]);
    let backwards = GroupDiff { group: GROUP.into(), from_ms: 2, to_ms: 1 };
    assert_eq!(ask(&mut after, &backwards).unwrap_err().0, ErrorCode::InvalidRequest);
}

#[test]
fn a_reset_is_taken_back_and_that_too() {
    let broker = broker();
    let (mut client, _) = read_and_stopped(&broker);
    assert_eq!(undo(&mut client, false).unwrap_err().0, ErrorCode::InvalidRequest, "nothing but commits");
    assert_eq!(commit_as(&mut client, GROUP, None, ("orders", 0, 1)), 0);
    assert_eq!(undo(&mut client, true).unwrap(), [(0, Some(1), Some(3))]);
    assert_eq!(committed(&mut client, GROUP, "orders"), 1, "it only told");
    assert_eq!(undo(&mut client, false).unwrap(), [(0, Some(1), Some(3))]);
    assert_eq!(committed(&mut client, GROUP, "orders"), 3);
    next_millisecond();
    assert_eq!(undo(&mut client, false).unwrap(), [(0, Some(3), Some(1))]);
    assert_eq!(committed(&mut client, GROUP, "orders"), 1);
    assert_eq!(
        lines(&mut client)[2..],
        ["orders-0 3->1 reset, backward", "orders-0 1->3 undo", "orders-0 3->1 undo",]
    );
}

#[test]
fn a_deletion_is_taken_back_with_all_that_there_was() {
    let broker = broker();
    let (mut client, _) = read_and_stopped(&broker);
    delete_offset(&mut client, 0);
    assert_eq!(undo(&mut client, false).unwrap(), [(0, None, Some(3))]);
    let delete = DeleteGroupsRequest::default().with_groups_names(vec![group_id(GROUP)]);
    assert_eq!(client.send(2, &delete).unwrap().results[0].error_code, 0);
    assert_eq!(committed(&mut client, GROUP, "orders"), -1);
    assert_eq!(undo(&mut client, false).unwrap(), [(0, None, Some(3)), (1, None, Some(3))]);
    assert_eq!(committed(&mut client, GROUP, "orders"), 3);
    // The metadata that the consumer kept is back, too.
    let committed = broker_metadata(&mut client);
    assert_eq!(committed, "kept");
}

/// The metadata of the committed offset of partition 0.
fn broker_metadata(client: &mut Client) -> String {
    use kafka_protocol::messages::OffsetFetchRequest;
    use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestTopic;
    let topic = OffsetFetchRequestTopic::default().with_name(name("orders")).with_partition_indexes(vec![0]);
    let request = OffsetFetchRequest::default().with_group_id(group_id(GROUP)).with_topics(Some(vec![topic]));
    let response = client.send(5, &request).unwrap();
    response.topics[0].partitions[0].metadata.clone().unwrap().to_string()
}

#[test]
fn nothing_is_taken_back_under_members_or_after_other_changes() {
    let broker = broker();
    let (mut client, _) = read_and_stopped(&broker);
    assert_eq!(commit_as(&mut client, GROUP, None, ("orders", 0, 1)), 0);
    let member = join_alone(&mut client, GROUP, "orders", &[0, 1]);
    assert_eq!(undo(&mut client, false).unwrap_err().0, ErrorCode::NonEmptyGroup);
    assert_eq!(commit_as(&mut client, GROUP, Some(&member), ("orders", 0, 2)), 0);
    leave(&mut client, GROUP, &member);
    let (error, message) = undo(&mut client, false).unwrap_err();
    assert_eq!(error, ErrorCode::InvalidRequest);
    assert!(message.contains("orders-0"), "{message}");
    assert_eq!(committed(&mut client, GROUP, "orders"), 2);
}

#[test]
fn offsets_of_a_topic_that_is_gone_do_not_come_back() {
    let broker = broker();
    let (mut client, _) = read_and_stopped(&broker);
    delete_offset(&mut client, 0);
    let delete = DeleteTopicsRequest::default().with_topic_names(vec![name("orders")]);
    assert_eq!(client.send(5, &delete).unwrap().responses[0].error_code, 0);
    assert_eq!(undo(&mut client, false).unwrap_err().0, ErrorCode::UnknownTopicOrPartition);
    create(&mut client, "orders", 2, &[]);
    assert_eq!(undo(&mut client, false).unwrap_err().0, ErrorCode::UnknownTopicOrPartition, "a namesake");
    assert_eq!(lines(&mut client).last().unwrap(), "orders-1 3->none topic delete");
}

#[test]
fn groups_that_there_are_not_have_no_history() {
    let broker = broker();
    let mut client = client(&broker);
    let nobody = GroupHistory { group: "nobody".into(), topic: None, since_ms: None };
    assert_eq!(ask(&mut client, &nobody).unwrap_err().0, ErrorCode::GroupIdNotFound, "no groups at all");
    create(&mut client, "orders", 1, &[]);
    find_coordinator(&mut client, "nobody");
    assert_eq!(ask(&mut client, &nobody).unwrap().changes.entries, []);
}

#[test]
fn compaction_shortens_the_history_and_it_says_so() {
    let builder = Broker::builder().memory().set("log.cleaner.backoff.ms", "20").unwrap();
    let builder = builder.set("offsets.topic.segment.bytes", "20000").unwrap();
    let builder = builder.set("offsets.topic.num.partitions", "1").unwrap();
    let broker = builder.set("ottla.offsets.history.bytes", "50000").unwrap().start().unwrap();
    let mut client = client(&broker);
    create(&mut client, "orders", 1, &[]);
    find_coordinator(&mut client, GROUP);
    let asked = GroupHistory { group: GROUP.into(), topic: None, since_ms: None };
    let mut offset = 0;
    let told = loop {
        assert_eq!(commit(&mut client, GROUP, "orders", offset), 0);
        offset += 1;
        assert!(offset < 100_000, "nothing was compacted");
        if offset % 500 == 0 {
            let told = ask(&mut client, &asked).unwrap();
            if told.complete_from_ms.is_some() {
                break told;
            }
        }
    };
    let changes = told.changes.entries;
    assert!(changes.len() < offset as usize, "some are gone");
    // From the time that it names on, each change replaces the one before.
    let whole: Vec<_> =
        changes.iter().take_while(|change| change.time_ms > told.complete_from_ms.unwrap()).collect();
    assert!(whole.len() > 100, "{}", whole.len());
    assert!(whole.windows(2).all(|pair| pair[0].old == pair[1].new));
}

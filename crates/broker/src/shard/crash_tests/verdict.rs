//! Opens what a crash has left, lets the drivers come to rest, and looks at what became of the transaction.

use std::sync::Arc;

use bytes::{Buf, Bytes};
use kafka_protocol::messages::describe_transactions_response::TransactionState;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::fetch_response::PartitionData;
use kafka_protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use kafka_protocol::messages::{
    DescribeTransactionsRequest, FetchRequest, GroupId, OffsetFetchRequest, TopicName, TransactionalId,
};
use ottla_log::{BatchHeader, SimDisk, records};

use super::machine::{Running, pass};
use super::script::{END_MS, GROUP, ID, OFFSETS, Plan, Script, TOPICS, Told, answer, text, transact};
use crate::shard::Shard;

const AFTER: i64 = 9;
/// The isolation levels.
const EVERYTHING: i8 = 0;
const COMMITTED: i8 = 1;

/// What the crash had left of the coordinator's state, and how the transaction ended.
pub(super) struct Rested {
    pub(super) found: String,
    pub(super) outcome: &'static str,
}

/// Opens the disk and checks everything that must be true then.
pub(super) fn rest(disk: SimDisk, script: Script, told: &Told, what: &str) -> Rested {
    let running = Running::open(disk, 3).unwrap_or_else(|error| panic!("{what}: {error}"));
    let shard = running.shard();
    running.run(async {
        let found = describe(shard).await;
        pass(END_MS).await;
        let state = describe(shard).await;
        let at_rest = ["CompleteCommit", "CompleteAbort", "Empty"];
        let name = state.transaction_state.as_str();
        assert!(at_rest.contains(&name), "{what}: {state:?} after all timeouts");
        let committed = outcome(shard, what).await;
        for (name, sent) in TOPICS.iter().zip(told.sent) {
            let all = read(shard, name, EVERYTHING, what).await;
            assert!(!sent || all.contains(&"now".to_owned()), "{what}: {name} has {all:?}, {told:?}");
        }
        check(script, told, committed, what);
        transact(shard, "after", AFTER).await.unwrap_or_else(|error| panic!("{what}: the next one: {error}"));
        pass(END_MS).await;
        for name in TOPICS {
            let seen = read(shard, name, COMMITTED, what).await;
            assert_eq!(seen.last().map(String::as_str), Some("after"), "{what}: {name} has {seen:?}");
        }
        assert_eq!(committed_offset(shard, what).await, AFTER, "{what}");
        Rested { found: short(&found), outcome: if committed { "committed" } else { "not committed" } }
    })
}

fn short(state: &TransactionState) -> String {
    let partitions: usize = state.topics.iter().map(|topic| topic.partitions.len()).sum();
    format!("{} with {partitions}", state.transaction_state.as_str())
}

/// Whether the transaction was committed, the same in both partitions and for the group.
async fn outcome(shard: &Arc<Shard>, what: &str) -> bool {
    let mut outcomes = Vec::new();
    for name in TOPICS {
        let seen = read(shard, name, COMMITTED, what).await;
        let (before, rest) = seen.split_first().unwrap_or_else(|| panic!("{what}: {name} has nothing"));
        assert_eq!(before, "before", "{what}: {name}");
        assert!(rest.is_empty() || rest == ["now"], "{what}: {name} has {rest:?}");
        outcomes.push(!rest.is_empty());
    }
    let offset = committed_offset(shard, what).await;
    assert!(OFFSETS.contains(&offset), "{what}: offset {offset}");
    outcomes.push(offset == OFFSETS[1]);
    assert!(
        outcomes.iter().all(|one| *one == outcomes[0]),
        "{what}: {outcomes:?} of both topics and the group"
    );
    outcomes[0]
}

fn check(script: Script, told: &Told, committed: bool, what: &str) {
    if committed {
        assert!(told.asked_to_commit, "{what}: committed, {told:?}");
    }
    if told.ended {
        assert!(told.offsets && committed == (script.plan == Plan::Commit), "{what}: {told:?}");
    }
}

async fn describe(shard: &Arc<Shard>) -> TransactionState {
    let request =
        DescribeTransactionsRequest::default().with_transactional_ids(vec![TransactionalId(text(ID))]);
    let described = answer(shard, 0, &request).await.expect("described");
    let state = described.transaction_states.into_iter().next().expect("a state");
    assert_eq!(state.error_code, 0, "{state:?}");
    state
}

/// What a reader is given, which must be all there is: nothing is undecided.
async fn read(shard: &Arc<Shard>, name: &str, isolation: i8, what: &str) -> Vec<String> {
    let (mut seen, mut next) = (Vec::new(), 0);
    loop {
        let data = fetch(shard, name, next, isolation).await;
        assert_eq!(data.error_code, 0, "{what}: {name}");
        assert_eq!(data.last_stable_offset, data.high_watermark, "{what}: {name} has something open");
        if next >= data.high_watermark {
            return seen;
        }
        let before = next;
        next = give(&data, next, &mut seen);
        assert!(next > before, "{what}: {name} gives nothing at offset {next}");
    }
}

async fn fetch(shard: &Arc<Shard>, name: &str, offset: i64, isolation: i8) -> PartitionData {
    let partition = FetchPartition::default().with_partition_max_bytes(1 << 20).with_fetch_offset(offset);
    let topic = FetchTopic::default().with_topic(TopicName(text(name))).with_partitions(vec![partition]);
    let request = FetchRequest::default()
        .with_max_bytes(1 << 20)
        .with_isolation_level(isolation)
        .with_topics(vec![topic]);
    let fetched = answer(shard, 12, &request).await.expect("fetched");
    let data = fetched.responses.into_iter().next().and_then(|topic| topic.partitions.into_iter().next());
    data.expect("a partition")
}

/// What a stock client gives of a response; gives the offset to read from next.
fn give(data: &PartitionData, mut next: i64, seen: &mut Vec<String>) -> i64 {
    let aborted = data.aborted_transactions.iter().flatten();
    let mut aborted: Vec<(i64, i64)> = aborted.map(|one| (one.first_offset, one.producer_id.0)).collect();
    let mut hidden = Vec::new();
    let mut bytes: Bytes = data.records.clone().unwrap_or_default();
    while let Some(header) = BatchHeader::parse(&bytes) {
        aborted.retain(|(first, producer)| {
            let begun = *first <= header.last_offset();
            hidden.extend(Some(*producer).filter(|_| begun));
            !begun
        });
        let batch = bytes.split_to(header.size_in_bytes().expect("whole").min(bytes.remaining()));
        if header.is_control() {
            hidden.retain(|producer| *producer != header.producer_id);
        } else if !hidden.contains(&header.producer_id) {
            let values = records(&batch).expect("readable").map(|record| record.expect("readable").value);
            seen.extend(values.map(|value| String::from_utf8_lossy(&value.expect("a value")).into_owned()));
        }
        next = header.last_offset() + 1;
    }
    next
}

async fn committed_offset(shard: &Arc<Shard>, what: &str) -> i64 {
    let topic = OffsetFetchRequestTopics::default()
        .with_name(TopicName(text("orders")))
        .with_partition_indexes(vec![0]);
    let group =
        OffsetFetchRequestGroup::default().with_group_id(GroupId(text(GROUP))).with_topics(Some(vec![topic]));
    let request = OffsetFetchRequest::default().with_groups(vec![group]).with_require_stable(true);
    let read = answer(shard, 8, &request).await.expect("answered");
    let part = read.groups[0].topics[0].partitions[0].clone();
    assert_eq!((read.groups[0].error_code, part.error_code), (0, 0), "{what}: an offset is still open");
    part.committed_offset
}

//! Waits until no transaction is open, for as long as one may be: its timeout and a little more.

use std::time::{Duration, Instant};

use kafka_protocol::messages::describe_producers_request::TopicRequest;
use kafka_protocol::messages::{DescribeProducersRequest, ListTransactionsRequest, TopicName};
use kafka_protocol::protocol::StrBytes;

use super::connection::{Connection, Lost};
use super::gate::Gate;
use super::scan::INTERNAL_PREFIX;
use super::transaction_calls::TRANSACTION_TIMEOUT_MS;
use crate::history::{DumpWriter, Line, ListedTopic};
use crate::problem::Problem;

const LIST_TRANSACTIONS_VERSION: i16 = 1;
const DESCRIBE_PRODUCERS_VERSION: i16 = 0;

/// How long after all faults a transaction may be open: its timeout and 5 seconds.
const ENDS_WITHIN: Duration = Duration::from_millis(TRANSACTION_TIMEOUT_MS + 5000);
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// The states of a transaction that is not over.
const UNDER_WAY: [&str; 4] = ["Ongoing", "PrepareCommit", "PrepareAbort", "PrepareEpochFence"];

/// Waits, and notes what is open in the end.
pub(super) fn await_ends(
    connection: &mut Connection,
    topics: &[ListedTopic],
    dump: &mut DumpWriter,
) -> Result<(), Problem> {
    let lost = |Lost| Problem::new("the connection was lost while transactions were looked for");
    let (deadline, pauses) = (Instant::now() + ENDS_WITHIN, Gate::default());
    loop {
        let (open, count) = open(connection, topics).map_err(lost)??;
        if !open.is_empty() && Instant::now() < deadline {
            pauses.pause(LOOK_INTERVAL);
            continue;
        }
        for what in open {
            dump.write(&Line::Open { what })?;
        }
        return dump.write(&Line::AskedForOpen { count });
    }
}

/// What is open, at the coordinators and in the logs, and how many were asked for.
fn open(
    connection: &mut Connection,
    topics: &[ListedTopic],
) -> Result<Result<(Vec<String>, u64), Problem>, Lost> {
    let request = ListTransactionsRequest::default().with_duration_filter(-1);
    let response = connection.call(LIST_TRANSACTIONS_VERSION, &request)?;
    if response.error_code != 0 {
        return Ok(Err(Problem::new(format!("ListTransactions was refused with {}", response.error_code))));
    }
    let mut count = response.transaction_states.len() as u64;
    let under_way = response
        .transaction_states
        .iter()
        .filter(|state| UNDER_WAY.contains(&state.transaction_state.as_str()));
    let mut open: Vec<String> = under_way
        .map(|state| format!("{} in {}", state.transactional_id.as_str(), state.transaction_state))
        .collect();
    let own = topics.iter().filter(|topic| !topic.name.starts_with(INTERNAL_PREFIX));
    let asked = own.map(|topic| {
        let name = TopicName(StrBytes::from_string(topic.name.clone()));
        TopicRequest::default().with_name(name).with_partition_indexes((0..topic.partitions).collect())
    });
    let request = DescribeProducersRequest::default().with_topics(asked.collect());
    let response = connection.call(DESCRIBE_PRODUCERS_VERSION, &request)?;
    for topic in &response.topics {
        for partition in &topic.partitions {
            count += 1;
            let begun = partition.active_producers.iter().find(|one| one.current_txn_start_offset >= 0);
            open.extend(begun.map(|one| {
                let (name, index) = (topic.name.as_str(), partition.partition_index);
                let offset = one.current_txn_start_offset;
                format!("in {name}-{index} what producer {} began at offset {offset}", one.producer_id.0)
            }));
        }
    }
    Ok(Ok((open, count)))
}

//! DescribeTransactions and ListTransactions (KIP-664).

use std::collections::BTreeSet;

use bytes::Bytes;
use kafka_protocol::messages::describe_transactions_response::{TopicData, TransactionState};
use kafka_protocol::messages::list_transactions_response::TransactionState as ListedState;
use kafka_protocol::messages::{
    DescribeTransactionsRequest, DescribeTransactionsResponse, ListTransactionsRequest,
    ListTransactionsResponse, TransactionalId,
};
use ottla_control::group::TopicPattern;
use ottla_control::transaction::{Command, Description, List, Listed, Reply};
use ottla_model::ErrorCode;

use super::call::{Call, Closed, Started};
use super::text::{copied, text};
use super::transactions::unexpected;

/// More names than there are states, and longer than any: what is beyond is looked at once, for the answer.
const STATE_FILTERS_MAX: usize = 64;

/// Describes transactional ids.
pub(super) fn describe(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: DescribeTransactionsRequest = call.decode(body)?;
    let ask = |transactional_id: &TransactionalId| {
        // Kafka looks at this before it looks for the coordinator.
        if transactional_id.is_empty() {
            return Err(ErrorCode::InvalidRequest);
        }
        let command = Command::Describe { transactional_id: copied(transactional_id) };
        call.shard.transaction(transactional_id).map(|coordinator| coordinator.submit(call.caller(), command))
    };
    let asked: Vec<_> = request.transactional_ids.iter().map(|id| (id.clone(), ask(id))).collect();
    Ok(Started::later(async move {
        let mut response = DescribeTransactionsResponse::default();
        for (transactional_id, receiver) in asked {
            let reply = match receiver {
                Ok(receiver) => receiver.await.map_err(|_| ErrorCode::NotCoordinator),
                Err(error) => Err(error),
            };
            let described = match reply {
                Ok(Reply::Describe(described)) => described,
                other => Err(unexpected(other)),
            };
            let state = match described {
                Ok(description) => to_state(&description),
                Err(error) => TransactionState::default().with_error_code(error.code()),
            };
            response.transaction_states.push(state.with_transactional_id(transactional_id));
        }
        call.answer(&response)
    }))
}

fn to_state(description: &Description) -> TransactionState {
    let topics = description.topics.iter().map(|(topic, partitions)| {
        TopicData::default().with_topic(text(topic.as_str()).into()).with_partitions(partitions.clone())
    });
    TransactionState::default()
        .with_transaction_state(text(description.state.name()))
        .with_transaction_timeout_ms(description.timeout_ms)
        .with_transaction_start_time_ms(description.start_timestamp_ms)
        .with_producer_id(description.producer.producer_id.into())
        .with_producer_epoch(description.producer.producer_epoch)
        .with_topics(topics.collect())
}

/// Lists what every coordinator here knows. The expression for transactional ids (KIP-1152) is read as RE2/J reads it, whose
/// dialect is Java's without what takes exponential time.
pub(super) fn list(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: ListTransactionsRequest = call.decode(body)?;
    let names: BTreeSet<_> = request.state_filters.iter().map(|name| copied(name)).collect();
    if names.len() > STATE_FILTERS_MAX {
        return call
            .ready(&ListTransactionsResponse::default().with_error_code(ErrorCode::InvalidRequest.code()));
    }
    let pattern = match request.transactional_id_pattern.as_deref().filter(|pattern| !pattern.is_empty()) {
        None => None,
        Some(pattern) => match TopicPattern::compile(pattern) {
            Ok(pattern) => Some(pattern),
            Err(_) => {
                let error = ErrorCode::InvalidRegularExpression.code();
                return call.ready(&ListTransactionsResponse::default().with_error_code(error));
            }
        },
    };
    let list = List {
        states: names.into_iter().collect(),
        producer_ids: request.producer_id_filters.iter().map(|id| id.0).collect(),
        duration_ms: Some(request.duration_filter),
    };
    let coordinators = call.shard.all_transactions().iter();
    let replies: Vec<_> = coordinators
        .map(|coordinator| coordinator.submit(call.caller(), Command::List(list.clone())))
        .collect();
    Ok(Started::later(async move {
        let mut response = ListTransactionsResponse::default();
        let mut matches = pattern.as_ref().map(TopicPattern::matcher);
        for reply in replies {
            match reply.await.map_err(|_| ErrorCode::CoordinatorNotAvailable) {
                Ok(Reply::List(Ok(listing))) => {
                    let passes = |listed: &&Listed| {
                        matches.as_mut().is_none_or(|matches| matches(&listed.transactional_id))
                    };
                    let listed = listing.transactions.iter().filter(passes).map(to_listed);
                    response.transaction_states.extend(listed);
                    // Every coordinator knows the same names.
                    response.unknown_state_filters =
                        listing.unknown_states.iter().map(|name| text(name)).collect();
                }
                Ok(Reply::List(Err(error))) => response.error_code = error.code(),
                other => response.error_code = unexpected(other).code(),
            }
        }
        call.answer(&response)
    }))
}

fn to_listed(listed: &Listed) -> ListedState {
    ListedState::default()
        .with_transactional_id(text(&listed.transactional_id).into())
        .with_producer_id(listed.producer_id.into())
        .with_transaction_state(text(listed.state.name()))
}

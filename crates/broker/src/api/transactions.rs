//! What the APIs of transactional producers share: asking a transaction's state machine.

use std::sync::Arc;

use bytes::Bytes;
use kafka_protocol::messages::{EndTxnRequest, EndTxnResponse};
use ottla_control::machine::Caller;
use ottla_control::transaction::{Command, End, ProducerIdAndEpoch, Reply, TransactionVersion, Transactions};
use ottla_model::{ErrorCode, ProducerId};
use tokio::sync::oneshot::error::TryRecvError;

use super::call::{Call, Closed, Parts, Started};
use super::text::copied;
use crate::shard::{Coordinator, Shard};

/// Since this version of EndTxn the epoch rises with every transaction (KIP-890).
const BUMPS_EPOCH: i16 = 5;
/// Since this version EndTxn and AddPartitionsToTxn tell PRODUCER_FENCED apart (KIP-588).
pub(super) const KNOWS_FENCED: i16 = 2;

/// Older clients know a fenced producer by the code that Produce has for it.
pub(super) fn known_to(version: i16, knows_fenced: i16, error: ErrorCode) -> ErrorCode {
    match error {
        ErrorCode::ProducerFenced if version < knows_fenced => ErrorCode::InvalidProducerEpoch,
        other => other,
    }
}

/// Hands a command to the coordinator of a transactional id and answers with what `answer` makes of the reply. The
/// command is made once more, with a fresh producer id, when it takes one. An error means that there is no such
/// coordinator here, or that it went away before it replied.
pub(super) fn ask(
    call: Call,
    transactional_id: &str,
    command: impl Fn(Option<ProducerId>) -> Command + Send + 'static,
    answer: impl FnOnce(&Call, Result<Reply, ErrorCode>) -> Result<Parts, Closed> + Send + 'static,
) -> Result<Started, Closed> {
    let coordinator = match call.shard.transaction(transactional_id) {
        Ok(coordinator) => Arc::clone(coordinator),
        Err(error) => return answer(&call, Err(error)).map(Started::Ready),
    };
    let mut receiver = coordinator.submit(call.caller(), command(None));
    match receiver.try_recv() {
        Ok(Reply::FreshProducerIdNeeded) => {}
        // Most replies are there at once, since nothing was in the way.
        Ok(reply) => return answer(&call, Ok(reply)).map(Started::Ready),
        Err(TryRecvError::Closed) => {
            return answer(&call, Err(ErrorCode::NotCoordinator)).map(Started::Ready);
        }
        Err(TryRecvError::Empty) => {
            return Ok(Started::changing(async move {
                let reply = match receiver.await {
                    Ok(Reply::FreshProducerIdNeeded) => {
                        with_fresh_id(&call.shard, &coordinator, call.caller(), command).await
                    }
                    reply => reply.map_err(|_| ErrorCode::NotCoordinator),
                };
                answer(&call, reply)
            }));
        }
    }
    Ok(Started::changing(async move {
        let reply = with_fresh_id(&call.shard, &coordinator, call.caller(), command).await;
        answer(&call, reply)
    }))
}

async fn with_fresh_id(
    shard: &Shard,
    coordinator: &Arc<Coordinator<Transactions>>,
    caller: Caller,
    command: impl Fn(Option<ProducerId>) -> Command,
) -> Result<Reply, ErrorCode> {
    let fresh = shard.next_producer_id().await?;
    coordinator.submit(caller, command(Some(fresh))).await.map_err(|_| ErrorCode::NotCoordinator)
}

/// The error to answer with when the reply is of another kind than the command: a bug, told as Kafka tells its own.
pub(super) fn unexpected(reply: Result<Reply, ErrorCode>) -> ErrorCode {
    reply.err().unwrap_or(ErrorCode::UnknownServerError)
}

/// EndTxn.
pub(super) fn end(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: EndTxnRequest = call.decode(body)?;
    let transactional_id = copied(&request.transactional_id);
    let client_version =
        if call.version() >= BUMPS_EPOCH { TransactionVersion::V2 } else { TransactionVersion::V0 };
    let end = End {
        transactional_id: Arc::clone(&transactional_id),
        producer: ProducerIdAndEpoch {
            producer_id: request.producer_id.0,
            producer_epoch: request.producer_epoch,
        },
        committed: request.committed,
        client_version,
        fresh_producer_id: None,
    };
    let command = move |fresh_producer_id| Command::End(End { fresh_producer_id, ..end.clone() });
    ask(call, &transactional_id, command, |call, reply| {
        let ended = match reply {
            Ok(Reply::End(ended)) => ended,
            other => Err(unexpected(other)),
        };
        let mut response = EndTxnResponse::default();
        match ended {
            Err(error) => response.error_code = known_to(call.version(), KNOWS_FENCED, error).code(),
            Ok(producer) if call.version() >= BUMPS_EPOCH => {
                response.producer_id = producer.producer_id.into();
                response.producer_epoch = producer.producer_epoch;
            }
            Ok(_) => {}
        }
        call.answer(&response)
    })
}

//! Asking a group's state machine.

use ottla_control::group::{Command, Reply};
use ottla_model::ErrorCode;
use tokio::sync::oneshot;

use super::call::{Call, Closed, Parts, Started};

/// Hands a command to the coordinator of a group and answers with what `answer` makes of the reply. An error means that
/// there is no such coordinator here, or that it went away before it replied.
pub(super) fn ask(
    call: Call,
    group_id: &str,
    command: Command,
    answer: impl FnOnce(&Call, Result<Reply, ErrorCode>) -> Result<Parts, Closed> + Send + 'static,
) -> Result<Started, Closed> {
    let submitted = match call.shard.group(group_id) {
        Ok(coordinator) => Ok(coordinator.submit(call.caller(), command)),
        Err(error) => Err(error),
    };
    match submitted.map(|mut receiver| (receiver.try_recv(), receiver)) {
        Err(error) => answer(&call, Err(error)).map(Started::Ready),
        // Most replies are there at once, since nothing was in the way.
        Ok((Ok(reply), _)) => answer(&call, Ok(reply)).map(Started::Ready),
        Ok((Err(oneshot::error::TryRecvError::Closed), _)) => {
            answer(&call, Err(ErrorCode::NotCoordinator)).map(Started::Ready)
        }
        Ok((Err(oneshot::error::TryRecvError::Empty), receiver)) => Ok(Started::later(async move {
            let reply = receiver.await.map_err(|_| ErrorCode::NotCoordinator);
            answer(&call, reply)
        })),
    }
}

/// The error to answer with when the reply is of another kind than the command: a bug, told as Kafka tells its own.
pub(super) fn unexpected(reply: Result<Reply, ErrorCode>) -> ErrorCode {
    reply.err().unwrap_or(ErrorCode::UnknownServerError)
}

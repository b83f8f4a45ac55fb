//! Private APIs: a request with a schema, a document of JSON for an answer.
//!
//! An API is a function from the one to the other, and a line of the table. Few of them run at a time, and a document has
//! a largest size, so that somebody who asks for everything again and again takes little from others.

use std::future::Future;
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use ottla_control::catalog::Refusal;
use ottla_model::ErrorCode;
use ottla_wire::private::{Answer, encode_answer};
use ottla_wire::response_frame;

use super::call::{Call, Closed, Parts, Started};
use super::text::text;
use crate::private::{Counted, Question};
use crate::shard::Shard;

/// The largest document, in bytes. Lists in it end earlier and say what they leave out.
const DOCUMENT_BYTES_MAX: usize = 4 << 20;

/// The longest sentence about an error, in bytes; some quote what was asked.
const MESSAGE_BYTES_MAX: usize = 1024;

/// Answers with what `work` makes of the request. It starts when the requests before it on the connection are answered and
/// it is its turn, and runs to its end whatever becomes of the connection: its turn must not end before its work does.
pub(super) fn answer<Q, F>(
    call: Call,
    body: &Bytes,
    work: impl FnOnce(Arc<Call>, Q) -> F + Send + 'static,
) -> Result<Started, Closed>
where
    Q: Question,
    F: Future<Output = Result<Q::Document, Refusal>> + Send + 'static,
{
    let question = Q::decode(call.version(), body)?;
    let call = Arc::new(call);
    Ok(Started::later(async move {
        let task = tokio::spawn(async move {
            let turn = call.shard.private_turn().await;
            let outcome = work(Arc::clone(&call), question).await;
            let parts = encode(&call, outcome.and_then(|document| written(&document)));
            drop(turn);
            parts
        });
        task.await.unwrap_or_else(|error| Err(Closed::new(format!("a bug: a private API ended: {error}"))))
    }))
}

/// Does work on the shard that reads from disk or takes its time, on a thread that may block.
pub(super) async fn blocking<T: Send + 'static>(
    call: &Call,
    work: impl FnOnce(&Shard) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let shard = Arc::clone(&call.shard);
    let done = tokio::task::spawn_blocking(move || work(&shard)).await;
    done.unwrap_or_else(|error| Err(bug(&error)))
}

fn written<D: serde::Serialize>(document: &D) -> Result<Bytes, Refusal> {
    let mut writer = Counted { writer: BytesMut::new().writer(), left: DOCUMENT_BYTES_MAX };
    match serde_json::to_writer(&mut writer, document) {
        Ok(()) => Ok(writer.writer.into_inner().freeze()),
        Err(error) if error.is_io() => Err(Refusal {
            error: ErrorCode::PolicyViolation,
            message: format!("the answer would be larger than {DOCUMENT_BYTES_MAX} bytes: ask for less"),
        }),
        Err(error) => Err(bug(&error)),
    }
}

fn bug(error: &dyn std::error::Error) -> Refusal {
    Refusal { error: ErrorCode::UnknownServerError, message: format!("a bug: {error}") }
}

fn encode(call: &Call, outcome: Result<Bytes, Refusal>) -> Result<Parts, Closed> {
    let answer = match outcome {
        Ok(document) => Answer {
            throttle_time_ms: 0,
            error: ErrorCode::None,
            error_message: None,
            document: Some(document),
        },
        Err(Refusal { error, mut message }) => {
            message.truncate(message.floor_char_boundary(MESSAGE_BYTES_MAX));
            Answer { throttle_time_ms: 0, error, error_message: Some(text(&message)), document: None }
        }
    };
    let size = answer.document.as_ref().map_or(MESSAGE_BYTES_MAX, Bytes::len);
    let frame = response_frame(call.api_key(), call.version(), call.correlation_id(), size, |buffer| {
        encode_answer(&answer, buffer)
    })?;
    Ok(vec![frame])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_document_has_a_largest_size() {
        let longest = "x".repeat(DOCUMENT_BYTES_MAX - 2);
        assert_eq!(written(&longest).unwrap().len(), DOCUMENT_BYTES_MAX);
        let refused = written(&format!("{longest}x")).unwrap_err();
        assert_eq!(refused.error, ErrorCode::PolicyViolation);
    }
}

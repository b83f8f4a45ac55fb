//! Fetch: reads whole batches, and waits for enough of them.
//!
//! What is in memory is read at once, by the thread that serves the connection. When one of the partitions has to wait
//! for its disk, the whole round moves to a thread that may block ([`cold`]).

mod cold;
mod quota;
mod read;
mod session;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ottla_model::ErrorCode;
use ottla_wire::fetch::{self, FetchPartitionResponse, FetchRequest, FetchResponse, FetchTopicResponse};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::call::{Call, Closed, Parts, Started};
pub(crate) use cold::ColdReads;
pub(super) use read::check_leader_epoch;
use read::{Limits, Reads, Round};
pub(crate) use session::FetchSessions;
use session::{Context, Target, TopicKey};

/// Since this version topics are named by their ids.
const BY_TOPIC_ID: i16 = 13;

/// Longest wait that a client can ask for; a longer one would only keep a dead connection's request.
const MAX_WAIT: Duration = Duration::from_secs(300);

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request = fetch::decode_request(call.version(), &body)?;
    let by_id = call.version() >= BY_TOPIC_ID;
    let context = match call.shard.fetch_sessions().begin(&request, by_id, &call.shard) {
        Ok(context) => context,
        Err(error) => {
            let refused = FetchResponse { error, ..FetchResponse::default() };
            return frame(&call, &refused).map(Started::Ready);
        }
    };
    let mut limits = Limits::of(&request, &call.shard.settings());
    if let Some(bytes) = quota::most_bytes(&call) {
        limits.lower_to(bytes);
    }
    let wait = max_wait(&request);
    if let Some(round) = read::round(&call.shard, context.targets(), &limits, Reads::Hot)
        && (wait.is_zero() || context.targets().is_empty() || round.is_enough(&limits))
    {
        return finish(&call, context, round).map(Started::Ready);
    }
    let deadline = Instant::now() + wait;
    Ok(Started::later(wait_for_more(call, context, limits, deadline)))
}

fn max_wait(request: &FetchRequest) -> Duration {
    Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0)).min(MAX_WAIT)
}

/// Reads again whenever one of the partitions has changed, until there is enough or the time is over.
async fn wait_for_more(
    call: Call,
    context: Context,
    limits: Limits,
    deadline: Instant,
) -> Result<Parts, Closed> {
    let notify = Arc::new(Notify::new());
    let mut context = context;
    loop {
        let is_last = Instant::now() >= deadline;
        // Registering comes before reading, so that no append falls between; and anew each time, since a topic may
        // have been deleted and made again.
        let _watch = Watch::begin(&call, &context, &notify);
        let round = match read::round(&call.shard, context.targets(), &limits, Reads::Hot) {
            Some(round) => round,
            None => {
                let (back, round) = cold::round(&call.shard, context, limits).await?;
                context = back;
                round
            }
        };
        if is_last || round.is_enough(&limits) {
            return finish(&call, context, round);
        }
        drop(round);
        // When the time is over, it reads once more.
        let _ = tokio::time::timeout_at(deadline, notify.notified()).await;
    }
}

/// The registrations of one waiting request; taken back when it ends, however it ends.
struct Watch {
    notify: Arc<Notify>,
    partitions: Vec<Arc<crate::shard::Partition>>,
}

impl Watch {
    fn begin(call: &Call, context: &Context, notify: &Arc<Notify>) -> Self {
        let found = context.targets().iter().filter_map(|target| read::look_up(&call.shard, target).ok());
        let partitions: Vec<_> = found.inspect(|partition| partition.register(notify)).collect();
        Self { notify: Arc::clone(notify), partitions }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.partitions.iter().for_each(|partition| partition.unregister(&self.notify));
    }
}

fn finish(call: &Call, mut context: Context, round: Round) -> Result<Parts, Closed> {
    if quota::is_over(call, &round) {
        // As Kafka does: nothing is told, and the client asks again when its time has passed.
        return frame(call, &FetchResponse { session_id: context.session_id(), ..FetchResponse::default() });
    }
    let Round { mut responses, .. } = round;
    context.note(&mut responses);
    let mut response = FetchResponse { session_id: context.session_id(), ..FetchResponse::default() };
    for (target, partition) in context.targets().iter().zip(responses) {
        if let Some(partition) = partition {
            add(&mut response, target, partition);
        }
    }
    frame(call, &response)
}

/// Adds a partition to the answer, under the topic at its end when that is the same.
fn add(response: &mut FetchResponse, target: &Target, partition: FetchPartitionResponse) {
    let (name, topic_id) = match &target.topic {
        TopicKey::Name(name) => (Some(name.clone()), Default::default()),
        TopicKey::Id(id) => (None, *id),
    };
    match response.topics.last_mut() {
        Some(last) if last.topic_id == topic_id && last.name == name => last.partitions.push(partition),
        _ => response.topics.push(FetchTopicResponse { name, topic_id, partitions: vec![partition] }),
    }
}

fn frame(call: &Call, response: &FetchResponse) -> Result<Parts, Closed> {
    let partitions = response.topics.iter().flat_map(|topic| &topic.partitions);
    let errors = partitions.map(|partition| partition.error).chain([response.error]);
    errors.for_each(|error| call.shard.counters().refused("Fetch", error));
    Ok(fetch::encode_response_frame(call.version(), call.correlation_id(), response)?.into_parts())
}

/// The error of a partition that cannot be read; offsets are told as unknown.
fn refused(index: i32, error: ErrorCode) -> FetchPartitionResponse {
    let aborted_transactions = Some(Vec::new());
    FetchPartitionResponse { index, error, aborted_transactions, ..FetchPartitionResponse::default() }
}

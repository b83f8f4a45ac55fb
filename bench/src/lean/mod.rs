//! A load that costs little itself, so that on two cores the broker is what is busy.
//!
//! One thread serves all connections. Requests are made once and changed in place, batches are never looked into, and
//! what is fetched is counted by its lengths and dropped in the kernel.

mod actor;
mod alarm;
mod budget;
mod consumer;
mod fetch_answer;
mod fetch_frame;
mod greeting;
mod histogram;
mod paced;
mod produce_frame;
mod producer;
mod schedule;
mod tail;
mod threads;
mod wire;

pub use actor::{Actor, Progress, run};
pub use budget::Until;
pub use consumer::{ConsumeLoad, Consumed, consume};
pub use fetch_frame::{FETCH_ANSWER_TAIL, FetchLimits, fetch_answer_head};
pub use greeting::greet;
pub use histogram::Histogram;
pub use paced::{PacedFrames, PacedProducer};
pub use produce_frame::produce_answer;
pub use producer::{ProduceLoad, Produced, produce};
pub use schedule::Schedule;
pub use tail::Tail;

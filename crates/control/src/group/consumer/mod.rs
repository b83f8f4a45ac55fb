//! Consumer groups: the new consumer protocol (KIP-848), in which the coordinator assigns.
//!
//! Apache Kafka's `ConsumerGroup`, its builders and the `consumerGroup…` methods of `GroupMetadataManager` (4.3.1) are
//! the specification; each file here holds one part of it.
//!
//! # Epochs
//! A group has an **epoch**, which rises when members or topics change. Its **target** is what each member shall have,
//! made for one epoch. Each member walks there by itself, a step a heartbeat, and its **member epoch** is that of the
//! target that it has reached, or is still walking away from. A partition goes to a member only when no other has it.
//!
//! # What is durable
//! All of that, unlike in a classic group: [`ConsumerGroup`] is what the group's records say, and only replaying and
//! undoing them changes it. A call works on a [`draft::Draft`] of the group. Nobody is ever parked. Soft are the
//! [`Timers`], and they alone: after a failed append they are started for whoever is a member again.
//!
//! | file | holds |
//! |---|---|
//! | `member`, `state`, `index`, `shared_map` | the durable state |
//! | `change` | its records |
//! | `draft`, `context` | what a decision works with |
//! | `heartbeat`, `enter`, `subscription`, `assign`, `reconcile` | a heartbeat, in the order of its steps |
//! | `leave`, `timers` | how members go |
//! | `classic_member` | members that use the classic protocol |
//! | `convert` | upgrade and downgrade of whole groups |
//! | `events`, `assignments` | what is remembered of all that |
//! | `commands`, `replay` | the seam to the machine |

mod assign;
mod assignments;
mod change;
#[cfg(test)]
mod check;
mod classic_member;
mod commands;
mod context;
mod convert;
mod draft;
mod enter;
mod events;
mod heartbeat;
mod index;
mod leave;
mod member;
mod reconcile;
mod refusal;
mod replay;
mod request;
mod shared_map;
mod state;
mod subscription;
mod timers;
mod view;

pub(in crate::group) use self::state::{ConsumerGroup, Overwritten};
pub(in crate::group) use self::timers::Timers;
pub(in crate::group) use self::view::GROUP_TYPE;

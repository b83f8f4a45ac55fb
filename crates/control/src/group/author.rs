//! Who changes committed offsets and why, as the record of the change tells it.

use bytes::Bytes;
use ottla_model::Offset;

use super::command::CommitOffsets;
use crate::codec::{Cause, CommitOddities, OFFSET_CAUSE_HEADER, OffsetCause};
use crate::machine::Caller;

/// "No generation", as Kafka writes it.
const NO_GENERATION: i32 = -1;

/// One who changes offsets: what is the same for all of a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Author<'a> {
    pub(super) cause: Cause,
    pub(super) generation: i32,
    pub(super) member_id: &'a str,
    pub(super) instance_id: Option<&'a str>,
    pub(super) client_id: Option<&'a str>,
    pub(super) client_host: &'a str,
}

impl<'a> Author<'a> {
    /// The broker itself.
    pub(super) fn broker(cause: Cause) -> Self {
        Self {
            cause,
            generation: NO_GENERATION,
            member_id: "",
            instance_id: None,
            client_id: None,
            client_host: "",
        }
    }

    /// A caller who is no member.
    pub(super) fn caller(cause: Cause, caller: &'a Caller) -> Self {
        Self {
            client_id: caller.client_id.as_deref(),
            client_host: &caller.client_host,
            ..Self::broker(cause)
        }
    }

    /// Who sent an OffsetCommit.
    pub(super) fn committer(cause: Cause, caller: &'a Caller, commit: &'a CommitOffsets) -> Self {
        Self {
            generation: commit.generation_or_member_epoch,
            member_id: &commit.member_id,
            instance_id: commit.group_instance_id.as_deref(),
            ..Self::caller(cause, caller)
        }
    }

    /// The headers of the record of one change.
    pub(super) fn headers(
        &self,
        previous: Option<Offset>,
        oddities: CommitOddities,
    ) -> Vec<(&'static str, Bytes)> {
        let cause = OffsetCause {
            cause: self.cause,
            oddities,
            previous,
            generation: self.generation,
            member_id: self.member_id,
            instance_id: self.instance_id,
            client_id: self.client_id,
            client_host: self.client_host,
        };
        vec![(OFFSET_CAUSE_HEADER, cause.encode())]
    }
}

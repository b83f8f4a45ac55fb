//! What members read: changes of it, regular expressions, and changes of the topics themselves.

use std::collections::BTreeSet;
use std::sync::Arc;

use ottla_model::ErrorCode;

use super::context::Context;
use super::draft::Draft;
use super::member::{Member, Metadata};
use super::refusal::Refusal;
use super::state::{Change, ConsumerGroup, Resolved};
use super::timers::Refreshed;
use crate::group::topic_pattern::TopicPattern;

/// Least time between two rounds of resolving a group's expressions, in milliseconds, since each looks at every topic
/// (`REGEX_BATCH_REFRESH_MIN_INTERVAL_MS`).
const RESOLVE_INTERVAL_MS_MIN: i64 = 10_000;

/// How a request changed what its member reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SubscriptionChange {
    names: bool,
    regex: RegexChange,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RegexChange {
    None,
    /// The expression changed, and its topics are not known yet.
    Unresolved,
    /// The expression changed or is gone, and what the member reads now is known.
    Resolved,
}

impl SubscriptionChange {
    /// True when the member reads something else, or will.
    pub(super) fn is_change(self) -> bool {
        self.names || self.regex != RegexChange::None
    }

    /// True when a new target is due at once.
    pub(super) fn raises_epoch(self) -> bool {
        self.names || self.regex == RegexChange::Resolved
    }
}

impl Context<'_> {
    /// Stores what a member says of itself, if it is new. `before` is the group without any change of the request.
    pub(super) fn subscribe(
        &mut self,
        draft: &mut Draft,
        before: &ConsumerGroup,
        member_id: &Arc<str>,
        member: &Member,
        metadata: Metadata,
    ) -> Result<SubscriptionChange, Refusal> {
        let names = metadata.topics != member.metadata.topics;
        let old_regex = Arc::clone(&member.metadata.regex);
        let new_regex = Arc::clone(&metadata.regex);
        if metadata != *member.metadata {
            draft.change(Change::Metadata(Arc::clone(member_id), Some(Arc::new(metadata))));
        }
        let regex = if old_regex == new_regex {
            RegexChange::None
        } else {
            change_regex(draft, &old_regex, &new_regex)?
        };
        self.maybe_resolve(draft.group(), before, &draft.group_id);
        Ok(SubscriptionChange { names, regex })
    }

    /// Has expressions resolved when there are new ones or new topics, or when it was long ago, but not too often
    /// (`maybeUpdateRegularExpressions`).
    fn maybe_resolve(&mut self, group: &ConsumerGroup, before: &ConsumerGroup, group_id: &Arc<str>) {
        let regexes: BTreeSet<Arc<str>> = group.index.regexes.keys().cloned().collect();
        if regexes.is_empty() || self.timers.is_resolving(group_id) {
            return;
        }
        let last = before.resolved.values().next();
        let age_ms = last.map_or(i64::MAX, |last| self.wall_ms.saturating_sub(last.at_ms));
        if age_ms <= RESOLVE_INTERVAL_MS_MIN {
            return;
        }
        let is_missing = regexes.len() != before.resolved.len()
            || regexes.iter().any(|regex| !before.resolved.contains_key(regex));
        let has_new_topics = last.is_none_or(|last| last.version != self.topics.version());
        let is_old = age_ms > i64::from(self.config.consumer.regex_refresh_interval_ms);
        if is_missing || has_new_topics || is_old {
            self.timers.resolve(group_id, regexes, self.now);
        }
    }

    /// Stores what the expressions match now, and raises the group's epoch if that is something else than before
    /// (`handleRegularExpressionsResult`).
    pub(super) fn resolve(&mut self, draft: &mut Draft, regexes: &BTreeSet<Arc<str>>) {
        let mut is_change = false;
        for regex in regexes {
            if !draft.group().index.regexes.contains_key(regex) {
                continue;
            }
            let topics = self.matches(regex);
            let known = draft.group().resolved.get(regex);
            is_change |= known.map_or(!topics.is_empty(), |known| known.topics != topics);
            let resolved = Resolved { topics, version: self.topics.version(), at_ms: self.wall_ms };
            draft.change(Change::Regex(Arc::clone(regex), Some(Arc::new(resolved))));
        }
        self.raise_epoch_if(draft, is_change);
    }

    fn matches(&self, regex: &str) -> BTreeSet<Arc<str>> {
        // Kafka passes over an expression that it cannot read: it was checked when it came.
        let Ok(pattern) = TopicPattern::compile(regex) else { return BTreeSet::new() };
        pattern.topics(self.topics).iter().map(|topic| Arc::from(topic.as_str())).collect()
    }

    /// Compares the group with the topics as they are now, if it was not compared with these yet, and raises its
    /// epoch when they differ or `is_due` says so (`updateSubscriptionMetadata`).
    pub(super) fn refresh_metadata(&mut self, draft: &mut Draft, is_due: bool) {
        let known = self.timers.refreshed(&draft.group_id);
        let is_fresh = known.is_some_and(|known| {
            known.version == self.topics.version() && known.epoch <= draft.group().epoch
        });
        if !is_due && is_fresh {
            return;
        }
        self.raise_epoch_if(draft, is_due);
        if draft.group().has_subscription_record {
            draft.change(Change::SubscriptionRecord(false));
        }
    }

    fn raise_epoch_if(&mut self, draft: &mut Draft, is_due: bool) {
        let hash = self.metadata_hash(draft.group());
        if is_due || hash != draft.group().metadata_hash {
            let epoch = draft.group().epoch.saturating_add(1);
            draft.change(Change::Epoch(Some((epoch, hash))));
        }
        let refreshed = Refreshed { version: self.topics.version(), epoch: draft.group().epoch };
        self.timers.set_refreshed(&draft.group_id, refreshed);
    }

    /// The hash of the topics that the group reads.
    pub(super) fn metadata_hash(&self, group: &ConsumerGroup) -> i64 {
        self.topics.metadata_hash(group.index.topics.keys().map(|topic| &**topic))
    }
}

/// Forgets the old expression if nobody uses it any more, and checks the new one if nobody has used it yet.
fn change_regex(draft: &mut Draft, old: &Arc<str>, new: &Arc<str>) -> Result<RegexChange, Refusal> {
    if !old.is_empty() && !draft.group().index.regexes.contains_key(old) {
        draft.change(Change::Regex(Arc::clone(old), None));
    }
    if new.is_empty() {
        return Ok(if old.is_empty() { RegexChange::None } else { RegexChange::Resolved });
    }
    if draft.group().index.regexes.get(new).is_some_and(|members| *members == 1) {
        TopicPattern::compile(new)
            .map_err(|error| Refusal::new(ErrorCode::InvalidRegularExpression, error.to_string()))?;
    } else if draft.group().resolved.contains_key(new) {
        return Ok(RegexChange::Resolved);
    }
    Ok(RegexChange::Unresolved)
}

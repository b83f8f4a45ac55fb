//! Rule 25: an acknowledged topic stays as it was made until it is deleted, a deleted one never returns, and its id
//! reads and takes nothing any more.

use std::collections::{BTreeMap, HashMap};

use super::report::Report;
use super::rule::Rule;
use crate::history::{Answer, Call, Dump, History, ListedTopic, Operation, Outcome, TopicId};

/// What the names of Apache Kafka's own topics begin with; nobody creates them.
const INTERNAL_PREFIX: &str = "__";

/// When the dump was taken: after everything, but before what never happens.
const LAST: u64 = u64::MAX - 1;

pub(super) fn check(history: &History, dump: &Dump, report: &mut Report) {
    let mut lives = Lives::new(history, report);
    for operation in &history.operations {
        if let (Call::List, Some(Answer::Listed(topics))) = (&operation.call, operation.answer()) {
            lives.compare(topics, (operation.invoked, operation.completed), report);
        }
    }
    let last = dump.topics.iter().map(|topic| ListedTopic {
        name: topic.name.clone(),
        id: topic.id,
        partitions: topic.partitions,
    });
    lives.compare(&last.collect::<Vec<_>>(), (LAST, LAST), report);
    for topic in &dump.topics {
        let configs = lives.known.get(&topic.id).and_then(|life| life.configs);
        if let Some(made) = configs.filter(|made| **made != topic.configs) {
            report.violated(Rule::Metadata, || {
                let (name, now) = (&topic.name, &topic.configs);
                format!("topic {name} was made with the settings {made:?} and has {now:?}")
            });
        }
    }
    for operation in &history.operations {
        used_after_end(operation, &lives, report);
    }
}

/// One topic from its making to its end. Times that have not come are `u64::MAX`.
struct Life<'a> {
    name: String,
    partitions: i32,
    /// Its settings; none when nobody was told that it was made.
    configs: Option<&'a BTreeMap<String, String>>,
    /// Since when it is known to exist.
    made: u64,
    end: End,
}

#[derive(Clone, Copy)]
struct End {
    /// When somebody was first about to delete it.
    begins: u64,
    /// When its deletion was acknowledged.
    acknowledged: u64,
}

const NO_END: End = End { begins: u64::MAX, acknowledged: u64::MAX };

struct Lives<'a> {
    known: HashMap<TopicId, Life<'a>>,
    ends: HashMap<TopicId, End>,
    /// Creations of each name whose outcome is unknown: when they were asked for.
    possible: HashMap<&'a str, Vec<u64>>,
}

impl<'a> Lives<'a> {
    fn new(history: &'a History, report: &mut Report) -> Self {
        let mut lives = Self { known: HashMap::new(), ends: HashMap::new(), possible: HashMap::new() };
        for operation in &history.operations {
            if let (Call::Delete { id, .. }, Outcome::Ok(_) | Outcome::Info(_)) =
                (&operation.call, &operation.outcome)
            {
                let end = lives.ends.entry(*id).or_insert(NO_END);
                end.begins = end.begins.min(operation.invoked);
                if matches!(operation.outcome, Outcome::Ok(_)) {
                    end.acknowledged = end.acknowledged.min(operation.completed);
                }
            }
        }
        for operation in &history.operations {
            let Call::Create { topic, partitions, configs } = &operation.call else { continue };
            match &operation.outcome {
                Outcome::Ok(Answer::Created { id }) => {
                    let end = lives.end(*id);
                    let (name, made) = (topic.clone(), operation.completed);
                    let life = Life { name, partitions: *partitions, configs: Some(configs), made, end };
                    if let Some(before) = lives.known.insert(*id, life) {
                        report.violated(Rule::Metadata, || {
                            format!("topics {} and {topic} were made with one id, {id}", before.name)
                        });
                    }
                }
                Outcome::Info(_) => lives.possible.entry(topic).or_default().push(operation.invoked),
                Outcome::Ok(_) | Outcome::Fail(_) => {}
            }
        }
        lives
    }

    fn end(&self, id: TopicId) -> End {
        self.ends.get(&id).copied().unwrap_or(NO_END)
    }

    /// Compares a list of all topics with what must and what can be in it.
    fn compare(&mut self, topics: &[ListedTopic], (invoked, completed): (u64, u64), report: &mut Report) {
        report.checked(Rule::Metadata, topics.len());
        let listed: HashMap<TopicId, &ListedTopic> = topics.iter().map(|topic| (topic.id, topic)).collect();
        for (id, life) in &self.known {
            let (there, name, partitions) = (listed.get(id), &life.name, life.partitions);
            let must = life.made < invoked && life.end.begins > completed;
            let same = there.is_some_and(|topic| topic.name == *name && topic.partitions == partitions);
            if must && !same {
                report.violated(Rule::Metadata, || {
                    format!("topic {name} ({id}) with {partitions} partitions exists; listed is {there:?}")
                });
            }
            if life.end.acknowledged < invoked && there.is_some() {
                report.violated(Rule::Metadata, || format!("topic {name} ({id}) is back after its deletion"));
            }
        }
        for topic in topics.iter().filter(|topic| !topic.name.starts_with(INTERNAL_PREFIX)) {
            self.recognize(topic, completed, report);
        }
    }

    /// A listed topic that nobody was told of must be one whose making has an unknown outcome. From now on it exists.
    fn recognize(&mut self, topic: &ListedTopic, completed: u64, report: &mut Report) {
        if self.known.contains_key(&topic.id) {
            return;
        }
        let asked = self.possible.get_mut(topic.name.as_str());
        let making = asked.and_then(|asked| {
            let place = asked.iter().position(|invoked| *invoked <= completed)?;
            Some(asked.remove(place))
        });
        if making.is_none() {
            report.violated(Rule::Metadata, || {
                format!("topic {} ({}) exists, but nobody made it", topic.name, topic.id)
            });
        }
        let (name, partitions, end) = (topic.name.clone(), topic.partitions, self.end(topic.id));
        self.known.insert(topic.id, Life { name, partitions, configs: None, made: completed, end });
    }
}

/// Sends and reads that succeed although their topic's deletion was acknowledged before they were asked for.
fn used_after_end(operation: &Operation, lives: &Lives<'_>, report: &mut Report) {
    let partition = match &operation.call {
        Call::Send(batch) => &batch.partition,
        Call::Poll { partition, .. } => partition,
        _ => return,
    };
    let end = lives.end(partition.topic).acknowledged;
    if end < operation.invoked && operation.answer().is_some() {
        report.violated(Rule::Metadata, || {
            format!("the topic of {partition} was deleted, and client {} still uses it", operation.client)
        });
    }
}

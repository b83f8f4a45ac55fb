//! A broker without faults: logs, registers and topics in memory.

use std::collections::{BTreeMap, HashMap};

use ottla_tests::history::{
    Aborted, Batch, Bounds, Commit, Dump, Found, ListedTopic, LogDump, Marker, Partition, SentBatch,
    TopicDump, TopicId,
};

#[derive(Default)]
pub(super) struct Broker {
    logs: BTreeMap<Partition, Vec<Batch>>,
    starts: HashMap<Partition, i64>,
    pub(super) topics: Vec<TopicDump>,
    committed: BTreeMap<(String, Partition), Commit>,
    next_topic: u128,
    /// What a producer has begun in a partition and not ended.
    open: BTreeMap<(Partition, i64), i64>,
    /// What was aborted, and where its marker lies.
    aborted: Vec<(Partition, Aborted, i64)>,
}

impl Broker {
    pub(super) fn create(
        &mut self,
        name: &str,
        partitions: i32,
        configs: &BTreeMap<String, String>,
    ) -> TopicId {
        self.next_topic += 1;
        let id = TopicId(self.next_topic);
        for index in 0..partitions {
            self.logs.insert(Partition { topic: id, index }, Vec::new());
        }
        self.topics.push(TopicDump { name: name.to_owned(), id, partitions, configs: configs.clone() });
        id
    }

    pub(super) fn delete(&mut self, id: TopicId) {
        self.topics.retain(|topic| topic.id != id);
        self.logs.retain(|partition, _| partition.topic != id);
    }

    pub(super) fn list(&self) -> Vec<ListedTopic> {
        let list = |topic: &TopicDump| ListedTopic {
            name: topic.name.clone(),
            id: topic.id,
            partitions: topic.partitions,
        };
        self.topics.iter().map(list).collect()
    }

    pub(super) fn append(&mut self, batch: &SentBatch, times: Vec<i64>) -> i64 {
        let base = self.end(batch.partition);
        let transactional = batch.transaction.is_some();
        if let Some(sequence) = batch.sequence.filter(|_| transactional) {
            self.open.entry((batch.partition, sequence.id)).or_insert(base);
        }
        let log = self.logs.get_mut(&batch.partition).unwrap();
        log.push(Batch {
            base,
            last: base + i64::from(batch.count) - 1,
            leader_epoch: 0,
            crc: batch.crc,
            sequence: batch.sequence,
            transactional,
            marker: None,
            runs: vec![batch.at(base)],
            keys: batch.keys.clone(),
            times,
        });
        base
    }

    /// Ends what a producer has begun in a partition.
    pub(super) fn mark(
        &mut self,
        partition: Partition,
        (id, epoch): (i64, i16),
        committed: bool,
        times: Vec<i64>,
    ) {
        let base = self.end(partition);
        let first = self.open.remove(&(partition, id)).unwrap();
        if !committed {
            self.aborted.push((partition, Aborted { id, first }, base));
        }
        self.logs.get_mut(&partition).unwrap().push(Batch {
            base,
            last: base,
            leader_epoch: 0,
            crc: 0,
            sequence: None,
            transactional: true,
            marker: Some(Marker { id, epoch, committed }),
            runs: Vec::new(),
            keys: Vec::new(),
            times,
        });
    }

    /// What was aborted of these offsets.
    pub(super) fn aborted(&self, partition: Partition, from: i64, to: Option<i64>) -> Vec<Aborted> {
        let reaches = |(of, aborted, marker): &&(Partition, Aborted, i64)| {
            *of == partition && *marker >= from && to.is_some_and(|to| aborted.first <= to)
        };
        self.aborted.iter().filter(reaches).map(|(_, aborted, _)| *aborted).collect()
    }

    pub(super) fn end(&self, partition: Partition) -> i64 {
        self.logs[&partition].last().map_or(0, |batch| batch.last + 1)
    }

    pub(super) fn start(&self, partition: Partition) -> i64 {
        self.starts.get(&partition).copied().unwrap_or_default()
    }

    /// Deletes a batch or a few; gives where the log begins then.
    pub(super) fn trim(&mut self, partition: Partition, batches: usize) -> i64 {
        let log = self.logs.get_mut(&partition).unwrap();
        log.drain(..batches.min(log.len().saturating_sub(1)));
        let start = log.first().map_or(0, |batch| batch.base);
        self.starts.insert(partition, start);
        start
    }

    pub(super) fn bounds(&self, partition: Partition) -> Bounds {
        let end = self.end(partition);
        let open = self.open.iter().filter(|((of, _), _)| *of == partition).map(|(_, first)| *first);
        let last_stable = open.min().unwrap_or(end);
        Bounds { log_start: self.start(partition), last_stable, high_watermark: end }
    }

    /// At most so many batches from the one that holds the offset on; none when the topic is gone.
    pub(super) fn read(&self, partition: Partition, offset: i64, count: usize) -> Option<Vec<Batch>> {
        let log = self.logs.get(&partition)?;
        let first = log.partition_point(|batch| batch.last < offset);
        let plain = |batch: &Batch| Batch { keys: Vec::new(), times: Vec::new(), ..batch.clone() };
        Some(log[first..].iter().take(count).map(plain).collect())
    }

    pub(super) fn find(&self, partition: Partition, time: i64) -> Option<Found> {
        find(&self.logs[&partition], time)
    }

    pub(super) fn commit(&mut self, group: &str, partition: Partition, commit: &Commit) {
        self.committed.insert((group.to_owned(), partition), commit.clone());
    }

    pub(super) fn committed(&self, group: &str, partition: Partition) -> Option<Commit> {
        self.committed.get(&(group.to_owned(), partition)).cloned()
    }

    /// All that it holds, with the compacted topics compacted, and these times looked up in every log.
    pub(super) fn dump(&self, times: &[i64]) -> Dump {
        let mut dump = Dump { topics: self.topics.clone(), asked_for_open: 4, ..Dump::default() };
        for (partition, log) in &self.logs {
            let compacted = self.topics.iter().any(|topic| {
                topic.id == partition.topic
                    && topic.configs.get("cleanup.policy").is_some_and(|policy| policy == "compact")
            });
            let batches = if compacted { compact(log) } else { log.clone() };
            for time in times {
                dump.found.push((*partition, *time, find(&batches, *time)));
            }
            dump.logs.insert(*partition, LogDump { bounds: self.bounds(*partition), batches });
        }
        for ((group, partition), commit) in &self.committed {
            dump.committed.push((group.clone(), *partition, Some(commit.clone())));
        }
        dump
    }
}

fn find(log: &[Batch], time: i64) -> Option<Found> {
    let mut timed = log.iter().flat_map(Batch::timed);
    timed.find(|(_, at)| *at >= time).map(|(offset, time)| Found { offset, time })
}

/// Keeps the last record of each key. The batches of the story's compacted topic have one record each.
fn compact(log: &[Batch]) -> Vec<Batch> {
    let last: HashMap<u32, i64> = log.iter().map(|batch| (batch.keys[0], batch.base)).collect();
    log.iter().filter(|batch| last[&batch.keys[0]] == batch.base).cloned().collect()
}

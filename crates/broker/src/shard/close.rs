//! The end of a shard.

use std::sync::Arc;

use ottla_log::Flush;
use tracing::{info, warn};

use super::{Partition, Shard};

impl Shard {
    /// Closes every log. Connections must be gone. After this the next start needs no scan.
    pub(crate) fn close(&self) {
        self.all_groups().iter().for_each(|coordinator| coordinator.unload());
        self.all_transactions().iter().for_each(|coordinator| coordinator.unload());
        self.catalog.unload();
        let is_clean = self.close_logs();
        self.write_recovery_points();
        if !is_clean {
            return;
        }
        match self.data_dir.mark_clean() {
            Ok(()) => info!("stopped cleanly"),
            Err(error) => warn!(%error, "cannot mark the stop as clean; logs are checked at the next start"),
        }
    }

    /// False when a log could not be closed.
    fn close_logs(&self) -> bool {
        let now = self.clock.wall();
        let mut partitions: Vec<Arc<Partition>> = Vec::new();
        let mut flushes: Vec<Flush> = Vec::new();
        let mut is_clean = true;
        let mut told = |partition: &Partition, error: &dyn std::fmt::Display| {
            warn!(partition = %partition.name(), %error, "cannot close a log; it is checked at the next start");
            is_clean = false;
        };
        self.each_partition(|partition| {
            let mut log = partition.log();
            match log.begin_close(now) {
                Ok(flush) if flush.is_empty() => {
                    if let Err(error) = log.end_close(flush, Ok(())) {
                        told(partition, &error);
                    }
                }
                Ok(flush) => {
                    partitions.push(Arc::clone(partition));
                    flushes.push(flush);
                }
                Err(error) => told(partition, &error),
            }
        });
        let outcomes = self.data_dir.shared_sync.run(&flushes);
        for ((partition, flush), outcome) in partitions.iter().zip(flushes).zip(outcomes) {
            if let Err(error) = partition.log().end_close(flush, outcome) {
                told(partition, &error);
            }
        }
        is_clean
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::path::{Path, PathBuf};

    use ottla_control::catalog::CreateTopic;
    use ottla_log::disk::sim::{Class, Fault, Loss, Rule};
    use ottla_log::{BatchBuilder, NewRecord, Origin, SimDisk};
    use ottla_model::TopicName;

    use super::super::{Flusher, Lock, Place, Seams};
    use super::*;
    use crate::clock::SystemClock;
    use crate::settings::{Overrides, Settings};

    const PARTITIONS: i32 = 50;

    fn open(disk: &SimDisk) -> Arc<Shard> {
        let clock = Arc::new(SystemClock::new());
        let seams = Seams::one_node(Arc::new(Flusher::new(Arc::clone(&clock) as _, 0)));
        let place = Place { disk: Arc::new(disk.clone()), path: PathBuf::from("/data"), lock: Lock::None };
        Shard::open(Settings::default(), place, clock, seams).expect("opens")
    }

    /// A shard whose partitions all have a record that is not synced.
    async fn dirty(disk: &SimDisk) -> Arc<Shard> {
        let shard = open(disk);
        let name = TopicName::new("many").expect("legal");
        let create = CreateTopic { name, partitions: PARTITIONS, configs: Overrides::new(), id: None };
        // The catalog syncs what it answers; here that is done in its place.
        let mut created = Box::pin(shard.create_topics(vec![create], false));
        let waker = std::task::Waker::noop();
        assert!(created.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
        let catalog = shard.catalog.partition();
        catalog.log().sync().expect("synced");
        let end = catalog.log().end_offset();
        catalog.commit(end);
        assert!(created.await.iter().all(Result::is_ok));
        for partition in &shard.topic("many").expect("made").partitions {
            let mut builder = BatchBuilder::new();
            builder.push(NewRecord { timestamp: 1, key: None, value: Some(b"v"), headers: &[] });
            partition.append(builder.build(), Origin::Client, shard.wall()).expect("appended");
        }
        shard
    }

    #[tokio::test]
    async fn many_logs_are_closed_with_one_sync() {
        let disk = SimDisk::new(Path::new("/data"), 1);
        let shard = dirty(&disk).await;
        disk.set_rules(Vec::new());
        shard.close();
        // Two for the logs; two each for the recovery points and for the marker of a clean stop.
        assert_eq!(disk.count(Class::Sync), 6);
        drop(shard);
        let shard = open(&disk.crash(Loss::Dropped, 0));
        assert!(shard.data_dir.clean);
        let partitions = &shard.topic("many").expect("there").partitions;
        assert!(partitions.iter().all(|partition| partition.high_watermark() == 1));
    }

    #[tokio::test]
    async fn a_stop_whose_sync_fails_is_not_a_clean_one() {
        for number in 0..2 {
            let disk = SimDisk::new(Path::new("/data"), 1);
            let shard = dirty(&disk).await;
            disk.set_rules(vec![Rule::once(Class::Sync, number, Fault::Failing)]);
            shard.close();
            drop(shard);
            assert!(!open(&disk.kill()).data_dir.clean, "{number}");
        }
    }
}

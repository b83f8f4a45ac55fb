//! The power goes right behind the answer to a change of the topics.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kafka_protocol::messages::CreateTopicsRequest;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::protocol::StrBytes;
use ottla_log::SimDisk;
use ottla_log::disk::sim::{Class, Fault, Loss, Rule};
use tokio::sync::watch;

use super::seam_tests::ask;
use super::{Flusher, Lock, Place, Seams, Shard};
use crate::clock::{Clock, SystemClock};
use crate::settings::Settings;

const DATA: &str = "/data";
const CREATE_VERSION: i16 = 7;
const CREATORS: usize = 4;
const TOPICS_EACH: usize = 25;

/// A shard as a broker runs it; its flusher ends with what is given beside it.
fn running(disk: &SimDisk) -> (Arc<Shard>, watch::Sender<bool>) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let place = Place { disk: Arc::new(disk.clone()), path: PathBuf::from(DATA), lock: Lock::None };
    let flusher = Arc::new(Flusher::new(Arc::clone(&clock), 1000));
    let seams = Seams::one_node(Arc::clone(&flusher) as _);
    let shard = Shard::open(Settings::default(), place, clock, seams).expect("opens");
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(flusher.run(Arc::clone(shard.shared_sync()), stopped));
    (shard, stop)
}

/// The error code.
async fn create(shard: &Arc<Shard>, name: &str) -> i16 {
    let topic = CreatableTopic::default()
        .with_name(StrBytes::from_string(name.to_owned()).into())
        .with_num_partitions(1)
        .with_replication_factor(1);
    let request = CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(1000);
    ask(shard, CREATE_VERSION, &request).await.topics[0].error_code
}

fn has(disk: &SimDisk, name: &str) -> bool {
    running(&disk.crash(Loss::Dropped, 0)).0.topic(name).is_some()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_that_was_answered_is_on_disk() {
    let disk = SimDisk::new(Path::new(DATA), 1);
    let (shard, _stop) = running(&disk);
    let creators = (0..CREATORS).map(|creator| {
        let (shard, disk) = (Arc::clone(&shard), disk.clone());
        tokio::spawn(async move {
            for number in 0..TOPICS_EACH {
                let name = format!("made-{creator}-{number}");
                assert_eq!(create(&shard, &name).await, 0);
                assert!(has(&disk, &name), "{name}");
            }
        })
    });
    for creator in creators.collect::<Vec<_>>() {
        creator.await.expect("every topic was made");
    }
    assert_eq!(shard.topics().len(), CREATORS * TOPICS_EACH);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_whose_sync_fails_is_refused_and_so_is_every_later_one() {
    let disk = SimDisk::new(Path::new(DATA), 1);
    let (shard, _stop) = running(&disk);
    assert_eq!(create(&shard, "before").await, 0);
    disk.set_rules(vec![Rule::once(Class::Sync, 0, Fault::Failing)]);
    assert_ne!(create(&shard, "failed").await, 0);
    assert_ne!(create(&shard, "after").await, 0);
    assert!(shard.topic("failed").is_none() && shard.topic("after").is_none());
    assert!(has(&disk, "before"));
}

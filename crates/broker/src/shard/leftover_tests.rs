//! A topic is deleted while its disk fails, and one of the same name is made.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{DeleteTopicsRequest, ProduceRequest};
use ottla_log::disk::sim::{Class, Fault, Rule};
use ottla_log::{BatchBuilder, Disk, NewRecord, SimDisk};

use super::seam_tests::{Holding, ask, create_orders, orders};
use super::{Lock, Place, Seams, Shard};
use crate::clock::SystemClock;
use crate::settings::Settings;

const DATA: &str = "/data";
const DELETE_VERSION: i16 = 5;
const PRODUCE_VERSION: i16 = 9;

fn shard(disk: &SimDisk) -> Arc<Shard> {
    let place = Place { disk: Arc::new(disk.clone()), path: PathBuf::from(DATA), lock: Lock::None };
    let seams = Seams::one_node(Arc::new(Holding::default()));
    Shard::open(Settings::default(), place, Arc::new(SystemClock::new()), seams).expect("opens")
}

/// The offset and the error code.
async fn produce(shard: &Arc<Shard>) -> (i64, i16) {
    let mut builder = BatchBuilder::new();
    builder.push(NewRecord { timestamp: 1, key: None, value: Some(b"v"), headers: &[] });
    let data = PartitionProduceData::default().with_index(0).with_records(Some(builder.build()));
    let topic = TopicProduceData::default().with_name(orders()).with_partition_data(vec![data]);
    let request = ProduceRequest::default().with_acks(1).with_timeout_ms(1000).with_topic_data(vec![topic]);
    let answer = ask(shard, PRODUCE_VERSION, &request).await;
    let partition = &answer.responses[0].partition_responses[0];
    (partition.base_offset, partition.error_code)
}

/// At every change of the disk in turn.
#[tokio::test]
async fn what_a_failed_deletion_left_is_never_part_of_a_later_topic() {
    let mut were_left = 0;
    for number in 0.. {
        let disk = SimDisk::new(Path::new(DATA), 1);
        let shard = shard(&disk);
        create_orders(&shard).await;
        assert_eq!(produce(&shard).await, (0, 0));
        disk.set_rules(vec![Rule::once(Class::Change, number, Fault::Failing)]);
        let request = DeleteTopicsRequest::default().with_topic_names(vec![orders()]).with_timeout_ms(1000);
        let deleted = ask(&shard, DELETE_VERSION, &request).await;
        if disk.count(Class::Change) <= number {
            break;
        }
        disk.set_rules(Vec::new());
        if deleted.responses[0].error_code != 0 {
            continue;
        }
        let directory = Path::new(DATA).join("orders-0");
        were_left += i32::from(disk.exists(&directory).expect("looked"));
        create_orders(&shard).await;
        assert_eq!(produce(&shard).await, (0, 0), "the disk failed at change {number}");
    }
    assert!(were_left > 0, "a directory that could not be renamed is left");
}

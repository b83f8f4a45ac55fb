//! Version 1: the epoch stays over transactions, so what is late may be taken for part of the next one. Apache Kafka does
//! the same; `docs/durability.md` tells it to users.

use crate::client::{Flavor, Producer, late, produced, read, serve};

const NONE: i16 = 0;
const INVALID_TXN_STATE: i16 = 48;

#[test]
fn an_end_that_comes_late_ends_the_next_transaction() {
    let served = serve();
    let mut producer = Producer::begin(&served, Flavor::One);
    assert_eq!(producer.send(0, "one"), NONE);
    let held = producer.end_request(true);
    assert_eq!(producer.end(true), NONE, "it was asked for again");
    assert_eq!(producer.send(0, "first half"), NONE);
    assert_eq!(late(&served, 4, &held).error_code, NONE, "it is taken for the end of this one");
    producer.settle();
    assert_eq!(read(&served, 0), ["one", "first half"], "torn: the client has not asked for it");
    assert_eq!(producer.end(false), INVALID_TXN_STATE, "and its abort comes too late");
}

#[test]
fn a_batch_that_comes_late_is_refused_unless_the_next_transaction_has_its_partition() {
    let served = serve();
    let mut producer = Producer::begin(&served, Flavor::One);
    assert_eq!(producer.send(0, "one"), NONE);
    let held = producer.batch(0, "late");
    producer.forget_last(0);
    assert_eq!(producer.end(false), NONE);
    producer.settle();
    assert_eq!(produced(&late(&served, 10, &held)), INVALID_TXN_STATE, "it is part of no transaction");
    assert_eq!(read(&served, 0), [""; 0], "and begins none");
    assert_eq!(producer.add(0), NONE);
    assert_eq!(produced(&late(&served, 10, &held)), NONE, "it is taken for part of this one");
    assert_eq!(producer.send(0, "two"), NONE, "which has its sequence and is taken for the same");
    assert_eq!(producer.end(true), NONE);
    producer.settle();
    assert_eq!(read(&served, 0), ["late"], "two is lost");
}

//! Version 2: each transaction has an epoch of its own, and what is late has an old one.

use crate::client::{Flavor, Producer, committed, late, offset, produced, read, serve};

const NONE: i16 = 0;
const INVALID_PRODUCER_EPOCH: i16 = 47;
const PRODUCER_FENCED: i16 = 90;

#[test]
fn an_end_that_comes_late_ends_no_later_transaction() {
    let served = serve();
    let mut producer = Producer::begin(&served, Flavor::Two);
    let mut expected = Vec::new();
    for (number, committed) in [true, false].into_iter().enumerate() {
        let (before, behind) = (format!("before {number}"), format!("behind {number}"));
        assert_eq!(producer.send(0, &before), NONE);
        let held = producer.end_request(committed);
        assert_eq!(producer.end(committed), NONE, "it was asked for again");
        assert_eq!(producer.send(0, &behind), NONE);
        assert_eq!(late(&served, 5, &held).error_code, PRODUCER_FENCED);
        assert_eq!(producer.state(), "Ongoing");
        assert_eq!(producer.send(1, &behind), NONE, "the transaction goes on");
        assert_eq!(producer.end(!committed), NONE);
        producer.settle();
        expected.push(if committed { before } else { behind });
    }
    assert_eq!(read(&served, 0), expected);
    assert_eq!(read(&served, 1), ["behind 1"]);
}

#[test]
fn an_end_that_comes_again_before_the_next_transaction_is_answered_as_the_first_time() {
    let served = serve();
    let mut producer = Producer::begin(&served, Flavor::Two);
    assert_eq!(producer.send(0, "one"), NONE);
    let held = producer.end_request(true);
    assert_eq!(producer.end(true), NONE);
    producer.settle();
    let again = late(&served, 5, &held);
    assert_eq!((again.error_code, again.producer_epoch), (NONE, producer.epoch));
    assert_ne!(late(&served, 5, &held.with_committed(false)).error_code, NONE);
    assert_eq!(producer.send(0, "two"), NONE);
    assert_eq!(producer.end(true), NONE);
    producer.settle();
    assert_eq!(read(&served, 0), ["one", "two"]);
}

#[test]
fn a_batch_that_comes_late_joins_no_later_transaction_and_begins_none() {
    let served = serve();
    let mut producer = Producer::begin(&served, Flavor::Two);
    assert_eq!(producer.send(0, "one"), NONE);
    let held = [producer.batch(0, "late"), producer.batch(1, "late where nothing was written")];
    assert_eq!(producer.end(false), NONE, "the client gave up");
    producer.settle();
    for held in &held {
        assert_eq!(produced(&late(&served, 12, held)), INVALID_PRODUCER_EPOCH);
    }
    assert_eq!((read(&served, 0), read(&served, 1)), (vec![], vec![]), "nothing is open");
    for index in 0..2 {
        assert_eq!(producer.send(index, "two"), NONE);
    }
    for held in &held {
        assert_eq!(produced(&late(&served, 12, held)), INVALID_PRODUCER_EPOCH);
    }
    assert_eq!(producer.end(true), NONE);
    producer.settle();
    assert_eq!((read(&served, 0), read(&served, 1)), (vec!["two".to_owned()], vec!["two".to_owned()]));
}

#[test]
fn an_offset_that_comes_late_joins_no_later_transaction() {
    let served = serve();
    let mut producer = Producer::begin(&served, Flavor::Two);
    assert_eq!(producer.send_offset(1), NONE);
    let held = producer.offset(100);
    assert_eq!(producer.end(true), NONE);
    assert_eq!(offset(&served), 1);
    assert_eq!(committed(&late(&served, 5, &held)), INVALID_PRODUCER_EPOCH, "with nothing open");
    assert_eq!(producer.send_offset(2), NONE);
    assert_eq!(committed(&late(&served, 5, &held)), INVALID_PRODUCER_EPOCH);
    assert_eq!(producer.end(true), NONE);
    assert_eq!(offset(&served), 2);
}

#[test]
fn a_producer_that_was_followed_does_nothing_any_more() {
    let served = serve();
    let mut first = Producer::begin(&served, Flavor::Two);
    assert_eq!(first.send(0, "one"), NONE);
    let (end, batch, held) = (first.end_request(true), first.batch(0, "late"), first.offset(100));
    let mut second = Producer::begin(&served, Flavor::Two);
    for nothing_open in [true, false] {
        if !nothing_open {
            assert_eq!(second.send(0, "two"), NONE);
            assert_eq!(second.send_offset(2), NONE);
        }
        assert_eq!(late(&served, 5, &end).error_code, PRODUCER_FENCED);
        assert_eq!(produced(&late(&served, 12, &batch)), INVALID_PRODUCER_EPOCH);
        assert_eq!(committed(&late(&served, 5, &held)), INVALID_PRODUCER_EPOCH);
    }
    assert_eq!(second.end(true), NONE);
    second.settle();
    assert_eq!(read(&served, 0), ["two"]);
    assert_eq!(offset(&served), 2);
}

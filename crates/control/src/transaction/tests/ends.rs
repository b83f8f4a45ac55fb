//! EndTxn, in both versions.

use ottla_model::ErrorCode;

use super::scene::{of, producer};
use super::*;
use crate::transaction::*;

#[test]
fn the_epoch_rises_with_every_transaction() {
    let mut scene = Scene::begun();
    scene.take_work();
    scene.add("a", producer(0), "x-0 y-1");
    scene.at(2);
    scene.commit("a", producer(0));
    scene.commit("a", producer(0));
    scene.written(producer(1), "x-0");
    scene.written(producer(1), "y-1");
    // The answer was lost: the same once more.
    scene.commit("a", producer(0));
    scene.abort("a", producer(0));
    scene.commit("a", producer(1));
    scene.add("a", producer(1), "x-0");
    scene.abort("a", producer(1));
    scene.expect(
        "
        0 a: add x-0 y-1 as 1000:0
        0   log: t Ongoing 1000:0 v2 [x-0 y-1] since 0
        0 a <- NONE
        2 a: commit as 1000:0
        2   log: t PrepareCommit 1000:1 v2 [x-0 y-1] since 0
        2 a <- 1000:1
        2 driver <- commit 1000:1 v2 in [x-0 y-1]
        2 a: commit as 1000:0
        2 a <- CONCURRENT_TRANSACTIONS
        2 driver: written x-0 of 1000:1
        2 driver <- NONE
        2 driver: written y-1 of 1000:1
        2   log: t CompleteCommit 1000:1 v2 since 0
        2 driver <- NONE
        2 a: commit as 1000:0
        2 a <- 1000:1
        2 a: abort as 1000:0
        2 a <- INVALID_TXN_STATE
        2 a: commit as 1000:1
        2 a <- INVALID_TXN_STATE
        2 a: add x-0 as 1000:1
        2   log: t Ongoing 1000:1 v2 [x-0] since 2
        2 a <- NONE
        2 a: abort as 1000:1
        2   log: t PrepareAbort 1000:2 v2 [x-0] since 2
        2 a <- 1000:2
        ",
    );
}

/// An abort without a transaction raises the epoch all the same, and ends at once; a commit is refused.
#[test]
fn an_empty_transaction() {
    let mut scene = Scene::begun();
    scene.commit("a", producer(0));
    scene.abort("a", producer(0));
    scene.abort("a", producer(0));
    scene.commit("a", producer(0));
    scene.at(9);
    scene.abort("a", producer(1));
    scene.add("a", producer(2), "");
    scene.commit("a", producer(2));
    scene.abort("a", producer(3));
    scene.expect(
        "
        0 a: commit as 1000:0
        0 a <- INVALID_TXN_STATE
        0 a: abort as 1000:0
        0   log: t PrepareAbort 1000:1 v2 since 0
        0   log: t CompleteAbort 1000:1 v2 since 0
        0 a <- 1000:1
        0 a: abort as 1000:0
        0 a <- 1000:1
        0 a: commit as 1000:0
        0 a <- INVALID_TXN_STATE
        9 a: abort as 1000:1
        9   log: t PrepareAbort 1000:2 v2 since 9
        9   log: t CompleteAbort 1000:2 v2 since 9
        9 a <- 1000:2
        9 a: add  as 1000:2
        9   log: t Ongoing 1000:2 v2 since 9
        9 a <- NONE
        9 a: commit as 1000:2
        9   log: t PrepareCommit 1000:3 v2 since 9
        9   log: t CompleteCommit 1000:3 v2 since 9
        9 a <- 1000:3
        9 a: abort as 1000:3
        9   log: t PrepareAbort 1000:4 v2 since 9
        9   log: t CompleteAbort 1000:4 v2 since 9
        9 a <- 1000:4
        ",
    );
}

#[test]
fn one_epoch_serves_many_transactions_of_an_older_client() {
    let (v0, v1) = (TransactionVersion::V0, TransactionVersion::V1);
    let mut scene = Scene::begun();
    scene.end_as(v0, "a", producer(0), true);
    scene.end_as(v0, "a", producer(0), false);
    scene.add_as(v0, "a", producer(0), "x-0");
    scene.end_as(v1, "a", producer(0), true);
    scene.end_as(v0, "a", producer(0), true);
    scene.take_work();
    scene.written(producer(0), "x-0");
    scene.end_as(v0, "a", producer(0), true);
    scene.end_as(v0, "a", producer(0), false);
    scene.add_as(v0, "a", producer(0), "x-0");
    scene.end_as(v0, "a", producer(0), false);
    scene.end_as(v0, "a", producer(1), false);
    scene.end_as(v0, "a", of(5, 0), false);
    scene.expect(
        "
        0 a: commit as 1000:0
        0 a <- INVALID_TXN_STATE
        0 a: abort as 1000:0
        0 a <- INVALID_TXN_STATE
        0 a: add x-0 as 1000:0
        0   log: t Ongoing 1000:0 v0 [x-0] since 0
        0 a <- NONE
        0 a: commit as 1000:0
        0   log: t PrepareCommit 1000:0 v0 [x-0] since 0
        0 a <- 1000:0
        0 a: commit as 1000:0
        0 a <- CONCURRENT_TRANSACTIONS
        0 driver <- commit 1000:0 v0 in [x-0]
        0 driver: written x-0 of 1000:0
        0   log: t CompleteCommit 1000:0 v0 since 0
        0 driver <- NONE
        0 a: commit as 1000:0
        0 a <- 1000:0
        0 a: abort as 1000:0
        0 a <- INVALID_TXN_STATE
        0 a: add x-0 as 1000:0
        0   log: t Ongoing 1000:0 v0 [x-0] since 0
        0 a <- NONE
        0 a: abort as 1000:0
        0   log: t PrepareAbort 1000:0 v0 [x-0] since 0
        0 a <- 1000:0
        0 a: abort as 1000:1
        0 a <- PRODUCER_FENCED
        0 a: abort as 5:0
        0 a <- INVALID_PRODUCER_ID_MAPPING
        ",
    );
}

#[test]
fn whoever_has_no_business_here_ends_nothing() {
    let mut scene = Scene::begun();
    scene.init("a", None);
    scene.add("a", producer(1), "x-0");
    let ongoing = scene.log.len();
    for version in [TransactionVersion::V0, TransactionVersion::V2] {
        for (id, who, error) in [
            ("", producer(1), ErrorCode::InvalidRequest),
            ("unknown", producer(1), ErrorCode::InvalidProducerIdMapping),
            ("t", of(999, 1), ErrorCode::InvalidProducerIdMapping),
            ("t", producer(0), ErrorCode::ProducerFenced),
            ("t", producer(2), ErrorCode::ProducerFenced),
            ("t", producer(i16::MAX), ErrorCode::ProducerFenced),
        ] {
            for committed in [true, false] {
                let end = End {
                    transactional_id: id.into(),
                    producer: who,
                    committed,
                    client_version: version,
                    fresh_producer_id: None,
                };
                scene.send("z", Command::End(end));
                assert_eq!(scene.answers.last(), Some(&Reply::End(Err(error))), "{id:?} {who:?}");
            }
        }
    }
    assert_eq!(scene.log.len(), ongoing);
}

/// The last epoch of a producer id: its marker takes the one above, and the next transaction has a new id.
#[test]
fn the_last_epoch() {
    let mut scene = Scene::new();
    scene.begin_at_epoch(32_766);
    scene.forget_transcript();
    scene.add("a", producer(32_766), "x-0");
    scene.commit("a", producer(32_766));
    scene.take_work();
    scene.written(producer(32_767), "x-0");
    scene.commit("a", producer(32_766));
    scene.abort("a", producer(32_766));
    scene.init("a", Some(producer(32_766)));
    scene.add("a", of(2000, 0), "x-0");
    scene.commit("a", producer(32_766));
    scene.expect(
        "
        0 a: add x-0 as 1000:32766
        0   log: t Ongoing 1000:32766 v2 [x-0] since 0
        0 a <- NONE
        0 a: commit as 1000:32766
        0   log: t PrepareCommit 1000:32767 before 2000 v2 [x-0] since 0
        0 a <- 2000:0
        0 driver <- commit 1000:32767 v2 in [x-0]
        0 driver: written x-0 of 1000:32767
        0   log: t CompleteCommit 2000:0 after 1000 v2 since 0
        0 driver <- NONE
        0 a: commit as 1000:32766
        0 a <- 2000:0
        0 a: abort as 1000:32766
        0 a <- INVALID_TXN_STATE
        0 a: init as 1000:32766
        0   log: t Empty 2000:0 v2
        0 a <- 2000:0
        0 a: add x-0 as 2000:0
        0   log: t Ongoing 2000:0 v2 [x-0] since 0
        0 a <- NONE
        0 a: commit as 1000:32766
        0 a <- INVALID_PRODUCER_ID_MAPPING
        ",
    );
}

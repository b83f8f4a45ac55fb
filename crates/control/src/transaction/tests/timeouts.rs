//! Transactions that take too long, and ids that nobody uses.

use super::scene::{WALL, of, producer, replayed};
use super::*;
use crate::transaction::*;

#[test]
fn a_transaction_that_takes_too_long_is_aborted() {
    let mut scene = Scene::begun();
    scene.at(1000);
    scene.add("a", producer(0), "x-0");
    scene.at(30_000);
    scene.add("a", producer(0), "x-1");
    scene.at(60_999);
    scene.note("not yet");
    scene.at(61_000);
    scene.take_work();
    scene.commit("a", producer(0));
    scene.written(producer(1), "x-0 x-1");
    scene.commit("a", producer(0));
    // It goes on, and gets the epoch to which the abort has raised it.
    scene.init("a", Some(producer(0)));
    scene.expect(
        "
          1000 a: add x-0 as 1000:0
          1000   log: t Ongoing 1000:0 v2 [x-0] since 1000
          1000 a <- NONE
         30000 a: add x-1 as 1000:0
         30000   log: t Ongoing 1000:0 v2 [x-0 x-1] since 1000
         30000 a <- NONE
         60999 not yet
         61000   log: t PrepareAbort 1000:1 v2 [x-0 x-1] since 1000
         61000 driver <- abort 1000:1 v2 in [x-0 x-1]
         61000 a: commit as 1000:0
         61000 a <- CONCURRENT_TRANSACTIONS
         61000 driver: written x-0 x-1 of 1000:1
         61000   log: t CompleteAbort 1000:1 v2 since 1000
         61000 driver <- NONE
         61000 a: commit as 1000:0
         61000 a <- INVALID_TXN_STATE
         61000 a: init as 1000:0
         61000   log: t Empty 1000:1 v2
         61000 a <- 1000:1
        ",
    );
}

/// The time of a new transaction is its own, also when the one before was short.
#[test]
fn each_transaction_has_its_own_time() {
    let mut scene = Scene::begun();
    scene.add("a", producer(0), "x-0");
    scene.commit("a", producer(0));
    scene.take_work();
    scene.written(producer(1), "x-0");
    scene.at(50_000);
    scene.add("a", producer(1), "x-0");
    scene.forget_transcript();
    scene.at(109_999);
    scene.expect("");
    scene.at(110_000);
    scene.expect("110000   log: t PrepareAbort 1000:2 v2 [x-0] since 50000");
}

/// After a restart the wall clock says what is left, whatever it says.
#[test]
fn a_restart_does_not_give_more_time() {
    for (jump_ms, due_ms) in [(0, 60_000), (3_600_000, 20_001), (-3_600_000, 80_000)] {
        let mut scene = Scene::begun();
        scene.add("a", producer(0), "x-0");
        scene.at(20_000);
        scene.wall_ms = WALL + jump_ms;
        scene.restart();
        scene.forget_transcript();
        scene.at(due_ms - 1);
        scene.expect("");
        scene.at(due_ms);
        scene.expect(&format!("{due_ms}   log: t PrepareAbort 1000:1 v2 [x-0] since 0"));
    }
}

/// At the last epoch it takes a new producer id, which the driver has to bring.
#[test]
fn the_last_epoch_times_out() {
    let mut scene = Scene::new();
    scene.begin_at_epoch(32_766);
    scene.add("a", producer(32_766), "x-0");
    scene.forget_transcript();
    scene.at(62_500);
    scene.take_work();
    let abort = |fresh_producer_id, epoch| {
        Command::AbortTimedOut(AbortTimedOut {
            transactional_id: "t".into(),
            producer: producer(epoch),
            fresh_producer_id,
        })
    };
    scene.send("driver", abort(5000, 32_765));
    scene.send("driver", abort(6000, 32_766));
    scene.send("driver", abort(7000, 32_766));
    scene.take_work();
    scene.written(producer(32_767), "x-0");
    scene.init("a", Some(producer(32_766)));
    scene.expect(
        "
        62500 driver <- abort 1000:32766, timed out
        62500 driver <- NONE
        62500   log: t PrepareAbort 1000:32767 before 6000 v2 [x-0] since 0
        62500 driver <- NONE
        62500 driver <- NONE
        62500 driver <- abort 1000:32767 v2 in [x-0]
        62500 driver: written x-0 of 1000:32767
        62500   log: t CompleteAbort 6000:0 after 1000 v2 since 0
        62500 driver <- NONE
        62500 a: init as 1000:32766
        62500   log: t Empty 6000:0 v2
        62500 a <- 6000:0
        ",
    );
}

#[test]
fn an_id_that_nobody_uses_expires_but_never_with_a_transaction() {
    let day = 24 * 3_600_000;
    let config = TransactionConfig { transactional_id_expiration_ms: 10_000, ..TransactionConfig::default() };
    let mut scene = Scene::with(config.clone());
    scene.init("a", None);
    scene.at(5_000);
    scene.init("a", None);
    scene.at(14_999);
    scene.forget_transcript();
    scene.at(15_000);
    scene.expect("15000   log: t is gone");
    scene.at(day);
    scene.init("a", None);
    scene.add("a", of(2000, 0), "x-0");
    scene.forget_transcript();
    // An open one is aborted after a minute; while its marker is not down it stays, however long that takes.
    scene.at(2 * day);
    scene.take_work();
    scene.expect(&format!(
        "{}   log: t PrepareAbort 2000:1 v2 [x-0] since {day}
        {} driver <- abort 2000:1 v2 in [x-0]",
        day + 60_000,
        2 * day
    ));
    scene.written(of(2000, 1), "x-0");
    scene.at(3 * day);
    assert!(scene.transcript().ends_with(&format!("{}   log: t is gone\n", 2 * day + 10_000)));
    assert!(scene.machine.is_empty());
    assert_eq!(replayed(&scene.log, &config).len(), 0);
}

/// A wall clock that is set back makes nothing expire, and nothing run in circles.
#[test]
fn a_clock_that_was_set_back() {
    let config = TransactionConfig { transactional_id_expiration_ms: 10_000, ..TransactionConfig::default() };
    let mut scene = Scene::with(config);
    scene.init("a", None);
    scene.wall_ms -= 5_000;
    scene.forget_transcript();
    scene.at(14_999);
    scene.expect("");
    scene.at(15_000);
    scene.expect("15000   log: t is gone");
}

/// In a cluster at `transaction.version` 0 an end raises no epoch, but fencing does.
#[test]
fn the_older_version_fences_too() {
    // Records of version 0 have no room for the producer id before, which counts as -1 then.
    for (version, previous) in [(TransactionVersion::V0, " after -1"), (TransactionVersion::V1, "")] {
        let mut scene = Scene::begun();
        scene.send("driver", Command::LearnVersion(version));
        scene.forget_transcript();
        scene.add_as(TransactionVersion::V0, "a", producer(0), "x-0");
        scene.at(60_000);
        scene.take_work();
        scene.end_as(TransactionVersion::V0, "a", producer(0), true);
        scene.written(producer(1), "x-0");
        let expected = "
                 0 a: add x-0 as 1000:0
                 0   log: t Ongoing 1000:0 after -1 v0 [x-0] since 0
                 0 a <- NONE
             60000   log: t PrepareAbort 1000:1 after -1 v0 [x-0] since 0
             60000 driver <- abort 1000:1 v0 in [x-0]
             60000 a: commit as 1000:0
             60000 a <- PRODUCER_FENCED
             60000 driver: written x-0 of 1000:1
             60000   log: t CompleteAbort 1000:1 after -1 v0 since 0
             60000 driver <- NONE
            ";
        scene.expect(&expected.replace(" after -1", previous));
    }
}

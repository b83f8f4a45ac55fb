//! Who may append what, and what readers of committed data may see meanwhile.

use ottla_log::{Append, AppendError, EndMarker, LogConfig, Outcome};
use ottla_model::WallMillis;

use super::support::transactions::*;
use super::support::*;

const VALUE: &[(&str, Option<&str>)] = &[("key", Some("value"))];

#[test]
fn a_transaction_begins_with_a_guard_and_goes_on_without() {
    for place in Place::each() {
        let mut log = place.fresh(&LogConfig::default());
        let mut one = Transactor::new(1);
        let refused = append(&mut log, &one.batch(VALUE));
        assert!(matches!(refused, Err(AppendError::InvalidTransactionState { producer_id: 1 })));
        assert_eq!(one.send(&mut log, VALUE).base_offset, 0);
        append(&mut log, &one.batch(VALUE)).expect("it is open");
        one.sequence += 1;
        append(&mut log, &batch(&["of another"])).expect("appended");
        let plain = edit(&one.batch(VALUE), |header| header.attributes = 0);
        assert!(matches!(append(&mut log, &plain), Err(AppendError::InvalidTransactionState { .. })));
        assert_eq!((log.last_stable_offset(3), log.last_stable_offset(0)), (0, 0));
        let ended = one.end(&mut log, Outcome::Commit);
        assert_eq!(ended.base_offset, 3);
        assert_eq!(log.last_stable_offset(4), 4);
        assert_eq!(log.last_stable_offset(3), 0, "as long as its marker is not committed");
        assert!(log.aborted_transactions(0, 4).expect("looked up").is_empty());
        assert_eq!(read_committed(&log, 0, usize::MAX), [0, 1, 2]);
        append(&mut log, &edit(&one.batch(VALUE), |header| header.attributes = 0)).expect("outside of any");
        check_transactions(&log, "in the end");
    }
}

/// The hanging transaction of KIP-890: a batch that was judged before the abort and comes after it.
#[test]
fn a_marker_takes_away_the_guard_of_what_it_ended() {
    let mut log = Place::memory().fresh(&LogConfig::default());
    let one = Transactor::new(1);
    let guard = log.begin_verification(one.first(), NOW).expect("not fenced");
    assert!(guard.is_some());
    log.append(marker(1, 0, Outcome::Abort), coordinator(false)).expect("a marker for what never came");
    let late = log.append(one.batch(VALUE), Append { guard, ..client() });
    assert!(matches!(late, Err(AppendError::InvalidTransactionState { .. })));
    assert_eq!(log.last_stable_offset(1), 1, "nothing hangs");
    // The guard of one producer is none for another, and one that was used is none for the next transaction.
    let mut one = one;
    one.send(&mut log, VALUE);
    let two = Transactor::new(2);
    let guard = log.begin_verification(two.first(), NOW).expect("not fenced");
    one.end(&mut log, Outcome::Abort);
    let wrong = log.append(one.batch(VALUE), Append { guard, ..client() });
    assert!(matches!(wrong, Err(AppendError::InvalidTransactionState { producer_id: 1 })));
    log.append(two.batch(VALUE), Append { guard, ..client() }).expect("its own");
    log.append(marker(2, 0, Outcome::Commit), coordinator(false)).expect("ended");
    let again = edit(&two.batch(VALUE), |header| header.base_sequence = 1);
    let again = log.append(again, Append { guard, ..client() });
    assert!(matches!(again, Err(AppendError::InvalidTransactionState { producer_id: 2 })));
}

#[test]
fn guards_expire_with_their_producers() {
    let config = LogConfig { producer_id_expiration_ms: 1000, ..LogConfig::default() };
    let mut log = Place::memory().fresh(&config);
    let one = Transactor::new(1);
    let guard = log.begin_verification(one.first(), NOW).expect("not fenced");
    log.expire_producers(WallMillis(NOW.0 + 1000));
    let late = log.append(one.batch(VALUE), Append { guard, ..client() });
    assert!(matches!(late, Err(AppendError::InvalidTransactionState { .. })));
}

#[test]
fn an_epoch_of_its_own_fences_late_requests_of_the_transaction_before() {
    let mut log = Place::memory().fresh(&LogConfig::default());
    let mut one = Transactor { bumps_epochs: true, ..Transactor::new(1) };
    one.send(&mut log, VALUE);
    let late = edit(&one.batch(VALUE), |header| header.base_sequence = 1);
    let unbumped = log.append(marker(1, 0, Outcome::Commit), coordinator(true));
    assert!(matches!(unbumped, Err(AppendError::InvalidProducerEpoch { epoch: 0, current: 0, .. })));
    one.end(&mut log, Outcome::Abort);
    assert!(matches!(
        one.append(&mut log, late.clone()),
        Err(AppendError::InvalidProducerEpoch { epoch: 0, current: 1, .. })
    ));
    assert!(matches!(append(&mut log, &late), Err(AppendError::InvalidProducerEpoch { .. })));
    let gap = edit(&one.batch(VALUE), |header| header.base_sequence = 1);
    assert!(matches!(
        Transactor { sequence: 1, ..one.clone() }.append(&mut log, gap),
        Err(AppendError::OutOfOrderSequence { sequence: 1, .. })
    ));
    log.append(marker(1, 1, Outcome::Abort), coordinator(true)).expect("the same marker again");
    one.send(&mut log, VALUE);
    one.end(&mut log, Outcome::Commit);
    check_transactions(&log, "in the end");
    assert_eq!(read_committed(&log, 0, usize::MAX), [3]);
}

#[test]
fn a_coordinator_that_was_replaced_is_fenced_and_nothing_else_is_appended_as_a_marker() {
    let mut log = Place::memory().fresh(&LogConfig::default());
    let mut one = Transactor::new(1);
    let of = |coordinator_epoch| {
        EndMarker { outcome: Outcome::Commit, coordinator_epoch, timestamp: NOW.0 }.to_batch(1, 0)
    };
    one.send(&mut log, VALUE);
    log.append(of(5), coordinator(false)).expect("appended");
    one.send(&mut log, VALUE);
    let fenced = log.append(of(4), coordinator(false));
    assert!(matches!(
        fenced,
        Err(AppendError::TransactionCoordinatorFenced { producer_id: 1, epoch: 4, current: 5 })
    ));
    log.append(of(5), coordinator(false)).expect("the newest");
    assert!(matches!(append(&mut log, &of(6)), Err(AppendError::Batch(_))), "a client may not");
    let odd = edit(&one.batch(VALUE), |header| header.attributes = 0x30);
    assert!(matches!(log.append(odd, coordinator(false)), Err(AppendError::Batch(_))));
    assert_eq!(log.active_producers()[0].coordinator_epoch, 5);
}

#[test]
fn a_start_that_moves_into_an_open_transaction_is_stable() {
    let mut log = Place::memory().fresh(&LogConfig::default());
    let mut one = Transactor::new(1);
    for _ in 0..4 {
        one.send(&mut log, VALUE);
    }
    log.advance_start_offset(2).expect("moved");
    assert_eq!(log.last_stable_offset(4), 2);
    one.end(&mut log, Outcome::Abort);
    assert_eq!(log.last_stable_offset(5), 5);
    assert_eq!(read_committed(&log, 2, 1), Vec::<i64>::new());
}

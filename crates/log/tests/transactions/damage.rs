//! Every bit of a transaction index flipped, and its end cut at every byte: no answer changes.

use super::random::small;
use super::restarts::written;
use super::support::transactions::*;
use super::support::*;

fn indexes(place: &Place) -> Vec<(String, Vec<u8>)> {
    let found: Vec<_> = place.files().into_iter().filter(|(name, _)| name.ends_with(".txnindex")).collect();
    assert!(found.iter().any(|(_, bytes)| bytes.len() > 34), "some were aborted");
    found
}

fn check(place: &Place, end: i64, what: &str) {
    for clean in [true, false] {
        let (log, report) = place.open(&small(), clean, end);
        assert_eq!((log.end_offset(), report.bytes_cut, report.quarantined.len()), (end, 0, 0), "{what}");
        check_transactions(&log, &format!("{what}, clean {clean}"));
    }
}

#[test]
fn damaged_transaction_indexes_are_made_again() {
    let place = Place::memory();
    let (mut log, _) = written(&place, 7);
    let end = log.end_offset();
    log.close(NOW).expect("closed");
    let indexes = indexes(&place);
    let (mut flips, mut cuts) = (0, 0);
    // Those with entries, and one of those without.
    let empty = indexes.iter().find(|(_, bytes)| bytes.len() == 34);
    for (name, good) in indexes.iter().filter(|(_, bytes)| bytes.len() > 34).take(1).chain(empty) {
        for bit in 0..good.len() * 8 {
            let mut flipped = good.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            place.write(name, &flipped);
            check(&place, end, &format!("{name} bit {bit}"));
            flips += 1;
        }
        for length in 0..good.len() {
            place.write(name, &good[..length]);
            check(&place, end, &format!("{name} cut at {length}"));
            cuts += 1;
        }
        for longer in [&[0; 34][..], &[0; 1], &good[..]] {
            place.write(name, &[good, longer].concat());
            check(&place, end, &format!("{name} with {} bytes more", longer.len()));
        }
        place.write(name, good);
    }
    println!("transaction indexes: {flips} bits flipped and {cuts} tails cut, no answer changed");
}

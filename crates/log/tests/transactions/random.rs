//! Random transactions of several producers against a naive replay, over rolls, restarts and crashes.

use ottla_log::{Log, LogConfig, Outcome};

use super::support::transactions::*;
use super::support::*;

/// Does one random thing.
pub(crate) fn step(log: &mut Log, producers: &mut [Transactor], open: &mut [bool], random: &mut Seeded) {
    let number = random.below(producers.len() as u64 + 1) as usize;
    let Some(producer) = producers.get_mut(number) else {
        append(log, &batch(&["plain"])).expect("appended");
        return;
    };
    if open[number] && random.below(3) == 0 {
        let outcome = if random.below(2) == 0 { Outcome::Abort } else { Outcome::Commit };
        producer.end(log, outcome);
        open[number] = false;
        return;
    }
    let value = "v".repeat(random.below(60) as usize);
    let records = vec![("key", Some(&*value)); random.between(1, 3) as usize];
    producer.send(log, &records);
    open[number] = true;
}

pub(crate) fn producers() -> Vec<Transactor> {
    let producers = (1..=4).map(|id| Transactor { bumps_epochs: id % 2 == 0, ..Transactor::new(id) });
    producers.collect()
}

pub(crate) fn small() -> LogConfig {
    LogConfig { segment_bytes: 700, index_interval_bytes: 100, ..LogConfig::default() }
}

#[test]
fn the_log_says_what_a_naive_replay_says() {
    for seed in 0..12 {
        for place in Place::each() {
            let mut random = Seeded(seed);
            let (mut producers, mut open) = (producers(), [false; 4]);
            let mut log = place.fresh(&small());
            for number in 0..120 {
                step(&mut log, &mut producers, &mut open, &mut random);
                let what = format!("seed {seed}, step {number}");
                match random.below(24) {
                    0 => log.cool(),
                    1 => {
                        let end = log.end_offset();
                        log.close(NOW).expect("closed");
                        log = place.open(&small(), true, end).0;
                    }
                    2 => {
                        let recovery_point = random.below(log.end_offset() as u64 + 1) as i64;
                        drop(log);
                        log = place.open(&small(), false, recovery_point).0;
                    }
                    3 => log.sync().expect("synced"),
                    _ => continue,
                }
                check_transactions(&log, &what);
            }
            assert!(log.segment_count() > 8, "seed {seed}");
            check_transactions(&log, &format!("seed {seed}, at the end"));
        }
    }
}

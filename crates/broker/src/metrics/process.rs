//! What the system tells of this process, under the names that Prometheus' clients have agreed on.

use std::fs;

use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Resource, getrlimit};

use super::catalog::Id;
use super::samples::{Samples, Value};

/// Places of numbers in what follows the name of the process in `/proc/self/stat` (proc(5)), counted from its state.
const USER_TICKS: usize = 11;
const SYSTEM_TICKS: usize = 12;
const START_TICKS: usize = 19;
const VIRTUAL_BYTES: usize = 20;
const RESIDENT_PAGES: usize = 21;

/// Adds what can be read; where there is no `/proc`, little is.
pub(super) fn add_process(samples: &mut Samples) {
    if let Some(limit) = getrlimit(Resource::Nofile).current {
        samples.add(Id::ProcessFdsMax, &[], Value::Count(limit));
    }
    if let Ok(entries) = fs::read_dir("/proc/self/fd") {
        // One of them is the directory that is being read.
        samples.add(Id::ProcessFds, &[], Value::Count(entries.count().saturating_sub(1) as u64));
    }
    let Some(numbers) = fs::read_to_string("/proc/self/stat").ok().and_then(|text| numbers(&text)) else {
        return;
    };
    let number = |place: usize| numbers.get(place).copied().unwrap_or_default();
    let seconds = |ticks: u64| ticks as f64 / clock_ticks_per_second().max(1) as f64;
    let cpu = seconds(number(USER_TICKS).saturating_add(number(SYSTEM_TICKS)));
    samples.add(Id::ProcessCpu, &[], Value::Real(cpu));
    samples.add(Id::ProcessVirtual, &[], Value::Count(number(VIRTUAL_BYTES)));
    let resident = number(RESIDENT_PAGES).saturating_mul(page_size() as u64);
    samples.add(Id::ProcessResident, &[], Value::Count(resident));
    if let Some(booted) = fs::read_to_string("/proc/stat").ok().and_then(|text| boot_seconds(&text)) {
        samples.add(Id::ProcessStart, &[], Value::Real(booted + seconds(number(START_TICKS))));
    }
}

/// The numbers behind the name, which may hold blanks and brackets. What is no whole number is 0.
fn numbers(stat: &str) -> Option<Vec<u64>> {
    let (_, rest) = stat.rsplit_once(')')?;
    Some(rest.split_whitespace().map(|word| word.parse().unwrap_or_default()).collect())
}

fn boot_seconds(stat: &str) -> Option<f64> {
    stat.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_process_may_hold_anything() {
        let stat = "12 (a ) b) S 1 2 3 4 -1 6 7 8 9 10 150 50 13 14 15 16 17 18 4000 81920 5 20";
        let numbers = numbers(stat).expect("read");
        let of = |place: usize| numbers[place];
        assert_eq!((of(USER_TICKS), of(SYSTEM_TICKS), of(START_TICKS)), (150, 50, 4000));
        assert_eq!((of(VIRTUAL_BYTES), of(RESIDENT_PAGES)), (81920, 5));
        assert_eq!(boot_seconds("cpu 1\nbtime 1700000000\n"), Some(1_700_000_000.0));
    }
}

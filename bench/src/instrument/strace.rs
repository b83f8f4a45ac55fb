//! The table that `strace -c` writes.

use ottla_tests::problem::Problem;

use super::counts::Counts;

/// Where a line has how often a system call was made, behind the share of the time, the seconds and the microseconds a call;
/// and, where it is not the last column yet, how often it failed.
const CALLS_COLUMN: usize = 3;
const ERRORS_COLUMN: usize = 4;

/// What comes behind the name of a system call that failed.
const FAILED: &str = " failed";

/// How often each system call was made and did something, and how often it failed.
pub(super) fn read(output: &str) -> Result<Counts, Problem> {
    let counts: Vec<(String, u64)> = output.lines().filter_map(of_line).flatten().collect();
    if counts.is_empty() {
        return Err(Problem::new(format!("strace has counted nothing: {output:?}")));
    }
    Ok(counts.into_iter().collect())
}

fn of_line(line: &str) -> Option<[(String, u64); 2]> {
    let columns: Vec<&str> = line.split_ascii_whitespace().collect();
    let name = *columns.last().filter(|name| **name != "total")?;
    let calls: u64 = columns.get(CALLS_COLUMN)?.parse().ok()?;
    let errors = columns.get(ERRORS_COLUMN)?.parse().unwrap_or_default();
    Some([(name.to_owned(), calls.saturating_sub(errors)), (format!("{name}{FAILED}"), errors)])
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 62.50    0.000050          10         5           openat
 37.50    0.000030           3        10         4 futex
------ ----------- ----------- --------- --------- ----------------
100.00    0.000080           5        15         4 total
";

    #[test]
    fn calls_are_read_with_and_without_errors() {
        let expected = [("openat", 5), ("openat failed", 0), ("futex", 6), ("futex failed", 4)];
        let expected = expected.map(|(name, count)| (name.to_owned(), count));
        assert_eq!(read(OUTPUT).unwrap(), Counts::from_iter(expected));
        assert!(read("strace: no permission\n").is_err());
    }
}

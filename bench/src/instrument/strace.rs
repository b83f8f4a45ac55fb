//! The table that `strace -c` writes.

use ottla_tests::problem::Problem;

use super::counts::Counts;

/// Where the calls are in a line, behind the share of the time, the seconds and the microseconds a call.
const CALLS_COLUMN: usize = 3;

/// How often each system call was made.
pub(super) fn read(output: &str) -> Result<Counts, Problem> {
    let calls = |line: &str| {
        let columns: Vec<&str> = line.split_ascii_whitespace().collect();
        let name = columns.last().filter(|name| **name != "total")?;
        Some((String::from(*name), columns.get(CALLS_COLUMN)?.parse().ok()?))
    };
    let counts: Vec<(String, u64)> = output.lines().filter_map(calls).collect();
    if counts.is_empty() {
        return Err(Problem::new(format!("strace has counted nothing: {output:?}")));
    }
    Ok(counts.into_iter().collect())
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
        let expected = [("openat".to_owned(), 5), ("futex".to_owned(), 10)];
        assert_eq!(read(OUTPUT).unwrap(), Counts::from_iter(expected));
        assert!(read("strace: no permission\n").is_err());
    }
}

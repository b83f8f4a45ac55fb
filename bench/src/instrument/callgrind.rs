//! The end of the file that callgrind writes.

use ottla_tests::problem::Problem;

use super::counts::Counts;

/// The only name in the counts.
pub const INSTRUCTIONS: &str = "instructions";

/// How many instructions all threads have executed.
pub(super) fn read(output: &str) -> Result<Counts, Problem> {
    let total = output.lines().rev().find_map(|line| line.strip_prefix("totals:"));
    let count = total.and_then(|total| total.trim().parse().ok());
    let count: u64 = count.ok_or_else(|| Problem::new("callgrind has written no totals"))?;
    Ok(Counts::from_iter([(INSTRUCTIONS.to_owned(), count)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_read() {
        let counts = read("events: Ir\nsummary: 7\n\nfn=(1)\n5 7\n\ntotals: 123456789\n").unwrap();
        assert_eq!(counts, Counts::from_iter([(INSTRUCTIONS.to_owned(), 123_456_789)]));
        assert!(read("events: Ir\n").is_err());
    }
}

//! Spreads the connections of a load over threads.

use std::iter::StepBy;
use std::ops::Range;

use ottla_tests::problem::Problem;

/// Has each thread work on its share of the connections, by their numbers, and gives what each came to.
///
/// # Errors
/// That of the first thread that fails.
pub(super) fn spread<T: Send>(
    connections: usize,
    threads: usize,
    work: impl Fn(StepBy<Range<usize>>) -> Result<T, Problem> + Sync,
) -> Result<Vec<T>, Problem> {
    let threads = threads.clamp(1, connections.max(1));
    std::thread::scope(|scope| {
        let work = &work;
        let start = |first: usize| scope.spawn(move || work((first..connections).step_by(threads)));
        let running: Vec<_> = (0..threads).map(start).collect();
        let ended = running.into_iter().map(|thread| {
            thread.join().unwrap_or_else(|_| Err(Problem::new("a thread of the load ended by itself")))
        });
        ended.collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_connection_is_in_one_share() {
        let shares = spread(5, 2, |numbers| Ok(numbers.collect::<Vec<_>>())).unwrap();
        assert_eq!(shares, [vec![0, 2, 4], vec![1, 3]]);
        assert_eq!(spread(1, 4, |numbers| Ok(numbers.count())).unwrap(), [1]);
        assert!(spread(2, 2, |_| Err::<(), _>(Problem::new("no"))).is_err());
    }
}

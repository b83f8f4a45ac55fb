//! Work on many things by several threads, with the outcome of one.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Does `work` on each of the `jobs`, on up to `threads` threads. The results are in the order of the jobs, and so is the
/// choice of the error: it is that of the first job that failed, as if they had been done one after the other. Jobs behind
/// it may have been done or not.
pub(super) fn each<J: Sync, R: Send, E: Send>(
    threads: usize,
    jobs: &[J],
    work: impl Fn(&J) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    let threads = threads.min(jobs.len());
    if threads <= 1 {
        return jobs.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, Result<R, E>)>> = Mutex::new(Vec::with_capacity(jobs.len()));
    let run = || {
        // Jobs are begun in their order, so none before one that failed is left out.
        while let Some((place, job)) = take(&next, jobs) {
            let result = work(job);
            if result.is_err() {
                next.store(jobs.len(), Ordering::Relaxed);
            }
            done.lock().unwrap_or_else(PoisonError::into_inner).push((place, result));
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(run);
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}

fn take<'a, J>(next: &AtomicUsize, jobs: &'a [J]) -> Option<(usize, &'a J)> {
    let begin = |place: usize| (place < jobs.len()).then_some(place.saturating_add(1));
    let place = next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, begin).ok()?;
    jobs.get(place).map(|job| (place, job))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_jobs_whoever_did_them() {
        let jobs: Vec<usize> = (0..100).collect();
        // The first two jobs wait for each other, so that two threads must be at work.
        let both = Barrier::new(2);
        let seen = Mutex::new(HashSet::new());
        let results = each(4, &jobs, |job| {
            if *job < 2 {
                both.wait();
                seen.lock().expect("whole").insert(std::thread::current().id());
            }
            Ok::<usize, ()>(job * 2)
        });
        assert_eq!(results, Ok(jobs.iter().map(|job| job * 2).collect()));
        assert_eq!(seen.lock().expect("whole").len(), 2);
        assert_eq!(each(0, &jobs, |job| Ok::<usize, ()>(*job)), Ok(jobs.clone()));
        assert_eq!(each(4, &[], |job: &usize| Ok::<usize, ()>(*job)), Ok(Vec::new()));
    }

    #[test]
    fn the_error_is_that_of_the_first_job_also_when_a_later_one_fails_before_it() {
        let jobs: Vec<usize> = (0..100).collect();
        let both_begun = Barrier::new(2);
        let (later, failed) = std::sync::mpsc::channel();
        let failed = Mutex::new(failed);
        let result = each(2, &jobs, |job| match *job {
            0 => {
                both_begun.wait();
                failed.lock().expect("whole").recv().expect("sent");
                Err(0)
            }
            1 => {
                both_begun.wait();
                later.send(()).expect("received");
                Err(1)
            }
            other => Ok(other),
        });
        assert_eq!(result, Err(0));
    }
}

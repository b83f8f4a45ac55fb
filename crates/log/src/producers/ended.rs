//! Transactions that have ended, for as long as their markers may not be committed (`unreplicatedTxns`).

use std::collections::VecDeque;

use ottla_model::Offset;

/// Most of them that are told apart. Beyond this the two oldest count as one, which holds readers of committed data
/// back for longer than need be and never lets them read too much.
const ENDED_MAX: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct EndedTransaction {
    first_offset: Offset,
    marker: Offset,
}

/// Ended transactions in the order of their markers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Ended(VecDeque<EndedTransaction>);

impl Ended {
    pub(super) fn push(&mut self, first_offset: Offset, marker: Offset) {
        if self.0.len() >= ENDED_MAX
            && let Some(oldest) = self.0.pop_front()
            && let Some(next) = self.0.front_mut()
        {
            next.first_offset = next.first_offset.min(oldest.first_offset);
        }
        self.0.push_back(EndedTransaction { first_offset, marker });
    }

    /// First offset of the oldest one whose marker is not below the high watermark.
    pub(super) fn first_offset(&self, high_watermark: Offset) -> Option<Offset> {
        let open = self.0.iter().rev().take_while(|ended| ended.marker >= high_watermark);
        open.map(|ended| ended.first_offset).min()
    }

    /// Forgets those whose markers lie before `offset`.
    pub(super) fn forget(&mut self, offset: Offset) {
        while self.0.front().is_some_and(|ended| ended.marker < offset) {
            self.0.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_at_the_high_watermark_is_not_below_it() {
        let mut ended = Ended::default();
        ended.push(5, 9);
        ended.push(2, 12);
        assert_eq!(ended.first_offset(9), Some(2));
        assert_eq!(ended.first_offset(12), Some(2));
        assert_eq!(ended.first_offset(13), None);
        ended.push(10, 20);
        assert_eq!(ended.first_offset(13), Some(10));
        ended.forget(13);
        assert_eq!(ended.first_offset(0), Some(10));
    }

    #[test]
    fn many_are_never_forgotten_too_early() {
        let (mut ended, mut all) = (Ended::default(), Vec::new());
        for number in 0..200 {
            let (first, marker) = (number * 10 - number % 7 * 3, number * 10 + 5);
            ended.push(first, marker);
            all.push((first, marker));
        }
        assert_eq!(ended.0.len(), ENDED_MAX);
        for high_watermark in 0..2010 {
            let exact = all.iter().filter(|(_, marker)| *marker >= high_watermark).map(|(first, _)| *first);
            let held = ended.first_offset(high_watermark);
            match exact.min() {
                Some(exact) => assert!(held.is_some_and(|held| held <= exact), "{high_watermark}"),
                None => assert_eq!(held, None),
            }
        }
    }
}

//! What was counted, by name.

use std::collections::BTreeMap;

/// Counts by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts(BTreeMap<String, u64>);

impl Counts {
    /// What each of so many requests cost that these counts have more than others.
    #[must_use]
    pub fn each_beyond(&self, fewer: &Self, requests: u64) -> BTreeMap<String, f64> {
        let each = |(name, count): (&String, &u64)| {
            let before = fewer.0.get(name).copied().unwrap_or_default();
            (name.clone(), (*count as f64 - before as f64) / requests as f64)
        };
        self.0.iter().map(each).collect()
    }
}

impl FromIterator<(String, u64)> for Counts {
    fn from_iter<I: IntoIterator<Item = (String, u64)>>(counts: I) -> Self {
        Self(counts.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_runs_have_is_taken_off() {
        let counts =
            |write, futex| Counts::from_iter([("write".to_owned(), write), ("futex".to_owned(), futex)]);
        let each = counts(310, 8).each_beyond(&counts(110, 10), 200);
        assert_eq!(each, BTreeMap::from([("write".to_owned(), 1.0), ("futex".to_owned(), -0.01)]));
    }
}

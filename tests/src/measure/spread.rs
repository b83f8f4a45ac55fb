//! Several measurements of one quantity.

use serde_json::{Value, json};

use crate::problem::Problem;

/// Measurements, their median and their extremes, in whatever unit they have.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread {
    sorted: Vec<f64>,
    /// The one in the middle, or halfway between the two that are.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

impl Spread {
    /// Sorts the measurements.
    ///
    /// # Errors
    /// There is none.
    pub fn of(measured: impl IntoIterator<Item = f64>) -> Result<Self, Problem> {
        let mut sorted: Vec<f64> = measured.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let at =
            |index: usize| sorted.get(index).copied().ok_or_else(|| Problem::new("nothing was measured"));
        let last = sorted.len().saturating_sub(1);
        let median = f64::midpoint(at(last / 2)?, at(last.div_ceil(2))?);
        Ok(Self { median, min: at(0)?, max: at(last)?, sorted })
    }

    /// How many measurements there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.sorted.len()
    }

    /// The median with the extremes, for a table, with so many digits behind the point.
    #[must_use]
    pub fn cell(&self, digits: usize) -> String {
        let Self { median, min, max, .. } = self;
        format!("{median:.digits$} ({min:.digits$} to {max:.digits$})")
    }

    /// All of it.
    #[must_use]
    pub fn json(&self) -> Value {
        let Self { median, min, max, sorted } = self;
        json!({"median": median, "min": min, "max": max, "sorted": sorted})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_lies_in_the_middle() {
        let median = |measured: &[f64]| Spread::of(measured.iter().copied()).map(|spread| spread.median);
        assert!((median(&[9.0, 1.0, 2.0]).unwrap() - 2.0).abs() < 1e-9);
        assert!((median(&[9.0, 1.0, 2.0, 4.0]).unwrap() - 3.0).abs() < 1e-9);
        assert!(median(&[]).is_err());
    }
}

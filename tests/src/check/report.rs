//! What the rules found.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::rule::Rule;

/// How many violations of one rule are described; further ones are counted.
const DESCRIBED_MAX: usize = 20;

/// One fact that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The rule.
    pub rule: Rule,
    /// The fact, in a sentence.
    pub fact: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.rule, self.fact)
    }
}

/// How much each rule looked at, and what it found.
#[derive(Debug, Clone)]
pub struct Report {
    rules: &'static [Rule],
    checked: BTreeMap<Rule, u64>,
    found: BTreeMap<Rule, u64>,
    violations: Vec<Violation>,
}

impl Report {
    /// An empty report on these rules.
    pub(super) fn of(rules: &'static [Rule]) -> Self {
        Self { rules, checked: BTreeMap::new(), found: BTreeMap::new(), violations: Vec::new() }
    }

    /// Counts facts that a rule has looked at.
    pub(super) fn checked(&mut self, rule: Rule, facts: usize) {
        let counter = self.checked.entry(rule).or_default();
        *counter = counter.saturating_add(u64::try_from(facts).unwrap_or(u64::MAX));
    }

    /// Takes note of a violation.
    pub(super) fn violated(&mut self, rule: Rule, fact: impl FnOnce() -> String) {
        let found = self.found.entry(rule).or_default();
        *found = found.saturating_add(1);
        if *found <= DESCRIBED_MAX as u64 {
            self.violations.push(Violation { rule, fact: fact() });
        }
    }

    /// How many facts a rule has looked at: acknowledged records for the first, responses for the last, and so on.
    #[must_use]
    pub fn facts(&self, rule: Rule) -> u64 {
        self.checked.get(&rule).copied().unwrap_or_default()
    }

    /// The violations that are described.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// How many violations there are, described or not.
    #[must_use]
    pub fn violation_count(&self) -> u64 {
        self.found.values().sum()
    }

    /// The rules that are broken.
    #[must_use]
    pub fn broken(&self) -> BTreeSet<Rule> {
        self.found.keys().copied().collect()
    }
}

impl fmt::Display for Report {
    /// A table of the rules, then the violations.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{:>4}  {:<52} {:>10} {:>10}", "rule", "", "checked", "violations")?;
        for rule in self.rules.iter().copied() {
            let found = self.found.get(&rule).copied().unwrap_or_default();
            let (number, title, checked) = (rule.number(), rule.title(), self.facts(rule));
            writeln!(formatter, "{number:>4}  {title:<52} {checked:>10} {found:>10}")?;
        }
        for violation in &self.violations {
            writeln!(formatter, "{violation}")?;
        }
        let described = u64::try_from(self.violations.len()).unwrap_or(u64::MAX);
        match self.violation_count().saturating_sub(described) {
            0 => Ok(()),
            more => writeln!(formatter, "and {more} more"),
        }
    }
}

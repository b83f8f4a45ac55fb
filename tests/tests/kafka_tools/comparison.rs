//! What Ottla's users see beside what Apache Kafka's do: equal, different by decision, or wrong.

use std::collections::{BTreeMap, BTreeSet};

use crate::answers::{Answer, Difference};

/// The differences that are decisions, from `differences.txt`: a line `# why`, the command, what Apache Kafka alone says
/// behind `-`, and what Ottla alone says behind `+`.
pub(crate) struct Decisions {
    differences: BTreeSet<Difference>,
    met: BTreeSet<Difference>,
}

impl Decisions {
    /// Reads the file.
    ///
    /// # Panics
    /// One has no reason.
    pub(crate) fn read(text: &str) -> Self {
        let mut differences = BTreeSet::new();
        for part in text.split("\n\n").filter(|part| part.contains("$ ")) {
            assert!(part.trim_start().starts_with("# "), "a decision has a reason:\n{part}");
            for command in lines_behind(part, "$ ") {
                let (kafka, ottla) = (lines_behind(part, "- "), lines_behind(part, "+ "));
                differences.insert(Difference { command, kafka, ottla });
            }
        }
        Self { differences, met: BTreeSet::new() }
    }

    fn has(&mut self, difference: &Difference) -> bool {
        let known = self.differences.contains(difference);
        if known {
            self.met.insert(difference.clone());
        }
        known
    }

    /// Those that no command showed.
    pub(crate) fn unmet(&self) -> impl Iterator<Item = &Difference> {
        self.differences.difference(&self.met)
    }
}

fn lines_behind(part: &str, mark: &str) -> Vec<String> {
    part.lines().filter_map(|line| line.strip_prefix(mark).map(str::to_owned)).collect()
}

/// How many runs of a tool were compared.
#[derive(Debug, Default)]
struct Count {
    runs: usize,
    equal: usize,
    decided: usize,
}

/// All that was compared.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    counts: BTreeMap<String, Count>,
    /// What should not differ, for people.
    pub(crate) problems: Vec<String>,
}

impl Comparison {
    /// Compares two transcripts of the same commands.
    pub(crate) fn add(&mut self, kafka: &str, ottla: &str, decisions: &mut Decisions) {
        let (kafka, ottla) = (Answer::all_of(kafka), Answer::all_of(ottla));
        for (kafka, ottla) in kafka.iter().zip(&ottla) {
            self.add_one(kafka, ottla, decisions);
        }
        if kafka.len() != ottla.len() {
            self.problems.push(format!("{} commands were recorded, {} were run\n", kafka.len(), ottla.len()));
        }
    }

    fn add_one(&mut self, kafka: &Answer, ottla: &Answer, decisions: &mut Decisions) {
        let count = self.counts.entry(ottla.tool().to_owned()).or_default();
        count.runs += 1;
        if kafka.command != ottla.command {
            self.problems.push(format!("recorded: {}\nwas run: {}\n", kafka.command, ottla.command));
            return;
        }
        match Difference::between(kafka, ottla) {
            None => count.equal += 1,
            Some(difference) if decisions.has(&difference) => count.decided += 1,
            Some(difference) => self.problems.push(difference.to_string()),
        }
    }

    /// The table of all tools.
    pub(crate) fn table(&self) -> String {
        let row = |tool: &str, count: &Count| {
            let otherwise = count.runs - count.equal - count.decided;
            format!("{tool:<27} {:>9} {:>6} {:>11} {otherwise:>6}\n", count.runs, count.equal, count.decided)
        };
        let mut table =
            format!("{:<27} {:>9} {:>6} {:>11} {:>6}\n", "tool", "compared", "equal", "by decision", "wrong");
        let mut sum = Count::default();
        for (tool, count) in &self.counts {
            table.push_str(&row(tool, count));
            sum.runs += count.runs;
            sum.equal += count.equal;
            sum.decided += count.decided;
        }
        table + &row("all", &sum)
    }
}

#[test]
fn a_decision_covers_its_difference_and_no_other() {
    let mut decisions = Decisions::read("# why\n$ a\n- 1\n+ 2\n\n# why not\n$ b\n- 1\n");
    let mut comparison = Comparison::default();
    comparison.add("$ a\n1\n\n$ a\n1\n\n$ c\n", "$ a\n2\n\n$ a\n3\n\n$ c\n", &mut decisions);
    assert_eq!(comparison.problems, ["$ a\n- 1\n+ 3\n"]);
    assert_eq!(decisions.unmet().map(|difference| &*difference.command).collect::<Vec<_>>(), ["b"]);
    assert!(
        comparison
            .table()
            .lines()
            .any(|line| { line.split_whitespace().collect::<Vec<_>>() == ["a", "2", "0", "1", "1"] })
    );
    comparison.add("$ a\n\n$ b\n", "$ c\n", &mut decisions);
    assert_eq!(comparison.problems.len(), 3, "{:?}", comparison.problems);
}

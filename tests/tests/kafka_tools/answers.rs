//! What tools have said, command by command.

use std::collections::BTreeMap;

/// How a transcript notes the exit code of a command that failed.
const EXIT_NOTE: &str = "    # ";

/// A command and the lines it told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The tool and its arguments.
    pub(crate) command: String,
    /// How often each line was told. The exit code, when there is one, is a line.
    lines: BTreeMap<String, usize>,
}

impl Answer {
    /// The commands of a transcript, in their order.
    pub(crate) fn all_of(transcript: &str) -> Vec<Self> {
        transcript.split_terminator("\n\n").filter_map(Self::parse).collect()
    }

    fn parse(part: &str) -> Option<Self> {
        let (heading, told) = part.split_once('\n').unwrap_or((part, ""));
        let (command, exit) = heading.split_once(EXIT_NOTE).unwrap_or((heading, ""));
        let mut lines = BTreeMap::new();
        for line in told.lines().chain((!exit.is_empty()).then_some(exit)) {
            *lines.entry(line.to_owned()).or_default() += 1;
        }
        Some(Self { command: command.strip_prefix("$ ")?.to_owned(), lines })
    }

    /// The name of the tool.
    pub(crate) fn tool(&self) -> &str {
        self.command.split(' ').next().unwrap_or_default()
    }

    /// The lines that only this one told, as often as it told them more.
    fn beyond(&self, other: &Self) -> Vec<String> {
        let more = |(line, count): (&String, &usize)| {
            let again = count.saturating_sub(other.lines.get(line).copied().unwrap_or(0));
            std::iter::repeat_n(line.clone(), again)
        };
        self.lines.iter().flat_map(more).collect()
    }
}

/// What Apache Kafka and Ottla told differently of one command.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Difference {
    /// The tool and its arguments.
    pub(crate) command: String,
    /// The lines of Apache Kafka alone.
    pub(crate) kafka: Vec<String>,
    /// The lines of Ottla alone.
    pub(crate) ottla: Vec<String>,
}

impl Difference {
    /// The difference between two answers to one command; `None` when they are equal.
    pub(crate) fn between(kafka: &Answer, ottla: &Answer) -> Option<Self> {
        let (only_kafka, only_ottla) = (kafka.beyond(ottla), ottla.beyond(kafka));
        let differ = !only_kafka.is_empty() || !only_ottla.is_empty();
        differ.then(|| Self { command: kafka.command.clone(), kafka: only_kafka, ottla: only_ottla })
    }
}

impl std::fmt::Display for Difference {
    /// As `differences.txt` has it.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(formatter, "$ {}", self.command)?;
        self.kafka.iter().try_for_each(|line| writeln!(formatter, "- {line}"))?;
        self.ottla.iter().try_for_each(|line| writeln!(formatter, "+ {line}"))
    }
}

#[test]
fn a_difference_is_told_with_its_command() {
    let expected = Answer::all_of("$ one\na\nb\nb\n\n$ two\n\n$ three    # exits with 1\n! c\n\n");
    assert_eq!(expected.len(), 3);
    for answer in &expected {
        assert_eq!(Difference::between(answer, answer), None);
    }
    let told = Answer::all_of("$ one\na\nb\nd\n\n$ two\n\n$ three\n! c\n\n");
    let differences =
        expected.iter().zip(&told).filter_map(|(kafka, ottla)| Difference::between(kafka, ottla));
    let shown: Vec<String> = differences.map(|difference| difference.to_string()).collect();
    assert_eq!(shown, ["$ one\n- b\n+ d\n", "$ three\n- exits with 1\n"]);
}

//! What a program full of members says: `tests/clients/CHURN.md`.

use std::str::{FromStr, SplitWhitespace};

use super::event::{Event, Fact, Membership};
use crate::problem::{Doing, Problem};

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// Something for the history.
    Event(Event),
    /// The producer has sent all that it was to send.
    Stopped,
    /// Something for people.
    Remark,
}

/// Reads a line.
///
/// # Errors
/// It is none of the contract's.
pub(super) fn parse(line: &str) -> Result<Said, Problem> {
    read(&mut line.split_whitespace()).doing(format_args!("read the line {line:?}"))
}

fn read(words: &mut SplitWhitespace<'_>) -> Result<Said, Problem> {
    let (at, member) = (next(words)?, next(words)?);
    let fact = match words.next().unwrap_or_default() {
        "assigned" => Fact::Assigned(membership(member, words)?),
        "state" => Fact::State(membership(member, words)?),
        "revoked" | "lost" => Fact::Gone { member, partitions: numbers(words)? },
        "processed" => {
            let (epoch, partition) = (next(words)?, next(words)?);
            let (offset, number, count) = (next(words)?, next(words)?, next(words)?);
            Fact::Processed { member, epoch, partition, offset, number, count }
        }
        "committing" => Fact::Committing { member, epoch: next(words)?, offsets: offsets(words)? },
        "committed" => Fact::Committed { member, epoch: next(words)? },
        "refused" => Fact::Refused { member, error: rest(words) },
        "unknown" => Fact::Unknown { member, error: rest(words) },
        "left" => Fact::Left { member },
        "renewed" => Fact::Renewed { member, error: rest(words) },
        "sent" => Fact::Sent { partition: next(words)?, number: next(words)?, offset: next(words)? },
        "stopped" => return Ok(Said::Stopped),
        "unclean" => return Ok(Said::Remark),
        other => return Err(Problem::new(format!("{other:?} is no word of the contract"))),
    };
    Ok(Said::Event(Event { at, fact }))
}

fn membership(member: u32, words: &mut SplitWhitespace<'_>) -> Result<Membership, Problem> {
    let id = words.next().unwrap_or_default().to_owned();
    Ok(Membership { member, id, epoch: next(words)?, partitions: numbers(words)? })
}

fn next<T: FromStr<Err: std::fmt::Display>>(words: &mut SplitWhitespace<'_>) -> Result<T, Problem> {
    let word = words.next().ok_or_else(|| Problem::new("it ends early"))?;
    word.parse().doing(format_args!("read {word:?}"))
}

/// `-` is an empty list.
fn numbers(words: &mut SplitWhitespace<'_>) -> Result<Vec<i32>, Problem> {
    match words.next().unwrap_or("-") {
        "-" => Ok(Vec::new()),
        list => list.split(',').map(|word| word.parse().doing("read a partition")).collect(),
    }
}

fn offsets(words: &mut SplitWhitespace<'_>) -> Result<Vec<(i32, i64)>, Problem> {
    let pair = |word: &str| {
        let (partition, offset) = word.split_once(':')?;
        Some((partition.parse().ok()?, offset.parse().ok()?))
    };
    let list = words.next().unwrap_or_default();
    let pairs: Option<Vec<_>> = list.split(',').map(pair).collect();
    pairs.ok_or_else(|| Problem::new(format!("{list:?} is no list of offsets")))
}

fn rest(words: &mut SplitWhitespace<'_>) -> String {
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(line: &str) -> Fact {
        match parse(line) {
            Ok(Said::Event(Event { at: 12, fact })) => fact,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn lines_become_facts() {
        let membership = Membership { member: 3, id: "a-b".to_owned(), epoch: 4, partitions: vec![1, 7] };
        assert_eq!(fact("12 3 assigned a-b 4 1,7"), Fact::Assigned(membership.clone()));
        assert_eq!(
            fact("12 3 state a-b 4 -"),
            Fact::State(Membership { partitions: Vec::new(), ..membership })
        );
        assert_eq!(fact("12 3 lost 1"), Fact::Gone { member: 3, partitions: vec![1] });
        assert_eq!(
            fact("12 3 committing 4 1:20,7:-1"),
            Fact::Committing { member: 3, epoch: 4, offsets: vec![(1, 20), (7, -1)] }
        );
        assert_eq!(
            fact("12 3 refused it is over"),
            Fact::Refused { member: 3, error: "it is over".to_owned() }
        );
        assert_eq!(parse("12 0 stopped").unwrap(), Said::Stopped);
    }

    #[test]
    fn what_is_no_line_is_told() {
        for line in
            ["", "x", "12 3", "12 3 dances", "12 3 assigned", "12 3 committing 4 1-2", "12 0 unsent 3 4"]
        {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}

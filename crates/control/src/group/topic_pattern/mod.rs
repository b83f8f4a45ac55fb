//! Regular expressions by which members of consumer groups subscribe to topics (KIP-848).
//!
//! Kafka compiles them with RE2/J. The dialect of Rust's regex crates is a different one: it takes look-alikes with
//! another meaning (`[a&&b]`, `\<`, `a**`) and refuses others (`\Q.\E`, `a{`, `\123`). So [`parser`] reads RE2/J's
//! dialect, and hands a syntax tree to the engine of `regex-automata`, which the log filter brings into the program
//! anyway. Like RE2/J's its matching takes time linear in the length of the name, whatever the expression.
//!
//! Topic names are ASCII, and an expression must match a whole name. So only what an expression does to ASCII is kept,
//! and no Unicode tables are needed: of the classes of Unicode, [`named_class`] knows the names and what they hold of ASCII.

mod ascii;
mod class;
mod cursor;
mod named_class;
mod parser;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;

use ottla_model::TopicName;
use regex_automata::nfa::thompson::pikevm::{Cache, PikeVM};
use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_automata::{Anchored, Input};

use super::TopicsImage;

/// Most memory that a compiled expression takes, in bytes: some ten thousand characters without counted repetition.
/// It bounds the time of a match, too. RE2/J has no bound: `((a{1000}){1000}){1000}` exhausts Kafka's memory.
const COMPILED_BYTES_MAX: usize = 256 * 1024;

/// What characters beyond ASCII are matched as: the control character for this purpose (SUB).
const STAND_IN: char = '\u{1a}';

/// A compiled expression.
#[derive(Clone)]
pub struct TopicPattern {
    automaton: PikeVM,
}

/// Why a text is no expression: `INVALID_REGULAR_EXPRESSION`. It prints as Kafka's message does
/// (`Utils.throwIfRegularExpressionIsInvalid`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("SubscribedTopicRegex `{expression}` is not a valid regular expression: {description}.")]
pub struct InvalidRegularExpression {
    /// The text.
    pub expression: String,
    /// What is wrong, in RE2/J's words.
    pub description: &'static str,
}

impl TopicPattern {
    /// Compiles an expression of RE2/J's dialect.
    ///
    /// # Errors
    /// [`InvalidRegularExpression`] when RE2/J refuses it, or when it is larger than this broker lets it be.
    pub fn compile(expression: &str) -> Result<Self, InvalidRegularExpression> {
        let invalid =
            |description| InvalidRegularExpression { expression: expression.to_owned(), description };
        let tree = parser::parse(expression).map_err(invalid)?;
        let configuration = thompson::Config::new()
            .utf8(false)
            .nfa_size_limit(Some(COMPILED_BYTES_MAX))
            .which_captures(WhichCaptures::None);
        let nfa = thompson::Compiler::new().configure(configuration).build_from_hir(&tree);
        let automaton = nfa.and_then(PikeVM::new_from_nfa).map_err(|_| invalid(parser::TOO_LARGE))?;
        Ok(Self { automaton })
    }

    /// Whether the whole name matches (`Matcher.matches`).
    #[must_use]
    pub fn matches(&self, topic: &TopicName) -> bool {
        self.matches_with(&mut self.automaton.create_cache(), topic)
    }

    /// The names of the topics that match (`TopicRegexResolver`). Internal topics are like any other, as in Kafka:
    /// `.*` matches `__consumer_offsets`.
    #[must_use]
    pub fn topics(&self, image: &TopicsImage) -> BTreeSet<TopicName> {
        let mut cache = self.automaton.create_cache();
        let names = image.topics().map(|topic| &topic.name);
        names.filter(|name| self.matches_with(&mut cache, name)).cloned().collect()
    }

    /// Tells of texts that are no names of topics whether they match as a whole. A character beyond ASCII is like no other:
    /// what stands for any character stands for it too, and nothing else does.
    pub fn matcher(&self) -> impl FnMut(&str) -> bool + use<'_> {
        let mut cache = self.automaton.create_cache();
        move |text| {
            let ascii: String = text.chars().map(|one| if one.is_ascii() { one } else { STAND_IN }).collect();
            self.automaton.is_match(&mut cache, Input::new(&ascii).anchored(Anchored::Yes))
        }
    }

    fn matches_with(&self, cache: &mut Cache, topic: &TopicName) -> bool {
        self.automaton.is_match(cache, Input::new(topic.as_str()).anchored(Anchored::Yes))
    }
}

impl fmt::Debug for TopicPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TopicPattern").finish_non_exhaustive()
    }
}

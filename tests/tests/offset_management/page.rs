//! The page, as far as it speaks of programs.
//!
//! A paragraph that links programs begins an example, which ends at the next one or at a heading. Code blocks of an example
//! are lines that stand together in its program of that language; a block of `text` is all that the programs print.

use std::collections::BTreeMap;

use ottla_tests::problem::{Doing, Problem};
use ottla_tests::workspace::root;

use crate::programs::{DIRECTORY, Language, list_of};

const PAGE: &str = "docs/offset-management.md";
const OUTPUT: &str = "text";

pub(crate) struct Page {
    examples: Vec<Example>,
}

#[derive(Default)]
struct Example {
    links: Vec<String>,
    blocks: Vec<Block>,
}

struct Block {
    language: String,
    lines: Vec<String>,
}

impl Page {
    pub(crate) fn read() -> Result<Self, Problem> {
        let text = std::fs::read_to_string(root().join(PAGE)).doing(format_args!("read {PAGE}"))?;
        Ok(Self::parse(&text))
    }

    fn parse(text: &str) -> Self {
        let mut examples = vec![Example::default()];
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            let links = links(line);
            if line.starts_with('#') || !links.is_empty() {
                examples.push(Example { links, blocks: Vec::new() });
            } else if let Some(language) = line.strip_prefix("```") {
                let lines = lines.by_ref().take_while(|line| *line != "```").map(str::to_owned).collect();
                let block = Block { language: language.to_owned(), lines };
                if let Some(example) = examples.last_mut() {
                    example.blocks.push(block);
                }
            }
        }
        Self { examples }
    }

    /// What the page says that this program prints.
    pub(crate) fn output_of(&self, link: &str) -> Option<String> {
        let example = self.examples.iter().find(|example| example.links.iter().any(|other| other == link))?;
        let block = example.blocks.iter().find(|block| block.language == OUTPUT)?;
        Some(block.lines.join("\n"))
    }

    /// Programs that the page does not link, links more than once, or links and that are not there.
    pub(crate) fn wrong_links(&self) -> Result<Vec<String>, Problem> {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for link in self.examples.iter().flat_map(|example| &example.links) {
            *counts.entry(link.clone()).or_default() += 1;
        }
        let mut faults = Vec::new();
        for language in Language::ALL {
            for program in list_of(language)? {
                let times = counts.remove(&program.link()).unwrap_or_default();
                if times != 1 {
                    faults.push(format!("{PAGE} links {} {times} times", program.link()));
                }
            }
        }
        faults.extend(counts.keys().map(|link| format!("{PAGE} links {link}, which does not exist")));
        Ok(faults)
    }

    /// Code that is not in the program that it stands with, and examples that do not say what they print.
    pub(crate) fn wrong_quotes(&self) -> Result<Vec<String>, Problem> {
        let mut programs = Vec::new();
        for language in Language::ALL {
            programs.extend(list_of(language)?);
        }
        let mut faults = Vec::new();
        for example in &self.examples {
            for block in &example.blocks {
                let is_code = Language::ALL.iter().any(|language| language.name() == block.language);
                let quoted = programs.iter().any(|program| {
                    example.links.contains(&program.link())
                        && program.language.name() == block.language
                        && contains(&program.text, &block.lines)
                });
                if is_code && !example.links.is_empty() && !quoted {
                    let first = block.lines.first().map_or("", String::as_str);
                    faults.push(format!("{PAGE}: no program has the block that begins with {first:?}"));
                }
            }
            let output = example.links.first().filter(|link| self.output_of(link).is_none());
            faults.extend(output.map(|link| format!("{PAGE} does not say what {link} prints")));
        }
        Ok(faults)
    }
}

/// The targets of a line's links to programs.
fn links(line: &str) -> Vec<String> {
    let targets = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets
        .filter(|target| target.starts_with(DIRECTORY) && target.contains('.'))
        .map(str::to_owned)
        .collect()
}

/// Whether a text has these lines one after the other, all of them indented by as much.
fn contains(text: &str, lines: &[String]) -> bool {
    let all: Vec<&str> = text.lines().collect();
    let Some(first) = lines.first() else { return true };
    all.windows(lines.len()).any(|window| {
        let indentation = window.first().and_then(|line| line.strip_suffix(first.as_str()));
        indentation.is_some_and(|indentation| {
            indentation.trim().is_empty()
                && window
                    .iter()
                    .zip(lines)
                    .all(|(line, quoted)| line.strip_prefix(indentation).unwrap_or(line) == quoted)
        })
    })
}

/// An output with the words that differ from run to run replaced, and its columns parted by one space.
pub(crate) fn without_times(output: &str) -> String {
    let word = |word: &str| {
        if word.ends_with('Z') && word.contains('T') && word.contains(':') {
            "TIME".to_owned()
        } else if word.starts_with("rdkafka-") {
            "MEMBER".to_owned()
        } else {
            word.to_owned()
        }
    };
    let line = |line: &str| line.split_whitespace().map(word).collect::<Vec<_>>().join(" ");
    output.lines().map(line).collect::<Vec<_>>().join("\n")
}

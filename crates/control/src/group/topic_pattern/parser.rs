//! Reads RE2/J's dialect (`com.google.re2j.Parser`, with the flags of `Pattern.compile`).

use std::collections::BTreeSet;

use regex_syntax::hir::{Hir, Look, Repetition};

use super::ascii::AsciiSet;
use super::class;
use super::cursor::Cursor;

/// What is wrong with an expression, in RE2/J's words.
pub(super) type Fault = &'static str;

const INVALID_NAMED_CAPTURE: Fault = "invalid named capture";
const INVALID_PERL_OPERATOR: Fault = "invalid or unsupported Perl syntax";
const INVALID_REPEAT_OPERATOR: Fault = "invalid nested repetition operator";
const INVALID_REPEAT_SIZE: Fault = "invalid repeat count";
const MISSING_PARENTHESIS: Fault = "missing closing )";
const MISSING_REPEAT_ARGUMENT: Fault = "missing argument to repetition operator";
const DUPLICATE_NAMED_CAPTURE: Fault = "duplicate capture group name";
/// What RE2/J says of a closing parenthesis without an opening one.
const STACK_UNDERFLOW: Fault = "regexp/syntax: internal error";
/// Not RE2/J's, which has no bounds; Go's regexp, which it comes from, says so.
pub(super) const TOO_LARGE: Fault = "expression too large";
pub(super) const TOO_DEEP: Fault = "expression nests too deeply";

/// How deep groups and repetitions may be inside of each other. The compiler of the engine calls itself for each, with
/// up to ten kilobytes of stack where it is not optimized, so that this is half a megabyte of the two of a thread.
pub(super) const NESTING_MAX: usize = 50;
/// The highest count of a repetition.
const REPEAT_MAX: u32 = 1000;

/// Reads an expression; the tree matches whole texts.
pub(super) fn parse(expression: &str) -> Result<Hir, Fault> {
    let mut parser = Parser {
        cursor: Cursor::new(expression),
        flags: Flags::default(),
        group: Group::default(),
        outer: Vec::new(),
        group_names: BTreeSet::new(),
        after_repeat: false,
    };
    while let Some(next) = parser.cursor.peek() {
        parser.after_repeat = parser.item(next)?;
    }
    if !parser.outer.is_empty() {
        return Err(MISSING_PARENTHESIS);
    }
    let (tree, _) = parser.group.finish();
    Ok(Hir::concat(vec![Hir::look(Look::Start), tree, Hir::look(Look::End)]))
}

/// What `(?…)` switches.
#[derive(Debug, Clone, Copy, Default)]
struct Flags {
    /// `i`: case does not matter.
    fold_case: bool,
    /// `m`: `^` and `$` match at lines, not only at the ends of the text.
    multi_line: bool,
    /// `s`: `.` matches the end of a line, too.
    dot_matches_newline: bool,
}

struct Parser<'a> {
    cursor: Cursor<'a>,
    flags: Flags,
    /// The group that is open.
    group: Group,
    /// The groups around it, each with the flags behind it.
    outer: Vec<(Group, Flags)>,
    group_names: BTreeSet<&'a str>,
    /// Whether the last item was a repetition, which must not be repeated at once.
    after_repeat: bool,
}

/// A part of an expression, with how deep it nests.
type Part = (Hir, usize);

/// A group whose end was not seen yet.
#[derive(Default)]
struct Group {
    /// The alternatives that are complete.
    alternatives: Vec<Hir>,
    /// The parts of the last alternative.
    parts: Vec<Part>,
    /// The depth of the deepest part before the last alternative.
    depth: usize,
}

impl Group {
    fn end_alternative(&mut self) {
        let mut alternative = Vec::with_capacity(self.parts.len());
        for (part, depth) in self.parts.drain(..) {
            self.depth = self.depth.max(depth);
            alternative.push(part);
        }
        self.alternatives.push(Hir::concat(alternative));
    }

    fn finish(mut self) -> Part {
        self.end_alternative();
        (Hir::alternation(self.alternatives), self.depth.saturating_add(1))
    }
}

impl<'a> Parser<'a> {
    /// Reads the next item. Answers whether it was a repetition. As in RE2/J, a brace that is taken as it is counts as
    /// one.
    fn item(&mut self, next: char) -> Result<bool, Fault> {
        match next {
            '(' if self.cursor.starts_with("(?") => self.perl_group()?,
            '[' => {
                let set = class::bracketed(&mut self.cursor, self.flags.fold_case)?;
                self.push(set.tree());
            }
            '\\' => self.escape()?,
            '{' => {
                match self.repeat_counts()? {
                    Some((min, max)) => self.repeat(min, max)?,
                    None => {
                        self.cursor.pop();
                        self.literal('{'.into());
                    }
                }
                return Ok(true);
            }
            _ => {
                self.cursor.pop();
                return self.character(next);
            }
        }
        Ok(false)
    }

    /// An item of one character, which was read. Answers whether it is a repetition.
    fn character(&mut self, character: char) -> Result<bool, Fault> {
        match character {
            '*' => self.repeat(0, None)?,
            '+' => self.repeat(1, None)?,
            '?' => self.repeat(0, Some(1))?,
            '(' => self.open(self.flags)?,
            ')' => self.close()?,
            '|' => self.group.end_alternative(),
            '^' => self.push(Hir::look(if self.flags.multi_line { Look::StartLF } else { Look::Start })),
            '$' => self.push(Hir::look(if self.flags.multi_line { Look::EndLF } else { Look::End })),
            '.' if self.flags.dot_matches_newline => self.push(AsciiSet::ALL.tree()),
            '.' => self.push(AsciiSet::of(b"\n").negated().tree()),
            other => self.literal(other.into()),
        }
        Ok(matches!(character, '*' | '+' | '?'))
    }

    fn push(&mut self, part: Hir) {
        self.group.parts.push((part, 0));
    }

    fn literal(&mut self, code_point: u32) {
        self.push(AsciiSet::code_points(code_point, code_point, self.flags.fold_case).tree());
    }

    /// Opens a group behind which `flags` hold again.
    fn open(&mut self, flags: Flags) -> Result<(), Fault> {
        if self.outer.len() >= NESTING_MAX {
            return Err(TOO_DEEP);
        }
        self.outer.push((std::mem::take(&mut self.group), flags));
        Ok(())
    }

    fn close(&mut self) -> Result<(), Fault> {
        let (outer, flags) = self.outer.pop().ok_or(STACK_UNDERFLOW)?;
        let (tree, depth) = std::mem::replace(&mut self.group, outer).finish();
        self.flags = flags;
        if depth > NESTING_MAX {
            return Err(TOO_DEEP);
        }
        self.group.parts.push((tree, depth));
        Ok(())
    }

    /// Repeats the last part.
    fn repeat(&mut self, min: u32, max: Option<u32>) -> Result<(), Fault> {
        // Whether it takes as much or as little as it can is the same for a whole match.
        self.cursor.skip("?");
        if self.after_repeat {
            return Err(INVALID_REPEAT_OPERATOR);
        }
        let (part, depth) = self.group.parts.pop().ok_or(MISSING_REPEAT_ARGUMENT)?;
        if depth >= NESTING_MAX {
            return Err(TOO_DEEP);
        }
        let tree = Hir::repetition(Repetition { min, max, greedy: true, sub: Box::new(part) });
        self.group.parts.push((tree, depth + 1));
        Ok(())
    }

    /// Reads `{2}`, `{2,}` or `{2,3}`; anything else stays unread and is no repetition.
    fn repeat_counts(&mut self) -> Result<Option<(u32, Option<u32>)>, Fault> {
        let mut cursor = self.cursor.clone();
        cursor.skip("{");
        let Some(min) = repeat_count(&mut cursor) else { return Ok(None) };
        let mut max = Some(min);
        if cursor.skip(",") {
            max = if cursor.peek() == Some('}') {
                None
            } else {
                let Some(max) = repeat_count(&mut cursor) else { return Ok(None) };
                Some(max)
            };
        }
        if !cursor.skip("}") {
            return Ok(None);
        }
        if min > REPEAT_MAX || max.is_some_and(|max| max > REPEAT_MAX || min > max) {
            return Err(INVALID_REPEAT_SIZE);
        }
        self.cursor = cursor;
        Ok(Some((min, max)))
    }

    /// Reads what begins with `(?`: a named group, flags, or a group with flags.
    fn perl_group(&mut self) -> Result<(), Fault> {
        if self.cursor.skip("(?P<") || self.cursor.skip("(?<") {
            let name = self.cursor.take_until(">").ok_or(INVALID_NAMED_CAPTURE)?;
            self.cursor.skip(">");
            if name.is_empty() || !name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric()) {
                return Err(INVALID_NAMED_CAPTURE);
            }
            if !self.group_names.insert(name) {
                return Err(DUPLICATE_NAMED_CAPTURE);
            }
            return self.open(self.flags);
        }
        self.cursor.skip("(?");
        let mut flags = self.flags;
        let mut on = true;
        let mut saw_flag = false;
        while let Some(next) = self.cursor.pop() {
            match next {
                'i' => flags.fold_case = on,
                'm' => flags.multi_line = on,
                's' => flags.dot_matches_newline = on,
                // Repetitions take as little as they can.
                'U' => {}
                '-' if on => {
                    on = false;
                    saw_flag = false;
                    continue;
                }
                ')' | ':' if on || saw_flag => {
                    if next == ':' {
                        self.open(self.flags)?;
                    }
                    self.flags = flags;
                    return Ok(());
                }
                _ => break,
            }
            saw_flag = true;
        }
        Err(INVALID_PERL_OPERATOR)
    }

    /// Reads what begins with a backslash, outside of brackets.
    fn escape(&mut self) -> Result<(), Fault> {
        for (text, look) in [
            ("\\A", Look::Start),
            ("\\z", Look::End),
            ("\\b", Look::WordAscii),
            ("\\B", Look::WordAsciiNegate),
        ] {
            if self.cursor.skip(text) {
                self.push(Hir::look(look));
                return Ok(());
            }
        }
        if self.cursor.skip("\\Q") {
            for character in self.cursor.take_until("\\E").unwrap_or_else(|| self.cursor.take_all()).chars() {
                self.literal(character.into());
            }
            self.cursor.skip("\\E");
            return Ok(());
        }
        match class::escaped(&mut self.cursor, self.flags.fold_case)? {
            Some(set) => self.push(set.tree()),
            None => {
                let code_point = class::escaped_character(&mut self.cursor)?;
                self.literal(code_point);
            }
        }
        Ok(())
    }
}

/// A number without leading zeros; one that is far too large stands for any such.
fn repeat_count(cursor: &mut Cursor<'_>) -> Option<u32> {
    let digits = cursor.take_while(|next| next.is_ascii_digit());
    if digits.is_empty() || (digits.len() > 1 && digits.starts_with('0')) {
        return None;
    }
    Some(digits.parse().unwrap_or(u32::MAX))
}

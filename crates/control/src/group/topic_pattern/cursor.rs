//! A place in an expression.

/// Reads an expression from its front.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// The next character, which stays.
    pub(super) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    /// The next character.
    pub(super) fn pop(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let next = characters.next();
        self.rest = characters.as_str();
        next
    }

    pub(super) fn starts_with(&self, text: &str) -> bool {
        self.rest.starts_with(text)
    }

    /// Passes over `text` if it is next. Answers whether it was.
    pub(super) fn skip(&mut self, text: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(text) else { return false };
        self.rest = rest;
        true
    }

    /// What comes before the next `end`, which stays; `None` when there is none.
    pub(super) fn take_until(&mut self, end: &str) -> Option<&'a str> {
        let length = self.rest.find(end)?;
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    pub(super) fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest.trim_start_matches(wanted);
        let length = self.rest.len().saturating_sub(rest.len());
        let taken = self.rest.get(..length).unwrap_or_default();
        self.rest = rest;
        taken
    }

    pub(super) fn take_all(&mut self) -> &'a str {
        std::mem::take(&mut self.rest)
    }
}

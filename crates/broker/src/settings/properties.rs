//! Java's properties files (`java.util.Properties`), but for their encoding: UTF-8 is read, as people write it.

use std::iter::Peekable;
use std::str::Chars;

/// A key with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Property {
    /// Where it begins, counted from 1.
    pub(super) line: usize,
    /// The key.
    pub(super) key: String,
    /// The value, without blanks around it, as Kafka takes values.
    pub(super) value: String,
}

/// An escape that is none: its line, and what to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "line {line}: \\u stands for a character when four hexadecimal digits follow; write a backslash as \\\\"
)]
pub(super) struct BadEscape {
    line: usize,
}

const BLANKS: [char; 3] = [' ', '\t', '\u{c}'];
/// What editors of other systems may put in front of text.
const BYTE_ORDER_MARK: char = '\u{feff}';
/// Digits of the number of a UTF-16 unit.
const UNIT_DIGITS: usize = 4;

/// The properties of a file, in its order.
///
/// # Errors
/// [`BadEscape`], where Java ends with an exception, too.
pub(super) fn properties(text: &str) -> Result<Vec<Property>, BadEscape> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text).replace("\r\n", "\n").replace('\r', "\n");
    let mut lines = text.split('\n').zip(1..);
    let mut found = Vec::new();
    while let Some((part, line)) = lines.next() {
        let part = part.trim_start_matches(BLANKS);
        if part.is_empty() || part.starts_with(['#', '!']) {
            continue;
        }
        let mut whole = part.to_owned();
        while is_continued(&whole) {
            whole.pop();
            let Some((more, _)) = lines.next() else { break };
            whole.push_str(more.trim_start_matches(BLANKS));
        }
        found.push(property(&whole, line)?);
    }
    Ok(found)
}

/// An odd number of backslashes at the end.
fn is_continued(line: &str) -> bool {
    let backslashes = line.len().saturating_sub(line.trim_end_matches('\\').len());
    backslashes % 2 == 1
}

fn property(whole: &str, line: usize) -> Result<Property, BadEscape> {
    let mut rest = whole.chars().peekable();
    let ends_key = |next: char| BLANKS.contains(&next) || next == '=' || next == ':';
    let key = text_until(&mut rest, ends_key, line)?;
    while rest.next_if(|next| BLANKS.contains(next)).is_some() {}
    let _separator = rest.next_if(|next| matches!(next, '=' | ':'));
    while rest.next_if(|next| BLANKS.contains(next)).is_some() {}
    let value = text_until(&mut rest, |_| false, line)?;
    Ok(Property { line, key, value: value.trim().to_owned() })
}

/// What stands in front of a character that ends it, escapes resolved.
fn text_until(
    rest: &mut Peekable<Chars<'_>>,
    ends: impl Fn(char) -> bool,
    line: usize,
) -> Result<String, BadEscape> {
    // Java's characters are units of UTF-16, so that an escape may be half of one.
    let mut units: Vec<u16> = Vec::new();
    while let Some(next) = rest.next_if(|next| !ends(*next)) {
        let character = match next {
            '\\' => match rest.next() {
                Some('u') => {
                    units.push(unit(rest).ok_or(BadEscape { line })?);
                    continue;
                }
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('f') => '\u{c}',
                Some(other) => other,
                None => break,
            },
            other => other,
        };
        units.extend_from_slice(character.encode_utf16(&mut [0; 2]));
    }
    Ok(String::from_utf16_lossy(&units))
}

/// The number that the next digits are.
fn unit(rest: &mut Peekable<Chars<'_>>) -> Option<u16> {
    let digits: String = rest.take(UNIT_DIGITS).collect();
    let is_whole = digits.len() == UNIT_DIGITS && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    u16::from_str_radix(&digits, 16).ok().filter(|_| is_whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(usize, String, String)> {
        let found = properties(text).expect("legal");
        found.into_iter().map(|found| (found.line, found.key, found.value)).collect()
    }

    fn pair(line: usize, key: &str, value: &str) -> (usize, String, String) {
        (line, key.to_owned(), value.to_owned())
    }

    #[test]
    fn lines_are_read_as_java_reads_them() {
        let text = "\u{feff}# a comment \\\na=1,\\\n   2\r\n! no\n\n  b c\nd : e=f \rg\\=\\:\\ h=\\\\\ni\nj=\\\\\\\nk\n";
        let expected = [
            pair(2, "a", "1,2"),
            pair(6, "b", "c"),
            pair(7, "d", "e=f"),
            pair(8, "g=: h", "\\"),
            pair(9, "i", ""),
            pair(10, "j", "\\k"),
        ];
        assert_eq!(pairs(text), expected);
    }

    #[test]
    fn what_java_writes_is_read() {
        // Properties.store escapes colons and what is beyond Latin 1.
        let text = "listeners=PLAINTEXT\\://\\:9092\nbroker.rack=\\u00fc\\uD83D\\uDE00\\tx\nlast=\\";
        let expected = [
            pair(1, "listeners", "PLAINTEXT://:9092"),
            pair(2, "broker.rack", "ü😀\tx"),
            pair(3, "last", ""),
        ];
        assert_eq!(pairs(text), expected);
    }

    #[test]
    fn an_escape_that_is_none_is_told_with_its_line() {
        for text in ["a=1\nb=\\u12", "a=1\nb=C:\\users", "\n\\u+123=1"] {
            let told = properties(text).expect_err("refused").to_string();
            assert!(told.starts_with("line 2: \\u stands"), "{told}");
        }
    }
}

//! Characters and classes of them: `[a-z]`, `[[:alpha:]]`, `\d`, `\p{Greek}`, `\x41`.

use super::ascii::AsciiSet;
use super::cursor::Cursor;
use super::named_class::{perl_class, posix_class, unicode_class};
use super::parser::Fault;

const INVALID_CHARACTER_RANGE: Fault = "invalid character class range";
const INVALID_ESCAPE: Fault = "invalid escape sequence";
const MISSING_BRACKET: Fault = "missing closing ]";
const TRAILING_BACKSLASH: Fault = "trailing backslash at end of expression";

/// Reads a class in brackets.
pub(super) fn bracketed(cursor: &mut Cursor<'_>, fold_case: bool) -> Result<AsciiSet, Fault> {
    cursor.skip("[");
    let negated = cursor.skip("^");
    let mut set = AsciiSet::EMPTY;
    let mut is_first = true;
    // A closing bracket that comes first is a member.
    while is_first || cursor.peek() != Some(']') {
        is_first = false;
        set = set.union(match member_class(cursor, fold_case)? {
            Some(class) => class,
            None => range(cursor, fold_case)?,
        });
    }
    cursor.skip("]");
    Ok(if negated { set.negated() } else { set })
}

/// Reads `\d`, `\p{Greek}` and the like, if one is next.
pub(super) fn escaped(cursor: &mut Cursor<'_>, fold_case: bool) -> Result<Option<AsciiSet>, Fault> {
    let mut ahead = cursor.clone();
    if !ahead.skip("\\") {
        return Ok(None);
    }
    let set = match ahead.pop() {
        Some(letter @ ('p' | 'P')) => unicode(&mut ahead, letter == 'P', fold_case)?,
        Some(letter) => match perl_class(letter) {
            Some(set) => set,
            None => return Ok(None),
        },
        None => return Ok(None),
    };
    *cursor = ahead;
    Ok(Some(set))
}

/// Reads the name of a class of Unicode behind `\p` or `\P`.
fn unicode(cursor: &mut Cursor<'_>, mut negated: bool, fold_case: bool) -> Result<AsciiSet, Fault> {
    let mut one = [0; 4];
    let mut name: &str = match cursor.pop().ok_or(INVALID_CHARACTER_RANGE)? {
        '{' => {
            let name = cursor.take_until("}").ok_or(INVALID_CHARACTER_RANGE)?;
            cursor.skip("}");
            name
        }
        letter => letter.encode_utf8(&mut one),
    };
    if let Some(rest) = name.strip_prefix('^') {
        negated = !negated;
        name = rest;
    }
    let set = unicode_class(name, fold_case).ok_or(INVALID_CHARACTER_RANGE)?;
    Ok(if negated { set.negated() } else { set })
}

/// Reads a class inside of brackets, if one is next.
fn member_class(cursor: &mut Cursor<'_>, fold_case: bool) -> Result<Option<AsciiSet>, Fault> {
    let mut ahead = cursor.clone();
    if ahead.skip("[:")
        && let Some(name) = ahead.take_until(":]")
    {
        ahead.skip(":]");
        let (name, negated) = name.strip_prefix('^').map_or((name, false), |name| (name, true));
        let set = posix_class(name).ok_or(INVALID_CHARACTER_RANGE)?;
        let set = if fold_case { set.with_both_cases() } else { set };
        *cursor = ahead;
        return Ok(Some(if negated { set.negated() } else { set }));
    }
    escaped(cursor, fold_case)
}

/// Reads `a` or `a-z` inside of brackets.
fn range(cursor: &mut Cursor<'_>, fold_case: bool) -> Result<AsciiSet, Fault> {
    let low = member(cursor)?;
    let mut high = low;
    let mut ahead = cursor.clone();
    if ahead.skip("-") && ahead.peek() != Some(']') {
        *cursor = ahead;
        high = member(cursor)?;
        if high < low {
            return Err(INVALID_CHARACTER_RANGE);
        }
    }
    Ok(AsciiSet::code_points(low, high, fold_case))
}

fn member(cursor: &mut Cursor<'_>) -> Result<u32, Fault> {
    match cursor.peek() {
        None => Err(MISSING_BRACKET),
        Some('\\') => escaped_character(cursor),
        Some(other) => {
            cursor.pop();
            Ok(other.into())
        }
    }
}

/// Reads an escaped character. What it stands for need not be a character that text can hold, such as `\x{D800}`.
pub(super) fn escaped_character(cursor: &mut Cursor<'_>) -> Result<u32, Fault> {
    cursor.skip("\\");
    match cursor.pop().ok_or(TRAILING_BACKSLASH)? {
        'a' => Ok(7),
        'f' => Ok(12),
        'n' => Ok(10),
        'r' => Ok(13),
        't' => Ok(9),
        'v' => Ok(11),
        'x' => hexadecimal(cursor).ok_or(INVALID_ESCAPE),
        digit @ '0'..='7' => octal(cursor, digit).ok_or(INVALID_ESCAPE),
        other if other.is_ascii_alphanumeric() => Err(INVALID_ESCAPE),
        other => Ok(other.into()),
    }
}

/// Up to three digits. One that is not 0 must be followed by another: it would be a reference to a group in Perl.
fn octal(cursor: &mut Cursor<'_>, first: char) -> Option<u32> {
    let mut value = first.to_digit(8)?;
    if first != '0' && cursor.peek().is_none_or(|next| next.to_digit(8).is_none()) {
        return None;
    }
    for _ in 0..2 {
        let Some(digit) = cursor.peek().and_then(|next| next.to_digit(8)) else { break };
        cursor.pop();
        value = value * 8 + digit;
    }
    Some(value)
}

/// `41` or `{1F600}`, up to the highest code point.
fn hexadecimal(cursor: &mut Cursor<'_>) -> Option<u32> {
    let first = cursor.pop()?;
    if first != '{' {
        return Some(first.to_digit(16)? * 16 + cursor.pop()?.to_digit(16)?);
    }
    let digits = cursor.take_until("}")?;
    cursor.skip("}");
    let value = digits.chars().try_fold(0u32, |value, digit| {
        let value = value.checked_mul(16)?.checked_add(digit.to_digit(16)?)?;
        (value <= char::MAX.into()).then_some(value)
    })?;
    (!digits.is_empty()).then_some(value)
}

//! Places in a log as people give them.

use std::str::FromStr;

use crate::moment::{self, Moment};

/// A place in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Position {
    /// The first record.
    Beginning,
    /// Behind the last record.
    End,
    /// What the group has committed.
    Stored,
    /// An offset.
    Offset(i64),
    /// So many offsets before the end.
    Last(i64),
    /// The first record from a moment on, in milliseconds since 1970.
    Since(i64),
    /// Nothing from a moment on.
    Until(i64),
}

impl FromStr for Position {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let moment = |text: &str| match text.parse::<i64>() {
            Ok(ms) if ms >= 0 => Ok(ms),
            _ => text.parse().map(|Moment(ms)| ms),
        };
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match text {
            "beginning" => Ok(Self::Beginning),
            "end" => Ok(Self::End),
            "stored" => Ok(Self::Stored),
            _ => {
                if let Some(text) = text.strip_prefix("s@") {
                    return moment(text).map(Self::Since);
                }
                if let Some(text) = text.strip_prefix("e@") {
                    return moment(text).map(Self::Until);
                }
                let (digits, position): (_, fn(i64) -> Self) = match text.strip_prefix('-') {
                    Some(digits) => (digits, Self::Last),
                    None => (text, Self::Offset),
                };
                let number = digits.parse().ok().filter(|_| is_number(digits));
                number.map(position).ok_or_else(|| {
                    format!(
                        "it is beginning, end, stored, an offset, -N, s@MOMENT or e@MOMENT; a moment is in \
                         milliseconds since 1970, or {}",
                        moment::HELP
                    )
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions() {
        for (text, position) in [
            ("beginning", Position::Beginning),
            ("end", Position::End),
            ("stored", Position::Stored),
            ("0", Position::Offset(0)),
            ("-5", Position::Last(5)),
            ("s@1700000000000", Position::Since(1_700_000_000_000)),
            ("e@1970-01-01T00:00:01Z", Position::Until(1000)),
        ] {
            assert_eq!(text.parse(), Ok(position), "{text}");
        }
        for text in ["", "-", "+5", "begin", "s@", "e@-5", "1.5", "--5", "99999999999999999999"] {
            assert!(text.parse::<Position>().is_err(), "{text}");
        }
    }
}

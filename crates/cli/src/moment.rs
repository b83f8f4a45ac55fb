//! Moments as people give them: RFC 3339, a time of day, or an age.

use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

const SECOND_MS: i64 = 1000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// What the arguments of all commands say about moments.
pub(crate) const HELP: &str = "as 2026-02-28T09:05:00Z, as 09:05 for the last time that it was that in UTC, \
                               or as an age such as 90s, 10m, 2h or 3d";

/// A moment, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment(pub(crate) i64);

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now_ms = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
        parse(text, now_ms).map(Self).ok_or_else(|| format!("a moment is given {HELP}"))
    }
}

fn parse(text: &str, now_ms: i64) -> Option<i64> {
    if text == "now" {
        return Some(now_ms);
    }
    if let Some(age_ms) = age(text) {
        return now_ms.checked_sub(age_ms);
    }
    match text.split_once(['T', ' ']) {
        Some((date, rest)) => {
            let (time, zone_ms) = zone(rest)?;
            day(date)?.checked_add(time_of_day(time)?)?.checked_sub(zone_ms)
        }
        None => {
            let today = now_ms.checked_sub(now_ms.rem_euclid(DAY_MS))?;
            let moment = today.checked_add(time_of_day(text)?)?;
            if moment > now_ms { moment.checked_sub(DAY_MS) } else { Some(moment) }
        }
    }
}

/// A number with its unit: `90s`.
fn age(text: &str) -> Option<i64> {
    let (number, unit_ms) =
        [("ms", 1), ("s", SECOND_MS), ("m", MINUTE_MS), ("h", HOUR_MS), ("d", DAY_MS)].into_iter().find_map(
            |(unit, unit_ms)| Some((text.strip_suffix(unit)?, unit_ms)).filter(|(text, _)| is_number(text)),
        )?;
    number.parse::<i64>().ok()?.checked_mul(unit_ms)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn number(text: &str, digits: usize, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
    let value = text.parse().ok().filter(|_| text.len() == digits && is_number(text))?;
    range.contains(&value).then_some(value)
}

/// `09:05`, `09:05:30` or `09:05:30.25`, in milliseconds since midnight.
fn time_of_day(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, ':');
    let hour = number(parts.next()?, 2, 0..=23)?;
    let minute = number(parts.next()?, 2, 0..=59)?;
    let (second, fraction) = match parts.next() {
        None => ("00", ""),
        Some(seconds) => seconds.split_once('.').unwrap_or((seconds, "0")),
    };
    let second = number(second, 2, 0..=59)?;
    let fraction_ms = match fraction {
        "" => 0,
        digits if is_number(digits) => format!("{digits:0<3}").get(..3)?.parse::<i64>().ok()?,
        _ => return None,
    };
    Some(hour * HOUR_MS + minute * MINUTE_MS + second * SECOND_MS + fraction_ms)
}

/// The time, and how far its zone is ahead of UTC, in milliseconds. Without a zone it is UTC.
fn zone(text: &str) -> Option<(&str, i64)> {
    if let Some(time) = text.strip_suffix(['Z', 'z']) {
        return Some((time, 0));
    }
    let Some(at) = text.find(['+', '-']) else { return Some((text, 0)) };
    let (time, offset) = text.split_at_checked(at)?;
    let (sign, offset) = offset.split_at_checked(1)?;
    let ahead_ms = time_of_day(offset).filter(|_| offset.len() == 5)?;
    Some((time, if sign == "-" { -ahead_ms } else { ahead_ms }))
}

/// The beginning of a day that is given as `2026-02-28`.
fn day(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, '-');
    let year = number(parts.next()?, 4, 0..=9999)?;
    let month = number(parts.next()?, 2, 1..=12)?;
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let day = number(parts.next()?, 2, 1..=length)?;
    // Years begin in March here, so that a leap day is the last of its year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // From the 1st of March of the year 0 to the 1st of January of 1970.
    const DAYS_BEFORE_1970: i64 = 719_468;
    let days = year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - DAYS_BEFORE_1970;
    days.checked_mul(DAY_MS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words;

    /// 2026-02-28T09:05:00Z.
    const NOW_MS: i64 = 1_772_269_500_000;

    fn parsed(text: &str) -> Option<String> {
        parse(text, NOW_MS).map(words::time)
    }

    #[test]
    fn moments() {
        assert_eq!(words::time(NOW_MS), "2026-02-28T09:05:00Z");
        for (text, expected) in [
            ("now", "2026-02-28T09:05:00Z"),
            ("90s", "2026-02-28T09:03:30Z"),
            ("10m", "2026-02-28T08:55:00Z"),
            ("2h", "2026-02-28T07:05:00Z"),
            ("3d", "2026-02-25T09:05:00Z"),
            ("1500ms", "2026-02-28T09:04:58Z"),
            ("09:05", "2026-02-28T09:05:00Z"),
            ("09:05:01", "2026-02-27T09:05:01Z"),
            ("10:32", "2026-02-27T10:32:00Z"),
            ("00:00", "2026-02-28T00:00:00Z"),
            ("2025-12-31T23:59:59Z", "2025-12-31T23:59:59Z"),
            ("2024-02-29 12:00", "2024-02-29T12:00:00Z"),
            ("2026-01-01T00:30:00+01:00", "2025-12-31T23:30:00Z"),
            ("2026-01-01T00:30-02:30", "2026-01-01T03:00:00Z"),
            ("2000-03-01T00:00:00.999Z", "2000-03-01T00:00:00Z"),
            ("1969-12-31T23:59:59Z", "1969-12-31T23:59:59Z"),
        ] {
            assert_eq!(parsed(text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(parse("2026-02-28T09:05:00.25Z", 0), Some(NOW_MS + 250));
    }

    #[test]
    fn what_is_no_moment() {
        for text in [
            "",
            "m",
            "10",
            "-10m",
            "1.5h",
            "24:00",
            "9:05",
            "09:60",
            "09:05:60",
            "2025-02-29T00:00:00Z",
            "2026-13-01T00:00Z",
            "2026-02-28",
            "2026-02-28T09:05:00+1",
            "99999999999999999999d",
            "09:05:00.x",
            "1é0m",
        ] {
            assert_eq!(parse(text, NOW_MS), None, "{text}");
        }
    }

    /// Every day of four centuries, against the words that go the other way.
    #[test]
    fn days_go_both_ways() {
        for days in (0..146_097).step_by(13) {
            let text = words::time(days * DAY_MS);
            assert_eq!(parse(&text, 0), Some(days * DAY_MS), "{text}");
        }
    }
}

//! Sizes, times and durations for people.

/// Milliseconds of a day.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// A size, to three digits: `12 B`, `1.53 KiB`, `204 MiB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut value = bytes as f64;
    let mut unit = "B";
    for next in UNITS {
        // What would be rounded to 1024 is one of the next unit.
        if value < 1023.5 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    let decimals = match value {
        _ if unit == "B" || value >= 99.95 => 0,
        value if value >= 9.995 => 1,
        _ => 2,
    };
    format!("{value:.decimals$} {unit}")
}

/// A time since 1970 as RFC 3339 writes it, to the second: `2026-02-28T09:05:00Z`.
pub(crate) fn time(since_1970_ms: i64) -> String {
    let (days, ms) = (since_1970_ms.div_euclid(DAY_MS), since_1970_ms.rem_euclid(DAY_MS));
    let (year, month, day) = civil(days);
    let seconds = ms / 1000;
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Year, month and day of a day that is counted from 1970-01-01, in the Gregorian calendar. Days are counted from a 1st
/// of March, so that the day that a leap year adds is the last one of its year.
fn civil(days: i64) -> (i64, i64, i64) {
    const DAYS_OF_400_YEARS: i64 = 146_097;
    /// From 0000-03-01 to 1970-01-01.
    const DAYS_BEFORE_1970: i64 = 719_468;
    let days = days.saturating_add(DAYS_BEFORE_1970);
    let (era, day_of_era) = (days.div_euclid(DAYS_OF_400_YEARS), days.rem_euclid(DAYS_OF_400_YEARS));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// A duration in its two largest units: `45 s`, `3 h 12 min`, `2 d 1 h`.
pub(crate) fn duration(ms: i64) -> String {
    let seconds = ms.max(0) / 1000;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) if seconds == 0 => format!("{} ms", ms.max(0)),
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

/// When something will be, seen from now: `2026-02-28T09:05:00Z, in 3 h 12 min`.
pub(crate) fn when(at_ms: i64, now_ms: i64) -> String {
    match at_ms.saturating_sub(now_ms) {
        left if left > 0 => format!("{}, in {}", time(at_ms), duration(left)),
        left => format!("{}, {} ago", time(at_ms), duration(left.saturating_neg())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.00 KiB"),
            (1_572, "1.54 KiB"),
            (10_240, "10.0 KiB"),
            (204 << 20, "204 MiB"),
            ((1 << 20) - 1, "1.00 MiB"),
            (u64::MAX, "16384 PiB"),
        ] {
            assert_eq!(size(bytes), text, "{bytes}");
        }
    }

    #[test]
    fn times() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (1_709_164_800_000, "2024-02-29T00:00:00Z"),
            (1_709_251_199_999, "2024-02-29T23:59:59Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00Z"),
            (1_735_689_600_000, "2025-01-01T00:00:00Z"),
        ] {
            assert_eq!(time(ms), text, "{ms}");
        }
        // Whatever a document says, there is an answer.
        assert!(time(i64::MAX).ends_with('Z') && time(i64::MIN).ends_with('Z'));
    }

    #[test]
    fn durations() {
        for (ms, text) in [
            (-5, "0 ms"),
            (999, "999 ms"),
            (45_000, "45 s"),
            (61_000, "1 min 1 s"),
            (11_520_000, "3 h 12 min"),
        ] {
            assert_eq!(duration(ms), text);
        }
        assert_eq!(when(90_000_000, 0), "1970-01-02T01:00:00Z, in 1 d 1 h");
        assert_eq!(when(0, 45_000), "1970-01-01T00:00:00Z, 45 s ago");
    }
}

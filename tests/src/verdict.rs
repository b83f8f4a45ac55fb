//! What a result means for the test run.

use crate::board::Standing;
use crate::message::Outcome;

/// How a trial ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It counts as passed.
    Passed,
    /// It counts as failed, with this message.
    Failed(String),
    /// It counts as ignored, for this reason.
    Ignored(String),
}

/// Judges one result. `listed` is the reason in `tests/clients/UNSUPPORTED.md`, when that has a row for it; a client
/// that lacks a scenario must be listed there, and one that is listed must lack it. `skips_fail` is true in CI.
#[must_use]
pub fn judge(standing: &Standing, listed: Option<&str>, skips_fail: bool) -> Verdict {
    match standing {
        Standing::Missing(why) => Verdict::Failed(format!("no result: {why}")),
        Standing::Skipped(why) if skips_fail => {
            Verdict::Failed(format!("skipped, which CI does not allow: {why}"))
        }
        Standing::Skipped(why) => Verdict::Ignored(format!("skipped: {why}")),
        Standing::Reported { outcome, .. } => match (outcome, listed) {
            (Outcome::Fail(message), _) => Verdict::Failed(message.clone()),
            (Outcome::Pass, None) => Verdict::Passed,
            (Outcome::Unsupported(_), Some(reason)) => Verdict::Ignored(format!("unsupported: {reason}")),
            (Outcome::Pass, Some(reason)) => Verdict::Failed(format!(
                "it passes, but tests/clients/UNSUPPORTED.md says that the client can not do it ({reason}): remove that row"
            )),
            (Outcome::Unsupported(reason), None) => Verdict::Failed(format!(
                "reported as unsupported ({reason}), but tests/clients/UNSUPPORTED.md has no row for it"
            )),
        },
    }
}

/// Whether a skipped client is a failure here: in CI, where the variable `CI` is `true`.
#[must_use]
pub fn skips_fail() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn reported(outcome: Outcome) -> Standing {
        Standing::Reported { outcome, duration: Duration::ZERO }
    }

    fn fails(standing: &Standing, listed: Option<&str>) -> bool {
        matches!(judge(standing, listed, false), Verdict::Failed(_))
    }

    #[test]
    fn reports_are_judged_by_the_table_of_what_clients_lack() {
        let (pass, lack) = (reported(Outcome::Pass), reported(Outcome::Unsupported("no way".into())));
        assert_eq!(judge(&pass, None, true), Verdict::Passed);
        assert_eq!(judge(&lack, Some("why"), true), Verdict::Ignored("unsupported: why".into()));
        assert!(fails(&pass, Some("why")));
        assert!(fails(&lack, None));
        assert!(fails(&reported(Outcome::Fail("x".into())), None));
        assert!(fails(&reported(Outcome::Fail("x".into())), Some("why")));
    }

    #[test]
    fn a_missing_report_fails_and_a_skip_fails_only_in_ci() {
        assert!(fails(&Standing::Missing("hung".into()), Some("why")));
        let skipped = Standing::Skipped("no Go".into());
        assert_eq!(judge(&skipped, None, false), Verdict::Ignored("skipped: no Go".into()));
        assert!(matches!(judge(&skipped, None, true), Verdict::Failed(_)));
    }
}

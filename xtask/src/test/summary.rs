//! Formats the summary of a run: the result and the time of each part, then the skipped tests with
//! their reasons.

use std::{fmt::Write, time::Duration};

use super::part::{Outcome, Part};

/// A selected part and its result.
pub(super) struct Row {
    pub(super) part: &'static Part,
    pub(super) result: Verdict,
    pub(super) took: Duration,
}

/// The result of a part that the user has selected.
#[derive(Debug)]
pub(super) enum Verdict {
    Passed,
    Unchanged,
    Skipped(String),
    Failed(String),
    /// The part did not start. The text is the reason.
    NotRun(String),
}

impl From<anyhow::Result<Outcome>> for Verdict {
    fn from(result: anyhow::Result<Outcome>) -> Self {
        match result {
            Ok(Outcome::Passed) => Self::Passed,
            Ok(Outcome::Unchanged) => Self::Unchanged,
            Ok(Outcome::Skipped(reason)) => Self::Skipped(reason),
            Err(error) => Self::Failed(format!("{error:#}")),
        }
    }
}

impl Verdict {
    fn word(&self) -> &'static str {
        match self {
            Self::Passed => "ok",
            Self::Unchanged => "unchanged",
            Self::Skipped(_) => "skipped",
            Self::Failed(_) => "FAILED",
            Self::NotRun(_) => "not run",
        }
    }

    fn reason(&self) -> Option<&str> {
        match self {
            Self::Passed => None,
            Self::Unchanged => Some("its inputs have not changed since it last passed"),
            Self::Skipped(reason) | Self::Failed(reason) | Self::NotRun(reason) => Some(reason),
        }
    }

    pub(super) fn is_bad(&self) -> bool {
        matches!(self, Self::Failed(_) | Self::NotRun(_))
    }
}

/// Formats the table. `skipped` has a line for each skipped test.
pub(super) fn table(rows: &[Row], skipped: &[String], took: Duration) -> String {
    let mut text = format!("\n{:<12}{:<12}{:>8}   {}\n", "part", "result", "minutes", "usual (cold, warm)");
    let _ = writeln!(text, "{}", "-".repeat(52));
    for Row { part, result, took } in rows {
        let (minutes, usual) = (minutes(*took), part.minutes);
        let _ = writeln!(
            text,
            "{:<12}{:<12}{minutes:>8.1}   {:.0}, {:.0}",
            part.name,
            result.word(),
            usual.cold.ceil(),
            usual.warm.ceil()
        );
    }
    let _ = writeln!(text, "{:<24}{:>8.1}", "all", minutes(took));
    for Row { part, result, .. } in rows {
        if let Some(reason) = result.reason() {
            let _ = writeln!(text, "\n{}: {}: {reason}", part.name, result.word());
        }
    }
    if !skipped.is_empty() {
        let _ = writeln!(text, "\nskipped tests:\n  {}", skipped.join("\n  "));
    }
    let count = |is: fn(&Verdict) -> bool| rows.iter().filter(|row| is(&row.result)).count();
    let passed = count(|result| matches!(result, Verdict::Passed | Verdict::Unchanged));
    let skipped = count(|result| matches!(result, Verdict::Skipped(_)));
    let _ = write!(text, "\nparts: {passed} passed, {} failed, {skipped} skipped", count(Verdict::is_bad));
    text
}

fn minutes(took: Duration) -> f64 {
    took.as_secs_f64() / 60.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::parts::PARTS;

    fn row(result: Verdict) -> Row {
        Row { part: &PARTS[0], result, took: Duration::from_secs(90) }
    }

    #[test]
    fn table_names_failed_parts_and_skipped_tests() {
        let rows = [row(Verdict::Passed), row(Verdict::Failed("two of them".into()))];
        let text = table(&rows, &["a_test: needs root".into()], Duration::from_mins(3));
        let expected = ["ok               1.5", "lints: FAILED: two of them", "a_test: needs root"];
        for part in expected {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        assert!(text.ends_with("parts: 1 passed, 1 failed, 0 skipped"), "{text}");
        assert!(text.lines().all(|line| line.len() <= 80), "{text}");
    }

    #[test]
    fn part_that_did_not_run_is_bad() {
        assert!(Verdict::NotRun("build failed".into()).is_bad());
        assert!(!Verdict::Skipped("not Debian".into()).is_bad());
    }
}

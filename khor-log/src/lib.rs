//! Logging for khor's programs: as text on stderr, or as records in systemd's journal.
//!
//! [`start`] starts logging. A [`RateLimit`] prevents clients from filling the log.

mod rate_limit;

use std::{
    fmt,
    io::{IsTerminal, stderr},
};

use khor_proto::inert;
use nix::sys::stat::fstat;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::{
    EnvFilter,
    field::MakeExt,
    fmt::{
        FmtContext, FormatEvent, FormatFields, SubscriberBuilder,
        format::{Format, Writer, debug_fn},
    },
    registry::LookupSpan,
};

pub use self::rate_limit::RateLimit;

/// Starts logging. The environment variable `KHOR_LOG` selects which records are logged. If it is
/// unset or invalid, `RUST_LOG` applies. If that is unset or invalid too, `default` applies.
///
/// Records for systemd's journal have priorities. They have no times, because the journal adds the
/// time. Each record is one line. Control characters in its values are replaced, so that the name
/// of a client or process can neither forge a record nor send escape sequences to a terminal.
pub fn start(default: &str) {
    let filter = select_filter(default, |name| std::env::var(name).ok());
    let format = inert_lines()
        .with_env_filter(filter)
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal() && wants_ansi())
        .with_target(false)
        // If a record cannot be written, do not report this on stderr, because that could fail too
        // and then panic. A full disk or a closed terminal must not end the program.
        .log_internal_errors(false);
    if is_journal() {
        format.event_format(JournalFormat).init();
    } else {
        format.init();
    }
}

/// Returns the log filter from `KHOR_LOG` or, if this variable is unset or invalid, from
/// `RUST_LOG`. If neither is valid, returns the filter `default`.
fn select_filter(default: &str, variable: impl Fn(&str) -> Option<String>) -> EnvFilter {
    let chosen = ["KHOR_LOG", "RUST_LOG"]
        .into_iter()
        .filter_map(variable)
        .find_map(|text| EnvFilter::try_new(text).ok());
    chosen.unwrap_or_else(|| EnvFilter::new(default))
}

/// Builds a subscriber that replaces control characters in the values of records.
fn inert_lines() -> SubscriberBuilder<impl for<'a> FormatFields<'a> + Send + Sync + 'static> {
    tracing_subscriber::fmt().fmt_fields(
        debug_fn(|writer, field, value| inert::log_field(writer, field.name(), value)).delimited(" "),
    )
}

/// Whether the terminal supports colours (`TERM`) and the user has not disabled them (`NO_COLOR`).
fn wants_ansi() -> bool {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    variable("NO_COLOR").is_none() && variable("TERM").is_some_and(|term| term != "dumb")
}

/// Whether stderr is connected to the journal. It is not enough that `JOURNAL_STREAM` is set,
/// because a program can inherit this variable and still write to a terminal or file.
fn is_journal() -> bool {
    let named = std::env::var("JOURNAL_STREAM").ok();
    let found = fstat(stderr()).map(|found| format!("{}:{}", found.st_dev, found.st_ino));
    named.is_some_and(|named| found == Ok(named))
}

/// A format that starts each line with its priority (`sd-daemon(3)`), so that `journalctl
/// --priority=warning` finds warnings.
struct JournalFormat;

impl<S, N> FormatEvent<S, N> for JournalFormat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let priority = match *event.metadata().level() {
            Level::ERROR => 3,
            Level::WARN => 4,
            Level::INFO => 6,
            Level::DEBUG | Level::TRACE => 7,
        };
        write!(writer, "<{priority}>")?;
        let plain = Format::default().without_time().with_target(false).with_level(false);
        plain.format_event(context, writer, event)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn khor_log_comes_before_rust_log() {
        let filter = |set: &[(&str, &str)]| {
            let value =
                |name: &str| set.iter().find(|(held, _)| *held == name).map(|(_, text)| (*text).to_owned());
            select_filter("info", value).to_string()
        };
        assert_eq!(filter(&[("KHOR_LOG", "debug"), ("RUST_LOG", "warn")]), "debug");
        assert_eq!(filter(&[("RUST_LOG", "warn")]), "warn");
        assert_eq!(filter(&[("KHOR_LOG", "no=such=level")]), "info");
    }

    #[test]
    fn journal_lines_carry_priority() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let written = Arc::new(file.reopen().expect("the file"));
        let format = inert_lines().with_ansi(false).event_format(JournalFormat);
        let subscriber = format.with_writer(written).finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::error!("out of {}", "order");
            tracing::warn!("odd");
            tracing::info!("ready");
            tracing::info!(client = "a\x1b]52;c;\n<0>b", "{} left", "x\n<0>forged\u{202e}");
        });
        let written = std::fs::read_to_string(file.path()).expect("the file");
        let forged = "<6>x\u{fffd}<0>forged\u{fffd} left client=\"a\\u{1b}]52;c;\\n<0>b\"\n";
        assert_eq!(written, format!("<3>out of order\n<4>odd\n<6>ready\n{forged}"));
    }
}

//! Why the sound device is silent: a mute, a snooze or quiet hours.
//!
//! Mutes and snoozes end when khor restarts. Quiet hours continue, because they are in the
//! configuration.

use std::fmt;

use jiff::Timestamp;
use khor_api::{SilenceReason, SilenceReport};
use khor_system::local_time::Local;

/// All causes of silence. Times are in milliseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Silence {
    muted_manually: bool,
    /// When the snooze ends. `None` if there is no snooze.
    pub(super) snoozed_until_ts_ms: Option<u64>,
    /// When the current quiet hours end. `None` if quiet hours do not mute now.
    pub(super) quiet_until_ts_ms: Option<u64>,
    /// If the user has unmuted the device during quiet hours, the end of these quiet hours. Until
    /// this time, quiet hours do not mute the device.
    pub(super) unmuted_until_ts_ms: Option<u64>,
}

impl Silence {
    /// Returns the cause of silence that ends last, or `None` if the sound device is not silent.
    pub(super) fn report(&self) -> Option<SilenceReport> {
        if self.muted_manually {
            return Some(SilenceReport { reason: SilenceReason::Muted, until: None });
        }
        let quiet = self.quiet_until_ts_ms.map(|until| (until, SilenceReason::QuietHours));
        let snooze = self.snoozed_until_ts_ms.map(|until| (until, SilenceReason::Snoozed));
        let (until, reason) = match (quiet, snooze) {
            (Some(quiet), Some(snooze)) if snooze.0 > quiet.0 => snooze,
            (Some(quiet), _) => quiet,
            (None, snooze) => snooze?,
        };
        Some(SilenceReport { reason, until: Some(until) })
    }

    pub(super) fn is_muted(&self) -> bool {
        self.muted_manually || self.snoozed_until_ts_ms.is_some() || self.quiet_until_ts_ms.is_some()
    }

    /// Mutes or unmutes at the user's request, and ends a snooze. If the user unmutes during quiet
    /// hours, the device stays unmuted until these quiet hours end.
    pub(super) fn set_manually(&mut self, muted: bool) {
        self.muted_manually = muted;
        self.snoozed_until_ts_ms = None;
        if !muted {
            self.unmuted_until_ts_ms = self.quiet_until_ts_ms.take().or(self.unmuted_until_ts_ms);
        }
    }

    /// Toggles the mute. During a snooze or quiet hours, the first call sets a mute that lasts
    /// until the next toggle, because a toggle must not start the sound unexpectedly.
    pub(super) fn toggle(&mut self) {
        self.set_manually(!self.muted_manually);
    }

    pub(super) fn snooze(&mut self, until_ts_ms: u64) {
        self.muted_manually = false;
        self.snoozed_until_ts_ms = Some(until_ts_ms);
    }

    /// Removes the snooze and the quiet hours if they have ended, and applies new quiet hours.
    /// `quiet_until_ts_ms` is the end of the current quiet hours, or `None` outside quiet hours.
    pub(super) fn advance(&mut self, now_ts_ms: u64, quiet_until_ts_ms: Option<u64>) {
        self.snoozed_until_ts_ms = self.snoozed_until_ts_ms.filter(|until| *until > now_ts_ms);
        self.unmuted_until_ts_ms = self.unmuted_until_ts_ms.filter(|until| *until > now_ts_ms);
        self.quiet_until_ts_ms = quiet_until_ts_ms.filter(|_| self.unmuted_until_ts_ms.is_none());
    }
}

/// A text such as `muted until 07:00 (quiet hours)`. It is empty while the device is not muted.
impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(SilenceReport { reason, until }) = self.report() else { return Ok(()) };
        let why = match reason {
            SilenceReason::Muted => "by hand",
            SilenceReason::Snoozed => "snooze",
            SilenceReason::QuietHours => "quiet hours",
        };
        match until {
            None => f.write_str("muted"),
            Some(until) => write!(f, "muted until {} ({why})", wall_clock(until)),
        }
    }
}

/// The local time as `hours:minutes`.
fn wall_clock(ts_ms: u64) -> String {
    Timestamp::from_millisecond(ts_ms as i64).map_or_else(
        |_| "?".to_owned(),
        |then| then.to_zoned_datetime(Local::now().zone).strftime("%H:%M").to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_silence_is_reported() {
        let reason = |silence: &Silence| silence.report().map(|report| (report.reason, report.until));
        let mut silence = Silence::default();
        assert_eq!(reason(&silence), None);
        silence.advance(220, NIGHT);
        assert_eq!(reason(&silence), Some((SilenceReason::QuietHours, NIGHT)));
        silence.snooze(600);
        assert_eq!(reason(&silence), Some((SilenceReason::QuietHours, NIGHT)));
        silence.snooze(900);
        assert_eq!(reason(&silence), Some((SilenceReason::Snoozed, Some(900))));
        silence.toggle();
        assert_eq!(reason(&silence), Some((SilenceReason::Muted, None)));
        silence.toggle();
        assert_eq!(reason(&silence), None, "an unmute in quiet hours ends the silence");
    }

    const NIGHT: Option<u64> = Some(700);

    #[test]
    fn quiet_hours_keep_a_manual_mute() {
        let mut silence = Silence::default();
        silence.advance(100, None);
        assert!(!silence.is_muted());
        silence.advance(220, NIGHT);
        assert_eq!((silence.is_muted(), silence.quiet_until_ts_ms), (true, NIGHT));
        silence.advance(700, None);
        assert!(!silence.is_muted(), "the quiet hours have ended");

        silence.set_manually(true);
        silence.advance(220, NIGHT);
        silence.advance(700, None);
        assert!(silence.is_muted(), "a manual mute outlasts quiet hours");
    }

    #[test]
    fn an_unmute_lasts_until_quiet_hours_end() {
        let mut silence = Silence::default();
        silence.advance(220, NIGHT);
        silence.set_manually(false);
        silence.advance(221, NIGHT);
        assert!(!silence.is_muted(), "a manual unmute has priority over quiet hours");
        silence.snooze(300);
        silence.advance(300, NIGHT);
        assert!(!silence.is_muted(), "the snooze has ended, and the unmute still applies");
        silence.set_manually(false);
        silence.advance(301, NIGHT);
        assert!(!silence.is_muted(), "a second unmute changes nothing");
        silence.advance(700, None);
        silence.advance(1220, Some(1700));
        assert!(silence.is_muted(), "the unmute does not apply to the next night");
    }

    #[test]
    fn quiet_hours_and_snoozes_are_independent() {
        let mut silence = Silence::default();
        silence.snooze(300);
        silence.advance(220, NIGHT);
        silence.advance(300, NIGHT);
        assert!(silence.is_muted() && silence.snoozed_until_ts_ms.is_none());
        silence.snooze(900);
        silence.advance(700, None);
        assert!(silence.is_muted(), "the snooze lasts longer");
        silence.advance(900, None);
        assert!(!silence.is_muted());
    }
}

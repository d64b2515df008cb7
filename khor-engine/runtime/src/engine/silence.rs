//! What silences the sound device: a hand, a snooze, quiet hours. Each is a state of the engine alone; a restart keeps
//! only the quiet hours, which are in the configuration.

use std::{
    fmt,
    sync::{Arc, Weak},
    time::{Duration, SystemTime},
};

use jiff::{Timestamp, ZonedDateTime};
use khor_system::{
    clock::unix_ms,
    local_time::{self, Local},
};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::{sync::Notify, time::timeout};

use super::{ActionError, Engine, conductor::Command};

/// Longest snooze, minutes: a day.
const MAX_SNOOZE_MINUTES: u32 = 24 * 60;
/// A clock that is set, or a machine that slept, is noticed within this.
const MAX_WAIT: Duration = Duration::from_secs(10);

/// Everything that mutes; times in milliseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Silence {
    muted_manually: bool,
    /// When the snooze ends.
    pub(super) snoozed_until_ts_ms: Option<u64>,
    /// When the quiet hours end that mute now.
    pub(super) quiet_until_ts_ms: Option<u64>,
    /// When the quiet hours end in which somebody unmuted.
    unmuted_until_ts_ms: Option<u64>,
}

/// What silences the sound device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SilenceReason {
    /// Muted by hand, until somebody unmutes.
    Muted,
    /// A snooze.
    Snoozed,
    /// The quiet hours of the configuration.
    QuietHours,
}

/// Why the sound device is silent, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SilenceReport {
    /// The reason that lasts longest.
    pub reason: SilenceReason,
    /// When the silence ends by itself, milliseconds since 1970; `null` if it does not.
    pub until: Option<u64>,
}

impl Silence {
    /// The reason that lasts longest; `None` if the sound device is not silent.
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

    /// Whoever mutes or unmutes decides anew; unmuted in quiet hours it stays so until they end.
    fn set_manually(&mut self, muted: bool) {
        self.muted_manually = muted;
        self.snoozed_until_ts_ms = None;
        if !muted {
            self.unmuted_until_ts_ms = self.quiet_until_ts_ms.take().or(self.unmuted_until_ts_ms);
        }
    }

    /// Toggles the mute by hand. During a snooze or quiet hours the first call mutes, because it
    /// must not start sound by surprise.
    fn toggle(&mut self) {
        self.set_manually(!self.muted_manually);
    }

    fn snooze(&mut self, until_ts_ms: u64) {
        self.muted_manually = false;
        self.snoozed_until_ts_ms = Some(until_ts_ms);
    }

    /// The time is now, in quiet hours until then, or in none.
    fn advance(&mut self, now_ts_ms: u64, quiet_until_ts_ms: Option<u64>) {
        self.snoozed_until_ts_ms = self.snoozed_until_ts_ms.filter(|until| *until > now_ts_ms);
        self.unmuted_until_ts_ms = self.unmuted_until_ts_ms.filter(|until| *until > now_ts_ms);
        self.quiet_until_ts_ms = quiet_until_ts_ms.filter(|_| self.unmuted_until_ts_ms.is_none());
    }
}

/// `muted until 07:00 (quiet hours)`; nothing while the music is heard.
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

/// What the clock on the wall shows then.
fn wall_clock(ts_ms: u64) -> String {
    Timestamp::from_millisecond(ts_ms as i64).map_or_else(
        |_| "?".to_owned(),
        |then| then.to_zoned_datetime(Local::now().zone).strftime("%H:%M").to_string(),
    )
}

impl Engine {
    /// Whether the sound device is muted, by whatever.
    pub fn is_muted(&self) -> bool {
        self.state.lock().silence.is_muted()
    }

    /// Mutes the sound device, or not. MIDI and OSC go on. A snooze is over either way, and what is unmuted in quiet
    /// hours stays so until they end.
    pub fn set_muted(&self, muted: bool) {
        self.change_silence(|silence| silence.set_manually(muted));
    }

    /// Toggles the mute by hand; returns whether the device is muted now. A snooze or quiet hours
    /// become a mute by hand.
    pub fn toggle_mute(&self) -> bool {
        self.change_silence(Silence::toggle)
    }

    /// Mutes for so many minutes, 1..=1440, or ends that with 0; says until when, in milliseconds since 1970.
    pub fn snooze(&self, minutes: u32) -> Result<Option<u64>, ActionError> {
        if minutes > MAX_SNOOZE_MINUTES {
            let message = format!("minutes: {minutes} is not allowed, expected 0 to {MAX_SNOOZE_MINUTES}");
            return Err(ActionError::Range(message));
        }
        if minutes == 0 {
            self.change_silence(|silence| silence.snoozed_until_ts_ms = None);
            return Ok(None);
        }
        Ok(Some(self.snooze_for(Duration::from_secs(60 * u64::from(minutes)))))
    }

    fn snooze_for(&self, length: Duration) -> u64 {
        let until_ts_ms = unix_ms(SystemTime::now() + length);
        self.change_silence(|silence| silence.snooze(until_ts_ms));
        until_ts_ms
    }

    /// Other quiet hours: who unmuted in those before has not decided about these.
    pub(super) fn quiet_hours_changed(&self) {
        self.change_silence(|silence| silence.unmuted_until_ts_ms = None);
        self.apply_time(&local_time::now());
    }

    /// Does what is due by now; says how long until something is again.
    pub(super) fn apply_time(&self, now: &ZonedDateTime) -> Option<Duration> {
        let quiet = self.config_snapshot().config.quiet;
        let ts_ms = |then: Timestamp| u64::try_from(then.as_millisecond()).unwrap_or(0);
        let now_ts_ms = ts_ms(now.timestamp());
        let mut state = self.state.lock();
        let before = state.silence;
        state.silence.advance(now_ts_ms, quiet.until(now).map(ts_ms));
        if state.silence != before {
            // In order with others who mute.
            self.conductor.send(Command::Muted(state.silence.is_muted()));
        }
        let next = [state.silence.snoozed_until_ts_ms, quiet.next_change(now).map(ts_ms)];
        let next = next.into_iter().flatten().min()?;
        Some(Duration::from_millis(next.saturating_sub(now_ts_ms)))
    }

    /// Applies a change; returns whether the sound device is silent now.
    fn change_silence(&self, change: impl FnOnce(&mut Silence)) -> bool {
        let mut state = self.state.lock();
        change(&mut state.silence);
        let muted = state.silence.is_muted();
        // In order with others who mute.
        self.conductor.send(Command::Muted(muted));
        self.silence_changed.notify_one();
        muted
    }
}

/// Ends snoozes, begins and ends quiet hours, by the clock on the wall: a machine that slept wakes to the right state.
pub(super) async fn run_mute_clock(engine: Weak<Engine>, changed: Arc<Notify>) {
    loop {
        let Some(wait) = engine.upgrade().map(|engine| engine.apply_time(&local_time::now())) else {
            return;
        };
        match wait {
            // That it takes its time is what it is for.
            Some(wait) => drop(timeout(wait.min(MAX_WAIT), changed.notified()).await),
            None => changed.notified().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine::tests::quiet_engine;

    /// Waits until the engine is muted or not.
    async fn until_muted(engine: &Engine, muted: bool) {
        khor_e2e::wait_until_async(&format!("muted to be {muted}"), || engine.is_muted() == muted).await;
    }

    fn snoozed(engine: &Engine) -> Option<u64> {
        engine.state.lock().silence.snoozed_until_ts_ms
    }

    #[tokio::test]
    async fn a_snooze_ends_by_itself_and_an_older_one_does_not_end_a_newer_one() {
        let (engine, _dir) = quiet_engine();
        engine.snooze_for(Duration::from_millis(30));
        assert!(engine.is_muted());
        until_muted(&engine, false).await;
        assert_eq!(snoozed(&engine), None);

        engine.snooze_for(Duration::from_millis(10));
        let until = engine.snooze(1).unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(engine.is_muted() && until.is_some());
        assert_eq!(snoozed(&engine), until);
        assert_eq!((engine.snooze(0).unwrap(), engine.is_muted()), (None, false));
    }

    #[tokio::test]
    async fn who_mutes_or_unmutes_decides_anew() {
        let (engine, _dir) = quiet_engine();
        engine.snooze_for(Duration::from_millis(20));
        engine.set_muted(true);
        tokio::time::sleep(Duration::from_millis(60)).await;
        assert!(engine.is_muted(), "muted for good");
        engine.snooze(1).unwrap();
        engine.set_muted(false);
        assert_eq!(snoozed(&engine), None);
        engine.set_muted(true);
        engine.snooze(0).unwrap();
        assert!(engine.is_muted(), "there was no snooze to end");
        let error = engine.snooze(1441).unwrap_err().to_string();
        assert_eq!(error, "minutes: 1441 is not allowed, expected 0 to 1440");
    }

    /// `khor mute` used to end a snooze, and with it all silence.
    #[tokio::test]
    async fn a_toggle_during_a_snooze_mutes_and_the_next_one_unmutes() {
        let (engine, _dir) = quiet_engine();
        engine.snooze_for(Duration::from_millis(20));
        assert!(engine.toggle_mute(), "muted");
        assert_eq!(snoozed(&engine), None);
        tokio::time::sleep(Duration::from_millis(60)).await;
        assert!(engine.is_muted(), "for good");
        assert!(!engine.toggle_mute() && !engine.is_muted());
        assert!(engine.toggle_mute() && engine.is_muted());
    }

    #[test]
    fn the_reported_reason_is_the_one_that_lasts_longest() {
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
        assert_eq!(serde_json::to_value(SilenceReason::QuietHours).unwrap(), "quiet_hours");
    }

    const NIGHT: Option<u64> = Some(700);

    #[test]
    fn quiet_hours_mute_and_unmute_and_leave_a_hand_its_way() {
        let mut silence = Silence::default();
        silence.advance(100, None);
        assert!(!silence.is_muted());
        silence.advance(220, NIGHT);
        assert_eq!((silence.is_muted(), silence.quiet_until_ts_ms), (true, NIGHT));
        silence.advance(700, None);
        assert!(!silence.is_muted(), "in the morning it is heard");

        silence.set_manually(true);
        silence.advance(220, NIGHT);
        silence.advance(700, None);
        assert!(silence.is_muted(), "muted by hand for good");
    }

    #[test]
    fn unmuted_in_quiet_hours_it_is_heard_until_they_end_and_the_next_ones_mute_again() {
        let mut silence = Silence::default();
        silence.advance(220, NIGHT);
        silence.set_manually(false);
        silence.advance(221, NIGHT);
        assert!(!silence.is_muted(), "the hand is stronger");
        silence.snooze(300);
        silence.advance(300, NIGHT);
        assert!(!silence.is_muted(), "the snooze is over, and the hand's word still holds");
        silence.set_manually(false);
        silence.advance(301, NIGHT);
        assert!(!silence.is_muted(), "twice is as good as once");
        silence.advance(700, None);
        silence.advance(1220, Some(1700));
        assert!(silence.is_muted(), "the next night");
    }

    #[test]
    fn a_snooze_in_quiet_hours_does_not_outlast_nor_shorten_them() {
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

    #[tokio::test]
    async fn hours_that_are_set_to_be_now_mute_at_once_and_others_do_not() {
        let (engine, _dir) = quiet_engine();
        let now = local_time::now();
        let around = |hours: i64| {
            let edge = |minutes: i64| {
                let then = now.timestamp() + jiff::SignedDuration::from_mins(60 * hours + minutes);
                then.to_zoned_datetime(now.time_zone().clone()).strftime("%H:%M").to_string()
            };
            json!({ "quiet": { "enabled": true, "from": edge(-30), "to": edge(30) } })
        };
        engine.update_config(&around(0)).unwrap();
        assert!(engine.is_muted() && engine.controls().quiet_until_ts_ms.is_some());
        let words = engine.explain().text;
        assert!(words.contains("muted until") && words.contains("(quiet hours)"), "{words}");
        engine.set_muted(false);
        engine.apply_time(&local_time::now());
        assert!(!engine.is_muted() && engine.controls().quiet_until_ts_ms.is_none());
        engine.update_config(&around(6)).unwrap();
        assert!(!engine.is_muted());
        engine.update_config(&around(0)).unwrap();
        assert!(engine.is_muted(), "new hours are a new word");
        engine.update_config(&json!({ "quiet": { "enabled": false } })).unwrap();
        assert!(!engine.is_muted());
    }
}

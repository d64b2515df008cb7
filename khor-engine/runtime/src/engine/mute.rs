//! Mutes and unmutes the sound device: at the user's request, by a snooze, and during quiet hours.

use std::{
    sync::{Arc, Weak},
    time::{Duration, SystemTime},
};

use jiff::{Timestamp, ZonedDateTime};
use khor_system::{clock::unix_ms, local_time};
use tokio::{sync::Notify, time::timeout};

use super::{ActionError, Engine, conductor::Command, quiet_hours::QuietHours, silence::Silence};

/// Maximum length of a snooze, in minutes. It is one day.
const MAX_SNOOZE_MINUTES: u32 = 24 * 60;
/// Longest time between two checks of the wall clock. A change of the clock, or a wake-up from
/// suspend, takes effect within this time.
const MAX_WAIT: Duration = Duration::from_secs(10);

impl Engine {
    /// Returns whether the sound device is silent because of a mute, a snooze or quiet hours.
    pub fn is_muted(&self) -> bool {
        self.state.lock().silence.is_muted()
    }

    /// Mutes or unmutes the sound device, and ends a snooze. MIDI and OSC continue. If the user
    /// unmutes during quiet hours, the device stays unmuted until these quiet hours end.
    pub fn set_muted(&self, muted: bool) {
        self.change_silence(|silence| silence.set_manually(muted));
    }

    /// Toggles the mute. The first toggle during a snooze or quiet hours does not unmute: the
    /// device stays muted until the next toggle. Returns whether the device is muted now.
    pub fn toggle_mute(&self) -> bool {
        self.change_silence(Silence::toggle)
    }

    /// Mutes the sound device for 1 to 1440 minutes; 0 ends a snooze. Returns when the snooze ends,
    /// in milliseconds since 1970, or `None` if `minutes` is 0.
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

    /// Applies changed quiet hours. An unmute during the previous quiet hours does not affect the
    /// new ones.
    pub(super) fn quiet_hours_changed(&self) {
        self.change_silence(|silence| silence.unmuted_until_ts_ms = None);
        self.apply_time(&local_time::now());
    }

    /// Begins or ends quiet hours, and ends a snooze, if this is due at the time `now`. Returns how
    /// long until the next such change, or `None` if there is none.
    pub(super) fn apply_time(&self, now: &ZonedDateTime) -> Option<Duration> {
        let quiet = self.config_snapshot().config.quiet;
        let ts_ms = |then: Timestamp| u64::try_from(then.as_millisecond()).unwrap_or(0);
        let now_ts_ms = ts_ms(now.timestamp());
        let mut state = self.state.lock();
        let before = state.silence;
        state.silence.advance(now_ts_ms, QuietHours(quiet).until(now).map(ts_ms));
        if state.silence != before {
            // Send the command while the lock is held, so that concurrent changes keep their order.
            self.conductor.send(Command::Muted(state.silence.is_muted()));
        }
        let next = [state.silence.snoozed_until_ts_ms, QuietHours(quiet).next_change(now).map(ts_ms)];
        let next = next.into_iter().flatten().min()?;
        Some(Duration::from_millis(next.saturating_sub(now_ts_ms)))
    }

    /// Calls `change` with the causes of silence, and applies the result to the sound device.
    /// Returns whether the sound device is muted now.
    fn change_silence(&self, change: impl FnOnce(&mut Silence)) -> bool {
        let mut state = self.state.lock();
        change(&mut state.silence);
        let muted = state.silence.is_muted();
        // Send the command while the lock is held, so that concurrent changes keep their order.
        self.conductor.send(Command::Muted(muted));
        self.silence_changed.notify_one();
        muted
    }
}

/// Follows the wall clock: ends snoozes, and begins and ends quiet hours. After a suspend, applies
/// the state of the current time. Returns when the engine is dropped.
pub(super) async fn run_mute_clock(engine: Weak<Engine>, changed: Arc<Notify>) {
    loop {
        let Some(wait) = engine.upgrade().map(|engine| engine.apply_time(&local_time::now())) else {
            return;
        };
        match wait {
            // Ignore whether the wait ended with a timeout or with a change, because the loop
            // applies the current time in both cases.
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

    /// Waits until `engine.is_muted()` equals `muted`.
    async fn until_muted(engine: &Engine, muted: bool) {
        khor_e2e::wait_until_async(&format!("muted to be {muted}"), || engine.is_muted() == muted).await;
    }

    fn snoozed(engine: &Engine) -> Option<u64> {
        engine.state.lock().silence.snoozed_until_ts_ms
    }

    #[tokio::test]
    async fn old_snoozes_do_not_end_newer_ones() {
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
    async fn a_manual_mute_ends_a_snooze() {
        let (engine, _dir) = quiet_engine();
        engine.snooze_for(Duration::from_millis(20));
        engine.set_muted(true);
        tokio::time::sleep(Duration::from_millis(60)).await;
        assert!(engine.is_muted(), "a manual mute has no end");
        engine.snooze(1).unwrap();
        engine.set_muted(false);
        assert_eq!(snoozed(&engine), None);
        engine.set_muted(true);
        engine.snooze(0).unwrap();
        assert!(engine.is_muted(), "there was no snooze to end");
        let error = engine.snooze(1441).unwrap_err().to_string();
        assert_eq!(error, "minutes: 1441 is not allowed, expected 0 to 1440");
    }

    /// Guards against an earlier bug, in which the toggle ended the snooze and unmuted the device.
    #[tokio::test]
    async fn a_toggle_during_a_snooze_mutes() {
        let (engine, _dir) = quiet_engine();
        engine.snooze_for(Duration::from_millis(20));
        assert!(engine.toggle_mute(), "the toggle mutes");
        assert_eq!(snoozed(&engine), None);
        tokio::time::sleep(Duration::from_millis(60)).await;
        assert!(engine.is_muted(), "the mute outlasts the snooze");
        assert!(!engine.toggle_mute() && !engine.is_muted());
        assert!(engine.toggle_mute() && engine.is_muted());
    }

    #[tokio::test]
    async fn changed_quiet_hours_apply_at_once() {
        let (engine, _dir) = quiet_engine();
        let now = local_time::now();
        let around = |hours: i64| {
            let edge = |minutes: i64| {
                let then = now.timestamp() + jiff::SignedDuration::from_mins(60 * hours + minutes);
                then.to_zoned_datetime(now.time_zone().clone()).strftime("%H:%M").to_string()
            };
            json!({ "quiet": { "enabled": true, "from": edge(-30), "to": edge(30) } })
        };
        engine.update_config_json(&around(0), None).unwrap();
        assert!(engine.is_muted() && engine.controls().quiet_until_ts_ms.is_some());
        let words = engine.explain().text;
        assert!(words.contains("muted until") && words.contains("(quiet hours)"), "{words}");
        engine.set_muted(false);
        engine.apply_time(&local_time::now());
        assert!(!engine.is_muted() && engine.controls().quiet_until_ts_ms.is_none());
        engine.update_config_json(&around(6), None).unwrap();
        assert!(!engine.is_muted());
        engine.update_config_json(&around(0), None).unwrap();
        assert!(engine.is_muted(), "the unmute does not apply to new quiet hours");
        engine.update_config_json(&json!({ "quiet": { "enabled": false } }), None).unwrap();
        assert!(!engine.is_muted());
    }
}

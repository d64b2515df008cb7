//! Snooze: mute that ends by itself. A state of the engine alone; a restart ends it too.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use super::{ActionError, Engine, conductor::Command, state::unix_ms};

/// Longest snooze, minutes: a day.
const MOST_MINUTES: u32 = 24 * 60;

impl Engine {
    /// Mutes for so many minutes, 1..=1440, or ends that with 0; says until when, in milliseconds since 1970. Must be
    /// called within a tokio runtime.
    pub fn snooze(self: &Arc<Self>, minutes: u32) -> Result<Option<u64>, ActionError> {
        if minutes > MOST_MINUTES {
            let message = format!("minutes: {minutes} is not allowed, expected 0 to {MOST_MINUTES}");
            return Err(ActionError(message));
        }
        if minutes == 0 {
            self.wake(None);
            return Ok(None);
        }
        Ok(Some(self.snooze_for(Duration::from_secs(60 * u64::from(minutes)))))
    }

    fn snooze_for(self: &Arc<Self>, length: Duration) -> u64 {
        let until_ts_ms = unix_ms(SystemTime::now() + length);
        let number = {
            let mut seen = self.state.lock();
            seen.muted = true;
            seen.snooze.number += 1;
            seen.snooze.until_ts_ms = Some(until_ts_ms);
            seen.snooze.number
        };
        self.conductor.send(Command::Muted(true));
        let engine = Arc::downgrade(self);
        tokio::spawn(async move {
            tokio::time::sleep(length).await;
            if let Some(engine) = engine.upgrade() {
                engine.wake(Some(number));
            }
        });
        until_ts_ms
    }

    /// Ends the snooze: any, or the one of that number.
    fn wake(&self, number: Option<u64>) {
        let mut seen = self.state.lock();
        let is_it = number.is_none_or(|number| number == seen.snooze.number);
        if is_it && seen.snooze.until_ts_ms.take().is_some() {
            seen.muted = false;
            self.conductor.send(Command::Muted(false));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::engine::tests::quiet_engine;

    /// Waits until the engine is muted or not.
    async fn until_muted(engine: &Engine, muted: bool) {
        let begun = Instant::now();
        while engine.is_muted() != muted {
            assert!(begun.elapsed() < Duration::from_secs(10), "muted is not {muted}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    #[tokio::test]
    async fn a_snooze_ends_by_itself_and_an_older_one_does_not_end_a_newer_one() {
        let (engine, _dir) = quiet_engine();
        engine.snooze_for(Duration::from_millis(30));
        assert!(engine.is_muted());
        until_muted(&engine, false).await;
        assert_eq!(engine.state.lock().snooze.until_ts_ms, None);

        engine.snooze_for(Duration::from_millis(10));
        let until = engine.snooze(1).unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(engine.is_muted() && until.is_some());
        assert_eq!(engine.state.lock().snooze.until_ts_ms, until);
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
        assert_eq!(engine.state.lock().snooze.until_ts_ms, None);
        engine.set_muted(true);
        engine.snooze(0).unwrap();
        assert!(engine.is_muted(), "there was no snooze to end");
        let error = engine.snooze(1441).unwrap_err().to_string();
        assert_eq!(error, "minutes: 1441 is not allowed, expected 0 to 1440");
    }
}

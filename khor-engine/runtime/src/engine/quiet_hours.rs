//! Computes quiet hours: the daily period in which the sound device is muted, by this machine's
//! wall clock.

use jiff::{Timestamp, ToSpan, ZonedDateTime, civil::Time};
use khor_config::{Quiet, TimeOfDay};

/// Computes when quiet hours begin and end.
#[derive(Clone, Copy, Debug)]
pub(super) struct QuietHours(pub(super) Quiet);

impl QuietHours {
    /// Returns when the current quiet hours end, or `None` outside quiet hours.
    pub(super) fn until(self, now: &ZonedDateTime) -> Option<Timestamp> {
        let instant = now.timestamp();
        let is_now = |&(begin, end): &(Timestamp, Timestamp)| begin <= instant && instant < end;
        self.days(now).into_iter().find(is_now).map(|(_, end)| end)
    }

    /// Returns when quiet hours next begin or end after `now`, or `None` if they are disabled.
    pub(super) fn next_change(self, now: &ZonedDateTime) -> Option<Timestamp> {
        let edges = self.days(now).into_iter().flat_map(|(begin, end)| [begin, end]);
        edges.filter(|edge| *edge > now.timestamp()).min()
    }

    /// Returns the start and the end of the quiet hours of yesterday, today and tomorrow. If a
    /// change to daylight saving time skips a time, the time one hour later is used. If a time
    /// occurs twice, the first occurrence is used.
    fn days(self, now: &ZonedDateTime) -> Vec<(Timestamp, Timestamp)> {
        if !self.0.enabled {
            return Vec::new();
        }
        let days = (-1..=1_i64).filter_map(|ahead| {
            let from = now.date().checked_add(ahead.days()).ok()?;
            let to = if self.0.to > self.0.from { from } else { from.checked_add(1.day()).ok()? };
            let at = |date: jiff::civil::Date, time: TimeOfDay| {
                let time = Time::new(time.hour() as i8, time.minute() as i8, 0, 0).ok()?;
                Some(date.to_datetime(time).to_zoned_datetime(now.time_zone().clone()).ok()?.timestamp())
            };
            Some((at(from, self.0.from)?, at(to, self.0.to)?))
        });
        days.collect()
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use serde_json::json;

    use super::*;

    /// Converts a local time in Central Europe. The rule of the time zone is written here, so that
    /// the test needs no zone files. Clocks go forward at 2:00 on 29 March 2026, and back at 3:00
    /// on 25 October.
    fn at(text: &str) -> ZonedDateTime {
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        text.parse::<jiff::civil::DateTime>().unwrap().to_zoned_datetime(zone).unwrap()
    }

    fn hours(from: &str, to: &str) -> QuietHours {
        QuietHours(serde_json::from_value(json!({ "enabled": true, "from": from, "to": to })).unwrap())
    }

    /// Returns the day and the local time at which the quiet hours around `now` end.
    fn until(quiet: QuietHours, now: &str) -> Option<String> {
        let now = at(now);
        let end = quiet.until(&now)?.to_zoned_datetime(now.time_zone().clone());
        Some(end.strftime("%d %H:%M").to_string())
    }

    #[test]
    fn quiet_hours_may_cross_midnight() {
        let night = hours("22:00", "07:00");
        for (now, end) in [
            ("2026-06-10T21:59:59", None),
            ("2026-06-10T22:00:00", Some("11 07:00")),
            ("2026-06-11T00:00:00", Some("11 07:00")),
            ("2026-06-11T06:59:59", Some("11 07:00")),
            ("2026-06-11T07:00:00", None),
        ] {
            assert_eq!(until(night, now).as_deref(), end, "{now}");
        }
        let lunch = hours("12:00", "13:30");
        assert_eq!(until(lunch, "2026-06-10T12:30:00").as_deref(), Some("10 13:30"));
        assert_eq!(until(lunch, "2026-06-10T13:30:00"), None);
        assert_eq!(until(QuietHours(Quiet { enabled: false, ..lunch.0 }), "2026-06-10T12:30:00"), None);
    }

    #[test]
    fn quiet_hours_toggle_at_each_edge() {
        let night = hours("22:00", "07:00");
        let mut now = at("2026-10-23T12:00:00");
        for _ in 0..8 {
            let next = night.next_change(&now).unwrap().to_zoned_datetime(now.time_zone().clone());
            let was = night.until(&now).is_some();
            assert_eq!(night.until(&next).is_some(), !was, "{next}");
            assert_eq!(next.strftime("%H:%M").to_string(), if was { "07:00" } else { "22:00" });
            now = next;
        }
        assert_eq!(QuietHours(Quiet::default()).next_change(&now), None);
    }

    #[test]
    fn quiet_hours_follow_daylight_saving() {
        let night = hours("22:00", "07:00");
        let length = |evening: &str| {
            let now = at(evening);
            night.until(&now).unwrap().duration_since(now.timestamp()).as_hours()
        };
        assert_eq!(length("2026-03-27T22:00:00"), 9);
        assert_eq!(length("2026-03-28T22:00:00"), 8, "an hour is skipped");
        assert_eq!(length("2026-10-24T22:00:00"), 10, "an hour occurs twice");
        let skipped = hours("02:30", "05:00");
        assert_eq!(until(skipped, "2026-03-29T03:29:00"), None, "02:30 moves to 03:30");
        assert_eq!(until(skipped, "2026-03-29T03:30:00").as_deref(), Some("29 05:00"));
    }
}

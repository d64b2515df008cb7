//! Quiet hours: the part of each day in which the sound device is muted, by this machine's wall
//! clock.

use std::fmt;

use jiff::{Timestamp, ToSpan, ZonedDateTime, civil::Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ConfigError, error::require};

/// Hours in which the sound device is muted, every day. MIDI and OSC go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Quiet {
    /// Keep them.
    pub enabled: bool,
    /// When they begin, HH:MM in local time.
    #[schemars(with = "String", regex(pattern = TimeOfDay::PATTERN), length(max = 5))]
    pub from: TimeOfDay,
    /// When they end, HH:MM in local time; before `from` it is the next day's.
    #[schemars(with = "String", regex(pattern = TimeOfDay::PATTERN), length(max = 5))]
    pub to: TimeOfDay,
}

impl Default for Quiet {
    fn default() -> Self {
        Self { enabled: false, from: TimeOfDay::new(22, 0), to: TimeOfDay::new(7, 0) }
    }
}

impl Quiet {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        require(self.from != self.to, "quiet.to", self.to, "another time than quiet.from")
    }

    /// When the quiet hours that are at `now` end; `None` when there are none.
    pub fn until(&self, now: &ZonedDateTime) -> Option<Timestamp> {
        let instant = now.timestamp();
        let is_now = |&(begin, end): &(Timestamp, Timestamp)| begin <= instant && instant < end;
        self.days(now).into_iter().find(is_now).map(|(_, end)| end)
    }

    /// When they begin or end next after `now`; `None` when there are none.
    pub fn next_change(&self, now: &ZonedDateTime) -> Option<Timestamp> {
        let edges = self.days(now).into_iter().flat_map(|(begin, end)| [begin, end]);
        edges.filter(|edge| *edge > now.timestamp()).min()
    }

    /// The quiet hours of yesterday, today and tomorrow. A time that a clock change skips is later
    /// by the skipped time. Of a time that occurs twice, the first counts.
    fn days(&self, now: &ZonedDateTime) -> Vec<(Timestamp, Timestamp)> {
        if !self.enabled {
            return Vec::new();
        }
        let days = (-1..=1_i64).filter_map(|ahead| {
            let from = now.date().checked_add(ahead.days()).ok()?;
            let to = if self.to.0 > self.from.0 { from } else { from.checked_add(1.day()).ok()? };
            let at = |date: jiff::civil::Date, time: TimeOfDay| {
                Some(date.to_datetime(time.0).to_zoned_datetime(now.time_zone().clone()).ok()?.timestamp())
            };
            Some((at(from, self.from)?, at(to, self.to)?))
        });
        days.collect()
    }
}

/// A time on the clock, to the minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay(Time);

impl TimeOfDay {
    const PATTERN: &str = "^([01][0-9]|2[0-3]):[0-5][0-9]$";

    const fn new(hour: i8, minute: i8) -> Self {
        Self(Time::constant(hour, minute, 0, 0))
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0.hour(), self.0.minute())
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        time.to_string()
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let two_digits = |part: &str| {
            let is_it = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
            if is_it { part.parse::<i8>().ok() } else { None }
        };
        let parsed = text
            .split_once(':')
            .and_then(|(hour, minute)| Time::new(two_digits(hour)?, two_digits(minute)?, 0, 0).ok());
        parsed.map(Self).ok_or_else(|| format!("\"{text}\" is not allowed, expected HH:MM, 00:00 to 23:59"))
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use serde_json::json;

    use super::*;

    /// A rule for Central Europe, so that the test needs no zone files. Clocks go forward at 2:00
    /// on 29 March 2026 and back at 3:00 on 25 October.
    fn at(text: &str) -> ZonedDateTime {
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        text.parse::<jiff::civil::DateTime>().unwrap().to_zoned_datetime(zone).unwrap()
    }

    fn hours(from: &str, to: &str) -> Quiet {
        serde_json::from_value(json!({ "enabled": true, "from": from, "to": to })).unwrap()
    }

    /// When the quiet hours end that are at that time, in local time.
    fn until(quiet: Quiet, now: &str) -> Option<String> {
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
        assert_eq!(until(Quiet { enabled: false, ..lunch }, "2026-06-10T12:30:00"), None);
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
        assert_eq!(Quiet::default().next_change(&now), None);
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
        assert_eq!(length("2026-10-24T22:00:00"), 10, "an hour comes twice");
        let skipped = hours("02:30", "05:00");
        assert_eq!(until(skipped, "2026-03-29T03:29:00"), None, "half past two comes an hour later");
        assert_eq!(until(skipped, "2026-03-29T03:30:00").as_deref(), Some("29 05:00"));
    }

    #[test]
    fn times_have_the_form_hh_mm() {
        for wrong in ["7:00", "24:00", "12:60", "12", "", "12:00:00", "ab:cd", "+1:00"] {
            let problem = TimeOfDay::try_from(wrong.to_owned()).unwrap_err();
            assert_eq!(problem, format!("\"{wrong}\" is not allowed, expected HH:MM, 00:00 to 23:59"));
        }
        assert_eq!(TimeOfDay::try_from("23:59".to_owned()).unwrap().to_string(), "23:59");
        let error = hours("22:00", "22:00").check().unwrap_err().to_string();
        assert_eq!(error, "quiet.to: 22:00 is not allowed, expected another time than quiet.from");
    }
}

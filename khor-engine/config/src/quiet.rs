//! Quiet hours: the part of each day in which the sound device is muted, by this machine's wall
//! clock.

use std::fmt;

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
        Self { enabled: false, from: TimeOfDay { hour: 22, minute: 0 }, to: TimeOfDay { hour: 7, minute: 0 } }
    }
}

impl Quiet {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        require(self.from != self.to, "quiet.to", self.to, "another time than quiet.from")
    }
}

/// A time on the clock, to the minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay {
    hour: u8,
    minute: u8,
}

impl TimeOfDay {
    const PATTERN: &str = "^([01][0-9]|2[0-3]):[0-5][0-9]$";

    /// Hour, 0..=23.
    pub const fn hour(self) -> u8 {
        self.hour
    }

    /// Minute, 0..=59.
    pub const fn minute(self) -> u8 {
        self.minute
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour, self.minute)
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
        let number = |part: &str, limit: u8| {
            let is_number = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse().ok().filter(|number| is_number && *number < limit)
        };
        let parsed = text
            .split_once(':')
            .and_then(|(hour, minute)| Some(Self { hour: number(hour, 24)?, minute: number(minute, 60)? }));
        parsed.ok_or_else(|| format!("\"{text}\" is not allowed, expected HH:MM, 00:00 to 23:59"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_have_the_form_hh_mm() {
        for wrong in ["7:00", "24:00", "12:60", "12", "", "12:00:00", "ab:cd", "+1:00"] {
            let problem = TimeOfDay::try_from(wrong.to_owned()).unwrap_err();
            assert_eq!(problem, format!("\"{wrong}\" is not allowed, expected HH:MM, 00:00 to 23:59"));
        }
        assert_eq!(TimeOfDay::try_from("23:59".to_owned()).unwrap().to_string(), "23:59");
        let equal: Quiet = serde_json::from_value(json!({ "from": "22:00", "to": "22:00" })).unwrap();
        let error = equal.check().unwrap_err().to_string();
        assert_eq!(error, "quiet.to: 22:00 is not allowed, expected another time than quiet.from");
    }
}

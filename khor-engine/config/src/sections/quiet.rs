//! The settings of the quiet hours, in which khor mutes the sound device every day.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::{Access, ConfigError, Kind, Leaf, Rule, definition::section, error::not_allowed};

section! {
    /// Hours in which khor mutes the sound device every day. MIDI and OSC output continue.
    #[derive(Copy, Eq)]
    Quiet, QuietPatch {
        /// Mute the sound device in the quiet hours.
        enabled: bool = false, Rule::Any, Access::Api;
        /// When the quiet hours begin, HH:MM in local time.
        from: TimeOfDay = TimeOfDay { hour: 22, minute: 0 }, Rule::Any, Access::Api;
        /// When the quiet hours end, HH:MM in local time. If `to` is before `from`, they end on the
        /// next day.
        to: TimeOfDay = TimeOfDay { hour: 7, minute: 0 }, Rule::Any, Access::Api;
    }
}

impl Quiet {
    /// Checks that `from` and `to` differ.
    pub(crate) fn check_times(self) -> Result<(), ConfigError> {
        if self.from != self.to {
            return Ok(());
        }
        let problem = not_allowed(&self.to, "a time other than quiet.from");
        Err(ConfigError { field: "quiet.to".into(), problem })
    }

    /// If `from` and `to` are equal, restores the previous `to`. If the two are then still equal,
    /// also restores the previous `from`. Returns the problem.
    pub(crate) fn restore_times(&mut self, previous: Self) -> Option<ConfigError> {
        let problem = self.check_times().err()?;
        self.to = previous.to;
        if self.check_times().is_err() {
            self.from = previous.from;
        }
        Some(problem)
    }
}

/// A time of day: hour and minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay {
    hour: u8,
    minute: u8,
}

impl Leaf for TimeOfDay {
    const KIND: Kind = Kind::Text;

    fn check_rule(&self, _: &Rule) -> Result<(), String> {
        Ok(())
    }

    fn expected(_: &Rule) -> String {
        Self::FORM.to_owned()
    }
}

impl JsonSchema for TimeOfDay {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "TimeOfDay".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": Self::PATTERN, "maxLength": 5 })
    }
}

impl TimeOfDay {
    /// The form of a valid time, which errors name.
    const FORM: &str = "HH:MM, 00:00 to 23:59";
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
        parsed.ok_or_else(|| not_allowed(&format_args!("\"{text}\""), Self::FORM))
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
        let error = equal.check_times().unwrap_err().to_string();
        assert_eq!(error, "quiet.to: 22:00 is not allowed, expected a time other than quiet.from");
    }
}

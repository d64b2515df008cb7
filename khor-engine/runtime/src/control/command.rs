//! The commands in OSC messages.

use khor_config::{STEERABLE, is_steerable};
use rosc::OscType;
use serde_json::{Map, Number, Value};

/// Prefix of the address of a setting.
pub(super) const SET: &str = "/khor/set/";
pub(super) const MUTE: &str = "/khor/mute";
pub(super) const PANIC: &str = "/khor/panic";

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum OscCommand {
    /// A setting, by its path in the configuration, its pieces divided by `/`.
    Set(String),
    /// Muted or not; `None` is the other.
    Mute(Option<bool>),
    /// Silence now.
    Panic,
}

/// Why a message is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum CommandError {
    /// Not an address of khor's.
    #[error(
        "{0}: there is no such address; expected /khor/set/<path of a setting>, /khor/mute or /khor/panic"
    )]
    Address(String),
    /// A pattern that matches nothing.
    #[error("{0}: no address matches this pattern; use one such as {SET}music/*")]
    Pattern(String),
    /// Not a setting.
    #[error("/khor/set/{0}: there is no such setting; GET /api/config shows all")]
    Setting(String),
    /// The path of a setting that OSC may not change, or of no setting.
    #[error("/khor/set/{0}: OSC may change {allowed} only; use the page or khor config instead", allowed = STEERABLE.join(", "))]
    Forbidden(String),
    /// More or less than one value, or one that the setting can't take.
    #[error("{address}: expected {expected}")]
    Value {
        /// The address.
        address: String,
        /// What would have been right.
        expected: &'static str,
    },
}

impl OscCommand {
    pub(super) fn of(address: &str, args: &[OscType]) -> Result<Self, CommandError> {
        let expected = |expected| CommandError::Value { address: address.to_owned(), expected };
        match (address, args) {
            (MUTE, []) => Ok(Self::Mute(None)),
            (MUTE, [value]) => {
                let muted = to_bool(value).ok_or_else(|| expected("nothing, or true, false or a number"))?;
                Ok(Self::Mute(Some(muted)))
            }
            (MUTE, _) => Err(expected("nothing, or true, false or a number")),
            // A pad sends its pressure along.
            (PANIC, _) => Ok(Self::Panic),
            _ => match address.strip_prefix(SET) {
                Some(path) if !path.is_empty() => Ok(Self::Set(path.to_owned())),
                _ => Err(CommandError::Address(address.to_owned())),
            },
        }
    }
}

/// Whether a message can set this value of the configuration: a number, a text or a switch.
pub(super) fn is_settable(held: &Value) -> bool {
    matches!(held, Value::Bool(_) | Value::Number(_) | Value::String(_))
}

/// The change of the configuration that sets `path`. Converts the value to the setting's type,
/// because a fader sends numbers. `settings` contains the settings that OSC may change.
pub(super) fn change(settings: &Value, path: &str, args: &[OscType]) -> Result<Value, CommandError> {
    if !is_steerable(path) {
        return Err(CommandError::Forbidden(path.to_owned()));
    }
    let held = settings.pointer(&format!("/{path}")).ok_or_else(|| CommandError::Setting(path.to_owned()))?;
    let reject = |expected| CommandError::Value { address: format!("{SET}{path}"), expected };
    let [value] = args else { return Err(reject("one value")) };
    let (value, expected) = match held {
        Value::Bool(_) => (to_bool(value).map(Value::Bool), "true, false or a number"),
        Value::Number(number) => (to_number(value, number).map(Value::Number), "a number"),
        Value::String(_) => (to_text(value).map(Value::String), "a text"),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            (None, "a setting that is one number, text or switch")
        }
    };
    let value = value.ok_or_else(|| reject(expected))?;
    Ok(path.rsplit('/').fold(value, |inner, key| Value::Object(Map::from_iter([(key.to_owned(), inner)]))))
}

fn to_bool(value: &OscType) -> Option<bool> {
    match value {
        OscType::Bool(value) => Some(*value),
        _ => Some(number_of(value)? >= 0.5),
    }
}

/// Rounded where the setting is a whole number.
fn to_number(value: &OscType, held: &Number) -> Option<Number> {
    let value = number_of(value)?;
    if held.is_f64() {
        return Number::from_f64(value);
    }
    let whole = value.round();
    (whole.abs() < 9e15).then(|| Number::from(whole as i64))
}

fn to_text(value: &OscType) -> Option<String> {
    match value {
        OscType::String(text) => Some(text.clone()),
        _ => None,
    }
}

fn number_of(value: &OscType) -> Option<f64> {
    match value {
        OscType::Int(value) => Some(f64::from(*value)),
        // As it would be written: 0.1, not 0.10000000149.
        OscType::Float(value) => value.to_string().parse().ok(),
        OscType::Double(value) => Some(*value),
        OscType::Long(value) => Some(*value as f64),
        OscType::Bool(value) => Some(f64::from(u8::from(*value))),
        _ => None,
    }
    .filter(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use khor_config::{Config, steerable};

    fn settings() -> Value {
        steerable(&serde_json::to_value(Config::default()).unwrap())
    }

    fn set(path: &str, value: OscType) -> Result<Value, CommandError> {
        change(&settings(), path, &[value])
    }

    #[test]
    fn values_take_the_settings_type() {
        let is = |path, value, expected| assert_eq!(set(path, value), Ok(expected));
        is("music/density", OscType::Float(0.1), json!({"music": {"density": 0.1}}));
        is("music/bpm", OscType::Int(96), json!({"music": {"bpm": 96.0}}));
        is("music/key_midi", OscType::Float(52.4), json!({"music": {"key_midi": 52}}));
        is("audio/loudness_lufs", OscType::Float(-18.0), json!({"audio": {"loudness_lufs": -18}}));
        is("music/preset", OscType::String("rain".into()), json!({"music": {"preset": "rain"}}));
        is("audio/master_gain", OscType::Double(0.25), json!({"audio": {"master_gain": 0.25}}));
    }

    #[test]
    fn numbers_from_one_half_mean_on() {
        let set = |value| change(&json!({"music": {"switch": false}}), "music/switch", &[value]);
        for (value, is_on) in
            [(OscType::Float(0.5), true), (OscType::Int(0), false), (OscType::Bool(true), true)]
        {
            assert_eq!(set(value), Ok(json!({"music": {"switch": is_on}})));
        }
    }

    #[test]
    fn forbidden_settings_name_the_allowed_ones() {
        let config = serde_json::to_value(Config::default()).unwrap();
        let mut open = vec![(String::new(), &config)];
        let (mut allowed, mut refused) = (Vec::new(), 0);
        while let Some((path, held)) = open.pop() {
            let below = held.as_object().into_iter().flatten();
            open.extend(below.map(|(key, held)| (format!("{path}/{key}"), held)));
            let value = if held.is_string() { OscType::String("x".into()) } else { OscType::Int(1) };
            match set(path.trim_start_matches('/'), value) {
                Ok(_) => allowed.push(path),
                Err(CommandError::Forbidden(_)) => refused += 1,
                Err(CommandError::Value { .. }) => assert_eq!(path, "/music", "a section is no setting"),
                Err(other) => panic!("{path}: {other}"),
            }
        }
        assert_eq!(allowed.len(), 9, "{allowed:?}");
        assert!(refused >= 50, "{refused}");
        let reason = set("listen/host", OscType::String("0.0.0.0".into())).unwrap_err().to_string();
        assert!(
            reason.starts_with("/khor/set/listen/host: ")
                && reason.contains("music, audio/master_gain, audio/loudness_lufs only"),
            "{reason}"
        );
    }

    #[test]
    fn errors_name_the_expected_type() {
        assert_eq!(set("music/bmp", OscType::Int(1)), Err(CommandError::Setting("music/bmp".into())));
        assert_eq!(set("music/bpm/", OscType::Int(1)), Err(CommandError::Setting("music/bpm/".into())));
        for (path, value) in [
            ("music/bpm", OscType::String("fast".into())),
            ("music/bpm", OscType::Float(f32::NAN)),
            ("music/preset", OscType::Int(1)),
            ("music", OscType::Int(1)),
        ] {
            assert!(matches!(set(path, value.clone()), Err(CommandError::Value { .. })), "{path} {value:?}");
        }
        assert!(
            change(&settings(), "music/bpm", &[]).unwrap_err().to_string().ends_with("expected one value")
        );
    }

    #[test]
    fn unknown_addresses_are_rejected() {
        let command = |address: &str, args: Vec<OscType>| OscCommand::of(address, &args);
        assert_eq!(command("/khor/mute", vec![]), Ok(OscCommand::Mute(None)));
        assert_eq!(command("/khor/mute", vec![OscType::Int(0)]), Ok(OscCommand::Mute(Some(false))));
        assert_eq!(command("/khor/panic", vec![OscType::Float(1.0)]), Ok(OscCommand::Panic));
        assert_eq!(command("/khor/set/a/b", vec![]), Ok(OscCommand::Set("a/b".into())));
        assert!(command("/khor/mute", vec![OscType::Nil]).is_err());
        for address in ["/khor/set/", "/khor/sing", "/1/fader1"] {
            let refusal = command(address, vec![]).unwrap_err();
            assert_eq!(refusal, CommandError::Address(address.to_owned()));
        }
    }
}

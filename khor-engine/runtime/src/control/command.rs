//! Parses the commands in OSC messages.

use std::sync::LazyLock;

use khor_config::{Access, Config, ConfigError, ConfigPatch, Field, Kind};
use rosc::OscType;
use serde_json::{Number, Value};

/// Prefix of the OSC addresses that change settings.
pub(super) const SET: &str = "/khor/set/";
/// OSC address that mutes and unmutes the sound device.
pub(super) const MUTE: &str = "/khor/mute";
/// OSC address that ends every note.
pub(super) const PANIC: &str = "/khor/panic";
/// Describes the values that [`MUTE`] accepts.
const MUTE_VALUE: &str = "no value, or true, false or a number";
/// What a path must select. The error about a path that selects a list or a whole section contains
/// this text.
const SINGLE_VALUE: &str = "the path of one setting that is not a list";

/// A command in an OSC message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum OscCommand {
    /// Sets the setting at this path, whose parts are separated by `/`.
    Set(String),
    /// Mutes or unmutes the sound device; `None` toggles the mute.
    Mute(Option<bool>),
    /// Ends every note.
    Panic,
}

/// Why an OSC message is rejected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum CommandError {
    /// The message has an OSC address that khor does not have.
    #[error("{0}: khor has no such address; use /khor/set/<path of a setting>, /khor/mute or /khor/panic")]
    Address(String),
    /// The pattern matches no address of khor.
    #[error("{0}: no address matches this pattern; an example that matches is {SET}music/*")]
    Pattern(String),
    /// The OSC address contains the path of a setting that does not exist.
    #[error("/khor/set/{0}: there is no such setting; GET /api/config lists all settings")]
    Setting(String),
    /// The OSC address contains the path of a setting that OSC may not change.
    #[error("/khor/set/{0}: OSC may change {allowed} only; use the page or khor config instead", allowed = OPEN.join(", "))]
    Forbidden(String),
    /// The message has no value, too many values, or a value of the wrong type.
    #[error("{address}: expected {expected}")]
    Value {
        /// OSC address of the message.
        address: String,
        /// A description of the expected value.
        expected: &'static str,
    },
    /// The value is outside the range of the setting.
    #[error(transparent)]
    Invalid(#[from] ConfigError),
}

/// Paths of the settings that OSC may change, relative to `/khor/set/`. If OSC may change every
/// setting of a section, the list has the section's name instead.
static OPEN: LazyLock<Vec<String>> = LazyLock::new(|| {
    let section = |field: &Field| field.path.split('.').next().unwrap_or_default().to_owned();
    let is_open = |field: &&Field| field.access == Access::Anyone;
    let closed: Vec<String> = Config::fields().iter().filter(|field| !is_open(field)).map(section).collect();
    let shown = |field: &Field| {
        let section = section(field);
        if closed.contains(&section) { field.path.replace('.', "/") } else { section }
    };
    let mut open: Vec<String> = Config::fields().iter().filter(is_open).map(shown).collect();
    open.dedup();
    open
});

impl OscCommand {
    /// Returns the command of a message with this address and these values.
    pub(super) fn of(address: &str, args: &[OscType]) -> Result<Self, CommandError> {
        let expected = |expected| CommandError::Value { address: address.to_owned(), expected };
        match (address, args) {
            (MUTE, []) => Ok(Self::Mute(None)),
            (MUTE, [value]) => {
                let muted = to_bool(value).ok_or_else(|| expected(MUTE_VALUE))?;
                Ok(Self::Mute(Some(muted)))
            }
            (MUTE, _) => Err(expected(MUTE_VALUE)),
            // Accept this command with any values, because a drum pad sends its pressure as a
            // value.
            (PANIC, _) => Ok(Self::Panic),
            _ => match address.strip_prefix(SET) {
                Some(path) if !path.is_empty() => Ok(Self::Set(path.to_owned())),
                _ => Err(CommandError::Address(address.to_owned())),
            },
        }
    }
}

/// Returns the OSC addresses of all settings that OSC may change.
pub(super) fn set_addresses() -> impl Iterator<Item = String> {
    let open = Config::fields().iter().filter(|field| field.access == Access::Anyone);
    open.map(|field| format!("{SET}{}", field.path.replace('.', "/")))
}

/// Creates the change that sets the setting at `path` to the value in `args`. Converts the value to
/// the type of the setting, because faders always send numbers.
pub(super) fn change(path: &str, args: &[OscType]) -> Result<ConfigPatch, CommandError> {
    let field = open_field(path)?;
    let reject = |expected| CommandError::Value { address: format!("{SET}{path}"), expected };
    let [value] = args else { return Err(reject("one value")) };
    let (value, expected) = match field.kind {
        Kind::Switch => (to_bool(value).map(Value::Bool), "true, false or a number"),
        Kind::Number => (to_number(value), "a number"),
        Kind::Whole => (to_whole(value), "a number"),
        Kind::Text => (to_text(value).map(Value::String), "a text"),
        Kind::List => (None, SINGLE_VALUE),
    };
    Ok(Config::change_of(&field.path, value.ok_or_else(|| reject(expected))?)?)
}

/// Finds the setting at a path relative to `/khor/set/`. Fails if OSC may not change it.
fn open_field(path: &str) -> Result<&'static Field, CommandError> {
    // Reject a path with dots, because slashes separate the parts of a path in OSC.
    let field = if path.contains('.') { None } else { Config::field(&path.replace('/', ".")) };
    if let Some(field) = field.filter(|field| field.access == Access::Anyone) {
        return Ok(field);
    }
    let is_below = |rest: &str| rest.starts_with('/');
    if OPEN.iter().any(|open| open == path) {
        let address = format!("{SET}{path}");
        Err(CommandError::Value { address, expected: SINGLE_VALUE })
    } else if OPEN.iter().any(|open| path.strip_prefix(&**open).is_some_and(is_below)) {
        Err(CommandError::Setting(path.to_owned()))
    } else {
        Err(CommandError::Forbidden(path.to_owned()))
    }
}

/// Converts a value to a boolean. A number is true if it is at least 0.5.
fn to_bool(value: &OscType) -> Option<bool> {
    match value {
        OscType::Bool(value) => Some(*value),
        _ => Some(number_of(value)? >= 0.5),
    }
}

fn to_number(value: &OscType) -> Option<Value> {
    Number::from_f64(number_of(value)?).map(Value::Number)
}

/// Rounds to the nearest whole number.
fn to_whole(value: &OscType) -> Option<Value> {
    let whole = number_of(value)?.round();
    (whole.abs() < 9e15).then(|| Value::from(whole as i64))
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
        // Keep the shortest decimal number for this `f32`: 0.1, not 0.10000000149.
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

    fn set(path: &str, value: OscType) -> Result<ConfigPatch, CommandError> {
        change(path, &[value])
    }

    #[test]
    fn values_take_the_settings_type() {
        let is = |path: &str, value, expected: Value| {
            let expected = Config::change_of(&path.replace('/', "."), expected).unwrap();
            assert_eq!(set(path, value), Ok(expected), "{path}");
        };
        is("music/density", OscType::Float(0.1), json!(0.1));
        is("music/bpm", OscType::Int(96), json!(96.0));
        is("music/key_midi", OscType::Float(52.4), json!(52));
        is("audio/loudness_lufs", OscType::Float(-18.0), json!(-18));
        is("music/preset", OscType::String("rain".into()), json!("rain"));
        is("audio/master_gain", OscType::Double(0.25), json!(0.25));
        let error = set("music/bpm", OscType::Int(7)).unwrap_err().to_string();
        assert_eq!(error, "music.bpm: 7 is not allowed, expected 20 to 300");
    }

    #[test]
    fn numbers_from_one_half_mean_on() {
        for (value, is_on) in
            [(OscType::Float(0.5), true), (OscType::Int(0), false), (OscType::Bool(true), true)]
        {
            assert_eq!(to_bool(&value), Some(is_on));
        }
    }

    #[test]
    fn forbidden_settings_name_the_allowed_ones() {
        let (mut allowed, mut refused) = (0, 0);
        for field in Config::fields() {
            let value = match field.kind {
                Kind::Text => OscType::String(field.default.as_str().unwrap_or_default().to_owned()),
                _ => OscType::Double(field.default.as_f64().unwrap_or_default()),
            };
            match set(&field.path.replace('.', "/"), value) {
                Ok(_) => allowed += 1,
                Err(CommandError::Forbidden(_)) => refused += 1,
                Err(other) => panic!("{}: {other}", field.path),
            }
        }
        assert_eq!(allowed, 9);
        assert!(refused >= 50, "{refused}");
        let reason = set("listen/host", OscType::String("0.0.0.0".into())).unwrap_err().to_string();
        assert!(
            reason.starts_with("/khor/set/listen/host: ")
                && reason.contains("music, audio/master_gain, audio/loudness_lufs only"),
            "{reason}"
        );
    }

    #[test]
    fn only_paths_of_open_settings_are_accepted() {
        for path in
            ["", "musical/x", "audio", "audio/device", "audio/master_gain2", "listen/host", "music.bpm"]
        {
            let error = set(path, OscType::Int(1)).unwrap_err();
            assert_eq!(error, CommandError::Forbidden(path.to_owned()));
        }
    }

    #[test]
    fn api_md_lists_the_open_settings() {
        let text = include_str!("../../../../docs/api.md");
        let line = text
            .lines()
            .find(|line| line.starts_with("| `/khor/set/<path>`"))
            .expect("api.md has a table of OSC addresses");
        for path in OPEN.iter() {
            assert!(line.contains(&format!("`{path}")), "{path}: {line}");
        }
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
        assert!(change("music/bpm", &[]).unwrap_err().to_string().ends_with("expected one value"));
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

//! Checks the values of a whole configuration.

use khor_proto::inert;
use khor_signal::SIGNALS;

use super::{
    Config, ConfigError,
    error::{in_range, require},
    limits,
};

/// The names of presets and ports that are accepted, for errors.
const NAME_FORM: &str = "a name of visible characters";

impl Config {
    /// Checks every range. The error names the first invalid value.
    pub fn validate(&self) -> Result<(), ConfigError> {
        limits::check(self)?;
        self.listen.check()?;
        in_range("listen.port", self.listen.port, 1, u16::MAX)?;
        self.bpf.check()?;
        in_range("music.bpm", self.music.bpm, 20.0, 300.0)?;
        in_range("music.key_midi", self.music.key_midi, 0, 127)?;
        in_range("music.density", self.music.density, 0.0, 1.0)?;
        in_range("music.smoothing", self.music.smoothing, 0.0, 1.0)?;
        let is_name = |text: &str| !text.is_empty() && inert::is_inert(text);
        require(is_name(&self.music.preset), "music.preset", &self.music.preset, NAME_FORM)?;
        require(
            ["", "pulseaudio", "alsa"].contains(&self.audio.backend.as_str()),
            "audio.backend",
            &self.audio.backend,
            "pulseaudio, alsa, or empty for the first that answers",
        )?;
        require(
            self.audio.device.is_empty()
                || (self.audio.device.starts_with("id:") && is_name(&self.audio.device)),
            "audio.device",
            &self.audio.device,
            "an id as khor devices lists them (id:…), or empty for the default device",
        )?;
        in_range("audio.sample_rate", self.audio.sample_rate, 8_000, 192_000)?;
        in_range("audio.master_gain", self.audio.master_gain, 0.0, 1.0)?;
        require(
            [-23, -18, -16].contains(&self.audio.loudness_lufs),
            "audio.loudness_lufs",
            self.audio.loudness_lufs,
            "-23, -18 or -16",
        )?;
        require(is_name(&self.midi.port), "midi.port", &self.midi.port, NAME_FORM)?;
        in_range("midi.channel", self.midi.channel, 1, 16)?;
        require(is_name(&self.osc.host), "osc.host", &self.osc.host, "a host name or address")?;
        in_range("osc.port", self.osc.port, 1, u16::MAX)?;
        in_range("osc.receive.port", self.osc.receive.port, 1, u16::MAX)?;
        self.osc.check_targets()?;
        self.quiet.check()?;
        self.recordings.check()?;
        self.site.check()?;
        for (name, ceiling) in &self.signals.ceilings {
            let field = format!("signals.ceilings.{name}");
            require(SIGNALS.iter().any(|info| info.name == name), &field, name, "the name of a signal")?;
            require(ceiling.is_finite() && *ceiling > 0.0, &field, ceiling, "a number above 0")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid() {
        assert_eq!(Config::default().validate(), Ok(()));
    }

    #[test]
    fn an_error_names_field_value_and_range() {
        let mut config = Config::default();
        config.music.bpm = 10.0;
        let error = config.validate().unwrap_err().to_string();
        assert_eq!(error, "music.bpm: 10 is not allowed, expected 20 to 300");
        config.music.bpm = f32::NAN;
        assert!(config.validate().is_err(), "not a number is in no range");
    }

    /// Rejects active characters. No setting needs them, and they could send escape sequences to a
    /// terminal or change a page.
    #[test]
    fn active_text_is_rejected_and_escaped() {
        let set = |pointer: &str, text: &str| {
            let mut config = serde_json::to_value(Config::default()).unwrap();
            *config.pointer_mut(pointer).unwrap() =
                if pointer.ends_with('s') { serde_json::json!([text]) } else { serde_json::json!(text) };
            serde_json::from_value::<Config>(config).unwrap().validate()
        };
        let hostile = ["\x1b]52;c;cm0=\x07", "\u{9b}2J", "\u{202e}", "\u{200b}", "\u{e0041}", "\n"];
        for (pointer, text) in [
            ("/bpf/cgroup", "/a{}.service"),
            ("/music/preset", "ra{}in"),
            ("/audio/backend", "a{}"),
            ("/audio/device", "id:a{}"),
            ("/midi/port", "k{}hor"),
            ("/osc/host", "a{}"),
            ("/osc/targets", "a{}:1"),
            ("/listen/host", "1{}"),
            ("/listen/allowed_hosts", "a{}.local"),
            ("/site/name", "a{}"),
            ("/site/host", "a{}"),
            ("/site/nats/url", "nats://a{}"),
        ] {
            for hostile in hostile {
                let error = set(pointer, &text.replace("{}", hostile)).unwrap_err().to_string();
                let escaped = inert::escaped(hostile, 200);
                assert!(inert::is_inert(&error) && error.contains(&escaped), "{pointer}: {error:?}");
            }
            let long = set(pointer, &text.replace("{}", &"\x1b".repeat(10_000))).unwrap_err().to_string();
            assert!(long.len() < 2000, "{pointer}: {} bytes", long.len());
        }
    }

    /// The objects of the configuration as its schema has them, each with its place.
    fn ranges(schema: &serde_json::Value) -> Vec<(String, serde_json::Value)> {
        let mut found = Vec::new();
        let mut visit = vec![(String::new(), schema.clone())];
        while let Some((path, object)) = visit.pop() {
            let name = object["$ref"].as_str().and_then(|name| name.strip_prefix("#/$defs/"));
            let object = name.map_or(object.clone(), |name| schema["$defs"][name].clone());
            for (key, property) in object["properties"].as_object().into_iter().flatten() {
                visit.push((format!("{path}/{key}"), property.clone()));
            }
            found.push((path, object));
        }
        found
    }

    #[test]
    fn schema_ranges_match_validation() {
        let schema = schemars::generate::SchemaSettings::draft2020_12().for_deserialize().into_generator();
        let schema = serde_json::to_value(schema.into_root_schema_for::<Config>()).unwrap();
        let whole = serde_json::to_value(Config::default()).unwrap();
        let holds = |path: &str, value: f64, is_whole: bool| {
            let mut changed = whole.clone();
            let number = if is_whole { serde_json::json!(value as i64) } else { serde_json::json!(value) };
            *changed.pointer_mut(path).unwrap() = number;
            serde_json::from_value::<Config>(changed).is_ok_and(|config| config.validate().is_ok())
        };
        let mut ranges = ranges(&schema);
        ranges.retain(|(_, property)| property["maximum"].is_number() && property["enum"].is_null());
        assert!(ranges.len() >= 12, "{ranges:?}");
        for (path, property) in ranges {
            let (low, high) = (property["minimum"].as_f64().unwrap(), property["maximum"].as_f64().unwrap());
            // A setting that may be null has a list of types.
            let is_whole = property["type"].to_string().contains("integer");
            assert!(holds(&path, low, is_whole) && holds(&path, high, is_whole), "{path}: {property}");
            assert!(
                !holds(&path, low - 1.0, is_whole) && !holds(&path, high + 1.0, is_whole),
                "{path}: {property}"
            );
        }
    }
}

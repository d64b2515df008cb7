//! The whole configuration: all sections, the table of all settings, and changes.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::LazyLock,
};

use serde_json::{Map, Value};

use crate::{
    Access, ConfigError, Field, Rule, Setting,
    definition::{ROOT, Reader, section},
    error::not_allowed,
    sections::{
        Audio, BpfSubscription, Desktop, Features, Listen, Midi, Music, Osc, Quiet, Recordings, Signals,
        Site, Ui,
    },
    unknown_keys::UnknownKeys,
};

section! {
    /// All settings of khor. Unknown keys stay in the file, and khor warns about them. khor rejects
    /// a change with an unknown key.
    Config, ConfigPatch {
        /// Version of the configuration format.
        version: u32 = 1, Rule::Any, Access::Api;
        /// The address of the HTTP API, and which clients it serves.
        listen: Listen;
        /// The web page.
        ui: Ui;
        /// Which parts of khor are on.
        features: Features;
        /// The engine's subscription to the collector: signals, sample interval and scope.
        bpf: BpfSubscription;
        /// The music.
        music: Music;
        /// The sound device.
        audio: Audio;
        /// MIDI output.
        midi: Midi;
        /// OSC output and input.
        osc: Osc;
        /// How khor converts the rates of the signals to levels.
        signals: Signals;
        /// Hours in which khor mutes the sound device every day.
        quiet: Quiet;
        /// Limits of the disk space for recordings.
        recordings: Recordings;
        /// The services that khor offers on the session bus.
        desktop: Desktop;
        /// The site that khor plays instead of this machine.
        site: Site;
    }
}

static FIELDS: LazyLock<Vec<Field>> = LazyLock::new(|| {
    let mut fields = Vec::new();
    Config::default().describe(&ROOT, &mut fields);
    fields
});

/// Minimum similarity between a misspelt path and the setting that khor suggests, 0..=1.
const SIMILAR: f64 = 0.75;

/// The result of reading a document that may contain invalid settings.
#[derive(Debug)]
pub(crate) struct Recovered {
    /// The settings. An invalid setting has its previous value, and a missing setting its default.
    pub(crate) config: Config,
    /// The invalid settings.
    pub(crate) problems: Vec<ConfigError>,
    /// Keys that this version does not know.
    pub(crate) unknown_keys: UnknownKeys,
}

impl Config {
    /// The tag of these settings: a hash that changes with every change of a value.
    pub fn tag(&self) -> String {
        let mut hasher = DefaultHasher::new();
        // Serialization cannot fail, because a configuration consists of plain values.
        serde_json::to_string(self).unwrap_or_default().hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }

    /// The table of all settings, in the order of the file.
    pub fn fields() -> &'static [Field] {
        &FIELDS
    }

    /// The setting at a dotted path.
    pub fn field(path: &str) -> Option<&'static Field> {
        FIELDS.iter().find(|field| field.path == path)
    }

    /// The setting that a misspelt path probably means; `None` if no setting has a similar path.
    pub fn closest_field(path: &str) -> Option<&'static Field> {
        let scored = FIELDS.iter().map(|field| (strsim::jaro_winkler(path, &field.path), field));
        let best = scored.max_by(|(one, _), (other, _)| one.total_cmp(other));
        best.filter(|(score, _)| *score >= SIMILAR).map(|(_, field)| field)
    }

    /// Checks every setting.
    ///
    /// # Errors
    ///
    /// Returns an error for the first invalid setting.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.check(&ROOT)?;
        self.quiet.check_times()
    }

    /// Returns a copy of this configuration with the change `patch`.
    ///
    /// # Errors
    ///
    /// Returns an error for the first invalid setting.
    pub fn with(&self, patch: &ConfigPatch) -> Result<Self, ConfigError> {
        let mut changed = self.clone();
        changed.apply(patch);
        changed.validate().map(|()| changed)
    }

    /// Checks that `caller` is allowed to make the change `patch`.
    ///
    /// # Errors
    ///
    /// Returns an error for the first setting that the caller may not change.
    pub fn check_caller(&self, patch: &ConfigPatch, caller: Access) -> Result<(), ConfigError> {
        self.check_access(patch, &ROOT, caller)
    }

    /// Whether the configuration `now` has a different value for a setting that takes effect only
    /// after a restart.
    pub fn restart_needed(&self, now: &Self) -> bool {
        self.needs_restart(now, &ROOT)
    }

    /// Reads a change from JSON that contains any part of the configuration. `held` is the content
    /// of the configuration file. An unknown key is allowed if its value equals the value in the
    /// file, because clients may send back a whole configuration.
    ///
    /// # Errors
    ///
    /// Returns an error for the first unknown key or invalid setting.
    pub fn read_change(&self, change: &Value, held: &Value) -> Result<ConfigPatch, ConfigError> {
        if !change.is_object() {
            let problem = not_allowed(change, "a JSON object with settings");
            return Err(ConfigError { field: "body".into(), problem });
        }
        let mut reader = Reader::of_change(held);
        let patch = Self::read(change, &ROOT, self, &mut reader);
        let closest = |path: &str| Self::closest_field(path).map(|field| field.path.as_str());
        let first = reader.problems.into_iter().next();
        first.map_or(Ok(patch), |problem| Err(UnknownKeys::suggest(problem, closest)))
    }

    /// Creates a change of one setting. `path` is the dotted path of the setting, such as
    /// `music.bpm`.
    ///
    /// # Errors
    ///
    /// Fails if there is no such setting, or if the value is not allowed.
    pub fn change_of(path: &str, value: Value) -> Result<ConfigPatch, ConfigError> {
        Self::default().read_change(&nested(path, value), &Value::Null)
    }

    /// Reads a document that may contain invalid settings. Each invalid setting gets its value from
    /// `previous`.
    pub(crate) fn recover(document: &Value, previous: &Self) -> Recovered {
        let mut reader = Reader::default();
        let patch = Self::read(document, &ROOT, previous, &mut reader);
        let mut config = Self::default();
        config.apply(&patch);
        reader.problems.extend(config.quiet.restore_times(previous.quiet));
        let Reader { problems, unknown_keys, .. } = reader;
        Recovered { config, problems, unknown_keys }
    }

    /// Writes the settings into the content of a configuration file. Keeps unknown keys, the order
    /// of the keys, and the notation of unchanged values. Appends missing settings.
    pub(crate) fn write_into(&self, document: &mut Value) {
        self.write(&ROOT, document);
    }
}

/// Nests a value in JSON objects by a dotted path: `music.bpm` and 90 give `{"music": {"bpm":
/// 90}}`.
pub fn nested(path: &str, value: Value) -> Value {
    path.rsplit('.').fold(value, |inner, key| Value::Object(Map::from_iter([(key.to_owned(), inner)])))
}

#[cfg(test)]
mod tests;

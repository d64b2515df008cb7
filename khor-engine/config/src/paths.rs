//! Paths of the user's files.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

/// `$XDG_CONFIG_HOME/khor/config.json`, or `~/.config/khor/config.json`; `None` without a home.
pub fn default_path() -> Option<PathBuf> {
    let base = etcetera::choose_base_strategy().ok()?;
    Some(base.config_dir().join("khor/config.json"))
}

/// The baseline file: `$XDG_STATE_HOME/khor/baseline.json` for the configuration at the default
/// path. For any other configuration it is beside the configuration.
pub fn baseline_path(config: &Path) -> PathBuf {
    let usual = default_path().is_some_and(|usual| usual == config);
    let state = etcetera::choose_base_strategy().ok().and_then(|base| base.state_dir());
    match state {
        Some(state) if usual => state.join("khor/baseline.json"),
        _ => config.with_file_name("baseline.json"),
    }
}

/// The file of the browsers' sessions: `$XDG_STATE_HOME/khor/sessions.json` for the configuration
/// at the default path. For any other configuration it is in the configuration's folder.
pub fn sessions_path(config: &Path) -> PathBuf {
    baseline_path(config).with_file_name("sessions.json")
}

/// The folder of recordings: `$XDG_DATA_HOME/khor/recordings` for the configuration at the default
/// path. For any other configuration it is beside the configuration.
pub fn recordings_dir(config: &Path) -> PathBuf {
    let usual = default_path().is_some_and(|usual| usual == config);
    match etcetera::choose_base_strategy() {
        Ok(base) if usual => base.data_dir().join("khor/recordings"),
        _ => config.with_file_name("recordings"),
    }
}

/// The folder of the user's presets, beside the configuration.
pub fn presets_dir(config: &Path) -> PathBuf {
    config.with_file_name("presets")
}

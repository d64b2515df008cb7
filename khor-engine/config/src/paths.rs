//! The paths of the user's files: configuration, baseline, sessions, recordings and presets.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

/// The default path of the configuration file: `$XDG_CONFIG_HOME/khor/config.json`, or
/// `~/.config/khor/config.json`. `None` if the user has no home directory.
pub fn default_path() -> Option<PathBuf> {
    let base = etcetera::choose_base_strategy().ok()?;
    Some(base.config_dir().join("khor/config.json"))
}

/// The path of the baseline file: `$XDG_STATE_HOME/khor/baseline.json` if the configuration file
/// has the default path, else `baseline.json` beside the configuration file.
pub fn baseline_path(config: &Path) -> PathBuf {
    let state = etcetera::choose_base_strategy().ok().and_then(|base| base.state_dir());
    match state {
        Some(state) if is_default(config) => state.join("khor/baseline.json"),
        _ => config.with_file_name("baseline.json"),
    }
}

/// The path of the file with the browsers' sessions: `sessions.json` in the folder of the baseline
/// file.
pub fn sessions_path(config: &Path) -> PathBuf {
    baseline_path(config).with_file_name("sessions.json")
}

/// The folder for recordings: `$XDG_DATA_HOME/khor/recordings` if the configuration file has the
/// default path, else `recordings` beside the configuration file.
pub fn recordings_dir(config: &Path) -> PathBuf {
    match etcetera::choose_base_strategy() {
        Ok(base) if is_default(config) => base.data_dir().join("khor/recordings"),
        _ => config.with_file_name("recordings"),
    }
}

fn is_default(config: &Path) -> bool {
    default_path().is_some_and(|default| default == config)
}

/// The folder with the user's presets: `presets` beside the configuration file.
pub fn presets_dir(config: &Path) -> PathBuf {
    config.with_file_name("presets")
}

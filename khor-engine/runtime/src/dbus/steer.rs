//! Actions of the D-Bus interfaces: the media player and `org.khor.Engine1` share them. Converts
//! errors to D-Bus errors.

use std::sync::Arc;

use khor_config::{ConfigUpdate, UpdateError};
use tracing::warn;
use zbus::fdo;

use crate::engine::Engine;

/// Selects the preset with the name `name`.
pub(super) async fn select_preset(engine: &Arc<Engine>, name: String) -> fdo::Result<()> {
    change(engine, move |engine| engine.select_preset(&name)).await
}

/// Selects the preset that is `by` positions after the current one. The list wraps around.
pub(super) async fn step_preset(engine: &Arc<Engine>, by: isize) -> fdo::Result<()> {
    let names: Vec<String> = engine.library().presets().map(|preset| preset.name.clone()).collect();
    match neighbour(&names, &engine.config().music.preset, by) {
        Some(name) => select_preset(engine, name.to_owned()).await,
        None => Ok(()),
    }
}

/// Changes the configuration in a blocking thread, because the change waits for the disk.
pub(super) async fn change(
    engine: &Arc<Engine>,
    make: impl FnOnce(&Engine) -> Result<ConfigUpdate, UpdateError> + Send + 'static,
) -> fdo::Result<()> {
    let engine = Arc::clone(engine);
    let changed = tokio::task::spawn_blocking(move || make(&engine)).await;
    match changed
        .map_err(|problem| fdo::Error::Failed(format!("a bug in khor ended the request: {problem}")))?
    {
        Ok(_) => Ok(()),
        Err(UpdateError::Invalid(problem)) => Err(fdo::Error::InvalidArgs(problem.to_string())),
        Err(problem) => Err(fdo::Error::Failed(problem.to_string())),
    }
}

/// Writes the changed settings to the configuration file.
pub(super) async fn save(engine: &Arc<Engine>) {
    let engine = Arc::clone(engine);
    let save = move || {
        if let Err(problem) = engine.save_config() {
            warn!("settings changed through the session bus last only until khor stops: {problem}");
        }
    };
    // The only possible error is a panic, which is already logged.
    drop(tokio::task::spawn_blocking(save).await);
}

/// Returns the name that is `by` positions after `current`. Returns the first name if `current` is
/// not in the list.
fn neighbour<'a>(names: &'a [String], current: &str, by: isize) -> Option<&'a str> {
    let Some(at) = names.iter().position(|name| name == current) else {
        return names.first().map(String::as_str);
    };
    let next = (at as isize + by).rem_euclid(names.len() as isize);
    names.get(next as usize).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preset_steps_wrap_around() {
        let names = ["ambient", "drone", "rain"].map(str::to_owned);
        assert_eq!(neighbour(&names, "ambient", 1), Some("drone"));
        assert_eq!(neighbour(&names, "rain", 1), Some("ambient"));
        assert_eq!(neighbour(&names, "ambient", -1), Some("rain"));
        assert_eq!(neighbour(&names, "gone", -1), Some("ambient"));
        assert_eq!(neighbour(&[], "ambient", 1), None);
    }
}

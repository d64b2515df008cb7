//! The settings that OSC may change. Every program on this machine can send a datagram to khor, as
//! any user and without a token. So OSC may change the sound only. It may not change where khor
//! listens, what khor records or sends, or whose activity khor plays.

use serde_json::{Map, Value};

/// The settings that OSC may change, as paths below `/khor/set/`. A section stands for all of its
/// settings.
pub const STEERABLE: [&str; 3] = ["music", "audio/master_gain", "audio/loudness_lufs"];

/// The part of a configuration that OSC may change.
pub fn steerable(config: &Value) -> Value {
    let mut part = Value::Object(Map::new());
    for path in STEERABLE {
        let Some(held) = config.pointer(&format!("/{path}")) else { continue };
        let target = path.split('/').fold(&mut part, |target, key| &mut target[key]);
        *target = held.clone();
    }
    part
}

/// Whether OSC may change the setting at this path, if there is such a setting.
pub fn is_steerable(path: &str) -> bool {
    let is_below = |rest: &str| rest.is_empty() || rest.starts_with('/');
    STEERABLE.iter().any(|allowed| path.strip_prefix(allowed).is_some_and(is_below))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Config;

    #[test]
    fn only_music_and_loudness_are_steerable() {
        let config = Config::default();
        let part = steerable(&serde_json::to_value(&config).unwrap());
        let expected =
            json!({ "music": config.music, "audio": { "master_gain": 0.5, "loudness_lufs": -23 } });
        assert_eq!(part, expected);
        for path in ["music", "music/bpm", "music/x", "audio/master_gain"] {
            assert!(is_steerable(path), "{path}");
        }
        for path in
            ["", "musical/x", "audio", "audio/device", "audio/master_gain2", "listen/host", "music.bpm"]
        {
            assert!(!is_steerable(path), "{path}");
        }
    }

    #[test]
    fn api_md_lists_the_steerable_settings() {
        let text = include_str!("../../../docs/api.md");
        let line = text.lines().find(|line| line.starts_with("| `/khor/set/<path>`")).expect("the table");
        for path in STEERABLE {
            assert!(line.contains(&format!("`{path}")), "{path}: {line}");
        }
    }
}

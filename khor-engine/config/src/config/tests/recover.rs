//! Tests that an invalid setting gets its previous value, and that all other settings are still
//! read.

use serde_json::json;

use super::super::{Config, Recovered};

fn fields(recovered: &Recovered) -> Vec<&str> {
    recovered.problems.iter().map(|problem| problem.field.as_str()).collect()
}

#[test]
fn only_invalid_settings_fall_back() {
    let recovered = Config::recover(
        &json!({
            "listen": { "token_file": "/t", "port": 17000.0 },
            "music": { "bpm": "96", "density": 0.25, "key_midi": 1e9 },
            "audio": { "master_gain": 7 },
            "osc": { "targets": ["a:1", 5, "b:2"] },
            "signals": { "ceilings": { "rx": 1000, "r.x": 5 } },
            "quiet": { "from": "07:00" },
            "theirs": 1,
        }),
        &Config::default(),
    );
    let mut found = fields(&recovered);
    found.sort_unstable();
    let expected = [
        "audio.master_gain",
        "music.bpm",
        "music.key_midi",
        "osc.targets[1]",
        "quiet.to",
        "signals.ceilings.r.x",
    ];
    assert_eq!(found, expected);
    let Recovered { config, unknown_keys, .. } = recovered;
    assert_eq!(config.listen.token_file, Some("/t".into()));
    assert_eq!((config.listen.port, config.music.density), (17000, 0.25));
    assert_eq!((config.music.bpm, config.osc.targets), (110.0, vec!["a:1".into(), "b:2".into()]));
    assert_eq!(config.signals.ceilings["rx"], 1000.0);
    assert_eq!(config.signals.ceilings["tx"], Config::default().signals.ceilings["tx"]);
    assert!(unknown_keys.warning().is_some_and(|warning| warning.contains("theirs")), "{unknown_keys:?}");
    assert_eq!(config.quiet, Config::default().quiet, "equal times fall back to both defaults");
}

#[test]
fn an_invalid_setting_keeps_its_previous_value() {
    let previous =
        json!({ "music": { "bpm": 90.0, "density": 0.5 }, "quiet": { "from": "20:00", "to": "06:00" } });
    let previous = Config::recover(&previous, &Config::default()).config;
    let document =
        json!({ "music": { "bpm": [], "density": 0.75 }, "quiet": { "from": "22:00", "to": "22:00" } });
    let recovered = Config::recover(&document, &previous);
    let Config { music, quiet, .. } = &recovered.config;
    assert_eq!((music.bpm, music.density), (90.0, 0.75));
    assert_eq!((quiet.from.to_string(), quiet.to.to_string()), ("22:00".into(), "06:00".into()));
    assert_eq!(fields(&recovered), ["music.bpm", "quiet.to"]);
}

#[test]
fn any_document_yields_a_valid_configuration() {
    let list = json!([1, 2]);
    for document in
        [json!(null), json!(5), json!("x"), list.clone(), json!({ "listen": list, "music": null })]
    {
        let recovered = Config::recover(&document, &Config::default());
        assert!(!recovered.problems.is_empty(), "{document}");
        assert_eq!(recovered.config, Config::default(), "{document}");
    }
    let many: Vec<u32> = (0..5_000).collect();
    let document = json!({ "osc": { "targets": many, "port": 9100 }, "music": { "bpm": 90 } });
    let Recovered { config, problems, .. } = Config::recover(&document, &Config::default());
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!((config.osc.targets.len(), config.osc.port, config.music.bpm), (0, 9100, 90.0));
}

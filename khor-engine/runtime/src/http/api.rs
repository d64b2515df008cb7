//! The API operations for the engine's state, its configuration and its actions.

use std::time::Duration;

use khor_api::{
    BaselineAction, ConfigChanged, DeviceList, DeviceSelected, DeviceSelection, Done, Explanation,
    FleetReport, HealthReport, HistoryColumns, MetricsReport, Muted, Snoozed, UnitList,
};
use khor_config::{Config, ConfigUpdate};
use khor_output::audio;
use khor_source as source;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::{
    call::Call,
    deliver::uncompressed_tag,
    reply::Failure,
    table::{AnyJson, DONE, Json, Operation, Tagged, get, patch, post, put},
};
use crate::engine::WrittenPoint;

/// Length of a snooze if the request has no parameter `minutes`.
const DEFAULT_SNOOZE_MINUTES: u32 = 15;

/// How long a list of devices is reused for further requests.
const DEVICES_LIFE: Duration = Duration::from_millis(500);

/// Defines the operations for the state, the configuration and the actions.
pub(super) fn operations() -> Vec<Operation> {
    let number = |low: f64, high: f64| json!({ "type": "number", "minimum": low, "maximum": high });
    let whole = |low: u32, high: u32| json!({ "type": "integer", "minimum": low, "maximum": high });
    vec![
        get("/api/health", "The state of every part of the engine").at_once(health),
        get("/api/metrics", "Current rates, signals, notes and cues, and the last two minutes")
            .at_once(metrics),
        get("/api/history", "The rates of the last two minutes, and the newest notes")
            .takes(
                "since_ts_ms",
                "Return only points and notes after this time, in milliseconds since 1970",
                json!({ "type": "integer", "minimum": 0 }),
            )
            .at_once(history),
        get("/api/explain", "What plays and why, in words").at_once(explain),
        get("/api/fleet", "The hosts of the current site").at_once(fleet),
        get("/api/config", "The configuration").at_once(config),
        put("/api/config", "Change any part of the configuration").reads::<Config>().blocking(change),
        patch("/api/config", "Change any part of the configuration").reads::<Config>().blocking(change),
        get("/api/config/schema", "The JSON Schema of the configuration").at_once(schema),
        get("/api/units", "The systemd units that have a cgroup now, for the setting `bpf.cgroup`")
            .blocking(units),
        get("/api/audio/devices", "The sound devices").shared(DEVICES_LIFE, devices),
        post("/api/audio/device", "Select the sound device, named in the query or in the body")
            .takes(
                "device",
                "Id of the device (`id:…`), from the list. Empty or `default` selects the default device",
                json!({ "type": "string" }),
            )
            .may_read::<DeviceSelection>()
            .blocking(choose),
        post("/api/actions/test_note", "Play one note with the timbre of the melody")
            .takes("midi", "MIDI note number; default 69", whole(0, 127))
            .takes("vel", "Velocity (loudness); default 0.8", number(0.0, 1.0))
            .takes("dur", "Length of the note, in seconds; default 0.5", number(0.01, 10.0))
            .at_once(test_note),
        post("/api/actions/mute", "Mute or unmute the sound device")
            .takes(
                "on",
                "`true` mutes, `false` unmutes. Without the parameter, the request toggles the mute",
                json!({ "type": "boolean" }),
            )
            .at_once(mute),
        post("/api/actions/snooze", "Mute the sound device for some minutes")
            .takes(
                "minutes",
                "Length of the snooze, in minutes; 0 ends the snooze; default 15",
                whole(0, 1440),
            )
            .at_once(snooze),
        post("/api/actions/panic", "End every sounding note").at_once(panic),
        post("/api/actions/baseline", "Freeze, resume or reset the baseline")
            .needs(
                "do",
                "`freeze` stops learning, `unfreeze` resumes it, `forget` resets the baseline",
                json!({ "type": "string", "enum": ["freeze", "unfreeze", "forget"] }),
            )
            .later(baseline),
    ]
}

fn health(call: Call) -> Json<HealthReport> {
    Json(call.engine().health())
}

fn metrics(call: Call) -> Json<MetricsReport<WrittenPoint>> {
    Json(call.engine().metrics(None, true))
}

fn history(call: Call) -> Result<Json<HistoryColumns>, Failure> {
    let since = call.number("since_ts_ms", "a whole number of milliseconds since 1970")?;
    Ok(Json(call.engine().history(since.unwrap_or(0))))
}

fn explain(call: Call) -> Json<Explanation> {
    Json(call.engine().explain())
}

fn fleet(call: Call) -> Json<FleetReport> {
    Json(call.engine().fleet())
}

fn config(call: Call) -> Tagged<Config> {
    let config = call.engine().config();
    let tag = config.tag();
    Tagged { json: config, tag }
}

fn change(call: Call) -> Result<Tagged<ConfigChanged<Config>>, Failure> {
    let change = call.json()?;
    let if_match = call.header("if-match").map(tags).filter(|tags| !tags.contains(&"*"));
    let update = call.engine().update_config_json(&change, if_match.as_deref())?;
    let ConfigUpdate { config, restart_required, not_saved } = update;
    let tag = config.tag();
    Ok(Tagged { json: ConfigChanged { config, ok: true, restart_required, not_saved }, tag })
}

/// Parses the tags in an `If-Match` header. A weak tag keeps its prefix `W/`, so that it matches no
/// configuration. The tag of a compressed answer is converted to the tag of the uncompressed one.
fn tags(header: &str) -> Vec<&str> {
    header.split(',').map(|tag| uncompressed_tag(tag.trim().trim_matches('"'))).collect()
}

fn schema(_: Call) -> AnyJson {
    let settings = SchemaSettings::draft2020_12().for_deserialize();
    AnyJson(settings.into_generator().into_root_schema_for::<Config>().to_value())
}

fn units(_: Call) -> Json<UnitList> {
    Json(UnitList { units: source::units() })
}

async fn devices(_: Call) -> Json<DeviceList> {
    // If listing the devices panics, return an empty list. The panic is already logged.
    let devices = tokio::task::spawn_blocking(audio::list).await.unwrap_or_default();
    Json(DeviceList { devices })
}

fn choose(call: Call) -> Result<Json<DeviceSelected>, Failure> {
    let expected = "an id that GET /api/audio/devices lists (id:…), or default";
    let body = if call.body.is_empty() { Value::Null } else { call.json()? };
    let in_body = || match body.get("device") {
        Some(Value::String(device)) => Ok(device.as_str()),
        Some(other) => Err(Failure::not_allowed("device", other, expected)),
        None => Err(Failure::missing("device", expected)),
    };
    let device = call.text("device").map_or_else(in_body, Ok)?;
    let update = call.engine().select_device(device)?;
    Ok(Json(DeviceSelected { ok: true, device: update.config.audio.device }))
}

fn test_note(call: Call) -> Result<Json<Done>, Failure> {
    let midi = call.number("midi", "a whole number from 0 to 127")?;
    let velocity = call.number("vel", "a number from 0 to 1")?;
    let duration_s = call.number("dur", "a number from 0.01 to 10")?;
    call.engine().test_note(midi.unwrap_or(69), velocity.unwrap_or(0.8), duration_s.unwrap_or(0.5))?;
    Ok(DONE)
}

fn mute(call: Call) -> Result<Json<Muted>, Failure> {
    let engine = call.engine();
    let muted = match call.flag("on")? {
        None => engine.toggle_mute(),
        Some(muted) => {
            engine.set_muted(muted);
            muted
        }
    };
    Ok(Json(Muted { ok: true, muted }))
}

fn snooze(call: Call) -> Result<Json<Snoozed>, Failure> {
    let minutes = call.number("minutes", "a whole number from 0 to 1440")?;
    let until = call.engine().snooze(minutes.unwrap_or(DEFAULT_SNOOZE_MINUTES))?;
    Ok(Json(Snoozed { ok: true, snoozed_until_ts_ms: until }))
}

fn panic(call: Call) -> Json<Done> {
    call.engine().panic();
    DONE
}

async fn baseline(call: Call) -> Result<Json<Done>, Failure> {
    let engine = call.engine();
    match baseline_action(call.text("do"))? {
        BaselineAction::Freeze => engine.freeze_baseline(true).await,
        BaselineAction::Unfreeze => engine.freeze_baseline(false).await,
        BaselineAction::Forget => engine.reset_baseline().await,
    }
    Ok(DONE)
}

fn baseline_action(text: Option<&str>) -> Result<BaselineAction, Failure> {
    let expected = "freeze, unfreeze or forget";
    let text = text.ok_or_else(|| Failure::missing("do", expected))?;
    serde_json::from_value(text.into()).map_err(|_| Failure::not_allowed("do", &text, expected))
}

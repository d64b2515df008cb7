//! State, configuration and actions; their shapes are in docs/api.md.

use std::time::Duration;

use khor_config::{Config, ConfigUpdate};
use khor_output::audio::{self, DeviceInfo};
use khor_source as source;
use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    call::Call,
    deliver::uncompressed_tag,
    reply::Failure,
    table::{Done, Json, Operation, Tagged, get, patch, post, put},
};
use crate::engine::{Explanation, FleetReport, HealthReport, MetricsReport};

/// Default length of a snooze, minutes.
const USUAL_SNOOZE_MINUTES: u32 = 15;

/// How long a list of devices is valid.
const DEVICES_LIFE: Duration = Duration::from_millis(500);

/// The operations of the API.
pub(super) fn operations() -> Vec<Operation> {
    let number = |low: f64, high: f64| json!({ "type": "number", "minimum": low, "maximum": high });
    let whole = |low: u32, high: u32| json!({ "type": "integer", "minimum": low, "maximum": high });
    vec![
        get("/api/health", "How every part is").at_once(health),
        get("/api/metrics", "Rates, signals, notes and cues now, and two minutes of history")
            .at_once(metrics),
        get("/api/explain", "What is sounding and why, in words").at_once(explain),
        get("/api/fleet", "The hosts of the site that is heard").at_once(fleet),
        get("/api/config", "The configuration").at_once(config),
        put("/api/config", "Change any part of the configuration").reads::<Config>().blocking(change),
        patch("/api/config", "Change any part of the configuration").reads::<Config>().blocking(change),
        get("/api/config/schema", "The configuration's JSON Schema").at_once(schema),
        get("/api/units", "The units that can be heard alone: those that have a cgroup now").blocking(units),
        get("/api/audio/devices", "The sound devices there are").shared(DEVICES_LIFE, devices),
        post(
            "/api/audio/device",
            "Choose the sound device by the parameter or the body; an empty name or default selects the default device",
        )
        .takes("device", "`id:…` as listed, or empty or default", json!({ "type": "string" }))
        .may_read::<Choice>()
        .blocking(choose),
        post("/api/actions/test_note", "Play one note with the melody's timbre")
            .takes("midi", "Note", whole(0, 127))
            .takes("vel", "Velocity", number(0.0, 1.0))
            .takes("dur", "Seconds", number(0.01, 10.0))
            .at_once(test_note),
        post("/api/actions/mute", "Mute or unmute the sound device; without a parameter the mute by hand toggles")
            .takes("on", "Mute, or not", json!({ "type": "boolean" }))
            .at_once(mute),
        post("/api/actions/snooze", "Mute for a while")
            .takes("minutes", "How long; 0 ends it", whole(0, 1440))
            .at_once(snooze),
        post("/api/actions/panic", "End every note that sounds").at_once(panic),
        post("/api/actions/baseline", "Learn what is ordinary no more, again, or anew")
            .needs("do", "What", json!({ "type": "string", "enum": ["freeze", "unfreeze", "forget"] }))
            .later(baseline),
    ]
}

fn health(call: Call) -> Json<HealthReport> {
    Json(call.engine().health())
}

fn metrics(call: Call) -> Json<MetricsReport> {
    Json(call.engine().metrics(None, true))
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

/// The configuration after a change.
#[derive(Serialize, JsonSchema)]
struct Changed {
    #[serde(flatten)]
    config: Config,
    ok: bool,
    /// A changed key acts only after a restart.
    restart_required: bool,
    /// Why the change is not in the file. It then lasts until khor ends.
    not_saved: Option<String>,
}

fn change(call: Call) -> Result<Tagged<Changed>, Failure> {
    let change = call.json()?;
    let if_match = call.header("if-match").map(tags).filter(|tags| !tags.contains(&"*"));
    let update = call.engine().update_config_json(&change, if_match.as_deref())?;
    let ConfigUpdate { config, restart_required, not_saved } = update;
    let tag = config.tag();
    Ok(Tagged { json: Changed { config, ok: true, restart_required, not_saved }, tag })
}

/// The tags of an `If-Match`. A weak tag is not converted, because it must not match. The
/// compressed and the plain configuration count as one version.
fn tags(header: &str) -> Vec<&str> {
    header.split(',').map(|tag| uncompressed_tag(tag.trim().trim_matches('"'))).collect()
}

fn schema(_: Call) -> Json<Schema> {
    let settings = SchemaSettings::draft2020_12().for_deserialize();
    Json(settings.into_generator().into_root_schema_for::<Config>())
}

#[derive(Serialize, JsonSchema)]
struct Units {
    units: Vec<String>,
}

fn units(_: Call) -> Json<Units> {
    Json(Units { units: source::units() })
}

#[derive(Clone, Serialize, JsonSchema)]
struct Devices {
    devices: Vec<DeviceInfo>,
}

async fn devices(_: Call) -> Json<Devices> {
    // After a panic, which is logged, the list is empty.
    let devices = tokio::task::spawn_blocking(audio::list).await.unwrap_or_default();
    Json(Devices { devices })
}

/// A sound device, as it is asked for.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is read as a value, for an error that says more; this describes it")]
struct Choice {
    /// `id:…` as listed, or empty or `default` for the default device.
    device: String,
}

#[derive(Serialize, JsonSchema)]
struct Chosen {
    ok: bool,
    device: String,
}

fn choose(call: Call) -> Result<Json<Chosen>, Failure> {
    let body = if call.body.is_empty() { Value::Null } else { call.json()? };
    let device = call.text("device").or_else(|| body.get("device")?.as_str());
    let expected = "device: missing, expected ?device=id:… or {\"device\": \"id:…\"}; default selects the default device";
    let update = call.engine().select_device(device.ok_or_else(|| Failure::bad(expected))?)?;
    Ok(Json(Chosen { ok: true, device: update.config.audio.device }))
}

fn test_note(call: Call) -> Result<Json<Done>, Failure> {
    let (midi, velocity) = (call.number("midi", 69)?, call.number("vel", 0.8)?);
    call.engine().test_note(midi, velocity, call.number("dur", 0.5)?)?;
    Ok(Done::JSON)
}

#[derive(Serialize, JsonSchema)]
struct Muted {
    ok: bool,
    muted: bool,
}

fn mute(call: Call) -> Result<Json<Muted>, Failure> {
    let engine = call.engine();
    let muted = match call.text("on") {
        None => engine.toggle_mute(),
        Some("true") => {
            engine.set_muted(true);
            true
        }
        Some("false") => {
            engine.set_muted(false);
            false
        }
        Some(other) => {
            return Err(Failure::bad(format!("on: {other} is not allowed, expected true or false")));
        }
    };
    Ok(Json(Muted { ok: true, muted }))
}

#[derive(Serialize, JsonSchema)]
struct Snoozed {
    ok: bool,
    snoozed_until_ts_ms: Option<u64>,
}

fn snooze(call: Call) -> Result<Json<Snoozed>, Failure> {
    let minutes = call.number("minutes", USUAL_SNOOZE_MINUTES)?;
    Ok(Json(Snoozed { ok: true, snoozed_until_ts_ms: call.engine().snooze(minutes)? }))
}

fn panic(call: Call) -> Json<Done> {
    call.engine().panic();
    Done::JSON
}

async fn baseline(call: Call) -> Result<Json<Done>, Failure> {
    let engine = call.engine();
    match call.text("do") {
        Some("freeze") => engine.freeze_baseline(true).await,
        Some("unfreeze") => engine.freeze_baseline(false).await,
        Some("forget") => engine.reset_baseline().await,
        other => {
            let message = other.unwrap_or("nothing");
            return Err(Failure::bad(format!(
                "do: {message} is not allowed, expected freeze, unfreeze or forget"
            )));
        }
    }
    Ok(Done::JSON)
}

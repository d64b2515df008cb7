//! The API's requests and answers; their shapes are in docs/api.md.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use serde_json::{Value, json};
use warp::{Filter, Rejection, filters::BoxedFilter, http::StatusCode, reply::Response};

use super::reply;
use crate::{
    config::{Update, UpdateError},
    engine::Engine,
    music::Preset,
    output::audio,
};

/// Longest body, bytes.
const MAX_BODY_BYTES: u64 = 64 * 1024;

type Query = HashMap<String, String>;

/// Everything below `/api` but the stream.
pub(super) fn routes(engine: Arc<Engine>) -> BoxedFilter<(Response,)> {
    let with = |engine: &Arc<Engine>| {
        let engine = Arc::clone(engine);
        warp::any().map(move || Arc::clone(&engine))
    };
    let get = |path: &'static str| route(path).and(warp::get()).and(with(&engine));
    let post = |path: &'static str| route(path).and(warp::post()).and(with(&engine));

    let health = get("health").map(|engine: Arc<Engine>| reply::json(&engine.health()));
    let metrics = get("metrics").map(|engine: Arc<Engine>| reply::json(&engine.metrics(None, true)));
    let config = get("config").map(|engine: Arc<Engine>| reply::json(&engine.config()));
    let change =
        route("config").and(warp::put().or(warp::patch()).unify()).and(with(&engine)).and(body()).then(
            |engine: Arc<Engine>, body: Bytes| async move { blocking(move || changed(&engine, &body)).await },
        );
    let presets = get("presets").map(|engine: Arc<Engine>| presets(&engine));
    let select = post("preset/select").and(warp::query::<Query>()).then(
        |engine: Arc<Engine>, query: Query| async move { blocking(move || selected(&engine, &query)).await },
    );
    let devices = get("audio/devices")
        .then(|_| async { blocking(|| reply::json(&json!({ "devices": audio::list() }))).await });
    let device = post("audio/device").and(body()).then(|engine: Arc<Engine>, body: Bytes| async move {
        blocking(move || chosen(&engine, &body)).await
    });
    let explain = get("explain").map(|engine: Arc<Engine>| reply::json(&engine.explain()));
    let baseline = post("actions/baseline")
        .and(warp::query::<Query>())
        .then(|engine: Arc<Engine>, query: Query| async move { baseline(&engine, &query).await });
    let test_note = post("actions/test_note")
        .and(warp::query::<Query>())
        .map(|engine: Arc<Engine>, query: Query| test_note(&engine, &query));
    let panic = post("actions/panic").map(|engine: Arc<Engine>| {
        engine.panic();
        reply::json(&json!({ "ok": true }))
    });
    let mute = post("actions/mute")
        .and(warp::query::<Query>())
        .map(|engine: Arc<Engine>, query: Query| mute(&engine, &query));

    health
        .or(metrics)
        .unify()
        .or(config)
        .unify()
        .or(change)
        .unify()
        .or(presets)
        .unify()
        .or(select)
        .unify()
        .or(devices)
        .unify()
        .or(device)
        .unify()
        .or(test_note)
        .unify()
        .or(panic)
        .unify()
        .or(mute)
        .unify()
        .or(explain)
        .unify()
        .or(baseline)
        .unify()
        .boxed()
}

/// `/api/` and the pieces of `path`, and nothing after them.
fn route(path: &'static str) -> BoxedFilter<()> {
    path.split('/')
        .fold(warp::path("api").boxed(), |filter, piece| filter.and(warp::path(piece)).boxed())
        .and(warp::path::end())
        .boxed()
}

fn body() -> impl Filter<Extract = (Bytes,), Error = Rejection> + Clone {
    warp::body::content_length_limit(MAX_BODY_BYTES).and(warp::body::bytes())
}

/// Runs what touches the disk or the sound server away from the event loop.
async fn blocking(work: impl FnOnce() -> Response + Send + 'static) -> Response {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|problem| {
        tracing::error!("a request failed inside khor: {problem}");
        reply::error(StatusCode::INTERNAL_SERVER_ERROR, "khor failed at this; its log says why")
    })
}

fn changed(engine: &Engine, body: &[u8]) -> Response {
    match serde_json::from_slice::<Value>(body) {
        Ok(change) => answer(engine.update_config(&change), |update| {
            let mut whole = serde_json::to_value(&update.config).unwrap_or_default();
            whole["ok"] = json!(true);
            whole["restart_required"] = json!(update.restart_required);
            whole
        }),
        Err(problem) => reply::error(StatusCode::BAD_REQUEST, format!("the body is not JSON: {problem}")),
    }
}

fn presets(engine: &Engine) -> Response {
    let library = engine.library();
    let about = |preset: &Preset| {
        let file = library.file_of(&preset.name);
        json!({ "name": preset.name, "hint": preset.hint, "builtin": file.is_none(), "file": file })
    };
    let list: Vec<Value> = library.presets().map(about).collect();
    reply::json(
        &json!({ "presets": list, "current": engine.config().music.preset, "problems": library.problems() }),
    )
}

fn selected(engine: &Engine, query: &Query) -> Response {
    let Some(name) = query.get("name") else {
        return reply::error(StatusCode::BAD_REQUEST, "name: missing, expected a preset's name");
    };
    answer(engine.select_preset(name), |update| json!({ "ok": true, "preset": update.config.music.preset }))
}

fn chosen(engine: &Engine, body: &[u8]) -> Response {
    let device = serde_json::from_slice::<Value>(body).ok();
    let Some(device) = device.as_ref().and_then(|body| body.get("device")).and_then(Value::as_str) else {
        return reply::error(StatusCode::BAD_REQUEST, "device: expected {\"device\": \"id:…\"} or \"\"");
    };
    answer(engine.select_device(device), |update| json!({ "ok": true, "device": update.config.audio.device }))
}

fn answer(result: Result<Update, UpdateError>, show: impl FnOnce(&Update) -> Value) -> Response {
    match result {
        Ok(update) => reply::json(&show(&update)),
        Err(problem) => reply::update_error(&problem),
    }
}

fn test_note(engine: &Engine, query: &Query) -> Response {
    let wanted = || -> Result<(u8, f32, f32), String> {
        Ok((number(query, "midi", 69)?, number(query, "vel", 0.8)?, number(query, "dur", 0.5)?))
    };
    match wanted() {
        Ok((midi, velocity, duration_s)) => match engine.test_note(midi, velocity, duration_s) {
            Ok(()) => reply::json(&json!({ "ok": true })),
            Err(problem) => reply::action_error(&problem),
        },
        Err(problem) => reply::error(StatusCode::BAD_REQUEST, problem),
    }
}

async fn baseline(engine: &Engine, query: &Query) -> Response {
    match query.get("do").map(String::as_str) {
        Some("freeze") => engine.freeze_baseline(true).await,
        Some("unfreeze") => engine.freeze_baseline(false).await,
        Some("forget") => engine.forget_baseline().await,
        other => {
            let said = other.unwrap_or("nothing");
            let message = format!("do: {said} is not allowed, expected freeze, unfreeze or forget");
            return reply::error(StatusCode::BAD_REQUEST, message);
        }
    }
    reply::json(&json!({ "ok": true }))
}

fn mute(engine: &Engine, query: &Query) -> Response {
    let muted = match query.get("on").map(String::as_str) {
        None => !engine.is_muted(),
        Some("true") => true,
        Some("false") => false,
        Some(other) => {
            let message = format!("on: {other} is not allowed, expected true or false");
            return reply::error(StatusCode::BAD_REQUEST, message);
        }
    };
    engine.set_muted(muted);
    reply::json(&json!({ "ok": true, "muted": muted }))
}

fn number<T: std::str::FromStr>(query: &Query, name: &str, default: T) -> Result<T, String> {
    query.get(name).map_or(Ok(default), |text| {
        text.parse().map_err(|_| format!("{name}: {text} is not a number in its range"))
    })
}

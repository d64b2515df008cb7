//! Examples to learn from: `GET /api/clips`, `GET /api/clips/SCENARIO.wav`.

use std::sync::Arc;

use serde_json::json;
use warp::{
    Filter, Reply,
    filters::BoxedFilter,
    http::{HeaderValue, StatusCode, header},
    reply::Response,
};

use super::{
    api::{Query, blocking, route},
    reply,
};
use crate::engine::{CLIP_S, CLIPS, Clip, Engine};

/// Everything below `/api/clips`.
pub(super) fn routes(engine: Arc<Engine>) -> BoxedFilter<(Response,)> {
    let list = route("clips").and(warp::get()).map(|| {
        let clips = CLIPS.iter().map(|clip| {
            let file = format!("/api/clips/{}.wav", clip.scenario);
            json!({ "scenario": clip.scenario, "title": clip.title, "listen_for": clip.listen_for,
                    "seconds": CLIP_S, "file": file })
        });
        reply::json(&json!({ "clips": clips.collect::<Vec<_>>() }))
    });
    let clip = warp::path!("api" / "clips" / String).and(warp::get()).and(warp::query::<Query>()).then(
        move |file: String, query: Query| {
            let engine = Arc::clone(&engine);
            async move { blocking(move || wav(&engine, &file, &query)).await }
        },
    );
    list.or(clip).unify().boxed()
}

fn wav(engine: &Engine, file: &str, query: &Query) -> Response {
    let Some(clip) = file.strip_suffix(".wav").and_then(Clip::find) else {
        return reply::error(StatusCode::NOT_FOUND, "there is no such clip: /api/clips lists them");
    };
    let (config, library) = (engine.config(), engine.library());
    let wanted = query.get("preset").unwrap_or(&config.music.preset);
    let Some(preset) = library.find(wanted) else {
        return reply::error(StatusCode::BAD_REQUEST, format!("preset: there is no {wanted}"));
    };
    match clip.render(&config, preset.clone()) {
        Ok(wav) => {
            let mut response = wav.into_response();
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("audio/wav"));
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            response
        }
        Err(problem) => {
            tracing::error!("the clip {}: {problem}", clip.scenario);
            reply::error(StatusCode::INTERNAL_SERVER_ERROR, "khor failed at this; its log says why")
        }
    }
}

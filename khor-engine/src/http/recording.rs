//! Recordings of what the sound device is given: begun, ended, listed and fetched.

use std::{fs, io, path::Path, sync::Arc};

use serde::Serialize;
use serde_json::json;
use warp::{Filter, Reply, filters::BoxedFilter, http::StatusCode, reply::Response};

use super::{
    api::{Query, blocking, route},
    reply,
};
use crate::{engine::Engine, output::recorder::RecorderError};

/// The format when none is asked for.
const USUAL_FORMAT: &str = "flac";

/// Everything below `/api/recording` and `/api/recordings`.
pub(super) fn routes(engine: &Arc<Engine>) -> BoxedFilter<(Response,)> {
    let with = {
        let engine = Arc::clone(engine);
        warp::any().map(move || Arc::clone(&engine))
    };
    let status = route("recording")
        .and(warp::get())
        .and(with.clone())
        .map(|engine: Arc<Engine>| reply::json(&engine.recorder().status()));
    let start =
        route("recording/start").and(warp::post()).and(with.clone()).and(warp::query::<Query>()).then(
            |engine: Arc<Engine>, query: Query| async move { blocking(move || start(&engine, &query)).await },
        );
    let stop = route("recording/stop")
        .and(warp::post())
        .and(with.clone())
        .then(|engine: Arc<Engine>| async move { stop(&engine).await });
    let list = route("recordings")
        .and(warp::get())
        .and(with)
        .then(|engine: Arc<Engine>| async move { blocking(move || list(engine.recorder().folder())).await });
    let file = warp::path!("api" / "recordings" / ..)
        .and(warp::fs::dir(engine.recorder().folder().to_owned()))
        .map(warp::fs::File::into_response);
    status.or(start).unify().or(stop).unify().or(list).unify().or(file).unify().boxed()
}

fn start(engine: &Engine, query: &Query) -> Response {
    let format = query.get("format").map_or(USUAL_FORMAT, String::as_str);
    match engine.recorder().start(format) {
        Ok(file) => reply::json(&json!({ "ok": true, "file": file })),
        Err(problem) => refused(&problem),
    }
}

async fn stop(engine: &Engine) -> Response {
    match engine.recorder().stop().await {
        Ok(recording) => match &recording.error {
            None => reply::json(&json!({ "ok": true, "file": recording.file, "seconds": recording.seconds })),
            Some(error) => reply::error(StatusCode::CONFLICT, error),
        },
        Err(problem) => refused(&problem),
    }
}

fn refused(problem: &RecorderError) -> Response {
    let status = match problem {
        RecorderError::Busy(_) | RecorderError::Idle => StatusCode::CONFLICT,
        RecorderError::Full(_) => StatusCode::SERVICE_UNAVAILABLE,
        RecorderError::Write { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        RecorderError::Format(_) => StatusCode::BAD_REQUEST,
    };
    reply::error(status, problem)
}

/// A file in the folder of recordings.
#[derive(Serialize)]
struct Recorded {
    name: String,
    bytes: u64,
}

fn list(folder: &Path) -> Response {
    match recorded(folder) {
        Ok(recordings) => reply::json(&json!({ "folder": folder, "recordings": recordings })),
        Err(problem) => {
            reply::error(StatusCode::INTERNAL_SERVER_ERROR, format!("{}: {problem}", folder.display()))
        }
    }
}

/// The files, newest last; none where nothing was recorded yet.
fn recorded(folder: &Path) -> io::Result<Vec<Recorded>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(problem) if problem.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(problem) => return Err(problem),
    };
    let mut recordings = Vec::new();
    for entry in entries {
        let entry = entry?;
        let metadata = entry.metadata()?;
        if metadata.is_file() {
            recordings.push(Recorded {
                name: entry.file_name().to_string_lossy().into_owned(),
                bytes: metadata.len(),
            });
        }
    }
    recordings.sort_by(|one, another| one.name.cmp(&another.name));
    Ok(recordings)
}

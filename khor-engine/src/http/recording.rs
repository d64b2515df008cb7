//! Recordings of what the sound device is given: begun, ended, listed and fetched.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use warp::{Filter, Reply, filters::BoxedFilter, http::StatusCode, reply::Response};

use super::{
    call::Call,
    reply::Failure,
    table::{Json, Operation, get, post},
};
use crate::{
    engine::Engine,
    output::recorder::{Recording, name},
};

/// The format when none is asked for.
const USUAL_FORMAT: &str = "flac";

pub(super) fn operations() -> Vec<Operation> {
    let format = json!({ "type": "string", "enum": ["flac", "wav"] });
    vec![
        get("/api/recording", "How recording goes").at_once(status),
        post("/api/recording/start", "Begin to record").takes("format", "What", format).blocking(start),
        post("/api/recording/stop", "End the recording").later(stop),
        get("/api/recordings", "The recordings there are, oldest first").blocking(list),
    ]
}

/// `GET /api/recordings/{name}`: the files.
pub(super) fn files(engine: &Engine) -> BoxedFilter<(Response,)> {
    warp::path!("api" / "recordings" / ..)
        .and(warp::fs::dir(engine.recorder().folder().to_owned()))
        .map(warp::fs::File::into_response)
        .boxed()
}

fn status(call: Call) -> Json<Recording> {
    Json(call.engine().recorder().status())
}

#[derive(Serialize, JsonSchema)]
struct Started {
    ok: bool,
    file: PathBuf,
}

fn start(call: Call) -> Result<Json<Started>, Failure> {
    let format = call.text("format").unwrap_or(USUAL_FORMAT);
    Ok(Json(Started { ok: true, file: call.engine().recorder().start(format)? }))
}

#[derive(Serialize, JsonSchema)]
struct Stopped {
    ok: bool,
    file: Option<PathBuf>,
    seconds: f64,
}

async fn stop(call: Call) -> Result<Json<Stopped>, Failure> {
    let Recording { file, seconds, error, .. } = call.engine().recorder().stop().await?;
    match error {
        None => Ok(Json(Stopped { ok: true, file, seconds })),
        Some(error) => Err(Failure::new(StatusCode::CONFLICT, error)),
    }
}

/// A file in the folder of recordings.
#[derive(Serialize, JsonSchema)]
struct Recorded {
    name: String,
    bytes: u64,
}

#[derive(Serialize, JsonSchema)]
struct Recordings {
    folder: PathBuf,
    recordings: Vec<Recorded>,
}

fn list(call: Call) -> Result<Json<Recordings>, Failure> {
    let folder = call.engine().recorder().folder();
    let recordings = recorded(folder).map_err(|problem| {
        Failure::new(StatusCode::INTERNAL_SERVER_ERROR, format!("{}: {problem}", folder.display()))
    })?;
    Ok(Json(Recordings { folder: folder.to_owned(), recordings }))
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
    recordings.sort_by(|one, another| name::age(&one.name).cmp(&name::age(&another.name)));
    Ok(recordings)
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn all_of_one_second_are_listed_in_their_order() {
        let dir = tempfile::tempdir().unwrap();
        for length in 0..11 {
            let (path, _) = name::claim(dir.path(), SystemTime::UNIX_EPOCH, "flac").unwrap();
            fs::write(path, vec![0; length]).unwrap();
        }
        let listed: Vec<u64> = recorded(dir.path()).unwrap().iter().map(|file| file.bytes).collect();
        assert_eq!(listed, (0..11).collect::<Vec<u64>>());
        assert!(recorded(&dir.path().join("none yet")).unwrap().is_empty());
    }
}

//! The API operations that start, stop, list and download recordings.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    ops::Range,
    os::unix::{
        ffi::{OsStrExt, OsStringExt},
        fs::MetadataExt,
    },
    path::Path,
};

use bytes::Bytes;
use futures_util::{Stream, stream};
use khor_api::{RecordedFile, RecordingList, RecordingStarted, RecordingStatus, RecordingStopped};
use khor_output::recorder::name;
use percent_encoding::percent_decode_str;
use serde_json::json;
use warp::{
    Reply,
    http::{HeaderValue, StatusCode, header},
    reply::Response,
};

use super::{
    call::Call,
    range::{self, RequestedRange},
    reply::Failure,
    table::{Answer, Content, Json, Operation, get, post},
    work,
};

/// Number of bytes that khor reads from a file at once.
const PIECE_BYTES: u64 = 64 * 1024;
/// The format of a recording if the request has no parameter `format`.
const DEFAULT_FORMAT: &str = "flac";

pub(super) fn operations() -> Vec<Operation> {
    let format = json!({ "type": "string", "enum": ["flac", "wav"] });
    vec![
        get("/api/recording", "The current or last recording").at_once(status),
        post("/api/recording/start", "Start a recording")
            .takes("format", "File format; default `flac`", format)
            .blocking(start),
        post("/api/recording/stop", "Stop the recording").later(stop),
        get("/api/recordings", "The recordings, oldest first").blocking(list),
        get("/api/recordings/{name}", "A recording, or a range of it").blocking(file),
    ]
}

fn status(call: Call) -> Json<RecordingStatus> {
    Json(call.engine().recorder().status())
}

fn start(call: Call) -> Result<Json<RecordingStarted>, Failure> {
    let format = call.text("format").unwrap_or(DEFAULT_FORMAT);
    let file = call.engine().recorder().start(format)?;
    Ok(Json(RecordingStarted { ok: true, file: file.display().to_string() }))
}

async fn stop(call: Call) -> Result<Json<RecordingStopped>, Failure> {
    let RecordingStatus { file, seconds, trouble, .. } = call.engine().recorder().stop().await?;
    match trouble {
        None => Ok(Json(RecordingStopped { ok: true, file, seconds })),
        Some(trouble) => Err(Failure::new(StatusCode::CONFLICT, trouble.error)),
    }
}

fn list(call: Call) -> Result<Json<RecordingList>, Failure> {
    let folder = call.engine().recorder().folder();
    let recordings = recorded(folder).map_err(|problem| unreadable(folder, &problem))?;
    let recordings = recordings
        .into_iter()
        .map(|(name, bytes)| RecordedFile { name: display_name(&name), bytes })
        .collect();
    Ok(Json(RecordingList { folder: folder.display().to_string(), recordings }))
}

fn unreadable(path: &Path, problem: &io::Error) -> Failure {
    Failure::new(StatusCode::INTERNAL_SERVER_ERROR, format!("cannot read {}: {problem}", path.display()))
}

/// Converts a file name to the form that answers contain. Bytes that are not UTF-8 are replaced.
fn display_name(name: &OsString) -> String {
    name.to_string_lossy().into_owned()
}

/// Lists the names and lengths of the recordings, newest last. The list is empty if there are no
/// recordings yet.
fn recorded(folder: &Path) -> io::Result<Vec<(OsString, u64)>> {
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
            recordings.push((entry.file_name(), metadata.len()));
        }
    }
    recordings.sort_by_cached_key(|(name, _)| {
        let name = display_name(name);
        let (second, number, name) = name::age_key(&name);
        (second.to_owned(), number, name.to_owned())
    });
    Ok(recordings)
}

/// An answer that contains a recording, or a part of it.
struct Stored {
    file: File,
    length: u64,
    part: RequestedRange,
    tag: String,
    kind: String,
}

fn file(call: Call) -> Result<Stored, Failure> {
    let folder = call.engine().recorder().folder();
    let requested = OsString::from_vec(percent_decode_str(&call.name).collect());
    let recordings = recorded(folder).map_err(|problem| unreadable(folder, &problem))?;
    // The requested name must be in the list, so that no path can lead out of the folder. A name
    // that is not UTF-8 is requested in the form that the list shows.
    let of_name =
        |name: &OsString| *name == requested || display_name(name).as_bytes() == requested.as_bytes();
    let found = recordings.into_iter().map(|(name, _)| name).find(of_name);
    let unknown = || {
        Failure::new(
            StatusCode::NOT_FOUND,
            "there is no such recording; GET /api/recordings lists all recordings",
        )
    };
    let path = folder.join(found.ok_or_else(unknown)?);
    let opened = File::open(&path).and_then(|file| Ok((file.metadata()?, file)));
    let (metadata, file) = opened.map_err(|problem| unreadable(&path, &problem))?;
    let length = metadata.len();
    let tag = format!("\"{:x}.{:x}-{length:x}\"", metadata.mtime(), metadata.mtime_nsec());
    let kind = mime_guess::from_path(&path).first_or_octet_stream().to_string();
    Ok(Stored { file, length, part: range::requested(&call.headers, length, Some(&tag)), tag, kind })
}

impl Answer for Stored {
    const CONTENT: Content =
        Content { also: &["audio/wav"], in_parts: true, tagged: true, ..Content::of("audio/flac") };

    fn into_response(self) -> Response {
        let Self { mut file, length, part, tag, kind } = self;
        let (status, part) = match part {
            RequestedRange::Nothing => return range::unsatisfiable(length),
            RequestedRange::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
            RequestedRange::Whole => (StatusCode::OK, 0..length),
        };
        if let Err(problem) = file.seek(SeekFrom::Start(part.start)) {
            let message = format!("cannot read the recording: {problem}");
            return Failure::new(StatusCode::INTERNAL_SERVER_ERROR, message).into_response();
        }
        let mut response = warp::reply::stream(pieces(file, &part)).into_response();
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(part.end - part.start));
        if status == StatusCode::PARTIAL_CONTENT {
            range::part_headers(headers, &part, length);
        }
        for (name, value) in [(header::ETAG, tag), (header::CONTENT_TYPE, kind)] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
        response
    }
}

/// Streams a part of `file`, whose position must be at the start of the part. Reads only as fast as
/// the client receives.
fn pieces(file: File, part: &Range<u64>) -> impl Stream<Item = io::Result<Bytes>> + Send + Sync + use<> {
    stream::try_unfold((file, part.end - part.start), |(mut file, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let reading = work::deliver(move || -> io::Result<(File, Vec<u8>)> {
            let mut piece = vec![0; left.min(PIECE_BYTES) as usize];
            let length = file.read(&mut piece)?;
            piece.truncate(length);
            Ok((file, piece))
        });
        let read =
            reading.await.map_err(|_| io::Error::other("a bug in khor ended the read; see khor's log"))?;
        let (file, piece) = read?;
        let left = left - piece.len() as u64;
        Ok((!piece.is_empty()).then_some((Bytes::from(piece), (file, left))))
    })
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn recordings_of_one_second_keep_order() {
        let dir = tempfile::tempdir().unwrap();
        for length in 0..11 {
            let (path, _) = name::claim(dir.path(), SystemTime::UNIX_EPOCH, "flac").unwrap();
            fs::write(path, vec![0; length]).unwrap();
        }
        let listed: Vec<u64> = recorded(dir.path()).unwrap().iter().map(|(_, bytes)| *bytes).collect();
        assert_eq!(listed, (0..11).collect::<Vec<u64>>());
        assert!(recorded(&dir.path().join("none yet")).unwrap().is_empty());
    }
}

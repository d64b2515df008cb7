//! The API operations that list and render clips. Clips are examples of how a machine's activity
//! sounds.

use khor_api::{ClipInfo, ClipList};
use serde_json::json;
use warp::{
    http::{HeaderValue, StatusCode, header},
    reply::Response,
};

use super::{
    call::Call,
    reply::Failure,
    stop::until_stopped,
    table::{Answer, Content, Json, Operation, get},
    work,
};
use crate::engine::{CLIP_S, CLIPS, Clip, RenderError, RenderedClip};

pub(super) fn operations() -> Vec<Operation> {
    let preset = json!({ "type": "string" });
    vec![
        get("/api/clips", "The clips: examples of how a machine's activity sounds").at_once(list),
        get("/api/clips/{name}", "The sound of a clip, with the current settings (WAV, 16 bits, stereo)")
            .takes("preset", "Name of the preset; default: the selected preset", preset)
            .later(wav),
    ]
}

fn list(_: Call) -> Json<ClipList> {
    let info = |clip: &Clip| ClipInfo {
        scenario: clip.scenario.to_owned(),
        title: clip.title.to_owned(),
        listen_for: clip.listen_for.to_owned(),
        seconds: CLIP_S,
        file: format!("/api/clips/{}.wav", clip.scenario),
    };
    Json(ClipList { clips: CLIPS.iter().map(info).collect() })
}

/// A complete WAV file.
struct Wav(RenderedClip);

impl Answer for Wav {
    const CONTENT: Content = Content { in_parts: true, tagged: true, ..Content::of("audio/wav") };

    fn into_response(self) -> Response {
        let Self(RenderedClip { wav, hash }) = self;
        let mut response = Response::new(wav.into());
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(Self::CONTENT.kind));
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        response.headers_mut().insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        if let Ok(tag) = HeaderValue::from_str(&format!("\"{hash:016x}\"")) {
            response.headers_mut().insert(header::ETAG, tag);
        }
        response
    }
}

async fn wav(call: Call) -> Result<Wav, Failure> {
    let clip = call.name.strip_suffix(".wav").and_then(Clip::find);
    let unknown =
        || Failure::new(StatusCode::NOT_FOUND, "there is no such clip; GET /api/clips lists all clips");
    let clip = clip.ok_or_else(unknown)?;
    let (config, library) = (call.engine().config(), call.engine().library());
    let name = call.text("preset").unwrap_or(&config.music.preset);
    let expected = "a name that GET /api/presets lists";
    let preset = library.find(name).ok_or_else(|| Failure::not_allowed("preset", &name, expected))?;
    let (preset, busy) = (preset.clone(), |why| Failure::new(StatusCode::SERVICE_UNAVAILABLE, why));
    tokio::select! {
        rendered = call.engine().renders().render(clip, config, preset) => match rendered {
            Ok(rendered) => Ok(Wav(rendered)),
            Err(RenderError::Busy(full)) => Err(busy(full.to_string())),
            Err(problem) => {
                Err(work::failed(&format_args!("cannot render the clip {}: {problem}", clip.scenario)))
            }
        },
        () = until_stopped(call.context.stop.clone()) => Err(busy("khor is stopping".into())),
    }
}

//! Tests HTTP details that clients and proxies rely on: HEAD, ranges, compression, host names and
//! errors.

use std::{
    ffi::OsStr,
    fs,
    io::Read,
    os::unix::ffi::OsStrExt,
    process::{Command, Stdio},
};

use flate2::read::GzDecoder;
use khor_e2e::{
    Engine,
    raw_http::{self, Answer},
    wait_until,
};
use serde_json::Value;

const NO_SOCKET: &str = "/nonexistent/collector.sock";
/// Paths with endless responses. The tests read only the head and the first bytes.
const ENDLESS: [&str; 2] = ["/api/stream", "/api/listen.wav"];

/// Starts an engine that serves a page from a folder. The page's script has a compressed copy.
fn start() -> (Engine, tempfile::TempDir) {
    let dir = tempfile::tempdir().expect("creating a temporary directory");
    fs::create_dir(dir.path().join("assets")).expect("creating the folder assets");
    let files =
        [("index.html", "<title>page</title>"), ("assets/a.js", "// script"), ("assets/a.js.gz", "short")];
    for (name, text) in files {
        fs::write(dir.path().join(name), text).expect("writing a file of the page");
    }
    let flags = ["--fake", "--no-audio", "--ui-dir", dir.path().to_str().expect("a UTF-8 path")];
    let engine = Engine::start(NO_SOCKET.as_ref(), &flags, &[]);
    engine.wait_for_source("demo");
    (engine, dir)
}

fn ask(engine: &Engine, method: &str, path: &str, headers: &[(&str, &str)], enough: Option<usize>) -> Answer {
    raw_http::ask(&engine.url().replace("http://", ""), method, path, headers, enough)
}

/// Makes a recording and returns its name.
fn record(engine: &Engine) -> String {
    assert_eq!(engine.post("/api/recording/start?format=wav").0, 200);
    wait_until("recorded sound", || engine.recording().seconds > 0.5);
    assert_eq!(engine.post("/api/recording/stop").0, 200);
    engine.get("/api/recordings")["recordings"][0]["name"].as_str().expect("a name of a recording").to_owned()
}

#[test]
fn head_equals_get_without_body() {
    let (engine, _page) = start();
    let recording = record(&engine);
    let document = engine.get("/api/openapi.json");
    let operations = document["paths"].as_object().expect("paths in the OpenAPI document").iter();
    let readable = operations.filter(|(_, methods)| methods["get"].is_object());
    let mut paths: Vec<String> = readable
        .map(|(path, methods)| {
            assert!(methods["head"].is_object(), "the OpenAPI document has no HEAD of {path}");
            let name = match path.as_str() {
                "/api/clips/{name}" => "idle.wav",
                "/api/recordings/{name}" => &recording,
                _ => "ambient",
            };
            path.replace("{name}", name)
        })
        .filter(|path| path != "/api/doctor") // It takes seconds.
        .collect();
    assert!(paths.len() >= 18, "too few paths in the OpenAPI document: {paths:?}");
    paths.extend(["/", "/view", "/assets/a.js", "/api/nothing", "/api/presets/nothing"].map(str::to_owned));
    for path in paths {
        let enough = ENDLESS.contains(&path.as_str()).then_some(1);
        for coding in ["identity", "gzip"] {
            let headers = [("accept-encoding", coding)];
            let (get, head) =
                (ask(&engine, "GET", &path, &headers, enough), ask(&engine, "HEAD", &path, &headers, None));
            assert_eq!((head.status, head.body.len()), (get.status, 0), "{path}");
            // A response to HEAD has no `transfer-encoding`. Values such as lengths may differ,
            // because the content changes between the requests.
            let kept = |answer: &Answer| {
                let names = answer.headers.iter().map(|(name, _)| name.clone());
                let mut names: Vec<String> = names.filter(|name| name != "transfer-encoding").collect();
                names.sort();
                names
            };
            assert_eq!(kept(&head), kept(&get), "{path} {coding}");
            for name in ["content-type", "content-encoding", "cache-control", "vary", "accept-ranges"] {
                assert_eq!(head.header(name), get.header(name), "{name} of {path} {coding}");
            }
        }
    }
}

#[test]
fn path_and_method_errors_are_json() {
    let (engine, _page) = start();
    for (method, path, expected, allow) in [
        ("GET", "/api/nothing", 404, None),
        ("POST", "/api/nothing", 404, None),
        ("DELETE", "/api", 404, None),
        ("GET", "/api/recordings/..%2Fconfig.json", 404, None),
        ("POST", "/api/recordings/x.wav", 405, Some("GET, HEAD")),
        ("POST", "/api/health", 405, Some("GET, HEAD")),
        ("POST", "/api/config", 405, Some("GET, HEAD, PUT, PATCH")),
        ("GET", "/api/actions/panic", 405, Some("POST")),
        ("POST", "/metrics", 405, Some("GET, HEAD")),
        ("POST", "/view", 405, Some("GET, HEAD")),
        ("GET", "/api/listen", 426, None),
        ("POST", "/api/listen", 405, Some("GET, HEAD")),
    ] {
        let answer = ask(&engine, method, path, &[("content-length", "0")], None);
        assert_eq!((answer.status, answer.header("allow").as_deref()), (expected, allow), "{method} {path}");
        let json: Value = serde_json::from_slice(&answer.body).unwrap_or_else(|_| panic!("{method} {path}"));
        assert!(json["ok"] == false && json["error"].is_string(), "{method} {path}: {json}");
    }
}

#[test]
fn host_name_may_end_in_dot() {
    let (engine, _page) = start();
    let port = engine.url().rsplit(':').next().expect("a URL with a port").to_owned();
    let status = |host: &str, origin: &str| {
        let headers = [("host", host), ("origin", origin), ("content-length", "0")];
        ask(&engine, "POST", "/api/actions/panic", &headers, None).status
    };
    let own = format!("localhost.:{port}");
    assert_eq!(status(&own, &format!("http://{own}")), 200);
    assert_eq!(status(&own, "http://evil.example."), 403);
    assert_eq!(status(&format!("evil.example.:{port}"), &format!("http://{own}")), 421);
    assert_eq!(status(&format!("localhost..:{port}"), &format!("http://{own}")), 421);
}

#[test]
fn safari_plays_the_live_stream() {
    let (engine, _page) = start();
    let apple = [("user-agent", "AppleCoreMedia/1.0.0.21A329 (iPhone; U; CPU OS 17_0 like Mac OS X; en_us)")];
    let range = |range: &'static str, others: &[(&'static str, &'static str)], enough| {
        let headers = [&[("range", range)], others].concat();
        ask(&engine, "GET", "/api/listen.wav", &headers, enough)
    };
    let probe = range("bytes=0-1", &apple, None);
    assert_eq!((probe.status, probe.body.as_slice()), (206, b"RI".as_slice()));
    assert_eq!(probe.header("content-length").as_deref(), Some("2"));
    let part = probe.header("content-range").expect("the header content-range");
    let total: u64 = part
        .rsplit('/')
        .next()
        .and_then(|total| total.parse().ok())
        .expect("a total length in content-range");
    let whole = range("bytes=0-", &apple, Some(50_000));
    assert_eq!(
        (whole.status, &whole.body[..4], &whole.body[8..12]),
        (206, b"RIFF".as_slice(), b"WAVE".as_slice())
    );
    assert_eq!(whole.header("content-range"), Some(format!("bytes 0-{}/{total}", total - 1)));
    assert_eq!(whole.header("content-length"), Some(total.to_string()));
    let later = range("bytes=100000-", &apple, Some(50_000));
    assert_eq!(later.status, 206, "a request that continues after a lost connection");
    // ffmpeg, Chromium and other players also request the range `bytes=0-`, but they receive the
    // endless stream.
    let endless = range("bytes=0-", &[], Some(50_000));
    assert_eq!(
        (endless.status, endless.header("content-length"), endless.header("accept-ranges")),
        (200, None, None)
    );
    assert_eq!(range("bytes=99999999999-", &[], None).status, 416);
    wait_until("all listeners to disconnect", || engine.health().listen.listeners == 0);
}

#[test]
fn recordings_and_clips_support_ranges() {
    let (engine, _page) = start();
    let recording = format!("/api/recordings/{}", record(&engine));
    for path in [recording.as_str(), "/api/clips/idle.wav"] {
        let get = |headers: &[(&str, &str)]| ask(&engine, "GET", path, headers, None);
        let whole = get(&[]);
        let length = whole.body.len();
        assert_eq!(whole.header("accept-ranges").as_deref(), Some("bytes"), "{path}");
        let tag = whole.header("etag").expect("the header etag");
        for (range, from, to) in [
            ("bytes=0-1".to_owned(), 0, 2),
            ("bytes=0-".to_owned(), 0, length),
            ("bytes=100-199".to_owned(), 100, 200),
            (format!("bytes={}-{}", length - 10, length + 1000), length - 10, length),
            ("bytes=-7".to_owned(), length - 7, length),
        ] {
            let part = get(&[("range", &range), ("if-range", &tag)]);
            assert_eq!(part.status, 206, "{path} {range}");
            assert_eq!(
                part.header("content-range"),
                Some(format!("bytes {from}-{}/{length}", to - 1)),
                "{range}"
            );
            assert!(part.body == whole.body[from..to], "{path} {range}");
        }
        let beyond = get(&[("range", &format!("bytes={length}-"))]);
        assert_eq!((beyond.status, beyond.header("content-range")), (416, Some(format!("bytes */{length}"))));
        let changed = get(&[("range", "bytes=0-1"), ("if-range", "\"other\"")]);
        assert_eq!((changed.status, changed.body.len()), (200, length), "{path}");
        assert_eq!(get(&[("if-none-match", &tag)]).status, 304, "{path}");
    }
}

#[test]
fn endless_answers_are_neither_buffered_nor_compressed() {
    let (engine, _page) = start();
    for path in ENDLESS {
        let answer = ask(&engine, "GET", path, &[("accept-encoding", "gzip, br")], Some(1000));
        assert_eq!(answer.header("x-accel-buffering").as_deref(), Some("no"), "{path}");
        let kept = answer.header("cache-control").unwrap_or_default();
        assert!(kept.contains("no-store") && kept.contains("no-transform"), "{path}: {kept}");
        assert_eq!(answer.header("content-encoding"), None, "{path}");
    }
}

#[test]
fn text_is_compressed_if_accepted() {
    let (engine, _page) = start();
    let gzip = [("accept-encoding", "gzip, deflate, br")];
    wait_until("20 points of history", || engine.metrics().history.is_some_and(|points| points.len() > 20));
    let (plain, short) =
        (ask(&engine, "GET", "/api/metrics", &[], None), ask(&engine, "GET", "/api/metrics", &gzip, None));
    assert_eq!(
        (plain.header("content-encoding"), plain.header("vary").as_deref()),
        (None, Some("accept-encoding"))
    );
    assert_eq!(short.header("content-encoding").as_deref(), Some("gzip"));
    assert!(
        short.body.len() * 3 < plain.body.len(),
        "compressed {} bytes, plain {} bytes",
        short.body.len(),
        plain.body.len()
    );
    let mut text = String::new();
    GzDecoder::new(short.body.as_slice()).read_to_string(&mut text).expect("decompressing the response");
    let json: Value = serde_json::from_str(&text).expect("a response in JSON");
    assert!(json["history"].is_array());

    // The plain and the compressed response have different ETags. A PATCH request may name either
    // ETag in `if-match`.
    let tag = |headers: &[(&str, &str)]| {
        ask(&engine, "GET", "/api/config", headers, None).header("etag").expect("the header etag")
    };
    let (plain, short) = (tag(&[]), tag(&gzip));
    assert_ne!(plain, short);
    for tag in [plain, short] {
        assert_eq!(engine.send("PATCH", "/api/config", b"{}", &[("if-match", &tag)]).0, 200, "{tag}");
    }
    let script = ask(&engine, "GET", "/assets/a.js", &gzip, None);
    assert_eq!(
        (script.body.as_slice(), script.header("vary").as_deref()),
        (b"short".as_slice(), Some("accept-encoding"))
    );
    assert_eq!(ask(&engine, "GET", "/assets/a.js", &[], None).body, b"// script");
}

#[test]
fn metrics_come_in_the_requested_format() {
    let (engine, _page) = start();
    let get = |accept: &[(&str, &str)]| {
        let answer = ask(&engine, "GET", "/metrics", accept, None);
        let kind = answer.header("content-type").expect("the header content-type");
        (kind, String::from_utf8(answer.body).expect("UTF-8 text"))
    };
    let open = get(&[(
        "accept",
        "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    )]);
    assert!(open.0.starts_with("application/openmetrics-text") && open.1.ends_with("# EOF\n"), "{}", open.0);
    for accept in [&[][..], &[("accept", "*/*")], &[("accept", "text/plain")]] {
        let (kind, text) = get(accept);
        assert_eq!(kind, "text/plain; version=0.0.4; charset=utf-8");
        assert!(!text.contains("# EOF") && text.contains("_total counter\n"), "{text:.500}");
    }
}

/// A path may contain bytes that are not UTF-8. Responses show such a path, and no request fails
/// because of it.
#[test]
fn answers_show_non_utf8_paths() {
    let home = tempfile::Builder::new()
        .prefix(OsStr::from_bytes(b"khor-\xff\xfe"))
        .tempdir()
        .expect("creating a temporary directory");
    let engine = Engine::start_in(home, NO_SOCKET.as_ref(), &["--fake", "--no-audio"], &[]);
    engine.wait_for_source("demo");
    let preset = engine.get("/api/presets/ambient")["preset"].clone();
    let mut preset = preset.as_object().expect("a preset in JSON").clone();
    preset.insert("name".into(), "mine".into());
    let saved = engine.send("PUT", "/api/presets/mine", Value::from(preset).to_string().as_bytes(), &[]);
    assert_eq!(saved.0, 200, "{}", saved.1);
    let recording = record(&engine);
    for path in [
        "/api/health",
        "/api/recording",
        "/api/recordings",
        "/api/presets",
        "/api/presets/mine",
        "/api/doctor",
    ] {
        let answer = ask(&engine, "GET", path, &[], None);
        assert_eq!(answer.status, 200, "{path}: {}", String::from_utf8_lossy(&answer.body));
    }
    let file = engine.get("/api/health")["recording"]["file"].clone();
    assert!(file.as_str().is_some_and(|file| file.contains("khor-\u{fffd}\u{fffd}")), "{file}");
    assert_eq!(ask(&engine, "GET", &format!("/api/recordings/{recording}"), &[], None).status, 200);
    // A client can also download a file that khor did not record, if the file is in the folder. The
    // client uses the name that the list shows.
    let folder = engine.config_path().with_file_name("recordings");
    fs::write(folder.join(OsStr::from_bytes(b"theirs-\xff.wav")), "theirs").expect("writing a recording");
    let fetched = ask(&engine, "GET", "/api/recordings/theirs-%EF%BF%BD.wav", &[], None);
    assert_eq!((fetched.status, fetched.body.as_slice()), (200, b"theirs".as_slice()));
}

#[test]
fn path_settings_must_be_utf8() {
    let mut khor = Command::new(khor_e2e::engine::program("khor"));
    khor.args(["engine", "--ui-dir"]).arg(OsStr::from_bytes(b"/tmp/\xff"));
    let output = khor.stdin(Stdio::null()).output().expect("starting khor");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && errors.contains("make a link with another name"), "{errors}");
}

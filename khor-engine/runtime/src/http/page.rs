//! Serves the web page from the copy that is built into khor, or from a folder.
//!
//! A proxy may serve the page under any path, because the addresses of its files and requests are
//! relative. Each view of the page has its own address. khor adapts the relative paths in
//! `index.html`, such as `../`, to the number of slashes in that address.

use std::{
    borrow::Cow,
    path::{Path, PathBuf},
};

use khor_config::Ui;
use khor_http::negotiation::takes_coding;
use khor_system::files;
use rust_embed::RustEmbed;
use warp::{
    Filter, Reply,
    filters::BoxedFilter,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    path::FullPath,
    reply::Response,
};

use super::{
    reply::{Failure, content_tag, method_not_allowed},
    work,
};

/// The page that is built into khor. It is empty if `ui/dist` had no files when khor was built.
#[derive(RustEmbed)]
#[folder = "../../ui/dist"]
struct Built;

/// The folder of files whose names contain a hash of their content. Browsers may cache these files
/// forever.
const HASHED: &str = "assets/";
/// Maximum size of a file that khor serves from a page folder, in bytes.
const MAX_BYTES: u64 = 64 * 1024 * 1024;
const INDEX: &str = "index.html";
/// The encodings of the compressed files that the page's build writes, each with its file name
/// suffix. The encoding with the smallest files is first.
const CODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// Answers every request whose path has no operation.
pub(super) fn routes(ui: &Ui) -> BoxedFilter<(Response,)> {
    let ui = ui.clone();
    warp::method()
        .and(warp::path::full())
        .and(warp::header::headers_cloned())
        .then(move |method: Method, path: FullPath, headers: HeaderMap| {
            let ui = ui.clone();
            async move {
                let answered = move || answer(&ui, &method, path.as_str(), &headers);
                work::deliver(answered).await.unwrap_or_else(Failure::into_response)
            }
        })
        .boxed()
}

fn answer(ui: &Ui, method: &Method, path: &str, headers: &HeaderMap) -> Response {
    let path = path.trim_start_matches('/');
    if !ui.serve || path == "api" || path.starts_with("api/") {
        return not_found("there is nothing at this path");
    }
    if method != Method::GET && method != Method::HEAD {
        return method_not_allowed(&[Method::GET, Method::HEAD]);
    }
    let dir = ui.dir.as_deref();
    // A path whose last part has no dot is a view. The page's own code opens the view.
    let is_view = !path.rsplit('/').next().unwrap_or_default().contains('.');
    if !is_view && let Some(found) = file(dir, path, headers) {
        return found;
    }
    // If khor serves the page from a folder, answer with the page even for the path of a missing
    // file. Clients of khor's first version expect this.
    if !is_view && dir.is_none() {
        return not_found("there is no such file");
    }
    index(dir, path, headers).unwrap_or_else(|| {
        not_found(match dir {
            Some(_) => "the folder in ui.dir has no readable index.html",
            None => "this khor was built without the page: run `cargo xtask ui`, then build khor again",
        })
    })
}

fn not_found(message: &str) -> Response {
    Failure::new(StatusCode::NOT_FOUND, message).into_response()
}

/// Returns the page's `index.html`. The file addresses in it are changed to be relative to `path`.
fn index(dir: Option<&Path>, path: &str, headers: &HeaderMap) -> Option<Response> {
    match path.matches('/').count() {
        0 => file(dir, INDEX, headers),
        depth => {
            let here = String::from_utf8_lossy(&read(dir, INDEX)?).into_owned();
            Some(reply(INDEX, here.replace("=\"./", &format!("=\"{}", "../".repeat(depth))).into_bytes()))
        }
    }
}

/// Returns a file of the page. Sends a compressed copy if there is one in an encoding that the
/// client accepts.
fn file(dir: Option<&Path>, name: &str, headers: &HeaderMap) -> Option<Response> {
    let content = read(dir, name)?;
    let codings =
        || CODINGS.iter().filter_map(|(coding, end)| Some((coding, read(dir, &format!("{name}{end}"))?)));
    let Some((coding, short)) = codings().find(|(coding, _)| takes_coding(headers, coding)) else {
        let mut response = reply(name, content.into_owned());
        if codings().next().is_some() {
            vary(&mut response);
        }
        return Some(response);
    };
    let mut response = reply(name, short.into_owned());
    response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    vary(&mut response);
    Some(response)
}

fn vary(response: &mut Response) {
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
}

fn read(dir: Option<&Path>, name: &str) -> Option<Cow<'static, [u8]>> {
    match dir {
        Some(dir) => {
            let name = name.to_owned();
            let file = files::with_timeout(dir, move |dir| Ok(inside(dir, &name))).ok()??;
            files::read(&file, MAX_BYTES).ok().map(Cow::Owned)
        }
        None => Built::get(name).map(|file| file.data),
    }
}

/// Returns the path of the file `name` in `dir`, or `None` if `..` or a link leads outside `dir`.
fn inside(dir: &Path, name: &str) -> Option<PathBuf> {
    let dir = dir.canonicalize().ok()?;
    let file = dir.join(name).canonicalize().ok()?;
    file.starts_with(&dir).then_some(file)
}

fn reply(name: &str, content: Vec<u8>) -> Response {
    let tag = content_tag(&content);
    let mut response = content.into_response();
    let kind = mime_guess::from_path(name).first_or_octet_stream();
    let kind = HeaderValue::from_str(kind.as_ref()).unwrap_or(HeaderValue::from_static("text/plain"));
    let cache_control =
        if name.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(cache_control));
    response.headers_mut().insert(header::ETAG, tag);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "<script src=\"./assets/a.js\"></script>";

    /// Creates a page folder, and next to it a file that must not be served.
    fn folder() -> (tempfile::TempDir, Ui) {
        let dir = tempfile::tempdir().unwrap();
        let served = dir.path().join("ui");
        std::fs::create_dir_all(served.join("assets")).unwrap();
        std::fs::write(dir.path().join("secret.txt"), "secret").unwrap();
        std::fs::write(served.join(INDEX), PAGE).unwrap();
        for name in ["assets/a.js", "assets/a.js.br", "assets/a.js.gz", "plain.js"] {
            std::fs::write(served.join(name), name).unwrap();
        }
        std::os::unix::fs::symlink(dir.path().join("secret.txt"), served.join("link.txt")).unwrap();
        let ui = Ui { serve: true, dir: Some(served) };
        (dir, ui)
    }

    async fn request(ui: &Ui, method: &str, path: &str, coding: &str) -> (StatusCode, HeaderMap, String) {
        let request = warp::test::request().method(method).path(path).header("accept-encoding", coding);
        let response = request.reply(&routes(ui)).await;
        let text = String::from_utf8(response.body().to_vec()).unwrap();
        (response.status(), response.headers().clone(), text)
    }

    #[tokio::test]
    async fn files_outside_the_folder_are_not_served() {
        let (_dir, ui) = folder();
        for path in [
            "/",
            "/some",
            "/../secret.txt",
            "/link.txt",
            "/%2e%2e/secret.txt",
            "/missing.js",
            "//etc/passwd.x",
        ] {
            let (status, _, text) = request(&ui, "GET", path, "").await;
            assert!(status == 200 && text.contains("/assets/a.js"), "{path}: {status} {text}");
        }
        for (method, path, expected) in [
            ("GET", "/api/unknown", 404),
            ("POST", "/api/unknown", 404),
            ("HEAD", "/view", 200),
            ("POST", "/view", 405),
        ] {
            assert_eq!(request(&ui, method, path, "").await.0, expected, "{method} {path}");
        }
        assert_eq!(request(&ui, "POST", "/view", "").await.1["allow"], "GET, HEAD");
        let built_in = Ui { serve: true, dir: None };
        assert_eq!(request(&built_in, "GET", "/assets/index-of-another-version.js", "").await.0, 404);
        assert_eq!(request(&Ui { serve: false, ..ui }, "GET", "/", "").await.0, 404);
    }

    #[tokio::test]
    async fn nested_views_find_their_files() {
        let (_dir, ui) = folder();
        for (path, files) in [
            ("/", "./assets"),
            ("/compose", "./assets"),
            ("/compose/", "../assets"),
            ("/a/b/c", "../../assets"),
        ] {
            let (_, _, text) = request(&ui, "GET", path, "").await;
            assert!(text.contains(&format!("\"{files}/a.js\"")), "{path}: {text}");
        }
    }

    #[tokio::test]
    async fn precompressed_files_need_an_accepted_coding() {
        let (_dir, ui) = folder();
        let (_, plain, _) = request(&ui, "GET", "/assets/a.js", "").await;
        assert_eq!(
            (plain.get("content-encoding"), &plain["vary"]),
            (None, &HeaderValue::from_static("accept-encoding"))
        );
        for (taken, coding, sent) in [
            ("gzip, br", "br", "assets/a.js.br"),
            ("gzip", "gzip", "assets/a.js.gz"),
            ("br;q=0, *", "gzip", "assets/a.js.gz"),
        ] {
            let (_, headers, text) = request(&ui, "GET", "/assets/a.js", taken).await;
            assert_eq!(
                (&headers["content-encoding"], text.as_str()),
                (&HeaderValue::from_static(coding), sent),
                "{taken}"
            );
            assert_eq!(headers["content-type"], plain["content-type"], "{taken}");
            assert_ne!(headers["etag"], plain["etag"], "{taken}");
        }
        assert!(!request(&ui, "GET", "/plain.js", "gzip").await.1.contains_key("content-encoding"));
    }

    #[test]
    fn only_hashed_files_are_cached() {
        let cache = |name| reply(name, Vec::new()).headers()[header::CACHE_CONTROL].clone();
        assert!(cache("assets/index-1a2b.js").to_str().unwrap().contains("immutable"));
        assert_eq!(cache("index.html"), "no-cache");
    }
}

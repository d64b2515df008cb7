//! The page: the copy inside the program, or a folder instead.

use std::path::{Path, PathBuf};

use rust_embed::RustEmbed;
use warp::{
    Filter, Reply,
    filters::BoxedFilter,
    http::{HeaderValue, StatusCode, header},
    path::FullPath,
    reply::Response,
};

use super::reply::Failure;
use crate::config::Ui;

/// The built page. Empty when the program was built before the page was.
#[derive(RustEmbed)]
#[folder = "../ui/dist"]
struct Built;

/// Names of built files carry a hash of their content, so they may be kept for ever.
const HASHED: &str = "assets/";

/// Everything that isn't the API.
pub(super) fn routes(ui: &Ui) -> BoxedFilter<(Response,)> {
    let ui = ui.clone();
    warp::get().and(warp::path::full()).map(move |path: FullPath| answer(&ui, path.as_str())).boxed()
}

fn answer(ui: &Ui, path: &str) -> Response {
    let path = path.trim_start_matches('/');
    if !ui.serve || path == "api" || path.starts_with("api/") {
        return refused(StatusCode::NOT_FOUND, "there is nothing here");
    }
    // A view of the page is no file: it has no dot in its last piece, and the page itself finds it.
    let is_view = !path.rsplit('/').next().unwrap_or_default().contains('.');
    let name = if is_view { "index.html" } else { path };
    match (read(ui.dir.as_deref(), name), is_view) {
        (Some(content), _) => file(name, content),
        (None, false) => refused(StatusCode::NOT_FOUND, "there is no such file"),
        (None, true) => {
            let message =
                "the page was not built into this program: run `cargo xtask ui`, then build khor again";
            refused(StatusCode::NOT_FOUND, message)
        }
    }
}

fn refused(status: StatusCode, said: &str) -> Response {
    Failure::new(status, said).into_response()
}

fn read(dir: Option<&Path>, name: &str) -> Option<Vec<u8>> {
    match dir {
        Some(dir) => std::fs::read(inside(dir, name)?).ok(),
        None => Built::get(name).map(|file| file.data.into_owned()),
    }
}

/// The file in `dir`, unless it leads out of it, by `..` or by a link.
fn inside(dir: &Path, name: &str) -> Option<PathBuf> {
    let dir = dir.canonicalize().ok()?;
    let file = dir.join(name).canonicalize().ok()?;
    file.starts_with(&dir).then_some(file)
}

fn file(name: &str, content: Vec<u8>) -> Response {
    let mut response = content.into_response();
    let kind = mime_guess::from_path(name).first_or_octet_stream();
    let kind = HeaderValue::from_str(kind.as_ref()).unwrap_or(HeaderValue::from_static("text/plain"));
    let keep = if name.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outside_the_folder_is_served() {
        let dir = tempfile::tempdir().unwrap();
        let served = dir.path().join("ui");
        std::fs::create_dir(&served).unwrap();
        std::fs::write(dir.path().join("secret.txt"), "secret").unwrap();
        std::fs::write(served.join("index.html"), "page").unwrap();
        std::os::unix::fs::symlink(dir.path().join("secret.txt"), served.join("link.txt")).unwrap();
        let ui = Ui { serve: true, dir: Some(served) };
        let status = |path| answer(&ui, path).status();
        assert_eq!(status("/"), StatusCode::OK);
        assert_eq!(status("/some/view"), StatusCode::OK);
        for path in ["/../secret.txt", "/link.txt", "/%2e%2e/secret.txt", "//etc/passwd.x", "/missing.js"] {
            assert_eq!(status(path), StatusCode::NOT_FOUND, "{path}");
        }
        assert_eq!(status("/api/unknown"), StatusCode::NOT_FOUND);
    }

    #[test]
    fn hashed_files_are_kept_and_the_page_is_asked_for_again() {
        let cache = |name| file(name, Vec::new()).headers()[header::CACHE_CONTROL].clone();
        assert!(cache("assets/index-1a2b.js").to_str().unwrap().contains("immutable"));
        assert_eq!(cache("index.html"), "no-cache");
    }
}

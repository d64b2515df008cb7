//! The last step of every answer. It compresses text, answers 304 if the client already has the
//! content, and answers 206 if the client requests a range.
//!
//! The answer's own headers decide what is possible: an answer with a tag allows 304, and an answer
//! with `Accept-Ranges` allows 206.

use std::io::Write;

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http_body::Body;
use http_body_util::BodyExt;
use khor_http::negotiation::takes_coding;
use warp::{
    Reply,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, response::Parts},
    reply::Response,
};

use super::{
    range::{self, RequestedRange},
    work,
};

/// Minimum size of an answer that khor compresses, in bytes. A shorter answer fits into one packet
/// anyway.
const LEAST_BYTES: u64 = 1024;
/// Compression level. The level is low, because khor compresses the answer again for each request,
/// so speed matters as much as size.
const LEVEL: Compression = Compression::new(3);
/// Suffix of the tag of a compressed answer.
const COMPRESSED: &str = "-gzip";

/// Converts the response of an operation to the final answer, which depends on the method and the
/// headers of the request.
pub(super) async fn deliver(method: Method, headers: HeaderMap, response: Response) -> Response {
    let is_read = response.status() == StatusCode::OK && (method == Method::GET || method == Method::HEAD);
    let response = compressed(&headers, response).await;
    if is_read && is_known(&headers, &response) {
        not_modified(&response)
    } else if is_read && is_in_parts(&response) {
        part_of(&headers, response).await
    } else {
        response
    }
}

/// Length of an answer, in bytes. `None` for a stream.
fn length(response: &Response) -> Option<u64> {
    response.body().size_hint().exact()
}

/// Returns whether clients may request a range of the answer.
fn is_in_parts(response: &Response) -> bool {
    response.headers().contains_key(header::ACCEPT_RANGES) && length(response).is_some()
}

async fn part_of(headers: &HeaderMap, response: Response) -> Response {
    let length = length(&response).unwrap_or(0);
    match range::requested(headers, length, tag_of(response.headers())) {
        RequestedRange::Whole => response,
        RequestedRange::Nothing => range::unsatisfiable(length),
        RequestedRange::Part(part) => {
            let (mut parts, body) = whole(response).await;
            range::part_headers(&mut parts.headers, &part, length);
            parts.status = StatusCode::PARTIAL_CONTENT;
            Response::from_parts(parts, body.slice(part.start as usize..part.end as usize).into())
        }
    }
}

/// Collects the body of an answer whose length is known. It cannot fail, because the body is in
/// memory.
async fn whole(response: Response) -> (Parts, Bytes) {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes);
    (parts, body.unwrap_or_default())
}

fn tag_of(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::ETAG)?.to_str().ok()
}

/// Compresses an answer that is a long text, if the client accepts this. Returns event streams,
/// sound and compressed files unchanged.
async fn compressed(headers: &HeaderMap, mut response: Response) -> Response {
    let is_long = length(&response).is_some_and(|length| length >= LEAST_BYTES);
    if !is_long || !is_text(response.headers()) || response.headers().contains_key(header::CONTENT_ENCODING) {
        return response;
    }
    response.headers_mut().append(header::VARY, HeaderValue::from_static("accept-encoding"));
    if !takes_coding(headers, "gzip") {
        return response;
    }
    let (mut parts, body) = whole(response).await;
    let plain = body.clone();
    // Compress in another thread. To compress half a megabyte takes milliseconds, which would delay
    // events in this thread.
    match work::deliver(move || gzip(&plain)).await {
        Ok(Ok(short)) => {
            if let Some(tag) = tag_of(&parts.headers).and_then(compressed_tag) {
                parts.headers.insert(header::ETAG, tag);
            }
            parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(short.len()));
            Response::from_parts(parts, short.into())
        }
        Ok(Err(_)) | Err(_) => Response::from_parts(parts, body.into()),
    }
}

fn gzip(plain: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), LEVEL);
    encoder.write_all(plain)?;
    encoder.finish()
}

fn is_text(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default();
    kind != "text/event-stream"
        && (kind.starts_with("text/")
            || [
                "application/json",
                "application/javascript",
                "application/openmetrics-text",
                "image/svg+xml",
            ]
            .contains(&kind))
}

/// Returns the tag of a compressed answer. Each encoding of the same content needs its own tag.
fn compressed_tag(tag: &str) -> Option<HeaderValue> {
    let tag = tag.strip_suffix('"')?;
    HeaderValue::from_str(&format!("{tag}{COMPRESSED}\"")).ok()
}

/// Converts the tag of a compressed answer to the tag of the uncompressed one. Other tags stay as
/// they are. Tags are passed without quotes.
pub(super) fn uncompressed_tag(tag: &str) -> &str {
    tag.strip_suffix(COMPRESSED).unwrap_or(tag)
}

/// Returns whether the client already has this answer, according to the request's `If-None-Match`
/// header.
fn is_known(headers: &HeaderMap, response: &Response) -> bool {
    let Some(tag) = tag_of(response.headers()) else { return false };
    let known = headers.get_all(header::IF_NONE_MATCH).into_iter().filter_map(|value| value.to_str().ok());
    let weak = |tag: &'_ str| tag.trim().trim_start_matches("W/").to_owned();
    known.flat_map(|value| value.split(',')).any(|known| known.trim() == "*" || weak(known) == weak(tag))
}

/// Creates the answer 304 with the caching headers of `response`.
fn not_modified(response: &Response) -> Response {
    let mut answer = warp::reply::with_status(warp::reply(), StatusCode::NOT_MODIFIED).into_response();
    for name in [header::ETAG, header::CACHE_CONTROL, header::VARY] {
        for value in response.headers().get_all(&name) {
            answer.headers_mut().append(name.clone(), value.clone());
        }
    }
    answer
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    fn answer(kind: &'static str, length: usize) -> Response {
        let mut response = "x".repeat(length).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        response.headers_mut().insert(header::ETAG, HeaderValue::from_static("\"a\""));
        response
    }

    fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
        headers[name].to_str().unwrap()
    }

    async fn delivered(
        headers: &[(&'static str, &str)],
        response: Response,
    ) -> (StatusCode, HeaderMap, Bytes) {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let response = deliver(Method::GET, headers.collect(), response).await;
        let status = response.status();
        let (parts, body) = whole(response).await;
        (status, parts.headers, body)
    }

    #[tokio::test]
    async fn only_long_text_is_compressed() {
        let gzip = [("accept-encoding", "br, gzip")];
        let (_, headers, body) = delivered(&gzip, answer("application/json", 5000)).await;
        assert_eq!((text(&headers, "content-encoding"), text(&headers, "etag")), ("gzip", "\"a-gzip\""));
        assert_eq!(text(&headers, "vary"), "accept-encoding");
        assert_eq!(headers["content-length"].to_str().unwrap(), body.len().to_string());
        let mut plain = String::new();
        GzDecoder::new(&*body).read_to_string(&mut plain).unwrap();
        assert_eq!(plain, "x".repeat(5000));

        let (_, headers, body) = delivered(&[], answer("application/json", 5000)).await;
        assert_eq!((text(&headers, "vary"), text(&headers, "etag")), ("accept-encoding", "\"a\""));
        assert_eq!(body.len(), 5000);
        assert!(!headers.contains_key("content-encoding"));
        for (kind, length) in [("audio/wav", 5000), ("text/event-stream", 5000), ("text/html", 500)] {
            let (_, headers, body) = delivered(&gzip, answer(kind, length)).await;
            assert!(!headers.contains_key("content-encoding") && !headers.contains_key("vary"), "{kind}");
            assert_eq!(body.len(), length, "{kind}");
        }
    }

    #[tokio::test]
    async fn cached_answers_return_304() {
        let json = || answer("application/json", 5000);
        for (known, coding, expected) in [
            ("\"a\"", "", 304),
            ("W/\"a\"", "", 304),
            ("\"b\", \"a\"", "", 304),
            ("*", "", 304),
            ("\"b\"", "", 200),
            ("\"a\"", "gzip", 200),
            ("\"a-gzip\"", "gzip", 304),
        ] {
            let (status, headers, body) =
                delivered(&[("if-none-match", known), ("accept-encoding", coding)], json()).await;
            assert_eq!(status, expected, "{known} {coding}");
            assert!(status != 304 || (body.is_empty() && headers.contains_key("etag")), "{known}");
        }
    }

    #[tokio::test]
    async fn file_ranges_answer_206() {
        let file = || {
            let mut response = answer("audio/wav", 5000);
            response.headers_mut().insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
            response
        };
        let (status, headers, body) = delivered(&[("range", "bytes=10-19")], file()).await;
        assert_eq!(
            (status.as_u16(), body.len(), text(&headers, "content-range")),
            (206, 10, "bytes 10-19/5000")
        );
        let (status, headers, _) = delivered(&[("range", "bytes=5000-")], file()).await;
        assert_eq!((status.as_u16(), text(&headers, "content-range")), (416, "bytes */5000"));
        let (status, _, body) = delivered(&[("range", "bytes=0-1,4-5")], file()).await;
        assert_eq!((status.as_u16(), body.len()), (200, 5000));
        let (status, ..) = delivered(&[("range", "bytes=10-19")], answer("audio/wav", 5000)).await;
        assert_eq!(status, 200, "without `accept-ranges`");
    }
}

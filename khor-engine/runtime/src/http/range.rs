//! Parses the `Range` header of a request, which selects a part of an answer (RFC 9110, section
//! 14).

use std::ops::Range;

use warp::http::{HeaderMap, HeaderValue, StatusCode, header};

use super::reply::Failure;

/// The part of an answer that a client requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RequestedRange {
    /// The whole answer, because the request has no `Range` header, or one that khor ignores.
    Whole,
    /// These bytes.
    Part(Range<u64>),
    /// A range of bytes that begins after the end of the answer.
    Nothing,
}

/// Parses the headers `Range` and `If-Range`. `length` is the answer's length, and `tag` is its
/// entity tag in quotes. A header with several ranges is ignored.
pub(super) fn requested(headers: &HeaderMap, length: u64, tag: Option<&str>) -> RequestedRange {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let unchanged = text(header::IF_RANGE).is_none_or(|condition| tag == Some(condition));
    let spec =
        text(header::RANGE).filter(|_| unchanged).and_then(|range| range.trim().strip_prefix("bytes="));
    spec.and_then(|spec| part(spec, length)).unwrap_or(RequestedRange::Whole)
}

/// Parses one range. Returns `None` if the range is malformed, or if there are several ranges.
fn part(spec: &str, length: u64) -> Option<RequestedRange> {
    let (first, last) = spec.trim().split_once('-')?;
    let number = |text: &str| {
        let is_number = text.bytes().all(|digit| digit.is_ascii_digit());
        // A number that does not fit into 64 bits is beyond the end of every answer.
        (is_number && !text.is_empty()).then(|| text.parse().unwrap_or(u64::MAX))
    };
    let range = if first.is_empty() {
        length.saturating_sub(number(last)?)..length
    } else {
        let (first, last) = (number(first)?, if last.is_empty() { u64::MAX } else { number(last)? });
        if last < first {
            return None;
        }
        first..last.saturating_add(1).min(length)
    };
    Some(if range.start < range.end { RequestedRange::Part(range) } else { RequestedRange::Nothing })
}

/// Sets the headers of an answer that contains only `part` of `length` bytes.
pub(super) fn part_headers(headers: &mut HeaderMap, part: &Range<u64>, length: u64) {
    let range = format!("bytes {}-{}/{length}", part.start, part.end - 1);
    if let Ok(range) = HeaderValue::from_str(&range) {
        headers.insert(header::CONTENT_RANGE, range);
    }
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(part.end - part.start));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
}

/// Creates the answer 416: the requested range is beyond the end of an answer of `length` bytes.
pub(super) fn unsatisfiable(length: u64) -> warp::reply::Response {
    let message =
        format!("Range: the requested bytes are beyond the end of the answer, which has {length} bytes");
    let mut response = Failure::new(StatusCode::RANGE_NOT_SATISFIABLE, message).into_response();
    if let Ok(range) = HeaderValue::from_str(&format!("bytes */{length}")) {
        response.headers_mut().insert(header::CONTENT_RANGE, range);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(range: &str, if_range: Option<&str>) -> RequestedRange {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, range.parse().unwrap());
        if let Some(tag) = if_range {
            headers.insert(header::IF_RANGE, tag.parse().unwrap());
        }
        requested(&headers, 1000, Some("\"tag\""))
    }

    #[test]
    fn range_headers_follow_the_standard() {
        for (range, expected) in [
            ("bytes=0-1", 0..2),
            ("bytes=0-", 0..1000),
            ("bytes=0-999", 0..1000),
            ("bytes=500-99999999999999999999999", 500..1000),
            ("bytes=999-", 999..1000),
            ("bytes=-1", 999..1000),
            ("bytes=-5000", 0..1000),
            (" bytes=7-7 ", 7..8),
        ] {
            assert_eq!(of(range, None), RequestedRange::Part(expected), "{range}");
        }
        for range in ["bytes=1000-", "bytes=5000-6000", "bytes=-0"] {
            assert_eq!(of(range, None), RequestedRange::Nothing, "{range}");
        }
        for range in
            ["bytes=0-1,5-6", "bytes=2-1", "bytes=", "bytes=-", "bytes=a-b", "bytes=+1-2", "frames=0-1", "x"]
        {
            assert_eq!(of(range, None), RequestedRange::Whole, "{range}");
        }
        assert_eq!(requested(&HeaderMap::new(), 1000, None), RequestedRange::Whole);
    }

    #[test]
    fn ranges_need_the_same_version() {
        assert_eq!(of("bytes=0-1", Some("\"tag\"")), RequestedRange::Part(0..2));
        for other in ["\"other\"", "W/\"tag\"", "Mon, 30 Nov 2026 12:00:00 GMT"] {
            assert_eq!(of("bytes=0-1", Some(other)), RequestedRange::Whole, "{other}");
        }
    }
}

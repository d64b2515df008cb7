//! Writes answers as JSON whose texts are all [inert]: they contain no characters that could
//! control a terminal or a page. The texts may come from processes, other machines and files.

use std::io;

use khor_proto::inert;
use serde::Serialize;
use serde_json::{
    Serializer,
    ser::{CharEscape, CompactFormatter, Formatter},
};
use tracing::error;
use warp::{
    Reply,
    http::{HeaderValue, StatusCode, header},
    reply::Response,
};

/// Writes a value as JSON in one line.
pub(super) fn text(value: &impl Serialize) -> serde_json::Result<String> {
    let mut bytes = Vec::with_capacity(1024);
    value.serialize(&mut Serializer::with_formatter(&mut bytes, InertFormatter))?;
    String::from_utf8(bytes).map_err(serde::ser::Error::custom)
}

/// Creates an answer that contains a value as JSON.
pub(super) fn reply(value: &impl Serialize) -> Response {
    match text(value) {
        Ok(text) => {
            let mut response = text.into_response();
            let kind = HeaderValue::from_static("application/json");
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            response
        }
        Err(problem) => {
            error!("cannot write an answer as JSON: {problem}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Writes compact JSON. In texts, replaces control, bidirectional and invisible characters, except
/// line feeds and tabs.
struct InertFormatter;

impl Formatter for InertFormatter {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        writer.write_all(inert::line(fragment).as_bytes())
    }

    fn write_char_escape<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        match escape {
            CharEscape::Quote
            | CharEscape::ReverseSolidus
            | CharEscape::Solidus
            | CharEscape::LineFeed
            | CharEscape::Tab => CompactFormatter.write_char_escape(writer, escape),
            CharEscape::Backspace
            | CharEscape::FormFeed
            | CharEscape::CarriageReturn
            | CharEscape::AsciiControl(_) => {
                writer.write_all(inert::REPLACEMENT.encode_utf8(&mut [0; 4]).as_bytes())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn only_texts_are_made_inert() {
        let plain = json!({ "a": [1, 2.5, null, true], "größer \"b\"\\": "two\nlines\tof /text" });
        assert_eq!(text(&plain).unwrap(), serde_json::to_string(&plain).unwrap());
        let hostile = json!({ "k\u{202e}": "a\u{1b}]52;c;\u{7}\r\u{9b}\u{7f}\u{200b}\u{e0041}b" });
        let written = text(&hostile).unwrap();
        assert!(inert::is_inert(&written), "{written:?}");
        let read: Value = serde_json::from_str(&written).unwrap();
        let shown = "a\u{fffd}]52;c;\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}b";
        assert_eq!(read, json!({ "k\u{fffd}": shown }));
    }
}

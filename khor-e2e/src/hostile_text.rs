//! Hostile text for tests, and a search for it in khor's output. Hostile text controls a terminal,
//! reorders the text around it, or is invisible.

use std::{collections::BTreeSet, io::Write, ops::RangeInclusive};

use flate2::{Compression, Crc, write::DeflateEncoder};

/// An escape sequence that sets the clipboard of many terminals. The sequence is short enough for a
/// process name.
pub const OSC_52: &str = "\x1b]52;c;cm0=\x07";

/// A text with every kind of control or invisible character: an escape sequence, C1, DEL, a
/// carriage return, marks and overrides of direction, zero-width characters, a tag, a line
/// separator, and a variation selector.
pub const HOSTILE: &str = "\x1b]52;c;cm0=\x07\u{9b}2J\u{7f}\r\u{202e}\u{2066}\u{200f}\u{61c}\u{200b}\u{feff}\u{ad}\
                           \u{e0041}\u{2028}\u{fe0f}";

/// Finds characters in khor's output that khor should have removed: control characters other than
/// line feeds and tabs, and invisible characters. Returns each found character once, escaped. The
/// list of characters is independent of the tested code.
pub fn active(text: &str) -> String {
    const INVISIBLE: [RangeInclusive<char>; 10] = [
        '\u{ad}'..='\u{ad}',
        '\u{34f}'..='\u{34f}',
        '\u{61c}'..='\u{61c}',
        '\u{200b}'..='\u{200f}',
        '\u{2028}'..='\u{202e}',
        '\u{2060}'..='\u{206f}',
        '\u{fe00}'..='\u{fe0f}',
        '\u{feff}'..='\u{feff}',
        '\u{fff9}'..='\u{fffb}',
        '\u{e0000}'..='\u{e0fff}',
    ];
    let is_control = |c: char| c.is_control() && c != '\n' && c != '\t';
    let is_active = |c: &char| is_control(*c) || INVISIBLE.iter().any(|range| range.contains(c));
    let found: BTreeSet<char> = text.chars().filter(is_active).collect();
    found.into_iter().flat_map(char::escape_unicode).collect()
}

/// Like [`active`], for JSON, where escapes may stand for such characters.
pub fn active_in_json(text: &str) -> String {
    let value: serde_json::Value =
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let mut found = active(text);
    let mut visit = vec![&value];
    while let Some(value) = visit.pop() {
        match value {
            serde_json::Value::String(text) => found += &active(text),
            serde_json::Value::Array(values) => visit.extend(values),
            serde_json::Value::Object(fields) => {
                found.extend(fields.keys().map(|key| active(key)));
                visit.extend(fields.values());
            }
            _ => {}
        }
    }
    found
}

/// A capture whose texts are all hostile: the machine's texts, the reason for a missing counter,
/// and a cue's process name. `docs/captures.md` describes the bytes.
pub fn hostile_capture() -> Vec<u8> {
    const MARKER: [u8; 4] = *b"\xf5khr";
    let text = |bytes: &mut Vec<u8>| {
        bytes.push(HOSTILE.len() as u8);
        bytes.extend_from_slice(HOSTILE.as_bytes());
    };
    let mut raw = vec![1, 5, 0, 100];
    text(&mut raw);
    raw.push(1);
    text(&mut raw);
    text(&mut raw);
    // The machine has one CPU. The source has one counter, which is missing; the next text is the
    // reason.
    raw.extend([1, 1, 0]);
    text(&mut raw);
    // Two frames without counters, then the cue of a crash: its kind, the parts that it has, its
    // time, and its process ID. The next text is the name of the process.
    raw.extend([2, 0, 2, 0, 1, 0, 0, 3, 1, 3, 0, 7]);
    text(&mut raw);
    raw.push(6);
    let mut packer = DeflateEncoder::new(Vec::new(), Compression::default());
    packer.write_all(&raw).expect("compressing the capture");
    let packed = packer.finish().expect("compressing the capture");
    let lengths = [packed.len(), raw.len()].map(|length| (length as u16).to_le_bytes()).concat();
    let mut sum = Crc::new();
    sum.update(&lengths);
    sum.update(&packed);
    [b"khorcap\x02", MARKER.as_slice(), &lengths, &sum.sum().to_le_bytes(), &packed].concat()
}

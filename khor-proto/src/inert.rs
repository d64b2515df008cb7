//! Makes text from outside khor safe to print.
//!
//! Names of processes, cgroups and hosts, messages from peers and files may contain characters that
//! control a terminal, reorder the text around them, or are invisible. This module calls such
//! characters active, and text without them inert. [`line`] replaces active characters with U+FFFD.
//!
//! khor calls [`line`] wherever text from outside arrives: in the [client](crate::client) of the
//! collector, in the reader of captures, and in the receiver of NATS messages. Before output, it
//! calls [`line`], [`lines`] or [`json`] again for all text of logs, commands and API answers.

use std::{
    borrow::Cow,
    fmt::{self, Write},
};

/// The character with which [`line`] replaces control, bidirectional and invisible characters.
pub const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

/// The ranges of characters that are invisible or reorder the text around them, except control
/// characters. The ranges are sorted. They contain Unicode's default-ignorable code points, line
/// and paragraph separators, anchors of interlinear annotations, and format controls of
/// hieroglyphs.
const INVISIBLE: [(char, char); 18] = [
    ('\u{ad}', '\u{ad}'),       // soft hyphen
    ('\u{34f}', '\u{34f}'),     // grapheme joiner
    ('\u{61c}', '\u{61c}'),     // Arabic letter mark
    ('\u{115f}', '\u{1160}'),   // Hangul fillers
    ('\u{17b4}', '\u{17b5}'),   // Khmer inherent vowels
    ('\u{180b}', '\u{180f}'),   // Mongolian variation selectors
    ('\u{200b}', '\u{200f}'),   // zero-width spaces and joiners, direction marks
    ('\u{2028}', '\u{202e}'),   // separators of lines and paragraphs, direction embeddings
    ('\u{2060}', '\u{206f}'),   // word joiner, invisible operators, direction isolates
    ('\u{3164}', '\u{3164}'),   // Hangul filler
    ('\u{fe00}', '\u{fe0f}'),   // variation selectors
    ('\u{feff}', '\u{feff}'),   // zero-width no-break space, byte order mark
    ('\u{ffa0}', '\u{ffa0}'),   // halfwidth Hangul filler
    ('\u{fff0}', '\u{fffb}'),   // interlinear annotations and their unassigned neighbours
    ('\u{13430}', '\u{1343f}'), // hieroglyph format controls
    ('\u{1bca0}', '\u{1bca3}'), // shorthand format controls
    ('\u{1d173}', '\u{1d17a}'), // musical format controls
    ('\u{e0000}', '\u{e0fff}'), // tags and further variation selectors
];

/// Whether a character is unsafe to print. Such a character is a control character (C0, DEL, C1),
/// is invisible, or reorders the text around it.
pub fn is_active(c: char) -> bool {
    let is_invisible = || {
        let after = INVISIBLE.partition_point(|(first, _)| *first <= c);
        after > 0 && c <= INVISIBLE[after - 1].1
    };
    c.is_control() || (!c.is_ascii() && is_invisible())
}

/// Whether text contains no control, bidirectional or invisible characters (see [`is_active`]).
pub fn is_inert(text: &str) -> bool {
    is_plain(text) || !text.contains(is_active)
}

/// Replaces each control, bidirectional and invisible character with U+FFFD (see [`is_active`]).
/// Line breaks and tabs are control characters too. Copies the text only if it contains a character
/// to replace.
pub fn line(text: &str) -> Cow<'_, str> {
    replaced(text, is_active)
}

/// Like [`line()`], for text of several lines. Keeps line feeds and tabs.
pub fn lines(text: &str) -> Cow<'_, str> {
    replaced(text, |c| is_active(c) && c != '\n' && c != '\t')
}

/// Like [`line()`], for an owned string.
pub fn owned_line(text: String) -> String {
    match line(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(inert) => inert,
    }
}

/// Makes untrusted text safe for an error message. Control, bidirectional and invisible characters
/// become escapes such as `\u{1b}`. Text of more than `most` characters is cut and ends with an
/// ellipsis.
pub fn escaped(text: &str, most: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(most.saturating_mul(4)));
    let mut rest = text.chars();
    for c in rest.by_ref().take(most) {
        if is_active(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    if rest.next().is_some() {
        shown.push('…');
    }
    shown
}

/// Makes a JSON text safe to print, without changing its value. Control, bidirectional and
/// invisible characters become escapes such as `\u001b`. Line feeds stay, because in JSON they
/// occur only between tokens.
pub fn json(text: &str) -> Cow<'_, str> {
    let is_escaped = |c: char| is_active(c) && c != '\n';
    if is_plain(text) || !text.contains(is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_escaped(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

/// Writes a field of a log record, as `tracing_subscriber::fmt::format::debug_fn` requires.
/// Replaces the same characters as [`line()`], so that each record is one line.
///
/// # Errors
///
/// Returns the error of `writer` if writing fails.
pub fn log_field(writer: &mut dyn Write, name: &str, value: &dyn fmt::Debug) -> fmt::Result {
    if name != "message" {
        write!(writer, "{name}=")?;
    }
    writer.write_str(&line(&format!("{value:?}")))
}

fn replaced(text: &str, is_replaced: impl Fn(char) -> bool) -> Cow<'_, str> {
    if is_plain(text) || !text.contains(&is_replaced) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if is_replaced(c) { REPLACEMENT } else { c }).collect())
}

/// Whether text contains only printable ASCII characters. This check is fast, and succeeds for
/// nearly all text.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An escape sequence that sets the clipboard in many terminals.
    const OSC_52: &str = "\x1b]52;c;cm0gLXJmIH4K\x07";

    #[test]
    fn every_kind_of_active_character_is_replaced() {
        let kinds = [
            ("C0", "\0\x07\x08\t\n\r\x1b\x1f"),
            ("DEL and C1", "\x7f\u{80}\u{85}\u{9b}\u{9d}\u{9f}"),
            ("bidi", "\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}"),
            ("direction marks", "\u{200e}\u{200f}\u{61c}"),
            ("zero width", "\u{200b}\u{200c}\u{200d}\u{2060}\u{2061}\u{2064}\u{feff}\u{ad}\u{34f}"),
            ("annotations and tags", "\u{fff9}\u{fffb}\u{e0001}\u{e0041}\u{e007f}"),
            ("separators", "\u{2028}\u{2029}"),
            ("variations", "\u{fe00}\u{fe0f}\u{e0100}\u{e01ef}\u{180b}"),
            ("blanks", "\u{3164}\u{115f}\u{ffa0}"),
        ];
        for (kind, text) in kinds {
            assert!(text.chars().all(is_active) && !is_inert(text), "{kind}");
            assert!(line(text).chars().all(|c| c == REPLACEMENT), "{kind}");
        }
        assert_eq!(line(&format!("a{OSC_52}b")), "a\u{fffd}]52;c;cm0gLXJmIH4K\u{fffd}b");
    }

    #[test]
    fn inert_text_of_any_script_stays() {
        for text in
            ["", "nginx: worker", "größer", "日本語", "שלום", "हिन्दी", "\u{fffd}", "a\u{a0}b", "🎵", "é"]
        {
            assert!(matches!(line(text), Cow::Borrowed(same) if same == text), "{text}");
        }
        assert_eq!(lines("a\n\tb\r\u{1b}"), "a\n\tb\u{fffd}\u{fffd}");
    }

    #[test]
    fn ranges_are_in_order() {
        assert!(INVISIBLE.iter().all(|(first, last)| first <= last));
        assert!(INVISIBLE.windows(2).all(|pair| pair[0].1 < pair[1].0));
    }

    #[test]
    fn escaped_text_shows_active_characters() {
        assert_eq!(escaped("/a\u{1b}]52\u{202e}", 64), "/a\\u{1b}]52\\u{202e}");
        assert_eq!(escaped("abcdef", 3), "abc…");
        assert_eq!(escaped("abc", 3), "abc");
    }

    #[test]
    fn log_field_is_one_line() {
        let written = |name, value: &dyn fmt::Debug| {
            let mut text = String::new();
            log_field(&mut text, name, value).unwrap();
            text
        };
        let forged = format!("went\n<0>forged{OSC_52}");
        let message = written("message", &format_args!("{forged}"));
        assert_eq!(message, "went\u{fffd}<0>forged\u{fffd}]52;c;cm0gLXJmIH4K\u{fffd}");
        assert_eq!(written("kind", &7), "kind=7");
    }

    proptest! {
        /// [`line()`] replaces every control, bidirectional and invisible character, and changes
        /// nothing else. A second call changes nothing.
        #[test]
        fn replacing_is_total_and_changes_nothing_else(text in any::<String>()) {
            let inert = line(&text);
            prop_assert!(is_inert(&inert));
            prop_assert_eq!(inert.chars().count(), text.chars().count());
            for (was, is) in text.chars().zip(inert.chars()) {
                prop_assert_eq!(is, if is_active(was) { REPLACEMENT } else { was });
            }
            prop_assert_eq!(line(&inert), inert.as_ref());
            prop_assert!(is_inert(&escaped(&text, usize::MAX)));
            let kept = lines(&text);
            prop_assert!(kept.split(['\n', '\t']).all(is_inert));
            prop_assert_eq!(owned_line(text.clone()), inert.as_ref());
        }

        /// A replacement has at most three times as many bytes as the character before. So a
        /// process name of 15 bytes grows to at most 45 bytes, and fits into the 48 bytes that a
        /// NATS message has for it.
        #[test]
        fn a_byte_becomes_at_most_three(bytes in any::<Vec<u8>>()) {
            let text = String::from_utf8_lossy(&bytes);
            prop_assert!(line(&text).len() <= 3 * bytes.len());
        }

        #[test]
        fn active_characters_are_found_anywhere(before in "[a-zäß日]{0,20}", after in "[a-zäß日]{0,20}", i in 0..18_usize) {
            let (first, last) = INVISIBLE[i];
            for c in [first, last] {
                let text = format!("{before}{c}{after}");
                prop_assert_eq!(line(&text), format!("{before}{REPLACEMENT}{after}"));
            }
        }

        /// Escaped JSON is safe to print and has the same value as before.
        #[test]
        fn json_keeps_its_value(text in any::<String>()) {
            let written: String = text.chars().filter(|c| !matches!(c, '"' | '\\' | '\0'..='\u{1f}')).collect();
            let escaped = json(&written).into_owned();
            prop_assert!(is_inert(&escaped));
            prop_assert_eq!(unescaped(&escaped), written);
        }
    }

    /// Decodes `\u` escapes, as a reader of JSON does.
    fn unescaped(text: &str) -> String {
        let mut units = Vec::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if let Some(code) = rest.strip_prefix("\\u") {
                units.push(u16::from_str_radix(&code[..4], 16).unwrap());
                rest = &code[4..];
            } else {
                units.extend(c.encode_utf16(&mut [0; 2]).iter());
                rest = &rest[c.len_utf8()..];
            }
        }
        String::from_utf16(&units).unwrap()
    }
}

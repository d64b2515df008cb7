//! Translates errors of the TOML and JSON parsers into plain words. The result says which value is
//! wrong and which values are allowed.

/// Each pair consists of a type's name, as it appears in errors of the parsers, and khor's
/// description of the allowed values.
const TYPES: [(&str, &str); 14] = [
    ("f32", "a number"),
    ("f64", "a number"),
    ("u8", "a whole number from 0 to 255"),
    ("u16", "a whole number from 0 to 65535"),
    ("u32", "a whole number from 0"),
    ("u64", "a whole number from 0"),
    ("usize", "a whole number from 0"),
    ("i8", "a whole number from -128 to 127"),
    ("i16", "a whole number"),
    ("i32", "a whole number"),
    ("i64", "a whole number"),
    ("a string", "a text"),
    ("a boolean", "true or false"),
    ("a sequence", "a list"),
];

/// Each pair consists of a value's name, as it appears without quotes in errors of the parsers, and
/// khor's name for the value.
const KINDS: [(&str, &str); 5] = [
    ("null", "null"),
    ("unit value", "null"),
    ("sequence", "a list"),
    ("map", "a table"),
    ("newtype struct", "a table"),
];

/// Translates an error message. Messages that are not recognised, such as syntax errors, stay
/// unchanged.
pub(super) fn translate(message: &str) -> String {
    let message = message.trim();
    translate_value(message)
        .or_else(|| translate_choice(message))
        .or_else(|| translate_key(message))
        .unwrap_or_else(|| message.to_owned())
}

/// Translates errors about values. For example, `invalid type: string "fast", expected f32` becomes
/// `"fast" is not allowed, expected a number`.
fn translate_value(message: &str) -> Option<String> {
    let rest = ["invalid type: ", "invalid value: ", "invalid length "]
        .into_iter()
        .find_map(|start| message.strip_prefix(start))?;
    let (found, expected) = rest.rsplit_once(", expected ")?;
    Some(format!("{} is not allowed, expected {}", found_value(found), expected_values(expected)))
}

/// Translates errors about choices. For example, ``unknown variant `notch`, expected `low` or
/// `high` `` becomes `notch is not allowed, expected …`.
fn translate_choice(message: &str) -> Option<String> {
    let (found, expected) = message.strip_prefix("unknown variant ")?.split_once(", expected ")?;
    Some(format!("{} is not allowed, expected {}", unquoted(found), unquoted(expected)))
}

/// Translates errors about unknown, missing and repeated keys.
fn translate_key(message: &str) -> Option<String> {
    if let Some(rest) = message.strip_prefix("unknown field ") {
        let (key, expected) = rest.split_once(", expected ").unwrap_or((rest, "no key here"));
        return Some(format!("unknown key {}, expected {}", unquoted(key), unquoted(expected)));
    }
    if let Some(key) = message.strip_prefix("missing field ") {
        return Some(format!("the key {} is missing", unquoted(key)));
    }
    let key = message.strip_prefix("duplicate field ").or_else(|| message.strip_prefix("duplicate key "))?;
    Some(format!("the key {} occurs twice", unquoted(key)))
}

/// Extracts the value from a text such as `string "fast"`. If the text quotes no value, returns the
/// kind of the value.
fn found_value(found: &str) -> String {
    let known = KINDS.iter().find_map(|(kind, words)| (*kind == found).then_some(*words));
    let quoted = || found.find(['"', '`']).map(|start| found[start..].trim_matches('`'));
    known.or_else(quoted).unwrap_or(found).to_owned()
}

fn expected_values(expected: &str) -> String {
    let known = TYPES.iter().find_map(|(name, words)| (*name == expected).then_some(*words));
    if expected.starts_with("struct ") {
        return "a table of keys".to_owned();
    }
    match expected.strip_prefix("an array of length ").or_else(|| expected.strip_prefix("a tuple of size ")) {
        Some(length) => format!("a list of {length} values"),
        None => known.map_or_else(|| unquoted(expected), str::to_owned),
    }
}

fn unquoted(text: &str) -> String {
    text.replace('`', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parser_errors_become_plain_words() {
        for (message, expected) in [
            ("invalid type: string \"fast\", expected f32", "\"fast\" is not allowed, expected a number"),
            (
                "invalid type: string \"a, expected b\", expected u8",
                "\"a, expected b\" is not allowed, expected a whole number from 0 to 255",
            ),
            ("invalid type: null, expected a string", "null is not allowed, expected a text"),
            ("invalid type: map, expected a sequence", "a table is not allowed, expected a list"),
            (
                "invalid type: integer `5`, expected struct BedSettings",
                "5 is not allowed, expected a table of keys",
            ),
            (
                "invalid value: integer `-1`, expected u8",
                "-1 is not allowed, expected a whole number from 0 to 255",
            ),
            (
                "invalid length 1, expected an array of length 2",
                "1 is not allowed, expected a list of 2 values",
            ),
            (
                "unknown variant `notch`, expected one of `low`, `high`",
                "notch is not allowed, expected one of low, high",
            ),
            ("unknown field `hnit`, expected `hint` or `name`", "unknown key hnit, expected hint or name"),
            ("missing field `hint`", "the key hint is missing"),
            ("duplicate key `hint`", "the key hint occurs twice"),
            ("unclosed table, expected `]`", "unclosed table, expected `]`"),
        ] {
            assert_eq!(translate(message), expected);
        }
    }
}

//! Parses JSON, and describes syntax errors in khor's own words.

use serde_json::{Value, error::Category};

/// Parses JSON.
///
/// # Errors
///
/// The error is a text such as "see line 2, column 7". Callers prepend "FILE is not valid JSON: ".
pub fn parse(text: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(text).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        match error.classify() {
            Category::Eof if text.trim_ascii().is_empty() => "it is empty".to_owned(),
            Category::Eof => format!("it ends too early, at {place}"),
            _ => format!("see {place}"),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syntax_errors_have_a_place() {
        assert_eq!(parse(b"{\"a\": [1]}"), Ok(serde_json::json!({ "a": [1] })));
        for (text, problem) in [
            ("", "it is empty"),
            (" \n", "it is empty"),
            ("{\"a\":", "it ends too early, at line 1, column 5"),
            ("{\n  \"a\" 5\n}", "see line 2, column 7"),
            ("{} {}", "see line 1, column 4"),
        ] {
            assert_eq!(parse(text.as_bytes()), Err(problem.to_owned()), "{text}");
        }
        let deep = "[".repeat(1000);
        assert_eq!(parse(deep.as_bytes()), Err("see line 1, column 128".to_owned()));
        assert!(parse(b"\xff").is_err());
    }
}

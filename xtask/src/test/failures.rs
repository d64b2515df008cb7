//! Reads the messages of failed tests from nextest's report. The summary repeats these messages,
//! because thousands of lines may follow a failed test.

use std::{fs, path::PathBuf};

use crate::process::target;

/// Maximum number of lines of a message that the summary repeats.
const MAX_LINES: usize = 12;

/// Path of the report that nextest writes in each run, in the format of `JUnit`. The setting
/// `junit` in `.config/nextest.toml` selects this path.
fn report() -> PathBuf {
    target().join("nextest/default/junit.xml")
}

/// Removes the report of an earlier run.
pub(super) fn remove_report() {
    let _ = fs::remove_file(report());
}

/// The failed tests of the last run, each with the first lines of its message.
pub(super) fn take() -> Vec<String> {
    fs::read_to_string(report()).map_or_else(|_| Vec::new(), |xml| failures(&xml))
}

fn failures(xml: &str) -> Vec<String> {
    let cases = xml.split("<testcase ").skip(1);
    cases
        .filter_map(|case| {
            let (_, failure) = case.split_once("<failure ")?;
            let name = attribute(case, "name")?;
            let message = attribute(failure, "message").unwrap_or_default();
            // nextest writes the panic's message as the text of the `failure` element.
            let text = failure.split_once('>').and_then(|(_, text)| text.split_once("</failure>"));
            let text = text.map_or(message, |(text, _)| unescaped(text));
            let lines = text.lines().take_while(|line| !line.starts_with("stack backtrace:"));
            let lines: Vec<&str> = lines.filter(|line| !line.trim().is_empty()).take(MAX_LINES).collect();
            Some(format!("{name}:\n    {}", lines.join("\n    ")))
        })
        .collect()
}

/// The value of the attribute `name`. `text` starts within the start tag that has the attribute.
fn attribute(text: &str, name: &str) -> Option<String> {
    let element = text.split_once('>')?.0;
    let value = element.split_once(&format!("{name}=\""))?.1;
    Some(unescaped(value.split_once('"')?.0))
}

fn unescaped(text: &str) -> String {
    let named =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#10;", "\n"), ("&amp;", "&")];
    named.iter().fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_tests_have_a_message() {
        let xml = r#"<testsuite name="khor-e2e::page">
            <testcase name="passes" classname="khor-e2e::page" time="1"></testcase>
            <testcase name="the_page" classname="khor-e2e::page" time="2">
                <failure message="thread &apos;the_page&apos; panicked" type="test failure">thread &apos;the_page&apos; panicked at page.rs:5:
FAILED: a &lt;b&gt; &amp;amp; c</failure></testcase></testsuite>"#;
        let expected = "the_page:\n    thread 'the_page' panicked at page.rs:5:\n    FAILED: a <b> &amp; c";
        assert_eq!(failures(xml), [expected]);
    }
}

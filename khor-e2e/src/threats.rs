//! Checks the threat table of docs/security.md: each row must name tests that exist.

use std::{fs, path::Path};

/// Heading of the section with the table.
const SECTION: &str = "## Threats";

/// The rows of the threat table: the threat, and the code spans of the last cell.
fn rows() -> Vec<(String, Vec<String>)> {
    let text = read("docs/security.md").expect("reading docs/security.md");
    let section = text.split(SECTION).nth(1).expect("the section with the table");
    let section = section.split("\n## ").next().unwrap_or_default();
    let lines = section.lines().filter(|line| line.starts_with('|')).skip(2);
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        assert_eq!(cells.len(), 3, "number of cells in the row: {line}");
        let tests = cells[2].split('`').skip(1).step_by(2).map(str::to_owned).collect();
        (cells[0].to_owned(), tests)
    };
    lines.map(row).collect()
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).ok()
}

/// Checks that a test in the table exists. Returns the problem if it does not. `test` is
/// `path/to/file.rs::function`, or the path of a test file in another language.
fn problem(test: &str) -> Option<String> {
    let (path, function) = match test.split_once("::") {
        Some((path, function)) => (path, Some(function)),
        None => (test, None),
    };
    let Some(text) = read(path) else { return Some(format!("there is no {path}")) };
    match function {
        Some(function) if !has_test(&text, function) => Some(format!("{path} has no test {function}")),
        None if Path::new(path).extension().is_some_and(|kind| kind == "rs") => {
            Some(format!("{test} names no function"))
        }
        _ => None,
    }
}

/// Whether `text` contains the function, and at most four lines above it an attribute that contains
/// `test`.
fn has_test(text: &str, function: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let declared = [format!("fn {function}("), format!("async fn {function}(")];
    let found = lines.iter().position(|line| declared.iter().any(|start| line.starts_with(start.as_str())));
    found.is_some_and(|at| {
        lines[..at].iter().rev().take(4).any(|line| line.starts_with("#[") && line.contains("test"))
    })
}

#[test]
fn every_threat_names_tests_that_exist() {
    let rows = rows();
    assert!(rows.len() >= 30, "the threat table has only {} rows", rows.len());
    let problems: Vec<String> = rows
        .iter()
        .flat_map(|(threat, tests)| {
            let none = tests.is_empty().then(|| format!("{threat}: no test"));
            none.into_iter()
                .chain(tests.iter().filter_map(move |test| Some(format!("{threat}: {}", problem(test)?))))
        })
        .collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn missing_test_is_a_problem() {
    let this = "khor-e2e/src/threats.rs";
    assert_eq!(problem(&format!("{this}::missing_test_is_a_problem")), None);
    for missing in
        [format!("{this}::no_such_test"), format!("{this}::problem"), this.into(), "nowhere.rs::x".into()]
    {
        assert!(problem(&missing).is_some(), "{missing}");
    }
}

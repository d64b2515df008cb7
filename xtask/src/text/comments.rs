//! Tests that comments are not too wide. Tables may be wider, because their rows cannot be wrapped.

use super::files::sources;

/// Maximum width of a comment line, columns.
const WIDTH: usize = 100;

#[test]
fn comments_fit_100_columns() {
    let mut wide = Vec::new();
    for source in sources() {
        for (index, line) in source.text.lines().enumerate() {
            let is_comment = ["//", "/*", "* "].iter().any(|start| line.trim_start().starts_with(start));
            let is_table = line.trim_start().trim_start_matches(['/', '!', ' ']).starts_with('|');
            if is_comment && !is_table && line.chars().count() > WIDTH {
                wide.push(format!("{}:{}", source.name, index + 1));
            }
        }
    }
    assert!(wide.is_empty(), "wrap these comments at {WIDTH} columns:\n{}", wide.join("\n"));
}

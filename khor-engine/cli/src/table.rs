//! Formats rows of a list for a terminal of 80 columns. A row has a state, a name and wrapped text.

/// Width of the narrowest terminal that is supported, in columns.
const WIDTH: usize = 80;
/// Number of columns before the text, which the state and the name of a row use.
const INDENT: usize = 27;

/// Formats one row. Each paragraph of the text starts on a new line.
pub(super) fn row<'a>(state: &str, name: &str, paragraphs: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = format!("{state:<8} {name:<17} ");
    for (number, line) in paragraphs.into_iter().flat_map(|text| wrapped(text, WIDTH - INDENT)).enumerate() {
        if number > 0 {
            text.push_str(&" ".repeat(INDENT));
        }
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// Formats a wrapped paragraph below a name, indented by four columns.
pub(super) fn indented(text: &str) -> String {
    wrapped(text, WIDTH - 4).iter().flat_map(|line| ["    ", line, "\n"]).collect()
}

/// Wraps text to lines of at most `width` columns. A longer word is not split, so that users can
/// copy it.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().map_or(0, |line| line.chars().count());
        if line > 0 && line + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else if let Some(last) = lines.last_mut() {
            if line > 0 {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_fit_a_terminal() {
        let story = "a sentence about a missing part of the machine that needs more than one line here";
        let text = row("PROBLEM", "type information", [story, "fix: sudo make it so --now"]);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        let fix = format!("\n{}fix: sudo make", " ".repeat(INDENT));
        assert!(text.starts_with("PROBLEM  type information") && text.contains(&fix));
    }
}

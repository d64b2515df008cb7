//! Formats rows of a state, a name and wrapped text for a terminal of 80 columns.

/// Columns of the narrowest supported terminal.
const WIDTH: usize = 80;
/// Columns before the text: the state and the name.
const INDENT: usize = 27;

/// One row with its line breaks. Each paragraph starts a new line.
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

/// A wrapped paragraph, indented by four columns, below a name.
pub(super) fn indented(text: &str) -> String {
    wrapped(text, WIDTH - 4).iter().flat_map(|line| ["    ", line, "\n"]).collect()
}

/// Wraps text to lines of at most `width` columns. Does not split a longer word, so that users can
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

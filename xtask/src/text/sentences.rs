//! Tests that sentences and table cells of the documents are short.

use khor_e2e::documents;

/// Maximum number of words in a sentence. Code in backquotes does not count, because it may be a
/// long list of names.
const WORDS: usize = 35;
/// Maximum number of characters in a table cell of docs/specification.md.
const CELL: usize = 200;

/// The list items, paragraphs and table cells of a document, each joined to one line. Headings,
/// code blocks and pictures are left out.
fn paragraphs(text: &str) -> Vec<String> {
    let (mut paragraphs, mut is_code) = (vec![String::new()], false);
    for line in text.lines() {
        let line = line.trim();
        let is_item =
            line.starts_with("- ") || line.split_once(". ").is_some_and(|(it, _)| it.parse::<u8>().is_ok());
        if line.starts_with("```") {
            is_code = !is_code;
        } else if line.starts_with('|') {
            paragraphs.extend(line.split(" | ").map(|cell| cell.trim_matches(['|', ' ']).to_owned()));
            paragraphs.push(String::new());
        } else if is_code || line.is_empty() || line.starts_with(['#', '!', '<']) {
            paragraphs.push(String::new());
        } else if is_item {
            paragraphs.push(line.to_owned());
        } else {
            let last = paragraphs.last_mut().expect("never empty");
            last.push_str(if last.is_empty() { "" } else { " " });
            last.push_str(line);
        }
    }
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs
}

/// The paragraph without code in backquotes, and without the targets of links.
fn plain(paragraph: &str) -> String {
    let code = paragraph.split('`').enumerate();
    let text: String = code.map(|(index, part)| if index % 2 == 0 { part } else { "" }).collect();
    let mut parts = text.split("](");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str(part.split_once(')').map_or(part, |(_, rest)| rest));
    }
    plain.replace('[', "")
}

/// Splits a paragraph into its sentences.
fn sentences(paragraph: &str) -> Vec<String> {
    let text = plain(paragraph);
    let ends = [". ", "? ", "! ", ".) ", ": ", "; ", "), "];
    let mut marked = text;
    for end in ends {
        marked = marked.replace(end, "\n");
    }
    marked.lines().map(str::to_owned).collect()
}

#[test]
fn sentences_are_short() {
    let mut long = Vec::new();
    for document in documents::documents() {
        for sentence in paragraphs(document.text()).iter().flat_map(|it| sentences(it)) {
            let words = sentence.split_whitespace().count();
            if words > WORDS {
                long.push(format!("{}: {words} words: {sentence}", document.name));
            }
        }
    }
    assert!(long.is_empty(), "split these sentences, {WORDS} words at most:\n{}", long.join("\n"));
}

#[test]
fn cells_of_specification_are_short() {
    let documents = documents::documents();
    let specification = documents.iter().find(|it| it.name == "docs/specification.md").expect("the document");
    let cells =
        specification.text().lines().filter(|line| line.starts_with('|')).flat_map(|it| it.split(" | "));
    let long: Vec<&str> = cells.filter(|cell| cell.chars().count() > CELL).collect();
    assert!(long.is_empty(), "shorten these cells to {CELL} characters:\n{}", long.join("\n"));
}

#[test]
fn code_and_addresses_do_not_count() {
    let text =
        "# Title\n\nOne `two words` [three](four.md).\nNext.\n\n```sh\ncode\n```\n- item\n| a | b c |\n";
    let all: Vec<String> = paragraphs(text).iter().flat_map(|it| sentences(it)).collect();
    assert_eq!(all, ["One  three", "Next.", "- item", "a", "b c"]);
}

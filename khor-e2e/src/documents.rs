//! Reads the documents of this repository, so that tests can check their snippets and their inline
//! code.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A Markdown file.
#[derive(Clone, Debug)]
pub struct Document {
    /// The document's path, relative to the root of the repository.
    pub name: String,
    text: String,
}

/// A fenced code block of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snippet {
    /// The language after the fence; empty if the fence names none.
    pub language: String,
    /// The heading above the snippet, without `#`.
    pub heading: String,
    /// The lines between the fences.
    pub text: String,
}

/// All documents for users and developers of khor, sorted by path.
pub fn documents() -> Vec<Document> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut paths: Vec<PathBuf> =
        ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "ui/README.md", "khor-ebpf/BUILD.md"]
            .into_iter()
            .chain(["khor-engine/captures/README.md", "docs/sounds/README.md"])
            .map(PathBuf::from)
            .collect();
    let docs = fs::read_dir(root.join("docs")).expect("the folder docs");
    let names =
        docs.map(|entry| PathBuf::from("docs").join(entry.expect("an entry of the folder docs").file_name()));
    paths.extend(names.filter(|path| path.extension().is_some_and(|kind| kind == "md")));
    paths.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(root.join(&path));
        Document {
            text: text.unwrap_or_else(|error| panic!("{}: {error}", path.display())),
            name: path.display().to_string(),
        }
    };
    paths.into_iter().map(read).collect()
}

impl Document {
    /// The whole text of the document.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// All fenced code blocks, in their order.
    pub fn snippets(&self) -> Vec<Snippet> {
        let (mut snippets, mut heading, mut open): (Vec<_>, _, Option<Snippet>) =
            (Vec::new(), String::new(), None);
        for line in self.text.lines() {
            match (line.strip_prefix("```"), &mut open) {
                (Some(language), None) => {
                    let (language, heading) = (language.to_owned(), heading.clone());
                    open = Some(Snippet { language, heading, text: String::new() });
                }
                (Some(_), Some(_)) => snippets.extend(open.take()),
                (None, Some(snippet)) => snippet.text.extend([line, "\n"]),
                (None, None) if line.starts_with('#') => {
                    line.trim_start_matches('#').trim().clone_into(&mut heading);
                }
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{}: the last code block is not closed", self.name);
        snippets
    }

    /// All inline code spans, in their order.
    pub fn code(&self) -> Vec<String> {
        let (mut text, mut fenced) = (String::new(), false);
        for line in self.text.lines() {
            if line.starts_with("```") {
                fenced = !fenced;
            } else if !fenced {
                text.extend([line, "\n"]);
            }
        }
        // Each paragraph is searched alone, so that a stray backtick affects only its own
        // paragraph.
        let paragraphs = text.split("\n\n").map(|paragraph| paragraph.replace('\n', " "));
        paragraphs
            .flat_map(|text| text.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>())
            .collect()
    }

    /// All lines of shell snippets, without comments and empty lines, followed by all inline code.
    pub fn command_lines(&self) -> Vec<String> {
        let shell = self.snippets().into_iter().filter(|snippet| snippet.language == "sh");
        let lines = shell.flat_map(|snippet| snippet.text.lines().map(str::to_owned).collect::<Vec<_>>());
        let uncommented = |line: String| line.split(" #").next().unwrap_or_default().trim().to_owned();
        lines.map(uncommented).filter(|line| !line.is_empty()).chain(self.code()).collect()
    }
}

/// Splits a command line into words as a shell does. Expansions are not supported.
pub fn words(line: &str) -> Vec<String> {
    let (mut words, mut quote, mut begun) = (vec![String::new()], None, false);
    for sign in line.chars() {
        let word = words.last_mut().expect("the list has at least one word");
        match quote {
            Some(open) if open == sign => quote = None,
            None if sign == '\'' || sign == '"' => (quote, begun) = (Some(sign), true),
            None if sign.is_whitespace() => {
                if begun || !word.is_empty() {
                    words.push(String::new());
                }
                begun = false;
            }
            _ => word.push(sign),
        }
    }
    if !begun && words.last().is_some_and(String::is_empty) {
        words.pop();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snippets_inline_code_and_commands_are_found() {
        let text =
            "# A\n\nSay `khor\ndoctor`.\n\n```sh\nkhor status # now\n\n```\n\n## `B`\n\n```json\n{}\n```\n";
        let document = Document { name: "x.md".into(), text: text.into() };
        let [shell, json] = &document.snippets()[..] else { panic!("not two snippets") };
        assert_eq!((shell.language.as_str(), shell.heading.as_str()), ("sh", "A"));
        assert_eq!((json.heading.as_str(), json.text.as_str()), ("`B`", "{}\n"));
        assert_eq!(document.code(), ["khor doctor", "B"]);
        assert_eq!(document.command_lines(), ["khor status", "khor doctor", "B"]);
    }

    #[test]
    fn words_split_like_shell() {
        assert_eq!(
            words("khor config osc.targets '[\"a:1\", 2]'  ''"),
            ["khor", "config", "osc.targets", "[\"a:1\", 2]", ""]
        );
        assert_eq!(words(" a  b "), ["a", "b"]);
    }

    #[test]
    fn every_snippet_names_its_language() {
        const KNOWN: [&str; 6] = ["json", "ruby", "sh", "text", "toml", "yaml"];
        let documents = documents();
        let snippets: Vec<_> =
            documents.iter().flat_map(|d| d.snippets().into_iter().map(|s| (&d.name, s))).collect();
        assert!(documents.len() >= 15 && snippets.len() >= 25, "{} {}", documents.len(), snippets.len());
        for (name, snippet) in snippets {
            assert!(
                KNOWN.contains(&snippet.language.as_str()),
                "{name}: snippets in the language {:?} are not checked; use one of {KNOWN:?}",
                snippet.language
            );
        }
    }
}

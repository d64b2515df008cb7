//! Tests that texts do not contain words that made readers read a sentence twice.

use khor_e2e::documents;

use super::files::sources;

/// Banned words and phrases, each with the text to write instead. Each inflected form has its own
/// entry.
const BANNED: [(&str, &str); 12] = [
    ("anew", "again"),
    ("likewise", "name the noun"),
    ("whoever", "a noun: client, user, host"),
    ("mend", "fix"),
    ("mends", "fixes"),
    ("mended", "fixed"),
    ("let go", "drop, release"),
    ("hears of", "receives"),
    ("heard of", "received"),
    ("told of", "reported"),
    ("tells of", "reports"),
    ("at even distances", "evenly spaced"),
];

/// The banned phrases in a line. A phrase only counts if it is not part of a longer word or of a
/// name such as `cues_let_go`.
fn banned_in(line: &str) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    let line = line.to_lowercase();
    let is_letter = |it: char| it.is_alphanumeric() || it == '_';
    BANNED.iter().filter(move |(phrase, _)| {
        line.match_indices(phrase).any(|(at, _)| {
            !line[..at].ends_with(is_letter) && !line[at + phrase.len()..].starts_with(is_letter)
        })
    })
}

#[test]
fn texts_avoid_banned_words() {
    let mut found = Vec::new();
    let documents = documents::documents().into_iter().map(|it| (it.name.clone(), it.text().to_owned()));
    for (name, text) in sources().into_iter().map(|it| (it.name, it.text)).chain(documents) {
        for (index, line) in text.lines().enumerate() {
            for (phrase, instead) in banned_in(line) {
                found.push(format!("{name}:{}: \"{phrase}\"; write: {instead}", index + 1));
            }
        }
    }
    assert!(found.is_empty(), "banned words:\n{}", found.join("\n"));
}

#[test]
fn only_whole_words_are_banned() {
    let found = |line| banned_in(line).map(|(phrase, _)| *phrase).collect::<Vec<_>>();
    assert_eq!(found("khor reads the file anew, as recommended."), ["anew"]);
    assert_eq!(found("What was told of it"), ["told of"]);
    assert!(found("Amendments that renew cues_let_go").is_empty());
}

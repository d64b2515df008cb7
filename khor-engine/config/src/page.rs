//! Writes `ui/src/api/ranges.ts`, which has the limits of the settings for the page.

use std::fmt::Write;

use crate::{Config, Field, Rule};

/// The content of `ui/src/api/ranges.ts`. `cargo xtask api` writes the file.
pub fn page_ranges() -> String {
    let mut text = "// Limits of the settings. `cargo xtask api` writes this file from khor-engine/config; \
                    do not edit it.\n"
        .to_owned();
    let fields = Config::fields;
    let rows = fields().iter().filter_map(range);
    add(&mut text, "RANGES", "Lowest and highest value of each numeric setting.", rows);
    let rows = fields().iter().filter_map(choices);
    add(&mut text, "CHOICES", "All values of each setting with a fixed list of values.", rows);
    let rows = fields().iter().filter_map(max_items);
    add(&mut text, "MAX_ITEMS", "Largest number of entries of each setting that is a list.", rows);
    text
}

/// The path of a setting, and its limits in TypeScript.
type Row<'a> = (&'a str, String);

fn range(field: &Field) -> Option<Row<'_>> {
    let Rule::Range(low, high) = field.rule else { return None };
    Some((&field.path, format!("{{ min: {low}, max: {high} }}")))
}

fn choices(field: &Field) -> Option<Row<'_>> {
    let quoted = |word: &String| format!("'{word}'");
    let all: Vec<String> = match field.rule {
        Rule::Numbers(all) => all.iter().map(ToString::to_string).collect(),
        _ => field.choices.iter().map(quoted).collect(),
    };
    (!all.is_empty()).then(|| (field.path.as_str(), format!("[{}]", all.join(", "))))
}

fn max_items(field: &Field) -> Option<Row<'_>> {
    let Rule::List(rule) = field.rule else { return None };
    Some((&field.path, rule.max_items.to_string()))
}

fn add<'a>(text: &mut String, name: &str, about: &str, rows: impl Iterator<Item = Row<'a>>) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "\n/** {about} */\nexport const {name} = {{");
    for (path, limits) in rows {
        let _ = writeln!(text, "  '{path}': {limits},");
    }
    text.push_str("} as const;\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_has_ranges_choices_and_lengths() {
        let text = page_ranges();
        for line in [
            "  'music.bpm': { min: 20, max: 300 },",
            "  'audio.loudness_lufs': [-23, -18, -16],",
            "  'signals.range': ['adaptive', 'absolute'],",
            "  'osc.targets': 8,",
        ] {
            assert!(text.lines().any(|other| other == line), "{line}: {text}");
        }
    }
}

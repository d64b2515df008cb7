//! Formats numbers and texts for users.

use std::borrow::Cow;

/// Formats a count with its noun: `1 cue`, `2 cues`. The noun must have a regular plural.
pub fn counted(count: u64, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}

/// Shortens a text to `most` characters, and appends an ellipsis if it was longer.
pub fn cut(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// Formats a number of bytes with a decimal unit: `512 bytes`, `20.5 GB`.
pub fn bytes(count: u64) -> String {
    const UNITS: [(u64, &str); 4] =
        [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1000, "kB")];
    let unit = UNITS.into_iter().find(|(size, _)| count >= *size);
    match unit {
        Some((size, unit)) => format!("{:.1} {unit}", count as f64 / size as f64),
        None => counted(count, "byte"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_is_singular() {
        assert_eq!([0, 1, 2].map(|count| counted(count, "cue")), ["0 cues", "1 cue", "2 cues"]);
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöü", 2), "äö…");
    }

    #[test]
    fn bytes_have_a_unit_that_fits() {
        let shown = [1, 999, 1500, 517_800_044, 24_900_000_000, 1_500_000_000_000].map(bytes);
        assert_eq!(shown, ["1 byte", "999 bytes", "1.5 kB", "517.8 MB", "24.9 GB", "1.5 TB"]);
    }
}

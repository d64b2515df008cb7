//! Text helpers that several modules need.

/// A count with its noun: `1 cue`, `2 cues`. The plural must be regular.
pub(crate) fn counted(count: u64, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular_and_all_others_are_plural() {
        assert_eq!([0, 1, 2].map(|count| counted(count, "cue")), ["0 cues", "1 cue", "2 cues"]);
    }
}

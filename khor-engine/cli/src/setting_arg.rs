//! The parser and the help text for options that override a setting. They are derived from the
//! setting's definition.

use std::str::FromStr;

use khor_config::{FieldSpec, Leaf};

/// Creates a clap parser that accepts the values of a setting.
pub(super) fn parser<T>(spec: FieldSpec) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync
where
    T: Leaf + FromStr + Send + Sync + 'static,
{
    move |text| {
        let value = text.parse::<T>().ok().filter(|value| value.check_rule(&spec.rule).is_ok());
        value.ok_or_else(|| format!("expected {}", spec.rule.expected(T::KIND)))
    }
}

/// Writes the help text of an option: the meaning and the range of the setting.
pub(super) fn help(spec: FieldSpec) -> String {
    format!("{} Allowed: {}", spec.meaning.trim(), spec.rule.words())
}

#[cfg(test)]
mod tests {
    use khor_config::{Audio, Music};

    use super::*;

    #[test]
    fn options_have_the_range_of_their_setting() {
        let bpm = parser::<f32>(Music::bpm);
        assert_eq!(bpm("96.5"), Ok(96.5));
        for text in ["5", "NaN", "fast"] {
            assert_eq!(bpm(text), Err("expected a number from 20 to 300".into()), "{text}");
        }
        assert_eq!(parser::<u8>(Music::key_midi)("200"), Err("expected a whole number from 0 to 127".into()));
        let loudness = parser::<i8>(Audio::loudness_lufs);
        assert_eq!((loudness("-18"), loudness("-17")), (Ok(-18), Err("expected -23, -18 or -16".into())));
        assert_eq!(help(Music::bpm), "Tempo, beats per minute. Allowed: 20 to 300");
    }
}

//! Converts whole numbers that arrive as floats, such as `440.0`. JSON has one number type, and
//! some clients write every number as a float.

use serde_json::{Number, Value};

/// All whole numbers up to this one are exact as `f64`: 2^53.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Converts each whole float of `document` to an integer, except where `like` has a float. `like`
/// is a document of the same shape. Keys that `like` lacks stay unchanged. A float with a fraction
/// stays unchanged too, so that its error names it.
pub fn fit_numbers(document: &mut Value, like: &Value) {
    match (document, like) {
        (Value::Object(document), Value::Object(like)) => {
            for (key, value) in document {
                if let Some(like) = like.get(key) {
                    fit_numbers(value, like);
                }
            }
        }
        // All items are converted, because `like` may be an empty list. No list of the settings
        // holds floats.
        (Value::Array(list), Value::Array(_)) => list.iter_mut().for_each(fit_all),
        (Value::Number(number), like) if !like.is_f64() => fit(number),
        _ => {}
    }
}

/// Converts every whole float of `document` to an integer. serde accepts an integer for a float.
pub fn fit_all(document: &mut Value) {
    match document {
        Value::Object(fields) => fields.values_mut().for_each(fit_all),
        Value::Array(list) => list.iter_mut().for_each(fit_all),
        Value::Number(number) => fit(number),
        _ => {}
    }
}

fn fit(number: &mut Number) {
    if let Some(value) = number.as_f64().filter(|_| number.is_f64())
        && value.fract() == 0.0
        && value.abs() <= EXACT
    {
        *number = Number::from(value as i64);
    }
}

/// Parses a number. A whole number may be written as a float.
pub fn parse<T: std::str::FromStr>(text: &str) -> Option<T> {
    let whole = || {
        let value = text.parse::<f64>().ok()?;
        (value.fract() == 0.0 && value.abs() <= EXACT).then_some(value as i64)
    };
    text.parse().ok().or_else(|| whole()?.to_string().parse().ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Config;

    #[test]
    fn whole_floats_fit_integer_settings() {
        let like = serde_json::to_value(Config::default()).unwrap();
        let mut change = json!({
            "version": 1.0,
            "music": { "bpm": 97.0, "key_midi": 57.0, "seed": 9_007_199_254_740_992.0_f64, "density": 1 },
            "audio": { "sample_rate": 44_100.0, "loudness_lufs": -18.0 },
            "bpf": { "tgid_allow": [7.0] },
            "midi": { "channel": 2.5 },
            "theirs": { "x": 1.0 },
        });
        fit_numbers(&mut change, &like);
        assert_eq!(
            change.to_string(),
            json!({
                "version": 1,
                "music": { "bpm": 97.0, "key_midi": 57, "seed": 9_007_199_254_740_992_i64, "density": 1 },
                "audio": { "sample_rate": 44_100, "loudness_lufs": -18 },
                "bpf": { "tgid_allow": [7] },
                "midi": { "channel": 2.5 },
                "theirs": { "x": 1.0 },
            })
            .to_string()
        );
    }

    #[test]
    fn settings_accept_integers_and_floats() {
        let whole = serde_json::to_value(Config::default()).unwrap();
        let mut floats = whole.clone();
        visit(&mut floats, &|number| *number = Number::from_f64(number.as_f64().unwrap()).unwrap());
        assert!(serde_json::from_value::<Config>(floats.clone()).is_err(), "serde alone rejects the floats");
        fit_numbers(&mut floats, &whole);
        assert_eq!(serde_json::from_value::<Config>(floats).unwrap(), Config::default());
        let mut integers = whole.clone();
        visit(&mut integers, &|number| *number = Number::from(number.as_f64().unwrap() as i64));
        fit_numbers(&mut integers, &whole);
        assert!(serde_json::from_value::<Config>(integers).is_ok());
    }

    fn visit(value: &mut Value, change: &dyn Fn(&mut Number)) {
        match value {
            Value::Object(fields) => fields.values_mut().for_each(|value| visit(value, change)),
            Value::Array(list) => list.iter_mut().for_each(|value| visit(value, change)),
            Value::Number(number) => change(number),
            _ => {}
        }
    }

    #[test]
    fn whole_numbers_may_be_floats() {
        assert_eq!(
            (parse::<u8>("62"), parse::<u8>("62.0"), parse::<f32>("0.7")),
            (Some(62), Some(62), Some(0.7))
        );
        for text in ["62.5", "300.0", "-1.0", "", "x", "NaN", "inf", "1e300"] {
            assert_eq!(parse::<u8>(text), None, "{text}");
        }
    }
}

//! Converts whole numbers that clients write as floats, such as `440.0`. JSON has only one number
//! type, and some clients write every number as a float.

use serde_json::{Number, Value};

/// 2^53: an `f64` represents every whole number up to this one exactly.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Converts every whole float in `document` to an integer. This does not harm settings with a float
/// type, because serde accepts an integer for a float.
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

/// Parses a number. Accepts a float such as `62.0` for a whole number.
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

    #[test]
    fn whole_floats_become_integers() {
        let mut document = json!({ "a": 97.0, "b": [7.0, 2.5], "c": 9_007_199_254_740_992.0_f64 });
        fit_all(&mut document);
        assert_eq!(document, json!({ "a": 97, "b": [7, 2.5], "c": 9_007_199_254_740_992_i64 }));
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

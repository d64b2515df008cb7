//! Rounds numbers in the API's JSON to keep it short. Clients only display these numbers.

/// Number of significant digits after rounding.
const DIGITS: i32 = 4;

/// Rounds to four significant digits.
pub(crate) fn round(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let exponent = value.abs().log10().floor() as i32 + 1 - DIGITS;
    // Use 10, 100 and so on as the scale, never 0.1 or 0.01: a float cannot hold these exactly, and
    // the result would print with many digits.
    let rounded = if exponent > 0 {
        (value / 10f64.powi(exponent)).round() * 10f64.powi(exponent)
    } else {
        (value * 10f64.powi(-exponent)).round() / 10f64.powi(-exponent)
    };
    // Return very large and very small numbers unchanged, because their scale overflows.
    if rounded.is_finite() { rounded } else { value }
}

/// Rounds to four significant digits.
pub(crate) fn round_f32(value: f32) -> f32 {
    round(value.into()) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_digits_remain() {
        for (value, expected) in [
            (0.0, "0.0"),
            (0.000_123_456, "0.0001235"),
            (103.271_84, "103.3"),
            (-9.999_96, "-10.0"),
            (1_234_567_890.0, "1235000000.0"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(format!("{:?}", round(value)), expected);
        }
        assert_eq!(format!("{:?}", round_f32(0.123_456)), "0.1235");
    }

    #[test]
    fn extreme_numbers_stay_finite() {
        for value in [f64::MAX, f64::MIN_POSITIVE, 5e-324, -1e300] {
            let rounded = round(value);
            assert!((rounded / value - 1.0).abs() < 1e-3, "{value:e} became {rounded:e}");
        }
    }
}

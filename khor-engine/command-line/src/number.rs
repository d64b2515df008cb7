//! Parses numbers on the command line. Each number has a range, which the error names.

use std::{fmt::Display, str::FromStr};

/// Shortest and longest duration that a command accepts, seconds. The longest is one year.
const SECONDS: (f64, f64) = (0.001, 31_536_000.0);

/// Creates a clap parser for numbers from `least` to `most`. The parser rejects NaN.
pub fn within<T>(least: T, most: T) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync
where
    T: FromStr + PartialOrd + Display + Copy + Send + Sync + 'static,
{
    move |text| {
        let number = text.parse().ok().filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| {
            let kind = if "0.5".parse::<T>().is_ok() { "a number" } else { "a whole number" };
            format!("expected {kind} from {least} to {most}")
        })
    }
}

/// Creates a clap parser for a duration in seconds.
pub fn seconds() -> impl Fn(&str) -> Result<f64, String> + Clone + Send + Sync {
    within(SECONDS.0, SECONDS.1)
}

//! The types of single settings: numbers, switches, texts and lists.

use std::{fmt::Debug, path::PathBuf};

use khor_music::Scale;
use khor_signal::RangeMode;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Number, Value};

use super::{Field, Kind, Place, Reader, Rule, rule::one_of};
use crate::{
    error::{ConfigError, not_allowed},
    numbers,
};

/// A type of single settings, such as a number. A section is not a leaf, because it contains
/// settings.
pub trait Leaf: Clone + Debug + PartialEq + Serialize + DeserializeOwned {
    /// Kind of the value in JSON.
    const KIND: Kind;

    /// Checks that `rule` allows this value.
    ///
    /// # Errors
    ///
    /// Returns an error text with the value and the allowed values, without the path of the
    /// setting.
    fn check_rule(&self, rule: &Rule) -> Result<(), String>;

    /// The allowed texts, if the type has a fixed list of them; else empty.
    fn choices() -> Vec<String> {
        Vec::new()
    }

    /// Converts a value from JSON. `None` if the value has another type.
    fn parse(value: &Value) -> Option<Self> {
        Self::deserialize(value).ok()
    }

    /// The allowed values in words, for the error about a value of the wrong type.
    fn expected(rule: &Rule) -> String {
        let choices = Self::choices();
        if choices.is_empty() { rule.expected(Self::KIND) } else { one_of(&choices) }
    }

    /// The value as JSON.
    fn to_json(&self) -> Value {
        // Serialization cannot fail, because a setting is a plain value.
        serde_json::to_value(self).unwrap_or_default()
    }

    /// Checks that `rule` allows this value of the setting at `path`.
    ///
    /// # Errors
    ///
    /// Returns an error with the path, the value and the allowed values.
    fn check_at(&self, path: &str, rule: &Rule) -> Result<(), ConfigError> {
        self.check_rule(rule).map_err(|problem| ConfigError { field: path.to_owned(), problem })
    }

    /// Converts a value from JSON and checks it. If it is invalid, records the problem in `reader`
    /// and returns `None`.
    fn read_at(value: &Value, path: &str, rule: &Rule, reader: &mut Reader<'_>) -> Option<Self> {
        let read = Self::parse(value).ok_or_else(|| not_allowed(value, &Self::expected(rule)));
        let read = read.and_then(|read| read.check_rule(rule).map(|()| read));
        read.map_err(|problem| reader.reject(path, problem)).ok()
    }

    /// The row of this setting in the table of all settings. `self` is the default value.
    fn field(&self, place: &Place<'_>) -> Field {
        Field { choices: Self::choices(), ..Field::new(place, Self::KIND, self.to_json()) }
    }
}

macro_rules! whole_numbers {
    ($($type:ty => $to_f64:expr),*) => { $(
        impl Leaf for $type {
            const KIND: Kind = Kind::Whole;

            fn check_rule(&self, rule: &Rule) -> Result<(), String> {
                rule.check_number($to_f64(*self), self)
            }

            /// Also accepts a whole number that is written as a float, such as `90.0`.
            fn parse(value: &Value) -> Option<Self> {
                let mut value = value.clone();
                numbers::fit_all(&mut value);
                serde_json::from_value(value).ok()
            }
        }
    )* };
}

whole_numbers!(i8 => f64::from, u8 => f64::from, u16 => f64::from, u32 => f64::from, u64 => nearest);

/// Converts a whole number to the nearest float. The result is exact up to 2^53, and no setting has
/// a higher limit.
fn nearest(number: u64) -> f64 {
    number as f64
}

impl Leaf for f32 {
    const KIND: Kind = Kind::Number;

    fn check_rule(&self, rule: &Rule) -> Result<(), String> {
        rule.check_number((*self).into(), self)
    }

    /// The shortest decimal number for this value: 0.1, not 0.10000000149.
    fn to_json(&self) -> Value {
        let shortest = self.to_string().parse().ok().and_then(Number::from_f64);
        shortest.map_or(Value::Null, Value::Number)
    }
}

impl Leaf for f64 {
    const KIND: Kind = Kind::Number;

    fn check_rule(&self, rule: &Rule) -> Result<(), String> {
        rule.check_number(*self, self)
    }
}

impl Leaf for bool {
    const KIND: Kind = Kind::Switch;

    fn check_rule(&self, _: &Rule) -> Result<(), String> {
        Ok(())
    }
}

impl Leaf for String {
    const KIND: Kind = Kind::Text;

    fn check_rule(&self, rule: &Rule) -> Result<(), String> {
        rule.check_text(self)
    }

    fn field(&self, place: &Place<'_>) -> Field {
        let choices = match place.spec.rule {
            Rule::Text(rule) => rule.choices,
            _ => &[],
        };
        let choices = choices.iter().map(|&choice| choice.to_owned()).collect();
        Field { choices, ..Field::new(place, Self::KIND, self.to_json()) }
    }
}

impl Leaf for PathBuf {
    const KIND: Kind = Kind::Text;

    fn check_rule(&self, rule: &Rule) -> Result<(), String> {
        rule.check_text(&self.to_string_lossy())
    }
}

impl Leaf for Scale {
    const KIND: Kind = Kind::Text;

    fn check_rule(&self, _: &Rule) -> Result<(), String> {
        Ok(())
    }

    fn choices() -> Vec<String> {
        words(&Self::ALL)
    }
}

impl Leaf for RangeMode {
    const KIND: Kind = Kind::Text;

    fn check_rule(&self, _: &Rule) -> Result<(), String> {
        Ok(())
    }

    fn choices() -> Vec<String> {
        words(&[Self::Adaptive, Self::Absolute])
    }
}

/// Returns the JSON text of each value, such as `adaptive`.
pub(crate) fn words<T: Leaf>(all: &[T]) -> Vec<String> {
    all.iter().filter_map(|one| Some(one.to_json().as_str()?.to_owned())).collect()
}

impl<T: Leaf> Leaf for Option<T> {
    const KIND: Kind = T::KIND;

    fn check_rule(&self, rule: &Rule) -> Result<(), String> {
        self.as_ref().map_or(Ok(()), |value| value.check_rule(rule))
    }

    fn parse(value: &Value) -> Option<Self> {
        if value.is_null() { Some(None) } else { T::parse(value).map(Some) }
    }

    fn expected(rule: &Rule) -> String {
        format!("{}, or null", T::expected(rule))
    }

    fn field(&self, place: &Place<'_>) -> Field {
        Field { is_nullable: true, ..Field::new(place, Self::KIND, self.to_json()) }
    }
}

impl<T: Leaf> Leaf for Vec<T> {
    const KIND: Kind = Kind::List;

    fn check_rule(&self, rule: &Rule) -> Result<(), String> {
        rule.check_count(self.len())
    }

    fn check_at(&self, path: &str, rule: &Rule) -> Result<(), ConfigError> {
        self.check_rule(rule).map_err(|problem| ConfigError { field: path.to_owned(), problem })?;
        let mut items = self.iter().enumerate();
        items.try_for_each(|(i, item)| item.check_at(&format!("{path}[{i}]"), &rule.inner()))
    }

    /// Drops the invalid items, and records a problem for each of them.
    fn read_at(value: &Value, path: &str, rule: &Rule, reader: &mut Reader<'_>) -> Option<Self> {
        let Some(items) = value.as_array() else {
            reader.reject(path, not_allowed(value, &Self::expected(rule)));
            return None;
        };
        if let Err(problem) = rule.check_count(items.len()) {
            reader.reject(path, problem);
            return None;
        }
        let item = |(i, item)| T::read_at(item, &format!("{path}[{i}]"), &rule.inner(), reader);
        Some(items.iter().enumerate().filter_map(item).collect())
    }
}

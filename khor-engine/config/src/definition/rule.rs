//! The rules that define which values a setting allows. The checks, the JSON Schema, the table of
//! all settings and the errors use these rules.

use std::fmt::Display;

use khor_proto::inert;

use super::Kind;
use crate::error::not_allowed;

/// Which values a setting allows.
#[derive(Clone, Copy, Debug)]
pub enum Rule {
    /// Allows every value of the setting's type.
    Any,
    /// Allows only numbers from the first to the second number, both included.
    Range(f64, f64),
    /// Allows only numbers above this number.
    Above(f64),
    /// Allows only these numbers.
    Numbers(&'static [i32]),
    /// Allows only texts and paths that follow this [`TextRule`].
    Text(&'static TextRule),
    /// Allows only lists that follow this [`ListRule`].
    List(&'static ListRule),
    /// Allows only maps that follow this [`MapRule`].
    Map(&'static MapRule),
}

/// Which texts a setting allows.
#[derive(Clone, Copy, Debug)]
pub struct TextRule {
    /// Minimum length of a text, characters.
    pub min_chars: u32,
    /// Maximum length of a text, characters.
    pub max_chars: u32,
    /// The form of a valid text in words, such as `a host name`; empty if every text is valid.
    pub form: &'static str,
    /// A regular expression for the JSON Schema. It may match more texts than `is_valid` allows.
    pub pattern: Option<&'static str>,
    /// All allowed texts, if there is a fixed list of them; else empty.
    pub choices: &'static [&'static str],
    /// Returns whether a text is valid.
    pub is_valid: fn(&str) -> bool,
    /// Creates the error text for an invalid value. `None` selects the default error, which quotes
    /// the text and names the form.
    pub explain: Option<fn(&str) -> String>,
}

/// Which lists a setting allows.
#[derive(Clone, Copy, Debug)]
pub struct ListRule {
    /// Largest number of items.
    pub max_items: usize,
    /// The plural noun that errors use for the items, such as `targets`.
    pub items: &'static str,
    /// The rule for each item of the list.
    pub item: Rule,
}

/// Which maps a setting allows.
#[derive(Clone, Copy, Debug)]
pub struct MapRule {
    /// The form of a valid key in words, such as `the name of a signal`.
    pub key_form: &'static str,
    /// Returns whether a key of the map is valid.
    pub is_key: fn(&str) -> bool,
    /// The rule for the value of each key.
    pub value: Rule,
}

impl TextRule {
    /// Allows every text of at most 4096 characters. All other rules for texts restrict this one.
    pub(crate) const FREE: Self = Self {
        min_chars: 0,
        max_chars: khor_system::files::PATH_CHARS,
        form: "",
        pattern: None,
        choices: &[],
        is_valid: |_| true,
        explain: None,
    };

    fn check(&self, text: &str) -> Result<(), String> {
        let count = text.chars().count();
        if count > self.max_chars as usize {
            return Err(too_many(format_args!("{count} characters"), self.max_chars as usize));
        }
        if count >= self.min_chars as usize && (self.is_valid)(text) && self.is_choice(text) {
            return Ok(());
        }
        match self.explain {
            Some(explain) => Err(explain(text)),
            None => Err(not_allowed(&format_args!("\"{text}\""), self.form)),
        }
    }

    fn is_choice(&self, text: &str) -> bool {
        self.choices.is_empty() || self.choices.contains(&text)
    }
}

impl Rule {
    /// Allows the numbers of a range, both ends included.
    pub(crate) const fn range((low, high): (f32, f32)) -> Self {
        Self::Range(low as f64, high as f64)
    }

    /// Checks a number. If the number is not allowed, the error quotes it as `shown`.
    pub(crate) fn check_number(&self, number: f64, shown: &dyn Display) -> Result<(), String> {
        let holds = match self {
            Self::Range(low, high) => (*low..=*high).contains(&number),
            Self::Above(low) => number.is_finite() && number > *low,
            Self::Numbers(all) => all.iter().any(|one| f64::from(*one) == number),
            _ => true,
        };
        if holds { Ok(()) } else { Err(not_allowed(shown, &self.words())) }
    }

    /// Checks a text.
    pub(crate) fn check_text(&self, text: &str) -> Result<(), String> {
        if let Self::Text(rule) = self { rule.check(text) } else { Ok(()) }
    }

    /// Checks the number of items of a list.
    pub(crate) fn check_count(&self, count: usize) -> Result<(), String> {
        match self {
            Self::List(ListRule { max_items, items, .. }) if count > *max_items => {
                Err(too_many(format_args!("{count} {items}"), *max_items))
            }
            _ => Ok(()),
        }
    }

    /// Checks a key of a map.
    pub(crate) fn check_key(&self, key: &str) -> Result<(), String> {
        match self {
            Self::Map(rule) if !(rule.is_key)(key) => Err(not_allowed(&key, rule.key_form)),
            _ => Ok(()),
        }
    }

    /// The rule for each item of a list, or for each value of a map.
    #[must_use]
    pub const fn inner(&self) -> Self {
        match self {
            Self::List(rule) => rule.item,
            Self::Map(rule) => rule.value,
            _ => Self::Any,
        }
    }

    /// The allowed values in words, such as `20 to 300`. Empty if every value of the type is
    /// allowed.
    pub fn words(&self) -> String {
        match self {
            Self::Any => String::new(),
            Self::Range(low, high) => format!("{low} to {high}"),
            Self::Above(low) => format!("a number above {low}"),
            Self::Numbers(all) => one_of(&all.iter().map(ToString::to_string).collect::<Vec<_>>()),
            Self::Text(rule) if rule.form.is_empty() => format!("at most {} characters", rule.max_chars),
            Self::Text(rule) => rule.form.to_owned(),
            Self::List(ListRule { max_items, items, .. }) => format!("at most {max_items} {items}"),
            Self::Map(rule) => rule.value.words(),
        }
    }

    /// Describes the allowed values of a setting of this kind for an error, such as `a number from
    /// 20 to 300`.
    pub fn expected(&self, kind: Kind) -> String {
        let words = self.words();
        match (self, kind) {
            (Self::Range(..), Kind::Whole) => format!("a whole number from {words}"),
            (Self::Range(..), _) => format!("a number from {words}"),
            (Self::Text(rule), _) if rule.form.is_empty() => format!("a text of {words}"),
            (Self::List(_), _) => format!("a list of {words}"),
            _ if words.is_empty() => kind.words().to_owned(),
            _ => words,
        }
    }
}

/// The choices in words: `-23, -18 or -16`.
pub(super) fn one_of(choices: &[String]) -> String {
    match choices.split_last() {
        Some((last, first)) if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        _ => choices.concat(),
    }
}

fn too_many(shown: impl Display, most: usize) -> String {
    format!("{shown} are too many, expected at most {most}")
}

/// Whether a text is a valid name: not empty, and without control, bidirectional and invisible
/// characters.
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty() && inert::is_inert(text)
}

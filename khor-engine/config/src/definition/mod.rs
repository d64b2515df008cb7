//! The macro, traits and types with which khor defines its settings. Each setting is defined once,
//! with its type, default, meaning, allowed values and access.
//!
//! The macro [`section`] reads the definitions of a section's settings. The macro generates the
//! struct of the section, its defaults, its patch, the checks, the JSON Schema and the rows of the
//! table of all settings. A [`Setting`] is a section or a single value. A [`Leaf`] is a type of
//! single values. A [`Patch`] is a change of settings.

mod access;
mod field;
mod kind;
mod leaf;
mod map;
mod patch;
mod place;
mod reader;
mod rule;
mod schema;
mod section;
mod setting;

pub use access::Access;
pub use field::Field;
pub use kind::Kind;
pub use leaf::Leaf;
pub(crate) use leaf::words;
pub use patch::Patch;
pub use place::{FieldSpec, Place};
pub use reader::Reader;
pub(crate) use rule::is_name;
pub use rule::{ListRule, MapRule, Rule, TextRule};
pub use setting::Setting;

pub(crate) use place::ROOT;
pub(crate) use schema::add_rules;
pub(crate) use section::section;

//! khor's settings. [`sections`] defines each setting once: type, default, meaning, allowed values,
//! and who may change it.
//!
//! A [`Config`] has the values of all settings. A [`ConfigPatch`] is a change that comes from the
//! API, OSC, the session bus or the options of `khor engine`. The [`ConfigStore`] keeps the
//! settings on disk. [`Config::fields`] is the table of all settings.

mod config;
mod definition;
mod error;
pub mod json;
pub mod numbers;
mod osc_address;
mod page;
mod paths;
pub mod sections;
mod store;
mod unknown_keys;

pub use config::{Config, ConfigPatch, nested};
pub use definition::{
    Access, Field, FieldSpec, Kind, Leaf, ListRule, MapRule, Patch, Place, Reader, Rule, Setting, TextRule,
};
pub use error::ConfigError;
pub use osc_address::{OscAddress, ParseOscAddressError};
pub use page::page_ranges;
pub use paths::{baseline_path, default_path, presets_dir, recordings_dir, sessions_path};
pub use sections::*;
pub use store::{ConfigStore, ConfigUpdate, InspectedConfig, SaveError, UpdateError};

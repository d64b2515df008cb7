//! The definition of a field, and its place in the configuration.

use super::{Access, Rule};

/// The definition of a field, without its type and default.
#[derive(Clone, Copy, Debug)]
pub struct FieldSpec {
    /// Key in its section.
    pub name: &'static str,
    /// Meaning and unit, in one line.
    pub meaning: &'static str,
    /// The allowed values.
    pub rule: Rule,
    /// Who may change it.
    pub access: Access,
    /// Whether a change takes effect only after a restart.
    pub needs_restart: bool,
}

/// The place of the whole configuration.
pub(crate) const ROOT: Place<'static> = Place {
    outer: None,
    spec: &FieldSpec { name: "", meaning: "", rule: Rule::Any, access: Access::Api, needs_restart: false },
};

/// A field and the sections around it.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    outer: Option<&'a Place<'a>>,
    pub(crate) spec: &'a FieldSpec,
}

impl<'a> Place<'a> {
    /// A field of the section at this place.
    pub(crate) const fn below(&'a self, spec: &'a FieldSpec) -> Self {
        Self { outer: Some(self), spec }
    }

    /// The dotted path: `osc.receive.port`; empty for the configuration itself.
    pub(crate) fn path(&self) -> String {
        let outer = self.outer.map(Self::path).unwrap_or_default();
        if outer.is_empty() { self.spec.name.to_owned() } else { format!("{outer}.{}", self.spec.name) }
    }

    /// The dotted path of a key of the section at this place.
    pub(crate) fn path_of(&self, key: &str) -> String {
        let path = self.path();
        if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
    }
}

//! The definition of a setting or section, and its place in the configuration.

use super::{Access, Rule};

/// The definition of a setting or section, without its type and default.
#[derive(Clone, Copy, Debug)]
pub struct FieldSpec {
    /// Key of the setting in its section.
    pub name: &'static str,
    /// Meaning and unit of the setting, in one line.
    pub meaning: &'static str,
    /// The allowed values.
    pub rule: Rule,
    /// Which callers may change the setting.
    pub access: Access,
    /// Whether a change takes effect only after a restart.
    pub needs_restart: bool,
}

/// The root of the configuration, which contains all sections.
pub(crate) const ROOT: Place<'static> = Place {
    outer: None,
    spec: &FieldSpec { name: "", meaning: "", rule: Rule::Any, access: Access::Api, needs_restart: false },
};

/// The place of a setting or section: its definition, and the sections that contain it.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    outer: Option<&'a Place<'a>>,
    pub(crate) spec: &'a FieldSpec,
}

impl<'a> Place<'a> {
    /// Returns the place of a setting or section that this section contains.
    pub(crate) const fn below(&'a self, spec: &'a FieldSpec) -> Self {
        Self { outer: Some(self), spec }
    }

    /// The dotted path, such as `osc.receive.port`; empty for the whole configuration.
    pub(crate) fn path(&self) -> String {
        let outer = self.outer.map(Self::path).unwrap_or_default();
        if outer.is_empty() { self.spec.name.to_owned() } else { format!("{outer}.{}", self.spec.name) }
    }

    /// The dotted path of a key in this section.
    pub(crate) fn path_of(&self, key: &str) -> String {
        let path = self.path();
        if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
    }
}

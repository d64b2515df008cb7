//! The trait [`Setting`], which sections and single values implement.

use serde_json::Value;

use super::{Access, Field, Leaf, Patch, Place, Reader};
use crate::error::ConfigError;

/// A section of the configuration, or a single value. The macro `section!` implements this trait
/// for sections.
pub trait Setting: Clone + PartialEq {
    /// The type of a change of this setting.
    type Patch: Patch;

    /// Applies the change `patch`.
    fn apply(&mut self, patch: &Self::Patch);

    /// Returns a change that sets every value to its current value.
    fn to_patch(&self) -> Self::Patch;

    /// Checks every value.
    ///
    /// # Errors
    ///
    /// Returns an error for the first invalid value.
    fn check(&self, place: &Place<'_>) -> Result<(), ConfigError>;

    /// Checks that `caller` is allowed to make the change `patch`. A new value that equals the
    /// current value is not a change.
    ///
    /// # Errors
    ///
    /// Returns an error for the first setting that the caller may not change.
    fn check_access(&self, patch: &Self::Patch, place: &Place<'_>, caller: Access)
    -> Result<(), ConfigError>;

    /// Reads the settings in a JSON document. For an invalid value, records the problem in `reader`
    /// and uses the value of `previous`.
    fn read(value: &Value, place: &Place<'_>, previous: &Self, reader: &mut Reader<'_>) -> Self::Patch;

    /// Writes the values into a JSON document. Appends missing keys. If the document already
    /// contains an equal value, keeps the notation of that value, such as `5e-1`.
    fn write(&self, place: &Place<'_>, into: &mut Value);

    /// Whether `now` has a different value for a setting that takes effect only after a restart.
    fn needs_restart(&self, now: &Self, place: &Place<'_>) -> bool;

    /// Adds one row to the table of all settings (`fields`) for each single value. `self` must
    /// contain the default values.
    fn describe(&self, place: &Place<'_>, fields: &mut Vec<Field>);
}

impl<T: Leaf> Setting for T {
    type Patch = Option<T>;

    fn apply(&mut self, patch: &Option<T>) {
        if let Some(value) = patch {
            self.clone_from(value);
        }
    }

    fn to_patch(&self) -> Option<T> {
        Some(self.clone())
    }

    fn check(&self, place: &Place<'_>) -> Result<(), ConfigError> {
        self.check_at(&place.path(), &place.spec.rule)
    }

    fn check_access(&self, patch: &Option<T>, place: &Place<'_>, caller: Access) -> Result<(), ConfigError> {
        let is_change = patch.as_ref().is_some_and(|value| value != self);
        if is_change && place.spec.access > caller { Err(access_denied(place)) } else { Ok(()) }
    }

    fn read(value: &Value, place: &Place<'_>, previous: &T, reader: &mut Reader<'_>) -> Option<T> {
        let read = T::read_at(value, &place.path(), &place.spec.rule, reader);
        read.or_else(|| Some(previous.clone()))
    }

    fn write(&self, place: &Place<'_>, into: &mut Value) {
        let mut reader = Reader::default();
        let held = T::read_at(into, &place.path(), &place.spec.rule, &mut reader);
        if held.as_ref() != Some(self) || !reader.problems.is_empty() {
            *into = self.to_json();
        }
    }

    fn needs_restart(&self, now: &T, place: &Place<'_>) -> bool {
        place.spec.needs_restart && self != now
    }

    fn describe(&self, place: &Place<'_>, fields: &mut Vec<Field>) {
        fields.push(self.field(place));
    }
}

/// Creates the error of a change that its caller is not allowed to make.
pub(super) fn access_denied(place: &Place<'_>) -> ConfigError {
    let problem = format!("only {} may set this", place.spec.access.words());
    ConfigError { field: place.path(), problem }
}

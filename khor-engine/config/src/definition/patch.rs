//! Changes of settings. A patch names the settings that change, with their new values.

use std::{collections::BTreeMap, fmt::Debug};

/// A change of a setting or of a section.
pub trait Patch: Clone + Debug + Default + PartialEq {
    /// Whether the patch changes nothing.
    fn is_empty(&self) -> bool;

    /// Adds the changes of a newer patch. The newer value of a setting replaces the older one.
    fn merge(&mut self, newer: &Self);

    /// Removes from this patch each setting that `other` also changes.
    fn remove_named(&mut self, other: &Self);

    /// Removes from this patch each setting that `other` changes to the same value.
    fn remove_equal(&mut self, other: &Self);
}

impl<T: Clone + Debug + PartialEq> Patch for Option<T> {
    fn is_empty(&self) -> bool {
        self.is_none()
    }

    fn merge(&mut self, newer: &Self) {
        if newer.is_some() {
            self.clone_from(newer);
        }
    }

    fn remove_named(&mut self, other: &Self) {
        if other.is_some() {
            *self = None;
        }
    }

    fn remove_equal(&mut self, other: &Self) {
        if self == other {
            *self = None;
        }
    }
}

impl<T: Clone + Debug + PartialEq> Patch for BTreeMap<String, T> {
    fn is_empty(&self) -> bool {
        Self::is_empty(self)
    }

    fn merge(&mut self, newer: &Self) {
        self.extend(newer.iter().map(|(key, value)| (key.clone(), value.clone())));
    }

    fn remove_named(&mut self, other: &Self) {
        self.retain(|key, _| !other.contains_key(key));
    }

    fn remove_equal(&mut self, other: &Self) {
        self.retain(|key, value| other.get(key) != Some(value));
    }
}

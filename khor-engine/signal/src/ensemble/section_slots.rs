//! Assigns sections to slots. New sections are appended in alphabetical order, and known sections
//! keep their order. Sections that have no slot of their own share the last slot.

use std::{borrow::Borrow, collections::BTreeSet};

/// The assignment of sections to `N` slots.
#[derive(Clone, Debug)]
pub struct SectionSlots<Id, const N: usize> {
    /// The sections in the order of the slots: first the sections that have their own slot, then
    /// the remaining sections.
    order: Vec<Id>,
    named: usize,
    has_rest: bool,
}

impl<Id, const N: usize> Default for SectionSlots<Id, N> {
    fn default() -> Self {
        Self { order: Vec::new(), named: 0, has_rest: false }
    }
}

impl<Id: Ord, const N: usize> SectionSlots<Id, N> {
    /// Assigns the sections of all known hosts to slots. `None` stands for a host without a
    /// section.
    pub fn assign<'a, B>(&mut self, sections: impl Iterator<Item = Option<&'a B>>)
    where
        Id: Borrow<B>,
        B: ToOwned<Owned = Id> + Ord + ?Sized + 'a,
    {
        let mut known = BTreeSet::new();
        let mut has_unnamed = false;
        for section in sections {
            has_unnamed |= section.is_none();
            known.extend(section);
        }
        self.order.retain(|section| known.remove(section.borrow()));
        self.order.extend(known.into_iter().map(ToOwned::to_owned));
        let slots = N - usize::from(has_unnamed);
        self.named = if self.order.len() <= slots { self.order.len() } else { N - 1 };
        self.has_rest = has_unnamed || self.named < self.order.len();
    }

    /// The slot of a section. Hosts without a section, and sections without a slot of their own,
    /// get the last slot.
    pub fn slot<B>(&self, section: Option<&B>) -> usize
    where
        Id: Borrow<B>,
        B: Eq + ?Sized,
    {
        let at = section.and_then(|section| self.named().iter().position(|one| one.borrow() == section));
        at.unwrap_or(N - 1)
    }

    /// Number of slots that are in use, including the shared last slot.
    pub fn count(&self) -> usize {
        self.named + usize::from(self.has_rest)
    }

    /// The sections that have their own slot, in the order of the slots.
    pub fn named(&self) -> &[Id] {
        &self.order[..self.named]
    }

    /// The sections that share the last slot.
    pub fn rest(&self) -> &[Id] {
        &self.order[self.named..]
    }

    /// Whether the last slot is shared, by sections without a slot of their own or by hosts without
    /// a section.
    pub fn has_rest(&self) -> bool {
        self.has_rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Assigns sections to slots, and returns the slot of each section. An empty name stands for a
    /// host without a section.
    fn assign(slots: &mut SectionSlots<String, 4>, sections: &[&str]) -> Vec<usize> {
        let known = || sections.iter().map(|section| Some(*section).filter(|name| !name.is_empty()));
        slots.assign(known());
        known().map(|section| slots.slot(section)).collect()
    }

    #[test]
    fn sections_keep_their_slots() {
        let mut slots = SectionSlots::default();
        assert_eq!(assign(&mut slots, &["web", "db"]), [1, 0]);
        assert_eq!(assign(&mut slots, &["web", "db", "app"]), [1, 0, 2]);
        assert_eq!(assign(&mut slots, &["web", "app"]), [0, 1], "the section before them is gone");
        assert_eq!(slots.count(), 2);
    }

    #[test]
    fn surplus_sections_share_the_last_slot() {
        let mut slots = SectionSlots::default();
        assert_eq!(assign(&mut slots, &["a", "b", "c", "d"]), [0, 1, 2, 3]);
        assert!(!slots.has_rest());
        assert_eq!(assign(&mut slots, &["a", "b", "c", "d", "e"]), [0, 1, 2, 3, 3]);
        assert_eq!((slots.named().len(), slots.rest()), (3, &["d".to_owned(), "e".to_owned()][..]));
        assert_eq!(assign(&mut slots, &["a", "b", ""]), [0, 1, 3]);
        assert_eq!((slots.count(), slots.rest().len(), slots.has_rest()), (3, 0, true));
        assert_eq!(assign(&mut slots, &["", ""]), [3, 3]);
        assert_eq!(slots.count(), 1);
        assert_eq!(assign(&mut slots, &["a", "b", "c", "d", ""]), [0, 1, 2, 3, 3]);
    }
}

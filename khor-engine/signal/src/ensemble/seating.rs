//! Which section sits on which bench: by name at first, and then where it sat before. What there is no bench for sits
//! together on the last one.

use std::{borrow::Borrow, collections::BTreeSet};

/// Who sits where, on `N` benches.
#[derive(Clone, Debug)]
pub struct Seating<Id, const N: usize> {
    /// Sections, as they came: those on the first benches, then those of the rest.
    order: Vec<Id>,
    named: usize,
    with_rest: bool,
}

impl<Id, const N: usize> Default for Seating<Id, N> {
    fn default() -> Self {
        Self { order: Vec::new(), named: 0, with_rest: false }
    }
}

impl<Id: Ord, const N: usize> Seating<Id, N> {
    /// Seats the sections of all machines that are known; `None` are machines without one.
    pub fn seat<'a, B>(&mut self, sections: impl Iterator<Item = Option<&'a B>>)
    where
        Id: Borrow<B>,
        B: ToOwned<Owned = Id> + Ord + ?Sized + 'a,
    {
        let mut known = BTreeSet::new();
        let mut without = false;
        for section in sections {
            without |= section.is_none();
            known.extend(section);
        }
        self.order.retain(|section| known.remove(section.borrow()));
        self.order.extend(known.into_iter().map(ToOwned::to_owned));
        let benches = N - usize::from(without);
        self.named = if self.order.len() <= benches { self.order.len() } else { N - 1 };
        self.with_rest = without || self.named < self.order.len();
    }

    /// The bench of a section, or of a machine without one.
    pub fn bench<B>(&self, section: Option<&B>) -> usize
    where
        Id: Borrow<B>,
        B: Eq + ?Sized,
    {
        let at = section.and_then(|section| self.named().iter().position(|one| one.borrow() == section));
        at.unwrap_or(N - 1)
    }

    /// How many benches are taken.
    pub fn count(&self) -> usize {
        self.named + usize::from(self.with_rest)
    }

    /// The sections that have a bench each, in the order of the benches.
    pub fn named(&self) -> &[Id] {
        &self.order[..self.named]
    }

    /// Those that share the last one.
    pub fn rest(&self) -> &[Id] {
        &self.order[self.named..]
    }

    /// Whether somebody sits there, with a section or without.
    pub fn has_rest(&self) -> bool {
        self.with_rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Benches of sections; an empty name is none.
    fn seat(seating: &mut Seating<String, 4>, sections: &[&str]) -> Vec<usize> {
        let known = || sections.iter().map(|section| Some(*section).filter(|name| !name.is_empty()));
        seating.seat(known());
        known().map(|section| seating.bench(section)).collect()
    }

    #[test]
    fn sections_keep_their_slots() {
        let mut seating = Seating::default();
        assert_eq!(seat(&mut seating, &["web", "db"]), [1, 0]);
        assert_eq!(seat(&mut seating, &["web", "db", "app"]), [1, 0, 2]);
        assert_eq!(seat(&mut seating, &["web", "app"]), [0, 1], "the one before has gone");
        assert_eq!(seating.count(), 2);
    }

    #[test]
    fn surplus_sections_share_the_last_slot() {
        let mut seating = Seating::default();
        assert_eq!(seat(&mut seating, &["a", "b", "c", "d"]), [0, 1, 2, 3]);
        assert!(!seating.has_rest());
        assert_eq!(seat(&mut seating, &["a", "b", "c", "d", "e"]), [0, 1, 2, 3, 3]);
        assert_eq!((seating.named().len(), seating.rest()), (3, &["d".to_owned(), "e".to_owned()][..]));
        assert_eq!(seat(&mut seating, &["a", "b", ""]), [0, 1, 3]);
        assert_eq!((seating.count(), seating.rest().len(), seating.has_rest()), (3, 0, true));
        assert_eq!(seat(&mut seating, &["", ""]), [3, 3]);
        assert_eq!(seating.count(), 1);
        assert_eq!(seat(&mut seating, &["a", "b", "c", "d", ""]), [0, 1, 2, 3, 3]);
    }
}

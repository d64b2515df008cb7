//! Totals of the counters for `/metrics` and the API. The totals continue when the source changes
//! or restarts.

use std::collections::VecDeque;

use khor_signal::{Accumulator, Counter, Counters, PerCounter};

/// Maximum number of scopes whose totals are stored. If there are more, the totals of the least
/// recently used scope are dropped.
const MAX_SCOPES: usize = 64;

/// The totals since the engine started. The whole machine and each selected scope have their own
/// totals.
#[derive(Clone, Debug, Default)]
pub(super) struct Totals {
    /// The totals of each stored scope. The current scope is last.
    scopes: VecDeque<Scope>,
}

#[derive(Clone, Debug)]
struct Scope {
    name: String,
    counters: PerCounter<Accumulator<(), 1>>,
}

impl Totals {
    /// Handles a new source for the scope `scope_name`. The first frame of the source adds nothing
    /// to the totals, because its counts may include events from long ago. Each later frame adds
    /// the difference from the frame before.
    pub(super) fn source_up(&mut self, scope_name: &str) {
        let index = self.scopes.iter().position(|scope| scope.name == scope_name);
        let scope = index.and_then(|index| self.scopes.remove(index));
        let mut scope = scope.unwrap_or_else(|| Scope {
            name: scope_name.to_owned(),
            counters: std::array::from_fn(|_| Accumulator::default()),
        });
        scope.counters.iter_mut().for_each(Accumulator::forget_devices);
        if self.scopes.len() == MAX_SCOPES {
            self.scopes.pop_front();
        }
        self.scopes.push_back(scope);
    }

    /// Adds the counts of the current source. Returns the totals of the counters that this source
    /// provides.
    pub(super) fn add(&mut self, counts: &Counters) -> Counters {
        let Some(scope) = self.scopes.back_mut() else { return [None; Counter::ALL.len()] };
        std::array::from_fn(|i| {
            let [total] = scope.counters[i].take(counts[i].map(|count| ((), [count])));
            counts[i].map(|_| total)
        })
    }

    /// The total of a counter in the current scope, even if the current source does not provide the
    /// counter.
    pub(super) fn of(&self, counter: Counter) -> u64 {
        let scope = self.scopes.back();
        scope.map_or(0, |scope| scope.counters[counter.index()].totals()[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(set: &[(Counter, u64)]) -> Counters {
        let mut counters = [None; Counter::ALL.len()];
        for (counter, count) in set {
            counters[counter.index()] = Some(*count);
        }
        counters
    }

    fn take(totals: &mut Totals, counter: Counter, count: u64) -> Option<u64> {
        totals.add(&counts(&[(counter, count)]))[counter.index()]
    }

    #[test]
    fn totals_continue_across_sources() {
        let mut totals = Totals::default();
        totals.source_up("the whole machine");
        assert_eq!(take(&mut totals, Counter::Forks, 1_000), Some(0));
        assert_eq!(take(&mut totals, Counter::Forks, 1_007), Some(7));
        totals.source_up("the whole machine"); // /proc counts since the machine booted
        assert_eq!(take(&mut totals, Counter::Forks, 9_000_000), Some(7));
        assert_eq!(take(&mut totals, Counter::Forks, 9_000_002), Some(9));
        totals.source_up("the whole machine"); // a restarted collector counts from 0
        assert_eq!(take(&mut totals, Counter::Forks, 0), Some(9));
        assert_eq!(take(&mut totals, Counter::Forks, 3), Some(12));
    }

    /// `/proc` does not count program starts (execs). While it is the source, their total is
    /// missing instead of 0.
    #[test]
    fn a_missing_counter_continues_later() {
        let mut totals = Totals::default();
        totals.source_up("the whole machine");
        take(&mut totals, Counter::Execs, 10);
        take(&mut totals, Counter::Execs, 15);
        totals.source_up("the whole machine");
        assert_eq!(totals.add(&counts(&[]))[Counter::Execs.index()], None);
        assert_eq!(totals.of(Counter::Execs), 5, "sums over several counters must not fall");
        totals.source_up("the whole machine");
        assert_eq!(take(&mut totals, Counter::Execs, 90), Some(5));
    }

    #[test]
    fn each_scope_continues_its_own_totals() {
        let mut totals = Totals::default();
        for (scope_name, first, expected) in [
            ("the whole machine", 100, 1),
            ("x.service", 5, 1),
            ("the whole machine", 7, 2),
            ("x.service", 0, 2),
        ] {
            totals.source_up(scope_name);
            take(&mut totals, Counter::Switches, first);
            assert_eq!(take(&mut totals, Counter::Switches, first + 1), Some(expected), "{scope_name}");
        }
    }

    #[test]
    fn totals_of_old_scopes_are_dropped() {
        let mut totals = Totals::default();
        for i in 0..3 * MAX_SCOPES {
            totals.source_up(&format!("{i}.service"));
            take(&mut totals, Counter::Switches, 1);
            assert_eq!(take(&mut totals, Counter::Switches, 2), Some(1));
        }
        assert_eq!(totals.scopes.len(), MAX_SCOPES);
    }
}

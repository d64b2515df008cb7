//! The order of the signals on the wire. New signals are appended there, but not in the catalogue.

use khor_signal::{PerSignal, SIGNALS, SignalId};

/// Position of each signal in a frame's lists.
pub(crate) const PLACES: PerSignal<usize> = places();
/// The signals in the order of a frame's lists.
pub const ORDER: PerSignal<SignalId> = order();

const _: () = assert!(khor_fleet::SIGNALS.len() == SignalId::COUNT);

const fn places() -> PerSignal<usize> {
    let mut places = [0; SignalId::COUNT];
    let mut i = 0;
    while i < places.len() {
        places[i] = place(SIGNALS[i].name);
        i += 1;
    }
    places
}

const fn order() -> PerSignal<SignalId> {
    let mut order = [SignalId::Exec; SignalId::COUNT];
    let mut i = 0;
    while i < order.len() {
        order[PLACES[i]] = SIGNALS[i].id;
        i += 1;
    }
    order
}

const fn place(name: &str) -> usize {
    let mut place = 0;
    while !is_same(name.as_bytes(), khor_fleet::SIGNALS[place].as_bytes()) {
        place += 1;
    }
    place
}

const fn is_same(a: &[u8], b: &[u8]) -> bool {
    let mut i = 0;
    while i < a.len() && i < b.len() && a[i] == b[i] {
        i += 1;
    }
    i == a.len() && i == b.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_has_every_signal_once_by_its_name() {
        assert_eq!(ORDER.map(|id| id.info().name), khor_fleet::SIGNALS);
        assert!(SIGNALS.iter().all(|info| ORDER[PLACES[info.id.index()]] == info.id));
    }
}

//! Identifies a lane by its position in a catalogue.

use super::{SIGNALS, SignalId};

/// Position of a lane in a catalogue, 0..64. The kernel signals have the first 15 positions, in the
/// order of [`SignalId`].
///
/// An id is valid in its own catalogue, and in catalogues that extend it. Files and messages
/// identify lanes by name, not by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LaneId(u8);

impl LaneId {
    /// Maximum number of lanes in a catalogue, including the kernel signals.
    pub const MAX: usize = 64;
    /// Maximum number of added lanes in a catalogue.
    pub const MAX_ADDED: usize = Self::MAX - SignalId::COUNT;

    /// The lane at a position of a catalogue; `None` if `index` is [`Self::MAX`] or more.
    pub const fn new(index: usize) -> Option<Self> {
        if index < Self::MAX { Some(Self(index as u8)) } else { None }
    }

    /// The added lane at a position, where 0 is the first added lane; `None` if `index` is
    /// [`Self::MAX_ADDED`] or more.
    pub const fn of_added(index: usize) -> Option<Self> {
        Self::new(index.saturating_add(SignalId::COUNT))
    }

    /// Position of the lane in the catalogue.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// Position of the lane among the added lanes; `None` for a kernel signal.
    pub const fn added_index(self) -> Option<usize> {
        self.index().checked_sub(SignalId::COUNT)
    }

    /// The kernel signal; `None` for an added lane.
    pub fn signal(self) -> Option<SignalId> {
        SIGNALS.get(self.index()).map(|info| info.id)
    }
}

impl From<SignalId> for LaneId {
    fn from(signal: SignalId) -> Self {
        Self(signal as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_signals_are_the_first_lanes() {
        for signal in SignalId::all() {
            let lane = LaneId::from(signal);
            assert_eq!(
                (lane.index(), lane.signal(), lane.added_index()),
                (signal.index(), Some(signal), None)
            );
        }
        let first_added = LaneId::of_added(0).unwrap();
        assert_eq!((first_added.index(), first_added.signal()), (SignalId::COUNT, None));
        let last = LaneId::of_added(LaneId::MAX_ADDED - 1);
        assert_eq!((last, LaneId::of_added(LaneId::MAX_ADDED)), (LaneId::new(LaneId::MAX - 1), None));
        assert_eq!(LaneId::of_added(usize::MAX), None);
    }
}

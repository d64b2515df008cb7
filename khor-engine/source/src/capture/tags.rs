//! The constants in a block's entries: the first byte of each entry, special kinds of cues, and the
//! bits for the parts of a cue.

/// Values of the first byte of an entry. This byte states the kind of the entry.
pub(super) mod tag {
    /// A frame in which the same counters have values as in the previous frame.
    pub(crate) const FRAME: u8 = 1;
    /// A frame that states which counters have values.
    pub(crate) const FRAME_KNOWN: u8 = 2;
    pub(crate) const CUE: u8 = 3;
    pub(crate) const LOST: u8 = 4;
    pub(crate) const SOURCE: u8 = 5;
    pub(crate) const END: u8 = 6;
}

/// Special kinds of [`tag::CUE`] entries. An older khor skips these entries, because it takes them
/// for cues of unknown kinds.
pub(super) mod kind {
    /// The value that an added lane has in the next frame.
    pub(crate) const LANE_VALUE: u8 = 253;
    /// The definition of an added lane.
    pub(crate) const LANE: u8 = 254;
    /// Marks a cue or a source whose kind has no number in the file format.
    pub(crate) const NONE: u8 = 255;
}

/// Bits that state which parts a cue has.
pub(super) mod part {
    pub(crate) const PID: u8 = 1;
    pub(crate) const COMM: u8 = 2;
    pub(crate) const CGROUP: u8 = 4;
    pub(crate) const DETAIL: u8 = 8;
}

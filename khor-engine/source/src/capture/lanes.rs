//! Reads and writes the definitions and the values of added lanes in blocks.
//!
//! Definitions and values are stored as cues of kinds that an older khor does not know. An older
//! khor skips such cues and reads the rest. Each block begins with all definitions, so that it can
//! be read without the other blocks.

use khor_signal::{Catalogue, LaneDefinition, LaneId, PerAdded};

use super::{
    bytes::{Cursor, MAX_TEXT_BYTES, Malformed, put_number, put_signed, put_text},
    tags::{kind, part, tag},
};

/// Appends the definitions of all added lanes.
pub(super) fn put_definitions(bytes: &mut Vec<u8>, catalogue: &Catalogue) {
    for (number, lane) in (0_u64..).zip(catalogue.added()) {
        // A definition contains only texts and finite numbers, so it can always be written as JSON.
        // Even the longest definition is shorter than `MAX_TEXT_BYTES`.
        let text = serde_json::to_string(&lane.definition()).unwrap_or_default();
        debug_assert!((1..=MAX_TEXT_BYTES).contains(&text.len()), "{text}");
        bytes.extend([tag::CUE, kind::LANE, part::COMM | part::DETAIL]);
        put_signed(bytes, 0);
        put_text(bytes, &text);
        put_number(bytes, number);
    }
}

/// Whether the next entry is a definition.
pub(super) fn is_definition(bytes: &Cursor) -> bool {
    bytes.rest().starts_with(&[tag::CUE, kind::LANE])
}

/// Adds a definition from a block to the catalogue. Returns whether the lane is new. Returns an
/// error if the definition is invalid, out of order, or differs from an earlier definition with the
/// same number.
pub(super) fn define(
    catalogue: &mut Catalogue,
    number: u32,
    definition: LaneDefinition,
) -> Result<bool, Malformed> {
    match catalogue.added().get(number as usize) {
        Some(known) if known.definition() == definition => Ok(false),
        None if number as usize == catalogue.added().len() => {
            catalogue.add(definition).map(|_| true).map_err(|_| Malformed)
        }
        _ => Err(Malformed),
    }
}

/// The previous values of the added lanes. A block stores only how the bits of the next value
/// differ from those of the previous one.
#[derive(Clone, Debug)]
pub(super) struct LaneValues {
    /// The bits of the last value of each lane.
    bits: [u64; LaneId::MAX_ADDED],
    /// The values for the next frame, as read so far.
    next: PerAdded<Option<f64>>,
}

impl Default for LaneValues {
    fn default() -> Self {
        Self { bits: [0; LaneId::MAX_ADDED], next: PerAdded::EMPTY }
    }
}

impl LaneValues {
    /// Appends the values that the lanes have in the next frame. Skips values that are missing or
    /// not finite.
    pub(super) fn put(&mut self, bytes: &mut Vec<u8>, values: &PerAdded<Option<f64>>) {
        for ((number, value), last) in (0_u64..).zip(values.values()).zip(&mut self.bits) {
            let Some(value) = value.filter(|value| value.is_finite()) else { continue };
            bytes.extend([tag::CUE, kind::LANE_VALUE, part::CGROUP | part::DETAIL]);
            put_signed(bytes, 0);
            // Stores the XOR of the previous and the new value. For values with few significant
            // bits, only the high bytes of the XOR are set. With the bytes swapped, the XOR is a
            // small number, which is encoded in few bytes.
            let changed = value.to_bits() ^ std::mem::replace(last, value.to_bits());
            put_number(bytes, changed.swap_bytes());
            put_number(bytes, number);
        }
    }

    /// Stores a value from a block. A value that is not finite counts as missing.
    pub(super) fn read(&mut self, number: u32, changed: u64) -> Result<(), Malformed> {
        let lane = LaneId::of_added(number as usize).ok_or(Malformed)?;
        let bits = &mut self.bits[number as usize];
        *bits ^= changed.swap_bytes();
        let value = f64::from_bits(*bits);
        self.next.set(lane, Some(value).filter(|value| value.is_finite()));
        Ok(())
    }

    /// Returns the values for the next frame, and removes them.
    pub(super) fn take(&mut self) -> PerAdded<Option<f64>> {
        std::mem::take(&mut self.next)
    }
}

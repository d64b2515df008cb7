//! Converts added lanes from readings to frames, and from frames to readings. All hosts of a site
//! share one catalogue, so lanes with the same name are one lane.

use khor_fleet::{AddedLane, Frame};
use khor_signal::{
    Catalogue, CatalogueError, Family, Lane, LaneDefinition, LaneId, LaneInfo, LevelCurve, Prior, Reading,
    Scale, VoiceHint,
};

use thiserror::Error;

use super::lane_signal;

/// The families, by the number that a frame contains. Only append to this list: a number never
/// changes its meaning.
const FAMILIES: [Family; 5] =
    [Family::Process, Family::Network, Family::Disk, Family::Memory, Family::Kernel];
/// The voices, by the number that a frame contains. Only append to this list: a number never
/// changes its meaning.
const VOICES: [VoiceHint; 8] = [
    VoiceHint::Process,
    VoiceHint::Receive,
    VoiceHint::Send,
    VoiceHint::Loss,
    VoiceHint::Disk,
    VoiceHint::Memory,
    VoiceHint::Kernel,
    VoiceHint::Local,
];
/// The ceiling of a lane from a frame, in multiples of its grain. The ceiling does not affect
/// levels, because the host's relay has already computed the levels in a frame.
const CEILING_GRAINS: f64 = 1e6;

/// Encodes the added lanes of a reading that have a value.
pub(crate) fn encode(reading: &Reading, catalogue: &Catalogue) -> Vec<AddedLane> {
    catalogue.added().iter().filter_map(|lane| encode_one(reading, lane)).collect()
}

fn encode_one(reading: &Reading, lane: &LaneInfo) -> Option<AddedLane> {
    let (state, id) = (reading.lanes.value(lane.id)?, lane.id);
    let number = |position: Option<usize>| position.map_or(u8::MAX, |number| number as u8);
    Some(AddedLane {
        name: lane.name.as_ref().to_owned(),
        label: lane.label.as_ref().to_owned(),
        family: number(FAMILIES.iter().position(|family| *family == lane.family)),
        unit: lane.unit.as_ref().to_owned(),
        voice: number(VOICES.iter().position(|voice| *voice == lane.voice)),
        grain: (lane.scale.grain as f32).clamp(f32::MIN_POSITIVE, f32::MAX),
        signal: lane_signal::encode(state, reading.rates.value(id)?, reading.baselines.value(id)?),
    })
}

/// Why a lane of a host is dropped.
#[derive(Debug, PartialEq, Eq, Error)]
pub(crate) enum DropReason {
    /// The site's catalogue rejects the lane: the catalogue is full, the lane is invalid, or a
    /// kernel signal has the same name.
    #[error("{0}")]
    Rejected(#[from] CatalogueError),
    /// Another host has sent a lane with the same name but another unit.
    #[error("the lane {name} has the unit {unit:?}, but {known:?} at other hosts; choose another name")]
    Unit { name: String, unit: String, known: String },
}

/// Writes the added lanes of a frame into its reading. Adds unknown lanes to `catalogue`. If any
/// lanes are dropped, returns the reason for the first one.
pub(crate) fn decode(frame: &Frame, catalogue: &mut Catalogue, reading: &mut Reading) -> Option<DropReason> {
    let mut first_reason = None;
    for lane in &frame.added {
        match id_of(lane, catalogue) {
            Ok(id) => {
                reading.lanes.set(id, Some(lane_signal::decode(lane.signal)));
                reading.rates.set(id, Some(lane.signal.rate.into()));
                reading.baselines.set(id, Some(lane.signal.baseline.into()));
            }
            Err(reason) => first_reason = first_reason.or(Some(reason)),
        }
    }
    first_reason
}

fn id_of(lane: &AddedLane, catalogue: &mut Catalogue) -> Result<LaneId, DropReason> {
    match catalogue.find(&lane.name).filter(|known| known.id.signal().is_none()) {
        Some(known) if *known.unit == *lane.unit => Ok(known.id),
        Some(known) => {
            let (name, unit) = (lane.name.clone(), lane.unit.clone());
            Err(DropReason::Unit { name, unit, known: known.unit.as_ref().to_owned() })
        }
        // If a kernel signal has this name, the catalogue rejects the lane.
        None => Ok(catalogue.add(definition(lane))?),
    }
}

/// Converts a lane of a frame to its definition. A family or voice that only a newer version knows
/// becomes the family or voice `Kernel`.
fn definition(lane: &AddedLane) -> LaneDefinition {
    let grain = f64::from(lane.grain);
    LaneDefinition {
        name: lane.name.clone(),
        label: lane.label.clone(),
        family: FAMILIES.get(usize::from(lane.family)).copied().unwrap_or(Family::Kernel),
        unit: lane.unit.clone(),
        scale: Scale {
            grain,
            ceiling: CEILING_GRAINS * grain,
            prior: Prior { median: 0.0, p99: grain },
            curve: LevelCurve::Log { unit: grain },
        },
        voice: VOICES.get(usize::from(lane.voice)).copied().unwrap_or(VoiceHint::Kernel),
    }
}

/// The number of added lanes of a reading that have a value.
pub(crate) fn count(reading: &Reading) -> usize {
    reading.lanes.added.values().filter(|lane: &&Option<Lane>| lane.is_some()).count()
}

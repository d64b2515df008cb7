//! Converts added lanes between readings and frames. A site has one catalogue for all its hosts: a
//! name is the same lane at every host.

use khor_fleet::{AddedLane, Frame};
use khor_signal::{
    Catalogue, CatalogueError, Family, Lane, LaneDefinition, LaneId, LaneInfo, LevelCurve, Prior, Reading,
    Scale, VoiceHint,
};

use thiserror::Error;

use super::lane_signal;

/// The families by their number in a frame. Append only.
const FAMILIES: [Family; 5] =
    [Family::Process, Family::Network, Family::Disk, Family::Memory, Family::Kernel];
/// The voices by their number in a frame. Append only.
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
/// Ceiling of a lane from a frame, as a multiple of its grain. It affects no level, because frames
/// already contain levels.
const CEILING_GRAINS: f64 = 1e6;

/// Encodes the added lanes that have a value.
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
pub(crate) enum LeftOut {
    /// The site's catalogue rejects the lane: the catalogue is full, or the lane is invalid, or it
    /// has the name of a kernel signal.
    #[error("{0}")]
    Refused(#[from] CatalogueError),
    /// Another host has sent a lane of this name in another unit.
    #[error("the lane {name} is in {unit:?}, but other hosts send it in {known:?}; choose another name")]
    Unit { name: String, unit: String, known: String },
}

/// Writes the added lanes of a frame into its reading. Adds unknown lanes to `catalogue`. If lanes
/// are dropped, returns why the first of them is.
pub(crate) fn decode(frame: &Frame, catalogue: &mut Catalogue, reading: &mut Reading) -> Option<LeftOut> {
    let mut left_out = None;
    for lane in &frame.added {
        match id_of(lane, catalogue) {
            Ok(id) => {
                reading.lanes.set(id, Some(lane_signal::decode(lane.signal)));
                reading.rates.set(id, Some(lane.signal.rate.into()));
                reading.baselines.set(id, Some(lane.signal.baseline.into()));
            }
            Err(why) => left_out = left_out.or(Some(why)),
        }
    }
    left_out
}

fn id_of(lane: &AddedLane, catalogue: &mut Catalogue) -> Result<LaneId, LeftOut> {
    match catalogue.find(&lane.name).filter(|known| known.id.signal().is_none()) {
        Some(known) if *known.unit == *lane.unit => Ok(known.id),
        Some(known) => {
            let (name, unit) = (lane.name.clone(), lane.unit.clone());
            Err(LeftOut::Unit { name, unit, known: known.unit.as_ref().to_owned() })
        }
        // The catalogue rejects the name of a kernel signal.
        None => Ok(catalogue.add(definition(lane))?),
    }
}

/// The definition of a lane. Unknown families and voices, which come from newer versions, become
/// those of the kernel.
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

/// Number of added lanes of a reading that have a value.
pub(crate) fn count(reading: &Reading) -> usize {
    reading.lanes.added.values().filter(|lane: &&Option<Lane>| lane.is_some()).count()
}

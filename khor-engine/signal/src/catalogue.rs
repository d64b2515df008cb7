//! Defines the catalogue of lanes: first the kernel signals, then the added lanes.

use std::sync::{Arc, LazyLock};

use khor_proto::inert::is_inert;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Family, LaneId, SIGNALS, SignalInfo, VoiceHint, scale::Scale};

/// Maximum length of a lane's name, bytes.
const MAX_NAME_LEN: usize = 32;
/// Maximum length of a lane's label, characters.
const MAX_LABEL_CHARS: usize = 48;
/// Maximum length of a lane's unit, characters.
const MAX_UNIT_CHARS: usize = 16;
/// The unit of lanes whose values are shares of time, from 0 to 1.
const TIME_SHARE: &str = "ratio";

/// The definition of an added lane. [`Catalogue::add`] validates it. Captures store it as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LaneDefinition {
    /// Name of the lane in the API, OSC, captures and the page: a letter, then up to 31 of the
    /// characters `a-z`, `0-9`, `_`, `.` and `-`.
    pub name: String,
    /// Label for users, 1..=48 characters. Control, bidirectional and invisible characters are
    /// rejected.
    pub label: String,
    /// Family of the lane.
    pub family: Family,
    /// Unit of the values, 0..=16 characters. Control, bidirectional and invisible characters are
    /// rejected. The unit `ratio` marks shares of time, which are at most 1.
    pub unit: String,
    /// Scale of the lane's values.
    pub scale: Scale,
    /// The voice that plays the lane.
    pub voice: VoiceHint,
}

/// A lane of a catalogue.
#[derive(Clone, Debug, PartialEq)]
pub struct LaneInfo {
    /// Position of the lane in the catalogue.
    pub id: LaneId,
    /// Name of the lane in the API, OSC, captures and the page.
    pub name: Arc<str>,
    /// Label for users.
    pub label: Arc<str>,
    /// Family of the lane.
    pub family: Family,
    /// Unit of the lane's values.
    pub unit: Arc<str>,
    /// Scale of the lane's values.
    pub scale: Scale,
    /// The voice that plays an added lane. For a kernel signal, this is only a suggestion: the
    /// preset's mapping selects the voice that plays.
    pub voice: VoiceHint,
}

/// Why a lane cannot be added to a catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CatalogueError {
    /// The catalogue has [`LaneId::MAX`] lanes already.
    #[error("cannot add the lane {name}: the limit of {max} lanes is reached; send fewer lanes", max = LaneId::MAX)]
    Full {
        /// The lane's name.
        name: String,
    },
    /// Another lane already has the same name.
    #[error("a lane named {name} exists already; choose another name")]
    Duplicate {
        /// The lane's name.
        name: String,
    },
    /// The definition breaks a rule.
    #[error("the lane {name:?} is invalid: {problem}")]
    Invalid {
        /// The lane's name.
        name: String,
        /// The rule that the definition breaks.
        problem: &'static str,
    },
}

/// The list of lanes that a source delivers. Clones share their memory.
///
/// Lanes are never removed, and a lane's id is its position. An id therefore refers to the same
/// lane in every catalogue that extends this one. If a source no longer delivers a lane, the lane
/// keeps its id, and its values are missing.
#[derive(Clone, Debug)]
pub struct Catalogue {
    lanes: Arc<Vec<LaneInfo>>,
}

/// Compares pointers first, so comparing two clones of a catalogue is fast.
impl PartialEq for Catalogue {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.lanes, &other.lanes) || self.lanes == other.lanes
    }
}

impl Catalogue {
    /// The catalogue of the kernel signals, without added lanes.
    pub fn kernel() -> Self {
        static KERNEL: LazyLock<Catalogue> = LazyLock::new(|| Catalogue {
            lanes: Arc::new(SIGNALS.iter().map(LaneInfo::of_signal).collect()),
        });
        KERNEL.clone()
    }

    /// Adds a lane.
    ///
    /// # Errors
    ///
    /// Fails if the catalogue is full, if another lane has the same name, or if the definition
    /// breaks a rule. In all these cases, the catalogue stays unchanged.
    pub fn add(&mut self, lane: LaneDefinition) -> Result<LaneId, CatalogueError> {
        if let Some(problem) = lane.problem() {
            return Err(CatalogueError::Invalid { name: lane.name, problem });
        }
        if self.find(&lane.name).is_some() {
            return Err(CatalogueError::Duplicate { name: lane.name });
        }
        let Some(id) = LaneId::new(self.lanes.len()) else {
            return Err(CatalogueError::Full { name: lane.name });
        };
        Arc::make_mut(&mut self.lanes).push(LaneInfo::new(id, lane));
        Ok(id)
    }

    /// The lane with this id; `None` if the catalogue has no such lane.
    pub fn get(&self, id: impl Into<LaneId>) -> Option<&LaneInfo> {
        self.lanes.get(id.into().index())
    }

    /// The lane with this name.
    pub fn find(&self, name: &str) -> Option<&LaneInfo> {
        self.lanes.iter().find(|lane| &*lane.name == name)
    }

    /// All lanes, in the order of their ids.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &LaneInfo> {
        self.lanes.iter()
    }

    /// The added lanes, in the order of their ids.
    pub fn added(&self) -> &[LaneInfo] {
        self.lanes.get(SIGNALS.len()..).unwrap_or_default()
    }

    /// Whether this catalogue begins with all lanes of `earlier`. In this case, values that were
    /// stored by id stay valid.
    pub fn extends(&self, earlier: &Self) -> bool {
        Arc::ptr_eq(&self.lanes, &earlier.lanes) || self.lanes.starts_with(&earlier.lanes)
    }
}

/// The catalogue of the kernel signals, without added lanes.
impl Default for Catalogue {
    fn default() -> Self {
        Self::kernel()
    }
}

impl LaneInfo {
    fn new(id: LaneId, lane: LaneDefinition) -> Self {
        let LaneDefinition { name, label, family, unit, scale, voice } = lane;
        Self { id, name: name.into(), label: label.into(), family, unit: unit.into(), scale, voice }
    }

    fn of_signal(signal: &SignalInfo) -> Self {
        let SignalInfo { id, name, label, family, unit } = *signal;
        let (scale, voice) = (id.scale(), id.voice());
        Self {
            id: id.into(),
            name: name.into(),
            label: label.into(),
            family,
            unit: unit.into(),
            scale,
            voice,
        }
    }

    /// The definition of this lane, for adding the lane to another catalogue.
    pub fn definition(&self) -> LaneDefinition {
        let Self { id: _, name, label, family, unit, scale, voice } = self;
        LaneDefinition {
            name: name.as_ref().to_owned(),
            label: label.as_ref().to_owned(),
            family: *family,
            unit: unit.as_ref().to_owned(),
            scale: *scale,
            voice: *voice,
        }
    }

    /// Whether the lane's values are shares of time, which are at most 1.
    pub fn is_time_share(&self) -> bool {
        &*self.unit == TIME_SHARE
    }
}

impl LaneDefinition {
    /// Returns the first rule that the definition breaks, or `None` if the definition is valid.
    fn problem(&self) -> Option<&'static str> {
        if !is_lane_name(&self.name) {
            return Some("the name must be a letter, then up to 31 of the characters a-z, 0-9, _, . and -");
        }
        if !(1..=MAX_LABEL_CHARS).contains(&self.label.chars().count()) || !is_inert(&self.label) {
            return Some(
                "the label must have 1 to 48 characters, and no control, bidirectional or invisible character",
            );
        }
        if self.unit.chars().count() > MAX_UNIT_CHARS || !is_inert(&self.unit) {
            return Some(
                "the unit must have at most 16 characters, and no control, bidirectional or invisible character",
            );
        }
        self.scale.problem()
    }
}

/// Whether a text is a valid lane name: a letter, then up to 31 of the characters `a-z`, `0-9`,
/// `_`, `.` and `-`. A name must begin with a letter because JavaScript moves numeric names to the
/// front of an object's keys.
pub fn is_lane_name(text: &str) -> bool {
    let is_allowed = |c: u8| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-');
    let begins = text.starts_with(|c: char| c.is_ascii_lowercase());
    begins && text.len() <= MAX_NAME_LEN && text.bytes().all(is_allowed)
}

/// For tests: a lane of events with a usual rate of one per second, played by the voice `send`.
#[cfg(any(test, feature = "testing"))]
pub fn test_lane(name: &str) -> LaneDefinition {
    use super::scale::{LevelCurve, Prior};
    LaneDefinition {
        name: name.to_owned(),
        label: format!("{name} per second"),
        family: Family::Network,
        unit: "1/s".to_owned(),
        scale: Scale {
            grain: 1.0,
            ceiling: 1000.0,
            prior: Prior { median: 1.0, p99: 5.0 },
            curve: LevelCurve::Log { unit: 1.0 },
        },
        voice: VoiceHint::Send,
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::SignalId;

    #[test]
    fn kernel_signals_come_first() {
        let catalogue = Catalogue::kernel();
        assert!(catalogue.iter().map(|lane| lane.id.signal()).eq(SignalId::all().map(Some)));
        assert!(catalogue.iter().all(|lane| lane.definition().problem().is_none()));
        assert_eq!(catalogue.find("rx").map(|lane| lane.id), Some(SignalId::Rx.into()));
        assert!(catalogue.added().is_empty());
    }

    #[test]
    fn invalid_definitions_are_rejected() {
        let assert_rejected = |lane: LaneDefinition, word: &str| {
            let mut catalogue = Catalogue::kernel();
            let error = catalogue.add(lane).unwrap_err().to_string();
            assert!(error.contains(word) && catalogue == Catalogue::kernel(), "{error}");
        };
        for name in ["", "Queue", "a b", "ä", "a/b", "7", "-a", &"x".repeat(33)] {
            assert_rejected(LaneDefinition { name: name.to_owned(), ..test_lane("q") }, "name");
        }
        assert_rejected(LaneDefinition { label: String::new(), ..test_lane("q") }, "label");
        assert_rejected(LaneDefinition { label: "a\u{1b}[2J".into(), ..test_lane("q") }, "label");
        assert_rejected(LaneDefinition { label: "a\u{202e}b".into(), ..test_lane("q") }, "label");
        assert_rejected(LaneDefinition { unit: "u".repeat(17), ..test_lane("q") }, "unit");
        let scale = Scale { grain: 0.0, ..test_lane("q").scale };
        assert_rejected(LaneDefinition { scale, ..test_lane("q") }, "grain");
        assert_rejected(LaneDefinition { name: "rx".into(), ..test_lane("q") }, "exists already");
    }

    proptest! {
        /// Tests random sequences of valid, invalid and repeated names.
        #[test]
        fn ids_are_stable_and_bounded(names in vec("[a-dA ]{0,2}", 0..200)) {
            let (mut catalogue, mut earlier) = (Catalogue::kernel(), Vec::new());
            for name in names {
                let before = catalogue.clone();
                let (known, is_full) = (before.find(&name).is_some(), before.iter().len() == LaneId::MAX);
                match catalogue.add(test_lane(&name)) {
                    Ok(id) => {
                        prop_assert!(!known && !is_full && id.index() == before.iter().len());
                        earlier.push((id, name));
                    }
                    Err(CatalogueError::Duplicate { .. }) => prop_assert!(known),
                    Err(CatalogueError::Full { .. }) => prop_assert!(is_full),
                    Err(CatalogueError::Invalid { .. }) => prop_assert!(!is_lane_name(&name)),
                }
                prop_assert!(catalogue.extends(&before) && catalogue.iter().len() <= LaneId::MAX);
                prop_assert!(catalogue == before || !before.extends(&catalogue));
            }
            for (id, name) in earlier {
                prop_assert_eq!(&*catalogue.get(id).unwrap().name, name.as_str());
                prop_assert_eq!(catalogue.find(&name).map(|lane| lane.id), Some(id));
            }
        }

        #[test]
        fn a_full_catalogue_stays_full(surplus in 1..20_usize) {
            let mut catalogue = Catalogue::kernel();
            let added = (0..LaneId::MAX_ADDED + surplus).map(|i| catalogue.add(test_lane(&format!("q{i}"))));
            prop_assert_eq!(added.flatten().count(), LaneId::MAX_ADDED);
            prop_assert_eq!(catalogue.iter().len(), LaneId::MAX);
        }
    }
}

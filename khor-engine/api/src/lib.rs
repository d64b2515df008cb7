//! The types of all requests and answers of khor's HTTP API.
//!
//! The server serializes these types. `khor top`, the other commands and the tests parse them.
//! `cargo xtask api` generates the `OpenAPI` document from these types. From that document, it
//! generates the page's types and `docs/api-reference.md`. The document, the page's types and the
//! reference all show a field's doc comment as its description.
//!
//! The server always sends all fields, but an older engine may not have some of them. A field has a
//! default (`#[serde(default)]`) if `khor top` works without the field.
//!
//! Fields named `…_ts_ms` contain a time in milliseconds since 1970. A missing value is `null`,
//! never 0.

mod actions;
mod clips;
mod config;
mod controls;
mod devices;
mod doctor;
mod error;
mod explain;
mod fleet;
mod health;
mod history;
mod listen;
mod login;
mod mapping;
mod metrics;
mod outputs;
mod presets;
mod recording;
mod stream;
mod table;
mod trouble;

pub use self::{
    actions::{BaselineAction, Done, Muted, Snoozed},
    clips::{ClipInfo, ClipList},
    config::ConfigChanged,
    controls::{ControlsReport, SilenceReason, SilenceReport},
    devices::{DeviceInfo, DeviceList, DeviceSelected, DeviceSelection, UnitList},
    doctor::{Check, CheckState, Diagnosis},
    error::Refusal,
    explain::{DeviatingSignal, Explanation, SoundPart},
    fleet::{
        FleetReport, HostReport, HostState, RefusedMessages, SectionReport, SingleHostReport, SubSiteReport,
    },
    health::{
        BaselineReport, BpfReport, ConfigReport, FeaturesReport, HealthReport, ListenReport, MachineReport,
        MissedReport, PresetsReport, ProbeReport, ScopeReport, SourceReport, TimeReport,
    },
    history::HistoryColumns,
    listen::SoundFormat,
    login::Login,
    mapping::{FeatureInfo, InputInfo, MappingVocabulary},
    metrics::{
        CueReport, HistoryPoint, MetricsReport, MusicReport, NoteReport, OriginalRates, OriginalTotals,
        SignalReport, SoloReport,
    },
    outputs::{
        AudioReport, DesktopHealth, DesktopReport, Granter, Health, MidiReport, OscInputHealth, OscReport,
        Priority, ReceiveReport, TargetHealth,
    },
    presets::{PresetChecked, PresetInfo, PresetList, PresetPreview, PresetReport, PresetSelected},
    recording::{RecordedFile, RecordingList, RecordingStarted, RecordingStatus, RecordingStopped},
    stream::{
        BarReport, ConfigVersion, CueList, Greeting, LaneList, LaneReport, LaneValues, MAX_CUES, MAX_NOTES,
        NoteList, SentenceReport, SoloistList, StreamEvent, StreamState,
    },
    table::Table,
    trouble::Trouble,
};

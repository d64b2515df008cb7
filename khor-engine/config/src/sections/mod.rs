//! The sections of the configuration. They do not depend on the crates of the outputs. The engine
//! converts each section to the settings of the part that uses it.

mod audio;
mod bpf;
mod desktop;
mod features;
mod listen;
mod midi;
mod music;
mod nats;
mod osc;
mod quiet;
mod recordings;
mod rules;
mod signals;
mod site;
mod ui;

pub use audio::{Audio, AudioPatch};
pub use bpf::{BpfSubscription, BpfSubscriptionPatch};
pub use desktop::{Desktop, DesktopPatch};
pub use features::{Features, FeaturesPatch};
pub use listen::{AllowedHost, Listen, ListenPatch, plain_host};
pub use midi::{Midi, MidiPatch};
pub use music::{Music, MusicPatch};
pub use nats::{Nats, NatsPatch};
pub use osc::{Osc, OscPatch, OscReceive, OscReceivePatch};
pub use quiet::{Quiet, QuietPatch, TimeOfDay};
pub use recordings::{Recordings, RecordingsPatch};
pub use signals::{Signals, SignalsPatch};
pub use site::{Site, SitePatch};
pub use ui::{Ui, UiPatch};

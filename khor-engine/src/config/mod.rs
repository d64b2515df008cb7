//! The configuration: its shape, its defaults and its ranges. `store` keeps it on disk.

mod model;
mod store;

pub use model::{
    Audio, BpfSubscription, Config, ConfigError, Features, Listen, Midi, Music, Osc, OscReceive, Signals, Ui,
};
pub(crate) use store::write_atomically;
pub use store::{ConfigStore, Update, UpdateError, baseline_path, default_path, presets_dir, recordings_dir};

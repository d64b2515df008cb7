//! The configuration: its shape, its defaults and its ranges. `store` keeps it on disk.

mod bpf;
mod desktop;
mod listen;
mod model;
mod osc;
mod quiet;
mod site;
mod store;

pub use bpf::BpfSubscription;
pub use desktop::Desktop;
pub use listen::Listen;
pub use model::{Audio, Config, ConfigError, Features, Midi, Music, Signals, Ui};
pub use osc::{Osc, OscReceive};
pub use quiet::{Quiet, TimeOfDay};
pub use site::{Site, SiteMode};
pub use store::{
    ConfigStore, Update, UpdateError, baseline_path, default_path, presets_dir, recordings_dir,
    relay_baseline_path,
};

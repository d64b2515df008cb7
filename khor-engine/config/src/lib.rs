//! khor's settings: their shape, defaults and ranges. [`ConfigStore`] keeps them on disk.

mod bpf;
mod desktop;
mod error;
mod lengths;
mod limits;
mod listen;
mod merge;
mod model;
mod nats;
pub mod numbers;
mod osc;
mod osc_address;
mod paths;
mod quiet;
mod recordings;
mod recover;
mod site;
mod steerable;
mod store;
mod unknown_keys;
mod validate;

pub use bpf::BpfSubscription;
pub use desktop::Desktop;
pub use error::ConfigError;
pub use listen::{AllowedHost, Listen, plain_host};
pub use model::{Audio, Config, Features, Midi, Music, Signals, Ui};
pub use nats::Nats;
pub use osc::{Osc, OscReceive};
pub use osc_address::{OscAddress, ParseOscAddressError};
pub use paths::{baseline_path, default_path, presets_dir, recordings_dir, sessions_path};
pub use quiet::{Quiet, TimeOfDay};
pub use recordings::Recordings;
pub use site::{Site, SiteMode};
pub use steerable::{STEERABLE, is_steerable, steerable};
pub use store::{ConfigStore, ConfigUpdate, InspectedConfig, SaveError, UpdateError};

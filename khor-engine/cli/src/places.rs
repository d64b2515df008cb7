//! The options `--config` and `--socket`, which most commands have.

use std::path::PathBuf;

use clap::Args;
use khor_config::{ConfigStore, default_path};

/// The paths of the configuration file and of the collector's socket.
#[derive(Args, Clone, Debug)]
pub(super) struct Places {
    /// Configuration file [default: ~/.config/khor/config.json]
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// The collector's socket
    #[arg(long, value_name = "PATH", env = khor_proto::client::SOCKET_ENV,
          default_value = khor_proto::client::DEFAULT_SOCKET)]
    pub(super) socket: PathBuf,
}

impl Places {
    pub(super) fn open_config(&self) -> anyhow::Result<ConfigStore> {
        Ok(ConfigStore::open(self.config_path()?))
    }

    pub(super) fn config_path(&self) -> anyhow::Result<PathBuf> {
        let path = self.config.clone().or_else(default_path);
        path.ok_or_else(|| anyhow::anyhow!("cannot find the home directory: set HOME, or add --config FILE"))
    }
}

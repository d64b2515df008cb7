//! The connection to a NATS server: settings, errors and their fixes.

mod link;
mod secret_files;
mod settings;
mod trouble;

pub(crate) use self::link::Link;
pub use self::{
    secret_files::Exposed,
    settings::{NatsError, NatsSettings},
};

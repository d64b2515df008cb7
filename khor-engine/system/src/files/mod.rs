//! Reads and writes files whose paths come from the user.
//!
//! A path from the user may lead to a FIFO, a device, a link, or a network server that does not
//! answer. This module opens only regular files, limits their size, and gives up after [`TIMEOUT`].
//! Use [`read`] and [`replace`] for settings, and [`Replacement`] for outputs such as renders and
//! captures.

mod output;
mod read;
mod replace;
mod space;
mod stamp;
#[cfg(test)]
mod tests;
mod timeout;

pub use self::{
    output::{Replacement, write_output},
    read::{open, read, read_text},
    replace::{back_up, replace},
    space::{LowSpace, Space, SpaceWatch},
    stamp::Stamp,
    timeout::{TIMEOUT, with_timeout},
};

/// Longest path of a file, characters. The kernel has the same limit (`PATH_MAX`).
pub const PATH_CHARS: u32 = 4096;

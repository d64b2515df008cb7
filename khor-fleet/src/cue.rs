//! A cue: a one-off event of a host's kernel.

use serde::{Deserialize, Serialize};

use crate::{
    name::Name,
    wire::{MAX_CUE_BYTES, Message},
};

/// Something that happened on a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cue {
    /// The host, as in the subject.
    pub host: Name,
    /// As in its frames.
    pub instance: u32,
    /// `CLOCK_BOOTTIME`, milliseconds, as in frames.
    pub monotonic_ms: u64,
    /// Wall clock, milliseconds since 1970.
    pub wall_ms: u64,
    /// What happened, in khor-proto's words: `oom`, `crash`, `blkerr`, `retx`; at most 16 bytes.
    pub kind: String,
    /// The process of the event; `None` if it has none, or it is unknown or withheld.
    pub pid: Option<u32>,
    /// Name of the process, at most 48 bytes; `None` if it is unknown or withheld.
    pub comm: Option<String>,
    /// The detail of the kind, as in khor-proto.
    pub detail: Option<u32>,
}

impl Cue {
    /// Longest [`Cue::kind`], bytes.
    pub const MAX_KIND_LEN: usize = 16;
    /// Longest [`Cue::comm`], bytes: 15 from the kernel, each of which may have been replaced by 3.
    pub const MAX_COMM_LEN: usize = 48;
}

impl Message for Cue {
    const WORD: &'static str = "cue";
    const MAGIC: [u8; 2] = *b"kC";
    const MAX_BYTES: usize = MAX_CUE_BYTES;

    fn check(&self) -> Result<(), String> {
        let comm_len = self.comm.as_ref().map_or(0, String::len);
        if self.kind.len() > Self::MAX_KIND_LEN || comm_len > Self::MAX_COMM_LEN {
            return Err("kind or comm: longer than expected".into());
        }
        Ok(())
    }

    fn texts(&mut self) -> impl Iterator<Item = &mut String> {
        [&mut self.kind].into_iter().chain(&mut self.comm)
    }
}

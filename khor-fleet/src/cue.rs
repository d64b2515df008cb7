//! A cue: a one-off event of a host's kernel.

use serde::{Deserialize, Serialize};

use crate::{
    name::Name,
    wire::{MAX_CUE_BYTES, Message},
};

/// An event of a host's kernel, for example a crash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cue {
    /// The name of the host. It must equal the name in the message's NATS subject.
    pub host: Name,
    /// The random number of the host's relay, as in the host's frames.
    pub instance: u32,
    /// Time of the event on `CLOCK_BOOTTIME`, milliseconds.
    pub monotonic_ms: u64,
    /// Time when the relay sent the cue, by the wall clock, milliseconds since 1970.
    pub wall_ms: u64,
    /// The kind of event, named as in khor-proto, for example `oom`, `crash`, `blkerr` or `retx`;
    /// at most 16 bytes.
    pub kind: String,
    /// Id of the process. `None` if the event has no process, or if the id is unknown or withheld.
    pub pid: Option<u32>,
    /// Name of the process, at most 48 bytes; `None` if it is unknown or withheld.
    pub comm: Option<String>,
    /// A number whose meaning depends on the kind of the cue, as in khor-proto.
    pub detail: Option<u32>,
}

impl Cue {
    /// Maximum length of [`Cue::kind`], bytes.
    pub const MAX_KIND_LEN: usize = 16;
    /// Maximum length of [`Cue::comm`], bytes. A process name in the kernel has at most 15 bytes.
    /// Each unsafe byte is replaced by a character of 3 bytes.
    pub const MAX_COMM_LEN: usize = 48;
}

impl Message for Cue {
    const WORD: &'static str = "cue";
    const MAGIC: [u8; 2] = *b"kC";
    const MAX_BYTES: usize = MAX_CUE_BYTES;

    fn check(&self) -> Result<(), String> {
        let comm_len = self.comm.as_ref().map_or(0, String::len);
        if self.kind.len() > Self::MAX_KIND_LEN || comm_len > Self::MAX_COMM_LEN {
            let (kind, comm) = (Self::MAX_KIND_LEN, Self::MAX_COMM_LEN);
            return Err(format!("kind may have at most {kind} bytes, and comm at most {comm} bytes"));
        }
        Ok(())
    }

    fn texts(&mut self) -> impl Iterator<Item = &mut String> {
        [&mut self.kind].into_iter().chain(&mut self.comm)
    }
}

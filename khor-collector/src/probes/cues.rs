//! Reads the ring buffer through which the programs send cues.

use std::{io, mem::offset_of};

use aya::maps::{MapData, RingBuf};
use khor_layout::{CueKind, CueRecord};
use tokio::io::unix::AsyncFd;

use crate::readable;

/// The ring buffer. It is mapped into memory, so reading it needs neither a capability nor a system
/// call. Only waiting needs a system call.
pub(crate) struct CueRing(RingBuf<MapData>);

/// The ring buffer after its registration with the runtime.
pub(crate) struct CueStream(AsyncFd<RingBuf<MapData>>);

impl CueRing {
    pub(super) fn new(ring: RingBuf<MapData>) -> Self {
        Self(ring)
    }

    /// Registers the ring buffer with the runtime. Must be called within a tokio runtime.
    pub(crate) fn stream(self) -> io::Result<CueStream> {
        readable::watch(self.0).map(CueStream)
    }
}

impl CueStream {
    /// Waits for cues, and appends all available ones to `cues`.
    pub(crate) async fn read(&mut self, cues: &mut Vec<(CueKind, CueRecord)>) -> io::Result<()> {
        let mut ready = self.0.readable_mut().await?;
        while let Some(item) = ready.get_inner_mut().next() {
            cues.extend(parse(&item));
        }
        ready.clear_ready();
        Ok(())
    }
}

/// Parses a record. Returns `None` if the record is too short or its kind is unknown.
fn parse(bytes: &[u8]) -> Option<(CueKind, CueRecord)> {
    let long = |at: usize| Some(u64::from_ne_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
    let short = |at: usize| Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let comm = offset_of!(CueRecord, comm);
    let record = CueRecord {
        t_ns: long(offset_of!(CueRecord, t_ns))?,
        cgroup_id: long(offset_of!(CueRecord, cgroup_id))?,
        scopes: long(offset_of!(CueRecord, scopes))?,
        kind: short(offset_of!(CueRecord, kind))?,
        pid: short(offset_of!(CueRecord, pid))?,
        detail: short(offset_of!(CueRecord, detail))?,
        padding: 0,
        comm: bytes.get(comm..comm + 16)?.try_into().ok()?,
    };
    let kind = CueKind::ALL.get(record.kind as usize)?;
    Some((*kind, record))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cue_records_are_read_and_junk_rejected() {
        let mut bytes = vec![0; size_of::<CueRecord>()];
        bytes[0] = 7;
        bytes[offset_of!(CueRecord, kind)] = CueKind::Crash as u8;
        bytes[offset_of!(CueRecord, pid)] = 42;
        bytes[offset_of!(CueRecord, comm)..][..3].copy_from_slice(b"cat");
        let (kind, record) = parse(&bytes).unwrap();
        assert_eq!(
            (kind, record.t_ns, record.pid, &record.comm[..4]),
            (CueKind::Crash, 7, 42, &b"cat\0"[..])
        );
        bytes[offset_of!(CueRecord, kind)] = 99;
        assert!(parse(&bytes).is_none());
        assert!(parse(&bytes[..40]).is_none());
    }
}

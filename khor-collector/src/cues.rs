//! Passes cues from the kernel to clients and to the system bus.

use std::{fs, sync::Arc};

use khor_layout::CueRecord;
use khor_proto::{Cue, CueKind, inert};
use tokio::sync::mpsc;

use crate::{probes::CueRing, sampler::wire_kind, scope::Scopes, serve::Server};

/// Passes cues to clients and to the bus until the process ends.
pub(crate) async fn pass_on(ring: CueRing, server: Arc<Server>, scopes: Arc<Scopes>, bus: mpsc::Sender<Cue>) {
    let mut stream = match ring.stream() {
        Ok(stream) => stream,
        Err(error) => {
            return tracing::error!(
                "cannot watch for cues: {error}; the collector sends no cues until it is restarted"
            );
        }
    };
    let mut records = Vec::new();
    loop {
        if let Err(error) = stream.read(&mut records).await {
            return tracing::error!(
                "cannot read cues: {error}; the collector sends no cues until it is restarted"
            );
        }
        for (kind, record) in records.drain(..) {
            let cue = cue(wire_kind(kind), &record);
            tracing::debug!("{cue:?}");
            server.send_cue(&cue, record.scopes | unmarked_scopes(&cue, &scopes));
            // Program starts of other users are private.
            if cue.kind != CueKind::Exec {
                let _ = bus.try_send(cue); // a full queue or a missing bus drops the cue
            }
        }
    }
}

/// Finds the scopes of a process that was killed because memory ran out. Before Linux 6.8 the
/// kernel reports only the number of this process, so the in-kernel programs cannot find its
/// scopes.
fn unmarked_scopes(cue: &Cue, scopes: &Scopes) -> u64 {
    match (cue.kind, cue.cgroup_id, cue.pid) {
        (CueKind::Oom, None, Some(pid)) => scopes.of_process(pid),
        _ => 0,
    }
}

fn cue(kind: CueKind, record: &CueRecord) -> Cue {
    let known = |number: u32| (number != 0).then_some(number);
    let pid = known(record.pid);
    Cue {
        kind,
        t_ns: record.t_ns,
        pid,
        comm: comm(&record.comm).or_else(|| comm_of(pid?)),
        cgroup_id: (record.cgroup_id != 0).then_some(record.cgroup_id),
        detail: known(record.detail),
    }
}

/// Converts a process's name, which ends at the first zero byte. A process can choose any name, so
/// this function replaces the characters that are unsafe to print. The log, the bus and the clients
/// get only the result.
fn comm(bytes: &[u8]) -> Option<String> {
    let name = bytes.split(|byte| *byte == 0).next().filter(|name| !name.is_empty())?;
    Some(inert::owned_line(String::from_utf8_lossy(name).into_owned()))
}

/// Looks up the name of a process, for events that contain only its number. A process that is being
/// killed still has its name.
fn comm_of(pid: u32) -> Option<String> {
    comm(fs::read(format!("/proc/{pid}/comm")).ok()?.trim_ascii_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_record_fields_are_none() {
        let mut record = CueRecord {
            t_ns: 1,
            cgroup_id: 0,
            scopes: 0,
            kind: 1,
            pid: 0,
            detail: 0,
            padding: 0,
            comm: [0; 16],
        };
        let nobody = cue(CueKind::BlockError, &record);
        assert_eq!((nobody.pid, nobody.comm, nobody.cgroup_id, nobody.detail), (None, None, None, None));
        record.comm[..3].copy_from_slice(&[b'a', 0xff, b'b']);
        record.detail = 11;
        let crash = cue(CueKind::Crash, &record);
        assert_eq!((crash.comm.as_deref(), crash.detail), (Some("a\u{fffd}b"), Some(11)));
        record.comm[..6].copy_from_slice(b"\x1b]52;\n");
        assert_eq!(cue(CueKind::Crash, &record).comm.as_deref(), Some("\u{fffd}]52;\u{fffd}"));
        record.comm = [0; 16];
        record.pid = std::process::id();
        assert!(cue(CueKind::Oom, &record).comm.is_some(), "/proc contains the process's name");
    }
}

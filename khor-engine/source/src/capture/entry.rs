//! Reads and writes the entries of a block: sources, frames, cues, lost cues, added lanes and the
//! end.

use khor_proto::{Availability, Cue, CueKind};
use khor_signal::{Counter, Frame, LaneDefinition, PerCounter};

use super::{
    Origin,
    bytes::{Cursor, Malformed, put_number, put_signed, put_text},
    lanes::LaneValues,
    tags::{kind, part, tag},
};
use crate::{MachineInfo, SourceKind, edge};

/// The counters, in the order of their numbers in the file. The first number is 0.
const COUNTERS: PerCounter<Counter> = Counter::ALL;
/// Number of the first edge counter. Captures of an older khor lack this counter and all counters
/// after it.
const FIRST_OF_EDGE: usize = 22;
const _: () = assert!(COUNTERS[FIRST_OF_EDGE].index() == Counter::EdgeRxBytes.index());
/// The kinds of cues, in the order of their numbers in the file. The first number is 0. Only append
/// to this list: a number never changes its meaning.
const CUES: [CueKind; 5] =
    [CueKind::Oom, CueKind::Crash, CueKind::BlockError, CueKind::RetransmitBurst, CueKind::Exec];
/// The kinds of sources, in the order of their numbers in the file. The first number is 0. Only
/// append to this list: a number never changes its meaning.
const SOURCES: [SourceKind; 3] = [SourceKind::Collector, SourceKind::Proc, SourceKind::Demo];
/// Maximum number of counters in a file. The file stores the known counters as a mask with one bit
/// for each counter.
const MAX_COUNTERS: usize = u64::BITS as usize;

/// An entry of a block.
#[derive(Debug, PartialEq)]
pub(super) enum Entry {
    Source {
        origin: Origin,
        /// Whether the source was recorded before khor had edge counters.
        lacks_edge: bool,
    },
    Frame(Frame),
    Cue(Cue),
    /// Cues were lost. Contains their number.
    Lost(u64),
    /// The definition of an added lane.
    Lane {
        /// Position of the lane among the added lanes, from 0.
        number: u32,
        definition: LaneDefinition,
    },
    /// The end of the capture. A capture that lacks it was cut short.
    End,
    /// An entry without an event of its own: a value of an added lane, which becomes part of the
    /// next frame, or a cue of a kind that only a newer khor knows.
    Nothing,
}

/// Whether an entry that begins with this byte describes a source.
pub(super) fn is_source(first: Option<u8>) -> bool {
    first == Some(tag::SOURCE)
}

/// The values of the previous entry. The numbers of the next entry are stored as differences from
/// these values. At the start of each block, the values are reset to their defaults.
#[derive(Clone, Debug)]
pub(super) struct Context {
    t_ns: u64,
    step_ns: u64,
    known: u64,
    values: [u64; MAX_COUNTERS],
    lanes: LaneValues,
}

impl Default for Context {
    fn default() -> Self {
        Self { t_ns: 0, step_ns: 0, known: 0, values: [0; MAX_COUNTERS], lanes: LaneValues::default() }
    }
}

impl Context {
    pub(super) fn put_frame(&mut self, bytes: &mut Vec<u8>, frame: &Frame) {
        self.lanes.put(bytes, &frame.added);
        let counts = COUNTERS.map(|counter| frame.counters[counter.index()]);
        let mask = |is_set: &dyn Fn(usize) -> bool| {
            (0..counts.len()).filter(|number| is_set(*number)).fold(0, |mask, number| mask | 1_u64 << number)
        };
        let known = mask(&|number| counts[number].is_some());
        if known == self.known {
            bytes.push(tag::FRAME);
        } else {
            bytes.push(tag::FRAME_KNOWN);
            put_number(bytes, known);
        }
        let step_ns = frame.t_ns.wrapping_sub(self.t_ns);
        put_signed(bytes, step_ns.wrapping_sub(self.step_ns) as i64);
        let before = self.values;
        put_number(bytes, mask(&|number| counts[number].is_some_and(|count| count != before[number])));
        for (count, value) in std::iter::zip(counts, &mut self.values) {
            if let Some(count) = count.filter(|count| count != value) {
                put_signed(bytes, count.wrapping_sub(*value) as i64);
                *value = count;
            }
        }
        (self.t_ns, self.step_ns, self.known) = (frame.t_ns, step_ns, known);
    }

    fn frame(&mut self, bytes: &mut Cursor) -> Result<Frame, Malformed> {
        self.step_ns = self.step_ns.wrapping_add(bytes.signed()? as u64);
        self.t_ns = self.t_ns.wrapping_add(self.step_ns);
        let changed = bytes.number()?;
        for (number, value) in self.values.iter_mut().enumerate() {
            if changed >> number & 1 == 1 {
                *value = value.wrapping_add(bytes.signed()? as u64);
            }
        }
        let mut counters = [None; COUNTERS.len()];
        for (number, counter) in COUNTERS.into_iter().enumerate() {
            counters[counter.index()] = (self.known >> number & 1 == 1).then_some(self.values[number]);
        }
        Ok(Frame { t_ns: self.t_ns, counters, added: self.lanes.take() })
    }

    pub(super) fn put_cue(&self, bytes: &mut Vec<u8>, cue: &Cue) {
        let Cue { kind: of, t_ns, pid, comm, cgroup_id, detail } = cue;
        let number = CUES.iter().position(|known| known == of).map_or(kind::NONE, |number| number as u8);
        let part = |there: bool, part: u8| if there { part } else { 0 };
        let parts = part(pid.is_some(), part::PID)
            | part(comm.is_some(), part::COMM)
            | part(cgroup_id.is_some(), part::CGROUP)
            | part(detail.is_some(), part::DETAIL);
        bytes.extend([tag::CUE, number, parts]);
        put_signed(bytes, t_ns.wrapping_sub(self.t_ns) as i64);
        if let Some(pid) = pid {
            put_number(bytes, (*pid).into());
        }
        if let Some(comm) = comm {
            put_text(bytes, comm);
        }
        if let Some(cgroup_id) = cgroup_id {
            put_number(bytes, *cgroup_id);
        }
        if let Some(detail) = detail {
            put_number(bytes, (*detail).into());
        }
    }

    /// Reads an entry that has the form of a cue. It is a cue, or the definition or value of an
    /// added lane.
    fn cue(&mut self, bytes: &mut Cursor) -> Result<Entry, Malformed> {
        let number = bytes.byte()?;
        let parts = bytes.byte()?;
        let t_ns = self.t_ns.wrapping_add(bytes.signed()? as u64);
        let has = |part: u8| parts & part != 0;
        let pid = has(part::PID).then(|| bytes.small()).transpose()?;
        let comm = has(part::COMM).then(|| bytes.text()).transpose()?;
        let cgroup_id = has(part::CGROUP).then(|| bytes.number()).transpose()?;
        let detail = has(part::DETAIL).then(|| bytes.small()).transpose()?;
        match (number, &comm, cgroup_id, detail) {
            (kind::LANE, Some(text), _, Some(number)) => {
                let definition = serde_json::from_str(text).map_err(|_| Malformed)?;
                return Ok(Entry::Lane { number, definition });
            }
            (kind::LANE_VALUE, _, Some(changed), Some(number)) => {
                self.lanes.read(number, changed)?;
                return Ok(Entry::Nothing);
            }
            _ => {}
        }
        let Some(kind) = CUES.get(usize::from(number)).copied() else { return Ok(Entry::Nothing) };
        Ok(Entry::Cue(Cue { kind, t_ns, pid, comm, cgroup_id, detail }))
    }

    /// Reads the next entry. Returns `None` at the end of the block.
    pub(super) fn entry(&mut self, bytes: &mut Cursor) -> Result<Option<Entry>, Malformed> {
        if bytes.peek().is_none() {
            return Ok(None);
        }
        let entry = match bytes.byte()? {
            tag::FRAME => Entry::Frame(self.frame(bytes)?),
            tag::FRAME_KNOWN => {
                self.known = bytes.number()?;
                Entry::Frame(self.frame(bytes)?)
            }
            tag::CUE => self.cue(bytes)?,
            tag::LOST => Entry::Lost(bytes.number()?),
            tag::SOURCE => {
                let (origin, lacks_edge) = origin(bytes)?;
                Entry::Source { origin, lacks_edge }
            }
            tag::END => Entry::End,
            _ => return Err(Malformed),
        };
        Ok(Some(entry))
    }
}

pub(super) fn put_lost(bytes: &mut Vec<u8>, cues: u64) {
    bytes.push(tag::LOST);
    put_number(bytes, cues);
}

pub(super) fn put_end(bytes: &mut Vec<u8>) {
    bytes.push(tag::END);
}

pub(super) fn put_origin(bytes: &mut Vec<u8>, origin: &Origin) {
    let Origin { kind, machine, interval_ms, recorder, availability } = origin;
    let number = SOURCES.iter().position(|known| Some(*known) == *kind);
    bytes.extend([tag::SOURCE, number.map_or(kind::NONE, |number| number as u8)]);
    put_number(bytes, (*interval_ms).into());
    put_text(bytes, recorder);
    bytes.push(machine.is_some().into());
    if let Some(MachineInfo { kernel_release, boot_id, cpus }) = machine {
        put_text(bytes, kernel_release);
        put_text(bytes, boot_id);
        put_number(bytes, (*cpus).into());
    }
    put_number(bytes, COUNTERS.len() as u64);
    for counter in COUNTERS {
        match &availability[counter.index()] {
            Availability::Available => bytes.push(1),
            Availability::Absent { reason } => {
                bytes.push(0);
                put_text(bytes, reason);
            }
        }
    }
}

/// Reads the description of a source. Also returns whether the source lacks edge counters.
fn origin(bytes: &mut Cursor) -> Result<(Origin, bool), Malformed> {
    let kind = SOURCES.get(usize::from(bytes.byte()?)).copied();
    let interval_ms = bytes.small()?.try_into().map_err(|_| Malformed)?;
    let recorder = bytes.text()?;
    let machine = match bytes.byte()? {
        0 => None,
        _ => {
            Some(MachineInfo { kernel_release: bytes.text()?, boot_id: bytes.text()?, cpus: bytes.small()? })
        }
    };
    let absent = |reason: &str| Availability::Absent { reason: reason.to_owned() };
    let mut availability = Counter::ALL.map(|_| absent("this capture does not contain this counter"));
    let listed = bytes.number()?;
    for number in 0..listed {
        let found = match bytes.byte()? {
            0 => Availability::Absent { reason: bytes.text()? },
            _ => Availability::Available,
        };
        if let Some(counter) = COUNTERS.get(number as usize) {
            availability[counter.index()] = found;
        }
    }
    let lacks_edge = listed <= FIRST_OF_EDGE as u64;
    if lacks_edge {
        let no_local =
            "the older khor that recorded this capture counted local traffic as received and sent traffic";
        edge::fill_availability(&mut availability, no_local);
    }
    Ok((Origin { kind, machine, interval_ms, recorder, availability }, lacks_edge))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counter_numbers_match_the_documentation() {
        let text = include_str!("../../../../docs/captures.md");
        let list = text.lines().find(|line| line.starts_with("`execs`")).expect("the list of counters");
        let names: Vec<&str> = list.split('`').skip(1).step_by(2).collect();
        let list = text.lines().find(|line| line.starts_with("`oom`")).expect("the list of cues");
        let cues: Vec<&str> = list.split('`').skip(1).step_by(2).collect();
        assert_eq!(names, COUNTERS.map(Counter::name));
        assert_eq!(cues, CUES.map(CueKind::name));
    }
}

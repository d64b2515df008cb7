//! Converts readings to the frames that relays send, and frames back to readings.

use khor_fleet::{Cue, Frame, Name, Signal, Source};
use khor_signal::{Catalogue, Counter, PerSignal, Reading, SIGNALS, SignalId};
use khor_source::SourceKind;
use khor_system::clock::now_unix_ms;
use nix::time::{ClockId, clock_gettime};

use super::{
    added_lanes::{self, DropReason},
    lane_signal,
};

/// Position of each signal in a frame's lists.
pub(crate) const WIRE_POSITIONS: PerSignal<usize> = positions();
/// The signals in the order of a frame's lists. A new signal is appended here, but may be anywhere
/// in the catalogue.
pub(crate) const WIRE_ORDER: PerSignal<SignalId> = order();

const _: () = assert!(khor_fleet::SIGNALS.len() == SignalId::COUNT);

const fn positions() -> PerSignal<usize> {
    let mut positions = [0; SignalId::COUNT];
    let mut i = 0;
    while i < positions.len() {
        positions[i] = position(SIGNALS[i].name);
        i += 1;
    }
    positions
}

const fn order() -> PerSignal<SignalId> {
    let mut order = [SignalId::Exec; SignalId::COUNT];
    let mut i = 0;
    while i < order.len() {
        order[WIRE_POSITIONS[i]] = SIGNALS[i].id;
        i += 1;
    }
    order
}

const fn position(name: &str) -> usize {
    let mut position = 0;
    while !is_same(name.as_bytes(), khor_fleet::SIGNALS[position].as_bytes()) {
        position += 1;
    }
    position
}

const fn is_same(a: &[u8], b: &[u8]) -> bool {
    let mut i = 0;
    while i < a.len() && i < b.len() && a[i] == b[i] {
        i += 1;
    }
    i == a.len() && i == b.len()
}

/// The names and ids that a host writes into its messages.
#[derive(Clone, Debug)]
pub struct Identity {
    host: Name,
    section: Option<Name>,
    instance: u32,
    pub(crate) boot_id: Option<[u8; 16]>,
}

impl Identity {
    /// Creates the identity of a relay that has just started, with a random instance number.
    pub fn new(host: Name, section: Option<Name>) -> Self {
        Self { host, section, instance: fastrand::u32(..), boot_id: None }
    }

    /// Creates the frame for a reading and the catalogue of its lanes. Without a reading, every
    /// signal is missing. Drops added lanes that do not fit.
    pub fn frame(
        &self,
        seq: u64,
        Clocks { monotonic_ms, wall_ms }: Clocks,
        kind: Option<SourceKind>,
        reading: Option<(&Reading, &Catalogue)>,
    ) -> Frame {
        let signal = |id| reading.and_then(|(reading, _)| encode_signal(reading, id));
        let mut version = env!("CARGO_PKG_VERSION").to_owned();
        version.truncate(Frame::MAX_VERSION_LEN);
        let mut frame = Frame {
            host: self.host.clone(),
            section: self.section.clone(),
            boot_id: self.boot_id,
            instance: self.instance,
            seq,
            monotonic_ms,
            wall_ms,
            version,
            source: match kind {
                Some(SourceKind::Collector) => Source::Collector,
                Some(SourceKind::Demo | SourceKind::Capture) => Source::Demo,
                Some(SourceKind::Proc | SourceKind::Site) | None => Source::Proc,
            },
            learnt: reading.map_or(0, |(reading, _)| lane_signal::to_255(reading.learnt)),
            signals: WIRE_ORDER.into_iter().map(signal).collect(),
            added: reading.map_or_else(Vec::new, |(reading, lanes)| added_lanes::encode(reading, lanes)),
        };
        frame.fit();
        frame
    }

    /// The message for a cue. If `redacted`, the message does not identify the process.
    pub(crate) fn cue(&self, cue: &khor_proto::Cue, redacted: bool) -> Cue {
        Cue {
            host: self.host.clone(),
            instance: self.instance,
            monotonic_ms: cue.t_ns / 1_000_000,
            wall_ms: Clocks::now().wall_ms,
            kind: cue.kind.name().to_owned(),
            pid: cue.pid.filter(|_| !redacted),
            comm: cue.comm.clone().filter(|comm| !redacted && comm.len() <= Cue::MAX_COMM_LEN),
            detail: cue.detail,
        }
    }
}

fn encode_signal(reading: &Reading, id: SignalId) -> Option<Signal> {
    Some(lane_signal::encode(reading.lanes[id]?, reading.rates[id]?, reading.baselines[id]?))
}

/// Decodes the reading in a frame. The host's relay has already computed the rates and levels in
/// the frame. `catalogue` assigns the ids of added lanes, and receives unknown lanes. If a lane is
/// dropped, also returns the reason.
pub(crate) fn reading(frame: &Frame, catalogue: &mut Catalogue) -> (Reading, Option<DropReason>) {
    let signals = WIRE_POSITIONS.map(|position| frame.signals.get(position).copied().flatten());
    let mut reading = Reading {
        t_ns: frame.monotonic_ms.saturating_mul(1_000_000),
        lanes: signals.map(|signal| signal.map(lane_signal::decode)).into(),
        rates: signals.map(|signal| Some(signal?.rate.into())).into(),
        baselines: signals.map(|signal| Some(signal?.baseline.into())).into(),
        learnt: lane_signal::from_255(frame.learnt),
        counter_rates: [None; Counter::ALL.len()],
    };
    let drop_reason = added_lanes::decode(frame, catalogue, &mut reading);
    (reading, drop_reason)
}

/// The times that a message contains.
#[derive(Clone, Copy, Debug)]
pub struct Clocks {
    /// Time on `CLOCK_BOOTTIME`, milliseconds. The collector's samples use the same clock.
    pub monotonic_ms: u64,
    /// Wall clock, milliseconds since 1970.
    pub wall_ms: u64,
}

impl Clocks {
    /// The current times.
    pub(crate) fn now() -> Self {
        let monotonic_ms = clock_gettime(ClockId::CLOCK_BOOTTIME)
            .map_or(0, |t| t.tv_sec() as u64 * 1000 + t.tv_nsec() as u64 / 1_000_000);
        Self { monotonic_ms, wall_ms: now_unix_ms() }
    }
}

/// Converts a boot id to 16 bytes. `text` is in the kernel's format.
pub(super) fn boot_id(text: &str) -> Option<[u8; 16]> {
    let digits: String = text.trim().chars().filter(|c| *c != '-').collect();
    let number = u128::from_str_radix(&digits, 16).ok()?;
    (digits.len() == 32).then(|| number.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use khor_fleet::Message;
    use khor_signal::{Lane, LaneDefinition, LaneId, Pipeline, Scaling, deviating_reading, test_lane};
    use khor_source::DemoSource;

    use super::*;

    #[test]
    fn every_signal_is_on_the_wire_once() {
        assert_eq!(WIRE_ORDER.map(|id| id.info().name), khor_fleet::SIGNALS);
        assert!(SIGNALS.iter().all(|info| WIRE_ORDER[WIRE_POSITIONS[info.id.index()]] == info.id));
    }

    #[test]
    fn a_reading_survives_encoding() {
        let (mut demo, mut pipeline) = (DemoSource::new(1), Pipeline::new(Scaling::default()));
        let reading = (0..1250).filter_map(|_| pipeline.push(demo.advance(20_000_000))).last().unwrap();
        let host = Name::new("web-1").unwrap();
        let (identity, kernel) = (Identity::new(host, None), Catalogue::kernel());
        let kind = Some(SourceKind::Collector);
        let frame = identity.frame(7, Clocks::now(), kind, Some((&reading, &kernel)));
        let bytes = frame.write().unwrap();
        println!("a typical frame has {} bytes", bytes.len());
        let read = Frame::read(&bytes).unwrap();
        let (decoded, _) = super::reading(&read, &mut Catalogue::kernel());
        for (lane, expected) in decoded.lanes.values().zip(reading.lanes.values()) {
            let (lane, expected) = (lane.unwrap(), expected.unwrap());
            assert!((lane.deviation - expected.deviation).abs() < 0.01);
            assert!((lane.level - expected.level).abs() < 0.01);
        }
        assert_eq!(decoded.rates, reading.rates.map(|rate| rate.map(|rate| f64::from(rate as f32))));
        assert!(read.monotonic_ms > 0 && read.wall_ms > read.monotonic_ms);
    }

    #[test]
    fn a_redacted_cue_names_no_process() {
        let cue = khor_proto::Cue {
            kind: khor_proto::CueKind::Crash,
            t_ns: 5_000_000,
            pid: Some(7),
            comm: Some("secret".into()),
            cgroup_id: Some(9),
            detail: Some(11),
        };
        let identity = Identity::new(Name::new("web-1").unwrap(), None);
        let (whole, redacted) = (identity.cue(&cue, false), identity.cue(&cue, true));
        assert_eq!((whole.pid, whole.comm.as_deref()), (Some(7), Some("secret")));
        assert_eq!((redacted.pid, redacted.comm, redacted.detail), (None, None, Some(11)));
    }

    #[test]
    fn a_boot_id_is_sixteen_bytes() {
        let id = boot_id("0f000000-0000-0000-0000-0000000000ff\n").unwrap();
        assert_eq!((id[0], id[15]), (15, 255));
        assert_eq!(boot_id(""), None);
    }

    /// Returns a catalogue with lanes of these names, and a reading with a value for each of them.
    fn host(names: &[&str]) -> (Catalogue, Reading) {
        let mut catalogue = Catalogue::kernel();
        let mut reading = deviating_reading(SignalId::Rx, 1.0);
        for (name, deviation) in names.iter().zip(1_u8..) {
            let id = catalogue.add(test_lane(name)).unwrap();
            let lane = Lane { level: 1.0, deviation: deviation.into(), surprise: 0.0 };
            reading.lanes.set(id, Some(lane));
            reading.rates.set(id, Some(12.5));
            reading.baselines.set(id, Some(2.5));
        }
        (catalogue, reading)
    }

    fn sent(name: &str, (catalogue, reading): &(Catalogue, Reading)) -> Frame {
        let identity = Identity::new(Name::new(name).unwrap(), None);
        let frame = identity.frame(0, Clocks::now(), Some(SourceKind::Collector), Some((reading, catalogue)));
        Frame::read(&frame.write().unwrap()).unwrap()
    }

    #[test]
    fn lanes_of_hosts_are_matched_by_name() {
        let mut site = Catalogue::kernel();
        let (first, _) = reading(&sent("a", &host(&["queue", "jobs"])), &mut site);
        let (second, left_out) = reading(&sent("b", &host(&["jobs", "mails"])), &mut site);
        assert_eq!(left_out, None);
        let deviations = |reading: &Reading| {
            ["queue", "jobs", "mails"].map(|name| {
                let id = site.find(name).unwrap().id;
                reading.lanes.value(id).map(|lane| lane.deviation)
            })
        };
        assert_eq!(deviations(&first), [Some(1.0), Some(2.0), None]);
        assert_eq!(deviations(&second), [None, Some(1.0), Some(2.0)]);
        let jobs = site.find("jobs").unwrap();
        let expected = LaneDefinition { scale: jobs.scale, ..test_lane("jobs") };
        assert_eq!((jobs.definition(), second.rates.value(jobs.id)), (expected, Some(12.5)));
    }

    #[test]
    fn a_lane_never_replaces_a_signal() {
        let mut frame = sent("a", &host(&["queue"]));
        frame.added[0].name = "rx".into();
        let mut site = Catalogue::kernel();
        let (reading, left_out) = reading(&frame, &mut site);
        assert_eq!((site.added().len(), reading.lanes.added.len()), (0, 0));
        assert_eq!(reading.lanes[SignalId::Rx], None);
        let why = left_out.unwrap().to_string();
        assert_eq!(why, "a lane named rx exists already; choose another name");
    }

    #[test]
    fn a_lane_of_another_unit_is_dropped() {
        let mut site = Catalogue::kernel();
        let (first, _) = reading(&sent("a", &host(&["queue"])), &mut site);
        let mut frame = sent("b", &host(&["queue", "jobs"]));
        frame.added[0].unit = "B".into();
        let (second, left_out) = reading(&frame, &mut site);
        let value = |reading: &Reading, name: &str| reading.rates.value(site.find(name).unwrap().id);
        assert_eq!([value(&first, "queue"), value(&second, "queue")], [Some(12.5), None]);
        assert_eq!(value(&second, "jobs"), Some(12.5), "the other lanes are kept");
        let why = left_out.unwrap().to_string();
        assert_eq!(why, "the lane queue has the unit \"B\", but \"1/s\" at other hosts; choose another name");
    }

    #[test]
    fn lanes_that_do_not_fit_are_dropped() {
        let names: Vec<String> = (0..LaneId::MAX_ADDED).map(|number| format!("{number:x>32}")).collect();
        let host = host(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let frame = sent("a", &host);
        assert!((5..20).contains(&frame.added.len()), "{} lanes fit", frame.added.len());
        assert_eq!(added_lanes::count(&host.1), LaneId::MAX_ADDED);
    }

    #[test]
    fn hosts_cannot_exceed_the_catalogue() {
        let mut site = Catalogue::kernel();
        for number in 0..20 {
            let names: Vec<String> = (0..5).map(|lane| format!("lane-{number}-{lane}")).collect();
            let host = host(&names.iter().map(String::as_str).collect::<Vec<_>>());
            let (reading, left_out) = reading(&sent("a", &host), &mut site);
            assert!(reading.lanes.added.len() <= LaneId::MAX_ADDED);
            assert_eq!(left_out.is_some(), 5 * (number + 1) > LaneId::MAX_ADDED);
        }
        assert_eq!(site.iter().len(), LaneId::MAX);
    }
}

//! The listener to a site: many machines' readings become one, and those that stand out have the voices.

use std::{sync::Arc, time::Instant};

use super::Listener;
use crate::engine::{
    conductor::Command,
    stage::Staged,
    state::{Alone, HeardCue},
};
use khor_music::CueSound;
use khor_output::osc;
use khor_signal::{Counter, Reading};
use khor_site::{Admission, FleetEvent, Site};

impl Listener {
    pub(super) fn fleet(&mut self, event: FleetEvent) {
        match event {
            FleetEvent::Site(site) if self.alone.is_some() => self.one(site),
            FleetEvent::Site(site) => self.site(site),
            FleetEvent::Cue { host, cue, admission } => {
                self.cue(&cue, Some((host.to_string(), admission)));
            }
            FleetEvent::Lost(host) => self.host_changed(CueSound::Lost, host.to_string()),
            FleetEvent::Back(host) => self.host_changed(CueSound::Found, host.to_string()),
        }
    }

    /// A host that goes is heard like a source that goes, and so is its return.
    fn host_changed(&mut self, kind: CueSound, host: String) {
        let name = kind.name();
        self.state.lock().cue(HeardCue { host: Some(host.clone()), ..HeardCue::of(name) });
        if self.hears(Some(&host)) {
            self.conductor.send(Command::Cue(kind));
            self.osc.send(osc::OscEvent::Cue(name, host, 0));
        }
    }

    fn site(&mut self, site: Arc<Site>) {
        let staged = self.stage.look_at(self.mode, &site, &self.heard);
        self.hear_site(Arc::clone(&site), staged.reading, None, staged);
    }

    /// What is heard of a site now, for who plays, for OSC and for all who look.
    pub(super) fn hear_site(
        &self,
        site: Arc<Site>,
        reading: Option<Reading>,
        alone: Option<Alone>,
        staged: Staged,
    ) {
        if let Some(reading) = &reading {
            self.osc.send(osc::OscEvent::Lanes(reading.lanes));
        }
        let mut seen = self.state.lock();
        // When nobody sends nothing is known; counters never are.
        seen.reading = None;
        seen.read(&[None; Counter::ALL.len()], reading, Instant::now());
        seen.counters = None;
        seen.alone = alone;
        seen.fleet(site, staged);
    }

    /// Something happened, on this machine or on a host: it is heard, shown and sent.
    pub(super) fn cue(&mut self, cue: &khor_proto::Cue, from: Option<(String, Admission)>) {
        let (host, admission) = from.unzip();
        let is_heard = self.hears(host.as_deref());
        let share = host.clone().filter(|_| admission.is_some_and(|admission| admission.has_share));
        self.state.cue(cue, host, share);
        if !is_heard {
            return;
        }
        let sounds = admission.is_none_or(|admission| admission.sounds);
        if let Some(kind) = CueSound::for_event(cue.kind).filter(|_| sounds) {
            self.conductor.send(Command::Cue(kind));
        }
        let (comm, pid) = (cue.comm.clone().unwrap_or_default(), cue.pid.unwrap_or(0));
        self.osc.send(osc::OscEvent::Cue(cue.kind.name(), comm, pid));
    }
}

//! The events of a site: snapshots go to the stage, cues to the conductor, and both to the state
//! and OSC.

use std::{sync::Arc, time::Instant};

use khor_music::CueKind;
use khor_output::osc;
use khor_signal::{Counter, Reading};
use khor_site::{Admission, FleetEvent, Site};

use super::Listener;
use crate::engine::{
    conductor::Command,
    stage::Staged,
    state::{Alone, HeardCue},
};

impl Listener {
    pub(super) fn fleet(&mut self, event: FleetEvent) {
        match event {
            FleetEvent::Site(site) if self.alone.is_some() => self.site_with_one_host(site),
            FleetEvent::Site(site) => self.site(site),
            FleetEvent::Cue { host, cue, admission } => {
                self.cue(&cue, Some((host.to_string(), admission)));
            }
            FleetEvent::Lost(host) => self.host_changed(CueKind::Lost, host.to_string()),
            FleetEvent::Back(host) => self.host_changed(CueKind::Found, host.to_string()),
        }
    }

    /// A lost host sounds like a lost source, and a returning host like a returning source.
    fn host_changed(&mut self, kind: CueKind, host: String) {
        let name = kind.name();
        self.state.lock().cue(HeardCue { host: Some(host.clone()), ..HeardCue::of(name) });
        if self.is_selected(Some(&host)) {
            self.conductor.send(Command::Cue(kind));
            self.osc.send(osc::OscEvent::Cue(name, host, 0));
        }
    }

    fn site(&mut self, site: Arc<Site>) {
        let staged = self.stage.choose(self.mode, &site, &self.heard);
        self.publish_site(Arc::clone(&site), staged.reading, None, staged);
    }

    /// Publishes a snapshot of the site to the state and to OSC.
    pub(super) fn publish_site(
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
        // Without a reading, all values are unknown. A site has no counters.
        seen.reading = None;
        seen.read(&[None; Counter::ALL.len()], reading, Instant::now());
        seen.counters = None;
        seen.alone = alone;
        seen.fleet(site, staged);
    }

    /// Takes a cue of this machine, or of a host.
    pub(super) fn cue(&mut self, cue: &khor_proto::Cue, from: Option<(String, Admission)>) {
        let (host, admission) = from.unzip();
        let is_heard = self.is_selected(host.as_deref());
        let share = host.clone().filter(|_| admission.is_some_and(|admission| admission.has_share));
        self.state.cue(cue, host, share);
        if !is_heard {
            return;
        }
        let sounds = admission.is_none_or(|admission| admission.sounds);
        if let Some(kind) = CueKind::of(cue.kind).filter(|_| sounds) {
            self.conductor.send(Command::Cue(kind));
        }
        let (comm, pid) = (cue.comm.clone().unwrap_or_default(), cue.pid.unwrap_or(0));
        self.osc.send(osc::OscEvent::Cue(cue.kind.name(), comm, pid));
    }
}

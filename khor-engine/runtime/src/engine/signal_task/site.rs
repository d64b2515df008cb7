//! Plays a site. The readings of all hosts are combined into one, and the voices play the hosts
//! that stand out.

use std::{sync::Arc, time::Instant};

use khor_music::CueSound;
use khor_output::osc;
use khor_signal::{Counter, Reading};
use khor_site::{Admission, FleetEvent, Site};

use super::SignalTask;
use crate::engine::{
    conductor::Command,
    stage::StagePlan,
    state::{CueEntry, SingleHost},
};

impl SignalTask {
    /// Handles an event of the site.
    pub(super) fn fleet_event(&mut self, event: FleetEvent) {
        match event {
            FleetEvent::Site(site) if self.single_host.is_some() => self.single_host_update(site),
            FleetEvent::Site(site) => self.site_update(site),
            FleetEvent::Cue { host, cue, admission } => {
                self.cue(&cue, Some((host.to_string(), admission)));
            }
            FleetEvent::Lost(host) => self.host_changed(CueSound::Lost, host.to_string()),
            FleetEvent::Back(host) => self.host_changed(CueSound::Found, host.to_string()),
        }
    }

    /// Handles a lost or returned host. Plays the same cue as for a lost or returned source.
    fn host_changed(&mut self, kind: CueSound, host: String) {
        let name = kind.name();
        self.state.lock().add_cue(CueEntry { host: Some(host.clone()), ..CueEntry::of(name) });
        if self.is_audible(Some(&host)) {
            self.conductor.send(Command::Cue(kind));
            self.osc.send(osc::OscEvent::Cue(name, host, 0));
        }
    }

    /// Handles a frame of the site while all hosts are selected.
    fn site_update(&mut self, site: Arc<Site>) {
        let plan = self.stage.update_for_site(self.mode, &site, &self.enabled);
        self.publish_site(Arc::clone(&site), plan.reading.clone(), None, plan);
    }

    /// Stores the reading of a site in the state, and sends it over OSC.
    pub(super) fn publish_site(
        &self,
        site: Arc<Site>,
        reading: Option<Reading>,
        single_host: Option<SingleHost>,
        plan: StagePlan,
    ) {
        if let Some(reading) = &reading {
            self.osc.send(osc::OscEvent::Lanes(site.catalogue.clone(), reading.lanes.clone()));
        }
        let mut state = self.state.lock();
        state.set_catalogue(site.catalogue.clone());
        // The reading may be `None`, because no host may be sending. The counters are empty,
        // because a site has none.
        state.reading = None;
        state.add_reading(&[None; Counter::ALL.len()], reading, Instant::now());
        state.counters = None;
        state.single_host = single_host;
        state.set_site(site, plan);
    }

    /// Plays, stores and sends a cue of this machine or of a host.
    pub(super) fn cue(&mut self, cue: &khor_proto::Cue, from: Option<(String, Admission)>) {
        let (host, admission) = from.unzip();
        let is_heard = self.is_audible(host.as_deref());
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

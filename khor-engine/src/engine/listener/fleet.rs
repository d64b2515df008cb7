//! The listener to a site: many machines' readings become one, and those that stand out have the voices.

use std::{sync::Arc, time::Instant};

use khor_fleet::Name;

use super::Listener;
use crate::{
    engine::{
        conductor::Command,
        cue::heard_as,
        stage::{GroupOnStage, Known, OnStage, Staged},
        state::{Alone, HeardCue},
    },
    music::CueKind,
    output::osc,
    signal::{Counter, Reading, only},
    source::{FleetEvent, Host, Site},
};

impl Listener {
    pub(super) fn fleet(&mut self, event: FleetEvent) {
        match event {
            FleetEvent::Site(site) if self.alone.is_some() => self.one(site),
            FleetEvent::Site(site) => self.site(site),
            FleetEvent::Cue { host, cue } => self.cue(&cue, Some(host.to_string())),
            FleetEvent::Lost(host) => self.host_changed(CueKind::Lost, host.to_string()),
            FleetEvent::Back(host) => self.host_changed(CueKind::Found, host.to_string()),
        }
    }

    /// A host that goes is heard like a source that goes, and so is its return.
    fn host_changed(&mut self, kind: CueKind, host: String) {
        let name = kind.name();
        self.state.lock().cue(HeardCue { host: Some(host.clone()), ..HeardCue::of(name) });
        if self.hears(Some(&host)) {
            self.conductor.send(Command::Cue(kind));
            self.osc.send(osc::Event::Cue(name, host, 0));
        }
    }

    fn site(&mut self, site: Arc<Site>) {
        let lanes = |host: &Host| Reading { lanes: only(&host.reading.lanes, &self.heard), ..host.reading };
        let heard: Vec<(&Host, Reading)> = site.hosts.iter().map(|host| (host, lanes(host))).collect();
        let hosts: Vec<OnStage<'_>> = heard
            .iter()
            .map(|(host, reading)| OnStage {
                name: host.name.as_str(),
                section: host.section.as_ref().map(Name::as_str),
                silent: host.silent,
                reading,
            })
            .collect();
        // Of sites within the site only those that stand out are named, who are not like the others. Each signal is that of
        // all hosts for itself, so what isn't listened to can be left out afterwards.
        let groups = site.together.iter().flat_map(|together| &together.sections);
        let groups: Vec<GroupOnStage<'_>> = groups
            .map(|group| GroupOnStage {
                section: group.name.as_ref().map(Name::as_str),
                hosts: group.hosts as usize,
                lanes: group.lanes.map(|lanes| only(&lanes, &self.heard)),
            })
            .collect();
        let known = site.together.as_ref().map_or(Known::Each, |together| Known::Together {
            reading: together.reading.map(|all| Reading { lanes: only(&all.lanes, &self.heard), ..all }),
            sections: &groups,
        });
        let staged = self.stage.look(self.mode, &hosts, &known);
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
            self.osc.send(osc::Event::Lanes(reading.lanes));
        }
        let mut seen = self.state.lock();
        // When nobody sends nothing is known; counters never are.
        seen.reading = None;
        seen.read([None; Counter::ALL.len()], reading, Instant::now());
        seen.counters = None;
        seen.alone = alone;
        seen.fleet(site, staged);
    }

    /// Something happened, on this machine or on a host: it is heard, shown and sent.
    pub(super) fn cue(&mut self, cue: &khor_proto::Cue, host: Option<String>) {
        let is_heard = self.hears(host.as_deref());
        self.state.cue(cue, host);
        if !is_heard {
            return;
        }
        if let Some(kind) = heard_as(cue.kind) {
            self.conductor.send(Command::Cue(kind));
        }
        let (comm, pid) = (cue.comm.clone().unwrap_or_default(), cue.pid.unwrap_or(0));
        self.osc.send(osc::Event::Cue(cue.kind.name(), comm, pid));
    }
}

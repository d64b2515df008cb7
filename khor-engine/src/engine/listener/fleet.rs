//! The listener to a site: many machines' readings become one, and the one that stands out has the voices.

use std::{sync::Arc, time::Instant};

use super::Listener;
use crate::{
    engine::{
        conductor::Command,
        cue::heard_as,
        state::{HeardCue, Solo},
    },
    music::CueKind,
    output::osc,
    signal::{Counter, Reading, ensemble, only, standing},
    source::{FleetEvent, Site},
};

impl Listener {
    pub(super) fn fleet(&mut self, event: FleetEvent) {
        match event {
            FleetEvent::Site(site) => self.site(site),
            FleetEvent::Cue { host, cue } => self.cue(&cue, Some(host.to_string())),
            FleetEvent::Lost(host) => self.host_changed(CueKind::Lost, host.to_string()),
            FleetEvent::Back(host) => self.host_changed(CueKind::Found, host.to_string()),
        }
    }

    /// A host that goes is heard like a source that goes, and so is its return.
    fn host_changed(&mut self, kind: CueKind, host: String) {
        self.conductor.send(Command::Cue(kind));
        let name = kind.name();
        self.state.lock().cue(HeardCue { host: Some(host.clone()), ..HeardCue::of(name) });
        self.osc.send(osc::Event::Cue(name, host, 0));
    }

    fn site(&mut self, site: Arc<Site>) {
        let now = Instant::now();
        let live = || site.hosts.iter().filter(|host| !host.silent);
        // Kept from one look to the next: what is listened to of each host.
        self.hosts_lanes.clear();
        self.hosts_lanes.extend(live().map(|host| only(&host.reading.lanes, &self.heard)));
        let chosen = self.soloist.choose(live().map(|host| &host.name).zip(&self.hosts_lanes));
        let solo = chosen.and_then(|name| {
            let (host, lanes) = live().zip(&self.hosts_lanes).find(|(host, _)| host.name == *name)?;
            let (signal, deviation) = standing(lanes)?;
            let section = host.section.as_ref().map(ToString::to_string);
            let reading = Reading { lanes: *lanes, ..host.reading };
            Some(Solo { host: name.to_string(), section, signal, deviation, reading })
        });
        // Of sites within the site only those that stand out are named, who are not like the others. Each signal is that of all
        // hosts for itself, so what isn't listened to can be left out afterwards.
        let together =
            if site.sites.is_empty() { ensemble(live().map(|host| &host.reading)) } else { site.together };
        let reading = together.map(|reading| Reading { lanes: only(&reading.lanes, &self.heard), ..reading });
        if let Some(reading) = &reading {
            self.osc.send(osc::Event::Lanes(reading.lanes));
        }
        let mut seen = self.state.lock();
        // When nobody sends any more, nothing is known; counters never are.
        seen.reading = None;
        seen.read([None; Counter::ALL.len()], reading, now);
        seen.counters = None;
        seen.fleet(Arc::clone(&site), solo);
    }

    /// Something happened, on this machine or on a host: it is heard, shown and sent.
    pub(super) fn cue(&mut self, cue: &khor_proto::Cue, host: Option<String>) {
        if let Some(kind) = heard_as(cue.kind) {
            self.conductor.send(Command::Cue(kind));
        }
        self.state.cue(cue, host);
        let (comm, pid) = (cue.comm.clone().unwrap_or_default(), cue.pid.unwrap_or(0));
        self.osc.send(osc::Event::Cue(cue.kind.name(), comm, pid));
    }
}

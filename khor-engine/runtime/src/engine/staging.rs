//! From what is heard of a site to who is on stage. No I/O.

use khor_fleet::Name;

use super::stage::{GroupOnStage, Known, OnStage, Stage, Staged};
use crate::config::SiteMode;
use khor_signal::{PerSignal, Reading, keep_enabled};
use khor_site::{Host, Site};

impl Stage {
    /// Looks at a site, of the signals that are `heard`.
    pub fn look_at(&mut self, mode: SiteMode, site: &Site, heard: &PerSignal<bool>) -> Staged {
        let of_heard = |reading: &Reading| Reading { lanes: keep_enabled(&reading.lanes, heard), ..*reading };
        let readings: Vec<(&Host, Reading)> =
            site.hosts.iter().map(|host| (host, of_heard(&host.reading))).collect();
        let hosts: Vec<OnStage<'_>> = readings
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
                lanes: group.lanes.map(|lanes| keep_enabled(&lanes, heard)),
            })
            .collect();
        let known = site.together.as_ref().map_or(Known::Each, |together| Known::Together {
            reading: together.reading.as_ref().map(of_heard),
            sections: &groups,
        });
        self.look(mode, &hosts, &known)
    }
}

//! From what is heard of a site to who is on stage. No I/O.

use khor_fleet::Name;

use super::stage::{GroupOnStage, Known, OnStage, Stage, Staged};
use crate::config::SiteMode;
use khor_signal::{PerSignal, Reading, only};
use khor_site::{Host, Site};

impl Stage {
    /// Looks at a site, of the signals that are `heard`.
    pub fn look_at(&mut self, mode: SiteMode, site: &Site, heard: &PerSignal<bool>) -> Staged {
        let of_heard = |reading: &Reading| Reading { lanes: only(&reading.lanes, heard), ..*reading };
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
        let groups = site.summary.iter().flat_map(|summary| &summary.sections);
        let groups: Vec<GroupOnStage<'_>> = groups
            .map(|group| GroupOnStage {
                section: group.name.as_ref().map(Name::as_str),
                hosts: group.hosts as usize,
                lanes: group.lanes.map(|lanes| only(&lanes, heard)),
            })
            .collect();
        let known = site.summary.as_ref().map_or(Known::Each, |summary| Known::Together {
            reading: summary.reading.as_ref().map(of_heard),
            sections: &groups,
        });
        self.look(mode, &hosts, &known)
    }
}

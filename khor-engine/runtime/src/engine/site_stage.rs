//! Passes a site to the stage, with the selected signals only. No I/O.

use khor_fleet::Name;
use khor_music::SiteMode;
use khor_signal::{PerSignal, Reading, keep_enabled};
use khor_site::{Host, Site};

use super::stage::{SiteDetail, Stage, StageHost, StagePlan, StageSection};

impl Stage {
    /// Chooses who plays in a site. `heard` are the selected signals.
    pub fn update_for_site(&mut self, mode: SiteMode, site: &Site, heard: &PerSignal<bool>) -> StagePlan {
        let only_heard =
            |reading: &Reading| Reading { lanes: keep_enabled(&reading.lanes, heard), ..reading.clone() };
        let readings: Vec<(&Host, Reading)> =
            site.hosts.iter().map(|host| (host, only_heard(&host.reading))).collect();
        let hosts: Vec<StageHost<'_>> = readings
            .iter()
            .map(|(host, reading)| StageHost {
                name: host.name.as_str(),
                section: host.section.as_ref().map(Name::as_str),
                silent: host.silent,
                reading,
            })
            .collect();
        // Each signal of a sum is independent of the others, so unselected signals can be removed
        // here.
        let groups = site.summary.iter().flat_map(|summary| &summary.sections);
        let groups: Vec<StageSection<'_>> = groups
            .map(|group| StageSection {
                section: group.name.as_ref().map(Name::as_str),
                hosts: group.hosts as usize,
                lanes: group.lanes.as_ref().map(|lanes| keep_enabled(lanes, heard)),
            })
            .collect();
        let detail = site.summary.as_ref().map_or(SiteDetail::Each, |summary| SiteDetail::Together {
            reading: summary.reading.as_ref().map(only_heard),
            sections: &groups,
        });
        self.update(mode, &hosts, &detail)
    }
}

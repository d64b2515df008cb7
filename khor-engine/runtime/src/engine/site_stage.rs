//! Converts a site to the input of [`Stage`], which chooses the hosts and sections that play. Uses
//! only enabled signals, and does no I/O.

use khor_fleet::Name;
use khor_music::SiteMode;
use khor_signal::{PerSignal, Reading, keep_enabled};
use khor_site::{Host, Site};

use super::stage::{SiteDetail, Stage, StageHost, StagePlan, StageSection};

impl Stage {
    /// Chooses which hosts and sections of a site play. `enabled` contains the signals that the
    /// configuration enables. All other signals are ignored.
    pub fn update_for_site(&mut self, mode: SiteMode, site: &Site, enabled: &PerSignal<bool>) -> StagePlan {
        let only_enabled =
            |reading: &Reading| Reading { lanes: keep_enabled(&reading.lanes, enabled), ..reading.clone() };
        let readings: Vec<(&Host, Reading)> =
            site.hosts.iter().map(|host| (host, only_enabled(&host.reading))).collect();
        let hosts: Vec<StageHost<'_>> = readings
            .iter()
            .map(|(host, reading)| StageHost {
                name: host.name.as_str(),
                section: host.section.as_ref().map(Name::as_str),
                silent: host.silent,
                reading,
            })
            .collect();
        // Each signal is summed separately, so disabled signals can be removed after the sum over
        // hosts.
        let groups = site.summary.iter().flat_map(|summary| &summary.sections);
        let groups: Vec<StageSection<'_>> = groups
            .map(|group| StageSection {
                section: group.name.as_ref().map(Name::as_str),
                hosts: group.hosts as usize,
                lanes: group.lanes.as_ref().map(|lanes| keep_enabled(lanes, enabled)),
            })
            .collect();
        let detail = site.summary.as_ref().map_or(SiteDetail::Each, |summary| SiteDetail::Together {
            reading: summary.reading.as_ref().map(only_enabled),
            sections: &groups,
        });
        self.update(mode, &hosts, &detail)
    }
}

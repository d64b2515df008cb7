//! Plays one host of a site as if it were this machine: its reading and its cues only.
//!
//! The relay of the host learns the baseline, so this engine learns none.

use std::sync::Arc;

use khor_fleet::Name;
use khor_signal::{Reading, keep_enabled};
use khor_site::{Host, Site};
use khor_source::Shortfall;

use super::SignalTask;
use crate::engine::{
    stage::{Stage, StagePlan},
    state::SingleHost,
};

impl SignalTask {
    /// Selects the host that is played, or all hosts.
    pub(super) fn select_host(&mut self, single_host: Option<Name>) {
        if single_host == self.single_host {
            return;
        }
        self.single_host = single_host;
        self.stage = Stage::default();
        let mut state = self.state.lock();
        state.plan = self.empty_plan();
        // The history belongs to other hosts.
        state.history.clear();
        let site = state.site.clone();
        state.single_host =
            site.and_then(|site| self.find_single_host(&site).map(|(single_host, _)| single_host));
    }

    /// Handles a frame of the site while a single host is selected.
    pub(super) fn single_host_update(&mut self, site: Arc<Site>) {
        let Some((single_host, host)) = self.find_single_host(&site) else { return };
        let reading = host
            .filter(|_| single_host.shortfall.is_none())
            .map(|host| &host.reading)
            .map(|reading| Reading { lanes: keep_enabled(&reading.lanes, &self.heard), ..reading.clone() });
        self.publish_site(Arc::clone(&site), reading, Some(single_host), self.empty_plan());
    }

    /// The plan without soloists, for a single host.
    fn empty_plan(&self) -> StagePlan {
        StagePlan { mode: self.mode, ..StagePlan::default() }
    }

    /// The selected host, if any, and its state in the site.
    fn find_single_host<'a>(&self, site: &'a Site) -> Option<(SingleHost, Option<&'a Host>)> {
        let name = self.single_host.as_ref()?;
        let host = site.hosts.iter().find(|host| host.name == *name);
        let shortfall = match host {
            None => Some(Shortfall {
                error: format!("host {name} has not been heard in site {}", site.name),
                fix: format!(
                    "start khor relay --site {} --host {name} there, name another host as site.host, or hear all with khor config site.host null",
                    site.name
                ),
            }),
            Some(host) if host.silent => Some(Shortfall {
                error: format!("host {name} has stopped sending"),
                fix: "see there with systemctl status khor-relay, or hear all hosts with khor config site.host null"
                    .into(),
            }),
            Some(_) => None,
        };
        Some((SingleHost { host: name.to_string(), shortfall }, host))
    }

    /// Whether cues of this host, or of this machine, are played.
    pub(super) fn is_audible(&self, host: Option<&str>) -> bool {
        match (host, &self.single_host) {
            (Some(host), Some(single_host)) => host == single_host.as_str(),
            _ => true,
        }
    }
}

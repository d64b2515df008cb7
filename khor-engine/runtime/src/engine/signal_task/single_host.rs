//! Plays a single host of a site as if it were this machine. All other hosts of the site are
//! ignored.
//!
//! The relay on the host learns the host's baseline, so this engine learns none.

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
    /// Selects the host that plays. `None` selects all hosts.
    pub(super) fn select_host(&mut self, single_host: Option<Name>) {
        if single_host == self.single_host {
            return;
        }
        self.single_host = single_host;
        self.stage = Stage::default();
        let mut state = self.state.lock();
        state.plan = self.empty_plan();
        // Clear the history, because it belongs to the previous selection.
        state.history.clear();
        let site = state.site.clone();
        state.single_host =
            site.and_then(|site| self.find_single_host(&site).map(|(single_host, _)| single_host));
    }

    /// Handles a frame of the site while one host is selected.
    pub(super) fn single_host_update(&mut self, site: Arc<Site>) {
        let Some((single_host, host)) = self.find_single_host(&site) else { return };
        let reading = host
            .filter(|_| single_host.shortfall.is_none())
            .map(|host| &host.reading)
            .map(|reading| Reading { lanes: keep_enabled(&reading.lanes, &self.enabled), ..reading.clone() });
        self.publish_site(Arc::clone(&site), reading, Some(single_host), self.empty_plan());
    }

    /// The plan for a single host, which has no soloists.
    fn empty_plan(&self) -> StagePlan {
        StagePlan { mode: self.mode, ..StagePlan::default() }
    }

    /// If a host is selected, returns it. The second value is the host's data, or `None` if the
    /// site has received no message from this host.
    fn find_single_host<'a>(&self, site: &'a Site) -> Option<(SingleHost, Option<&'a Host>)> {
        let name = self.single_host.as_ref()?;
        let host = site.hosts.iter().find(|host| host.name == *name);
        let shortfall = match host {
            None => Some(Shortfall {
                error: format!("site {} has received no message from host {name}", site.name),
                fix: format!(
                    "run khor relay --site {} --host {name} on that host, or play all hosts: khor config site.host null",
                    site.name
                ),
            }),
            Some(host) if host.silent => Some(Shortfall {
                error: format!("host {name} has stopped sending"),
                fix: "run systemctl status khor-relay on that host, or play all hosts: khor config site.host null"
                    .into(),
            }),
            Some(_) => None,
        };
        Some((SingleHost { host: name.to_string(), shortfall }, host))
    }

    /// Returns whether khor plays cues of `host`. Cues of this machine (`host` is `None`) always
    /// play.
    pub(super) fn is_audible(&self, host: Option<&str>) -> bool {
        match (host, &self.single_host) {
            (Some(host), Some(single_host)) => host == single_host.as_str(),
            _ => true,
        }
    }
}

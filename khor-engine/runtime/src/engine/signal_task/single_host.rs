//! One host of a site, heard as if it were this machine: its reading is what is played, its cues are those that sound.
//!
//! Its relay knows what is ordinary there, so nothing is learnt here and nothing has to be learnt again for another host.

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
    /// Hears one host alone from now on, or all of them.
    pub(super) fn select_host(&mut self, single_host: Option<Name>) {
        if single_host == self.single_host {
            return;
        }
        self.single_host = single_host;
        self.stage = Stage::default();
        let mut state = self.state.lock();
        state.plan = self.empty_plan();
        // What was heard until now was somebody else.
        state.history.clear();
        let site = state.site.clone();
        state.single_host =
            site.and_then(|site| self.find_single_host(&site).map(|(single_host, _)| single_host));
    }

    /// All hosts at one instant, of which one is heard.
    pub(super) fn single_host_update(&mut self, site: Arc<Site>) {
        let Some((single_host, host)) = self.find_single_host(&site) else { return };
        let reading = host
            .filter(|_| single_host.shortfall.is_none())
            .map(|host| Reading { lanes: keep_enabled(&host.reading.lanes, &self.heard), ..host.reading });
        self.publish_site(Arc::clone(&site), reading, Some(single_host), self.empty_plan());
    }

    /// One host alone has no soloists beside it.
    fn empty_plan(&self) -> StagePlan {
        StagePlan { mode: self.mode, ..StagePlan::default() }
    }

    /// The host that is heard alone, if one is, and what is known of it.
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

    /// Whether what happens on a host, or on this machine, is to be heard.
    pub(super) fn is_audible(&self, host: Option<&str>) -> bool {
        match (host, &self.single_host) {
            (Some(host), Some(single_host)) => host == single_host.as_str(),
            _ => true,
        }
    }
}

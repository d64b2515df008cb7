//! One host of a site, heard as if it were this machine: its reading is what is played, its cues are those that sound.
//!
//! Its relay knows what is ordinary there, so nothing is learnt here and nothing has to be learnt again for another host.

use std::sync::Arc;

use khor_fleet::Name;

use super::Listener;
use crate::engine::{
    stage::{Stage, Staged},
    state::Alone,
};
use khor_signal::{Reading, keep_enabled};
use khor_site::{Host, Site};
use khor_source::Shortfall;

impl Listener {
    /// Hears one host alone from now on, or all of them.
    pub(super) fn hear(&mut self, alone: Option<Name>) {
        if alone == self.alone {
            return;
        }
        self.alone = alone;
        self.stage = Stage::default();
        let mut seen = self.state.lock();
        seen.staged = self.nobody();
        // What was heard until now was somebody else.
        seen.history.clear();
        let site = seen.site.clone();
        seen.alone = site.and_then(|site| self.is_how(&site).map(|(alone, _)| alone));
    }

    /// All hosts at one instant, of which one is heard.
    pub(super) fn one(&mut self, site: Arc<Site>) {
        let Some((alone, host)) = self.is_how(&site) else { return };
        let reading = host
            .filter(|_| alone.shortfall.is_none())
            .map(|host| Reading { lanes: keep_enabled(&host.reading.lanes, &self.heard), ..host.reading });
        self.hear_site(Arc::clone(&site), reading, Some(alone), self.nobody());
    }

    /// One host alone has no soloists beside it.
    fn nobody(&self) -> Staged {
        Staged { mode: self.mode, ..Staged::default() }
    }

    /// The host that is heard alone, if one is, and what is known of it.
    fn is_how<'a>(&self, site: &'a Site) -> Option<(Alone, Option<&'a Host>)> {
        let name = self.alone.as_ref()?;
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
        Some((Alone { host: name.to_string(), shortfall }, host))
    }

    /// Whether what happens on a host, or on this machine, is to be heard.
    pub(super) fn hears(&self, host: Option<&str>) -> bool {
        match (host, &self.alone) {
            (Some(host), Some(alone)) => host == alone.as_str(),
            _ => true,
        }
    }
}

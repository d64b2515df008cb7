//! Plays one host of a site as if it were this machine: only its reading and its cues sound.
//!
//! The relay of the host learns the baseline, so the engine learns nothing when the host changes.

use std::sync::Arc;

use khor_fleet::Name;
use khor_signal::{Reading, only};
use khor_site::{Host, Site};
use khor_source::Shortfall;

use super::Listener;
use crate::engine::{
    stage::{Stage, Staged},
    state::Alone,
};

impl Listener {
    /// Selects one host, or all hosts.
    pub(super) fn hear(&mut self, alone: Option<Name>) {
        if alone == self.alone {
            return;
        }
        self.alone = alone;
        self.stage = Stage::default();
        let mut seen = self.state.lock();
        seen.staged = self.no_soloists();
        // The history is that of other hosts.
        seen.history.clear();
        let site = seen.site.clone();
        seen.alone = site.and_then(|site| self.selected_host(&site).map(|(alone, _)| alone));
    }

    /// Takes a snapshot of which only the selected host plays.
    pub(super) fn site_with_one_host(&mut self, site: Arc<Site>) {
        let Some((alone, host)) = self.selected_host(&site) else { return };
        let reading = host
            .filter(|_| alone.shortfall.is_none())
            .map(|host| Reading { lanes: only(&host.reading.lanes, &self.heard), ..host.reading });
        self.publish_site(Arc::clone(&site), reading, Some(alone), self.no_soloists());
    }

    /// Without a stage, there are no soloists.
    fn no_soloists(&self) -> Staged {
        Staged { mode: self.mode, ..Staged::default() }
    }

    /// The selected host, and its state in this snapshot; `None` if all hosts play.
    fn selected_host<'a>(&self, site: &'a Site) -> Option<(Alone, Option<&'a Host>)> {
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

    /// Whether the cues of a host, or of this machine (`None`), sound.
    pub(super) fn is_selected(&self, host: Option<&str>) -> bool {
        match (host, &self.alone) {
            (Some(host), Some(alone)) => host == alone.as_str(),
            _ => true,
        }
    }
}

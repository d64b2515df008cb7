//! `GET /api/fleet`: the hosts of the current site.

use std::collections::BTreeMap;

use khor_config::SiteMode;
use khor_music::{Register, Role, SectionPart};
use khor_signal::{SIGNALS, largest_deviation};
use khor_site::{Host, Refused, SubSite};
use khor_source::SourceKind;
use schemars::JsonSchema;
use serde::Serialize;

use crate::engine::{
    stage::SeatedSection,
    state::{EngineState, SingleHost, SourceState},
};

/// A clock that is this far off is worth a remark, milliseconds.
const CLOCK_OFF_MS: u64 = 2_000;

/// `GET /api/fleet`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the fields are documented in docs/api.md")]
pub struct FleetReport {
    pub site: Option<String>,
    pub ok: bool,
    pub error: Option<String>,
    pub fix: Option<String>,
    pub alone: Option<SingleHostReport>,
    pub mode: SiteMode,
    /// Why it isn't quite what the mode asks for.
    pub remark: Option<String>,
    /// The furthest first.
    pub soloists: Vec<String>,
    /// Sections that play by themselves.
    pub sections: Vec<SectionReport>,
    /// Turns of the roll call.
    pub turns: usize,
    /// The furthest from its ordinary first, the silent ones last.
    pub hosts: Vec<HostReport>,
    /// Sites within it, by name.
    pub sites: Vec<SubSiteReport>,
    /// Hosts that send, those of sites within it included, and those that have stopped.
    pub live: u32,
    pub silent: u32,
    /// Hosts by the version of their relay.
    pub versions: BTreeMap<String, u64>,
    pub refused: Refused,
}

/// The host that is heard as if it were this machine.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SingleHostReport {
    pub host: String,
    pub ok: bool,
    pub error: Option<String>,
    pub fix: Option<String>,
}

/// A section and what it is played with.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the fields are documented in docs/api.md")]
#[schemars(rename = "FleetSection")]
pub struct SectionReport {
    /// `null` is the rest.
    pub name: Option<String>,
    pub hosts: usize,
    pub timbre: Role,
    pub register: Register,
    pub pan: f32,
}

/// How a host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HostState {
    /// It sends.
    Live,
    /// It has stopped sending.
    Silent,
}

/// One host.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the fields are documented in docs/api.md")]
#[schemars(rename = "FleetHost")]
pub struct HostReport {
    pub name: String,
    pub section: Option<String>,
    pub via: Option<String>,
    pub state: HostState,
    pub deviation: Option<f32>,
    pub signal: Option<&'static str>,
    pub seen_ms_ago: u64,
    pub learnt: f32,
    pub source: String,
    pub version: String,
    pub clock_behind_ms: i64,
    pub clock_off: bool,
    pub missed_frames: u64,
    pub late_frames: u64,
    pub refused_messages: u64,
    pub refusal: Option<String>,
    pub used_twice: bool,
}

/// A site within the site.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the fields are documented in docs/api.md")]
#[schemars(rename = "FleetSite")]
pub struct SubSiteReport {
    pub name: String,
    pub state: HostState,
    pub live: u32,
    pub silent: u32,
    pub refused: u64,
    pub aggregators: u32,
    pub relative_error: f64,
    pub section_relative_error: Option<f64>,
    pub seen_ms_ago: u64,
}

pub(in crate::engine) fn fleet(state: &EngineState) -> FleetReport {
    let shortfall = match &state.source {
        SourceState::Up(info) if info.kind == SourceKind::Site => info.shortfall.clone(),
        SourceState::Down(shortfall) => Some(shortfall.clone()),
        _ => None,
    };
    let is_up = matches!(&state.source, SourceState::Up(info) if info.kind == SourceKind::Site);
    let Some(site) = &state.site else {
        let (error, fix) =
            ("no site is heard".to_owned(), "start khor engine --site NAME --nats URL".to_owned());
        let (error, fix) = shortfall.map_or((error, fix), |shortfall| (shortfall.error, shortfall.fix));
        return FleetReport {
            site: None,
            ok: false,
            error: Some(error),
            fix: Some(fix),
            alone: None,
            mode: state.plan.mode,
            remark: None,
            soloists: Vec::new(),
            sections: Vec::new(),
            turns: 0,
            hosts: Vec::new(),
            sites: Vec::new(),
            live: 0,
            silent: 0,
            versions: BTreeMap::new(),
            refused: Refused::default(),
        };
    };
    let mut hosts: Vec<HostReport> = site.hosts.iter().map(host).collect();
    let rank = |host: &HostReport| (host.state == HostState::Live, host.deviation.unwrap_or(f32::MIN));
    hosts.sort_by(|a, b| rank(b).0.cmp(&rank(a).0).then(rank(b).1.total_cmp(&rank(a).1)));
    let mut versions = BTreeMap::new();
    for host in &hosts {
        *versions.entry(host.version.clone()).or_default() += 1;
    }
    let (error, fix) = shortfall.map(|shortfall| (shortfall.error, shortfall.fix)).unzip();
    FleetReport {
        site: Some(site.name.to_string()),
        ok: is_up && error.is_none(),
        error,
        fix,
        alone: state.single_host.as_ref().map(alone),
        mode: state.plan.mode,
        remark: state.plan.remark.clone(),
        soloists: state.plan.furthest().iter().map(|solo| solo.host.clone()).collect(),
        sections: state.plan.benches.iter().map(section).collect(),
        turns: state.plan.turns,
        hosts,
        sites: site.sites.iter().map(sub_site).collect(),
        live: site.live,
        silent: site.silent,
        versions,
        refused: site.refused.clone(),
    }
}

fn alone(alone: &SingleHost) -> SingleHostReport {
    let SingleHost { host, shortfall } = alone.clone();
    let ok = shortfall.is_none();
    let (error, fix) = shortfall.map(|shortfall| (shortfall.error, shortfall.fix)).unzip();
    SingleHostReport { host, ok, error, fix }
}

fn section(seated: &SeatedSection) -> SectionReport {
    let SeatedSection { section, hosts, bench } = seated;
    let SectionPart { role: timbre, register, pan, .. } = *bench;
    SectionReport { name: section.clone(), hosts: *hosts, timbre, register, pan }
}

fn host(host: &Host) -> HostReport {
    let deviation = largest_deviation(&host.reading.lanes).filter(|_| !host.silent);
    let learnt = host.reading.learnt;
    HostReport {
        name: host.name.to_string(),
        section: host.section.as_ref().map(ToString::to_string),
        via: host.via.as_ref().map(ToString::to_string),
        state: if host.silent { HostState::Silent } else { HostState::Live },
        deviation: deviation.map(|(_, octaves)| octaves),
        signal: deviation.map(|(signal, _)| SIGNALS[signal.index()].name),
        seen_ms_ago: host.seen_ago.as_millis() as u64,
        learnt,
        source: format!("{:?}", host.source).to_lowercase(),
        version: host.version.clone(),
        clock_behind_ms: host.behind_ms,
        clock_off: host.behind_ms.unsigned_abs() > CLOCK_OFF_MS,
        missed_frames: host.missed,
        late_frames: host.late,
        refused_messages: host.refused,
        refusal: host.refusal.clone(),
        used_twice: host.used_twice,
    }
}

fn sub_site(site: &SubSite) -> SubSiteReport {
    let SubSite {
        name,
        silent,
        hosts,
        silent_hosts,
        refused,
        aggregators,
        relative_error,
        section_relative_error,
        seen_ago,
    } = site;
    SubSiteReport {
        name: name.to_string(),
        state: if *silent { HostState::Silent } else { HostState::Live },
        live: *hosts,
        silent: *silent_hosts,
        refused: *refused,
        aggregators: *aggregators,
        relative_error: *relative_error,
        section_relative_error: *section_relative_error,
        seen_ms_ago: seen_ago.as_millis() as u64,
    }
}

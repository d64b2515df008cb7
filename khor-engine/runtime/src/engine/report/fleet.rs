//! The report of `GET /api/fleet`: the hosts of the current site.

use std::collections::BTreeMap;

use khor_api::{
    FleetReport, HostReport, HostState, RefusedMessages, SectionReport, SingleHostReport, SubSiteReport,
    Trouble,
};
use khor_music::SectionPart;
use khor_signal::largest_deviation;
use khor_site::{Host, Refused, Site, SubSite};
use khor_source::SourceKind;

use super::convert::trouble;
use crate::engine::{
    stage::SectionPulse,
    state::{EngineState, SingleHost, SourceState},
};

/// Maximum error of a host's clock, in milliseconds. A clock with a larger error is reported as
/// wrong.
const CLOCK_OFF_MS: u64 = 2_000;

pub(in crate::engine) fn fleet(state: &EngineState) -> FleetReport {
    let shortfall = match &state.source {
        SourceState::Up(info) if info.kind == SourceKind::Site => info.shortfall.as_ref(),
        SourceState::Down(shortfall) => Some(shortfall),
        _ => None,
    };
    let trouble = shortfall.map(trouble);
    match &state.site {
        Some(site) => site_report(state, site, trouble),
        None => no_site(state, trouble),
    }
}

/// Returns the report for the time without a site, or before a site has sent its first values.
fn no_site(state: &EngineState, trouble: Option<Trouble>) -> FleetReport {
    let no_site = || Trouble::new("no site is selected", "start khor engine --site NAME --nats URL");
    FleetReport {
        site: None,
        ok: false,
        trouble: Some(trouble.unwrap_or_else(no_site)),
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
        refused: RefusedMessages::default(),
    }
}

fn site_report(state: &EngineState, site: &Site, trouble: Option<Trouble>) -> FleetReport {
    let is_up = matches!(&state.source, SourceState::Up(info) if info.kind == SourceKind::Site);
    let mut hosts: Vec<HostReport> = site.hosts.iter().map(|one| host(site, one)).collect();
    let rank = |host: &HostReport| (host.state == HostState::Live, host.deviation.unwrap_or(f32::MIN));
    hosts.sort_by(|a, b| rank(b).0.cmp(&rank(a).0).then(rank(b).1.total_cmp(&rank(a).1)));
    let mut versions = BTreeMap::new();
    for host in &hosts {
        *versions.entry(host.version.clone()).or_default() += 1;
    }
    FleetReport {
        site: Some(site.name.to_string()),
        ok: is_up && trouble.is_none(),
        trouble,
        alone: state.single_host.as_ref().map(single_host_report),
        mode: state.plan.mode,
        remark: state.plan.remark.clone(),
        soloists: state.plan.soloists_by_deviation().iter().map(|solo| solo.host.clone()).collect(),
        sections: state.plan.section_pulses.iter().map(section).collect(),
        turns: state.plan.turns,
        hosts,
        sites: site.sites.iter().map(sub_site).collect(),
        live: site.live,
        silent: site.silent,
        versions,
        refused: refused(&site.refused),
    }
}

/// The report about the single host that is selected.
fn single_host_report(single_host: &SingleHost) -> SingleHostReport {
    let trouble = single_host.shortfall.as_ref().map(trouble);
    SingleHostReport { host: single_host.host.clone(), ok: trouble.is_none(), trouble }
}

fn section(pulse: &SectionPulse) -> SectionReport {
    let SectionPulse { section, hosts, part } = pulse;
    let SectionPart { role: timbre, register, pan, .. } = *part;
    SectionReport { name: section.clone(), hosts: *hosts, timbre, register, pan }
}

fn host(site: &Site, host: &Host) -> HostReport {
    let deviation = largest_deviation(&host.reading.lanes).filter(|_| !host.silent);
    let learnt = host.reading.learnt;
    HostReport {
        name: host.name.to_string(),
        section: host.section.as_ref().map(ToString::to_string),
        via: host.via.as_ref().map(ToString::to_string),
        state: if host.silent { HostState::Silent } else { HostState::Live },
        deviation: deviation.map(|(_, octaves)| octaves),
        signal: deviation
            .and_then(|(id, _)| site.catalogue.get(id))
            .map(|lane| lane.name.as_ref().to_owned()),
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
        left_out: host.left_out.clone(),
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

fn refused(refused: &Refused) -> RefusedMessages {
    let Refused {
        oversized,
        foreign,
        version,
        malformed,
        misdirected,
        late,
        duplicate,
        crowded,
        flooded,
        nested,
        last,
    } = refused.clone();
    RefusedMessages {
        oversized,
        foreign,
        version,
        malformed,
        misdirected,
        late,
        duplicate,
        crowded,
        flooded,
        nested,
        last,
    }
}

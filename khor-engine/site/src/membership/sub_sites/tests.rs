//! Tests how the frames of several relays are combined into one sub-site.

use khor_fleet::{Change, Section, Sections};

use super::*;
use crate::testing::{plain_frame, plain_site_frame};

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn frame(instance: u32, seq: u64) -> SiteFrame {
    plain_site_frame("rack-1", instance, seq)
}

/// The sub-sites under test, and the start of the test. The methods take times in milliseconds
/// since this start.
struct Receiver(SubSites, Instant);

impl Receiver {
    fn new() -> Self {
        let now = Instant::now();
        Self(SubSites::new(now), now)
    }

    fn at(&mut self, ms: u64, frame: &SiteFrame) -> SiteOutcome {
        let now = self.1 + Duration::from_millis(ms);
        self.0.site_frame(frame, now, 1_000, &mut Catalogue::kernel())
    }

    fn fallen(&mut self, ms: u64) -> Vec<Name> {
        self.0.fallen_silent(self.1 + Duration::from_millis(ms))
    }
}

#[test]
fn one_of_two_aggregators_may_end() {
    let mut sites = Receiver::new();
    sites.at(0, &frame(1, 0));
    sites.at(0, &SiteFrame { hosts: 39, ..frame(2, 0) });
    assert_eq!(sites.at(1, &frame(1, 0)), SiteOutcome::Late);
    assert_eq!(
        (sites.0.count(), refused(&sites)),
        ((40, 2), 0),
        "each relay reports all hosts; messages that it rejected before do not count"
    );
    for ms in (200..6_000).step_by(200) {
        sites.at(ms, &SiteFrame { hosts: 39, ..frame(2, ms) });
        assert!(sites.fallen(ms).is_empty(), "one relay still reports the site");
    }
    let site = sites.0.snapshot(sites.1 + Duration::from_secs(6)).remove(0);
    assert_eq!((site.aggregators, site.hosts, site.silent), (1, 39, false));
    assert_eq!((sites.fallen(9_700).len(), sites.fallen(9_900).len(), sites.fallen(10_000).len()), (0, 1, 0));
    assert_eq!(
        sites.at(11_000, &frame(3, 0)),
        SiteOutcome::Accepted(vec![MembershipChange::Back(name("rack-1"))])
    );
}

/// The number of messages that the relays of the first site have rejected.
fn refused(sites: &Receiver) -> u64 {
    sites.0.snapshot(sites.1 + FORGOTTEN)[0].refused
}

/// The total must not decrease when a relay restarts or ends.
#[test]
fn the_count_of_rejected_messages_never_decreases() {
    let mut sites = Receiver::new();
    let refusing = |refused, frame: SiteFrame| SiteFrame { refused, ..frame };
    sites.at(0, &refusing(1_000, frame(1, 0)));
    sites.at(0, &refusing(5, frame(2, 0)));
    sites.at(200, &refusing(1_004, frame(1, 1)));
    sites.at(200, &refusing(7, frame(2, 1)));
    assert_eq!(refused(&sites), 6, "the counts of both relays are added");
    sites.at(400, &refusing(0, frame(3, 0)));
    sites.at(600, &refusing(2, frame(3, 1)));
    assert_eq!(refused(&sites), 8, "one relay was restarted");
    sites.fallen(60_000);
    assert_eq!(refused(&sites), 8, "all relays have ended");
}

/// The number of hosts in each section.
fn sections(sites: &Receiver) -> Vec<(Option<&str>, u32)> {
    sites.0.sections().map(|(name, hosts)| (name.as_ref().map(Name::as_str), *hosts)).collect()
}

fn with(groups: &[(Option<&str>, u32)], frame: SiteFrame) -> SiteFrame {
    let group = |(section, hosts): &(Option<&str>, u32)| Section {
        name: section.map(name),
        hosts: *hosts,
        signals: Vec::new(),
    };
    let groups = groups.iter().map(group).collect();
    SiteFrame { sections: Some(Sections { parts: 8, groups }), ..frame }
}

/// Each relay reports all sections. A relay that has just started reports fewer hosts, and a relay
/// of an older version reports no sections.
#[test]
fn sections_of_all_aggregators_are_counted() {
    let mut sites = Receiver::new();
    sites.at(0, &frame(1, 0));
    assert_eq!(sections(&sites), [(None, 42)], "no relay reports sections");
    sites.at(0, &with(&[(Some("db"), 10), (None, 32)], frame(2, 0)));
    sites.at(200, &with(&[(Some("db"), 3), (Some("web"), 1)], frame(3, 0)));
    assert_eq!(sections(&sites), [(None, 32), (Some("db"), 10), (Some("web"), 1)]);
    for ms in (400..6_000).step_by(200) {
        sites.at(ms, &with(&[(Some("db"), 12)], frame(3, ms)));
        sites.fallen(ms);
    }
    assert_eq!(sections(&sites), [(Some("db"), 12)], "the sections of ended relays are gone");
}

/// A section that is missing for a moment would lose its place in the music. So the previous counts
/// are kept until the new relay has been reporting for a while.
#[test]
fn a_new_aggregator_replaces_section_counts_later() {
    let mut sites = Receiver::new();
    let both = [(Some("db"), 10), (Some("web"), 32)];
    sites.at(0, &with(&both, frame(1, 0)));
    sites.fallen(5_000);
    assert_eq!(sections(&sites), both, "no relay reports the site");
    sites.at(6_000, &with(&both[1..], frame(2, 0)));
    assert_eq!(sections(&sites), both, "the relay has just started");
    sites.at(10_100, &with(&both[1..], frame(2, 50)));
    assert_eq!(sections(&sites), both[1..]);
    let error = sites.0.snapshot(sites.1)[0].section_relative_error.unwrap();
    assert!((error - (0.0625 + 0.03125)).abs() < 1e-9, "{error}");
}

/// Both relays of a site detect each change of a host, at different times.
#[test]
fn a_change_from_two_aggregators_counts_once() {
    let mut sites = Receiver::new();
    let mut report = |instance, seq, changes: &[(bool, u64)]| {
        let change = |&(is_back, wall_ms)| Change { name: name("web-1"), is_back, wall_ms };
        let changes = changes.iter().map(change).collect();
        match sites.at(seq, &SiteFrame { changes, ..frame(instance, seq) }) {
            SiteOutcome::Accepted(news) => news,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(report(1, 1, &[(false, 100)]), [MembershipChange::Lost(name("web-1"))]);
    assert_eq!(report(2, 2, &[(false, 300)]), []);
    assert_eq!(report(1, 3, &[(false, 100)]), [], "a relay repeats it for some seconds");
    assert_eq!(report(1, 4, &[(false, 100), (true, 900)]), [MembershipChange::Back(name("web-1"))]);
    assert_eq!(report(2, 5, &[(false, 300)]), [], "the other relay has not detected the return yet");
    assert_eq!(report(2, 6, &[(true, 1_200)]), []);
    assert_eq!(report(2, 7, &[(false, 9_000)]), [MembershipChange::Lost(name("web-1"))]);
}

#[test]
fn a_host_no_longer_named_is_dropped() {
    let mut sites = Receiver::new();
    let host = |seq| Frame { instance: 9, ..plain_frame("web-1", seq) };
    let named = |sites: &Receiver| {
        let at = sites.1 + Duration::from_millis(300);
        sites.0.named().map(|host| host.snapshot(at)).next()
    };
    let with = |frame: SiteFrame, seq| SiteFrame {
        deviant: vec![host(seq).write().unwrap(), b"nonsense".to_vec()],
        ..frame
    };
    sites.at(0, &with(frame(1, 0), 5));
    sites.at(100, &with(frame(2, 0), 4));
    let host = named(&sites).unwrap();
    assert_eq!((host.via, host.seen_ago.as_millis()), (Some(name("rack-1")), 300), "the newer frame counts");
    sites.fallen(1_600);
    assert!(named(&sites).is_none());
}

#[test]
fn the_number_of_aggregators_is_limited() {
    let mut sites = Receiver::new();
    for instance in 0..MOST_AGGREGATORS as u32 {
        assert!(matches!(sites.at(0, &frame(instance, 0)), SiteOutcome::Accepted(_)));
    }
    assert_eq!(sites.at(0, &frame(1_000, 0)), SiteOutcome::Crowded);
    sites.fallen(3_100);
    assert!(matches!(sites.at(3_100, &frame(1_000, 0)), SiteOutcome::Accepted(_)));
}

//! Tests that sites within a site are counted and named as their relays report.

use khor_fleet::{Change, Section, Sections, sketch::Sketch};

use super::{super::testing::plain_frame, *};

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn frame(instance: u32, seq: u64) -> SiteFrame {
    SiteFrame {
        site: name("rack-1"),
        instance,
        seq,
        wall_ms: 1_000,
        window_ms: 200,
        version: "0.1.0".into(),
        levels: 1,
        hosts: 40,
        silent: 2,
        refused: 3,
        parts: 16,
        learnt: Sketch::default(),
        signals: Vec::new(),
        deviant: Vec::new(),
        changes: Vec::new(),
        sections: None,
    }
}

struct Heard(Sites, Instant);

impl Heard {
    fn new() -> Self {
        let now = Instant::now();
        Self(Sites::new(now), now)
    }

    fn at(&mut self, ms: u64, frame: &SiteFrame) -> Taken {
        self.0.take(frame, self.1 + Duration::from_millis(ms), 1_000)
    }

    fn fallen(&mut self, ms: u64) -> Vec<Name> {
        self.0.fallen_silent(self.1 + Duration::from_millis(ms))
    }
}

#[test]
fn two_tell_of_one_site_and_one_of_them_may_go() {
    let mut heard = Heard::new();
    heard.at(0, &frame(1, 0));
    heard.at(0, &SiteFrame { hosts: 39, ..frame(2, 0) });
    assert_eq!(heard.at(1, &frame(1, 0)), Taken::Late);
    assert_eq!(
        (heard.0.count(), heard.0.refused()),
        ((40, 2), 0),
        "each relay reports all hosts; earlier refusals do not count"
    );
    for ms in (200..6_000).step_by(200) {
        heard.at(ms, &SiteFrame { hosts: 39, ..frame(2, ms) });
        assert!(heard.fallen(ms).is_empty(), "one relay still reports the site");
    }
    let site = heard.0.look(heard.1 + Duration::from_secs(6)).remove(0);
    assert_eq!((site.aggregators, site.hosts, site.silent), (1, 39, false));
    assert_eq!((heard.fallen(9_700).len(), heard.fallen(9_900).len(), heard.fallen(10_000).len()), (0, 1, 0));
    assert_eq!(heard.at(11_000, &frame(3, 0)), Taken::Newer(vec![Presence::Back(name("rack-1"))]));
}

/// A total must not fall when a relay restarts or ends, or when its site is forgotten.
#[test]
fn the_count_of_refused_messages_never_falls() {
    let mut heard = Heard::new();
    let refusing = |refused, frame: SiteFrame| SiteFrame { refused, ..frame };
    heard.at(0, &refusing(1_000, frame(1, 0)));
    heard.at(0, &refusing(5, frame(2, 0)));
    heard.at(200, &refusing(1_004, frame(1, 1)));
    heard.at(200, &refusing(7, frame(2, 1)));
    assert_eq!(heard.0.refused(), 6, "the refusals of both relays are added");
    heard.at(400, &refusing(0, frame(3, 0)));
    heard.at(600, &refusing(2, frame(3, 1)));
    assert_eq!(heard.0.refused(), 8, "one relay was restarted");
    heard.fallen(60_000);
    assert_eq!(heard.0.refused(), 8, "all relays have ended");
    heard.fallen(FORGOTTEN.as_millis() as u64 + 60_000);
    assert!(heard.0.is_empty() && heard.0.refused() == 8, "the site is forgotten");
}

/// The number of hosts of each section.
fn sections(heard: &Heard) -> Vec<(Option<&str>, u32)> {
    heard.0.sections().map(|(name, hosts)| (name.as_ref().map(Name::as_str), *hosts)).collect()
}

fn with(groups: &[(Option<&str>, u32)], frame: SiteFrame) -> SiteFrame {
    let group = |(told, hosts): &(Option<&str>, u32)| Section {
        name: told.map(name),
        hosts: *hosts,
        signals: Vec::new(),
    };
    let groups = groups.iter().map(group).collect();
    SiteFrame { sections: Some(Sections { parts: 8, groups }), ..frame }
}

/// Each relay reports all sections. A relay that has just started reports fewer hosts, and a relay
/// of an older version reports no sections.
#[test]
fn sections_are_those_that_anybody_tells_of() {
    let mut heard = Heard::new();
    heard.at(0, &frame(1, 0));
    assert_eq!(sections(&heard), [(None, 42)], "no relay reports sections");
    heard.at(0, &with(&[(Some("db"), 10), (None, 32)], frame(2, 0)));
    heard.at(200, &with(&[(Some("db"), 3), (Some("web"), 1)], frame(3, 0)));
    assert_eq!(sections(&heard), [(None, 32), (Some("db"), 10), (Some("web"), 1)]);
    for ms in (400..6_000).step_by(200) {
        heard.at(ms, &with(&[(Some("db"), 12)], frame(3, ms)));
        heard.fallen(ms);
    }
    assert_eq!(sections(&heard), [(Some("db"), 12)], "the sections of ended relays are gone");
}

/// A section that disappears loses its place, so it must not be missing for a moment.
#[test]
fn a_new_teller_is_believed_once_it_can_know() {
    let mut heard = Heard::new();
    let both = [(Some("db"), 10), (Some("web"), 32)];
    heard.at(0, &with(&both, frame(1, 0)));
    heard.fallen(5_000);
    assert_eq!(sections(&heard), both, "no relay reports the site");
    heard.at(6_000, &with(&both[1..], frame(2, 0)));
    assert_eq!(sections(&heard), both, "the relay has just started");
    heard.at(10_100, &with(&both[1..], frame(2, 50)));
    assert_eq!(sections(&heard), both[1..]);
    let error = heard.0.look(heard.1)[0].section_relative_error.unwrap();
    assert!((error - (0.0625 + 0.03125)).abs() < 1e-9, "{error}");
}

/// Both who tell of a site notice each host's going and coming, each a little later or earlier.
#[test]
fn who_goes_and_comes_is_news_once() {
    let mut heard = Heard::new();
    let mut tell = |instance, seq, changes: &[(bool, u64)]| {
        let change = |&(is_back, wall_ms)| Change { name: name("web-1"), is_back, wall_ms };
        let changes = changes.iter().map(change).collect();
        match heard.at(seq, &SiteFrame { changes, ..frame(instance, seq) }) {
            Taken::Newer(news) => news,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(tell(1, 1, &[(false, 100)]), [Presence::Lost(name("web-1"))]);
    assert_eq!(tell(2, 2, &[(false, 300)]), []);
    assert_eq!(tell(1, 3, &[(false, 100)]), [], "it is told for some seconds");
    assert_eq!(tell(1, 4, &[(false, 100), (true, 900)]), [Presence::Back(name("web-1"))]);
    assert_eq!(tell(2, 5, &[(false, 300)]), [], "the other does not know yet");
    assert_eq!(tell(2, 6, &[(true, 1_200)]), []);
    assert_eq!(tell(2, 7, &[(false, 9_000)]), [Presence::Lost(name("web-1"))]);
}

#[test]
fn a_host_that_is_named_no_more_is_as_the_others() {
    let mut heard = Heard::new();
    let host = |seq| Frame { instance: 9, ..plain_frame("web-1", seq) };
    let named = |heard: &Heard| {
        let at = heard.1 + Duration::from_millis(300);
        heard.0.named().map(|host| host.look(at)).next()
    };
    let with = |frame: SiteFrame, seq| SiteFrame {
        deviant: vec![host(seq).write().unwrap(), b"nonsense".to_vec()],
        ..frame
    };
    heard.at(0, &with(frame(1, 0), 5));
    heard.at(100, &with(frame(2, 0), 4));
    let host = named(&heard).unwrap();
    assert_eq!((host.via, host.seen_ago.as_millis()), (Some(name("rack-1")), 300), "the newer one counts");
    heard.fallen(1_600);
    assert!(named(&heard).is_none());
}

#[test]
fn there_is_an_end_to_how_many_tell() {
    let mut heard = Heard::new();
    for instance in 0..MOST_TELLERS as u32 {
        assert!(matches!(heard.at(0, &frame(instance, 0)), Taken::Newer(_)));
    }
    assert_eq!(heard.at(0, &frame(1_000, 0)), Taken::Crowded);
    heard.fallen(3_100);
    assert!(matches!(heard.at(3_100, &frame(1_000, 0)), Taken::Newer(_)));
}

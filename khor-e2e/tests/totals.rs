//! Tests that totals never fall or jump when the source changes or network devices come and go.

use std::{collections::BTreeMap, fs, net::UdpSocket, process::Command};

use khor_e2e::{
    Collector, Engine, Scrape,
    engine::program,
    load, procfs,
    skip::{root_or_skip, skip},
    wait_until,
};

/// Scrapes all totals of an engine repeatedly, and checks that none falls.
struct Scraper<'a> {
    engine: &'a Engine,
    last: BTreeMap<String, f64>,
    scrapes: u32,
}

impl<'a> Scraper<'a> {
    fn new(engine: &'a Engine) -> Self {
        Self { engine, last: BTreeMap::new(), scrapes: 0 }
    }

    /// Scrapes `/metrics` and `/api/metrics` once. A series may be missing for a while, but its
    /// total must never fall.
    fn scrape(&mut self) {
        let scrape = Scrape::of(self.engine);
        let mut totals: Vec<(String, f64)> =
            scrape.totals().map(|(series, value)| (series.to_owned(), value)).collect();
        let api = self.engine.get("/api/metrics")["totals"].clone();
        let api = api.as_object().expect("the totals of the metrics").iter();
        totals.extend(api.filter_map(|(name, value)| Some((format!("api {name}"), value.as_f64()?))));
        for (name, value) in totals {
            let before = self.last.insert(name.clone(), value).unwrap_or(0.0);
            assert!(value >= before, "{name} fell from {before} to {value} in scrape {}", self.scrapes);
        }
        self.scrapes += 1;
    }

    /// Scrapes until the engine receives counts from the source `kind`.
    fn scrape_until(&mut self, kind: &str) {
        wait_until(&format!("data from the source {kind}"), || {
            self.scrape();
            let source = &self.engine.get("/api/health")["source"];
            source["kind"] == kind && source["ok"] == true && self.engine.level("csw").is_some()
        });
        self.scrape_frames();
    }

    /// Scrapes until the source has sent several more frames.
    fn scrape_frames(&mut self) {
        for _ in 0..5 {
            let before = self.total("khor_switches_total");
            wait_until("a frame of the source", || {
                self.scrape();
                self.total("khor_switches_total") > before
            });
        }
    }

    /// The last total of a series; 0 if no scrape contained the series.
    fn total(&self, series: &str) -> f64 {
        self.last.get(series).copied().unwrap_or(0.0)
    }
}

/// The collector counts from its own start, and `/proc` from the start of the machine. If totals
/// copied these counts, they would jump or fall at each change of the source.
#[test]
fn totals_survive_change_of_source() {
    if !root_or_skip() {
        return;
    }
    let kernel = || [procfs::stat("processes"), procfs::stat("ctxt")];
    let before = kernel();
    let mut collector = Collector::start(&program("khor-collector"), &["--no-dbus"]);
    let engine = Engine::start(collector.socket(), &["--no-audio"], &[]);
    let mut scraper = Scraper::new(&engine);
    scraper.scrape_until("collector");
    for _ in 0..3 {
        load::execs(50);
        let dir = collector.into_dir();
        scraper.scrape_until("proc");
        load::execs(50);
        collector = Collector::start_in(&dir, &program("khor-collector"), &["--no-dbus"]);
        scraper.scrape_until("collector");
    }
    let after = kernel();
    for (i, series) in ["khor_forks_total", "khor_switches_total"].into_iter().enumerate() {
        let (ours, theirs) = (scraper.total(series), (after[i] - before[i]) as f64);
        println!("{series} is {ours}, and the kernel counted {theirs}, after {} scrapes", scraper.scrapes);
        assert!(ours > 0.0 && ours <= theirs, "{series} is {ours}, but the kernel counted {theirs}");
    }
}

/// Moves an interface that has sent many bytes into the engine's network namespace. Returns false
/// if `ip` fails.
fn plug_in_used_interface(engine: &Engine) -> bool {
    let pid = engine.pid();
    load::in_namespace(move || {
        let made = ip("link add khor-used type veth peer name khor-peer")
            && ip("addr add 10.99.77.1/24 dev khor-used")
            && ip("link set khor-peer up")
            && ip("link set khor-used up")
            && ip("neigh add 10.99.77.2 lladdr 02:00:00:00:77:02 dev khor-used");
        if !made {
            return false;
        }
        let socket = UdpSocket::bind("10.99.77.1:0").expect("binding a socket");
        let datagram = vec![0; 60_000];
        for _ in 0..1_000 {
            // Ignore errors: the interface's queue may be full for a moment.
            let _ = socket.send_to(&datagram, "10.99.77.2:9");
        }
        // Move both ends. If one end stayed, it would be removed together with this namespace, and
        // its removal would remove the other end.
        ip(&format!("link set khor-used netns {pid}")) && ip(&format!("link set khor-peer netns {pid}"))
    })
}

fn ip(arguments: &str) -> bool {
    Command::new("ip").args(arguments.split_whitespace()).output().is_ok_and(|output| output.status.success())
}

/// Bytes that an interface of the engine's namespace has sent; `None` without such an interface.
fn sent_bytes(engine: &Engine, interface: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{}/net/dev", engine.pid()))
        .expect("reading the engine's list of interfaces");
    let line = text.lines().find_map(|line| line.trim_start().strip_prefix(interface)?.strip_prefix(':'))?;
    line.split_whitespace().nth(8)?.parse().ok()
}

/// An interface that appears or disappears must not change a total. In other monitoring programs,
/// totals rose by 500 GB when an interface appeared, and fell when it disappeared.
#[test]
fn temporary_interface_changes_no_total() {
    /// A number of bytes that is larger than the engine's own traffic.
    const MUCH: u64 = 10_000_000;
    if !root_or_skip() {
        return;
    }
    load::in_namespace(|| {
        let engine = Engine::start("/nonexistent/collector.sock".as_ref(), &["--no-audio", "--no-bpf"], &[]);
        let mut scraper = Scraper::new(&engine);
        scraper.scrape_until("proc");
        for _ in 0..3 {
            if !plug_in_used_interface(&engine) {
                return skip("needs veth interfaces");
            }
            let used = sent_bytes(&engine, "khor-used").expect("the interface khor-used");
            assert!(used > MUCH, "the interface has sent only {used} bytes, too few for this test");
            scraper.scrape_frames();
            assert!(ip("link del khor-used"), "ip cannot remove the interface");
            scraper.scrape_frames();
        }
        let loopback = sent_bytes(&engine, "lo").expect("the loopback interface") as f64;
        let total = scraper.total("khor_tx_bytes_total");
        println!(
            "the engine's total is {total} bytes after {} scrapes; loopback sent {loopback}",
            scraper.scrapes
        );
        assert!(
            total > 0.0 && total <= loopback,
            "the engine's total is {total} bytes, but loopback sent {loopback}"
        );
    });
}

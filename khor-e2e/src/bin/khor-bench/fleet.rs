//! Measures a site with 1,000 and with 10,000 simulated hosts: what it costs the engine and the
//! relays, and the time from a host's frame to its note. The engine receives the hosts' frames
//! directly, or through two relays that share the hosts.
//!
//! The frames have the real format and pass through a real server with TLS. Two times are
//! measured. Both times begin just before the client sends the first frame in which a host stands
//! out. The first time ends when `/api/metrics` reports the host as soloist. The second time ends
//! at the onset of the host's first voice note. The second time is longer, because a note waits for
//! its place in the bar.

use std::{
    net::Ipv4Addr,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use clap::Args;
use futures_util::StreamExt;
use khor_e2e::{
    Engine,
    hosts::Hosts,
    site::{NatsServer, Relay},
    wait_until,
};
use serde_json::Value;

use crate::{
    cost::{Cost, watch_for},
    figure::Figure,
};

/// Number of relays that share a site.
const AGGREGATORS: usize = 2;
/// Length of each window in which costs are measured.
const WINDOW: Duration = Duration::from_secs(10);
/// Time between two queries for a soloist. The queries use CPU time of the engine, so costs are
/// measured at other times.
const LOOK: Duration = Duration::from_millis(10);
/// Time between two queries for all hosts. Their responses are long.
const QUERY_HOSTS_EVERY: Duration = Duration::from_millis(500);
/// Longest wait for a soloist and its note.
const PATIENCE: Duration = Duration::from_secs(20);

/// Options of the fleet measurement.
#[derive(Args)]
pub(crate) struct FleetOptions {
    /// fleet: number of hosts of a site; may be given several times
    #[arg(long, value_name = "N", default_values_t = [1_000, 10_000], value_parser = clap::value_parser!(u64).range(1..=10_000))]
    hosts: Vec<u64>,
    /// fleet: how many times a host stands out
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    trials: u64,
}

pub(crate) fn measure(options: &FleetOptions) -> Vec<Figure> {
    if !NatsServer::is_installed() {
        return vec![Figure::missing("a site", "", "no NATS server is installed")];
    }
    let mut figures = Vec::new();
    let mut rss_mib = Vec::new();
    for count in options.hosts.iter().map(|hosts| *hosts as usize) {
        for through in [false, true] {
            let (more, rss) = measure_site(count, through, options.trials as usize);
            figures.extend(more);
            if !through {
                rss_mib.push((count, rss));
            }
        }
    }
    if let [(few, of_few), .., (many, of_many)] = rss_mib[..]
        && many > few
    {
        let growth = 1024.0 * (of_many - of_few) / (many - few) as f64;
        figures.push(Figure::new("growth of the engine per host received directly", "KiB", vec![growth]));
    }
    figures
}

/// Measures a site with `count` hosts. The engine receives the hosts through relays if `through` is
/// true, and directly otherwise. Returns the figures and the engine's memory, MiB.
fn measure_site(count: usize, through: bool, trials: usize) -> (Vec<Figure>, f64) {
    let server = NatsServer::start();
    let engine = Engine::of_site(&server.options(Ipv4Addr::LOCALHOST, "engine"));
    let aggregator_options = server.options(Ipv4Addr::LOCALHOST, "aggregator");
    let relays: Vec<Relay> = (0..if through { AGGREGATORS } else { 0 })
        .map(|_| Relay::aggregate(None, ("rack", "home"), &aggregator_options))
        .collect();
    let hosts = Hosts::start(&server, if through { "rack" } else { "home" }, "h", count);
    // Pause between queries. Responses about thousands of hosts would keep the engine from
    // receiving frames.
    wait_until("the frames of all hosts", || {
        thread::sleep(QUERY_HOSTS_EVERY);
        engine.fleet().live as usize == count
    });
    let way = if through { "through two relays" } else { "directly" };
    let name = format!("{count} hosts {way}");

    let mut pids = vec![engine.pid(), server.pid()];
    pids.extend(relays.iter().map(Relay::pid));
    let (costs, busy) = watch_for(&pids, WINDOW);
    let (messages_s, bytes_s) = traffic(&server);
    let mut costs = costs.into_iter();
    let (of_engine, of_server) =
        (costs.next().expect("the engine's cost"), costs.next().expect("the server's cost"));
    let rss_mib = of_engine.rss_mib();
    let mut figures = of_engine.report(&format!("{name}, engine"));
    figures.push(Figure::new(format!("{name}, messages to the engine"), "1/s", vec![messages_s]));
    figures.push(Figure::new(format!("{name}, payload to the engine"), "kB/s", vec![bytes_s / 1000.0]));
    if through {
        figures.extend(Cost::sum(&costs.collect::<Vec<_>>()).report(&format!("{name}, both relays")));
    }
    figures.extend(of_server.report(&format!("{name}, nats-server")));
    figures.push(Figure::new(format!("{name}, whole machine busy"), "%", busy));
    let before = missed(&engine);
    figures.extend(latency(&name, &engine, &hosts, (count, trials)));
    if !through {
        let share = |missed: u64| missed as f64 / count as f64;
        let after = missed(&engine);
        figures.push(Figure::new(
            format!("{name}, frames of a host missed at first"),
            "",
            vec![share(before)],
        ));
        figures.push(Figure::new(format!("{name}, and in the trials"), "", vec![share(after - before)]));
    }
    (figures, rss_mib)
}

/// Number of frames of all hosts that did not reach the engine.
fn missed(engine: &Engine) -> u64 {
    let fleet = engine.get("/api/fleet");
    let hosts = fleet["hosts"].as_array().into_iter().flatten();
    hosts.filter_map(|host| host["missed_frames"].as_u64()).sum()
}

/// Messages and bytes a second that an engine receives, measured by a client with the same
/// subscription.
fn traffic(server: &NatsServer) -> (f64, f64) {
    const LENGTH: Duration = Duration::from_secs(3);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("creating a tokio runtime");
    runtime.block_on(async {
        let client = server.unrestricted_client().await;
        let mut received = client.subscribe("khor.v1.home.>").await.expect("subscribing to the frames");
        received.next().await.expect("a first message of the site");
        let (begun, mut messages, mut bytes) = (Instant::now(), 0u32, 0);
        while begun.elapsed() < LENGTH {
            bytes += received.next().await.expect("another message of the site").payload.len();
            messages += 1;
        }
        let elapsed_s = begun.elapsed().as_secs_f64();
        (f64::from(messages) / elapsed_s, bytes as f64 / elapsed_s)
    })
}

/// Makes one host after another stand out. Measures the times until the host is the soloist and
/// until its note begins.
fn latency(name: &str, engine: &Engine, hosts: &Hosts, (count, trials): (usize, usize)) -> Vec<Figure> {
    let (mut solos_ms, mut notes_ms) = (Vec::new(), Vec::new());
    for i in 0..trials {
        wait_until("no soloist and no voice", || {
            soloist(&engine.get("/api/metrics")).is_none() && !voice_plays(engine)
        });
        // Wait until the last note of the previous host has ended. The wait varies, so that the
        // trials begin at different points of the engine's interval and of the bar.
        thread::sleep(Duration::from_millis((300 + i * 131 % 1_100) as u64));
        let host = (i * 37 + 5) % count;
        hosts.stand_out(Some(host));
        if let Some((solo_ms, note_ms)) = answer(engine, hosts, &format!("h-{host}")) {
            solos_ms.push(solo_ms);
            notes_ms.push(note_ms);
        }
        hosts.stand_out(None);
    }
    let without_note = (trials - notes_ms.len()) as f64;
    vec![
        Figure::new(format!("{name}, frame to solo, p99 of {trials}"), "ms", p99(&solos_ms)),
        Figure::new(format!("{name}, frame to solo"), "ms", solos_ms),
        Figure::new(format!("{name}, frame to first note, p99 of {trials}"), "ms", p99(&notes_ms)),
        Figure::new(format!("{name}, frame to first note"), "ms", notes_ms),
        Figure::new(format!("{name}, trials without a note"), "", vec![without_note]),
    ]
}

/// Measures how long after its first deviating frame the host becomes the soloist, and how long
/// after this frame its first voice note begins. Returns both times in ms. `None` if either does
/// not happen within [`PATIENCE`].
fn answer(engine: &Engine, hosts: &Hosts, host: &str) -> Option<(f64, f64)> {
    let (begun, mut solo_ms) = (Instant::now(), None);
    while begun.elapsed() < PATIENCE {
        let metrics = engine.get("/api/metrics");
        if solo_ms.is_none() && soloist(&metrics).as_deref() == Some(host) {
            solo_ms = Some(hosts.stood_out_at()?.elapsed().as_secs_f64() * 1000.0);
        }
        if let Some(solo_ms) = solo_ms {
            let stood_out_ms = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs_f64() * 1000.0
                - hosts.stood_out_at()?.elapsed().as_secs_f64() * 1000.0;
            let begins_ms = |note: &Value| {
                let is_its = note["layer"] == "voices" && note["signal"] == "rx";
                // A note's time is in whole milliseconds.
                note["ts_ms"].as_f64().filter(|ts_ms| is_its && ts_ms + 1.0 >= stood_out_ms)
            };
            let first = metrics["notes"].as_array()?.iter().filter_map(begins_ms).min_by(f64::total_cmp);
            if let Some(first_ms) = first {
                return Some((solo_ms, first_ms - stood_out_ms));
            }
        }
        thread::sleep(LOOK);
    }
    None
}

/// Whether a voice plays the rate of received bytes, the signal that deviates on hosts that stand
/// out.
fn voice_plays(engine: &Engine) -> bool {
    let explained = engine.get("/api/explain");
    let mut parts = explained["heard"].as_array().into_iter().flatten();
    parts.any(|part| part["layer"] == "voice" && part["because"] == "received")
}

/// The name of the first soloist.
fn soloist(metrics: &Value) -> Option<String> {
    metrics["soloists"][0]["host"].as_str().map(ToOwned::to_owned)
}

/// The 99th percentile, or an empty list if there are no values.
fn p99(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = (sorted.len() * 99).div_ceil(100).checked_sub(1);
    place.map(|place| sorted[place]).into_iter().collect()
}

//! A site of 1,000 and of 10,000 made-up hosts, heard directly and through two relays that share it: what that costs the
//! engine and the relays, and how long after a host's frame the engine plays it.
//!
//! The frames are real ones, through a real server with TLS. The time is from just before the first frame in which a host
//! stands out is handed to the client until `/api/explain` says that the voices are its own; and until it shows what they
//! say, which waits for the beat.

use std::net::Ipv4Addr;
use std::thread;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use khor_e2e::hosts::Hosts;
use khor_e2e::site::{NatsServer, Relay};
use khor_e2e::{Engine, wait_until};

use crate::cost::{Cost, watch_for};
use crate::figure::Figure;

const SIZES: [usize; 2] = [1_000, 10_000];
const AGGREGATORS: usize = 2;
/// Of each of the windows in which costs are watched.
const WINDOW: Duration = Duration::from_secs(10);
const REPEATS: usize = 30;
/// Between two looks; each costs the engine something, so costs are watched at another time.
const LOOK: Duration = Duration::from_millis(5);
const PATIENCE: Duration = Duration::from_secs(20);
const SETTLE: Duration = Duration::from_mins(1);

pub(crate) fn measure() -> Vec<Figure> {
    if !NatsServer::is_there() {
        return vec![Figure::missing("a site", "", "needs nats-server")];
    }
    let mut figures = Vec::new();
    let mut rss_mib = Vec::new();
    for count in SIZES {
        for through in [false, true] {
            let (more, rss) = one(count, through);
            figures.extend(more);
            if !through {
                rss_mib.push(rss);
            }
        }
    }
    let growth = 1024.0 * (rss_mib[1] - rss_mib[0]) / (SIZES[1] - SIZES[0]) as f64;
    figures.push(Figure::new("growth of the engine per host heard directly", "KiB", vec![growth]));
    figures
}

/// One size, one way; with the figures the engine's memory, MiB.
fn one(count: usize, through: bool) -> (Vec<Figure>, f64) {
    let server = NatsServer::start();
    let mut options = server.options(Ipv4Addr::LOCALHOST, "engine");
    options.extend(["--site", "home", "--no-audio"].map(str::to_owned));
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let engine = Engine::start("/nonexistent/collector.sock".as_ref(), &options, &[]);
    let told = server.options(Ipv4Addr::LOCALHOST, "aggregator");
    let relays: Vec<Relay> =
        (0..if through { AGGREGATORS } else { 0 }).map(|_| Relay::aggregate("rack", &told)).collect();
    let hosts = Hosts::start(&server, if through { "rack" } else { "home" }, count);
    wait_until("all hosts to be heard", SETTLE, || engine.get("/api/fleet")["live"] == count);
    let way = if through { "through two relays" } else { "directly" };
    let name = format!("{count} hosts {way}");

    let mut pids = vec![engine.pid(), server.pid()];
    pids.extend(relays.iter().map(Relay::pid));
    let (costs, busy) = watch_for(&pids, WINDOW);
    let (messages_s, bytes_s) = traffic(&server);
    let mut costs = costs.into_iter();
    let (of_engine, of_server) = (costs.next().expect("the engine's"), costs.next().expect("the server's"));
    let rss_mib = of_engine.rss_mib();
    let mut figures = of_engine.report(&format!("{name}, engine"));
    figures.push(Figure::new(format!("{name}, messages to the engine"), "1/s", vec![messages_s]));
    figures.push(Figure::new(format!("{name}, payload to the engine"), "kB/s", vec![bytes_s / 1000.0]));
    if through {
        figures.extend(Cost::sum(&costs.collect::<Vec<_>>()).report(&format!("{name}, both relays")));
    }
    figures.extend(of_server.report(&format!("{name}, nats-server")));
    figures.push(Figure::new(format!("{name}, whole machine busy"), "%", busy));
    figures.extend(latency(&name, &engine, &hosts, count));
    let fleet = engine.get("/api/fleet");
    let missed: u64 = fleet["hosts"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|host| host["missed_frames"].as_u64())
        .sum();
    if !through {
        figures.push(Figure::new(format!("{name}, frames missed"), "", vec![missed as f64]));
    }
    (figures, rss_mib)
}

/// Messages and bytes a second that an engine is sent, from one who hears the same.
fn traffic(server: &NatsServer) -> (f64, f64) {
    const LISTENED: Duration = Duration::from_secs(3);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let client = server.stranger().await;
        let mut heard = client.subscribe("khor.v1.home.>").await.expect("subscribing");
        heard.next().await.expect("a first message");
        let (begun, mut messages, mut bytes) = (Instant::now(), 0u32, 0);
        while begun.elapsed() < LISTENED {
            bytes += heard.next().await.expect("a message").payload.len();
            messages += 1;
        }
        let elapsed_s = begun.elapsed().as_secs_f64();
        (f64::from(messages) / elapsed_s, bytes as f64 / elapsed_s)
    })
}

fn latency(name: &str, engine: &Engine, hosts: &Hosts, count: usize) -> Vec<Figure> {
    let (mut voices, mut notes) = (Vec::new(), Vec::new());
    for i in 0..REPEATS {
        let host = (i * 37 + 5) % count;
        let text = || engine.get("/api/explain")["text"].as_str().unwrap_or_default().to_owned();
        wait_until("all to be calm", PATIENCE, || !text().contains("The voices are those of"));
        // Not always at the same place between two of the engine's looks.
        thread::sleep(Duration::from_millis((i * 13 % 100) as u64));
        hosts.stand_out(Some(host));
        let wanted = format!("The voices are those of h-{host} ");
        let begun = Instant::now();
        while !text().contains(&wanted) && begun.elapsed() < PATIENCE {
            thread::sleep(LOOK);
        }
        let said = hosts.said().expect("it was said");
        voices.push(said.elapsed().as_secs_f64() * 1000.0);
        let played = || {
            let explained = engine.get("/api/explain");
            let heard = explained["heard"].as_array().cloned().unwrap_or_default();
            heard.iter().any(|heard| heard["layer"] == "voice" && heard["because"] == "received")
        };
        while !played() && begun.elapsed() < PATIENCE {
            thread::sleep(LOOK);
        }
        notes.push(said.elapsed().as_secs_f64() * 1000.0);
        hosts.stand_out(None);
    }
    let p99 = |values: &mut Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[(values.len() * 99).div_ceil(100) - 1]
    };
    let (voice_p99, note_p99) = (p99(&mut voices), p99(&mut notes));
    vec![
        Figure::new(format!("{name}, frame to solo, p99 of {REPEATS}"), "ms", vec![voice_p99]),
        Figure::new(format!("{name}, frame to solo"), "ms", voices),
        Figure::new(format!("{name}, frame to its voice, p99 of {REPEATS}"), "ms", vec![note_p99]),
    ]
}

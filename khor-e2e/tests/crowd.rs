//! Tests the collector with 200 subscribers, some of which misbehave, and a million frames.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use khor_e2e::{
    Collector,
    crowd::{self, MisbehavingClients},
    procfs,
    skip::root_or_skip,
    wait_until_async,
};
use khor_proto::Scope;

const SUBSCRIBERS: usize = 200;
/// The shortest interval that a client may request, in milliseconds.
const INTERVAL_MS: u16 = 5;
const FRAMES: u64 = 1_000_000;
/// Number of frames after which the collector has allocated all its buffers.
const WARM_UP_FRAMES: u64 = 100_000;
/// If fewer frames than this arrive within a minute of machine time, the test counts as hung.
const PROGRESS_FRAMES: u64 = 10_000;

fn rss_kib(collector: &Collector) -> u64 {
    let rss = procfs::status(collector.pid(), "VmRSS");
    rss.trim_end_matches(" kB").parse().expect("VmRSS in kB")
}

#[test]
fn million_frames_do_not_grow_memory() {
    if !root_or_skip() {
        return;
    }
    let collector = crowd::collector();
    let _trouble = MisbehavingClients::start(collector.socket());
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("creating a tokio runtime");
    let counts: Vec<_> = (0..SUBSCRIBERS - 3).map(|_| Arc::new(AtomicU64::new(0))).collect();
    let received = || counts.iter().map(|count| count.load(Relaxed)).sum::<u64>();
    runtime.block_on(async {
        for (number, count) in counts.iter().enumerate() {
            let mut client = crowd::subscriber(collector.socket(), number, INTERVAL_MS, Scope::Machine).await;
            let count = Arc::clone(count);
            tokio::spawn(async move {
                loop {
                    client.sample().await.expect("a sample from the collector");
                    count.fetch_add(1, Relaxed);
                }
            });
        }
        let begun = Instant::now();
        // Waits for any length of time, provided that frames keep arriving.
        let wait_for = async |frames: u64| {
            while received() < frames {
                let next = (received() + PROGRESS_FRAMES).min(frames);
                wait_until_async(&format!("frame {next}"), || received() >= next).await;
            }
        };
        wait_for(WARM_UP_FRAMES).await;
        let before_kib = rss_kib(&collector);
        wait_for(FRAMES).await;
        let after_kib = rss_kib(&collector);
        println!(
            "{} frames in {:?}; the collector's memory: {before_kib} KiB, then {after_kib} KiB",
            received(),
            begun.elapsed()
        );
        assert!(
            after_kib <= before_kib + 64,
            "the collector's memory grew from {before_kib} KiB to {after_kib} KiB"
        );
    });
    let (least, most) = (
        counts.iter().map(|count| count.load(Relaxed)).min(),
        counts.iter().map(|count| count.load(Relaxed)).max(),
    );
    let (least, most) = (least.expect("at least one subscriber"), most.expect("at least one subscriber"));
    assert!(least * 10 >= most * 9, "one subscriber received {least} samples and another {most}");
}

//! Tests that the rendering of clips does not delay other work, and that a cancelled request stops
//! its render.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
};

use khor_e2e::{Engine, wait_until};
use khor_patience::{hang_timeout, progress};
use nix::sys::resource::{UsageWho, getrusage};
use serde_json::json;

const NO_SOCKET: &str = "/nonexistent/collector.sock";
/// Names of captures that have a clip.
const SCENARIOS: [&str; 9] = [
    "idle",
    "exec-storm",
    "download",
    "upload",
    "disk",
    "compile",
    "retransmits",
    "memory-pressure",
    "crash",
];
const PRESETS: [&str; 6] = ["ambient", "percussive", "arp", "drone", "choir", "rain"];

/// Paths of clips, all of which are different.
fn clips() -> impl Iterator<Item = String> {
    let of = |scenario| PRESETS.map(move |preset| format!("/api/clips/{scenario}.wav?preset={preset}"));
    SCENARIOS.into_iter().flat_map(of)
}

/// Sends a request without reading the response.
fn begin(engine: &Engine, path: &str) -> TcpStream {
    let address = engine.url().replace("http://", "");
    let mut socket = TcpStream::connect(&address).expect("an open connection");
    socket.set_read_timeout(Some(hang_timeout())).expect("setting the read timeout");
    write!(socket, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")
        .expect("sending the request");
    socket
}

/// Reads the whole response, and returns its head in lower case.
fn head(mut socket: TcpStream) -> String {
    progress("waiting for a response");
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).expect("reading the response");
    let end = answer.windows(4).position(|end| end == b"\r\n\r\n").expect("a complete head");
    String::from_utf8_lossy(&answer[..end]).to_lowercase()
}

/// Requests a clip until the engine renders it. The engine may reject the request until it has
/// noticed that earlier clients have disconnected.
fn render_once_free(engine: &Engine, path: &str) {
    wait_until("a free place in the render queue", || head(begin(engine, path)).starts_with("http/1.1 200"));
}

/// CPU time of a process, including its ended threads, in clock ticks.
fn cpu_ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("reading the process's stat");
    let fields: Vec<&str> =
        stat.rsplit(')').next().expect("fields after the name").split_whitespace().collect();
    [11, 12].map(|at: usize| fields[at].parse::<u64>().expect("a number of ticks")).iter().sum()
}

/// CPU time of all child processes that this test has waited for, in clock ticks.
fn cpu_ticks_of_ended() -> u64 {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the usage of child processes");
    let times = [usage.user_time(), usage.system_time()];
    times.iter().map(|time| (time.tv_sec() * 100 + time.tv_usec() / 10_000) as u64).sum()
}

/// All checks are in one test. Child processes of other tests would disturb them, because the test
/// measures the CPU time of all ended child processes.
#[test]
fn renders_delay_no_change_or_shutdown() {
    let engine = Engine::start(NO_SOCKET.as_ref(), &["--fake", "--no-audio"], &[]);
    // At this sample rate a render takes four times as long as usual.
    assert_eq!(engine.change(&json!({ "audio": { "sample_rate": 192_000 } })).0, 200);
    let used = || cpu_ticks(engine.pid());
    let before = used();
    assert!(head(begin(&engine, "/api/clips/crash.wav?preset=rain")).starts_with("http/1.1 200"));
    let one = (used() - before).max(1);

    // Sixty clients send a request and disconnect at once.
    let before = used();
    for path in clips().chain(clips()).take(60) {
        drop(begin(&engine, &path));
    }
    render_once_free(&engine, "/api/clips/idle.wav?preset=arp");
    let all = used() - before;
    println!("one render took {one} ticks; 60 cancelled requests and another render took {all}");
    assert!(all < 6 * one + 20, "60 cancelled requests took {all} ticks; one render takes {one}");

    // Five clients disconnect during the render of the first clip.
    let before = used();
    let open: Vec<TcpStream> = clips().skip(12).take(5).map(|path| begin(&engine, &path)).collect();
    wait_until("the first render to run", || used() > before + one / 8);
    drop(open);
    render_once_free(&engine, "/api/clips/disk.wav?preset=choir");
    let all = used() - before;
    println!("five cancelled renders and one more took {all} ticks");
    assert!(all < 4 * one + 20, "five cancelled renders took {all} ticks; one render takes {one}");

    // khor renders one clip, queues four and rejects the others. A change of a setting does not
    // wait for renders.
    let open: Vec<TcpStream> = clips().skip(30).take(12).map(|path| begin(&engine, &path)).collect();
    assert_eq!(engine.change(&json!({ "music": { "bpm": 90 } })).0, 200);
    let after_change = open.iter().filter(|socket| is_waiting(socket)).count();
    assert!(after_change > 0, "the change waited until all clips were rendered");
    let heads: Vec<String> = open.into_iter().map(head).collect();
    let (rendered, rejected): (Vec<_>, Vec<_>) =
        heads.iter().partition(|head| head.starts_with("http/1.1 200"));
    // If a render ends before the last request arrives, khor renders more than five clips.
    assert!(rendered.len() >= 5 && !rejected.is_empty(), "{heads:?}");
    for head in rejected {
        assert!(head.starts_with("http/1.1 503") && head.contains("retry-after: "), "{head}");
    }

    // khor does not render a clip that it has already rendered.
    let (path, before) = ("/api/clips/idle.wav?preset=drone", used());
    (0..10).for_each(|_| assert!(head(begin(&engine, path)).starts_with("http/1.1 200")));
    let again = used() - before;
    assert!(again < 3 * one + 20, "ten requests for one clip took {again} ticks; one render takes {one}");

    // The engine shuts down without waiting for the end of renders.
    let open: Vec<TcpStream> = clips().take(5).map(|path| begin(&engine, &path)).collect();
    let before = used();
    assert!(engine.stop().0.success());
    let to_the_end = cpu_ticks_of_ended().saturating_sub(before);
    println!("the shutdown took {to_the_end} ticks");
    assert!(to_the_end < 3 * one + 20, "the shutdown took {to_the_end} ticks; one render takes {one}");
    drop(open);
}

/// Whether no response has arrived yet.
fn is_waiting(socket: &TcpStream) -> bool {
    socket.set_nonblocking(true).expect("changing the socket's mode");
    let peeked = socket.peek(&mut [0]);
    socket.set_nonblocking(false).expect("changing the socket's mode");
    peeked.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
}

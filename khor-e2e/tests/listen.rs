//! Tests listening over the network, with and without a sound device, and recording.

use std::{
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use khor_e2e::{Engine, Pulse, pulse::SoundRecording, skip::skip, wait_until};
use khor_patience::hang_timeout;
use tungstenite::Message;

const NO_SOCKET: &str = "/nonexistent/collector.sock";
/// Sound that the engine sends ahead. All other sound arrives in real time.
const AHEAD_S: f64 = 0.5;
/// Of the header of a WAV file on disk.
const WAV_HEADER_BYTES: usize = 44;

fn listeners(engine: &Engine) -> u64 {
    engine.health().listen.listeners as u64
}

/// Connects as a browser's page of this `origin` would.
fn open_socket(
    engine: &Engine,
    origin: &str,
) -> Result<tungstenite::WebSocket<TcpStream>, Box<tungstenite::Error>> {
    let address = engine.url().replace("http://", "");
    let stream = TcpStream::connect(&address).expect("a connection");
    stream.set_read_timeout(Some(hang_timeout())).expect("a timeout");
    let request = tungstenite::http::Request::get(format!("ws://{address}/api/listen"))
        .header("host", &address)
        .header("origin", origin)
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", tungstenite::handshake::client::generate_key())
        .body(())
        .expect("a request");
    match tungstenite::client(request, stream) {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::HandshakeError::Failure(error)) => Err(Box::new(error)),
        Err(tungstenite::HandshakeError::Interrupted(_)) => panic!("no answer"),
    }
}

#[test]
fn music_without_device_plays_for_listeners() {
    let engine = Engine::start(NO_SOCKET.as_ref(), &["--fake", "--no-audio"], &[]);
    let voices = || engine.health().audio.voices;
    thread::sleep(Duration::from_secs(2));
    assert_eq!(voices(), 0, "nobody listens");
    let begun = Instant::now();
    let heard = engine.listen(Duration::from_secs(4));
    let took_s = begun.elapsed().as_secs_f64();
    println!("{:.2} s in {took_s:.2} s, peak {:.3}, rms {:.4}", heard.seconds(), heard.peak(), heard.rms());
    assert!(heard.seconds() < took_s + AHEAD_S, "{} s of sound in {took_s} s", heard.seconds());
    assert!(heard.rms() > 0.003 && heard.peak() < 0.99, "it is audible");
    wait_until("the listener to be missed", || listeners(&engine) == 0);
}

#[test]
fn socket_stream_is_for_own_page_only() {
    let engine = Engine::start(NO_SOCKET.as_ref(), &["--fake", "--no-audio"], &[]);
    let mut socket = open_socket(&engine, &engine.url()).expect("a socket");
    let Message::Text(format) = socket.read().expect("the format") else { panic!("the format comes first") };
    let format: serde_json::Value = serde_json::from_str(&format).expect("JSON");
    assert_eq!(format, serde_json::json!({"sample_rate_hz": 48_000, "channels": 2, "format": "s16le"}));
    thread::scope(|scope| {
        let other = scope.spawn(|| engine.listen(Duration::from_secs(3)));
        let mut bytes = Vec::new();
        while !other.is_finished() {
            let Message::Binary(piece) = socket.read().expect("samples") else { panic!("samples follow") };
            bytes.extend_from_slice(&piece);
        }
        let here = SoundRecording::of(&bytes);
        let there = other.join().expect("listening");
        let (found, pieces) = here.count_pieces_of(&there, 0);
        println!("{found} of {pieces} pieces are equal");
        assert!(found > 0, "both clients receive the same samples");
    });
    drop(socket);
    wait_until("both to be missed", || listeners(&engine) == 0);
    let refused = open_socket(&engine, "http://evil.example").expect_err("a foreign page");
    let tungstenite::Error::Http(answer) = *refused else { panic!("{refused:?}") };
    assert_eq!(answer.status(), 403);
}

#[test]
fn listeners_get_device_sound_and_outlive_it() {
    let Some(mut pulse) = Pulse::start() else { return skip("needs pulseaudio") };
    let engine = Engine::start(NO_SOCKET.as_ref(), &["--fake"], &pulse.environment());
    let device = || engine.health().audio.health.ok;
    wait_until("the device", device);
    // A client that requests sound and never reads does not affect other clients.
    let mut stuck = TcpStream::connect(engine.url().replace("http://", "")).expect("a connection");
    let host = engine.url().replace("http://", "");
    write!(stuck, "GET /api/listen.wav HTTP/1.1\r\nHost: {host}\r\n\r\n").expect("a request");
    let (played, heard) =
        pulse.record_around(|| engine.listen(Duration::from_secs(3)), Duration::from_secs(1));
    let (found, pieces) = played.count_pieces_of(&heard, 2);
    println!("{found} of {pieces} pieces were played");
    assert!(found > 0, "listeners receive the played samples, except for rounding");

    let after = thread::scope(|scope| {
        let listening = scope.spawn(|| engine.listen(Duration::from_secs(6)));
        thread::sleep(Duration::from_secs(2));
        pulse.kill();
        let heard = listening.join().expect("listening");
        heard.part(heard.seconds() - 1.0, Duration::from_secs(1))
    });
    assert!(!after.is_silent(), "the music goes on for the listener");
    wait_until("the loss of the device", || !device());
    let mut byte = [0];
    assert_eq!(stuck.read(&mut byte).expect("what waits"), 1, "and it is still served");
}

#[test]
fn recording_starts_stops_lists_and_downloads() {
    let engine = Engine::start(NO_SOCKET.as_ref(), &["--fake", "--no-audio"], &[]);
    assert_eq!(engine.post("/api/recording/stop").0, 409, "there is none");
    let (status, refused) = engine.post("/api/recording/start?format=mp3");
    assert_eq!(
        (status, &refused["error"]),
        (400, &"format: mp3 is not allowed, expected flac or wav".into())
    );
    let (status, begun) = engine.post("/api/recording/start?format=wav");
    assert_eq!(status, 200, "{begun}");
    assert_eq!(engine.post("/api/recording/start").0, 409, "one at a time");
    wait_until("two seconds", || engine.recording().seconds >= 2.0);
    let (status, ended) = engine.post("/api/recording/stop");
    assert_eq!((status, &ended["file"]), (200, &begun["file"]), "{ended}");
    let list = engine.get("/api/recordings");
    let name = list["recordings"][0]["name"].as_str().expect("a name").to_owned();
    let file = engine.read(&format!("/api/recordings/{name}"), usize::MAX);
    let on_disk = std::fs::read(ended["file"].as_str().expect("a path")).expect("the file");
    assert!(file == on_disk && file.len() as u64 == list["recordings"][0]["bytes"].as_u64().expect("a size"));
    // 24 bits, stereo.
    let seconds = (file.len() - WAV_HEADER_BYTES) as f64 / 6.0 / 48_000.0;
    assert!((seconds - ended["seconds"].as_f64().expect("a number")).abs() < 0.001, "{seconds} s");
    assert_eq!(engine.send("GET", "/api/recordings/..%2Fconfig.json", b"", &[]).0, 404);

    // What is recorded when khor stops is complete.
    let begun = engine.post("/api/recording/start").1;
    wait_until("a second", || engine.recording().seconds >= 1.0);
    let file = begun["file"].as_str().expect("a path").to_owned();
    let (status, _dir) = engine.stop();
    assert!(status.success());
    let flac = std::fs::read(file).expect("the file");
    assert_eq!(&flac[..4], b"fLaC");
    let frames = u64::from_be_bytes(flac[18..26].try_into().expect("eight bytes")) & 0xF_FFFF_FFFF;
    assert!(frames >= 48_000, "its header says how long it is: {frames} frames");
}

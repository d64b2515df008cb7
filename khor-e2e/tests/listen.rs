//! Tests listening over the network with and without a sound device. Also tests recording.

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
/// A listener receives at most this many seconds of sound in advance. All other sound arrives in
/// real time.
const AHEAD_S: f64 = 0.5;
/// Length of the header of a recorded WAV file.
const WAV_HEADER_BYTES: usize = 44;

/// Number of connected listeners.
fn listeners(engine: &Engine) -> u64 {
    engine.health().listen.listeners as u64
}

/// Opens the WebSocket `/api/listen` as a page of `origin` does in a browser.
fn open_socket(
    engine: &Engine,
    origin: &str,
) -> Result<tungstenite::WebSocket<TcpStream>, Box<tungstenite::Error>> {
    let address = engine.url().replace("http://", "");
    let stream = TcpStream::connect(&address).expect("an open connection");
    stream.set_read_timeout(Some(hang_timeout())).expect("setting the read timeout");
    let request = tungstenite::http::Request::get(format!("ws://{address}/api/listen"))
        .header("host", &address)
        .header("origin", origin)
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", tungstenite::handshake::client::generate_key())
        .body(())
        .expect("a valid request");
    match tungstenite::client(request, stream) {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::HandshakeError::Failure(error)) => Err(Box::new(error)),
        Err(tungstenite::HandshakeError::Interrupted(_)) => panic!("no response to the WebSocket request"),
    }
}

#[test]
fn music_without_device_plays_for_listeners() {
    let engine = Engine::start(NO_SOCKET.as_ref(), &["--fake", "--no-audio"], &[]);
    let voices = || engine.health().audio.voices;
    thread::sleep(Duration::from_secs(2));
    assert_eq!(voices(), 0, "voices sound without a listener");
    let begun = Instant::now();
    let received = engine.listen(Duration::from_secs(4));
    let took_s = begun.elapsed().as_secs_f64();
    println!(
        "received {:.2} s in {took_s:.2} s, peak {:.3}, rms {:.4}",
        received.seconds(),
        received.peak(),
        received.rms()
    );
    assert!(
        received.seconds() < took_s + AHEAD_S,
        "received {} s of sound in {took_s} s",
        received.seconds()
    );
    assert!(received.rms() > 0.003 && received.peak() < 0.99, "the sound is too quiet or too loud");
    wait_until("the listener to disconnect", || listeners(&engine) == 0);
}

#[test]
fn websocket_sound_is_for_own_page_only() {
    let engine = Engine::start(NO_SOCKET.as_ref(), &["--fake", "--no-audio"], &[]);
    let mut socket = open_socket(&engine, &engine.url()).expect("opening the WebSocket");
    let Message::Text(format) = socket.read().expect("a message with the format") else {
        panic!("the first message is not the format")
    };
    let format: serde_json::Value = serde_json::from_str(&format).expect("a format in JSON");
    assert_eq!(format, serde_json::json!({"sample_rate_hz": 48_000, "channels": 2, "format": "s16le"}));
    thread::scope(|scope| {
        let other = scope.spawn(|| engine.listen(Duration::from_secs(3)));
        let mut bytes = Vec::new();
        while !other.is_finished() {
            let Message::Binary(piece) = socket.read().expect("a message with samples") else {
                panic!("a later message contains no samples")
            };
            bytes.extend_from_slice(&piece);
        }
        let by_socket = SoundRecording::of(&bytes);
        let by_http = other.join().expect("the listener's thread");
        let (found, pieces) = by_socket.count_pieces_of(&by_http, 0);
        println!("the WebSocket received {found} of {pieces} pieces of the HTTP stream");
        assert!(found > 0, "the two clients received different samples");
    });
    drop(socket);
    wait_until("both listeners to disconnect", || listeners(&engine) == 0);
    let rejection = open_socket(&engine, "http://evil.example").expect_err("an error for a foreign page");
    let tungstenite::Error::Http(answer) = *rejection else { panic!("{rejection:?}") };
    assert_eq!(answer.status(), 403);
}

#[test]
fn listeners_outlive_the_sound_device() {
    let Some(mut pulse) = Pulse::start() else { return skip("needs pulseaudio") };
    let engine = Engine::start(NO_SOCKET.as_ref(), &["--fake"], &pulse.environment());
    let device = || engine.health().audio.health.ok;
    wait_until("the sound device to play", device);
    // This client requests sound and never reads. It must not affect other clients.
    let mut stuck = TcpStream::connect(engine.url().replace("http://", "")).expect("an open connection");
    let host = engine.url().replace("http://", "");
    write!(stuck, "GET /api/listen.wav HTTP/1.1\r\nHost: {host}\r\n\r\n").expect("sending the request");
    let (played, received) =
        pulse.record_around(|| engine.listen(Duration::from_secs(3)), Duration::from_secs(1));
    let (found, pieces) = played.count_pieces_of(&received, 2);
    println!("the device played {found} of {pieces} pieces that the listener received");
    assert!(found > 0, "the listener did not receive the played samples");

    let after = thread::scope(|scope| {
        let listening = scope.spawn(|| engine.listen(Duration::from_secs(6)));
        thread::sleep(Duration::from_secs(2));
        pulse.kill();
        let received = listening.join().expect("the listener's thread");
        received.part(received.seconds() - 1.0, Duration::from_secs(1))
    });
    assert!(!after.is_silent(), "the listener receives silence without the device");
    wait_until("the loss of the device to be reported", || !device());
    let mut byte = [0];
    assert_eq!(
        stuck.read(&mut byte).expect("buffered sound"),
        1,
        "the client that did not read was disconnected"
    );
}

#[test]
fn recording_starts_stops_lists_and_downloads() {
    let engine = Engine::start(NO_SOCKET.as_ref(), &["--fake", "--no-audio"], &[]);
    assert_eq!(engine.post("/api/recording/stop").0, 409, "stopping without a recording");
    let (status, rejection) = engine.post("/api/recording/start?format=mp3");
    assert_eq!(
        (status, &rejection["error"]),
        (400, &"format: mp3 is not allowed, expected flac or wav".into())
    );
    let (status, begun) = engine.post("/api/recording/start?format=wav");
    assert_eq!(status, 200, "{begun}");
    assert_eq!(engine.post("/api/recording/start").0, 409, "starting a second recording");
    wait_until("two seconds of recording", || engine.recording().seconds >= 2.0);
    let (status, ended) = engine.post("/api/recording/stop");
    assert_eq!((status, &ended["file"]), (200, &begun["file"]), "{ended}");
    let list = engine.get("/api/recordings");
    let name = list["recordings"][0]["name"].as_str().expect("a name of a recording").to_owned();
    let file = engine.read(&format!("/api/recordings/{name}"), usize::MAX);
    let on_disk = std::fs::read(ended["file"].as_str().expect("the path of the recording"))
        .expect("reading the recording");
    assert!(
        file == on_disk
            && file.len() as u64 == list["recordings"][0]["bytes"].as_u64().expect("the recording's size")
    );
    // The samples are 24-bit stereo.
    let seconds = (file.len() - WAV_HEADER_BYTES) as f64 / 6.0 / 48_000.0;
    assert!(
        (seconds - ended["seconds"].as_f64().expect("the recording's length")).abs() < 0.001,
        "the file contains {seconds} s, but the engine reported {}",
        ended["seconds"]
    );
    assert_eq!(engine.send("GET", "/api/recordings/..%2Fconfig.json", b"", &[]).0, 404);

    // If khor stops during a recording, the file is complete.
    let begun = engine.post("/api/recording/start").1;
    wait_until("a second of recording", || engine.recording().seconds >= 1.0);
    let file = begun["file"].as_str().expect("the path of the recording").to_owned();
    let (status, _dir) = engine.stop();
    assert!(status.success());
    let flac = std::fs::read(file).expect("reading the recording");
    assert_eq!(&flac[..4], b"fLaC");
    let frames =
        u64::from_be_bytes(flac[18..26].try_into().expect("eight bytes of the header")) & 0xF_FFFF_FFFF;
    assert!(frames >= 48_000, "the header contains a length of only {frames} frames");
}

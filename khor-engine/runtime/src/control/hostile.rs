//! Tests that hostile datagrams of up to 64 KiB do not crash the engine. The tests call the
//! function that handles received datagrams, on a stack as small as the engine's.

use std::sync::Arc;

use fastrand::Rng;
use khor_e2e::osc::{MAX_DATAGRAM, bundle, deepest_bundle, message};
use rosc::OscType;
use serde_json::json;
use tokio::runtime::Handle;

use super::{MAX_REASON, OscHandler};
use crate::engine::{Engine, tests::quiet_engine};

/// Stack size of the engine's runtime threads, in bytes. It is the default of the standard library.
const STACK_BYTES: usize = 2 << 20;
const DATAGRAMS: usize = 3000;

/// Encodes a message that has these type tags but no values.
fn tagged(tags: &[u8]) -> Vec<u8> {
    let mut bytes = b"/khor/panic\0,".to_vec();
    bytes.extend(tags);
    bytes.resize((bytes.len() / 4 + 1) * 4, 0);
    bytes
}

/// Creates datagrams that crash or hang other OSC receivers, as far as such problems are known.
fn classics() -> Vec<Vec<u8>> {
    let wide = 30_000;
    vec![
        Vec::new(),
        deepest_bundle(&message("/khor/panic", Vec::new())),
        deepest_bundle(b""),
        deepest_bundle(b"junk"),
        bundle(&vec![Vec::new(); 16_000]),
        bundle(&vec![message("/khor/*", vec![OscType::Nil]); 1500]),
        tagged(&vec![b'['; wide]),
        tagged(&[vec![b'['; wide], vec![b']'; wide]].concat()),
        tagged(&vec![b']'; wide]),
        tagged(&vec![b'T'; 2 * wide]),
        message(&format!("/khor/set/{}", "a/".repeat(wide)), Vec::new()),
        message(&format!("/khor/{}", "*{a,".repeat(15_000)), Vec::new()),
        message("/khor/set/music/preset", vec![OscType::String("ä".repeat(wide))]),
        message("/khor/set/music/preset", vec![OscType::Blob(vec![0; 2 * wide])]),
        b"/khor/mute\0\0,b\0\0\xff\xff\xff\xff".to_vec(),
        b"#bundle\0\0\0\0\0\0\0\0\x01\xff\xff\xff\xff".to_vec(),
        vec![b'/'; MAX_DATAGRAM],
        vec![0; MAX_DATAGRAM],
    ]
}

/// Creates a nearly valid datagram: up to five messages in nested bundles, with a few bytes
/// changed.
fn mutated(random: &mut Rng) -> Vec<u8> {
    const ADDRESSES: [&str; 9] = [
        "/khor/set/music/bpm",
        "/khor/set/music/preset",
        "/khor/set/music/[b-k]*",
        "/khor/set/{music,audio}/*",
        "/khor/mute",
        "/khor/panic",
        "/khor/*",
        "/*/*/*/*?*",
        "",
    ];
    let mut elements = Vec::new();
    for _ in 0..random.usize(1..6) {
        let args = [OscType::Float(f32::NAN), OscType::Int(random.i32(..)), OscType::String("rain".into())];
        let args = args[..random.usize(0..=args.len())].to_vec();
        let mut element = message(ADDRESSES[random.usize(0..ADDRESSES.len())], args);
        for _ in 0..random.usize(0..6) {
            element = bundle(&[element]);
        }
        elements.push(element);
    }
    let mut bytes = if random.bool() { bundle(&elements) } else { elements.swap_remove(0) };
    for _ in 0..random.usize(0..4) {
        let at = random.usize(0..bytes.len());
        let any = random.u8(..);
        bytes[at] = random.choice([0, 0xff, b'[', b'{', b'*', b',', b'S', any]).unwrap();
    }
    bytes.truncate(if random.bool() { bytes.len() } else { random.usize(0..=bytes.len()) });
    bytes
}

/// Creates a datagram of random bytes. It may start with the first bytes of a valid datagram.
fn noise(random: &mut Rng) -> Vec<u8> {
    let length = random.usize(0..=MAX_DATAGRAM) >> random.u32(0..16);
    let start: &[u8] = random.choice([&b""[..], b"/", b"/khor/set/", b"#bundle\0"]).unwrap();
    let mut bytes = start.to_vec();
    bytes.extend(std::iter::repeat_with(|| random.u8(..) & 0x7f).take(length));
    bytes
}

/// Handles many hostile datagrams, and then a valid message, which must still take effect.
fn handle_all(engine: &Arc<Engine>) {
    let mut handler = OscHandler::new(Arc::clone(engine));
    let mut random = Rng::with_seed(776);
    let random =
        (0..DATAGRAMS).map(|_| if random.bool() { mutated(&mut random) } else { noise(&mut random) });
    for datagram in classics().into_iter().chain(random) {
        khor_patience::progress("handling hostile datagrams");
        handler.datagram(&datagram);
        // Only parse and check the settings. Applying them could open a sound device.
        for (path, args) in std::mem::take(&mut handler.settings) {
            let _ = super::command::change(&path, &args);
        }
    }
    handler.datagram(&bundle(&[b"junk".to_vec(), message("/khor/set/music/bpm", vec![OscType::Int(96)])]));
    Handle::current().block_on(handler.apply_settings());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn no_datagram_ends_the_engine() {
    let (engine, _dir) = quiet_engine();
    let (target, runtime) = (Arc::clone(&engine), Handle::current());
    let small = std::thread::Builder::new().stack_size(STACK_BYTES);
    let thread = small.spawn(move || {
        let _runtime = runtime.enter();
        handle_all(&target);
    });
    tokio::task::spawn_blocking(|| thread.unwrap().join().expect("a datagram caused a panic")).await.unwrap();
    assert_eq!(serde_json::to_value(engine.config()).unwrap()["music"]["bpm"], json!(96.0));
    let (mut refused, mut reason) = (0, String::new());
    engine.update_osc_input_health(|health| {
        (refused, reason) = (health.refused, health.last_refusal.clone().unwrap_or_default());
    });
    assert!(refused > 1000, "{refused}");
    assert!(!reason.is_empty() && reason.chars().count() <= MAX_REASON, "{reason}");
}

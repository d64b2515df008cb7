//! Tests of the engine's sound through ALSA's loopback card.

use alsa::{
    Direction, ValueOr,
    pcm::{Access, Format, HwParams, PCM},
};
use khor_e2e::{Engine, Wait, skip::skip_outside_vm, wait_until};
use tempfile::TempDir;

use crate::SEQUENCER;

/// The capture side of the loopback card. The test records from it the sound that khor plays on the
/// card's first device. The plugin `plughw` converts the sound to the format that the test
/// requests.
const OTHER_SIDE: &str = "plughw:CARD=Loopback,DEV=1";
const CONFIG: &str = r#"{"audio": {"backend": "alsa"}, "music": {"preset": "arp"}}"#;
const RATE_HZ: u32 = 48_000;

fn capture() -> alsa::Result<PCM> {
    let _quiet = alsa::Output::local_error_handler();
    let pcm = PCM::new(OTHER_SIDE, Direction::Capture, false)?;
    {
        let params = HwParams::any(&pcm)?;
        params.set_channels(2)?;
        params.set_rate(RATE_HZ, ValueOr::Nearest)?;
        params.set_format(Format::s16())?;
        params.set_access(Access::RWInterleaved)?;
        pcm.hw_params(&params)?;
    }
    pcm.start()?;
    Ok(pcm)
}

/// Records for a tenth of a second. Returns the highest absolute value of the samples, 0..=1.
fn peak(pcm: &PCM) -> f64 {
    let mut samples = vec![0_i16; RATE_HZ as usize / 10 * 2];
    let io = pcm.io_i16().expect("samples of 16 bits");
    let frames = match io.readi(&mut samples) {
        Ok(frames) => frames,
        Err(error) => {
            // On a slow machine, the test may read too late, which causes an overrun.
            pcm.try_recover(error, true).expect("recovering from an overrun");
            return 0.0;
        }
    };
    let peak = samples[..2 * frames].iter().map(|sample| sample.unsigned_abs()).max();
    f64::from(peak.unwrap_or(0)) / 32768.0
}

#[test]
fn the_engine_plays_through_an_alsa_card() {
    let _turn = SEQUENCER.lock();
    if let Err(error) = capture() {
        return skip_outside_vm(&format!("needs ALSA's loopback card (modprobe snd-aloop): {error}"));
    }
    let dir = TempDir::new().expect("a directory");
    std::fs::write(dir.path().join("config.json"), CONFIG).expect("writing");
    let engine = Engine::start_in(dir, "/nonexistent/collector.sock".as_ref(), &["--fake"], &[]);
    let mut wait = Wait::new("the device");
    while engine.get("/api/health")["audio"]["ok"] != true {
        wait.pause(|| engine.get("/api/health")["audio"].to_string());
    }
    let pcm = capture().expect("the other side");
    wait_until("sound", || peak(&pcm) > 0.003);
    let loudest = std::iter::repeat_with(|| peak(&pcm)).take(40).fold(0.0, f64::max);
    let audio = &engine.get("/api/health")["audio"];
    println!("peak {loudest:.3}, callback load {}, {} xruns", audio["callback_load"], audio["xruns"]);
    assert!(audio["xruns"].is_u64(), "ALSA reports underruns");
    assert!(loudest < 1.0, "{loudest}");
    assert_eq!(engine.post("/api/actions/mute?on=true").0, 200);
    wait_until("silence", || peak(&pcm) == 0.0);
}

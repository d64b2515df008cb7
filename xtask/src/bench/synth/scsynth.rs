//! Writes the score for scsynth, `SuperCollider`'s synthesiser. The score is OSC bundles that
//! scsynth renders faster than real time.
//!
//! The patch (`scsynth.py`, compiled into `scsynth.scsyndef`) is as similar to khor's as scsynth's
//! units allow. Each voice has a sine, a triangle, an ADSR envelope, and a resonant low-pass filter
//! that the envelope opens. All voices share a delay, a reverb and a limiter.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result};
use rosc::{OscBundle, OscMessage, OscPacket, OscTime, OscType};

use super::notes::{RATE_HZ, key};
use crate::process::command;

pub(super) const PROGRAM: &str = "scsynth";
pub(super) const DEBIAN: &str = "supercollider-server";

const PATCH: &[u8] = include_bytes!("scsynth.scsyndef");
/// scsynth's ID of the node with the effects, which runs after the voices' nodes. The IDs of the
/// voices follow this ID.
const EFFECTS_NODE: i32 = 1000;
const TO_HEAD: i32 = 0;
const TO_TAIL: i32 = 1;
const ROOT_NODE: i32 = 0;

/// A command that renders `voices` held voices with effects, and discards the samples. The rendered
/// sound lasts `seconds`. The function writes the score to `folder`.
pub(super) fn render(voices: usize, seconds: u32, folder: &Path) -> Result<Command> {
    let score = folder.join("scsynth.osc");
    fs::write(&score, score_bytes(voices, seconds)?).context("cannot write the score")?;
    let mut scsynth = command(PROGRAM, ["-D", "0", "-i", "0", "-o", "2", "-N"]);
    scsynth.arg(score).args(["_", "/dev/null", &RATE_HZ.to_string(), "RAW", "float"]);
    Ok(scsynth)
}

/// The score as bytes. The length of a bundle stands before the bundle, as `scsynth -N` requires.
fn score_bytes(voices: usize, seconds: u32) -> Result<Vec<u8>> {
    let text = |text: &str| OscType::String(text.to_owned());
    let node = |name: &str, id: i32, place: i32| {
        vec![text(name), OscType::Int(id), OscType::Int(place), OscType::Int(ROOT_NODE)]
    };
    let mut begin = vec![
        message("/d_recv", vec![OscType::Blob(PATCH.to_vec())]),
        message("/s_new", node("effects", EFFECTS_NODE, TO_TAIL)),
    ];
    begin.extend((0..voices).map(|voice| {
        let mut args = node("voice", EFFECTS_NODE + 1 + voice as i32, TO_HEAD);
        args.extend([text("midi"), OscType::Float(f32::from(key(voice)))]);
        args.extend([text("gain"), OscType::Float(0.05)]);
        message("/s_new", args)
    }));
    // scsynth stops rendering at the time of the last bundle. The content of this bundle does not
    // matter.
    let end = vec![message("/c_set", vec![OscType::Int(0), OscType::Float(0.0)])];
    let mut bytes = Vec::new();
    for (second, content) in [(0, begin), (seconds, end)] {
        let timetag = OscTime { seconds: second, fractional: 0 };
        let bundle = rosc::encoder::encode(&OscPacket::Bundle(OscBundle { timetag, content }))?;
        bytes.extend(u32::try_from(bundle.len())?.to_be_bytes());
        bytes.extend(bundle);
    }
    Ok(bytes)
}

fn message(addr: &str, args: Vec<OscType>) -> OscPacket {
    OscPacket::Message(OscMessage { addr: addr.to_owned(), args })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn score_has_patch_voices_and_end() {
        let bytes = score_bytes(3, 20).unwrap();
        let (mut rest, mut bundles) = (&bytes[..], Vec::new());
        while let Some((length, after)) = rest.split_first_chunk() {
            let (bundle, after) = after.split_at(u32::from_be_bytes(*length) as usize);
            let OscPacket::Bundle(bundle) = rosc::decoder::decode_udp(bundle).unwrap().1 else { panic!() };
            bundles.push((bundle.timetag.seconds, bundle.content.len()));
            rest = after;
        }
        assert_eq!(bundles, [(0, 5), (20, 1)]);
        assert!(PATCH.starts_with(b"SCgf"));
    }
}

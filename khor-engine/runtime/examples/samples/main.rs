//! `cargo xtask samples` runs this program. It renders the documentation's sound samples from the
//! captures, encodes them with `opusenc`, and writes the page that describes them.

mod list;
mod page;

use std::{
    error::Error,
    fs,
    io::Write,
    process::{Command, Stdio},
};

use khor_config::Config;
use khor_engine::engine::PlayedClip;
use khor_output::file::wav_bytes;

use self::list::{LISTING, Sample, folder, samples};

/// Average bit rate of a stereo sample, in kbit/s. The encoder varies the rate and uses less for
/// quiet parts.
const KBIT_PER_S: &str = "48";

fn main() -> Result<(), Box<dyn Error>> {
    let (config, folder) = (Config::default(), folder());
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let (mut listing, mut bytes) = (Vec::new(), 0);
    for sample in samples() {
        let played = sample.play(&config)?;
        let file = encoded(&sample, &played, &config)?;
        fs::write(folder.join(sample.file()), &file)?;
        println!("{:32} {:4} KiB", sample.file(), file.len() / 1024);
        listing.push(sample.made(&played, config.audio.sample_rate, &file));
        bytes += file.len();
    }
    fs::write(folder.join(LISTING), format!("{}\n", serde_json::to_string_pretty(&listing)?))?;
    fs::write(folder.join("README.md"), page::page())?;
    println!("{} samples, {} KiB", listing.len(), bytes / 1024);
    Ok(())
}

/// Encodes a sample as an Ogg Opus file. The serial number of the stream is fixed instead of
/// random, so that the same sound always gives the same bytes.
fn encoded(sample: &Sample, played: &PlayedClip, config: &Config) -> Result<Vec<u8>, Box<dyn Error>> {
    let title = format!("{}, in khor's preset {}", sample.clip.title, sample.preset.name);
    let mut encoder = Command::new("opusenc")
        .args([
            "--quiet",
            "--bitrate",
            KBIT_PER_S,
            "--serial",
            "1",
            "--padding",
            "0",
            "--title",
            &title,
            "-",
            "-",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot start opusenc: {error}; install the package opus-tools"))?;
    let wav = wav_bytes(&played.left, &played.right, config.audio.sample_rate);
    let mut input = encoder.stdin.take().ok_or("opusenc has no standard input")?;
    let writer = std::thread::spawn(move || input.write_all(&wav));
    let output = encoder.wait_with_output()?;
    writer.join().map_err(|_| "the thread that writes to opusenc panicked")??;
    if !output.status.success() {
        return Err(format!("opusenc failed: {}", output.status).into());
    }
    Ok(output.stdout)
}

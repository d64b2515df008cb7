//! Renders every preset in every scenario to WAV files and prints what was measured.
//!
//! `cargo run --release -p khor-engine --example scenarios -- [folder] [seconds] [preset]`

#[path = "../tests/offline/mod.rs"]
mod offline;

use ebur128::{EbuR128, Mode};
use khor_engine::music::{Layer, Preset, Settings};
use offline::{RATE_HZ, Rendered, render, scenarios};

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let folder = args.next().unwrap_or_else(|| "/tmp/khor".into());
    let seconds: f64 = args.next().map_or(Ok(30.0), |s| s.parse())?;
    let only = args.next();
    std::fs::create_dir_all(&folder)?;
    println!("preset     scenario    LUFS  dBTP  on/s  pitch  centroid  >6k %  stolen");
    for preset in Preset::builtin().iter().filter(|p| only.as_ref().is_none_or(|o| *o == p.name)) {
        for (name, levels) in scenarios() {
            let rendered = render(preset, Settings::default(), seconds, |_| levels);
            write(&format!("{folder}/{}-{name}.wav", preset.name), &rendered)?;
            report(&preset.name, name, &rendered)?;
        }
    }
    Ok(())
}

fn write(path: &str, rendered: &Rendered) -> anyhow::Result<()> {
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: RATE_HZ,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(path, spec)?;
    for sample in &rendered.samples {
        file.write_sample((sample * 32_767.0) as i16)?;
    }
    Ok(file.finalize()?)
}

fn report(preset: &str, scenario: &str, rendered: &Rendered) -> anyhow::Result<()> {
    let mut meter = EbuR128::new(2, RATE_HZ, Mode::I | Mode::TRUE_PEAK)?;
    meter.add_frames_f32(&rendered.samples)?;
    let lufs = meter.loudness_global()?;
    let peak = meter.true_peak(0)?.max(meter.true_peak(1)?);
    let heard: Vec<f64> =
        rendered.notes.iter().filter(|n| n.layer != Layer::Bed).map(|n| f64::from(n.midi)).collect();
    let pitch = heard.iter().sum::<f64>() / heard.len().max(1) as f64;
    let (centroid_hz, above) = spectrum(&rendered.samples);
    println!(
        "{preset:10} {scenario:9} {lufs:6.1} {:5.1} {:5.2} {pitch:6.1} {centroid_hz:9.0} {:6.2} {:7}",
        20.0 * peak.log10(),
        rendered.onsets_per_s(),
        100.0 * above,
        rendered.meter.stolen,
    );
    Ok(())
}

/// Power-weighted mean frequency, and share of power above 6 kHz, by a plain radix-2 transform of the mid signal.
fn spectrum(samples: &[f32]) -> (f64, f64) {
    const N: usize = 4096;
    let (mut total, mut weighted, mut above) = (0.0, 0.0, 0.0);
    for frame in samples.chunks_exact(2 * N) {
        let mut re: Vec<f64> = (0..N)
            .map(|i| {
                let hann = 0.5 - 0.5 * (std::f64::consts::TAU * i as f64 / N as f64).cos();
                f64::from(frame[2 * i] + frame[2 * i + 1]) * hann
            })
            .collect();
        let mut im = vec![0.0; N];
        transform(&mut re, &mut im);
        for bin in 1..N / 2 {
            let power = re[bin] * re[bin] + im[bin] * im[bin];
            let freq_hz = bin as f64 * f64::from(RATE_HZ) / N as f64;
            total += power;
            weighted += power * freq_hz;
            above += if freq_hz > 6000.0 { power } else { 0.0 };
        }
    }
    (weighted / total, above / total)
}

fn transform(re: &mut [f64], im: &mut [f64]) {
    let n = re.len();
    if n == 1 {
        return;
    }
    let split = |x: &[f64]| -> (Vec<f64>, Vec<f64>) {
        (x.iter().copied().step_by(2).collect(), x.iter().copied().skip(1).step_by(2).collect())
    };
    let ((mut even_re, mut odd_re), (mut even_im, mut odd_im)) = (split(re), split(im));
    transform(&mut even_re, &mut even_im);
    transform(&mut odd_re, &mut odd_im);
    for k in 0..n / 2 {
        let (sin, cos) = (-std::f64::consts::TAU * k as f64 / n as f64).sin_cos();
        let (r, i) = (odd_re[k] * cos - odd_im[k] * sin, odd_re[k] * sin + odd_im[k] * cos);
        (re[k], im[k]) = (even_re[k] + r, even_im[k] + i);
        (re[k + n / 2], im[k + n / 2]) = (even_re[k] - r, even_im[k] - i);
    }
}

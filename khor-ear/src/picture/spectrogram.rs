//! Draws a spectrogram: level over time and frequency. The frequency axis is logarithmic.

use super::{
    INK, LEFT, PER_S, TOP, axis,
    canvas::{Canvas, Colour},
    sheet, x_of,
};
use crate::{
    adapter::{RATE_HZ, Render},
    features::{each_window, mid},
};

const HEIGHT: i32 = 420;
const LENGTH: usize = 8192;
const LOWEST_HZ: f64 = 40.0;
const HIGHEST_HZ: f64 = 16_000.0;
/// Difference between the darkest and the brightest colour, dB. The strongest bin has the brightest
/// colour.
const RANGE_DB: f32 = 80.0;
const LABELLED_HZ: [(f64, &str); 9] = [
    (50.0, "50 Hz"),
    (100.0, "100 Hz"),
    (200.0, "200 Hz"),
    (500.0, "500 Hz"),
    (1000.0, "1 kHz"),
    (2000.0, "2 kHz"),
    (4000.0, "4 kHz"),
    (8000.0, "8 kHz"),
    (16_000.0, "16 kHz"),
];
/// Red, green and blue of the colours for evenly spaced levels, from quiet to loud.
const STOPS: [(f32, f32, f32); 6] = [
    (8.0, 8.0, 16.0),
    (50.0, 18.0, 96.0),
    (140.0, 34.0, 110.0),
    (214.0, 74.0, 68.0),
    (246.0, 158.0, 42.0),
    (252.0, 246.0, 186.0),
];

pub(super) fn draw(preset: &str, tour: &Render) -> Canvas {
    let seconds = tour.seconds();
    let mut canvas =
        sheet(&format!("{preset}: spectrogram, {RANGE_DB} dB from black to white"), seconds, HEIGHT);
    let hop = (f64::from(RATE_HZ) / PER_S) as usize;
    let mut columns: Vec<Vec<f32>> = Vec::new();
    each_window(&mid(&tour.samples), LENGTH, hop, |_, power| columns.push(rows(power)));
    let strongest = columns.iter().flatten().copied().fold(-200.0, f32::max);
    for (at, column) in columns.iter().enumerate() {
        let middle_s = (at * hop + LENGTH / 2) as f64 / f64::from(RATE_HZ);
        for (row, level) in column.iter().enumerate() {
            canvas.dot(x_of(middle_s), TOP + row as i32, colour(1.0 + (level - strongest) / RANGE_DB));
        }
    }
    for (hz, name) in LABELLED_HZ {
        let y = TOP + row_of(hz).round() as i32;
        canvas.line((LEFT - 4, y), (LEFT, y), INK);
        canvas.text(name, LEFT - 6 - 7 * name.len() as i32, y + 4, INK);
    }
    axis(&mut canvas, seconds, HEIGHT);
    canvas
}

/// Level of each row of pixels, dB. A row shows its strongest bin. A row without bins
/// shows the nearest bin.
fn rows(power: &[f32]) -> Vec<f32> {
    let bin_of = |row: f64| {
        let hz = HIGHEST_HZ * (LOWEST_HZ / HIGHEST_HZ).powf(row / f64::from(HEIGHT));
        (hz * LENGTH as f64 / f64::from(RATE_HZ)).round() as usize
    };
    let level = |row: i32| {
        let (low, high) = (bin_of(f64::from(row) + 0.5), bin_of(f64::from(row) - 0.5));
        let bins = &power[low.min(power.len() - 1)..=high.max(low).min(power.len() - 1)];
        10.0 * bins.iter().copied().fold(1e-12, f32::max).log10()
    };
    (0..HEIGHT).map(level).collect()
}

fn row_of(hz: f64) -> f64 {
    f64::from(HEIGHT) * (HIGHEST_HZ / hz).ln() / (HIGHEST_HZ / LOWEST_HZ).ln()
}

/// Colour for a level of 0..=1.
fn colour(level: f32) -> Colour {
    let place = level.clamp(0.0, 1.0) * (STOPS.len() - 1) as f32;
    let at = (place as usize).min(STOPS.len() - 2);
    let (low, high, share) = (STOPS[at], STOPS[at + 1], place - at as f32);
    let mix = |low: f32, high: f32| (low + share * (high - low)) as u8;
    Colour::new(mix(low.0, high.0), mix(low.1, high.1), mix(low.2, high.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_brightest_at_its_frequency() {
        let mut power = vec![1e-9; LENGTH / 2 + 1];
        power[(1000.0 * LENGTH as f64 / f64::from(RATE_HZ)).round() as usize] = 1.0;
        let rows = rows(&power);
        let loudest = rows.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0;
        assert!((loudest as f64 - row_of(1000.0)).abs() <= 2.0, "{loudest} {}", row_of(1000.0));
    }
}

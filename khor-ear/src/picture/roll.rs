//! Draws the notes as a piano roll: pitch over time, coloured by layer and family.

use super::{
    INK, LEFT, LINE, TOP, axis,
    canvas::{Canvas, Colour},
    sheet, x_of,
};
use crate::adapter::{Family, Layer, PlayedNote, Render};

/// Lowest pitch that the picture shows, MIDI note number. `HIGHEST` is the highest.
const LOWEST: i32 = 24;
const HIGHEST: i32 = 108;
/// Vertical scale, pixels per semitone.
const PER_SEMITONE: i32 = 5;
const HEIGHT: i32 = (HIGHEST - LOWEST + 1) * PER_SEMITONE;
/// Lowest and highest pitch that design.md §13 allows, as MIDI note numbers.
const REGISTER: [i32; 2] = [36, 96];

const BED: Colour = Colour::new(0x3d, 0x6e, 0x66);
const PULSE: Colour = Colour::new(0xe8, 0xe8, 0xe8);
const OTHER: Colour = Colour::new(0xff, 0x5c, 0x5c);
/// Colour of each family, from the page's dark theme (ui/src/theme/tokens.css).
const FAMILIES: [(Family, &str, Colour); 5] = [
    (Family::Process, "processes", Colour::new(0x8f, 0xc7, 0x8a)),
    (Family::Network, "network", Colour::new(0x6f, 0xb3, 0xd9)),
    (Family::Disk, "disk", Colour::new(0xe0, 0xa4, 0x58)),
    (Family::Memory, "memory", Colour::new(0xc7, 0x92, 0xc9)),
    (Family::Kernel, "kernel", Colour::new(0x98, 0xa1, 0xb0)),
];

pub(super) fn draw(preset: &str, tour: &Render) -> Canvas {
    let seconds = tour.seconds();
    let title = format!("{preset}: notes");
    let mut canvas = sheet(&title, seconds, HEIGHT);
    for midi in (LOWEST..=HIGHEST).filter(|midi| midi % 12 == 0 || REGISTER.contains(midi)) {
        let y = y_of(midi) + PER_SEMITONE / 2;
        canvas.line((LEFT, y), (x_of(seconds), y), LINE);
        canvas.text(&format!("C{} {midi:>3}", midi / 12 - 1), 4, y + 4, INK);
    }
    axis(&mut canvas, seconds, HEIGHT);
    // Long notes are drawn first, so that short ones cover them.
    let mut notes: Vec<&PlayedNote> = tour.notes.iter().collect();
    notes.sort_by(|a, b| b.duration_s.total_cmp(&a.duration_s));
    for note in notes {
        let (from, y) = (x_of(note.onset_s), y_of(i32::from(note.midi)));
        let to = x_of((note.onset_s + f64::from(note.duration_s)).min(seconds)).max(from + 2) - 1;
        canvas.block((from, y), (to, y + PER_SEMITONE - 2), faded(colour(note), note.velocity));
    }
    legend(&mut canvas, LEFT + 7 * title.len() as i32);
    canvas
}

fn y_of(midi: i32) -> i32 {
    TOP + (HIGHEST - midi) * PER_SEMITONE
}

fn colour(note: &PlayedNote) -> Colour {
    let family = FAMILIES.iter().find(|(family, ..)| note.family() == Some(*family));
    match (note.layer, family) {
        (Layer::Bed, _) => BED,
        (_, Some((.., colour))) => *colour,
        (Layer::Pulse, None) => PULSE,
        _ => OTHER,
    }
}

/// Adjusts a colour to a note's velocity. Quiet notes are darker, but remain visible.
fn faded(colour: Colour, velocity: f32) -> Colour {
    use embedded_graphics::pixelcolor::RgbColor;
    let share = 0.45 + 0.55 * velocity.clamp(0.0, 1.0);
    let mix = |channel: u8| (f32::from(channel) * share) as u8;
    Colour::new(mix(colour.r()), mix(colour.g()), mix(colour.b()))
}

fn legend(canvas: &mut Canvas, mut x: i32) {
    let families = FAMILIES.map(|(_, name, colour)| (name, colour));
    for (name, colour) in [("bed", BED), ("pulse", PULSE), ("other", OTHER)].into_iter().chain(families) {
        canvas.block((x, 7), (x + 8, 14), colour);
        canvas.text(name, x + 13, 15, INK);
        x += 13 + 7 * name.len() as i32 + 16;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::{Instrument, RATE_HZ, SignalId};

    #[test]
    fn notes_show_length_and_family_colour() {
        let note = PlayedNote {
            onset_s: 1.0,
            duration_s: 2.0,
            midi: 70,
            velocity: 1.0,
            layer: Layer::Voices,
            channel: 1,
            brightness: 0.0,
            instrument: Instrument::Receive,
            signal: Some(SignalId::Rx),
        };
        let pixels = |notes| {
            let heard = Render { samples: vec![0.0; 2 * 5 * RATE_HZ as usize], notes };
            draw("x", &heard).count(FAMILIES[1].2)
        };
        let drawn = pixels(vec![note]) - pixels(Vec::new());
        assert_eq!(drawn, 2 * 13 * (PER_SEMITONE as usize - 1));
    }
}

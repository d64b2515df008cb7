//! Draws a tour through all loads as two pictures: a spectrogram and a piano roll of the notes.

mod canvas;
mod roll;
mod spectrogram;

use std::path::{Path, PathBuf};

use anyhow::Result;

use self::canvas::{Canvas, Colour};
use crate::{
    adapter::Render,
    scenario::{Load, LoadClass, STOP_S},
};

/// Left margin between the border of the canvas and the picture, pixels. `TOP`, `BOTTOM` and
/// `RIGHT` are the other margins.
const LEFT: i32 = 58;
const TOP: i32 = 44;
const BOTTOM: i32 = 28;
const RIGHT: i32 = 32;
/// Horizontal scale, pixels per second.
const PER_S: f64 = 13.0;

const PAPER: Colour = Colour::new(0x14, 0x16, 0x1a);
const INK: Colour = Colour::new(0xe4, 0xe6, 0xea);
const LINE: Colour = Colour::new(0x4a, 0x4f, 0x58);

/// Draws both pictures of a tour into a folder, and returns their paths.
pub fn draw(preset: &str, tour: &Render, folder: &Path) -> Result<[PathBuf; 2]> {
    let paths = ["spectrogram", "roll"].map(|kind| folder.join(format!("{preset}-{kind}.png")));
    spectrogram::draw(preset, tour).save(&paths[0])?;
    roll::draw(preset, tour).save(&paths[1])?;
    Ok(paths)
}

fn x_of(seconds: f64) -> i32 {
    LEFT + (seconds * PER_S).round() as i32
}

/// Creates an empty canvas with a title.
fn sheet(title: &str, seconds: f64, height: i32) -> Canvas {
    let mut canvas = Canvas::new((x_of(seconds) + RIGHT) as u32, (TOP + height + BOTTOM) as u32, PAPER);
    canvas.text(title, 8, 15, INK);
    canvas
}

/// Draws the names of the loads and the time axis above the picture.
fn axis(canvas: &mut Canvas, seconds: f64, height: i32) {
    let bottom = TOP + height;
    for (at, class) in LoadClass::ALL.into_iter().enumerate() {
        let x = x_of(at as f64 * STOP_S);
        canvas.line((x, TOP - 14), (x, bottom), LINE);
        canvas.text(class.name(), x + 4, TOP - 4, INK);
    }
    for second in (0..=seconds as i32).step_by(4) {
        let x = x_of(f64::from(second));
        canvas.line((x, bottom), (x, bottom + 4), INK);
        canvas.text(&format!("{second} s"), x + 1, bottom + 17, INK);
    }
    canvas.line((LEFT, bottom), (x_of(seconds), bottom), INK);
}

//! Draws text, lines and boxes on a pixel image, and saves it as a PNG file.

use std::{convert::Infallible, fs::File, io::BufWriter, path::Path};

use anyhow::{Context, Result};
use embedded_graphics::{
    Pixel,
    draw_target::DrawTarget,
    geometry::{OriginDimensions, Point, Size},
    mono_font::{MonoTextStyle, iso_8859_1::FONT_7X13},
    pixelcolor::{Rgb888, RgbColor},
    prelude::Drawable,
    primitives::{Line, Primitive, PrimitiveStyle},
    text::Text,
};

/// A colour as red, green and blue.
pub(super) type Colour = Rgb888;

/// An image to draw on. Drawing outside its borders has no effect.
pub(super) struct Canvas {
    size: Size,
    pixels: Vec<Colour>,
}

impl Canvas {
    pub(super) fn new(width: u32, height: u32, paper: Colour) -> Self {
        Self { size: Size::new(width, height), pixels: vec![paper; (width * height) as usize] }
    }

    pub(super) fn dot(&mut self, x: i32, y: i32, colour: Colour) {
        if (0..self.size.width as i32).contains(&x) && (0..self.size.height as i32).contains(&y) {
            self.pixels[y as usize * self.size.width as usize + x as usize] = colour;
        }
    }

    /// Draws a filled rectangle between two corners, both included.
    pub(super) fn block(&mut self, from: (i32, i32), to: (i32, i32), colour: Colour) {
        for y in from.1..=to.1 {
            for x in from.0..=to.0 {
                self.dot(x, y, colour);
            }
        }
    }

    pub(super) fn line(&mut self, from: (i32, i32), to: (i32, i32), colour: Colour) {
        let line = Line::new(Point::new(from.0, from.1), Point::new(to.0, to.1));
        let Ok(()) = line.into_styled(PrimitiveStyle::with_stroke(colour, 1)).draw(self);
    }

    /// Draws text. `y` is the baseline of the text. Each character is 7 pixels wide.
    pub(super) fn text(&mut self, text: &str, x: i32, y: i32, colour: Colour) {
        let Ok(_) = Text::new(text, Point::new(x, y), MonoTextStyle::new(&FONT_7X13, colour)).draw(self);
    }

    pub(super) fn save(&self, path: &Path) -> Result<()> {
        let bytes: Vec<u8> = self.pixels.iter().flat_map(|pixel| [pixel.r(), pixel.g(), pixel.b()]).collect();
        let write = || -> Result<()> {
            let file = BufWriter::new(File::create(path)?);
            let mut encoder = png::Encoder::new(file, self.size.width, self.size.height);
            encoder.set_color(png::ColorType::Rgb);
            encoder.write_header()?.write_image_data(&bytes)?;
            Ok(())
        };
        write().with_context(|| format!("cannot write {}", path.display()))
    }

    /// Number of pixels that have this colour.
    #[cfg(test)]
    pub(super) fn count(&self, colour: Colour) -> usize {
        self.pixels.iter().filter(|pixel| **pixel == colour).count()
    }
}

impl OriginDimensions for Canvas {
    fn size(&self) -> Size {
        self.size
    }
}

impl DrawTarget for Canvas {
    type Color = Colour;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Colour>>>(&mut self, pixels: I) -> Result<(), Infallible> {
        for Pixel(at, colour) in pixels {
            self.dot(at.x, at.y, colour);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_outside_the_canvas_are_ignored() {
        let (paper, ink) = (Colour::new(0, 0, 0), Colour::new(9, 9, 9));
        let mut canvas = Canvas::new(10, 10, paper);
        canvas.block((-5, 8), (2, 20), ink);
        assert_eq!(canvas.count(ink), 6);
        canvas.text("khor", 100, 100, ink);
        assert_eq!(canvas.count(ink), 6);
    }
}

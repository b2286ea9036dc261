//! A decoded picture, as borrowed bytes.

use super::VisionError;

/// The channels of a pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// 1 byte per pixel.
    Grey,
    /// 3 bytes per pixel.
    Rgb,
}

impl Colour {
    pub fn bytes_per_pixel(self) -> usize {
        match self {
            Colour::Grey => 1,
            Colour::Rgb => 3,
        }
    }
}

/// Row by row without padding. Pixel `(i, j)` covers `[i, i+1) × [j, j+1)`.
#[derive(Clone, Copy, Debug)]
pub struct Picture<'a> {
    width_px: u32,
    height_px: u32,
    colour: Colour,
    pixels: &'a [u8],
}

impl<'a> Picture<'a> {
    pub fn new(width_px: u32, height_px: u32, colour: Colour, pixels: &'a [u8]) -> Result<Self, VisionError> {
        let expected = width_px as usize * height_px as usize * colour.bytes_per_pixel();
        if expected == 0 || pixels.len() != expected {
            return Err(VisionError::PictureSize { width_px, height_px, bytes: pixels.len() });
        }
        Ok(Picture { width_px, height_px, colour, pixels })
    }

    pub fn grey(width_px: u32, height_px: u32, pixels: &'a [u8]) -> Result<Self, VisionError> {
        Picture::new(width_px, height_px, Colour::Grey, pixels)
    }

    pub fn rgb(width_px: u32, height_px: u32, pixels: &'a [u8]) -> Result<Self, VisionError> {
        Picture::new(width_px, height_px, Colour::Rgb, pixels)
    }

    pub fn width_px(&self) -> u32 {
        self.width_px
    }

    pub fn height_px(&self) -> u32 {
        self.height_px
    }

    pub fn colour(&self) -> Colour {
        self.colour
    }

    pub fn pixels(&self) -> &'a [u8] {
        self.pixels
    }
}

/// A decoded frame that owns its bytes. The worker's decoder returns it.
#[derive(Clone, Debug)]
pub struct OwnedPicture {
    pub width_px: u32,
    pub height_px: u32,
    pub colour: Colour,
    pub pixels: Vec<u8>,
}

impl OwnedPicture {
    pub fn as_picture(&self) -> Result<Picture<'_>, VisionError> {
        Picture::new(self.width_px, self.height_px, self.colour, &self.pixels)
    }
}

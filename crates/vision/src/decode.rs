//! Decodes a frame into the pixels that the networks need.

use super::picture::{Colour, OwnedPicture};
use capture::{Decoder, to_grey, to_rgb};
use session::Frame;

/// An error is a sentence.
pub fn decode_picture(frame: &Frame, colour: Colour, decoder: &mut Decoder) -> Result<OwnedPicture, String> {
    let (width_px, height_px, pixels) = match colour {
        Colour::Grey => to_grey(frame, decoder).map(|p| (p.width_px, p.height_px, p.pixels)),
        Colour::Rgb => to_rgb(frame, decoder).map(|p| (p.width_px, p.height_px, p.pixels)),
    }
    .map_err(|e| e.to_string())?;
    Ok(OwnedPicture { width_px, height_px, colour, pixels })
}

//! A picture that has been copied to the graphics card.

use eframe::egui;

use super::port::Picture;

/// A picture on the graphics card.
#[derive(Clone)]
pub struct Photo {
    pub texture: egui::TextureHandle,
    pub width_px: u32,
    pub height_px: u32,
}

impl Photo {
    /// Replaces what `old` shows, so that its memory is used again.
    pub fn upload(ctx: &egui::Context, name: &str, picture: &Picture, old: Option<Photo>) -> Option<Photo> {
        let (width_px, height_px) = (picture.width_px, picture.height_px);
        let size = [width_px as usize, height_px as usize];
        // A picture of another size than it says would end the program in the upload.
        if picture.rgb.len() != size[0] * size[1] * 3 || picture.rgb.is_empty() {
            return None;
        }
        let image = egui::ColorImage::from_rgb(size, &picture.rgb);
        let texture = match old {
            Some(mut photo) => {
                photo.texture.set(image, egui::TextureOptions::LINEAR);
                photo.texture
            }
            None => ctx.load_texture(name, image, egui::TextureOptions::LINEAR),
        };
        Some(Photo { texture, width_px, height_px })
    }
}

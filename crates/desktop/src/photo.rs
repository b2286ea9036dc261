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
    /// Copies a picture to the graphics card. Reuses the texture of `old`. `None` if the picture is empty or damaged.
    pub fn upload(ctx: &egui::Context, name: &str, picture: &Picture, old: Option<Photo>) -> Option<Photo> {
        let (width_px, height_px) = (picture.width_px, picture.height_px);
        let size = [width_px as usize, height_px as usize];
        // The upload panics if the size of the data does not match the size of the picture.
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

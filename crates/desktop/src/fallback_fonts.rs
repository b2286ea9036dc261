//! Fonts of the system for letters that the program's own fonts do not have: Chinese, Japanese, Korean, Arabic, Hebrew,
//! Devanagari, Thai and others. They are large, so a font is looked up and loaded in a thread of its own, and only when
//! such a letter is on the screen.

use std::collections::BTreeSet;
use std::thread::JoinHandle;

use eframe::egui;
use egui::epaint::text::{FontInsert, FontPriority, InsertFontFamily};
use egui::{Context, FontData, FontFamily, FullOutput, Plugin, Shape};

/// A group of letters that one font usually has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Script {
    Chinese,
    Japanese,
    Korean,
    Arabic,
    Hebrew,
    Devanagari,
    Thai,
    Cyrillic,
    Greek,
    Emoji,
    /// A block of 128 letters. Scripts that are not listed above rarely share one.
    Other(u32),
}

impl Script {
    /// `None`: the program's own fonts have the letter.
    fn of(letter: char) -> Option<Script> {
        Some(match u32::from(letter) {
            0..=0x024F | 0x2000..=0x22FF | 0x2500..=0x25FF => return None,
            0x0370..=0x03FF => Script::Greek,
            0x0400..=0x052F => Script::Cyrillic,
            0x0590..=0x05FF => Script::Hebrew,
            0x0600..=0x077F | 0x08A0..=0x08FF | 0xFB50..=0xFDFF | 0xFE70..=0xFEFF => Script::Arabic,
            0x0900..=0x097F => Script::Devanagari,
            0x0E00..=0x0E7F => Script::Thai,
            0x1100..=0x11FF | 0xAC00..=0xD7AF => Script::Korean,
            0x3040..=0x30FF => Script::Japanese,
            0x2E80..=0x2FDF
            | 0x3000..=0x303F
            | 0x3400..=0x9FFF
            | 0xF900..=0xFAFF
            | 0xFF00..=0xFFEF
            | 0x20000..=0x3FFFF => Script::Chinese,
            0x2600..=0x27BF | 0x1F000..=0x1FAFF => Script::Emoji,
            letter => Script::Other(letter >> 7),
        })
    }
}

/// Scripts that are looked up at most. Each font takes memory, and a text can have letters of all scripts.
const SCRIPTS: usize = 48;

/// Watches the painted text.
#[derive(Default)]
pub struct FallbackFonts {
    /// A script is looked up once. A system without a font for it shows boxes.
    known: BTreeSet<Script>,
    loading: Option<JoinHandle<Vec<(String, FontData)>>>,
}

impl Plugin for FallbackFonts {
    fn debug_name(&self) -> &'static str {
        "fallback fonts"
    }

    fn output_hook(&mut self, ctx: &Context, output: &mut FullOutput) {
        self.take_loaded(ctx);
        if self.loading.is_some() {
            return;
        }
        let mut wanted: Vec<(Script, char)> = Vec::new();
        for clipped in &output.shapes {
            look(&clipped.shape, &mut |letter| {
                self.want(letter, &mut wanted);
            });
        }
        if wanted.is_empty() {
            return;
        }
        self.known.extend(wanted.iter().map(|(script, _)| *script));
        let ctx = ctx.clone();
        let load = move || {
            let fonts = find_fonts(&wanted.iter().map(|(_, letter)| *letter).collect::<Vec<_>>());
            ctx.request_repaint();
            fonts
        };
        // Without a thread the letters stay boxes.
        self.loading = std::thread::Builder::new().name("fonts".into()).spawn(load).ok();
    }
}

impl FallbackFonts {
    /// Adds the letter if it is the first one of its script.
    fn want(&self, letter: char, wanted: &mut Vec<(Script, char)>) {
        let Some(script) = Script::of(letter) else { return };
        let is_seen = self.known.contains(&script) || wanted.iter().any(|(s, _)| *s == script);
        let is_full = self.known.len() + wanted.len() >= SCRIPTS;
        // The listed scripts are few, and always looked up.
        let is_refused = is_full && matches!(script, Script::Other(_));
        if !(is_seen || is_refused) {
            wanted.push((script, letter));
        }
    }

    fn take_loaded(&mut self, ctx: &Context) {
        let Some(thread) = self.loading.take_if(|thread| thread.is_finished()) else { return };
        // A panic of the thread was printed when it happened.
        for (name, data) in thread.join().unwrap_or_default() {
            let families = [FontFamily::Proportional, FontFamily::Monospace]
                .map(|family| InsertFontFamily { family, priority: FontPriority::Lowest });
            ctx.add_font(FontInsert { name, data, families: families.to_vec() });
            ctx.request_repaint();
        }
    }
}

fn look(shape: &Shape, found: &mut impl FnMut(char)) {
    match shape {
        Shape::Text(text) => {
            let letters = &text.galley.job.text;
            if !letters.is_ascii() {
                letters.chars().filter(|c| !c.is_ascii()).for_each(found);
            }
        }
        Shape::Vec(shapes) => shapes.iter().for_each(|s| look(s, found)),
        _ => {}
    }
}

/// One font for each letter, if the system has one. A font that has several of the letters is returned once.
fn find_fonts(letters: &[char]) -> Vec<(String, FontData)> {
    let mut system = fontdb::Database::new();
    system.load_system_fonts();
    let mut chosen: Vec<(fontdb::ID, String)> = Vec::new();
    for letter in letters {
        let has_letter = |id: fontdb::ID| {
            let has = |data: &[u8], index: u32| {
                ttf_parser::Face::parse(data, index).is_ok_and(|face| face.glyph_index(*letter).is_some())
            };
            system.with_face_data(id, has) == Some(true)
        };
        if chosen.iter().any(|(id, _)| has_letter(*id)) {
            continue;
        }
        let normal = |face: &&fontdb::FaceInfo| face.style == fontdb::Style::Normal;
        let mut faces: Vec<&fontdb::FaceInfo> = system.faces().filter(normal).collect();
        // Regular sans-serif fonts first. The rest of the order makes the choice repeatable.
        faces.sort_by_key(|face| {
            let is_sans = face.families.iter().any(|(name, _)| name.contains("Sans"));
            (face.weight.0.abs_diff(400), !is_sans, face.monospaced, face.post_script_name.clone())
        });
        if let Some(face) = faces.iter().find(|face| has_letter(face.id)) {
            chosen.push((face.id, face.post_script_name.clone()));
        } else {
            tracing::info!("the system has no font for the letter {letter} ({:#x})", u32::from(*letter));
        }
    }
    let data = chosen.into_iter().filter_map(|(id, name)| {
        let data = system.with_face_data(id, |data, index| FontData { index, ..FontData::from_owned(data.to_vec()) });
        Some((name, data?))
    });
    data.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_letters_load_no_font() {
        for letter in "Valence −0.18 … “ä” ± × · ‹ › ≥ ●".chars() {
            assert_eq!(Script::of(letter), None, "{letter}");
        }
        let scripts = "中あ한ع ש क ไ".chars().filter_map(Script::of).collect::<Vec<_>>();
        use Script::{Arabic, Chinese, Devanagari, Hebrew, Japanese, Korean, Thai};
        assert_eq!(scripts, [Chinese, Japanese, Korean, Arabic, Hebrew, Devanagari, Thai]);
    }

    #[test]
    fn each_unlisted_script_is_looked_up_once_and_their_number_has_a_bound() {
        let mut fonts = FallbackFonts::default();
        let mut wanted = Vec::new();
        "কখ".chars().for_each(|letter| fonts.want(letter, &mut wanted));
        assert_eq!(wanted.len(), 1, "both are Bengali");
        fonts.known.extend(wanted.drain(..).map(|(script, _)| script));
        "গகქ".chars().for_each(|letter| fonts.want(letter, &mut wanted));
        let letters: Vec<char> = wanted.iter().map(|(_, letter)| *letter).collect();
        assert_eq!(letters, ['க', 'ქ'], "Tamil and Georgian, although Bengali is known");
        (0x0250..0xFFFF).filter_map(char::from_u32).for_each(|letter| fonts.want(letter, &mut wanted));
        assert!(wanted.len() <= SCRIPTS + 10, "{}", wanted.len());
        assert!(wanted.iter().any(|(script, _)| *script == Script::Chinese), "a listed script always has a place");
    }

    #[test]
    fn a_letter_of_the_systems_fonts_is_drawn_after_a_moment() {
        if find_fonts(&['ש']).is_empty() {
            // Unit tests do not have `need` of the integration tests.
            assert_ne!(std::env::var("AFFECTOGRAPH_NEED_ALL").as_deref(), Ok("1"), "the system has no Hebrew font");
            println!("skipped: the system has no Hebrew font");
            return;
        }
        let ctx = Context::default();
        ctx.add_plugin(FallbackFonts::default());
        let draw = |ctx: &Context| {
            let mut output = ctx.run_ui(egui::RawInput::default(), |ui| {
                ui.label("שלום");
            });
            // Nothing draws these textures.
            output.textures_delta.clear();
            ctx.fonts_mut(|f| f.has_glyph(&egui::FontId::proportional(14.0), 'ש'))
        };
        assert!(!draw(&ctx), "the program's own fonts have it");
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
        while !draw(&ctx) {
            assert!(std::time::Instant::now() < deadline, "no font was loaded");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
}

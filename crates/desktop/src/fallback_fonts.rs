//! Fonts of the system for letters that the program's own fonts do not have: Chinese, Japanese, Korean, Arabic, Hebrew,
//! Devanagari, Thai and others. They are large, so a font is looked up and loaded in a thread of its own, and only when
//! such a letter is on the screen. A script without a font is reported once.
//!
//! Older emoji are in the program's own fonts, in one colour. A newer one, such as 🙂 of 2014, is looked up like a letter.

use std::collections::BTreeSet;
use std::thread::JoinHandle;

use eframe::egui;
use egui::epaint::text::{FontInsert, FontPriority, InsertFontFamily};
use egui::{Context, FontData, FontFamily, FontId, FullOutput, Plugin, Shape};

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
            // They change the letter before them, and are not drawn.
            0xFE00..=0xFE0F | 0xE0000..=0xE01EF => return None,
            letter => Script::Other(letter >> 7),
        })
    }

    fn name(self) -> String {
        match self {
            Script::Other(block) => format!("the letters from U+{:04X} on", block << 7),
            // The program's own fonts have the others.
            Script::Emoji => "some newer emoji".to_owned(),
            named => format!("{named:?}"),
        }
    }

    /// The packages with a font, in Debian and Ubuntu, and in Windows.
    fn packages(self) -> (&'static str, &'static str) {
        match self {
            Script::Chinese => ("fonts-noto-cjk", "Chinese Supplemental Fonts"),
            Script::Japanese => ("fonts-noto-cjk", "Japanese Supplemental Fonts"),
            Script::Korean => ("fonts-noto-cjk", "Korean Supplemental Fonts"),
            Script::Arabic => ("fonts-noto-core", "Arabic Script Supplemental Fonts"),
            Script::Hebrew => ("fonts-noto-core", "Hebrew Supplemental Fonts"),
            Script::Devanagari => ("fonts-noto-core", "Devanagari Supplemental Fonts"),
            Script::Thai => ("fonts-noto-core", "Thai Supplemental Fonts"),
            Script::Emoji => ("fonts-symbola", "the font Segoe UI Emoji"),
            Script::Cyrillic | Script::Greek | Script::Other(_) => {
                ("fonts-noto-core", "the supplemental fonts of the language")
            }
        }
    }

    /// What the operator reads if no font of the system has the script.
    fn missing(self) -> String {
        let (debian, windows) = self.packages();
        format!(
            "No font of this computer can draw {}. They are shown as boxes here; web pages may still show them. Install \
             {debian} (Debian, Ubuntu) or {windows} (Windows, optional features), then start the program again.",
            self.name()
        )
    }
}

/// Scripts that are looked up at most. Each font takes memory, and a text can have letters of all scripts.
const SCRIPTS: usize = 48;

/// Watches the painted text.
#[derive(Default)]
pub struct FallbackFonts {
    /// A script is looked up once.
    known: BTreeSet<Script>,
    loading: Option<JoinHandle<Vec<(String, FontData)>>>,
    /// The scripts of which a letter was looked up in vain, in the order in which they were found.
    missing: Vec<Script>,
    /// How many of them were reported.
    reported: usize,
}

impl Plugin for FallbackFonts {
    fn debug_name(&self) -> &'static str {
        "fallback fonts"
    }

    fn output_hook(&mut self, ctx: &Context, output: &mut FullOutput) {
        // A loaded font draws from the next frame on.
        if self.take_loaded(ctx) || self.loading.is_some() {
            return;
        }
        let mut wanted: Vec<(Script, char)> = Vec::new();
        let mut drawn = |letter| ctx.fonts_mut(|fonts| fonts.has_glyph(&FontId::default(), letter));
        for clipped in &output.shapes {
            look(&clipped.shape, &mut |letter| self.meet(letter, &mut drawn, &mut wanted));
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
    /// The sentences about scripts that no font can draw, and that were not reported yet.
    pub fn take_news(&mut self) -> Vec<String> {
        let new = self.missing[self.reported..].iter().map(|script| script.missing()).collect();
        self.reported = self.missing.len();
        new
    }

    /// The sentences about all scripts that no font can draw.
    pub fn problems(&self) -> Vec<String> {
        self.missing.iter().map(|script| script.missing()).collect()
    }

    /// A letter is on the screen. Called while no font is being loaded.
    fn meet(&mut self, letter: char, drawn: &mut impl FnMut(char) -> bool, wanted: &mut Vec<(Script, char)>) {
        let Some(script) = Script::of(letter) else { return };
        if self.missing.contains(&script) || drawn(letter) {
            return;
        }
        if self.known.contains(&script) {
            self.missing.push(script);
        } else {
            self.want(script, letter, wanted);
        }
    }

    /// Adds the letter if it is the first one of its script.
    fn want(&self, script: Script, letter: char, wanted: &mut Vec<(Script, char)>) {
        let is_seen = wanted.iter().any(|(s, _)| *s == script);
        let is_full = self.known.len() + wanted.len() >= SCRIPTS;
        // The listed scripts are few, and always looked up.
        let is_refused = is_full && matches!(script, Script::Other(_));
        if !(is_seen || is_refused) {
            wanted.push((script, letter));
        }
    }

    /// Returns whether fonts were loaded.
    fn take_loaded(&mut self, ctx: &Context) -> bool {
        let Some(thread) = self.loading.take_if(|thread| thread.is_finished()) else { return false };
        // A panic of the thread was printed when it happened.
        for (name, data) in thread.join().unwrap_or_default() {
            let families = [FontFamily::Proportional, FontFamily::Monospace]
                .map(|family| InsertFontFamily { family, priority: FontPriority::Lowest });
            ctx.add_font(FontInsert { name, data, families: families.to_vec() });
        }
        ctx.request_repaint();
        true
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

/// egui draws outlines. A font of coloured pictures, such as Noto Color Emoji, has none.
fn has_outline(face: &ttf_parser::Face<'_>, letter: char) -> bool {
    struct Nowhere;
    impl ttf_parser::OutlineBuilder for Nowhere {
        fn move_to(&mut self, _: f32, _: f32) {}
        fn line_to(&mut self, _: f32, _: f32) {}
        fn quad_to(&mut self, _: f32, _: f32, _: f32, _: f32) {}
        fn curve_to(&mut self, _: f32, _: f32, _: f32, _: f32, _: f32, _: f32) {}
        fn close(&mut self) {}
    }
    face.glyph_index(letter).is_some_and(|glyph| face.outline_glyph(glyph, &mut Nowhere).is_some())
}

/// One font for each letter, if the system has one. A font that has several of the letters is returned once.
fn find_fonts(letters: &[char]) -> Vec<(String, FontData)> {
    let mut system = fontdb::Database::new();
    system.load_system_fonts();
    let mut chosen: Vec<(fontdb::ID, String)> = Vec::new();
    for letter in letters {
        let has_letter = |id: fontdb::ID| {
            let has = |data: &[u8], index: u32| {
                ttf_parser::Face::parse(data, index).is_ok_and(|face| has_outline(&face, *letter))
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
    fn emoji_are_drawn_with_the_programs_own_fonts() {
        let ctx = Context::default();
        let mut output = ctx.run_ui(egui::RawInput::default(), |ui| {
            ui.label("😀");
        });
        // Nothing draws these textures.
        output.textures_delta.clear();
        let fonts = [FontId::proportional(14.0), FontId::monospace(14.0)];
        for letter in "😀😢😡😊😐👍🎉❤📷".chars() {
            let is_drawn = |font: &FontId| ctx.fonts_mut(|f| f.has_glyph(font, letter));
            assert!(fonts.iter().all(is_drawn), "{letter}");
        }
    }

    #[test]
    fn each_unlisted_script_is_looked_up_once_and_their_number_has_a_bound() {
        let mut fonts = FallbackFonts::default();
        let mut wanted = Vec::new();
        let mut none_drawn = |_| false;
        "কখ".chars().for_each(|letter| fonts.meet(letter, &mut none_drawn, &mut wanted));
        assert_eq!(wanted.len(), 1, "both are Bengali");
        fonts.known.extend(wanted.drain(..).map(|(script, _)| script));
        "গகქ".chars().for_each(|letter| fonts.meet(letter, &mut none_drawn, &mut wanted));
        let letters: Vec<char> = wanted.iter().map(|(_, letter)| *letter).collect();
        assert_eq!(letters, ['க', 'ქ'], "Tamil and Georgian, although Bengali is known");
        let all = (0x0250..0xFFFF).filter_map(char::from_u32);
        all.for_each(|letter| fonts.meet(letter, &mut none_drawn, &mut wanted));
        assert!(wanted.len() <= SCRIPTS + 10, "{}", wanted.len());
        assert!(wanted.iter().any(|(script, _)| *script == Script::Chinese), "a listed script always has a place");
    }

    #[test]
    fn a_script_that_no_font_can_draw_is_reported_once_with_a_package() {
        let mut fonts = FallbackFonts::default();
        let mut wanted = Vec::new();
        let mut only_k = |letter| letter == 'ক';
        fonts.meet('ক', &mut only_k, &mut wanted);
        assert!(wanted.is_empty(), "a letter that is drawn needs no font");
        fonts.meet('ש', &mut only_k, &mut wanted);
        fonts.known.extend(wanted.drain(..).map(|(script, _)| script));
        assert_eq!(fonts.take_news(), [""; 0], "it is being looked up");
        for letter in "שלום\u{FE0F}".chars() {
            fonts.meet(letter, &mut only_k, &mut wanted);
        }
        let news = fonts.take_news();
        assert!(news.len() == 1 && news[0].contains("Hebrew") && news[0].contains("fonts-noto-core"), "{news:?}");
        fonts.meet('ש', &mut only_k, &mut wanted);
        assert_eq!((fonts.take_news(), fonts.problems().len()), (Vec::new(), 1));
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

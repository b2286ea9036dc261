//! Decodes bytes to text: UTF-8, or the encodings of Excel and older programs.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// The number of bytes that determine whether a file is UTF-16.
const EXAMINED_BYTES: usize = 4096;

pub(super) struct Text<'a> {
    pub text: Cow<'a, str>,
    /// The encoding, if it is not UTF-8.
    pub note: Option<String>,
}

/// Decodes `bytes`. `requested` is the user's choice of the encoding. A byte order mark takes precedence.
pub(super) fn text<'a>(bytes: &'a [u8], requested: Option<&'static Encoding>) -> Result<Text<'a>, String> {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        let note = (encoding != UTF_8)
            .then(|| format!("its encoding is {} (it begins with a byte order mark)", encoding.name()));
        return decoded(bytes, encoding, note);
    }
    if let Some(encoding) = requested {
        return decoded(
            bytes,
            encoding,
            Some(format!("its text was read as {}, as set with --encoding", encoding.name())),
        );
    }
    if let Some(encoding) = evident_utf16(bytes) {
        return decoded(
            bytes,
            encoding,
            Some(format!("its encoding is {} (every second byte is zero)", encoding.name())),
        );
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => whole(Text { text: Cow::Borrowed(text), note: None }),
        Err(problem) => eight_bits(bytes, problem.valid_up_to()),
    }
}

fn decoded<'a>(bytes: &'a [u8], encoding: &'static Encoding, note: Option<String>) -> Result<Text<'a>, String> {
    let (text, malformed) = encoding.decode_with_bom_removal(bytes);
    if malformed {
        let line = text.find('\u{fffd}').map_or(1, |at| line_of(&text, at));
        return Err(format!(
            "line {line} contains bytes that are not {}: the file is damaged or cut off",
            encoding.name()
        ));
    }
    whole(Text { text, note })
}

/// Refuses text with a NUL character.
fn whole(text: Text<'_>) -> Result<Text<'_>, String> {
    match text.text.find('\0') {
        Some(at) => {
            let line = line_of(&text.text, at);
            Err(format!("line {line} contains a NUL character: the file is damaged, or it is not text"))
        }
        None => Ok(text),
    }
}

/// Decodes text that is neither UTF-8 nor UTF-16 as Windows-1252. It includes Latin-1 and is the usual remaining encoding in
/// Western countries.
fn eight_bits(bytes: &[u8], invalid_at: usize) -> Result<Text<'_>, String> {
    let lossy = String::from_utf8_lossy(bytes);
    let line = lossy.get(..invalid_at).map_or(1, |before| line_of(before, before.len()));
    let (mut valid, mut invalid) = (0, 0);
    for c in lossy.chars().filter(|c| !c.is_ascii()) {
        *(if c == '\u{fffd}' { &mut invalid } else { &mut valid }) += 1;
    }
    // Text in other encodings almost never contains valid UTF-8 letters.
    if valid > invalid {
        return Err(format!(
            "line {line} contains bytes that are not UTF-8, unlike the rest of the file: it is damaged or cut off"
        ));
    }
    let (text, _) = WINDOWS_1252.decode_without_bom_handling(bytes);
    // Five bytes are undefined in Windows-1252. They show that it is another encoding.
    if let Some(at) = text.find(|c: char| ('\u{80}'..='\u{9f}').contains(&c)) {
        let line = line_of(&text, at);
        return Err(format!(
            "line {line} contains bytes that are neither UTF-8 nor Windows-1252: set the encoding with --encoding (for example \
             macintosh, windows-1251, shift_jis, gbk), or save the file as CSV in UTF-8"
        ));
    }
    whole(Text { text, note: Some("its text is not UTF-8 and was read as Windows-1252 (Latin-1)".to_owned()) })
}

/// Recognises UTF-16 without a byte order mark. Its Latin letters have a zero in every second byte. Other text has no zeros.
fn evident_utf16(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = &bytes[..bytes.len().min(EXAMINED_BYTES) & !1];
    let (pairs, zeros) =
        (head.len() / 2, |offset: usize| head.iter().skip(offset).step_by(2).filter(|b| **b == 0).count());
    let (high_first, low_first) = (zeros(0), zeros(1));
    // In a short header, the comma or tab alone exceeds half.
    let is_most = |n: usize| pairs >= 2 && n * 2 > pairs;
    // The other byte of a few letters is zero.
    let is_few = |n: usize, of: usize| n * 4 < of;
    match (is_most(high_first) && is_few(low_first, high_first), is_most(low_first) && is_few(high_first, low_first)) {
        (true, false) => Some(UTF_16BE),
        (false, true) => Some(UTF_16LE),
        _ => None,
    }
}

/// The line of the byte `at`, counted as in editors.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    let before = &text.as_bytes()[..at];
    let returns = before.iter().filter(|b| **b == b'\r').count();
    let feeds = before.iter().enumerate().filter(|(k, b)| **b == b'\n' && (*k == 0 || before[k - 1] != b'\r')).count();
    1 + returns + feeds
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, le: bool) -> Vec<u8> {
        text.encode_utf16().flat_map(|u| if le { u.to_le_bytes() } else { u.to_be_bytes() }).collect()
    }

    fn read(bytes: &[u8]) -> (String, String) {
        let read = text(bytes, None).unwrap();
        (read.text.into_owned(), read.note.unwrap_or_default())
    }

    #[test]
    fn encodings_are_found_and_said() {
        let words = "onset\tkind\r\n0.5\tlächeln – “ok” 😀\r\n";
        assert_eq!(read(words.as_bytes()), (words.into(), String::new()));
        assert_eq!(read(format!("\u{feff}{words}").as_bytes()), (words.into(), String::new()));
        for (le, name) in [(true, "UTF-16LE"), (false, "UTF-16BE")] {
            for bom in ["\u{feff}", ""] {
                let (text, note) = read(&utf16(&format!("{bom}{words}"), le));
                assert!(text == words && note.contains(name), "{note}: {text}");
            }
        }
        let (text, note) = read(b"onset,kind\n1,l\xe4cheln \x96 na\xefve \x80\n");
        assert!(text == "onset,kind\n1,lächeln – naïve €\n" && note.contains("Windows-1252"), "{note}: {text}");
    }

    #[test]
    fn an_encoding_can_be_asked_for() {
        let read = text(b"onset,kind\n1,\xf3\xeb\xfb\xe1\xea\xe0\n", Encoding::for_label(b"windows-1251")).unwrap();
        assert!(read.text.ends_with("улыбка\n") && read.note.unwrap().contains("windows-1251"));
    }

    #[test]
    fn what_cannot_be_text_is_refused_with_its_line() {
        let problem = |bytes: &[u8]| text(bytes, None).err().unwrap();
        assert!(problem(b"onset,kind\r\n1,\0\r\n").contains("line 2 contains a NUL"));
        // Japanese in Shift JIS.
        assert!(
            problem(b"onset,kind\r1,\x8f\xce\x82\xa2\r").contains("line 2")
                && problem(b"a\n\x81").contains("--encoding")
        );
        let mut cut = "onset,kind\n1,ä ö ü ß\n2,é".as_bytes().to_vec();
        cut.pop();
        assert!(problem(&cut).contains("line 3 contains bytes that are not UTF-8"), "{}", problem(&cut));
        let mut odd = utf16("\u{feff}onset,kind\n1,a\n", true);
        odd.pop();
        assert!(problem(&odd).contains("cut off"));
    }
}

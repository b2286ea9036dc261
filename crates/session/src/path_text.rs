//! A path as text. Most systems allow any bytes in a path, and text that loses bytes no longer identifies the file.

use std::path::Path;

/// The path unchanged if it is valid text. Otherwise bytes that are not text become `\xE9`, and each backslash becomes
/// two.
pub fn path_text(path: &Path) -> String {
    match path.to_str() {
        Some(text) => text.to_owned(),
        None => escaped(path.as_os_str().as_encoded_bytes()),
    }
}

fn escaped(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(&chunk.valid().replace('\\', "\\\\"));
        chunk.invalid().iter().for_each(|byte| text.push_str(&format!("\\x{byte:02X}")));
    }
    text
}

/// The path in one line, for display: control characters are escaped.
pub fn path_in_line(path: &str) -> String {
    path.chars().map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_and_bytes_are_kept_apart() {
        assert_eq!(path_text(Path::new("/a b/sub-01_ä\\.mp4")), "/a b/sub-01_ä\\.mp4");
        assert_eq!(escaped(b"caf\xe9.mp4"), "caf\\xE9.mp4");
        assert_eq!(escaped(b"a\\xe9\xe9"), "a\\\\xe9\\xE9");
        assert_eq!(path_in_line("a\nb\t.mp4"), "a\\nb\\t.mp4");
    }
}

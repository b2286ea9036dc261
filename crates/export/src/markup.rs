//! Text inside HTML and XML.

use std::fmt::{Arguments, Write as _};

/// Appends formatted text.
pub(crate) fn append(out: &mut String, text: Arguments<'_>) {
    // Writing to a string cannot fail.
    out.write_fmt(text).ok();
}

/// Appends formatted text and a line end.
pub(crate) fn append_line(out: &mut String, text: Arguments<'_>) {
    append(out, text);
    out.push('\n');
}

/// Escapes text between tags and inside attributes. A control character becomes a space.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

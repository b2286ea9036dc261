//! Parses the XML of a stream's header and footer.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, Event};

/// The largest depth of nested elements.
const MOST_DEPTH: usize = 64;
/// The largest number of channels of a stream.
const MOST_CHANNELS: usize = 1 << 20;

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Header {
    pub(super) name: String,
    /// "Markers", "EEG" …
    pub(super) content_type: String,
    pub(super) format: String,
    pub(super) channels: usize,
    /// 0: the samples have no fixed rate.
    pub(super) rate_hz: f64,
    /// True of cameras, for example. Their samples are never placed on a grid.
    pub(super) may_drop_samples: bool,
}

pub(super) fn header(xml: &[u8]) -> Result<Header, String> {
    let mut header = Header::default();
    let (mut channels, mut rate) = (String::new(), String::new());
    leaves(xml, |path, text| match path {
        ["name"] => header.name = text.to_owned(),
        ["type"] => header.content_type = text.to_owned(),
        ["channel_format"] => header.format = text.to_lowercase(),
        ["channel_count"] => channels = text.to_owned(),
        ["nominal_srate"] => rate = text.to_owned(),
        ["desc", "synchronization", "can_drop_samples"] => header.may_drop_samples = text.eq_ignore_ascii_case("true"),
        _ => {}
    })?;
    header.channels = match channels.parse() {
        Ok(count @ 1..=MOST_CHANNELS) => count,
        _ => return Err(format!("`{channels}` is not a number of channels")),
    };
    header.rate_hz = match rate.parse() {
        _ if rate.is_empty() => 0.0,
        Ok(rate_hz) if f64::is_finite(rate_hz) && rate_hz >= 0.0 => rate_hz,
        _ => return Err(format!("`{rate}` is not a rate")),
    };
    Ok(header)
}

/// The number of samples that the recorder counted.
pub(super) fn footer_samples(xml: &[u8]) -> Option<usize> {
    let mut count = None;
    let read = leaves(xml, |path, text| {
        if path == ["sample_count"] {
            count = text.parse().ok();
        }
    });
    read.ok().and(count)
}

/// Calls `on_element` with the path and the text of each element below the root. Content after the root is an error.
fn leaves(xml: &[u8], mut on_element: impl FnMut(&[&str], &str)) -> Result<(), String> {
    let text = String::from_utf8_lossy(xml);
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}').trim_end_matches('\0'));
    // Names may contain an ampersand that is not escaped.
    reader.config_mut().allow_dangling_amp = true;
    let mut open = Vec::<(String, String)>::new();
    let mut is_over = false;
    loop {
        let event = reader.read_event().map_err(|e| format!("it is not XML: {e}"))?;
        let words = match &event {
            Event::Start(tag) if is_over || open.len() == MOST_DEPTH => {
                return Err(format!(
                    "`{}` is nested too deeply, or follows the root element",
                    String::from_utf8_lossy(tag.name().as_ref())
                ));
            }
            Event::Start(tag) => {
                open.push((String::from_utf8_lossy(tag.name().as_ref()).into_owned(), String::new()));
                continue;
            }
            Event::End(_) => {
                let (_, words) = open.last().map_or(("", ""), |(name, words)| (name.as_str(), words.as_str()));
                let path: Vec<&str> = open.iter().skip(1).map(|(name, _)| name.as_str()).collect();
                on_element(&path, words.trim());
                open.pop();
                is_over = open.is_empty();
                continue;
            }
            Event::Text(words) => words.decode().map_err(|e| e.to_string())?.into_owned(),
            Event::CData(words) => words.decode().map_err(|e| e.to_string())?.into_owned(),
            Event::GeneralRef(reference) => resolved(reference),
            Event::Eof if is_over => return Ok(()),
            Event::Eof => return Err("its XML ends too early".to_owned()),
            _ => continue,
        };
        match open.last_mut() {
            Some((_, text)) => text.push_str(&words),
            None if words.trim().is_empty() => {}
            None => return Err("there is text outside the root element".to_owned()),
        }
    }
}

/// Resolves `&amp;` and `&#228;`. Undefined entities are not changed.
fn resolved(reference: &BytesRef<'_>) -> String {
    if let Ok(Some(letter)) = reference.resolve_char_ref() {
        return letter.to_string();
    }
    let name = reference.decode().unwrap_or_default();
    resolve_predefined_entity(&name).map_or_else(|| format!("&{name};"), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Header {
        let xml = format!(
            "<?xml version=\"1.0\"?>\n<info>\n\t<name>{name}</name><type>Markers</type><channel_count> 2 </channel_count>\
             <channel_format>String</channel_format><nominal_srate>0.000</nominal_srate>\
             <desc><name>not this</name></desc></info>\n\0"
        );
        header(xml.as_bytes()).unwrap()
    }

    #[test]
    fn names_are_what_their_writer_meant() {
        for (written, meant) in [
            ("Eye &amp; Mouth &lt;L&gt;", "Eye & Mouth <L>"),
            ("\n  B&#228;r &#x1F600; &quot;x&quot; \n", "Bär 😀 \"x\""),
            ("<![CDATA[a < b && c]]>!", "a < b && c!"),
            ("R & D", "R & D"),
            ("&nobody;", "&nobody;"),
            ("a<!-- comment -->b<?pi?>c", "abc"),
            ("", ""),
        ] {
            assert_eq!(named(written).name, meant, "{written}");
        }
        let header = named("x");
        assert_eq!((header.channels, header.rate_hz, header.format.as_str()), (2, 0.0, "string"));
    }

    #[test]
    fn what_is_no_header_is_refused_with_the_reason() {
        let says = |xml: &str| header(xml.as_bytes()).unwrap_err();
        assert!(says("").contains("ends too early"));
        assert!(says("<info><name>x</name>").contains("ends too early"));
        assert!(says("<info></wrong>").contains("not XML"));
        assert!(says("<info><channel_count>-1</channel_count></info>").contains("`-1` is not a number of channels"));
        let many = "<info><channel_count>1</channel_count><nominal_srate>often</nominal_srate></info>";
        assert!(says(many).contains("`often` is not a rate"));
        assert!(says("<info></info>more").contains("outside"));
        assert!(says(&"<a>".repeat(1000)).contains("nested too deeply"));
    }

    #[test]
    fn the_footer_counts() {
        assert_eq!(footer_samples(b"<info><sample_count>12</sample_count></info>"), Some(12));
        assert_eq!(footer_samples(b"<info><sample_count>many</sample_count></info>"), None);
        assert_eq!(footer_samples(b"rubbish"), None);
    }
}

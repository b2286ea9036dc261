//! Properties that must hold for any bytes from outside. Each function passes bytes to one of the program's readers and
//! panics if a property is violated. The properties are not only the absence of crashes, but also consistent results.
//!
//! `fuzz/` runs them with libFuzzer, `tests/it/hostile_bytes.rs` as property tests. Nothing else uses them.

use std::path::Path;

use serde_json::value::RawValue;

use analysis::import::{EventFile, TableOptions, read_events};
use session::Study;
use session::page_message::{Body as MessageBody, Event, MAX_MESSAGE_BYTES, Message};
use store::scratch::{Scratch, write};
use vision::{ModelCard, VisionError};

pub use server::fuzz_intake as server_intake;
pub use store::{fuzz_recovery as recovery, fuzz_seed_video as seed_video, fuzz_video as video};

pub type Body = fn(&[u8]);

/// The name and function of each target.
pub const ALL: [(&str, Body); 10] = [
    ("page_message", page_message),
    ("server_intake", server_intake),
    ("video", video),
    ("recovery", recovery),
    ("xdf", xdf),
    ("table", table),
    ("study_file", study_file),
    ("model_card", model_card),
    ("jpeg_index", jpeg_index),
    ("lsl_description", lsl_description),
];

/// A message of a page is refused, or it is within its bounds and does not change when it is stored and read again.
pub fn page_message(bytes: &[u8]) {
    let Ok(message) = Message::parse(bytes) else { return };
    assert!(bytes.len() <= MAX_MESSAGE_BYTES);
    assert!(message.document.len() == 16 && message.document.bytes().all(|b| b.is_ascii_hexdigit()));
    assert!((0.0..1e12).contains(&message.page_ms), "{}", message.page_ms);
    let MessageBody::Event(event) = message.body else { return };
    assert!(Event::KINDS.contains(&event.kind()));
    let data = serde_json::to_string(&event.data()).unwrap_or_default();
    let raw = RawValue::from_string(data).unwrap_or_else(|e| panic!("{} is stored as no JSON: {e}", event.kind()));
    match Event::parse(event.kind(), &raw) {
        Ok(again) => assert_eq!(again, event, "stored as {raw}"),
        Err(e) => panic!("stored as {raw}, which is refused: {e}"),
    }
}

/// A file of events in any format of `import`. The resulting times are finite and ordered.
pub fn table(bytes: &[u8]) {
    // Bytes that start like another format are read by its own reader.
    foreign_events(bytes);
}

/// Like [`table`], for bytes that start like an XDF file.
pub fn xdf(bytes: &[u8]) {
    let file = if bytes.starts_with(b"XDF:") { bytes.to_vec() } else { [b"XDF:", bytes].concat() };
    foreign_events(&file);
}

fn foreign_events(bytes: &[u8]) {
    let scratch = Scratch::new();
    let path = scratch.path().join("events");
    write(&path, bytes);
    match read_events(&path, &TableOptions::default()) {
        Ok(EventFile { events, .. }) => {
            assert!(!events.is_empty());
            assert!(events.iter().all(|e| e.at_s.is_finite()), "an event without a time");
            assert!(events.is_sorted_by(|a, b| a.at_s <= b.at_s), "events out of order");
            assert!(
                events.iter().all(|e| e.duration_s.is_none_or(|d| d.is_finite() && d > 0.0)),
                "an invalid duration"
            );
            assert!(events.iter().all(|e| !e.kind.is_empty()), "an event without a kind");
        }
        Err(e) => assert!(!e.to_string().is_empty()),
    }
}

/// A study file is refused with a position in its text, or does not change when it is written and read again.
pub fn study_file(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Study::parse(text) {
        Ok(study) => {
            let again = toml::to_string(&study).unwrap_or_else(|e| panic!("a study that cannot be written: {e}"));
            match Study::parse(&again) {
                Ok(same) => assert_eq!(same, study),
                Err(e) => panic!("written as\n{again}\nit is refused: {e}"),
            }
        }
        Err(e) => is_in(text, e.line, e.column),
    }
}

/// Like [`study_file`], for the card of a network.
pub fn model_card(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match ModelCard::parse(text, Path::new("model.toml")) {
        Ok(card) => {
            let again = toml::to_string(&card).unwrap_or_else(|e| panic!("a card that cannot be written: {e}"));
            match ModelCard::parse(&again, Path::new("model.toml")) {
                // Compared as text, because a card may contain NaN, which is not equal to itself.
                Ok(same) => assert_eq!(toml::to_string(&same).unwrap_or_default(), again),
                Err(e) => panic!("written as\n{again}\nit is refused: {e}"),
            }
            // The folder does not exist, so no file may be found.
            let elsewhere = card.read_file(Path::new("/nonexistent/affectograph"));
            assert!(elsewhere.is_err());
        }
        Err(VisionError::Card { line, column, .. }) => is_in(text, line, column),
        Err(e) => panic!("{e}"),
    }
}

fn is_in(text: &str, line: usize, column: usize) {
    let lines = text.matches('\n').count() + 1;
    assert!((1..=lines).contains(&line), "line {line} of {lines}");
    let length = text.split('\n').nth(line - 1).map_or(0, |l| l.chars().count());
    assert!((1..=length + 1).contains(&column), "column {column} of line {line}, which has {length} characters");
}

/// The end of a picture is within the bytes, is a JPEG's end, and does not depend on the bytes after it.
pub fn jpeg_index(bytes: &[u8]) {
    let Some(length) = capture::jpeg_len(bytes) else { return };
    let picture = &bytes[..length];
    assert!(picture.starts_with(&[0xff, 0xd8]) && picture.ends_with(&[0xff, 0xd9]));
    assert_eq!(capture::jpeg_len(picture), Some(length));
    assert_eq!(capture::jpeg_len(&[picture, picture].concat()), Some(length));
    for cut in [length - 1, length - 2, length / 2, length.saturating_sub(7)] {
        assert_eq!(capture::jpeg_len(&bytes[..cut]), None, "{cut} of {length} bytes");
    }
}

/// The description of a stream of another instrument is refused, or has as many channels as the stream, all with names of their own.
pub fn lsl_description(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for count in [1, 3] {
        match lsl::Description::parse("amplifier", text, count) {
            Ok(description) => {
                let labels: std::collections::BTreeSet<&str> =
                    description.channels.iter().map(|channel| channel.label.as_str()).collect();
                assert_eq!(labels.len(), count as usize);
                assert!(!labels.contains("") && description.xml == text);
            }
            Err(e) => assert!(e.to_string().contains("amplifier")),
        }
    }
}

/// Valid inputs of each target. Broken inputs are derived from them.
pub fn seeds(target: &str) -> Vec<Vec<u8>> {
    let text = |all: &[&str]| all.iter().map(|s| s.as_bytes().to_vec()).collect();
    match target {
        "page_message" => text(&[
            r##"{"d":"0123456789abcdef","n":3,"t":12.5,"k":"click","x":{"target":"button#buy","label":"Buy","x_px":10.5,"y_px":20,"button":0,"buttons":0,"count":1,"device":"mouse"}}"##,
            r##"{"d":"0123456789abcdef","n":0,"t":0,"k":"document","x":{"url":"https://a.example/","width_px":1280,"height_px":720,"pixel_ratio":1,"tick_ms":0.1}}"##,
            r##"{"d":"0123456789abcdef","n":4,"t":20.25,"k":"input","x":{"target":"#t","length_before":3,"length_after":4,"how":"insertText","caret":4,"position":3,"inserted":"\u00e4","inserted_length":1}}"##,
            r##"{"d":"0123456789abcdef","n":5,"t":21,"k":"mark","x":{"name":"trial","data":{"a":[1,2,{"b":null}],"c":1e300}}}"##,
            r##"{"d":"0123456789abcdef","n":6,"t":22,"k":"pong","x":{"id":7}}"##,
            r##"{"d":"0123456789abcdef","n":7,"t":23,"k":"keydown","x":{"target":"#p","is_masked":true,"is_repeat":true}}"##,
        ]),
        "server_intake" => text(&[
            r##"{"documents":[{"document":1,"time_origin_utc_ms":1763901230000.5,"clock":{"at_ms":812.4,"offset_ms":1763901230000.9,"uncertainty_ms":0.6}}],"records":[{"stream":"page","seq":0,"document":1,"page_ms":4830.1,"kind":"visibility","data":{"state":"visible"}},{"stream":"affect","seq":0,"document":1,"page_ms":4833.3,"frame":12,"values":[0.1,-0.2,null,0,0,0,0,0,0,0,0,0]},{"stream":"affect","seq":1,"document":1,"page_ms":4866.6,"gap":{"until_ms":5200.0,"reason":"no_face","lost":10,"note":""}}]}"##,
            r##"{"documents":[{"document":1,"time_origin_utc_ms":1763901230000.5,"clock":null},{"document":2,"time_origin_utc_ms":1763901231000.5,"clock":{"at_ms":1,"offset_ms":1763901231000.9,"uncertainty_ms":3}}],"records":[{"stream":"page_clock","seq":0,"document":2,"page_ms":4000.0,"kind":"measured","data":{"offset_ms":1763901231000.9,"uncertainty_ms":3,"document":2}},{"stream":"health","seq":7,"document":1,"page_ms":5000,"kind":"camera_lost","data":{"detail":"x"}},{"stream":"replay","seq":1,"document":2,"page_ms":4000,"kind":"rrweb","data":{"type":4}},{"stream":"video_frame","seq":0,"document":2,"page_ms":4100,"kind":"frames","data":{"first":0,"page_ms":[4000.5],"media_s":[0.0]}}]}"##,
        ]),
        "video" | "recovery" => vec![seed_video(0), seed_video(5)],
        "xdf" => vec![seed_xdf()],
        "table" => text(&[
            "onset\tduration\ttrial_type\tstim\n1.5\t0.25\tsmile\ta.png\n2\tn/a\tn/a\tn/a\n",
            "sep=;\r\n\"time_ms\";\"event\"\r\n1500,5;\"a; b\"\r\n;;\r\n1700;go\r\n",
            "\u{feff}Time (ms),key,key\n10,a,b\n20,c,d\n",
            "time,event\n00:01.500,a\n01:00:00,b\n",
        ]),
        "study_file" => text(&[
            "name = \"demo\"\ntitle = \"Demo\"\n[page]\naddress = \"page\"\n",
            "name = \"full\"\ntitle = \"T\u{e4}st\"\nplanned_minutes = 5.5\naffect_model = \"affect\"\nannotation_labels = [\"a\"]\n[page]\naddress = \"https://a.example\"\nplacement = \"embedded\"\nmask = [\"#a\"]\n[camera]\nexposure = 3\n[consent]\ntext = '''\nI agree.\n'''\nrequired = true\n[[markers]]\nkey = \"1\"\nlabel = \"x\"\n[[phases]]\nname = \"cross\"\nkind = \"baseline\"\nseconds = 3\n",
        ]),
        "model_card" => vec![include_bytes!("../models/affect/model.toml").to_vec()],
        "jpeg_index" => vec![seed_jpeg()],
        "lsl_description" => text(&[
            "<?xml version=\"1.0\"?><info><name>A</name><desc><channels><channel><label>Fp1</label><unit>microvolts</unit><type>EEG\
             </type></channel><channel><label>Fp1</label></channel><channel><unit>&lt;V&gt;</unit></channel></channels></desc></info>",
            "<info><desc/></info>",
        ]),
        other => panic!("there is no fuzz target {other}"),
    }
}

fn seed_jpeg() -> Vec<u8> {
    use session::{Frame, FrameMeta, Pixels, TimeSource};
    let pixels = Pixels::Rgb((0..16 * 16 * 3u32).map(|k| (k.wrapping_mul(2_654_435_761) >> 24) as u8).collect());
    let (number, at, device_sequence) = (0, session::Timestamp::ZERO, None);
    let meta = FrameMeta { number, at, time_source: TimeSource::Rendered, device_sequence };
    let frame = Frame { meta, width_px: 16, height_px: 16, pixels };
    let encoder = store::JpegEncoder::new();
    encoder.ok().and_then(|mut e| e.encode(&frame).ok().map(<[u8]>::to_vec)).unwrap_or_default()
}

/// Two streams, clock offsets, a boundary and a footer.
fn seed_xdf() -> Vec<u8> {
    let chunk = |tag: u16, content: &[u8]| {
        let mut out = vec![4];
        out.extend((content.len() as u32 + 2).to_le_bytes());
        out.extend(tag.to_le_bytes());
        out.extend(content);
        out
    };
    let header = |name: &str, channels: u32, format: &str| {
        format!(
            "<?xml version=\"1.0\"?><info><name>{name}</name><type>Markers</type><channel_count>{channels}</channel_count>\
             <nominal_srate>0</nominal_srate><channel_format>{format}</channel_format></info>"
        )
    };
    let mut out = b"XDF:".to_vec();
    out.extend(chunk(1, b"<?xml version=\"1.0\"?><info><version>1.0</version></info>"));
    for (id, name, channels, format) in [(7u32, "flashes", 2, "string"), (9, "codes", 1, "int32")] {
        let id = id.to_le_bytes();
        out.extend(chunk(2, &[&id[..], header(name, channels, format).as_bytes()].concat()));
        for (at, offset) in [(100.0f64, 0.5f64), (105.0, 0.5), (110.0, 0.5)] {
            out.extend(chunk(4, &[&id[..], &at.to_le_bytes(), &offset.to_le_bytes()].concat()));
        }
    }
    let text = [&[8][..], &103f64.to_le_bytes(), &[1, 2], b"on", &[1, 1], b"x"].concat();
    out.extend(chunk(3, &[&7u32.to_le_bytes()[..], &[1, 1], &text].concat()));
    out.extend(chunk(
        5,
        &[0x43, 0xA5, 0x46, 0xDC, 0xCB, 0xF5, 0x41, 0x0F, 0xB3, 0x0E, 0xD5, 0x46, 0x73, 0x83, 0xCB, 0xE4],
    ));
    let code = [&[8][..], &104f64.to_le_bytes(), &17i32.to_le_bytes()].concat();
    let next = [&[0][..], &18i32.to_le_bytes()].concat();
    out.extend(chunk(3, &[&9u32.to_le_bytes()[..], &[1, 2], &code, &next].concat()));
    out.extend(chunk(6, &[&7u32.to_le_bytes()[..], b"<?xml version=\"1.0\"?><info></info>"].concat()));
    out
}

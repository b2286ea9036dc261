//! Parses the messages of `ffmpeg`: the time of each frame, and faults of the file.

use super::ffmpeg::plain;
use super::file_video::{FileVideo, TimeBase};

/// One line of `ffmpeg`'s messages.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// The file is open. Earlier messages are from probing it.
    Begins,
    /// The time base of all following times.
    TimeBase(TimeBase),
    /// A frame's time; `None` if the file has none. A key frame is decoded without other frames.
    Frame {
        ticks: Option<i64>,
        is_key: bool,
    },
    Fault(Place, String),
    Other,
}

/// The place of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a picture.
    Picture,
    /// In the container.
    File,
}

/// Messages of the level `error` that do not concern pictures.
const HARMLESS: [&str; 4] = [
    // Two frames with a smaller distance than one tick of the *output's* clock, which is not used.
    "monotonically increasing dts to muxer",
    // Extra data that telephones and action cameras add to H.264.
    "SEI type",
    "unable to decode APP fields",
    "timescale not set",
];

impl Message {
    pub fn parse(line: &str, video: &FileVideo) -> Message {
        let Heads { level, contexts, text } = heads(line);
        if contexts.iter().any(|c| c.starts_with("Parsed_showinfo")) {
            return about_frame(text);
        }
        if text == "Stream mapping:" {
            return Message::Begins;
        }
        let is_picture = text.contains("corrupt decoded frame");
        let is_packet = text.starts_with("Packet corrupt") || text.contains("corrupt input packet");
        let is_fault = match level {
            "error" | "fatal" | "panic" => !HARMLESS.iter().any(|h| text.contains(h)),
            "warning" => is_picture || is_packet,
            _ => false,
        };
        if !is_fault || is_about_other_track(text, video.stream_index) {
            return Message::Other;
        }
        let is_of_file = |c: &&str| c.starts_with(&video.container) || c.starts_with("in#") || c.starts_with("NULL @");
        // A damaged packet is a damaged picture, even if the decoder reports no fault.
        let is_file = !is_packet && !video.container.is_empty() && contexts.iter().any(is_of_file);
        Message::Fault(if is_file { Place::File } else { Place::Picture }, plain(text))
    }

    /// The name of the codec, if the message reports that no decoder exists.
    pub fn missing_codec(text: &str) -> Option<String> {
        // "Decoder (codec xyz) not found for input stream #0:0", and since 7.0 "Decoding requested, but no decoder found for: xyz".
        if let Some((_, rest)) = text.split_once("no decoder found for: ") {
            return Some(rest.trim().to_owned());
        }
        let (_, rest) = text.split_once("Decoder (codec ")?;
        let (codec, rest) = rest.split_once(')')?;
        rest.contains("not found").then(|| codec.to_owned())
    }
}

struct Heads<'a> {
    level: &'a str,
    contexts: Vec<&'a str>,
    text: &'a str,
}

/// Splits `[vist#0:0/h264 @ 0x1] [dec:h264 @ 0x2] [warning] text`. Brackets after the level, for example in a file name,
/// are text.
fn heads(line: &str) -> Heads<'_> {
    let mut heads = Heads { level: "", contexts: Vec::new(), text: line.trim() };
    while let Some((head, behind)) = heads.text.strip_prefix('[').and_then(|r| r.split_once(']')) {
        heads.text = behind.trim_start();
        if ["panic", "fatal", "error", "warning", "info", "verbose", "debug", "trace"].contains(&head) {
            heads.level = head;
            return heads;
        }
        heads.contexts.push(head);
    }
    heads
}

fn about_frame(text: &str) -> Message {
    if let Some(rest) = text.strip_prefix("config in time_base:") {
        let base = rest.split(',').next().and_then(|t| t.parse().ok());
        return base.map_or(Message::Other, Message::TimeBase);
    }
    match (text.starts_with("n:"), text.split_once(" pts:")) {
        (true, Some((_, rest))) => Message::Frame {
            ticks: rest.split_whitespace().next().and_then(|t| t.parse().ok()),
            is_key: rest.contains("iskey:1"),
        },
        _ => Message::Other,
    }
}

/// `Packet corrupt (stream = 1, dts = 5)`, `stream 1, offset 0x57: partial file`, `… packet in stream 1`
fn is_about_other_track(text: &str, own: u32) -> bool {
    text.split("stream ").skip(1).any(|rest| {
        let digits: String = rest.trim_start_matches("= ").chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u32>().is_ok_and(|track| track != own)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Message {
        Message::parse(line, &FileVideo { stream_index: 1, ..FileVideo::small_h264() })
    }

    #[test]
    fn frames_tell_their_times() {
        assert_eq!(
            parse("[Parsed_showinfo_0 @ 0x55d] [info] config in time_base: 1/12288, frame_rate: 24/1"),
            Message::TimeBase(TimeBase { numerator: 1, denominator: 12288 })
        );
        let line = "[Parsed_showinfo_0 @ 0x55d] [info] n:   3 pts:   1536 pts_time:0.125   duration:    512 fmt:yuv420p \
                    sar:1/1 s:8x8 i:P iskey:1 type:I";
        assert_eq!(parse(line), Message::Frame { ticks: Some(1536), is_key: true });
        assert_eq!(
            parse("[Parsed_showinfo_0 @ 0x1] [info] n:0 pts:NOPTS pts_time:NOPTS iskey:0"),
            Message::Frame { ticks: None, is_key: false }
        );
        assert_eq!(parse("[Parsed_showinfo_0 @ 0x1] [info]   color_range:tv"), Message::Other);
        assert_eq!(parse("[info] Stream mapping:"), Message::Begins);
    }

    #[test]
    fn faults_have_a_place() {
        let picture = |text: &str| Message::Fault(Place::Picture, text.to_owned());
        let file = |text: &str| Message::Fault(Place::File, text.to_owned());
        assert_eq!(parse("[h264 @ 0x55] [error] no frame!"), picture("no frame!"));
        for old_and_new in [
            "[warning] file:a.mp4: corrupt decoded frame in stream 1",
            "[vist#0:1/h264 @ 0x55] [dec:h264 @ 0x56] [warning] corrupt decoded frame",
        ] {
            let Message::Fault(Place::Picture, text) = parse(old_and_new) else { panic!("{old_and_new}") };
            assert!(text.contains("corrupt decoded frame"));
        }
        let cut = "stream 1, offset 0x578fb: partial file";
        assert_eq!(parse(&format!("[mov,mp4,m4a,3gp,3g2,mj2 @ 0x55] [error] {cut}")), file(cut));
        assert_eq!(parse(&format!("[in#0/mov,mp4,m4a,3gp,3g2,mj2 @ 0x55] [error] {cut}")), file(cut));
        let packet = "Packet corrupt (stream = 1, dts = 86016).";
        assert_eq!(parse(&format!("[mov,mp4,m4a,3gp,3g2,mj2 @ 0x55] [warning] {packet}")), picture(packet));
    }

    #[test]
    fn what_is_no_fault_of_the_pictures_is_none() {
        for line in [
            "[mov,mp4,m4a,3gp,3g2,mj2 @ 0x55] [error] stream 0, offset 0x578fb: partial file",
            "[in#0/mov,mp4,m4a,3gp,3g2,mj2 @ 0x1] [warning] Packet corrupt (stream = 2, dts = 86016).",
            "[rawvideo @ 0x1] [error] Application provided invalid, non monotonically increasing dts to muxer in stream 0: 73 >= 73",
            "[h264 @ 0x1] [error] SEI type 5 size 40 truncated at 24",
            "[swscaler @ 0x1] [warning] deprecated pixel format used, make sure you did set range correctly",
            "[info] Input #0, mov, from 'file:/films/[error] corrupt decoded frame.mp4':",
            "    Metadata: [error]",
        ] {
            assert_eq!(parse(line), Message::Other, "{line}");
        }
    }

    #[test]
    fn a_missing_decoder_has_a_name() {
        let old = "Decoder (codec av1) not found for input stream #0:0";
        assert_eq!(Message::missing_codec(old), Some("av1".into()));
        assert_eq!(Message::missing_codec("Decoding requested, but no decoder found for: vvc"), Some("vvc".into()));
        assert_eq!(Message::missing_codec("Invalid data found"), None);
    }
}

//! Reads a video file's properties with `ffprobe`: the track to play, its displayed size, and the date of recording.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

use chrono::{DateTime, Datelike, Utc};
use serde::Deserialize;

use super::CameraError;
use super::ffmpeg::{input, not_run, plain};
use super::file_video::{DecodedFormat, FileVideo, Turn};
use super::picture_shape::{PictureShape, Ratio};
use super::yuv_colour::{YuvColour, YuvMatrix, YuvRange};

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    streams: Vec<Stream>,
    #[serde(default)]
    format: Format,
}

#[derive(Deserialize, Default)]
struct Format {
    #[serde(default)]
    format_name: String,
    duration: Option<String>,
    #[serde(default)]
    tags: Tags,
}

#[derive(Deserialize)]
struct Stream {
    #[serde(default)]
    index: u32,
    codec_name: Option<String>,
    codec_tag_string: Option<String>,
    #[serde(default)]
    width: u32,
    #[serde(default)]
    height: u32,
    sample_aspect_ratio: Option<String>,
    pix_fmt: Option<String>,
    color_range: Option<String>,
    color_space: Option<String>,
    field_order: Option<String>,
    avg_frame_rate: Option<String>,
    r_frame_rate: Option<String>,
    time_base: Option<String>,
    nb_frames: Option<String>,
    duration: Option<String>,
    #[serde(default)]
    has_b_frames: u32,
    #[serde(default)]
    disposition: Disposition,
    #[serde(default)]
    tags: Tags,
    #[serde(default)]
    side_data_list: Vec<SideData>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Disposition {
    default: u8,
    attached_pic: u8,
    timed_thumbnails: u8,
    still_image: u8,
}

impl Disposition {
    /// Covers and thumbnails, which are not part of the video.
    fn is_extra_picture(&self) -> bool {
        self.attached_pic != 0 || self.timed_thumbnails != 0 || self.still_image != 0
    }
}

#[derive(Deserialize, Default)]
struct Tags {
    rotate: Option<String>,
    creation_time: Option<String>,
    /// The time of recording on a telephone. `creation_time` may be the time of a later copy.
    #[serde(rename = "com.apple.quicktime.creationdate")]
    apple_creation_date: Option<String>,
    /// In Matroska, `00:00:09.700000000`.
    #[serde(rename = "DURATION")]
    duration: Option<String>,
}

#[derive(Deserialize)]
struct SideData {
    rotation: Option<f64>,
}

/// Reads the properties of the file with `ffprobe`.
pub fn probe(path: &Path) -> Result<FileVideo, CameraError> {
    // This gives a clearer message for a missing file than FFmpeg, and refuses folders and devices.
    let meta = std::fs::metadata(path).map_err(|source| CameraError::FileUnreadable { path: path.into(), source })?;
    if !meta.is_file() {
        return Err(CameraError::NotAVideo { path: path.into(), why: "it is not a file".into() });
    }
    let output = ffprobe(path, &["-select_streams", "v", "-show_streams", "-show_format"])
        .output()
        .map_err(|e| not_run("ffprobe", e))?;
    if !output.status.success() {
        let why = first_line(&String::from_utf8_lossy(&output.stderr), path);
        return Err(CameraError::NotAVideo { path: path.into(), why });
    }
    read_answer(path, &output.stdout)
}

fn ffprobe(path: &Path, what: &[&str]) -> Command {
    let mut command = Command::new("ffprobe");
    command.args(["-v", "error", "-protocol_whitelist", "file"]).args(what).args(["-of", "json"]);
    command.arg(input(path)).stdin(Stdio::null());
    command
}

/// The date of recording, and the entry of the file that contains it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilmDate {
    pub at: DateTime<Utc>,
    pub source: &'static str,
}

/// The date of recording in the file. Dates before 1990 are ignored: cameras without a clock write the start of an epoch.
pub fn recorded_at(path: &Path) -> Option<FilmDate> {
    let output = ffprobe(path, &["-show_entries", "format_tags:stream_tags"]).output().ok()?;
    date_in(&serde_json::from_slice(&output.stdout).ok()?)
}

fn date_in(answer: &Answer) -> Option<FilmDate> {
    let all = || std::iter::once(&answer.format.tags).chain(answer.streams.iter().map(|s| &s.tags));
    let apple = all().filter_map(|t| Some(("com.apple.quicktime.creationdate", t.apple_creation_date.as_deref()?)));
    let plain = all().filter_map(|t| Some(("creation_time", t.creation_time.as_deref()?)));
    apple.chain(plain).find_map(|(source, text)| Some(FilmDate { at: date(text)?, source }))
}

/// `2023-05-06T12:34:56.000000Z`, and Apple's `2023-05-06T12:34:56+0200`.
fn date(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    let at = DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"));
    let at = at.ok()?.with_timezone(&Utc);
    (at.year() >= 1990).then_some(at)
}

/// The track that is marked as default, otherwise the first. Covers and thumbnails are ignored.
fn choose(streams: Vec<Stream>) -> Option<(Stream, Option<String>)> {
    let tracks: Vec<Stream> = streams.into_iter().filter(|s| !s.disposition.is_extra_picture()).collect();
    let count = tracks.len();
    let marked = tracks.iter().position(|s| s.disposition.default != 0);
    let track = marked.unwrap_or(0);
    let chosen = tracks.into_iter().nth(track)?;
    let why = if marked.is_some() { "it is marked as the default" } else { "none is marked as the default" };
    let note = format!("of {count} video tracks, the {} is used: {why}", ordinal(track + 1));
    Some((chosen, (count > 1).then_some(note)))
}

fn ordinal(n: usize) -> String {
    match n {
        1 => "first".to_owned(),
        2 => "second".to_owned(),
        3 => "third".to_owned(),
        n => format!("{n}th"),
    }
}

fn read_answer(path: &Path, json: &[u8]) -> Result<FileVideo, CameraError> {
    let not_a_video = |why: String| CameraError::NotAVideo { path: path.into(), why };
    let answer: Answer =
        serde_json::from_slice(json).map_err(|e| not_a_video(format!("ffprobe's output cannot be parsed: {e}")))?;
    let (stream, choice) = choose(answer.streams).ok_or_else(|| not_a_video("it has no video track".into()))?;
    let codec = match stream.codec_name.as_deref() {
        None | Some("unknown" | "none") => {
            let codec = stream.codec_tag_string.unwrap_or_else(|| "unknown".into());
            return Err(CameraError::UnknownCodec { path: path.into(), codec });
        }
        Some(name) => name.to_owned(),
    };
    if !(1..=16384).contains(&stream.width) || !(1..=16384).contains(&stream.height) {
        return Err(not_a_video(format!("its declared size is {} × {} pixels", stream.width, stream.height)));
    }
    let time_base = stream.time_base.as_deref().and_then(|t| t.parse().ok());
    let time_base = time_base.ok_or_else(|| not_a_video("it has no valid time base".into()))?;
    let rates = [stream.avg_frame_rate.as_deref(), stream.r_frame_rate.as_deref()];
    let rate_hz = rates.into_iter().flatten().find_map(rate).unwrap_or(0.0);
    let side = stream.side_data_list.iter().find_map(|s| s.rotation);
    // The matrix counts counterclockwise, the older entry clockwise.
    let clockwise_deg = side.map(|deg| -deg).or_else(|| stream.tags.rotate.as_ref()?.parse().ok()).unwrap_or(0.0);
    let pixel = stream.sample_aspect_ratio.as_deref().and_then(Ratio::of_pixel);
    let shape = PictureShape { width_px: stream.width, height_px: stream.height, pixel, rotation_deg: clockwise_deg };
    let (width_px, height_px) = shape.shown_px();
    let decoded = decoded_format(&stream, &shape);
    let counted: Option<u64> = stream.nb_frames.as_deref().and_then(|n| n.parse().ok());
    let seconds: Option<f64> = stream.duration.as_deref().and_then(|d| d.parse().ok());
    let tagged = stream.tags.duration.as_deref().and_then(clock_time_s);
    let whole = answer.format.duration.as_deref().and_then(|d| d.parse().ok());
    // In a cut AVI file, the duration is that of the rest, but the count is that of the original.
    let by_count = counted.and_then(|n| Some(n as f64 / stream.r_frame_rate.as_deref().and_then(rate)?));
    let declared_s = seconds.or(tagged).or(whole).into_iter().chain(by_count).reduce(f64::max);
    let expected_frames = counted.or_else(|| seconds.map(|s| (s * rate_hz).round() as u64)).filter(|n| *n > 0);
    let is_interlaced = !matches!(stream.field_order.as_deref(), None | Some("progressive" | "unknown"));
    let is_yuv = stream.pix_fmt.as_deref().is_some_and(|p| p.starts_with("yuv") || p.starts_with("gray"));
    let is_plain_mjpeg = codec == "mjpeg" && shape.is_as_stored() && !is_interlaced && is_yuv;
    let is_exact = EXACT_CODECS.contains(&codec.as_str())
        && matches!(
            (decoded, stream.pix_fmt.as_deref()),
            (DecodedFormat::Planes(_), Some("yuv420p" | "yuvj420p")) | (DecodedFormat::HalfPlanes, _)
        )
        && shape.has_square_pixels();
    Ok(FileVideo {
        path: path.into(),
        stream_index: stream.index,
        codec,
        container: answer.format.format_name,
        width_px,
        height_px,
        turn: Turn::of_clockwise_deg(clockwise_deg),
        rate_hz,
        time_base,
        expected_frames,
        declared_s: declared_s.filter(|s| s.is_finite() && *s > 0.0),
        reordered_frames: u64::from(stream.has_b_frames),
        is_plain_mjpeg,
        decoded,
        is_exact,
        notes: choice.into_iter().chain(shape.note()).collect(),
    })
}

/// Codecs whose standards define every bit of a decoded picture.
const EXACT_CODECS: [&str; 6] = ["h264", "hevc", "vp8", "vp9", "av1", "ffv1"];

/// FFmpeg's names of luma and chroma in planes, chroma with half of the width and height.
const PLANES_IN_4_2_0: [&str; 6] =
    ["yuv420p", "yuv420p9le", "yuv420p10le", "yuv420p10be", "yuv420p12le", "yuv420p12be"];

/// Pictures in 4:2:0 stay planes. FFmpeg only reduces them to 8 bits, or scales them. Pictures in 4:2:2 stay planes in the lossless
/// videos of this program.
fn decoded_format(stream: &Stream, shape: &PictureShape) -> DecodedFormat {
    let is_half = stream.pix_fmt.as_deref() == Some("yuv422p") && shape.is_as_stored();
    if is_half
        && (stream.codec_name.as_deref(), stream.color_range.as_deref()) == (Some("ffv1"), Some("pc"))
        && stream.color_space.as_deref() == Some("smpte170m")
        && shape.width_px.is_multiple_of(2)
    {
        return DecodedFormat::HalfPlanes;
    }
    let is_full = match (stream.pix_fmt.as_deref(), stream.color_range.as_deref()) {
        (Some("yuvj420p"), _) => true,
        (Some(format), range) if PLANES_IN_4_2_0.contains(&format) => range == Some("pc"),
        _ => return DecodedFormat::Rgb,
    };
    let matrix = match stream.color_space.as_deref() {
        // FFmpeg's own conversion takes an unknown matrix as BT.601.
        None | Some("unknown" | "smpte170m" | "bt470bg" | "reserved") => YuvMatrix::Bt601,
        Some("bt709") => YuvMatrix::Bt709,
        Some("bt2020nc") => YuvMatrix::Bt2020,
        Some(_) => return DecodedFormat::Rgb,
    };
    // JPEG's compressor takes planes of even sizes only.
    let (width_px, height_px) = shape.shown_px();
    if !width_px.is_multiple_of(2) || !height_px.is_multiple_of(2) {
        return DecodedFormat::Rgb;
    }
    DecodedFormat::Planes(YuvColour { range: if is_full { YuvRange::Full } else { YuvRange::Video }, matrix })
}

/// `00:00:09.700000000`
fn clock_time_s(text: &str) -> Option<f64> {
    let mut parts = text.trim().split(':');
    let [h, m, s] = [parts.next()?, parts.next()?, parts.next()?].map(|p| p.parse::<f64>().ok());
    Some(3600.0 * h? + 60.0 * m? + s?)
}

fn rate(text: &str) -> Option<f64> {
    let (n, d) = text.split_once('/')?;
    let hz = n.parse::<f64>().ok()? / d.parse::<f64>().ok()?;
    (hz.is_finite() && (0.01..=1000.0).contains(&hz)).then_some(hz)
}

/// A packet of the track, not decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    pub ticks: Option<i64>,
    pub bytes: usize,
    /// The packet is marked as not displayed.
    pub is_hidden: bool,
}

/// Every packet of the track, in the file's order.
pub fn packets(video: &FileVideo) -> Result<Vec<Packet>, CameraError> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-protocol_whitelist", "file", "-select_streams", &video.stream_index.to_string()])
        .args(["-show_entries", "packet=pts,size,flags", "-of", "csv=p=0"])
        .arg(input(&video.path))
        .stdin(Stdio::null())
        .output()
        .map_err(|e| not_run("ffprobe", e))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let packets: Option<Vec<_>> = text.lines().filter(|l| !l.trim().is_empty()).map(packet).collect();
    packets.ok_or_else(|| CameraError::NotAVideo {
        path: video.path.clone(),
        why: "ffprobe's list of its packets cannot be parsed".into(),
    })
}

/// `1024,13691,K_`
fn packet(line: &str) -> Option<Packet> {
    let mut fields = line.trim().split(',');
    let ticks = fields.next()?.parse().ok();
    let bytes = fields.next()?.parse().ok()?;
    Some(Packet { ticks, bytes, is_hidden: fields.next().is_some_and(|flags| flags.contains('D')) })
}

/// The first line of FFmpeg's messages has the cause. The last one only reports that it failed.
fn first_line(text: &str, path: &Path) -> String {
    let line = text.lines().find(|l| !l.trim().is_empty()).unwrap_or("FFmpeg cannot read it");
    // Our own message contains the name.
    let mut name = OsString::from("file:");
    name.push(path);
    plain(line).replace(&format!("{}: ", name.to_string_lossy()), "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_video::TimeBase;

    fn read(json: &[u8]) -> FileVideo {
        read_answer(Path::new("a.mov"), json).unwrap()
    }

    #[test]
    fn a_turned_telephone_film_is_upright() {
        let video = read(
            br#"{"streams":[{"index":1,"codec_name":"hevc","width":1920,"height":1080,"avg_frame_rate":"30000/1001",
            "time_base":"1/600","duration":"2.002","side_data_list":[{"side_data_type":"x"},{"rotation":-90}]}]}"#,
        );
        assert_eq!((video.width_px, video.height_px, video.stream_index), (1080, 1920, 1));
        assert_eq!((video.expected_frames, video.declared_s), (Some(60), Some(2.002)));
        assert!(!video.is_plain_mjpeg && video.notes.is_empty());
    }

    #[test]
    fn the_default_track_is_taken_and_said() {
        let track = |index: u32, marks: &str| {
            format!(
                r#"{{"index":{index},"codec_name":"h264","width":8,"height":8,"time_base":"1/25","disposition":{{{marks}}}}}"#
            )
        };
        let chosen = |tracks: &[String]| {
            let video = read(format!(r#"{{"streams":[{}]}}"#, tracks.join(",")).as_bytes());
            (video.stream_index, video.notes)
        };
        let second = chosen(&[track(0, r#""attached_pic":1,"default":1"#), track(2, ""), track(5, r#""default":1"#)]);
        assert_eq!(second, (5, vec!["of 2 video tracks, the second is used: it is marked as the default".to_owned()]));
        let first = chosen(&[track(1, ""), track(2, "")]);
        assert_eq!(first, (1, vec!["of 2 video tracks, the first is used: none is marked as the default".to_owned()]));
        assert_eq!(chosen(&[track(4, ""), track(5, r#""still_image":1"#)]), (4, vec![]));
    }

    #[test]
    fn sound_and_cover_pictures_are_no_video() {
        let cover =
            br#"{"streams":[{"index":1,"codec_name":"mjpeg","width":9,"height":9,"disposition":{"attached_pic":1}}]}"#;
        for json in [cover.as_slice(), b"{}"] {
            let e = read_answer(Path::new("a.mp3"), json).unwrap_err().to_string();
            assert_eq!(e, "a.mp3 is not a video: it has no video track");
        }
        let odd = br#"{"streams":[{"index":0,"codec_tag_string":"XYZW"}]}"#;
        let e = read_answer(Path::new("a.avi"), odd).unwrap_err().to_string();
        assert!(e.starts_with("a.avi uses the codec `XYZW`"), "{e}");
    }

    #[test]
    fn a_cut_file_still_says_how_long_it_was() {
        let length = |stream: &str, format: &str| {
            let json = format!(
                r#"{{"streams":[{{"index":0,"codec_name":"h264","width":8,"height":8,"time_base":"1/25"{stream}}}],
                "format":{{{format}}}}}"#
            );
            read(json.as_bytes()).declared_s
        };
        assert_eq!(length("", ""), None);
        assert_eq!(length("", r#""duration":"9.5""#), Some(9.5));
        assert_eq!(length(r#","tags":{"DURATION":"00:01:02.500000000"}"#, r#""duration":"9.5""#), Some(62.5));
        let avi = r#","nb_frames":"582","r_frame_rate":"60/1","duration":"5.8""#;
        assert_eq!(length(avi, ""), Some(9.7));
    }

    #[test]
    fn the_telephones_own_date_goes_first() {
        let dated = |json: &str| date_in(&serde_json::from_str(json).unwrap()).map(|d| (d.at.to_rfc3339(), d.source));
        let both = r#"{"format":{"tags":{"creation_time":"2024-01-02T03:04:05.000000Z",
            "com.apple.quicktime.creationdate":"2023-05-06T12:34:56+0200"}}}"#;
        assert_eq!(dated(both), Some(("2023-05-06T10:34:56+00:00".into(), "com.apple.quicktime.creationdate")));
        let stream = r#"{"streams":[{"tags":{"creation_time":"2024-01-02T03:04:05.000000Z"}}]}"#;
        assert_eq!(dated(stream), Some(("2024-01-02T03:04:05+00:00".into(), "creation_time")));
        // The era of QuickTime begins in 1904.
        let odd = r#"{"format":{"tags":{"creation_time":"1904-01-01T00:00:00.000000Z",
            "com.apple.quicktime.creationdate":"yesterday"}}}"#;
        assert_eq!(dated(odd), None);
        assert_eq!(date("2023-05-06T12:34:56.25-0730").unwrap().to_rfc3339(), "2023-05-06T20:04:56.250+00:00");
    }

    #[test]
    fn packets_are_read_in_every_versions_form() {
        assert_eq!(packet("1024,13691,K_"), Some(Packet { ticks: Some(1024), bytes: 13691, is_hidden: false }));
        assert_eq!(packet("N/A,3,_D_,"), Some(Packet { ticks: None, bytes: 3, is_hidden: true }));
        assert_eq!(packet("x"), None);
    }

    #[test]
    fn ticks_are_exact() {
        assert_eq!(TimeBase { numerator: 1001, denominator: 30000 }.ns(3), 100_100_000);
        assert_eq!(TimeBase { numerator: 1, denominator: 1 }.ns(i64::MAX), i64::MAX);
    }
}

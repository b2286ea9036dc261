//! What FFmpeg's programs are asked and what they answer.
//!
//! The programs and not the libraries: a hostile or broken file can then crash only a child process, no version of the
//! libraries is baked into ours, and people install or update FFmpeg as they like.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use chrono::{DateTime, Datelike, Utc};
use serde::Deserialize;

use super::CameraError;

/// The one video stream of a file that is played.
#[derive(Clone, Debug, PartialEq)]
pub struct FileVideo {
    pub path: PathBuf,
    pub stream_index: u32,
    pub codec: String,
    /// As shown, after turning.
    pub width_px: u32,
    pub height_px: u32,
    pub rate_hz: f64,
    pub time_base: TimeBase,
    pub expected_frames: Option<u64>,
    /// The file holds whole JPEGs that can be taken as they are.
    pub is_plain_mjpeg: bool,
}

/// Seconds in one tick, as a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeBase {
    pub numerator: i64,
    pub denominator: i64,
}

impl TimeBase {
    pub fn ns(self, ticks: i64) -> i64 {
        let ns = i128::from(ticks) * i128::from(self.numerator) * 1_000_000_000 / i128::from(self.denominator.max(1));
        i64::try_from(ns).unwrap_or(if ticks < 0 { i64::MIN } else { i64::MAX })
    }
}

impl std::str::FromStr for TimeBase {
    type Err = ();
    fn from_str(s: &str) -> Result<Self, ()> {
        let (n, d) = s.trim().split_once('/').ok_or(())?;
        let base = TimeBase { numerator: n.parse().map_err(drop)?, denominator: d.parse().map_err(drop)? };
        if base.numerator > 0 && base.denominator > 0 { Ok(base) } else { Err(()) }
    }
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    streams: Vec<Stream>,
}

#[derive(Deserialize)]
struct Stream {
    index: u32,
    codec_name: Option<String>,
    codec_tag_string: Option<String>,
    #[serde(default)]
    width: u32,
    #[serde(default)]
    height: u32,
    pix_fmt: Option<String>,
    field_order: Option<String>,
    avg_frame_rate: Option<String>,
    r_frame_rate: Option<String>,
    time_base: Option<String>,
    nb_frames: Option<String>,
    duration: Option<String>,
    #[serde(default)]
    disposition: Disposition,
    #[serde(default)]
    tags: Tags,
    #[serde(default)]
    side_data_list: Vec<SideData>,
}

#[derive(Deserialize, Default)]
struct Disposition {
    #[serde(default)]
    attached_pic: u8,
}

#[derive(Deserialize, Default)]
struct Tags {
    rotate: Option<String>,
}

#[derive(Deserialize)]
struct SideData {
    rotation: Option<f64>,
}

/// Asks `ffprobe` what is in the file.
pub fn probe(path: &Path) -> Result<FileVideo, CameraError> {
    // Says "no such file" better than FFmpeg does, and keeps folders and devices out.
    let meta = std::fs::metadata(path).map_err(|source| CameraError::FileUnreadable { path: path.into(), source })?;
    if !meta.is_file() {
        return Err(CameraError::NotAVideo { path: path.into(), why: "it is no file".into() });
    }
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-protocol_whitelist", "file", "-select_streams", "v", "-show_streams", "-of", "json"])
        .arg(input(path))
        .stdin(Stdio::null())
        .output()
        .map_err(|e| not_run("ffprobe", e))?;
    if !output.status.success() {
        let why = first_line(&String::from_utf8_lossy(&output.stderr), path);
        return Err(CameraError::NotAVideo { path: path.into(), why });
    }
    read_answer(path, &output.stdout)
}

/// When the file says that it was recorded. Cameras without a clock write the beginning of some era, which is no answer.
pub fn recorded_at(path: &Path) -> Option<DateTime<Utc>> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-protocol_whitelist", "file", "-show_entries", "format_tags=creation_time"])
        .args(["-of", "csv=p=0"])
        .arg(input(path))
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let at = DateTime::parse_from_rfc3339(text.trim()).ok()?.with_timezone(&Utc);
    (at.year() >= 1990).then_some(at)
}

fn read_answer(path: &Path, json: &[u8]) -> Result<FileVideo, CameraError> {
    let not_a_video = |why: String| CameraError::NotAVideo { path: path.into(), why };
    let answer: Answer =
        serde_json::from_slice(json).map_err(|e| not_a_video(format!("ffprobe's answer is odd: {e}")))?;
    let stream = answer
        .streams
        .into_iter()
        .find(|s| s.disposition.attached_pic == 0)
        .ok_or_else(|| not_a_video("it holds no moving pictures".into()))?;
    let codec = match stream.codec_name.as_deref() {
        None | Some("unknown" | "none") => {
            let codec = stream.codec_tag_string.unwrap_or_else(|| "unknown".into());
            return Err(CameraError::UnknownCodec { path: path.into(), codec });
        }
        Some(name) => name.to_owned(),
    };
    if !(1..=16384).contains(&stream.width) || !(1..=16384).contains(&stream.height) {
        return Err(not_a_video(format!("its pictures are said to have {} × {} pixels", stream.width, stream.height)));
    }
    let time_base = stream.time_base.as_deref().and_then(|t| t.parse().ok());
    let time_base = time_base.ok_or_else(|| not_a_video("it does not say how it counts time".into()))?;
    let rates = [stream.avg_frame_rate, stream.r_frame_rate];
    let rate_hz = rates.iter().flatten().find_map(|r| rate(r)).unwrap_or(0.0);
    let side = stream.side_data_list.iter().find_map(|s| s.rotation);
    let rotation = side.or_else(|| stream.tags.rotate.as_ref()?.parse().ok()).unwrap_or(0.0);
    let is_turned = (rotation / 90.0).round() as i64 % 2 != 0;
    let (width_px, height_px) = if is_turned { (stream.height, stream.width) } else { (stream.width, stream.height) };
    let counted = stream.nb_frames.and_then(|n| n.parse().ok());
    let seconds: Option<f64> = stream.duration.and_then(|d| d.parse().ok());
    let expected_frames = counted.or_else(|| seconds.map(|s| (s * rate_hz).round() as u64)).filter(|n| *n > 0);
    let is_interlaced = !matches!(stream.field_order.as_deref(), None | Some("progressive" | "unknown"));
    let is_yuv = stream.pix_fmt.as_deref().is_some_and(|p| p.starts_with("yuv") || p.starts_with("gray"));
    let is_plain_mjpeg = codec == "mjpeg" && rotation.round() as i64 % 360 == 0 && !is_interlaced && is_yuv;
    Ok(FileVideo {
        path: path.into(),
        stream_index: stream.index,
        codec,
        width_px,
        height_px,
        rate_hz,
        time_base,
        expected_frames,
        is_plain_mjpeg,
    })
}

fn rate(text: &str) -> Option<f64> {
    let (n, d) = text.split_once('/')?;
    let hz = n.parse::<f64>().ok()? / d.parse::<f64>().ok()?;
    (hz.is_finite() && (0.01..=1000.0).contains(&hz)).then_some(hz)
}

/// `file:` keeps names that look like options or addresses what they are.
fn input(path: &Path) -> OsString {
    let mut input = OsString::from("file:");
    input.push(path);
    input
}

/// `ffmpeg` writing RGB pictures to its output and each one's time to its messages.
pub fn decoder(video: &FileVideo) -> Result<Command, CameraError> {
    decoder_of(video, "file", input(&video.path))
}

/// The same from its own input, for a file that is still growing; `video` tells of its beginning.
pub fn pipe_decoder(video: &FileVideo) -> Result<Command, CameraError> {
    decoder_of(video, "pipe", "pipe:0".into())
}

fn decoder_of(video: &FileVideo, protocol: &str, input: OsString) -> Result<Command, CameraError> {
    let mut command = Command::new("ffmpeg");
    // Times as they stand in the file, every frame once: no rate is made up.
    command.args(["-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+info", "-copyts"]);
    command.args(["-protocol_whitelist", protocol, "-i"]).arg(input);
    command.args(["-map", &format!("0:{}", video.stream_index)]).args(passthrough()?);
    let (w, h) = (video.width_px, video.height_px);
    // The size is pinned, so that a file which changes its size in the middle cannot shift the bytes of the rest.
    let filter = format!("showinfo=checksum=0,scale={w}:{h}:flags=bicubic+accurate_rnd+full_chroma_int,format=rgb24");
    command.args(["-vf", &filter, "-f", "rawvideo", "pipe:1"]);
    Ok(command)
}

/// `ffmpeg` copying a file's JPEGs as they are.
pub fn copier(video: &FileVideo) -> Command {
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+warning"]);
    command.args(["-protocol_whitelist", "file", "-i"]).arg(input(&video.path));
    command.args(["-map", &format!("0:{}", video.stream_index), "-c:v", "copy", "-f", "mjpeg", "pipe:1"]);
    command
}

/// Time and length of every packet, without decoding: what tells copied JPEGs apart.
pub fn packets(video: &FileVideo) -> Result<Vec<(Option<i64>, usize)>, CameraError> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-protocol_whitelist", "file", "-select_streams", &video.stream_index.to_string()])
        .args(["-show_entries", "packet=pts,size", "-of", "csv=p=0"])
        .arg(input(&video.path))
        .stdin(Stdio::null())
        .output()
        .map_err(|e| not_run("ffprobe", e))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let packet = |line: &str| {
        let mut fields = line.trim().split(',');
        let pts = fields.next()?.parse().ok();
        Some((pts, fields.next()?.parse().ok()?))
    };
    let packets: Option<Vec<_>> = text.lines().filter(|l| !l.trim().is_empty()).map(packet).collect();
    packets.ok_or_else(|| CameraError::NotAVideo {
        path: video.path.clone(),
        why: "ffprobe's list of its packets is odd".into(),
    })
}

/// The option that keeps every frame with its own time; its name changed in FFmpeg 5.1.
fn passthrough() -> Result<[&'static str; 2], CameraError> {
    let output = Command::new("ffmpeg").arg("-version").stdin(Stdio::null()).output();
    let output = output.map_err(|e| not_run("ffmpeg", e))?;
    let is_old = is_before_5_1(&String::from_utf8_lossy(&output.stdout));
    Ok([if is_old { "-vsync" } else { "-fps_mode" }, "passthrough"])
}

/// Reads `ffmpeg version 4.4.2-0ubuntu0.22.04.1 …`. Builds from the repository (`N-…`) are new.
fn is_before_5_1(text: &str) -> bool {
    let version = text.strip_prefix("ffmpeg version ").unwrap_or_default().trim_start_matches('n');
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) < (5, 1),
        (Some(Ok(major)), _) => major < 5,
        _ => false,
    }
}

pub fn not_run(program: &'static str, error: io::Error) -> CameraError {
    if error.kind() == io::ErrorKind::NotFound {
        return CameraError::NoFfmpeg { program };
    }
    CameraError::Device { address: program.to_owned(), action: "start", why: error.to_string() }
}

/// One line of `ffmpeg`'s messages.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// From now on times count in these ticks.
    TimeBase(TimeBase),
    /// A frame's time; `None` where the file has none.
    Frame {
        ticks: Option<i64>,
    },
    Error(String),
    Other,
}

impl Message {
    pub fn parse(line: &str) -> Message {
        if line.contains("Parsed_showinfo") {
            if let Some((_, rest)) = line.split_once("config in time_base:") {
                let base = rest.split(',').next().and_then(|t| t.parse().ok());
                return base.map_or(Message::Other, Message::TimeBase);
            }
            if let (Some(_), Some((_, rest))) = (line.find(" n:"), line.split_once(" pts:")) {
                return Message::Frame { ticks: rest.split_whitespace().next().and_then(|t| t.parse().ok()) };
            }
            return Message::Other;
        }
        // Two frames closer together than one tick of the *output's* clock, which we do not use.
        let is_about_output = line.contains("monotonically increasing dts to muxer");
        if (line.contains("[error]") || line.contains("[fatal]")) && !is_about_output {
            return Message::Error(plain(line));
        }
        Message::Other
    }

    /// The codec's name where the message says that no decoder exists.
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

/// Without `[h264 @ 0x5581…]` and `[error]`.
fn plain(line: &str) -> String {
    let mut rest = line.trim();
    while let Some((_, behind)) = rest.strip_prefix('[').and_then(|r| r.split_once(']')) {
        rest = behind.trim_start();
    }
    rest.to_owned()
}

/// FFmpeg says first what is wrong and last that something is.
fn first_line(text: &str, path: &Path) -> String {
    let line = text.lines().find(|l| !l.trim().is_empty()).unwrap_or("FFmpeg cannot read it");
    // The name stands in our own sentence.
    let name = format!("file:{}: ", path.display());
    plain(line).replace(&name, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_understood() {
        let parse = Message::parse;
        assert_eq!(
            parse("[Parsed_showinfo_0 @ 0x55d] [info] config in time_base: 1/12288, frame_rate: 24/1"),
            Message::TimeBase(TimeBase { numerator: 1, denominator: 12288 })
        );
        let line =
            "[Parsed_showinfo_0 @ 0x55d] [info] n:   3 pts:   1536 pts_time:0.125   duration:    512 fmt:yuv420p";
        assert_eq!(parse(line), Message::Frame { ticks: Some(1536) });
        assert_eq!(
            parse("[Parsed_showinfo_0 @ 0x1] [info] n:0 pts:NOPTS pts_time:NOPTS"),
            Message::Frame { ticks: None }
        );
        assert_eq!(parse("[Parsed_showinfo_0 @ 0x1] [info]   color_range:tv"), Message::Other);
        assert_eq!(parse("[h264 @ 0x55] [error] no frame!"), Message::Error("no frame!".into()));
        assert_eq!(parse("[info] Stream mapping:"), Message::Other);
    }

    #[test]
    fn a_missing_decoder_has_a_name() {
        let old = "Decoder (codec av1) not found for input stream #0:0";
        assert_eq!(Message::missing_codec(old), Some("av1".into()));
        assert_eq!(Message::missing_codec("Decoding requested, but no decoder found for: vvc"), Some("vvc".into()));
        assert_eq!(Message::missing_codec("Invalid data found"), None);
    }

    #[test]
    fn versions_are_compared() {
        assert!(is_before_5_1("ffmpeg version 4.4.2-0ubuntu0.22.04.1 Copyright"));
        assert!(is_before_5_1("ffmpeg version n5.0 Copyright"));
        for new in ["5.1.6-0+deb12u1", "n7.1", "7", "N-118193-g5f38c82", "8.0.1", "2025-01-02-git-abc"] {
            assert!(!is_before_5_1(&format!("ffmpeg version {new} Copyright")), "{new}");
        }
    }

    #[test]
    fn a_turned_telephone_film_is_upright() {
        let json =
            br#"{"streams":[{"index":1,"codec_name":"hevc","width":1920,"height":1080,"avg_frame_rate":"30000/1001",
            "time_base":"1/600","duration":"2.002","side_data_list":[{"side_data_type":"x"},{"rotation":-90}]}]}"#;
        let video = read_answer(Path::new("a.mov"), json).unwrap();
        assert_eq!((video.width_px, video.height_px, video.stream_index), (1080, 1920, 1));
        assert_eq!(video.expected_frames, Some(60));
        assert!(!video.is_plain_mjpeg);
    }

    #[test]
    fn sound_and_cover_pictures_are_no_video() {
        let cover =
            br#"{"streams":[{"index":1,"codec_name":"mjpeg","width":9,"height":9,"disposition":{"attached_pic":1}}]}"#;
        for json in [cover.as_slice(), b"{}"] {
            let e = read_answer(Path::new("a.mp3"), json).unwrap_err().to_string();
            assert_eq!(e, "a.mp3 is no video: it holds no moving pictures");
        }
        let odd = br#"{"streams":[{"index":0,"codec_tag_string":"XYZW"}]}"#;
        let e = read_answer(Path::new("a.avi"), odd).unwrap_err().to_string();
        assert!(e.starts_with("a.avi has its pictures in the codec `XYZW`"), "{e}");
    }

    #[test]
    fn ticks_are_exact() {
        assert_eq!(TimeBase { numerator: 1001, denominator: 30000 }.ns(3), 100_100_000);
        assert_eq!(TimeBase { numerator: 1, denominator: 1 }.ns(i64::MAX), i64::MAX);
    }
}

//! Calls of FFmpeg's programs.
//!
//! The programs are used instead of the libraries. A malicious or damaged file can then crash only a child process. The
//! program does not depend on a version of the libraries. FFmpeg can be installed and updated independently.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::CameraError;
use super::file_video::{DecodedFormat, FileVideo, Turn};
use super::yuv_colour::YuvRange;

/// Since 7.0, FFmpeg's parts run in parallel. A message of one part may be this many frames earlier than one of another.
const FRAMES_AHEAD: u64 = 16;

/// A call of `ffmpeg` that writes pictures.
pub struct Call {
    pub command: Command,
    /// A message about a frame is at most this many frames earlier than the frame.
    pub max_lead_frames: u64,
}

/// With `file:`, a name that looks like an option or an address is a file name.
pub fn input(path: &Path) -> OsString {
    let mut input = OsString::from("file:");
    input.push(path);
    input
}

/// `ffmpeg` that writes decoded pictures to its output and the time of each one to its messages.
pub fn decoder(video: &FileVideo) -> Result<Call, CameraError> {
    decoder_of(video, "file", input(&video.path), &[], "")
}

/// The same from standard input, for a file that is still growing. `video` describes its beginning.
pub fn pipe_decoder(video: &FileVideo) -> Result<Call, CameraError> {
    decoder_of(video, "pipe", "pipe:0".into(), &[], "")
}

/// The same from packets of the film in Matroska, which begin at any key frame. The pictures are those of [`decoder`].
pub fn packet_decoder(video: &FileVideo) -> Result<Call, CameraError> {
    // The stream's head describes it completely, so nothing has to be probed. Matroska does not carry the rotation.
    let mut options = vec!["-noautorotate", "-probesize", "32", "-analyzeduration", "0"];
    if video.codec == "h264" && video.reordered_frames > 0 {
        // Without probing, a stream that does not state how many pictures it reorders could lose some.
        options.extend(["-strict", "strict"]);
    }
    let turn = match video.turn {
        Turn::None | Turn::Odd => "",
        Turn::Quarter => "transpose=clock,",
        Turn::Half => "hflip,vflip,",
        Turn::ThreeQuarters => "transpose=cclock,",
    };
    // The packets' stream has the only track.
    decoder_of(&FileVideo { stream_index: 0, ..video.clone() }, "pipe", "pipe:0".into(), &options, turn)
}

fn decoder_of(
    video: &FileVideo,
    protocol: &str,
    input: OsString,
    options: &[&str],
    turn: &str,
) -> Result<Call, CameraError> {
    let version = Version::installed()?;
    let mut command = messages_of("ffmpeg", protocol);
    // Times are those in the file, and every frame is written once. One thread, because with several threads a fault is
    // reported long before its frame.
    command.args(options).args(["-copyts", "-threads", "1", "-i"]).arg(input);
    command.args(["-map", &format!("0:{}", video.stream_index)]);
    command.args([if version.is_before(5, 1) { "-vsync" } else { "-fps_mode" }, "passthrough"]);
    let (w, h) = (video.width_px, video.height_px);
    // The range of luma is stated, because FFmpeg would otherwise reduce a picture of full range that it scales to video range.
    let (format, range) = match video.decoded {
        DecodedFormat::Rgb => ("rgb24", ""),
        DecodedFormat::Planes(colour) if colour.range == YuvRange::Full => {
            ("yuvj420p|yuv420p", ":in_range=full:out_range=full")
        }
        DecodedFormat::HalfPlanes => ("yuvj422p|yuv422p", ":in_range=full:out_range=full"),
        DecodedFormat::Planes(_) => ("yuv420p", ":in_range=limited:out_range=limited"),
    };
    // A file that changes between the ranges of luma in mid-stream, which is rare, keeps the range of its beginning: FFmpeg
    // passes the later pictures unchanged.
    // Size and format are fixed. Otherwise a file that changes them would shift the bytes of all later pictures. A picture that
    // has them already passes unchanged.
    let scale = format!("scale={w}:{h}:flags=bicubic+accurate_rnd+full_chroma_int{range}");
    let filter = format!("{turn}showinfo=checksum=0,{scale},format={format}");
    command.args(["-vf", &filter, "-f", "rawvideo", "pipe:1"]);
    let ahead = if version.is_before(7, 0) { 0 } else { FRAMES_AHEAD };
    // The decoder delays frames for reordering. A frame may be reordered by the same number again.
    Ok(Call { command, max_lead_frames: 2 * video.reordered_frames + ahead })
}

/// `ffmpeg` that copies the JPEGs of a file unchanged.
pub fn copier(video: &FileVideo) -> Call {
    let mut command = messages_of("ffmpeg", "file");
    command.arg("-i").arg(input(&video.path));
    command.args(["-map", &format!("0:{}", video.stream_index), "-c:v", "copy", "-f", "mjpeg", "pipe:1"]);
    Call { command, max_lead_frames: 0 }
}

/// `ffmpeg` that writes the beginning of the film's track as Matroska: its head and one packet.
pub fn head_copier(video: &FileVideo) -> Command {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-nostdin", "-protocol_whitelist", "file,pipe", "-i"]).arg(input(&video.path));
    command.args(["-map", &format!("0:{}", video.stream_index), "-c", "copy", "-frames:v", "1", "-map_metadata", "-1"]);
    command.args(["-f", "matroska", "pipe:1"]).stdin(Stdio::null());
    command
}

fn messages_of(program: &str, protocol: &str) -> Command {
    let mut command = Command::new(program);
    command.args(["-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+info", "-protocol_whitelist", protocol]);
    command
}

pub fn not_run(program: &'static str, error: io::Error) -> CameraError {
    if error.kind() == io::ErrorKind::NotFound {
        return CameraError::NoFfmpeg { program };
    }
    CameraError::Device { address: program.to_owned(), action: "start", why: error.to_string() }
}

/// Without `[h264 @ 0x5581…]` and `[error]`.
pub fn plain(line: &str) -> String {
    let mut rest = line.trim();
    while let Some((_, behind)) = rest.strip_prefix('[').and_then(|r| r.split_once(']')) {
        rest = behind.trim_start();
    }
    rest.to_owned()
}

/// `ffmpeg version 5.1.9-0+deb12u1 Copyright …`
pub fn version_line() -> Result<String, CameraError> {
    let output = Command::new("ffmpeg").arg("-version").stdin(Stdio::null()).output();
    let output = output.map_err(|e| not_run("ffmpeg", e))?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned())
}

/// Major and minor version. Builds from the repository (`N-…`, a date) are newer than all numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Version(u32, u32);

impl Version {
    /// Asked once. FFmpeg takes much of the time of a picture to start.
    fn installed() -> Result<Version, CameraError> {
        static INSTALLED: OnceLock<Version> = OnceLock::new();
        if let Some(version) = INSTALLED.get() {
            return Ok(*version);
        }
        let line = version_line()?;
        Ok(*INSTALLED.get_or_init(|| Version::parse(&line)))
    }

    /// Reads `ffmpeg version 4.4.2-0ubuntu0.22.04.1 …`.
    fn parse(text: &str) -> Version {
        let version = text.strip_prefix("ffmpeg version ").unwrap_or_default().trim_start_matches('n');
        let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(str::parse::<u32>);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(major)), Some(Ok(minor))) => Version(major, minor),
            (Some(Ok(major)), _) => Version(major, 0),
            _ => Version(u32::MAX, 0),
        }
    }

    fn is_before(self, major: u32, minor: u32) -> bool {
        (self.0, self.1) < (major, minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared() {
        let version = |text: &str| Version::parse(&format!("ffmpeg version {text} Copyright"));
        assert!(version("4.4.2-0ubuntu0.22.04.1").is_before(5, 1));
        assert!(version("n5.0").is_before(5, 1));
        for new in ["5.1.6-0+deb12u1", "n7.1", "7", "N-118193-g5f38c82", "8.0.1", "2025-01-02-git-abc"] {
            assert!(!version(new).is_before(5, 1), "{new}");
        }
        assert!(version("6.1.1-3ubuntu5").is_before(7, 0) && !version("n9.0.2-17-g2a571b6068").is_before(7, 0));
    }

    #[test]
    fn messages_lose_their_brackets() {
        assert_eq!(plain("[h264 @ 0x55] [error] no frame!"), "no frame!");
        assert_eq!(plain(" nothing before it"), "nothing before it");
    }
}

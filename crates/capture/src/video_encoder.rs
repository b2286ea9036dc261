//! Compresses planes of pictures with FFmpeg's program: raw pictures into its standard input, packets from its output.
//!
//! No picture depends on a later one, so the packets have the order of the pictures. FFmpeg counts the pictures. Their times are
//! not its business: the caller stores them.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread::{Builder, JoinHandle};

use super::CameraError;
use super::ffmpeg::{not_run, plain, version_line};
use super::matroska_packets::{EncodedPacket, MatroskaPackets};
use super::sampled_planes::Sampling;
use session::{EncodedVideo, VideoCodec};

/// Lines of FFmpeg's messages that are kept for an error.
const KEPT_MESSAGES: usize = 4;
/// Pictures per second for FFmpeg if the camera states no rate, and the limits of what it may state.
const USUAL_RATE_HZ: f64 = 25.0;
const RATES_HZ: std::ops::RangeInclusive<f64> = 1.0..=240.0;

/// The pictures that are compressed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EncoderInput {
    pub width_px: u32,
    pub height_px: u32,
    pub sampling: Sampling,
    /// Nominal; 0 if it is unknown. FFmpeg needs it to distribute the bits, and for nothing else.
    pub rate_hz: f64,
}

/// A running FFmpeg. The two halves are used by two threads, because FFmpeg stops to read while nobody takes its packets.
pub struct VideoEncoder {
    pub pictures: PictureWriter,
    pub packets: PacketReader,
}

/// Dropping it ends the stream of pictures. FFmpeg then writes its last packets.
pub struct PictureWriter {
    input: ChildStdin,
}

impl PictureWriter {
    /// `planes`: of [`EncoderInput`]. Fails if FFmpeg has ended.
    pub fn write(&mut self, planes: &[u8]) -> std::io::Result<()> {
        self.input.write_all(planes)
    }
}

/// Dropping it ends FFmpeg.
pub struct PacketReader {
    child: Child,
    packets: MatroskaPackets<BufReader<ChildStdout>>,
    /// FFmpeg's last messages.
    messages: Option<JoinHandle<VecDeque<String>>>,
    rate_hz: f64,
    taken: u64,
}

impl VideoEncoder {
    pub fn start(video: &EncodedVideo, input: EncoderInput) -> Result<VideoEncoder, CameraError> {
        let rate_hz = if RATES_HZ.contains(&input.rate_hz) { input.rate_hz } else { USUAL_RATE_HZ };
        let mut command = command(video, input, rate_hz);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|e| not_run("ffmpeg", e))?;
        let (Some(input), Some(output), Some(messages)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            // All pipes were requested above.
            return Err(CameraError::NoFfmpeg { program: "ffmpeg" });
        };
        let listen = move || {
            let mut last = VecDeque::new();
            for line in BufReader::new(messages).lines().map_while(Result::ok).filter(|line| !line.trim().is_empty()) {
                last.push_back(plain(&line));
                if last.len() > KEPT_MESSAGES {
                    last.pop_front();
                }
            }
            last
        };
        let packets = MatroskaPackets::new(BufReader::new(output));
        let mut packets = PacketReader { child, packets, messages: None, rate_hz, taken: 0 };
        let messages = Builder::new().name("encoder messages".into()).spawn(listen).map_err(CameraError::Thread)?;
        packets.messages = Some(messages);
        Ok(VideoEncoder { pictures: PictureWriter { input }, packets })
    }
}

impl PacketReader {
    /// Waits for the packet of the next picture. `None` after the last one. An error is a sentence.
    pub fn read(&mut self) -> Result<Option<EncodedPacket>, String> {
        let read = self.packets.read_packet();
        match read {
            Ok(Some(packet)) => {
                let expected = self.taken as f64 * 1000.0 / self.rate_hz;
                if (packet.ms as f64 - expected).abs() > 1.0 {
                    return Err(format!(
                        "FFmpeg wrote a packet of {} ms where the one of {expected:.0} ms was due",
                        packet.ms
                    ));
                }
                self.taken += 1;
                Ok(Some(packet))
            }
            Ok(None) => match self.child.wait() {
                Ok(status) if status.success() => Ok(None),
                Ok(status) => Err(self.failure(&format!("FFmpeg ended with {status}"))),
                Err(e) => Err(self.failure(&e.to_string())),
            },
            Err(e) => Err(self.failure(&e.to_string())),
        }
    }

    /// Matroska up to the first packet: the codec, its parameters and its colour. Complete when a packet was read.
    pub fn head(&self) -> &[u8] {
        self.packets.head()
    }

    /// The reason in FFmpeg's words, if it gave one.
    fn failure(&mut self, otherwise: &str) -> String {
        // Its messages end with the process, which may have ended only its output.
        drop(self.child.kill());
        let said = self.messages.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        match said.is_empty() {
            true => otherwise.to_owned(),
            false => format!("{otherwise}: {}", said.into_iter().collect::<Vec<_>>().join("; ")),
        }
    }
}

impl Drop for PacketReader {
    fn drop(&mut self) {
        // Fails only if it has ended.
        drop(self.child.kill());
        drop(self.child.wait());
        // A panic there costs only messages.
        drop(self.messages.take().map(JoinHandle::join));
    }
}

fn command(video: &EncodedVideo, input: EncoderInput, rate_hz: f64) -> Command {
    let EncoderInput { width_px, height_px, sampling, .. } = input;
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-nostdin", "-nostats", "-loglevel", "error", "-protocol_whitelist", "pipe"]);
    command.args(["-f", "rawvideo", "-pixel_format", sampling.ffmpeg_name(), "-color_range", "pc"]);
    command.args(["-video_size", &format!("{width_px}x{height_px}"), "-framerate", &rate_hz.to_string()]);
    command.args(["-i", "pipe:0", "-an"]).args(encoder_options(video, rate_hz));
    // The colour of a JPEG.
    command.args(["-pix_fmt", sampling.ffmpeg_name(), "-color_range", "pc", "-colorspace", "smpte170m"]);
    // One cluster a packet, written when it is there.
    command.args(["-f", "matroska", "-cluster_time_limit", "0", "-flush_packets", "1", "pipe:1"]);
    command
}

/// The encoder with its settings.
pub fn encoder_options(video: &EncodedVideo, rate_hz: f64) -> Vec<String> {
    let words = match video.codec {
        // The preset: `veryfast` needs 0.4 of the processor time of `medium` for the same size and quality (benches/README.md).
        VideoCodec::H264 => {
            let key = if video.key_frame_s > 0.0 { (video.key_frame_s * rate_hz).round().max(1.0) } else { 1.0 };
            format!("-c:v libx264 -preset veryfast -crf {} -bf 0 -g {key}", video.crf)
        }
        VideoCodec::Ffv1 => "-c:v ffv1 -level 3 -g 1 -slices 4 -slicecrc 1".to_owned(),
    };
    words.split(' ').map(str::to_owned).collect()
}

/// The program that compresses, for the session: `ffmpeg version 5.1.9 …`.
pub fn encoder_program() -> Result<String, CameraError> {
    version_line()
}

//! The sound of an alarm, if the operator wants one. A player of the system plays a small WAV file that is written here.
//!
//! An audio library such as rodio needs the headers of ALSA to build on Linux (package libasound2-dev), for a sound that
//! is off by default. Every desktop has one of these players.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

/// In the order in which they are tried. The file is the last argument.
const PLAYERS: [(&str, &[&str]); 5] = [
    ("pw-play", &[]),
    ("paplay", &[]),
    ("aplay", &["-q"]),
    ("afplay", &[]),
    ("ffplay", &["-nodisp", "-autoexit", "-loglevel", "quiet"]),
];
const RATE_HZ: u32 = 22_050;
/// One alarm after another must not become a continuous noise.
const PAUSE: Duration = Duration::from_secs(5);

/// Plays at most one sound at a time.
#[derive(Default)]
pub struct AlarmSound {
    last: Option<Instant>,
    thread: Option<std::thread::JoinHandle<Result<(), String>>>,
}

impl AlarmSound {
    pub fn play(&mut self) {
        let is_too_early = self.last.is_some_and(|last| last.elapsed() < PAUSE);
        if is_too_early || self.thread.is_some() {
            return;
        }
        self.last = Some(Instant::now());
        self.thread = std::thread::Builder::new().name("alarm sound".into()).spawn(play).ok();
    }

    /// Why the last sound was not played. Returns it once.
    pub fn take_problem(&mut self) -> Option<String> {
        let thread = self.thread.take_if(|thread| thread.is_finished())?;
        thread.join().ok()?.err()
    }
}

fn play() -> Result<(), String> {
    let problem = |e: std::io::Error| format!("The sound of alarms could not be played: {e}.");
    let mut file = NamedTempFile::with_suffix(".wav").map_err(problem)?;
    std::io::Write::write_all(&mut file, &wav(&beeps())).map_err(problem)?;
    play_with(&PLAYERS, file.path())
}

fn play_with(players: &[(&str, &[&str])], file: &Path) -> Result<(), String> {
    for (player, arguments) in players {
        let mut command = Command::new(player);
        command.args(*arguments).arg(file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if command.status().is_ok_and(|status| status.success()) {
            return Ok(());
        }
    }
    let names: Vec<&str> = players.iter().map(|(name, _)| *name).collect();
    Err(format!(
        "The sound of alarms could not be played. Install one of {} and check the system's sound, or switch the sound off in the \
         preferences.",
        names.join(", ")
    ))
}

/// Two short tones.
fn beeps() -> Vec<i16> {
    let tone = |hz: f32, s: f32| {
        let samples = (s * RATE_HZ as f32) as usize;
        (0..samples).map(move |k| {
            let edge = (k.min(samples - k) as f32 / 300.0).min(1.0);
            let phase = std::f32::consts::TAU * hz * k as f32 / RATE_HZ as f32;
            (phase.sin() * edge * 0.5 * f32::from(i16::MAX)) as i16
        })
    };
    let silence = std::iter::repeat_n(0, RATE_HZ as usize / 12);
    tone(880.0, 0.18).chain(silence).chain(tone(660.0, 0.25)).collect()
}

/// 16 bit, mono.
fn wav(samples: &[i16]) -> Vec<u8> {
    let bytes = u32::try_from(samples.len() * 2).unwrap_or(0);
    let mut out = Vec::with_capacity(44 + samples.len() * 2);
    out.extend(b"RIFF");
    out.extend((36 + bytes).to_le_bytes());
    out.extend(b"WAVEfmt ");
    out.extend(16u32.to_le_bytes());
    out.extend(1u16.to_le_bytes());
    out.extend(1u16.to_le_bytes());
    out.extend(RATE_HZ.to_le_bytes());
    out.extend((RATE_HZ * 2).to_le_bytes());
    out.extend(2u16.to_le_bytes());
    out.extend(16u16.to_le_bytes());
    out.extend(b"data");
    out.extend(bytes.to_le_bytes());
    out.extend(samples.iter().flat_map(|s| s.to_le_bytes()));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_has_the_length_that_its_head_states() {
        let file = wav(&beeps());
        let number = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
        assert_eq!((&file[..4], number(4) as usize), (&b"RIFF"[..], file.len() - 8));
        assert_eq!((&file[36..40], number(40) as usize), (&b"data"[..], file.len() - 44));
    }

    #[test]
    fn the_next_player_is_tried_and_without_one_the_sentence_names_them() {
        let file = Path::new("/nowhere.wav");
        assert_eq!(play_with(&[("no-such-player", &[]), ("true", &[])], file), Ok(()));
        let why = play_with(&[("no-such-player", &[]), ("false", &[])], file).unwrap_err();
        assert!(why.contains("no-such-player, false") && why.contains("preferences"), "{why}");
    }
}

//! The time that a view shows. A live session and a reopened session differ only in their playhead.

use std::time::Duration;

use super::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlayheadMode {
    Paused,
    Playing,
    /// Stays at the newest record.
    Following,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Playhead {
    pub mode: PlayheadMode,
    pub at: Timestamp,
    /// 1 is real time.
    pub rate: f64,
}

impl Playhead {
    pub fn following() -> Self {
        Playhead { mode: PlayheadMode::Following, at: Timestamp::ZERO, rate: 1.0 }
    }

    pub fn paused_at(at: Timestamp) -> Self {
        Playhead { mode: PlayheadMode::Paused, at, rate: 1.0 }
    }

    /// Advances by `elapsed` of real time within `start..=end`. Playing stops at the end.
    pub fn advance(&mut self, elapsed: Duration, start: Timestamp, end: Timestamp) {
        match self.mode {
            PlayheadMode::Paused => {}
            PlayheadMode::Following => self.at = end,
            PlayheadMode::Playing => {
                self.at = self.at + elapsed.mul_f64(self.rate);
                if self.at >= end {
                    self.mode = PlayheadMode::Paused;
                }
            }
        }
        self.at = self.at.clamp(start, end.max(start));
    }

    pub fn seek(&mut self, to: Timestamp) {
        self.at = to;
        if self.mode == PlayheadMode::Following {
            self.mode = PlayheadMode::Paused;
        }
    }

    /// Starts or pauses playing. At the end, playing restarts from the beginning.
    pub fn toggle_play(&mut self, start: Timestamp, end: Timestamp) {
        self.mode = match self.mode {
            PlayheadMode::Playing => PlayheadMode::Paused,
            PlayheadMode::Paused | PlayheadMode::Following => {
                if self.at >= end {
                    self.at = start;
                }
                PlayheadMode::Playing
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_ns(0);
    const END: Timestamp = Timestamp::from_ns(2_000_000_000);

    #[test]
    fn playing_stops_at_the_end_and_starts_over() {
        let mut p = Playhead::paused_at(Timestamp::from_ns(1_900_000_000));
        p.toggle_play(START, END);
        p.advance(Duration::from_secs(1), START, END);
        assert_eq!((p.mode, p.at), (PlayheadMode::Paused, END));
        p.toggle_play(START, END);
        assert_eq!((p.mode, p.at), (PlayheadMode::Playing, START));
        p.rate = 0.5;
        p.advance(Duration::from_secs(2), START, END);
        assert_eq!((p.mode, p.at), (PlayheadMode::Playing, Timestamp::from_ns(1_000_000_000)));
        p.advance(Duration::from_secs(2), START, END);
        assert_eq!((p.mode, p.at), (PlayheadMode::Paused, END), "exactly at the end");
    }

    #[test]
    fn following_sticks_to_the_end_until_one_seeks() {
        let mut p = Playhead::following();
        p.advance(Duration::ZERO, START, END);
        assert_eq!(p.at, END);
        p.seek(Timestamp::from_ns(5));
        p.advance(Duration::from_secs(1), START, END);
        assert_eq!(p.at, Timestamp::from_ns(5));
    }
}

//! A continuous rating: the rater's present position, and the samples that are still to be stored.

use session::{Body, Timestamp};

use super::port::Agreement;

/// Samples are stored in batches of this size. A crash loses at most one batch.
const BATCH: usize = 30;
/// Step of one press of an arrow key.
pub const KEY_STEP: f32 = 0.05;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RatingInput {
    Mouse,
    Keyboard,
    Gamepad,
}

impl RatingInput {
    pub fn label(self) -> &'static str {
        match self {
            RatingInput::Mouse => "mouse",
            RatingInput::Keyboard => "keyboard",
            RatingInput::Gamepad => "gamepad",
        }
    }
}

/// One pass through the session. Each pass is stored as a stream of its own.
#[derive(Debug)]
pub struct Rating {
    pub pass: u32,
    pub author: String,
    pub from: Timestamp,
    /// Valence and arousal, −1 … 1 each.
    pub position: [f32; 2],
    /// The device that set the position last.
    pub input: RatingInput,
    /// The time of the newest sample.
    pub until: Timestamp,
    pub samples: u64,
    waiting: Vec<(Timestamp, Body)>,
}

/// All ratings of the session in review.
#[derive(Default)]
pub struct Ratings {
    pub running: Option<Rating>,
    /// Name of the connected gamepad.
    pub gamepad: Option<String>,
    pub agreements: Vec<Agreement>,
}

impl Rating {
    pub fn new(pass: u32, author: String, from: Timestamp) -> Self {
        let (position, input) = ([0.0; 2], RatingInput::Mouse);
        Rating { pass, author, from, position, input, until: from, samples: 0, waiting: Vec::new() }
    }

    pub fn set_position(&mut self, position: [f32; 2], input: RatingInput) {
        self.position = position.map(|v| v.clamp(-1.0, 1.0));
        self.input = input;
    }

    /// Takes a sample at `at`. Returns a batch to store if one is full.
    pub fn sample(&mut self, at: Timestamp) -> Option<Vec<(Timestamp, Body)>> {
        // Several frames can show the same time. It gets one sample.
        if at <= self.until && self.samples > 0 {
            return None;
        }
        self.until = at;
        self.samples += 1;
        self.waiting.push((at, Body::Sample { frame: None, values: self.position.into() }));
        (self.waiting.len() >= BATCH).then(|| self.take_waiting())
    }

    /// The samples that are still to be stored.
    pub fn take_waiting(&mut self) -> Vec<(Timestamp, Body)> {
        std::mem::take(&mut self.waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_moment_is_rated_once_and_handed_on_in_batches() {
        let at = |k: u32| Timestamp::from_secs_f64(f64::from(k) / 30.0);
        let mut rating = Rating::new(1, "ann".into(), at(0));
        rating.set_position([0.4, -2.0], RatingInput::Gamepad);
        let mut stored = Vec::new();
        for k in 0..75 {
            stored.extend(rating.sample(at(k)).into_iter().flatten());
            assert_eq!(rating.sample(at(k)), None);
        }
        assert_eq!(stored.len(), 60);
        stored.extend(rating.take_waiting());
        assert_eq!(stored.len(), 75);
        assert!(stored.windows(2).all(|w| w[0].0 < w[1].0));
        let Body::Sample { values, .. } = &stored[0].1 else { panic!() };
        assert_eq!(**values, [0.4, -1.0]);
    }
}

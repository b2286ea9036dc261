//! Rating while watching: where the rater's hand is, and what was rated and is still to be stored.

use session::{Body, Timestamp};

use super::port::Agreement;

/// Rated samples are handed on once they are this many; a crash costs no more.
const BATCH: usize = 30;
/// One press of an arrow key.
pub const NUDGE: f32 = 0.05;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hand {
    Mouse,
    Keyboard,
    Gamepad,
}

impl Hand {
    pub fn label(self) -> &'static str {
        match self {
            Hand::Mouse => "mouse",
            Hand::Keyboard => "keyboard",
            Hand::Gamepad => "gamepad",
        }
    }
}

/// One pass through the session, stored as a stream of its own.
#[derive(Debug)]
pub struct Rating {
    pub pass: u32,
    pub author: String,
    pub from: Timestamp,
    /// Valence and arousal as the rater holds them now.
    pub held: [f32; 2],
    pub hand: Hand,
    /// The last moment rated.
    pub until: Timestamp,
    pub samples: u64,
    waiting: Vec<(Timestamp, Body)>,
}

/// What review keeps about ratings.
#[derive(Default)]
pub struct Rated {
    pub running: Option<Rating>,
    /// Name of the gamepad that would be heard.
    pub gamepad: Option<String>,
    pub agreements: Vec<Agreement>,
}

impl Rating {
    pub fn new(pass: u32, author: String, from: Timestamp) -> Self {
        Rating { pass, author, from, held: [0.0; 2], hand: Hand::Mouse, until: from, samples: 0, waiting: Vec::new() }
    }

    pub fn hold(&mut self, held: [f32; 2], hand: Hand) {
        self.held = held.map(|v| v.clamp(-1.0, 1.0));
        self.hand = hand;
    }

    /// The playhead moved on to `at`. Returns samples to store where there are enough.
    pub fn sample(&mut self, at: Timestamp) -> Option<Vec<(Timestamp, Body)>> {
        // A moment is rated once, however often it is drawn.
        if at <= self.until && self.samples > 0 {
            return None;
        }
        self.until = at;
        self.samples += 1;
        self.waiting.push((at, Body::Sample { frame: None, values: self.held.into() }));
        (self.waiting.len() >= BATCH).then(|| self.rest())
    }

    /// What is still to be stored.
    pub fn rest(&mut self) -> Vec<(Timestamp, Body)> {
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
        rating.hold([0.4, -2.0], Hand::Gamepad);
        let mut stored = Vec::new();
        for k in 0..75 {
            stored.extend(rating.sample(at(k)).into_iter().flatten());
            assert_eq!(rating.sample(at(k)), None);
        }
        assert_eq!(stored.len(), 60);
        stored.extend(rating.rest());
        assert_eq!(stored.len(), 75);
        assert!(stored.windows(2).all(|w| w[0].0 < w[1].0));
        let Body::Sample { values, .. } = &stored[0].1 else { panic!() };
        assert_eq!(**values, [0.4, -1.0]);
    }
}

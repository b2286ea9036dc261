//! Limits how many frames of a browser's video are stored. A few bytes of a forged video can hold thousands of frames, and each
//! would be stored as a whole picture and scored.

use session::Timestamp;

/// No browser's camera delivers more.
const MAX_FRAMES_PER_S: f64 = 120.0;
/// Frames that may come at once, after a camera was busy.
const BURST_FRAMES: f64 = 240.0;
/// The clocks of browser and server may differ so much.
const CLOCK_SLACK_S: f64 = 60.0;

/// Whether a frame at this time can be one of a camera. `stored` frames came before it. `span` is the time of the first and the
/// last frame, with this one. `age` is the age of the session. The error is a sentence.
pub fn check_pace(at: Timestamp, span: (Timestamp, Timestamp), stored: u64, age: Timestamp) -> Result<(), String> {
    if stored as f64 > BURST_FRAMES + MAX_FRAMES_PER_S * span.1.seconds_since(span.0) {
        let why =
            format!("the video has more than {MAX_FRAMES_PER_S} frames per second, and no camera records so many");
        return Err(format!("{why}. {}", kept(stored)));
    }
    let at_s = at.as_secs_f64();
    if at_s < -CLOCK_SLACK_S || at_s > age.as_secs_f64() + CLOCK_SLACK_S {
        return Err(format!("a frame of the video is from a time outside its session. {}", kept(stored)));
    }
    Ok(())
}

/// What happens to a video that is not converted to its end.
pub fn kept(stored: u64) -> String {
    format!("The video was converted up to frame {stored}. The browser's own video is kept")
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: i64) -> Timestamp {
        Timestamp::from_ns(ms * 1_000_000)
    }

    /// Frames at this interval are accepted until this number. They begin with the session, and arrive at this age of it.
    fn accepted(interval_ms: i64, age: Timestamp, most: u64) -> u64 {
        let at = |k: u64| ms(k as i64 * interval_ms);
        (0..most).find(|k| check_pace(at(*k), (ms(0), at(*k)), *k, age).is_err()).unwrap_or(most)
    }

    #[test]
    fn cameras_are_accepted_and_forged_videos_are_not() {
        assert_eq!(accepted(33, ms(3_600_000), 100_000), 100_000, "an hour of a usual camera");
        assert_eq!(accepted(9, ms(600_000), 50_000), 50_000, "a fast camera");
        assert_eq!(accepted(1, ms(3_600_000), 4_000), 273);
        assert_eq!(accepted(33, ms(0), 4_000), 1_819, "a video of minutes in a session of a moment");
        assert!(check_pace(ms(-61_000), (ms(-61_000), ms(0)), 1, ms(1_000)).is_err());
    }
}

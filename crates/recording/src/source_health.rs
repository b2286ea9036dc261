//! Whether a source that is received in a rehearsal can be trusted: its rate, its signal and its clock.

use std::collections::VecDeque;

use lsl::{InletEvent, NewSegment, Samples, SegmentReason};
use session::Timestamp;

/// Whole seconds that the rate and the signal are judged by. A rate needs [`FEWEST_SECONDS`].
const KEPT_SECONDS: i64 = 5;
const FEWEST_SECONDS: i64 = 3;
/// A rate may differ from the stated one by this share, and by [`RATE_SAMPLES`], since a second may begin between two samples.
const RATE_SHARE: f64 = 0.05;
const RATE_SAMPLES: f64 = 1.5;
/// The rate of a slower stream is not measured.
const SLOWEST_HZ: f64 = 2.0;
/// As many channels are named in a sentence.
const NAMED_CHANNELS: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceLevel {
    /// Nothing is known yet.
    Waiting,
    Sound,
    /// It can be recorded, and a person should look.
    Doubtful,
    Failed,
}

/// What is known of a source, with a sentence for the operator.
pub(super) type Finding = (SourceLevel, String);

/// What one stream has sent in the last seconds.
pub(super) struct SourceHealth {
    /// What it is: name, type, channels, rate and host.
    described: String,
    stated_hz: Option<f64>,
    labels: Vec<String>,
    /// Oldest first. The last one is not over.
    seconds: VecDeque<Second>,
    /// The second of the first sample, which is not whole.
    first_second: i64,
    /// It is lost or silent.
    trouble: Option<String>,
    has_foreign_stamps: bool,
    uncertainty_ns: Option<i64>,
    floats: Vec<f32>,
}

/// The samples whose stamps lie in one second.
struct Second {
    number: i64,
    samples: u64,
    /// Of each channel.
    ranges: Vec<(f32, f32)>,
}

impl SourceHealth {
    pub(super) fn new(described: String, stated_hz: Option<f64>, labels: Vec<String>) -> SourceHealth {
        SourceHealth {
            described,
            stated_hz,
            labels,
            seconds: VecDeque::new(),
            first_second: 0,
            trouble: None,
            has_foreign_stamps: false,
            uncertainty_ns: None,
            floats: Vec::new(),
        }
    }

    /// Returns whether the finding has probably changed at once.
    pub(super) fn take(&mut self, event: InletEvent<'_>) -> bool {
        match event {
            InletEvent::Samples { samples, rows, at } => {
                let was_troubled = self.trouble.take().is_some();
                rows.zip(at).for_each(|(row, at)| self.sample(*at, samples, row));
                return was_troubled;
            }
            InletEvent::Measured { offset, .. } => self.uncertainty_ns = Some(offset.uncertainty_ns),
            InletEvent::Segment { segment, .. } => self.segment(segment),
            // A stream without a rate may have nothing to send.
            InletEvent::Connected { identity, .. } if identity.rate_hz.is_none() => self.trouble = None,
            InletEvent::Silent { .. } => {
                self.trouble = Some("sends nothing. Check its device and its program".to_owned());
            }
            InletEvent::Lost { why, .. } | InletEvent::NotBack { why, .. } => {
                self.trouble = Some(format!("was lost: {why}. It is looked for"));
            }
            InletEvent::Connected { .. } | InletEvent::Ended { .. } => return false,
        }
        true
    }

    fn segment(&mut self, segment: NewSegment) {
        self.has_foreign_stamps = !segment.is_senders_clock;
        if segment.reason != SegmentReason::Start {
            // Their times do not continue those before.
            self.seconds.clear();
        }
    }

    fn sample(&mut self, at: Timestamp, samples: &Samples, row: usize) {
        let number = at.as_ns().div_euclid(1_000_000_000);
        if self.seconds.is_empty() {
            self.first_second = number;
        }
        if self.seconds.back().is_none_or(|newest| newest.number < number) {
            let ranges = vec![(f32::INFINITY, f32::NEG_INFINITY); self.labels.len()];
            self.seconds.push_back(Second { number, samples: 0, ranges });
            self.seconds.retain(|second| second.number >= number - KEPT_SECONDS);
        }
        // Samples that arrive late belong to a second before. One that is not kept any more counts for nothing.
        let Some(second) = self.seconds.iter_mut().rev().find(|second| second.number == number) else { return };
        second.samples += 1;
        self.floats.clear();
        samples.put_floats(row, &mut self.floats);
        let floats = samples.format.floats_per_value().max(1);
        for (range, value) in second.ranges.iter_mut().zip(self.floats.chunks(floats)) {
            *range = (range.0.min(value[0]), range.1.max(value[0]));
        }
    }

    pub(super) fn finding(&self) -> Finding {
        let Some(stated_hz) = self.stated_hz else { return self.finding_without_rate() };
        if let Some(trouble) = &self.trouble {
            return self.says(SourceLevel::Failed, trouble);
        }
        if self.seconds.is_empty() {
            return self.says(SourceLevel::Waiting, "is connected. Its first sample is awaited");
        }
        let clock = self.clock();
        if stated_hz < SLOWEST_HZ {
            return self.says(self.level(), &format!("sends samples, {clock}"));
        }
        let Some((measured_hz, seconds)) = self.rate() else {
            return self.says(SourceLevel::Waiting, "sends samples. Its rate is being measured");
        };
        let allowed_hz = RATE_SHARE * stated_hz + RATE_SAMPLES / seconds as f64;
        if (measured_hz - stated_hz).abs() > allowed_hz {
            let sentence = format!(
                "sends {measured_hz:.1} samples a second instead of {stated_hz}. Check its device, its program and the network"
            );
            return self.says(SourceLevel::Failed, &sentence);
        }
        let rate = format!("{measured_hz:.1} samples a second, {clock}");
        match self.flat_channels() {
            Some(flat) => self.says(SourceLevel::Doubtful, &format!("sends {rate}. {flat}")),
            None => self.says(self.level(), &format!("sends {rate}")),
        }
    }

    /// Its silence is no trouble.
    fn finding_without_rate(&self) -> Finding {
        match &self.trouble {
            Some(trouble) => self.says(SourceLevel::Failed, trouble),
            None => self.says(self.level(), &format!("is connected, {}", self.clock())),
        }
    }

    fn says(&self, level: SourceLevel, what: &str) -> Finding {
        (level, format!("{} {what}.", self.described))
    }

    fn level(&self) -> SourceLevel {
        if self.has_foreign_stamps { SourceLevel::Doubtful } else { SourceLevel::Sound }
    }

    fn clock(&self) -> String {
        if self.has_foreign_stamps {
            return "but its stamps are not of its computer's clock (they may be UTC, or the device's own): the delay of the \
                    network is unknown"
                .to_owned();
        }
        let ms = self.uncertainty_ns.map(|ns| ns as f64 / 1e6);
        ms.map_or_else(|| "its clock is being measured".to_owned(), |ms| format!("its clock is known to ± {ms:.2} ms"))
    }

    /// Samples a second in the whole seconds, and how many these are.
    fn rate(&self) -> Option<(f64, i64)> {
        let newest = self.seconds.back()?.number;
        let from = (newest - KEPT_SECONDS).max(self.first_second + 1);
        let seconds = newest - from;
        let samples: u64 = self.seconds.iter().filter(|s| (from..newest).contains(&s.number)).map(|s| s.samples).sum();
        (seconds >= FEWEST_SECONDS).then(|| (samples as f64 / seconds as f64, seconds))
    }

    /// The sentence about channels whose value has not changed. An electrode that is off often looks like this, and so does a
    /// trigger channel at rest.
    fn flat_channels(&self) -> Option<String> {
        let is_flat = |channel: usize| {
            let ranges = self.seconds.iter().filter_map(|second| second.ranges.get(channel));
            let (low, high) = ranges.fold((f32::INFINITY, f32::NEG_INFINITY), |(l, h), r| (l.min(r.0), h.max(r.1)));
            low >= high
        };
        let flat: Vec<&str> =
            self.labels.iter().enumerate().filter(|(k, _)| is_flat(*k)).map(|(_, label)| label.as_str()).collect();
        let names = flat[..flat.len().min(NAMED_CHANNELS)].join(", ");
        match (flat.len(), self.labels.len()) {
            (0, _) => None,
            (all, of) if all == of => Some("No channel changes".to_owned()),
            (1, _) => Some(format!("The channel {names} does not change")),
            (some, _) if some > NAMED_CHANNELS => {
                Some(format!("{some} channels do not change: {names} and {} others", some - NAMED_CHANNELS))
            }
            _ => Some(format!("The channels {names} do not change")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lsl::{Format, Values};
    use session::LslOffset;

    fn health(stated_hz: Option<f64>, channels: &[&str]) -> SourceHealth {
        let labels = channels.iter().map(|c| (*c).to_owned()).collect();
        let mut health = SourceHealth::new("EDA".to_owned(), stated_hz, labels);
        let at = Timestamp::ZERO;
        health.take(InletEvent::Measured {
            at,
            offset: LslOffset { remote_ns: 0, offset_ns: 0, uncertainty_ns: 250_000 },
        });
        health
    }

    /// Sends `seconds` of samples at this rate from the second `from` on. The first channel rises, the others stay.
    fn send(health: &mut SourceHealth, from: f64, seconds: f64, hz: f64) -> bool {
        let channels = health.labels.len();
        let mut changed = false;
        for k in 0..(seconds * hz).round() as usize {
            let at = [Timestamp::from_secs_f64(from + k as f64 / hz)];
            let mut values = vec![7.0; channels];
            values[0] = k as f64;
            let values = Values::Numbers(values);
            let samples = Samples { stamps_s: vec![0.0], values, channels, format: Format::Double64 };
            changed |= health.take(InletEvent::Samples { samples: &samples, rows: 0..1, at: &at });
        }
        changed
    }

    #[test]
    fn a_stream_at_its_rate_is_sound_after_some_seconds() {
        let mut health = health(Some(250.0), &["C1"]);
        assert_eq!(health.finding().0, SourceLevel::Waiting);
        send(&mut health, 10.3, 2.0, 250.0);
        assert_eq!(health.finding().0, SourceLevel::Waiting, "its rate is not measured yet");
        send(&mut health, 12.3, 20.0, 250.0);
        let expected = "EDA sends 250.0 samples a second, its clock is known to ± 0.25 ms.";
        assert_eq!(health.finding(), (SourceLevel::Sound, expected.to_owned()));
        assert!(health.seconds.len() <= 6, "memory does not grow");
    }

    #[test]
    fn too_slow_too_fast_and_holes_fail() {
        for (sent_hz, told) in [(200.0, "200.0"), (300.0, "300.0")] {
            let mut health = health(Some(250.0), &["C1"]);
            send(&mut health, 0.5, 8.0, sent_hz);
            let (level, sentence) = health.finding();
            assert_eq!(level, SourceLevel::Failed);
            assert!(sentence.contains(&format!("sends {told} samples a second instead of 250")), "{sentence}");
        }
        let mut health = health(Some(100.0), &["C1"]);
        send(&mut health, 0.0, 4.0, 100.0);
        send(&mut health, 6.0, 2.5, 100.0);
        assert_eq!(health.finding().0, SourceLevel::Failed, "two seconds are missing");
        send(&mut health, 8.5, 8.0, 100.0);
        assert_eq!(health.finding().0, SourceLevel::Sound, "they are over");
    }

    #[test]
    fn the_rate_of_a_slow_stream_is_not_blamed_for_where_a_second_begins() {
        for tenth in 0..10 {
            let mut health = health(Some(2.5), &["C1"]);
            send(&mut health, f64::from(tenth) / 10.0, 12.0, 2.5);
            assert_eq!(health.finding().0, SourceLevel::Sound, "{:?}", health.finding());
        }
        let mut health = health(Some(0.1), &["C1"]);
        send(&mut health, 0.0, 20.0, 0.1);
        assert_eq!(health.finding().0, SourceLevel::Sound);
    }

    #[test]
    fn channels_that_do_not_change_are_named() {
        let mut some = health(Some(50.0), &["C1", "C2", "C3"]);
        send(&mut some, 0.0, 8.0, 50.0);
        let (level, sentence) = some.finding();
        assert_eq!(level, SourceLevel::Doubtful);
        assert!(sentence.ends_with("The channels C2, C3 do not change."), "{sentence}");
        let mut many = health(Some(50.0), &["C1", "C2", "C3", "C4", "C5"]);
        send(&mut many, 0.0, 8.0, 50.0);
        assert!(
            many.finding().1.ends_with("4 channels do not change: C2, C3, C4 and 1 others."),
            "{:?}",
            many.finding()
        );
    }

    #[test]
    fn silence_and_loss_fail_until_a_sample_comes() {
        let mut health = health(Some(50.0), &["C1"]);
        send(&mut health, 0.0, 8.0, 50.0);
        assert!(health.take(InletEvent::Silent { since: Timestamp::ZERO }));
        assert_eq!(health.finding().0, SourceLevel::Failed);
        assert!(send(&mut health, 8.0, 5.0, 50.0), "the window is told at once");
        assert_eq!(health.finding().0, SourceLevel::Sound);
        let at = Timestamp::ZERO;
        health.take(InletEvent::Lost { at, since: at, why: "gone".to_owned() });
        assert_eq!(health.finding(), (SourceLevel::Failed, "EDA was lost: gone. It is looked for.".to_owned()));
    }

    #[test]
    fn markers_need_no_sample_and_a_foreign_clock_is_doubtful() {
        let mut health = health(None, &["Marker"]);
        assert_eq!(health.finding().0, SourceLevel::Sound);
        let segment = NewSegment { base_ns: 0, is_senders_clock: false, reason: SegmentReason::StampsChanged };
        health.take(InletEvent::Segment { at: Timestamp::ZERO, segment });
        assert_eq!(health.finding().0, SourceLevel::Doubtful);
    }
}

//! Limits how much browsers may send: for each session, for all sessions of a key, and for all sessions of a study. The
//! video of a session is also limited by its length.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::StatusCode;

use super::config::Quotas;
use super::problem::Problem;
use store::ReceivedBytes;

/// A browser may send its first chunks a little early, and its clock may differ.
const VIDEO_SLACK_S: f64 = 30.0;

/// What the sessions of each key and each study have received.
#[derive(Debug, Default)]
pub struct ReceivedTotals {
    keys: HashMap<String, Arc<AtomicU64>>,
    studies: HashMap<String, Arc<AtomicU64>>,
}

impl ReceivedTotals {
    /// Replaces all totals. Sessions keep their counters.
    pub fn set(&mut self, received: &[ReceivedBytes]) {
        self.keys.values().chain(self.studies.values()).for_each(|total| total.store(0, Ordering::Relaxed));
        for ReceivedBytes { key, study, bytes } in received {
            for total in [self.of_key(key), self.of_study(study)] {
                total.fetch_add(*bytes, Ordering::Relaxed);
            }
        }
    }

    fn of_key(&mut self, key: &str) -> Arc<AtomicU64> {
        self.keys.entry(key.to_owned()).or_default().clone()
    }

    fn of_study(&mut self, study: &str) -> Arc<AtomicU64> {
        self.studies.entry(study.to_owned()).or_default().clone()
    }

    /// Why no session of this key can begin.
    pub fn check(&mut self, key: &str, study: &str, quotas: &Quotas) -> Result<(), Problem> {
        let session = self.session(key, study, quotas, 0, 0);
        let refused =
            |why: String| full_for_now(format!("{why} No session can begin until the study's owner makes room."));
        session.full_total().map_or(Ok(()), |why| Err(refused(why)))
    }

    /// The counters of one session that has already received `video_bytes` and `record_bytes`. The totals include them.
    pub fn session(
        &mut self,
        key: &str,
        study: &str,
        quotas: &Quotas,
        video_bytes: u64,
        record_bytes: u64,
    ) -> SessionQuota {
        let (key, study) = (self.of_key(key), self.of_study(study));
        SessionQuota { quotas: quotas.clone(), key, study, video_bytes, record_bytes }
    }
}

/// What one session has received, and what it may still send.
#[derive(Clone, Debug)]
pub struct SessionQuota {
    quotas: Quotas,
    key: Arc<AtomicU64>,
    study: Arc<AtomicU64>,
    video_bytes: u64,
    record_bytes: u64,
}

impl SessionQuota {
    pub fn received_bytes(&self) -> u64 {
        self.video_bytes + self.record_bytes
    }

    /// `session_s` is the length of the session so far. After an interruption of the network a browser may send all video
    /// that it has recorded since the session began.
    pub fn check_video(&self, bytes: u64, session_s: f64) -> Result<(), Problem> {
        let sum = self.video_bytes.saturating_add(bytes);
        if sum > self.quotas.session_bytes {
            return Err(video_ends(format!(
                "This session has sent {} of video, and its limit is reached.",
                gigabytes(self.video_bytes)
            )));
        }
        if let Some(why) = self.full_total() {
            return Err(video_ends(why));
        }
        let bytes_per_s = self.quotas.video_bits_per_s / 8.0;
        let early_s = sum as f64 / bytes_per_s - session_s - VIDEO_SLACK_S;
        if early_s <= 0.0 {
            return Ok(());
        }
        let wait_s = early_s.ceil().min(3600.0) as u32;
        let detail = format!(
            "The session sends more video than a camera with {:.1} Mbit/s records. The chunk was not stored. Send it again \
             after {wait_s} s.",
            self.quotas.video_bits_per_s * 1e-6
        );
        Err(Problem::too_fast(detail, wait_s))
    }

    /// The totals of key and study do not end a session's records, so that a running session loses none.
    pub fn check_records(&self, bytes: u64) -> Result<(), Problem> {
        if self.record_bytes.saturating_add(bytes) <= self.quotas.session_bytes {
            return Ok(());
        }
        Err(full_for_now(format!(
            "This session has sent {} of records, and its limit is reached. Nothing was stored.",
            gigabytes(self.record_bytes)
        )))
    }

    /// The total that has reached its limit, as a sentence.
    fn full_total(&self) -> Option<String> {
        let limits = [("key", &self.key, self.quotas.key_bytes), ("study", &self.study, self.quotas.study_bytes)];
        limits.into_iter().find_map(|(what, total, limit)| {
            let total = total.load(Ordering::Relaxed);
            (total >= limit?).then(|| {
                format!(
                    "The sessions of this {what} have sent {}, and the limit of the {what} is reached.",
                    gigabytes(total)
                )
            })
        })
    }

    pub fn add_video(&mut self, bytes: u64) {
        self.video_bytes += bytes;
        self.add(bytes);
    }

    pub fn add_records(&mut self, bytes: u64) {
        self.record_bytes += bytes;
        self.add(bytes);
    }

    fn add(&self, bytes: u64) {
        self.key.fetch_add(bytes, Ordering::Relaxed);
        self.study.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// The same chunk will be refused again, so the status is not one after which a browser waits.
fn video_ends(why: String) -> Problem {
    video_has_ended(format!(
        "{why} The rest of the video of this session is not stored. Its records are still accepted."
    ))
}

/// Refuses a chunk after the end of the video with the sentence that stated the end.
pub fn video_has_ended(detail: String) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "quota", detail)
}

fn full_for_now(detail: String) -> Problem {
    Problem::new(StatusCode::INSUFFICIENT_STORAGE, "quota", detail).after(60)
}

fn gigabytes(bytes: u64) -> String {
    format!("{:.2} GB", bytes as f64 * 1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quotas() -> Quotas {
        Quotas { session_bytes: 100_000_000, key_bytes: None, study_bytes: Some(150_000_000), video_bits_per_s: 8e6 }
    }

    #[test]
    fn video_is_limited_by_the_length_of_the_session() {
        let mut totals = ReceivedTotals::default();
        let mut session = totals.session("k", "s", &quotas(), 0, 0);
        session.check_video(30_000_000, 0.0).unwrap();
        let refused = session.check_video(31_000_000, 0.0).unwrap_err();
        assert!(refused.detail().contains("after 1 s"), "{}", refused.detail());
        // A minute without network: all its video may be sent at once.
        session.check_video(90_000_000, 60.0).unwrap();
        session.add_video(90_000_000);
        assert!(session.check_video(11_000_000, 1e6).unwrap_err().detail().contains("limit is reached"));
        session.check_records(100_000_000).unwrap();
        assert!(session.check_records(100_000_001).is_err());
        assert_eq!(session.received_bytes(), 90_000_000);
    }

    #[test]
    fn a_full_study_refuses_sessions_and_video_and_no_records() {
        let mut totals = ReceivedTotals::default();
        let mut first = totals.session("k", "s", &quotas(), 0, 0);
        let second = totals.session("k", "s", &quotas(), 0, 0);
        first.add_records(50_000_000);
        first.add_video(99_999_999);
        totals.check("k", "s", &quotas()).unwrap();
        first.add_records(1);
        assert!(totals.check("k", "s", &quotas()).unwrap_err().detail().contains("limit of the study"));
        totals.check("k", "other", &quotas()).unwrap();
        assert!(second.check_video(1, 60.0).unwrap_err().detail().contains("Its records are still accepted"));
        second.check_records(1_000_000).unwrap();
        // An erased participant makes room.
        totals.set(&[ReceivedBytes { key: "k".into(), study: "s".into(), bytes: 10 }]);
        totals.check("k", "s", &quotas()).unwrap();
        second.check_video(1, 60.0).unwrap();
    }
}

//! Puts a browser's documents on the session's clock.
//!
//! Each document has its own `performance.now()`. The browser measures the offset to the server's clock and its
//! uncertainty. A document that ended before the measurement has only its wall clock. It is corrected by the
//! error of the wall clock that was measured in another document.

use std::collections::BTreeMap;

use super::wire::{Document, DocumentClock};
use session::Timestamp;

/// The largest step of the wall clock between two documents of one session that the uncertainty allows for. The server cannot
/// detect such a step.
const WALL_CLOCK_STEP_MS: f64 = 250.0;
const MAX_DOCUMENTS: usize = 1_000;

/// An offset as a session stores it: session time minus `performance.now()`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    pub at: Timestamp,
    pub document: u32,
    pub offset_ms: f64,
    pub uncertainty_ms: f64,
}

#[derive(Debug)]
pub struct Documents {
    zero_utc_ms: f64,
    known: BTreeMap<u32, KnownDocument>,
    /// Server's time minus the browser's wall clock, and the uncertainty of this difference.
    wall_error_ms: Option<(f64, f64)>,
}

#[derive(Debug)]
struct KnownDocument {
    time_origin_utc_ms: f64,
    /// The measurement in use.
    clock: Option<DocumentClock>,
    /// The latest placed record. Times never go back within a document, although a better offset may arrive.
    last: Option<(f64, Timestamp)>,
}

impl Documents {
    pub fn new(zero_utc_ms: f64) -> Self {
        Documents { zero_utc_ms, known: BTreeMap::new(), wall_error_ms: None }
    }

    /// Adds the documents of a batch. Returns the new measurements. The error is a sentence.
    pub fn add(&mut self, documents: &[Document]) -> Result<Vec<Measured>, String> {
        for d in documents {
            check(d)?;
            if self.known.len() >= MAX_DOCUMENTS && !self.known.contains_key(&d.document) {
                return Err(format!("a session has at most {MAX_DOCUMENTS} documents"));
            }
        }
        let mut fresh = Vec::new();
        for d in documents {
            let known = self.known.entry(d.document).or_insert(KnownDocument {
                time_origin_utc_ms: d.time_origin_utc_ms,
                clock: None,
                last: None,
            });
            if let Some(clock) = d.clock.filter(|c| known.clock != Some(*c)) {
                known.clock = Some(clock);
                self.wall_error_ms = Some((clock.offset_ms - d.time_origin_utc_ms, clock.uncertainty_ms));
                fresh.push(d.document);
            }
        }
        // Documents that ended without a measurement use the error that others have measured.
        if let Some((error_ms, uncertainty_ms)) = self.wall_error_ms {
            for (number, known) in self.known.iter_mut().filter(|(_, k)| k.clock.is_none()) {
                known.clock = Some(DocumentClock {
                    at_ms: 0.0,
                    offset_ms: known.time_origin_utc_ms + error_ms,
                    uncertainty_ms: uncertainty_ms + WALL_CLOCK_STEP_MS,
                });
                fresh.push(*number);
            }
        }
        Ok(fresh.into_iter().filter_map(|n| self.measured(n)).collect())
    }

    fn measured(&self, document: u32) -> Option<Measured> {
        let clock = self.known.get(&document)?.clock?;
        let offset_ms = clock.offset_ms - self.zero_utc_ms;
        Some(Measured {
            at: from_ms(clock.at_ms + offset_ms),
            document,
            offset_ms,
            uncertainty_ms: clock.uncertainty_ms,
        })
    }

    pub fn is_measured(&self, document: u32) -> bool {
        self.known.get(&document).is_some_and(|k| k.clock.is_some())
    }

    /// As [`Documents::place`], but later records may be placed before this one.
    pub fn at(&self, document: u32, page_ms: f64) -> Option<Timestamp> {
        Some(from_ms(page_ms + self.known.get(&document)?.clock?.offset_ms - self.zero_utc_ms))
    }

    /// The session time of `page_ms`. `None` if the document's clock is unknown.
    pub fn place(&mut self, document: u32, page_ms: f64) -> Option<Timestamp> {
        let known = self.known.get_mut(&document)?;
        let mut at = from_ms(page_ms + known.clock?.offset_ms - self.zero_utc_ms);
        match known.last {
            Some((last_ms, last)) if page_ms >= last_ms => at = at.max(last),
            Some(_) => return Some(at),
            None => {}
        }
        known.last = Some((page_ms, at));
        Some(at)
    }
}

fn from_ms(ms: f64) -> Timestamp {
    Timestamp::from_secs_f64(ms * 1e-3)
}

fn check(d: &Document) -> Result<(), String> {
    let is_time = |ms: f64| (0.0..1e14).contains(&ms);
    let is_sound = d.document >= 1
        && is_time(d.time_origin_utc_ms)
        && d.clock.is_none_or(|c| is_time(c.at_ms) && is_time(c.offset_ms) && (0.0..1e7).contains(&c.uncertainty_ms));
    if is_sound { Ok(()) } else { Err(format!("document {} has an invalid number, time origin or clock", d.document)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ZERO: f64 = 1_763_901_234_567.25;

    fn document(document: u32, time_origin_utc_ms: f64, clock: Option<(f64, f64)>) -> Document {
        let clock = clock.map(|(offset_ms, uncertainty_ms)| DocumentClock { at_ms: 10.0, offset_ms, uncertainty_ms });
        Document { document, time_origin_utc_ms, clock }
    }

    #[test]
    fn a_document_that_died_unmeasured_uses_what_a_later_one_found() {
        let mut documents = Documents::new(ZERO);
        // The browser's wall clock is 40 s fast.
        let first = document(1, ZERO + 40_000.0 + 100.0, None);
        assert_eq!(documents.add(std::slice::from_ref(&first)), Ok(vec![]));
        assert_eq!(documents.place(1, 5.0), None);
        let second = document(2, ZERO + 40_000.0 + 2_000.0, Some((ZERO + 2_000.0, 0.5)));
        let measured = documents.add(&[first, second.clone()]).unwrap();
        assert_eq!(measured.iter().map(|m| (m.document, m.uncertainty_ms)).collect::<Vec<_>>(), [(2, 0.5), (1, 250.5)]);
        assert_eq!(documents.place(1, 5.0), Some(Timestamp::from_secs_f64(0.105)));
        assert_eq!(documents.place(2, 5.0), Some(Timestamp::from_secs_f64(2.005)));
        // The same measurement again is not a new one.
        assert_eq!(documents.add(&[second]), Ok(vec![]));
    }

    #[test]
    fn nonsense_is_refused() {
        let mut documents = Documents::new(ZERO);
        for bad in [
            document(0, ZERO, None),
            document(1, f64::NAN, None),
            document(1, ZERO, Some((f64::INFINITY, 1.0))),
            document(1, ZERO, Some((ZERO, -1.0))),
        ] {
            assert!(documents.add(&[bad]).is_err());
        }
        assert_eq!(documents.place(1, 1.0), None);
    }

    proptest! {
        /// Times never go back within a document when the offset is corrected. With the first measurement, the error of a
        /// time is below one microsecond.
        #[test]
        fn time_runs_forward(steps in prop::collection::vec((0.0f64..50.0, -0.5f64..0.5), 1..60)) {
            let mut documents = Documents::new(ZERO);
            let (mut page_ms, mut last) = (0.0, Timestamp::from_ns(i64::MIN));
            for (k, (pause_ms, error_ms)) in steps.into_iter().enumerate() {
                page_ms += pause_ms;
                let offset_ms = ZERO + 1_000.0 + if k == 0 { 0.0 } else { error_ms };
                documents.add(&[document(1, ZERO, Some((offset_ms, 0.5)))]).unwrap();
                let at = documents.place(1, page_ms).unwrap();
                prop_assert!(at >= last);
                prop_assert!(k > 0 || (at.as_ns() - ((page_ms + 1_000.0) * 1e6) as i64).abs() < 1_000);
                last = at;
            }
        }
    }
}

//! Puts a browser's documents on the session's clock.
//!
//! Each document has its own `performance.now()`. The browser measures the offset to the server's clock and its
//! uncertainty. The clock of a document may jump: in some browsers `performance.now()` stands still while the computer
//! sleeps. The readings between two jumps are a run. A record is placed by the run of its own time.
//!
//! A document that ended before its first reading has only its wall clock. It is corrected by the error of the wall clock
//! in the nearest document that was measured. This assumption is used only until the document is measured.

use std::collections::BTreeMap;

use super::clock_run::ClockRun;
use super::wire::{Document, DocumentClock};
use session::Timestamp;

/// The largest step of the wall clock between two documents of one session that the uncertainty allows for. The server cannot
/// detect such a step.
const WALL_CLOCK_STEP_MS: f64 = 250.0;
const MAX_DOCUMENTS: usize = 1_000;
/// Later jumps of one document are not recorded. The newest reading still counts.
const MAX_RUNS: usize = 100;

/// What the session must know about a document's clock beside its readings. Offsets are session time minus
/// `performance.now()`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ClockNote {
    /// Records were placed without a reading.
    Assumed { at: Timestamp, document: u32, offset_ms: f64, uncertainty_ms: f64 },
    /// Two readings contradict each other. The times of records between them, in `performance.now()`, may be wrong by the
    /// step.
    Jumped { at: Timestamp, document: u32, from_ms: f64, until_ms: f64, step_ms: f64 },
}

#[derive(Debug)]
pub struct Documents {
    zero_utc_ms: f64,
    known: BTreeMap<u32, KnownDocument>,
    /// Stored readings of documents that have not sent anything since the session went on.
    remembered: BTreeMap<u32, Vec<DocumentClock>>,
    notes: Vec<ClockNote>,
}

#[derive(Debug)]
struct KnownDocument {
    time_origin_utc_ms: f64,
    /// In the order of `performance.now()`.
    runs: Vec<ClockRun>,
    /// Used while there are no runs.
    assumed: Option<ClockRun>,
}

impl KnownDocument {
    /// The jumps between the remembered readings are stored already.
    fn with(time_origin_utc_ms: f64, remembered: Vec<DocumentClock>) -> KnownDocument {
        let mut document = KnownDocument { time_origin_utc_ms, runs: Vec::new(), assumed: None };
        remembered.into_iter().for_each(|reading| document.learn(reading));
        document.runs.iter_mut().for_each(|run| run.is_noted = true);
        document
    }

    fn learn(&mut self, fresh: DocumentClock) {
        let after = self.runs.partition_point(|run| run.begin_ms() <= fresh.at_ms);
        for k in [after.checked_sub(1), Some(after)].into_iter().flatten() {
            if let Some(run) = self.runs.get_mut(k).filter(|run| !run.is_left_by(&fresh)) {
                run.add(fresh);
                return;
            }
        }
        if self.runs.len() < MAX_RUNS {
            self.runs.insert(after, ClockRun::new(fresh));
        } else if let Some(last) = self.runs.last_mut() {
            *last = ClockRun::new(fresh);
            last.is_noted = true;
        }
    }

    fn run_at(&mut self, page_ms: f64) -> Option<&mut ClockRun> {
        let after = self.runs.partition_point(|run| run.begin_ms() <= page_ms);
        // Records before the first reading are placed by the first run.
        self.runs.get_mut(after.saturating_sub(1)).or(self.assumed.as_mut())
    }
}

impl Documents {
    pub fn new(zero_utc_ms: f64) -> Self {
        Documents { zero_utc_ms, known: BTreeMap::new(), remembered: BTreeMap::new(), notes: Vec::new() }
    }

    /// Adds the documents of a batch. The error is a sentence.
    pub fn add(&mut self, documents: &[Document]) -> Result<(), String> {
        for d in documents {
            check(d)?;
            if self.known.len() >= MAX_DOCUMENTS && !self.known.contains_key(&d.document) {
                return Err(format!("a session has at most {MAX_DOCUMENTS} documents"));
            }
        }
        for d in documents {
            let known = self.known.entry(d.document).or_insert_with(|| {
                let remembered = self.remembered.remove(&d.document).unwrap_or_default();
                KnownDocument::with(d.time_origin_utc_ms, remembered)
            });
            if let Some(clock) = d.clock {
                known.learn(clock);
            }
        }
        Ok(())
    }

    /// A reading that the session has stored. It counts as soon as the document sends something.
    pub fn remember(&mut self, document: u32, reading: DocumentClock) {
        self.remembered.entry(document).or_default().push(reading);
    }

    /// A reading of a document's clock, in any order. Call [`Documents::note_jumps`] after all readings of a batch.
    pub fn learn(&mut self, document: u32, reading: DocumentClock) {
        if let Some(known) = self.known.get_mut(&document) {
            known.learn(reading);
        }
    }

    /// Notes the jumps between readings that were not noted yet.
    pub fn note_jumps(&mut self) {
        for (document, known) in &mut self.known {
            for k in 1..known.runs.len() {
                let (before, after) = known.runs.split_at_mut(k);
                let (Some(before), Some(after)) = (before.last(), after.first_mut()) else { continue };
                if std::mem::replace(&mut after.is_noted, true) {
                    continue;
                }
                let (old, fresh) = (before.clock(), after.clock());
                self.notes.push(ClockNote::Jumped {
                    at: from_ms(fresh.at_ms + fresh.offset_ms - self.zero_utc_ms),
                    document: *document,
                    from_ms: before.end_ms().min(after.begin_ms()),
                    until_ms: after.begin_ms(),
                    step_ms: fresh.offset_ms - old.offset_ms,
                });
            }
        }
    }

    /// The notes since the last call.
    pub fn take_notes(&mut self) -> Vec<ClockNote> {
        std::mem::take(&mut self.notes)
    }

    /// Whether records of the document can be placed.
    pub fn is_known(&self, document: u32) -> bool {
        self.known.contains_key(&document) && self.known.values().any(|k| !k.runs.is_empty())
    }

    /// The assumption about a document without readings, from the nearest one with readings.
    fn assume(&mut self, document: u32) {
        let Some(known) = self.known.get(&document) else { return };
        if !known.runs.is_empty() || known.assumed.is_some() {
            return;
        }
        let measured =
            self.known.iter().filter_map(|(number, k)| Some((number.abs_diff(document), k, k.runs.first()?)));
        let Some((_, other, run)) = measured.min_by_key(|(distance, ..)| *distance) else { return };
        let wall_error_ms = run.clock().offset_ms - other.time_origin_utc_ms;
        let assumed = DocumentClock {
            at_ms: 0.0,
            offset_ms: known.time_origin_utc_ms + wall_error_ms,
            uncertainty_ms: run.clock().uncertainty_ms + WALL_CLOCK_STEP_MS,
        };
        let offset_ms = assumed.offset_ms - self.zero_utc_ms;
        let uncertainty_ms = assumed.uncertainty_ms;
        self.notes.push(ClockNote::Assumed { at: from_ms(offset_ms), document, offset_ms, uncertainty_ms });
        if let Some(known) = self.known.get_mut(&document) {
            known.assumed = Some(ClockRun::new(assumed));
        }
    }

    fn run_at(&mut self, document: u32, page_ms: f64) -> Option<&mut ClockRun> {
        self.assume(document);
        self.known.get_mut(&document)?.run_at(page_ms)
    }

    /// As [`Documents::place`], but later records may be placed before this one.
    pub fn at(&mut self, document: u32, page_ms: f64) -> Option<Timestamp> {
        let zero_utc_ms = self.zero_utc_ms;
        Some(from_ms(page_ms + self.run_at(document, page_ms)?.clock().offset_ms - zero_utc_ms))
    }

    /// The session time of `page_ms`. `None` if the document's clock is unknown. Times never go back within a run, although a
    /// better reading may arrive.
    pub fn place(&mut self, document: u32, page_ms: f64) -> Option<Timestamp> {
        let zero_utc_ms = self.zero_utc_ms;
        let run = self.run_at(document, page_ms)?;
        let at = from_ms(page_ms + run.clock().offset_ms - zero_utc_ms);
        Some(run.forward(page_ms, at))
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

    fn reading(at_ms: f64, offset_ms: f64, uncertainty_ms: f64) -> DocumentClock {
        DocumentClock { at_ms, offset_ms, uncertainty_ms }
    }

    #[test]
    fn a_document_that_died_unmeasured_uses_what_a_later_one_found() {
        let mut documents = Documents::new(ZERO);
        // The browser's wall clock is 40 s fast.
        let first = document(1, ZERO + 40_000.0 + 100.0, None);
        documents.add(std::slice::from_ref(&first)).unwrap();
        assert_eq!((documents.is_known(1), documents.place(1, 5.0)), (false, None));
        let second = document(2, ZERO + 40_000.0 + 2_000.0, Some((ZERO + 2_000.0, 0.5)));
        documents.add(&[first, second]).unwrap();
        assert!(documents.is_known(1));
        assert_eq!(documents.place(2, 5.0), Some(Timestamp::from_secs_f64(2.005)));
        assert_eq!(documents.take_notes(), [], "nothing was placed by an assumption");
        assert_eq!(documents.place(1, 5.0), Some(Timestamp::from_secs_f64(0.105)));
        let at = Timestamp::from_secs_f64(0.1);
        let assumed = ClockNote::Assumed { at, document: 1, offset_ms: 100.0, uncertainty_ms: 250.5 };
        assert_eq!(documents.take_notes(), [assumed]);
        assert_eq!((documents.place(1, 6.0), documents.take_notes()), (Some(Timestamp::from_secs_f64(0.106)), vec![]));
    }

    #[test]
    fn an_assumption_gives_way_to_a_measurement() {
        let mut documents = Documents::new(ZERO);
        let first = document(1, ZERO, Some((ZERO, 0.5)));
        // The wall clock was set back by 150 ms between the two documents.
        let second = |clock| document(2, ZERO + 850.0, clock);
        documents.add(&[first, second(None)]).unwrap();
        assert_eq!(documents.place(2, 10.0), Some(Timestamp::from_secs_f64(0.860)));
        documents.add(&[second(Some((ZERO + 1_000.0, 0.5)))]).unwrap();
        assert_eq!(documents.place(2, 11.0), Some(Timestamp::from_secs_f64(1.011)));
        // And with a wall clock that was set forward.
        let third = |clock| document(3, ZERO + 5_000.0, clock);
        documents.add(&[third(None)]).unwrap();
        assert_eq!(documents.place(3, 10.0), Some(Timestamp::from_secs_f64(5.160)));
        documents.add(&[third(Some((ZERO + 4_900.0, 0.5)))]).unwrap();
        assert_eq!(documents.place(3, 11.0), Some(Timestamp::from_secs_f64(4.911)), "not held at the assumed time");
    }

    /// The session was silent while the computer slept. The tab sends what it kept, with its newest reading.
    #[test]
    fn a_session_that_goes_on_remembers_the_clock_before_the_jump() {
        let mut documents = Documents::new(ZERO);
        documents.remember(1, reading(1_000.0, ZERO, 1.0));
        documents.remember(1, reading(5_000.0, ZERO + 0.1, 1.0));
        let fresh = DocumentClock { at_ms: 6_000.0, offset_ms: ZERO + 600_000.0, uncertainty_ms: 2.0 };
        documents.add(&[Document { clock: Some(fresh), ..document(1, ZERO, None) }]).unwrap();
        documents.note_jumps();
        let notes = documents.take_notes();
        assert!(matches!(notes[..], [ClockNote::Jumped { document: 1, until_ms: 6_000.0, .. }]), "{notes:?}");
        assert_eq!(documents.at(1, 5_500.0), Some(Timestamp::from_secs_f64(5.5001)));
        assert_eq!(documents.at(1, 6_500.0), Some(Timestamp::from_secs_f64(606.5)));
        // The same readings again are no new jump.
        documents.add(&[Document { clock: Some(fresh), ..document(1, ZERO, None) }]).unwrap();
        documents.note_jumps();
        assert_eq!(documents.take_notes(), []);
    }

    #[test]
    fn after_a_sleep_the_fresh_reading_counts_and_the_jump_is_noted() {
        let mut documents = Documents::new(ZERO);
        documents.add(&[document(1, ZERO, Some((ZERO, 1.0)))]).unwrap();
        documents.learn(1, reading(5_000.0, ZERO + 0.3, 2.0));
        // An old client sends the tighter reading of before the sleep with each batch.
        for _ in 0..2 {
            documents.learn(1, reading(10_000.0, ZERO + 20_070.0, 35.0));
            documents.add(&[document(1, ZERO, Some((ZERO, 1.0)))]).unwrap();
        }
        documents.note_jumps();
        let at = Timestamp::from_secs_f64(30.07);
        let jumped = ClockNote::Jumped { at, document: 1, from_ms: 4_996.0, until_ms: 10_000.0, step_ms: 20_070.0 };
        assert_eq!(documents.take_notes(), [jumped]);
        // Later records, and records of before the sleep that arrive after it.
        assert_eq!(documents.place(1, 10_001.0), Some(Timestamp::from_secs_f64(30.071)));
        assert_eq!(documents.place(1, 4_000.0), Some(Timestamp::from_secs_f64(4.0)));
        documents.note_jumps();
        assert_eq!(documents.take_notes(), []);
    }

    #[test]
    fn a_clock_that_jumps_back_is_followed() {
        let mut documents = Documents::new(ZERO);
        documents.add(&[document(1, ZERO, Some((ZERO + 9_000.0, 1.0)))]).unwrap();
        assert_eq!(documents.place(1, 100.0), Some(Timestamp::from_secs_f64(9.1)));
        documents.learn(1, reading(200.0, ZERO, 1.0));
        assert_eq!(documents.place(1, 300.0), Some(Timestamp::from_secs_f64(0.3)));
    }

    #[test]
    fn runs_are_bounded() {
        let mut documents = Documents::new(ZERO);
        documents.add(&[document(1, ZERO, Some((ZERO, 1.0)))]).unwrap();
        (0..1_000).for_each(|k| documents.learn(1, reading(f64::from(k) * 10.0, ZERO + f64::from(k % 2) * 1e4, 1.0)));
        documents.note_jumps();
        assert!(documents.take_notes().len() <= MAX_RUNS && documents.known[&1].runs.len() == MAX_RUNS);
        assert_eq!(documents.place(1, 1e5), Some(Timestamp::from_secs_f64(110.0)), "the newest reading counts");
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

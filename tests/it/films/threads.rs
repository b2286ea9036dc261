//! A film read by one thread and by three: the same session.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use affectograph::recording::{Guided, ImportOutcome, ImportedFile, SessionPlan, VideoImporter};
use affectograph::session::{BLINK, Body, FACE, ParticipantId, SKIN, SessionNumber, Study, VIDEO, face};
use affectograph::store::{SessionFile, StoredStudy};
use affectograph::stored_frames::FrameReader;
use affectograph::vision::{VISION_STREAMS, models_folder};

use super::{made, source};

const STUDY: &str = "name = \"films\"\ntitle = \"Films\"\n[page]\naddress = \"none\"\n";

/// All of a session that was made from a film, except how long it took.
#[derive(PartialEq)]
struct Made {
    outcome: ImportOutcome,
    /// Text, because a value that is not a number equals nothing.
    records: Vec<String>,
    /// Frames whose colours were read.
    with_skin: u64,
    pictures: Vec<String>,
    checksums: Vec<Option<u32>>,
}

fn records(session: &SessionFile, stream: &str) -> Vec<String> {
    let mut records = session.records_from(stream, 0).unwrap();
    for record in &mut records {
        if let (FACE, Body::Sample { values, .. }) = (stream, &mut record.body) {
            values[face::INFERENCE_MS] = 0.0;
        }
    }
    records.iter().map(|record| format!("{record:?}")).collect()
}

fn made_with(threads: usize, film: &Path, folder: &Path) -> Made {
    let mut importer =
        VideoImporter::load(&models_folder().unwrap(), "affect", NonZeroUsize::new(threads).unwrap()).unwrap();
    let plan = SessionPlan {
        folder: folder.to_owned(),
        participant: ParticipantId::numbered(1),
        session: SessionNumber(1),
        study: StoredStudy::new(&Study::parse(STUDY).unwrap(), STUDY),
        guided: Guided::default(),
        pilot: false,
        consent: None,
        revision: None,
        overridden_checks: Vec::new(),
        condition: None,
        planned: None,
    };
    let file = ImportedFile::of(film).unwrap();
    let outcome = importer.record(film, &file, &plan, &AtomicBool::new(false), |_| {}).unwrap().unwrap();
    let session = SessionFile::open(folder).unwrap();
    let mut frames = FrameReader::open(&session).unwrap();
    let numbers = 0..session.frames().unwrap().len() as u64;
    Made {
        outcome,
        records: VISION_STREAMS
            .iter()
            .chain(&[BLINK, SKIN, VIDEO])
            .flat_map(|stream| records(&session, stream))
            .collect(),
        with_skin: session.records_from(SKIN, 0).unwrap().len() as u64,
        pictures: numbers.map(|number| format!("{:?}", frames.frame(&session, number).unwrap())).collect(),
        checksums: session.frames().unwrap().rows().iter().map(|row| row.checksum).collect(),
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let Some(film) = source() else { return };
    let tmp = tempfile::tempdir().unwrap();
    // A film whose middle is damaged, so that losses stand between its frames.
    let (whole, damaged) = (tmp.path().join("whole.mkv"), tmp.path().join("damaged.mkv"));
    made(&film, "-an -vf scale=320:180 -c:v mpeg4 -q:v 3 -g 12", &whole);
    let mut bytes = std::fs::read(&whole).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 200].iter_mut().enumerate().for_each(|(i, b)| *b = (i * 7) as u8);
    std::fs::write(&damaged, bytes).unwrap();
    for (name, film) in [("film", &film), ("damaged", &damaged)] {
        let by = |threads: usize| made_with(threads, film, &tmp.path().join(format!("{name} by {threads}")));
        let one = by(1);
        assert!(one.outcome.with_face > 20 && one.records.len() as u64 >= 3 * one.outcome.with_face, "{name}");
        assert_eq!(one.with_skin, one.outcome.with_face, "{name}");
        assert_eq!(one.outcome.frames, one.pictures.len() as u64, "{name}");
        assert_eq!(one.outcome.lost > 0, name == "damaged", "{:?}", one.outcome);
        for threads in [2, 3] {
            assert!(by(threads) == one, "{name}: {threads} threads make another session than one");
        }
    }
}
